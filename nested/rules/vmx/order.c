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
#define BAD_INJECTION VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO, VMX_EVENT(1, 3))

#define REFUSED(name, claim, error, near, ...)                                         \
    VMX_ENTRY_RULE("ORDER." name, ORDER, claim, VMX_FAIL, error,                       \
                   VMX_LIST(__VA_ARGS__), VMX_LIST(near))

static const struct nested_rule order[] = {
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
