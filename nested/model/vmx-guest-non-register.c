/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmx-guest-non-register.c - activity, interruptibility, pending debug exceptions and
 * the VMCS link pointer, 26.3.1.5 */
#include "vmx-check.h"

#define PLACE "SDM3C 26.3.1.5"
#define LINK  PLACE ", 26.7"

#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)

#define BLOCKING_SMI       BIT(2)
#define ENCLAVE            BIT(4)
#define BLOCKING_BY_EITHER (VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS)
#define DEBUGCTL_BTF       BIT(1)
#define PENDING_ENABLED    BIT(12)
#define PENDING_BS         BIT(14)
#define PENDING_RTM        BIT(16)

static uint64_t activity(const struct vmx_look *look)
{
    return vmx_get(look, VMCS_GUEST_ACTIVITY);
}

static uint64_t blocking(const struct vmx_look *look)
{
    return vmx_get(look, VMCS_GUEST_INTERRUPTIBILITY);
}

static uint64_t pending(const struct vmx_look *look)
{
    return vmx_get(look, VMCS_GUEST_PENDING_DEBUG);
}

static uint64_t rflags(const struct vmx_look *look)
{
    return vmx_get(look, VMCS_GUEST_RFLAGS);
}

static bool injects(const struct vmx_look *look, enum vmx_event_type type)
{
    return look->event && (look->event >> 8 & 7) == type;
}

static bool injects_exception(const struct vmx_look *look, unsigned vector)
{
    return injects(look, VMX_HARDWARE_EXCEPTION) && (look->event & 0xff) == vector;
}

/* Bits 8:6 of IA32_VMX_MISC say which of 1 to 3 there are (A.6). */
static enum vmx_opinion activity_range(const struct vmx_look *look)
{
    uint64_t state = activity(look);

    return vmx_illegal_if(state > 3 ||
                          (state > 0 && !(look->cpu->misc & BIT(5 + state))));
}

static enum vmx_opinion hlt_dpl(const struct vmx_look *look)
{
    return vmx_illegal_if(activity(look) == VMX_HLT &&
                          (vmx_get(look, VMCS_GUEST_SS_RIGHTS) & VMX_RIGHTS_DPL(3)));
}

static enum vmx_opinion inactive_and_blocked(const struct vmx_look *look)
{
    return vmx_illegal_if(activity(look) != VMX_ACTIVE &&
                          (blocking(look) & BLOCKING_BY_EITHER));
}

#define DEBUG_EXCEPTION 1
#define MACHINE_CHECK   18

static bool may_be_injected(const struct vmx_look *look)
{
    bool is_machine_check = injects_exception(look, MACHINE_CHECK);

    switch (activity(look)) {
    case VMX_HLT:
        return injects(look, VMX_EXTERNAL) || injects(look, VMX_NMI) ||
               injects_exception(look, DEBUG_EXCEPTION) || is_machine_check ||
               (injects(look, VMX_OTHER) && !(look->event & 0xff));
    case VMX_SHUTDOWN:
        return injects(look, VMX_NMI) || is_machine_check;
    case VMX_WAIT_FOR_SIPI:
        return false;
    default:
        return true;
    }
}

static enum vmx_opinion activity_and_event(const struct vmx_look *look)
{
    return vmx_illegal_if(look->event && !may_be_injected(look));
}

static enum vmx_opinion wait_for_sipi(const struct vmx_look *look)
{
    return vmx_illegal_if(activity(look) == VMX_WAIT_FOR_SIPI &&
                          (look->entry & VMX_ENTRY_SMM));
}

static enum vmx_opinion blocking_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(blocking(look) >> 5);
}

static enum vmx_opinion both_blockings(const struct vmx_look *look)
{
    return vmx_illegal_if((blocking(look) & BLOCKING_BY_EITHER) == BLOCKING_BY_EITHER);
}

static enum vmx_opinion sti_without_if(const struct vmx_look *look)
{
    return vmx_illegal_if((blocking(look) & VMX_BLOCKING_STI) &&
                          !(rflags(look) & RFLAGS_IF));
}

static enum vmx_opinion blocked_interrupt(const struct vmx_look *look)
{
    return vmx_illegal_if(injects(look, VMX_EXTERNAL) &&
                          (blocking(look) & BLOCKING_BY_EITHER));
}

static enum vmx_opinion nmi_after_mov_ss(const struct vmx_look *look)
{
    return vmx_illegal_if(injects(look, VMX_NMI) &&
                          (blocking(look) & VMX_BLOCKING_MOV_SS));
}

static enum vmx_opinion blocked_smi(const struct vmx_look *look)
{
    bool must_be_1 = look->entry & VMX_ENTRY_SMM;

    return vmx_illegal_if((blocking(look) & BLOCKING_SMI) || must_be_1);
}

/* "A processor may require ... Other processors may not": the one failure that has a
 * qualification of its own. */
static enum vmx_opinion nmi_after_sti(const struct vmx_look *look)
{
    bool is_both = injects(look, VMX_NMI) && (blocking(look) & VMX_BLOCKING_STI);

    return is_both ? VMX_UNSAID : VMX_LEGAL;
}

static enum vmx_opinion nmi_in_nmi(const struct vmx_look *look)
{
    return vmx_illegal_if((look->pin & VMX_PIN_VIRTUAL_NMIS) &&
                          injects(look, VMX_NMI) &&
                          (blocking(look) & VMX_BLOCKING_NMI));
}

static enum vmx_opinion enclave(const struct vmx_look *look)
{
    return vmx_illegal_if(
        (blocking(look) & ENCLAVE) &&
        ((blocking(look) & VMX_BLOCKING_MOV_SS) || !look->cpu->has_sgx));
}

/* Bits 11:4, 13, 15 and 63:17. */
static enum vmx_opinion pending_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(pending(look) & ~UINT64_C(0x1500f));
}

static enum vmx_opinion pending_bs(const struct vmx_look *look)
{
    bool is_stepping = (rflags(look) & RFLAGS_TF) &&
                       !(vmx_get(look, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);
    bool is_asked = (blocking(look) & BLOCKING_BY_EITHER) || activity(look) == VMX_HLT;

    return vmx_illegal_if(is_asked && !!(pending(look) & PENDING_BS) != is_stepping);
}

static enum vmx_opinion pending_rtm(const struct vmx_look *look)
{
    uint64_t value = pending(look);

    if (!(value & PENDING_RTM)) {
        return VMX_LEGAL;
    }
    return vmx_illegal_if(value != (PENDING_RTM | PENDING_ENABLED) ||
                          !look->cpu->has_rtm ||
                          (blocking(look) & VMX_BLOCKING_MOV_SS));
}

static uint64_t link_pointer(const struct vmx_look *look)
{
    return vmx_get(look, VMCS_LINK_POINTER);
}

static bool is_linked(const struct vmx_look *look)
{
    return link_pointer(look) != UINT64_MAX;
}

static bool is_link_an_address(const struct vmx_look *look)
{
    return !(link_pointer(look) & 0xfff) && !vmx_beyond_width(look, link_pointer(look));
}

static enum vmx_opinion link_address(const struct vmx_look *look)
{
    return vmx_illegal_if(is_linked(look) && !is_link_an_address(look));
}

static enum vmx_opinion link_revision(const struct vmx_look *look)
{
    uint32_t wanted = (uint32_t)look->cpu->basic & 0x7fffffff;
    uint64_t word;

    if (look->secondary & VMX_CPU2_SHADOW) {
        wanted |= (uint32_t)BIT(31);
    }
    if (!is_linked(look) || !is_link_an_address(look)) {
        return VMX_LEGAL;
    }
    if (!vmx_read_memory(look, link_pointer(look), &word)) {
        return VMX_UNSAID;
    }
    return vmx_illegal_if((uint32_t)word != wanted);
}

static enum vmx_opinion link_to_itself(const struct vmx_look *look)
{
    return vmx_illegal_if(is_linked(look) &&
                          link_pointer(look) == look->state->vmcs_pointer);
}

static const struct vmx_check checks[] = {
#define GUEST(run, name)                                                               \
    {                                                                                  \
        run, VMX_FAILS_GUEST, "GUEST." name, PLACE                                     \
    }
    GUEST(activity_range, "ACTIVITY"),
    GUEST(hlt_dpl, "ACTIVITY.HLT_DPL"),
    GUEST(inactive_and_blocked, "ACTIVITY.BLOCKED"),
    GUEST(activity_and_event, "ACTIVITY.EVENT"),
    GUEST(wait_for_sipi, "ACTIVITY.SMM"),
    GUEST(blocking_reserved, "INTERRUPTIBILITY.RESERVED"),
    GUEST(both_blockings, "INTERRUPTIBILITY.BOTH"),
    GUEST(sti_without_if, "INTERRUPTIBILITY.IF"),
    GUEST(blocked_interrupt, "INTERRUPTIBILITY.EXTERNAL"),
    GUEST(nmi_after_mov_ss, "INTERRUPTIBILITY.NMI_MOV_SS"),
    GUEST(blocked_smi, "INTERRUPTIBILITY.SMI"),
    { nmi_after_sti, VMX_FAILS_NMI, "GUEST.INTERRUPTIBILITY.NMI_STI", LINK },
    GUEST(nmi_in_nmi, "INTERRUPTIBILITY.NMI_NMI"),
    GUEST(enclave, "INTERRUPTIBILITY.ENCLAVE"),
    GUEST(pending_reserved, "PENDING_DEBUG.RESERVED"),
    GUEST(pending_bs, "PENDING_DEBUG.BS"),
    GUEST(pending_rtm, "PENDING_DEBUG.RTM"),
    { link_address, VMX_FAILS_LINK, "GUEST.LINK.ADDRESS", LINK },
    { link_revision, VMX_FAILS_LINK, "GUEST.LINK.REVISION", LINK },
    { link_to_itself, VMX_FAILS_LINK, "GUEST.LINK.ITSELF", LINK },
};
const struct vmx_check_list vmx_guest_non_register_checks = VMX_CHECK_LIST(checks);
