/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * entry-rule.h - rules about what VM entry refuses, a line each
 *
 * "Change the good VMCS so, and VMLAUNCH fails in this way; make this neighbour of it
 * instead, and the guest runs and leaves by VMCALL."  A rule whose controls this CPU
 * does not have is skipped, by its capability MSRs.
 */
#pragma once

#include "vmx/change.h"

struct vmx_entry {
    enum vmx_way way;
    uint32_t detail;
    const struct vmx_change *breaks, *neighbour; /* each ends with VMX_END */
    uint64_t qualification;                      /* of an entry failure */
    uint32_t neighbour_reason;                   /* 0: VMCALL */
    const char *(*lacks)(void); /* what controls alone do not tell; NULL: nothing */
    uint32_t allowed_detail;    /* another that the manual allows as well; 0: none */
    uint64_t allowed_qualification; /* another that may be; 0: none */
};

#define VMX_ENTRY_RULE(name, place, claim, how, what, broken, allowed)                 \
    {                                                                                  \
        .id = "VMX.ENTRY." name, .cites = place, .says = claim, .lacks = vmx_lacks,    \
        .check = vmx_check_entry, .data = &(const struct vmx_entry)                    \
        {                                                                              \
            .way = how, .detail = what, .breaks = broken, .neighbour = allowed         \
        }                                                                              \
    }

/* The whole exit reason field of an entry that failed on the guest's state. */
#define VMX_INVALID_GUEST                                                              \
    ((uint32_t)VMX_REASON_ENTRY_FAILURE | (uint32_t)VMX_REASON_GUEST_STATE)

/* A rule with what the macros below do not say: VMX_ENTRY_FULL("NAME", place, claim,
 * .way = ..., .qualification = ...). */
#define VMX_ENTRY_FULL(name, place, claim, ...)                                        \
    {                                                                                  \
        .id = "VMX.ENTRY." name, .cites = place, .says = claim, .lacks = vmx_lacks,    \
        .check = vmx_check_entry, .data = &(const struct vmx_entry)                    \
        {                                                                              \
            __VA_ARGS__                                                                \
        }                                                                              \
    }
/* The lists given, for what one line does not break. */
#define VMX_GUEST_LISTS(name, place, claim, broken, allowed)                           \
    VMX_ENTRY_FULL("GUEST." name, place, claim, .way = VMX_EXIT,                       \
                   .detail = VMX_INVALID_GUEST, .breaks = broken,                      \
                   .neighbour = allowed)

#define VMX_HOST_RULE(name, place, claim, broken, ...)                                 \
    VMX_ENTRY_RULE("HOST." name, place, claim, VMX_FAIL, VMX_ERROR_HOST_STATE,         \
                   VMX_LIST(broken), VMX_LIST(__VA_ARGS__))
#define VMX_GUEST_RULE(name, place, claim, broken, ...)                                \
    VMX_ENTRY_RULE("GUEST." name, place, claim, VMX_EXIT, VMX_INVALID_GUEST,           \
                   VMX_LIST(broken), VMX_LIST(__VA_ARGS__))

const char *vmx_lacks(const struct nested_rule *rule);
void vmx_check_entry(const struct nested_rule *rule);
