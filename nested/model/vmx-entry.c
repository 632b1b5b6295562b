/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * VM entry has stages (26.1, 26.2, 26.3, 26.4): a failure in one of them means that the
 * next is not begun.  Within a stage checks may be done in any order, so that each that
 * fails is a possible answer; only those of 26.1 have an order of their own.  A check
 * that the manual leaves open adds its answer to the set and lets the rest go on.
 */
#include "vmx-entry.h"

#include <stddef.h>

#include "vmx-check.h"

static void name(struct vmx_verdict *verdict, const char *why, const char *cites)
{
    if (!verdict->why) {
        verdict->why = why;
        verdict->cites = cites;
    }
}

/* 26.1: in this order, and the first alone counts. */
static bool passes_basic_checks(const struct vmx_state *state,
                                struct vmx_verdict *verdict)
{
    static const char place[] = "SDM3C 26.1";

    if (state->vmcs_pointer == UINT64_MAX || state->is_shadow) {
        verdict->allowed = VMX_FAILS_INVALID;
        name(verdict, "BASIC.NO_VMCS", place);
    } else if (state->is_blocked) {
        verdict->allowed = VMX_FAILS_MOV_SS;
        name(verdict, "BASIC.MOV_SS", place);
    } else if (state->is_launched != state->is_resume) {
        verdict->allowed = VMX_FAILS_LAUNCH;
        name(verdict, "BASIC.LAUNCH_STATE", place);
    }
    return verdict->allowed == 0;
}

/* Whether no check of @list fails for certain. */
static bool passes(const struct vmx_look *look, const struct vmx_check_list *list,
                   struct vmx_verdict *verdict)
{
    bool is_passed = true;

    for (unsigned i = 0; i < list->n_checks; i++) {
        const struct vmx_check *check = &list->checks[i];
        enum vmx_opinion opinion = check->run(look);
        if (opinion != VMX_LEGAL) {
            verdict->allowed |= check->answers;
        }
        if (opinion == VMX_ILLEGAL) {
            /* A failure says more than what was left open before. */
            if (is_passed) {
                verdict->why = NULL;
            }
            name(verdict, check->name, check->cites);
            is_passed = false;
        } else if (opinion == VMX_UNSAID) {
            name(verdict, check->name, check->cites);
        }
    }
    return is_passed;
}

static bool passes_all(const struct vmx_look *look,
                       const struct vmx_check_list *const *stage, unsigned n_lists,
                       struct vmx_verdict *verdict)
{
    bool is_passed = true;

    for (unsigned i = 0; i < n_lists; i++) {
        struct vmx_verdict one = { 0 };
        bool passes_one = passes(look, stage[i], &one);
        verdict->allowed |= one.allowed;
        if (one.why && (!verdict->why || (is_passed && !passes_one))) {
            verdict->why = one.why;
            verdict->cites = one.cites;
        }
        is_passed = is_passed && passes_one;
    }
    return is_passed;
}

static void load_msrs(const struct vmx_look *look, struct vmx_verdict *verdict)
{
    uint64_t unsaid;
    uint64_t failed = vmx_msr_load_failure(look, &unsaid);

    if (!failed) {
        verdict->allowed |= VMX_ENTERS;
    }
    if (failed || unsaid) {
        verdict->allowed |= VMX_FAILS_MSR;
        verdict->msr_first = unsaid ? unsaid : failed;
        verdict->msr_last = failed;
        name(verdict, "MSR", "SDM3C 26.4");
    }
}

static struct vmx_look look_at(const struct vmx_state *state,
                               const struct vmx_processor *processor)
{
    struct vmx_look look = { .state = state, .cpu = processor };
    uint64_t event = vmx_get(&look, VMCS_ENTRY_INTERRUPTION_INFO);

    look.pin = (uint32_t)vmx_get(&look, VMCS_PIN_CONTROLS);
    look.processor = (uint32_t)vmx_get(&look, VMCS_PROCESSOR_CONTROLS);
    look.exit = (uint32_t)vmx_get(&look, VMCS_EXIT_CONTROLS);
    look.entry = (uint32_t)vmx_get(&look, VMCS_ENTRY_CONTROLS);
    if (look.processor & VMX_CPU_SECONDARY) {
        look.secondary = (uint32_t)vmx_get(&look, VMCS_SECONDARY_CONTROLS);
    }
    look.event = event & BIT(31) ? (uint32_t)event : 0;
    look.is_ia32e = look.entry & VMX_ENTRY_GUEST_64;
    look.is_virtual_8086 = vmx_get(&look, VMCS_GUEST_RFLAGS) & BIT(17);
    look.is_unrestricted = look.secondary & VMX_CPU2_UNRESTRICTED;
    return look;
}

struct vmx_verdict vmx_model_entry(const struct vmx_state *state,
                                   const struct vmx_processor *processor)
{
    static const struct vmx_check_list *const controls_and_host[] = {
        &vmx_control_checks,
        &vmx_event_checks,
        &vmx_host_checks,
    };
    static const struct vmx_check_list *const guest[] = {
        &vmx_guest_register_checks,
        &vmx_guest_segment_checks,
        &vmx_guest_non_register_checks,
        &vmx_pdpte_checks,
    };
    const struct vmx_look look = look_at(state, processor);
    struct vmx_verdict verdict = { 0 };

    if (passes_basic_checks(state, &verdict) &&
        passes_all(&look, controls_and_host, 3, &verdict) &&
        passes_all(&look, guest, 4, &verdict)) {
        load_msrs(&look, &verdict);
    }
    name(&verdict, "all checks", "SDM3C 26.1 to 26.4");
    return verdict;
}

/* Reasons 33 and 34 with bit 31, and 33's qualifications (26.7). */
static enum vmx_answer failure_of(uint32_t reason, uint64_t qualification)
{
    if ((reason & 0xffff) == VMX_REASON_MSR_LOADING) {
        return VMX_FAILS_MSR;
    }
    switch (qualification) {
    case 2:
        return VMX_FAILS_PDPTE;
    case 3:
        return VMX_FAILS_NMI;
    case 4:
        return VMX_FAILS_LINK;
    default:
        return VMX_FAILS_GUEST;
    }
}

enum vmx_answer vmx_answer_of(unsigned way, uint32_t detail, uint64_t qualification)
{
    if (way == 0) {
        return VMX_FAILS_INVALID;
    }
    if (way == 2) {
        return detail & VMX_REASON_ENTRY_FAILURE ? failure_of(detail, qualification)
                                                 : VMX_ENTERS;
    }
    switch (detail) {
    case VMX_ERROR_CONTROLS:
        return VMX_FAILS_CONTROLS;
    case VMX_ERROR_HOST_STATE:
        return VMX_FAILS_HOST;
    case VMX_ERROR_MOV_SS:
        return VMX_FAILS_MOV_SS;
    default:
        return VMX_FAILS_LAUNCH;
    }
}

const char *vmx_answer_name(enum vmx_answer answer)
{
    static const char *const names[] = {
        "enters",
        "VMfailInvalid",
        "VM-instruction error 26",
        "VM-instruction error 4 or 5",
        "VM-instruction error 7",
        "VM-instruction error 8",
        "exit reason 33",
        "exit reason 33, qualification 2",
        "exit reason 33, qualification 3",
        "exit reason 33, qualification 4",
        "exit reason 34",
    };

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (answer == (enum vmx_answer)BIT(i)) {
            return names[i];
        }
    }
    return "nothing that it may";
}
