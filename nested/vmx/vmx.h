/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmx.h - enter a guest on VT-x and see how it came back
 *
 * vmx_good() makes a VMCS that every VMX processor must accept: a 64-bit guest on the
 * host's own page tables with its own IDT and stack, that runs @code and leaves by
 * VMCALL.  A rule changes a field or two of it.
 *
 * Source:   Intel SDM vol. 3C, chapters 23 to 31; the edition is in docs/nested.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmcs.h"

bool vmx_is_present(void); /* CPUID.1:ECX.VMX, and not locked away */
/* CR4.VMXE and VMXON, if this processor's CR4.VMXE is not set yet. */
void vmx_enable(void);

/* What a control field's capability MSR says (appendix A): bits that may be 1, and bits
 * that must be. */
uint32_t vmx_allowed(enum vmcs_field controls);
uint32_t vmx_required(enum vmcs_field controls);

void vmx_write(enum vmcs_field field, uint64_t value);
uint64_t vmx_read(enum vmcs_field field);

/* IA32_VMX_EPT_VPID_CAP, or 0 on a CPU that has neither EPT nor VPID (A.10). */
uint64_t vmx_ept_capability(void);
/* Whatever the TLBs hold of guest-physical addresses and of VPIDs. */
void vmx_forget_translations(void);

/* A cleared, current VMCS as described above. */
void vmx_good(void (*code)(void));

enum vmx_way {
    VMX_FAIL_INVALID, /* VMfailInvalid: no current VMCS */
    VMX_FAIL,         /* VMfailValid: detail is the VM-instruction error */
    VMX_EXIT,         /* detail is the whole exit reason field */
    VMX_BROKEN,       /* the host's stack or canary did not come back */
};

struct vmx_outcome {
    enum vmx_way way;
    uint32_t detail;
    uint64_t qualification;
};

/* The guest's general registers but RSP: loaded by VM entry, stored by VM exit. */
struct vmx_registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};
extern struct vmx_registers vmx_guest;
/* Where the guest's stack begins; good guests have nothing on it. */
extern uint8_t vmx_guest_stack[8192];
#define VMX_STACK_TOP (vmx_guest_stack + sizeof vmx_guest_stack)

/* VMLAUNCH, or VMRESUME, the current VMCS. */
struct vmx_outcome vmx_run(void);
struct vmx_outcome vmx_resume(void);

/* The regions of the current VMCS and of VMXON, for rules that misuse them. */
uint64_t vmx_vmcs_region(void);
uint64_t vmx_vmxon_region(void);

void vmx_guest_vmcall(void);
