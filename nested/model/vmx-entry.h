/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmx-entry.h - what VMLAUNCH and VMRESUME must do with a VMCS, as the manual has it
 *
 * Written from Intel SDM vol. 3C, 26.1 to 26.4 and 26.7, and never from an emulator's
 * source: it is the third voice in the fuzzer's vote.  Plain C without a library, so
 * that the same files run inside the flats and on the host.  The edition is in
 * docs/nested.md; what a later one adds is cited as such.
 *
 * Answers:  the manual often leaves a choice (controls and host state are checked "in
 *           any order", so are the checks of the guest's state), so what it allows is a
 *           set.  An engine is wrong if it does something outside of the set.
 *
 * Memory:   some checks read what a field points to, through a callback.  Where that
 *           cannot be read, both answers are allowed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/bits.h"
#include "vmx/vmcs.h"

/* What the processor says of itself, in its capability MSRs (appendix A) and CPUID. */
struct vmx_processor {
    unsigned physical_bits, linear_bits;
    uint64_t basic, misc, ept_vpid, functions; /* IA32_VMX_BASIC ... IA32_VMX_VMFUNC */
    /* Low half: bits that must be 1; high half: bits that may be.  The "true" ones, if
     * there are any. */
    uint64_t pin, processor, secondary, exit, entry;
    uint64_t cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
    unsigned n_counters, n_fixed_counters; /* for IA32_PERF_GLOBAL_CTRL */
    bool has_sgx, has_rtm;
};

/* A field's place in struct vmx_state: appendix B's type, width and index. */
#define VMX_N_SLOTS 512
static inline unsigned vmx_slot(enum vmcs_field field)
{
    unsigned type_and_width = (field >> 10 & 3) | (field >> 11 & 12);

    return type_and_width << 5 | (field >> 1 & 31);
}

struct vmx_state {
    uint64_t fields[VMX_N_SLOTS];
    uint64_t vmcs_pointer; /* of the current VMCS; all ones: there is none */
    bool is_shadow;        /* the current VMCS is a shadow VMCS */
    bool is_launched;      /* its launch state; else clear */
    bool is_resume;        /* VMRESUME; else VMLAUNCH */
    bool is_blocked;       /* there is MOV-SS blocking */
    bool is_outside_ia32e; /* IA32_EFER.LMA is 0 at the time of VM entry */
    /* 64 bits at a physical address, or false if they cannot be known; may be NULL. */
    bool (*read)(const struct vmx_state *state, uint64_t address, uint64_t *out);
    const void *memory; /* what read() may want; not looked at here */
};

static inline uint64_t vmx_state_get(const struct vmx_state *state,
                                     enum vmcs_field field)
{
    return state->fields[vmx_slot(field)];
}

/* As wide as the field is: appendix B, bits 14:13 of the encoding. */
static inline void vmx_state_set(struct vmx_state *state, enum vmcs_field field,
                                 uint64_t value)
{
    static const uint64_t masks[] = { UINT16_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX };

    state->fields[vmx_slot(field)] = value & masks[field >> 13 & 3];
}

/* One thing that an entry may do; a set has one bit for each. */
enum vmx_answer {
    VMX_ENTERS = 1 << 0,
    VMX_FAILS_INVALID = 1 << 1,  /* VMfailInvalid */
    VMX_FAILS_MOV_SS = 1 << 2,   /* VMfailValid, with these errors */
    VMX_FAILS_LAUNCH = 1 << 3,   /* 4 or 5, by instruction */
    VMX_FAILS_CONTROLS = 1 << 4, /* 7 */
    VMX_FAILS_HOST = 1 << 5,     /* 8 */
    VMX_FAILS_GUEST = 1 << 6,    /* exit reason 33, with these qualifications */
    VMX_FAILS_PDPTE = 1 << 7,    /* 2 */
    VMX_FAILS_NMI = 1 << 8,      /* 3 */
    VMX_FAILS_LINK = 1 << 9,     /* 4 */
    VMX_FAILS_MSR = 1 << 10,     /* exit reason 34 */
};
#define VMX_DOES_ANYTHING UINT32_C(0x7ff)

struct vmx_verdict {
    uint32_t allowed; /* set of enum vmx_answer */
    /* With VMX_FAILS_MSR the qualification is from the first (the first entry that may
     * fail) to the last (the first that must; 0: none must). */
    uint64_t msr_first, msr_last;
    /* The check that decided, or of those that left a choice the first. */
    const char *why, *cites;
};

struct vmx_verdict vmx_model_entry(const struct vmx_state *state,
                                   const struct vmx_processor *processor);

/* What an engine did: VMfail (0 invalid, 1 valid) or an exit (2), as enum vmx_way has
 * it, in the words of the model. */
enum vmx_answer vmx_answer_of(unsigned way, uint32_t detail, uint64_t qualification);
const char *vmx_answer_name(enum vmx_answer answer);
