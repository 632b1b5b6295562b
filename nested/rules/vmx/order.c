/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * order.c - which of two or three violations wins
 *
 * 26.1 and 26.2: basic checks, then controls and host state, "in any order" (30.4's note
 * to error 7), then guest state (26.3), then the MSR list (26.4).  Where the manual
 * leaves it open the rule takes either answer.
 */
#include "vmx/entry-rule.h"

#define ORDER "SDM3C 26.1, 26.2, 26.3, 26.4"

#define BAD_CONTROL VMX_MAKE(VMCS_CR3_TARGET_COUNT, 5)
#define BAD_HOST    VMX_SET(VMCS_HOST_CS_SELECTOR, 1)
#define BAD_GUEST   VMX_CLEAR(VMCS_GUEST_RFLAGS, BIT(1))
#define BAD_LINK    VMX_MAKE(VMCS_LINK_POINTER, 1)
#define BAD_MSR                                                                        \
    VMX_MAKE(VMCS_ENTRY_MSR_LOAD_COUNT, 1),                                            \
        VMX_POKE(&vmx_pages.entry_load[0].index, 0xc0000100)
#define MSR_ENTRY(i, msr, bits)                                                        \
    VMX_POKE(&vmx_pages.entry_load[i].index, msr),                                     \
        VMX_POKE(&vmx_pages.entry_load[i].value, bits)
#define BAD_INJECTION VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO, VMX_EVENT(1, 3))

#define REFUSED(name, claim, error, near, ...)                                         \
    VMX_ENTRY_RULE("ORDER." name, ORDER, claim, VMX_FAIL, error,                       \
                   VMX_LIST(__VA_ARGS__), VMX_LIST(near))

/* Three at once.  Where a control and the host are both wrong, either error may come. */
#define THREE(name, claim, error, ...)                                                 \
    REFUSED("THREE." name, claim, error, , __VA_ARGS__)
#define THREE_OPEN(name, ...)                                                          \
    VMX_ENTRY_FULL("ORDER.THREE." name, ORDER ", 30.4 note b",                         \
                   "a control or the host wins, whichever is looked at first",         \
                   .way = VMX_FAIL, .detail = VMX_ERROR_CONTROLS,                      \
                   .allowed_detail = VMX_ERROR_HOST_STATE,                             \
                   .breaks = VMX_LIST(__VA_ARGS__), .neighbour = VMX_LIST())
#define THREE_FAILED(name, claim, ...)                                                 \
    VMX_ENTRY_FULL("ORDER.THREE." name, ORDER ", 26.7", claim, .way = VMX_EXIT,        \
                   .detail = VMX_INVALID_GUEST, __VA_ARGS__, .neighbour = VMX_LIST())

/* Qualifications of an entry that fails on the guest's state, 26.7. */
#define BAD_PDPTE_QUALIFICATION 2
#define BAD_LINK_QUALIFICATION  4

/* A PAE guest whose first PDPTE has a reserved bit. */
#define GUEST_PAE                                                                      \
    VMX_GUEST_32, VMX_CPU2(VMX_CPU2_EPT), VMX_MAKE(VMCS_GUEST_PDPTE0, 0),              \
        VMX_MAKE(VMCS_GUEST_PDPTE0 + 2, 0), VMX_MAKE(VMCS_GUEST_PDPTE0 + 4, 0),        \
        VMX_MAKE(VMCS_GUEST_PDPTE0 + 6, 0)
#define BAD_PDPTE GUEST_PAE, VMX_MAKE(VMCS_GUEST_PDPTE0, 3)

static const struct nested_rule order[] = {
    THREE_OPEN("CONTROL_HOST_GUEST", BAD_CONTROL, BAD_HOST, BAD_GUEST),
    THREE_OPEN("CONTROL_HOST_LINK", BAD_CONTROL, BAD_HOST, BAD_LINK),
    THREE_OPEN("CONTROL_HOST_MSR", BAD_CONTROL, BAD_HOST, BAD_MSR),
    THREE_OPEN("CONTROL_HOST_PDPTE", BAD_CONTROL, BAD_HOST, BAD_PDPTE),
    THREE_OPEN("INJECTION_HOST_GUEST", BAD_INJECTION, BAD_HOST, BAD_GUEST),
    THREE("CONTROL_GUEST_LINK", "the control wins over two of the guest's",
          VMX_ERROR_CONTROLS, BAD_CONTROL, BAD_GUEST, BAD_LINK),
    THREE("CONTROL_LINK_MSR", "the control wins", VMX_ERROR_CONTROLS, BAD_CONTROL,
          BAD_LINK, BAD_MSR),
    THREE("CONTROL_PDPTE_MSR", "the control wins", VMX_ERROR_CONTROLS, BAD_CONTROL,
          BAD_PDPTE, BAD_MSR),
    THREE("INJECTION_GUEST_MSR", "what is injected is a control, and wins",
          VMX_ERROR_CONTROLS, BAD_INJECTION, BAD_GUEST, BAD_MSR),
    THREE("CONTROL_INJECTION_GUEST", "two controls are one error", VMX_ERROR_CONTROLS,
          BAD_CONTROL, BAD_INJECTION, BAD_GUEST),
    THREE("HOST_GUEST_LINK", "the host wins over two of the guest's",
          VMX_ERROR_HOST_STATE, BAD_HOST, BAD_GUEST, BAD_LINK),
    THREE("HOST_LINK_MSR", "the host wins", VMX_ERROR_HOST_STATE, BAD_HOST, BAD_LINK,
          BAD_MSR),
    THREE("HOST_PDPTE_MSR", "the host wins", VMX_ERROR_HOST_STATE, BAD_HOST, BAD_PDPTE,
          BAD_MSR),
    THREE_FAILED(
        "GUEST_LINK_MSR",
        "the guest's state fails before the MSR list; which of its two is open",
        .qualification = 0, .allowed_qualification = BAD_LINK_QUALIFICATION,
        .breaks = VMX_LIST(BAD_GUEST, BAD_LINK, BAD_MSR)),
    THREE_FAILED("GUEST_PDPTE_MSR", "so it is with PDPTEs, whose qualification is 2",
                 .qualification = 0, .allowed_qualification = BAD_PDPTE_QUALIFICATION,
                 .breaks = VMX_LIST(BAD_PDPTE, BAD_GUEST, BAD_MSR)),
    THREE_FAILED("LINK_PDPTE_MSR", "the link pointer's 4 or the PDPTEs' 2",
                 .qualification = BAD_LINK_QUALIFICATION,
                 .allowed_qualification = BAD_PDPTE_QUALIFICATION,
                 .breaks = VMX_LIST(BAD_PDPTE, BAD_LINK, BAD_MSR)),
    THREE_FAILED("PDPTE_BEFORE_MSR", "PDPTEs alone fail before the MSR list",
                 .qualification = BAD_PDPTE_QUALIFICATION,
                 .breaks = VMX_LIST(BAD_PDPTE, BAD_MSR)),
    VMX_ENTRY_FULL(
        "ORDER.THREE.MSR_SECOND_AND_THIRD", "SDM3C 26.4",
        "of two bad MSRs the one that is first in the list fails", .way = VMX_EXIT,
        .detail = (uint32_t)VMX_REASON_ENTRY_FAILURE | (uint32_t)VMX_REASON_MSR_LOADING,
        .qualification = 2,
        .breaks = VMX_LIST(VMX_MAKE(VMCS_ENTRY_MSR_LOAD_COUNT, 3),
                           MSR_ENTRY(0, 0x277, UINT64_C(0x0007040600070406)),
                           MSR_ENTRY(1, 0xc0000100, 0), MSR_ENTRY(2, 0xc0000101, 0)),
        .neighbour = VMX_LIST()),
    VMX_ENTRY_FULL("ORDER.CONTROL_AND_HOST", ORDER ", 30.4 note b",
                   "controls and host state are checked in any order", .way = VMX_FAIL,
                   .detail = VMX_ERROR_CONTROLS, .allowed_detail = VMX_ERROR_HOST_STATE,
                   .breaks = VMX_LIST(BAD_CONTROL, BAD_HOST), .neighbour = VMX_LIST()),
    REFUSED("CONTROL_BEFORE_GUEST", "controls are checked before the guest's state",
            VMX_ERROR_CONTROLS, , BAD_CONTROL, BAD_GUEST),
    REFUSED("CONTROL_BEFORE_LINK", "controls are checked before the link pointer",
            VMX_ERROR_CONTROLS, , BAD_CONTROL, BAD_LINK),
    REFUSED("CONTROL_BEFORE_MSR", "controls are checked before the MSR list",
            VMX_ERROR_CONTROLS, , BAD_CONTROL, BAD_MSR),
    REFUSED("INJECTION_BEFORE_GUEST", "so is what is injected", VMX_ERROR_CONTROLS, ,
            BAD_INJECTION, BAD_GUEST),
    REFUSED("HOST_BEFORE_GUEST", "the host's state is checked before the guest's",
            VMX_ERROR_HOST_STATE, , BAD_HOST, BAD_GUEST),
    REFUSED("HOST_BEFORE_LINK", "the host's state is checked before the link pointer",
            VMX_ERROR_HOST_STATE, , BAD_HOST, BAD_LINK),
    REFUSED("HOST_BEFORE_MSR", "the host's state is checked before the MSR list",
            VMX_ERROR_HOST_STATE, , BAD_HOST, BAD_MSR),
    REFUSED("CONTROL_BEFORE_ALL", "of three, the control wins", VMX_ERROR_CONTROLS, ,
            BAD_CONTROL, BAD_GUEST, BAD_MSR),
    REFUSED("HOST_BEFORE_ALL", "of three, the host wins", VMX_ERROR_HOST_STATE, ,
            BAD_HOST, BAD_GUEST, BAD_MSR),
    VMX_ENTRY_FULL("ORDER.GUEST_BEFORE_MSR", ORDER,
                   "the MSR list is loaded after the guest's state was checked",
                   .way = VMX_EXIT, .detail = VMX_INVALID_GUEST,
                   .breaks = VMX_LIST(BAD_GUEST, BAD_MSR), .neighbour = VMX_LIST()),
    VMX_ENTRY_FULL("ORDER.LINK_BEFORE_MSR", ORDER,
                   "the MSR list is loaded after the link pointer was checked",
                   .way = VMX_EXIT, .detail = VMX_INVALID_GUEST, .qualification = 4,
                   .breaks = VMX_LIST(BAD_LINK, BAD_MSR), .neighbour = VMX_LIST()),
};
NESTED_RULES(order);
