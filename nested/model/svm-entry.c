/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "svm-entry.h"

#include <stdbool.h>

#include "lib/bits.h"

#define EVENT_VECTOR(event) ((event)&0xff)
#define EVENT_TYPE(event)   ((event) >> 8 & 7)

enum { EVENT_INTERRUPT = 0, EVENT_NMI = 2, EVENT_EXCEPTION = 3, EVENT_SOFTWARE = 4 };

struct state {
    const struct vmcb *vmcb;
    const struct svm_processor *processor;
    bool is_paging, is_long; /* CR0.PG; EFER.LME with it */
};

typedef enum svm_entry_answer check(const struct state *state);

static enum svm_entry_answer refuse_if(bool is_illegal)
{
    return is_illegal ? SVM_ENTRY_REFUSED : SVM_ENTRY_ACCEPTED;
}

static enum svm_entry_answer svme(const struct state *s)
{
    return refuse_if(!(s->vmcb->efer & EFER_SVME));
}

static enum svm_entry_answer cr0_cache(const struct state *s)
{
    return refuse_if(!(s->vmcb->cr0 & CR0_CD) && (s->vmcb->cr0 & CR0_NW));
}

static enum svm_entry_answer cr0_high(const struct state *s)
{
    return refuse_if(s->vmcb->cr0 >> 32);
}

/* In long mode bits 63:52 and those the processor does not have; in legacy modes the
 * register has 32 bits (5.2.1) and the manual does not say what the rest is. */
static enum svm_entry_answer cr3(const struct state *s)
{
    uint64_t beyond = s->vmcb->cr3 >> s->processor->physical_bits;

    if (!beyond) {
        return SVM_ENTRY_ACCEPTED;
    }
    return s->is_long ? SVM_ENTRY_REFUSED : SVM_ENTRY_OPEN;
}

/* Which of the low bits exist is each processor's own. */
static enum svm_entry_answer cr4(const struct state *s)
{
    return refuse_if(s->vmcb->cr4 >> 32);
}

static enum svm_entry_answer debug_registers(const struct state *s)
{
    return refuse_if(s->vmcb->dr6 >> 32 || s->vmcb->dr7 >> 32);
}

/* 3.1.7: 7:1, 9, 16, 19 and 63:22 have no meaning on any processor. */
static enum svm_entry_answer efer_mbz(const struct state *s)
{
    return refuse_if(s->vmcb->efer & (UINT64_C(0xFE) | BIT(9) | UINT64_MAX << 32));
}

static enum svm_entry_answer long_without_pae(const struct state *s)
{
    return refuse_if(s->is_long && !(s->vmcb->cr4 & CR4_PAE));
}

static enum svm_entry_answer paging_without_pe(const struct state *s)
{
    bool is_without = s->is_paging && !(s->vmcb->cr0 & CR0_PE);

    if (is_without && !s->is_long) {
        return SVM_ENTRY_OPEN; /* the manual names the long-mode case only */
    }
    return refuse_if(is_without);
}

static enum svm_entry_answer cs_l_and_d(const struct state *s)
{
    bool both = (s->vmcb->cs.attributes & SVM_ATTRIBUTE_L) &&
                (s->vmcb->cs.attributes & SVM_ATTRIBUTE_D);

    return refuse_if(s->is_long && (s->vmcb->cr4 & CR4_PAE) && both);
}

static enum svm_entry_answer vmrun_intercept(const struct state *s)
{
    return refuse_if(!(s->vmcb->intercept2 & SVM_INTERCEPT2_VMRUN));
}

static bool ends_beyond(const struct state *s, uint64_t base, uint64_t size)
{
    uint64_t limit = BIT(s->processor->physical_bits);

    /* The low twelve bits of both fields are ignored (15.10.1, 15.11). */
    base &= ~UINT64_C(0xfff);
    return base >= limit || limit - base < size;
}

static enum svm_entry_answer permission_maps(const struct state *s)
{
    return refuse_if(ends_beyond(s, s->vmcb->iopm_base_pa, 0x3000) ||
                     ends_beyond(s, s->vmcb->msrpm_base_pa, 0x2000));
}

static enum svm_entry_answer asid(const struct state *s)
{
    if (s->vmcb->guest_asid == 0) {
        return SVM_ENTRY_REFUSED;
    }
    /* "Software must ... not exceed": what happens if it does is not said. */
    return s->vmcb->guest_asid < s->processor->n_asids ? SVM_ENTRY_ACCEPTED
                                                       : SVM_ENTRY_OPEN;
}

/* Table 8-1 reserves these for ever; which of the others exist is each processor's own.
 * BOUND is no instruction in 64-bit mode, so its #BR is "impossible for the guest mode"
 * (15.20); of #BP and #OF the manual says no more than that they act as traps. */
#define NO_EXCEPTIONS (BIT(15) | UINT64_C(0x0fc00000) | BIT(31))
#define OPEN_EXCEPTIONS                                                                \
    (BIT(3) | BIT(4) | BIT(9) | BIT(20) | BIT(21) | BIT(28) | BIT(29) | BIT(30))

static enum svm_entry_answer exception(const struct state *s, unsigned vector)
{
    bool is_64_bit = s->is_long && (s->vmcb->cs.attributes & SVM_ATTRIBUTE_L);

    if (BIT(vector) & OPEN_EXCEPTIONS) {
        return SVM_ENTRY_OPEN;
    }
    return refuse_if((BIT(vector) & NO_EXCEPTIONS) || (vector == 5 && is_64_bit));
}

static enum svm_entry_answer injection(const struct state *s)
{
    uint64_t event = s->vmcb->eventinj;

    if (!(event & SVM_EVENT_VALID)) {
        return SVM_ENTRY_ACCEPTED;
    }
    switch (EVENT_TYPE(event)) {
    case EVENT_INTERRUPT:
    case EVENT_NMI:
    case EVENT_SOFTWARE:
        return SVM_ENTRY_ACCEPTED;
    case EVENT_EXCEPTION:
        if (EVENT_VECTOR(event) == 2 || EVENT_VECTOR(event) > 31) {
            return SVM_ENTRY_REFUSED;
        }
        return exception(s, EVENT_VECTOR(event));
    default:
        return SVM_ENTRY_REFUSED;
    }
}

static enum svm_entry_answer nested_paging(const struct state *s)
{
    if (!(s->vmcb->np_enable & 1)) {
        return SVM_ENTRY_ACCEPTED;
    }
    return refuse_if(s->vmcb->n_cr3 >> s->processor->physical_bits);
}

/* 7.8.1: types 2 and 3 and bits 7:3 of each field are reserved. */
static enum svm_entry_answer guest_pat(const struct state *s)
{
    for (unsigned i = 0; (s->vmcb->np_enable & 1) && i < 8; i++) {
        uint8_t type = (uint8_t)(s->vmcb->g_pat >> i * 8);
        if (type == 2 || type == 3 || type > 7) {
            return SVM_ENTRY_REFUSED;
        }
    }
    return SVM_ENTRY_ACCEPTED;
}

/* The guest's PDPTEs are checked in memory, which is not the VMCB's. */
static enum svm_entry_answer legacy_pae(const struct state *s)
{
    bool is_legacy_pae = s->is_paging && !s->is_long && (s->vmcb->cr4 & CR4_PAE);

    return is_legacy_pae ? SVM_ENTRY_OPEN : SVM_ENTRY_ACCEPTED;
}

static const struct {
    check *run;
    const char *name;
} checks[] = {
    { svme, "EFER.SVME" },
    { cr0_cache, "CR0.CD and CR0.NW" },
    { cr0_high, "CR0[63:32]" },
    { cr3, "CR3 MBZ" },
    { cr4, "CR4 MBZ" },
    { debug_registers, "DR6[63:32], DR7[63:32]" },
    { efer_mbz, "EFER MBZ" },
    { long_without_pae, "EFER.LME, CR0.PG, CR4.PAE" },
    { paging_without_pe, "EFER.LME, CR0.PG, CR0.PE" },
    { cs_l_and_d, "CS.L and CS.D" },
    { vmrun_intercept, "VMRUN intercept" },
    { permission_maps, "MSR or IOIO intercept tables" },
    { injection, "event injection" },
    { asid, "ASID" },
    { nested_paging, "nCR3 MBZ" },
    { guest_pat, "G_PAT" },
    { legacy_pae, "PDPTEs" },
};

enum svm_entry_answer svm_model_entry(const struct vmcb *vmcb,
                                      const struct svm_processor *processor,
                                      const char **out_why)
{
    const struct state state = {
        .vmcb = vmcb,
        .processor = processor,
        .is_paging = vmcb->cr0 & CR0_PG,
        .is_long = (vmcb->efer & EFER_LME) && (vmcb->cr0 & CR0_PG),
    };
    enum svm_entry_answer answer = SVM_ENTRY_ACCEPTED;
    const char *why = "all checks";

    for (unsigned i = 0; i < sizeof checks / sizeof *checks; i++) {
        enum svm_entry_answer one = checks[i].run(&state);
        /* One illegal thing is enough, whatever else is left open. */
        if (one == SVM_ENTRY_REFUSED ||
            (one == SVM_ENTRY_OPEN && answer == SVM_ENTRY_ACCEPTED)) {
            answer = one;
            why = checks[i].name;
        }
        if (one == SVM_ENTRY_REFUSED) {
            break;
        }
    }
    if (out_why) {
        *out_why = why;
    }
    return answer;
}
