/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmx.h - enter a guest on VT-x and see how it came back
 *
 * vmx_good() makes a VMCS that every VMX processor must accept: a 64-bit guest on the
 * host's own page tables with its own IDT and stack, that runs @code and leaves by
 * VMCALL.  A rule changes a field or two of it.
 *
 * Source:   Intel SDM vol. 3C, revision 325384-083, chapters 24 to 31.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmcs.h"

bool vmx_is_present(void); /* CPUID.1:ECX.VMX, and not locked away */
/* CR4.VMXE and VMXON; needed once. */
void vmx_enable(void);

/* The allowed 1-settings of a control field, from its capability MSR (appendix A). */
uint32_t vmx_allowed(enum vmcs_field controls);

void vmx_write(enum vmcs_field field, uint64_t value);
uint64_t vmx_read(enum vmcs_field field);

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

/* VMLAUNCH the current VMCS. */
struct vmx_outcome vmx_run(void);

void vmx_guest_vmcall(void);
