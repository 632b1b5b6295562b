/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * svm.h - enter a guest on AMD-V and see how it came back
 *
 * svm_good() makes a state that every SVM processor must accept: a 64-bit guest on the
 * host's own page tables with its own IDT and stack, that runs @code and leaves by
 * VMMCALL.  A rule changes one thing of it.
 *
 * Source:   AMD64 APM vol. 2 (24593), chapter 15.
 */
#pragma once

#include <stdbool.h>

#include "vmcb.h"

/* All a guest's general registers but RSP and RAX, which VMRUN itself carries. */
struct svm_registers {
    uint64_t rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

bool svm_is_present(void); /* CPUID Fn8000_0001 ECX[SVM], and not locked away */
unsigned svm_n_asids(void);
uint32_t svm_features(void); /* CPUID Fn8000_000A EDX */

/* EFER.SVME on and VM_HSAVE_PA set; needed once. */
void svm_enable(void);

/* Fill in @vmcb as described above. */
void svm_good(struct vmcb *vmcb, void (*code)(void));

/*
 * VMRUN with the global interrupt flag clear around it.  Every guest register starts as
 * a canary.  Returns false when a callee-saved host register or the stack came back
 * changed: the engine, not the rule, is then wrong.
 */
bool svm_run(struct vmcb *vmcb, struct svm_registers *registers);

/* The same in two steps, for a rule that chooses registers itself. */
void svm_prepare_run(struct svm_registers *registers);
bool svm_enter_guest(struct vmcb *vmcb, struct svm_registers *registers);

/* The guest that does nothing: VMMCALL, for ever. */
void svm_guest_vmmcall(void);
