/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * entry-rule.h - rules about what VM entry refuses, a line each
 *
 * "Change the good VMCS so, and VMLAUNCH fails in this way; make this neighbour of it
 * instead, and the guest runs and leaves by VMCALL."  A rule whose controls this CPU
 * does not have is skipped, by its capability MSRs.
 */
#pragma once

#include "lib/cpu.h"
#include "lib/rule.h"
#include "vmx/vmx.h"

/* (field & ~clear) | set; the list ends with field -1. */
struct vmx_change {
    int32_t field;
    uint8_t is_limit; /* the end of physical memory - set, instead */
    uint64_t clear, set;
};

#define VMX_CHANGE(field, clear, set)                                                  \
    {                                                                                  \
        (int32_t) field, 0, clear, set                                                 \
    }
#define VMX_SET(field, bits)   VMX_CHANGE(field, 0, bits)
#define VMX_CLEAR(field, bits) VMX_CHANGE(field, bits, 0)
#define VMX_MAKE(field, value) VMX_CHANGE(field, UINT64_MAX, value)
#define VMX_LIMIT(field, less)                                                         \
    {                                                                                  \
        (int32_t) field, 1, 0, less                                                    \
    }
#define VMX_END                                                                        \
    {                                                                                  \
        -1, 0, 0, 0                                                                    \
    }

struct vmx_entry {
    enum vmx_way way;
    uint32_t detail;
    const struct vmx_change *breaks, *neighbour; /* each ends with VMX_END */
};

/* In parentheses, so that a list stays one argument through layers of macros. */
#define VMX_LIST(...)                                                                  \
    ((const struct vmx_change[]){ __VA_ARGS__ __VA_OPT__(, ) VMX_END })
#define VMX_ENTRY_RULE(name, place, claim, how, what, broken, allowed)                 \
    {                                                                                  \
        .id = "VMX.ENTRY." name, .cites = place, .says = claim, .lacks = vmx_lacks,    \
        .check = vmx_check_entry, .data = &(const struct vmx_entry)                    \
        {                                                                              \
            .way = how, .detail = what, .breaks = broken, .neighbour = allowed         \
        }                                                                              \
    }

#define VMX_HOST_RULE(name, place, claim, broken, ...)                                 \
    VMX_ENTRY_RULE("HOST." name, place, claim, VMX_FAIL, VMX_ERROR_HOST_STATE,         \
                   VMX_LIST(broken), VMX_LIST(__VA_ARGS__))
#define VMX_GUEST_RULE(name, place, claim, broken, ...)                                \
    VMX_ENTRY_RULE("GUEST." name, place, claim, VMX_EXIT,                              \
                   (uint32_t)VMX_REASON_ENTRY_FAILURE | VMX_REASON_GUEST_STATE,        \
                   VMX_LIST(broken), VMX_LIST(__VA_ARGS__))

const char *vmx_lacks(const struct nested_rule *rule);
void vmx_check_entry(const struct nested_rule *rule);
