/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmx-events.c - what VM entry injects: the rest of the VM-entry controls, 26.2.1.3 */
#include "vmx-check.h"

#define ENTRY "SDM3C 26.2.1.3"

#define VECTOR(event)    ((event)&0xff)
#define TYPE(event)      ((event) >> 8 & 7)
#define WITH_CODE(event) ((event)&VMX_EVENT_CODE)

/* #DF, #TS, #NP, #SS, #GP, #PF and #AC. */
#define EXCEPTIONS_WITH_CODE                                                           \
    (BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17))

static bool is(const struct vmx_look *look, enum vmx_event_type type)
{
    return look->event && TYPE(look->event) == type;
}

static enum vmx_opinion type(const struct vmx_look *look)
{
    bool has_mtf = look->cpu->processor >> 32 & VMX_CPU_MTF;
    bool is_reserved = look->event && (TYPE(look->event) == 1 ||
                                       (TYPE(look->event) == VMX_OTHER && !has_mtf));

    return vmx_illegal_if(is_reserved);
}

static enum vmx_opinion vector(const struct vmx_look *look)
{
    uint32_t number = VECTOR(look->event);

    return vmx_illegal_if((is(look, VMX_NMI) && number != 2) ||
                          (is(look, VMX_HARDWARE_EXCEPTION) && number > 31) ||
                          (is(look, VMX_OTHER) && number != 0));
}

/* A guest in real-address mode has no error codes; without unrestricted guest there is
 * none.  By IA32_VMX_BASIC[56] a processor says that of hardware exceptions it takes
 * both (A.1 of later editions). */
static enum vmx_opinion error_code(const struct vmx_look *look)
{
    bool is_protected =
        !look->is_unrestricted || (vmx_get(look, VMCS_GUEST_CR0) & CR0_PE);
    bool may_have = is_protected && is(look, VMX_HARDWARE_EXCEPTION);
    uint32_t number = VECTOR(look->event);
    bool must_have = may_have && number < 32 && (BIT(number) & EXCEPTIONS_WITH_CODE);

    if (!look->event) {
        return VMX_LEGAL;
    }
    if (may_have && look->cpu->basic & BIT(56)) {
        return VMX_LEGAL;
    }
    return vmx_illegal_if(!!WITH_CODE(look->event) != must_have);
}

static enum vmx_opinion reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(look->event & 0x7ffff000);
}

/* The edition says 31:15, and later ones 31:16: bit 15 alone is left open. */
static enum vmx_opinion code_reserved(const struct vmx_look *look)
{
    uint64_t code = vmx_get(look, VMCS_ENTRY_EXCEPTION_CODE);

    if (!WITH_CODE(look->event)) {
        return VMX_LEGAL;
    }
    if (code >> 15 == 1) {
        return VMX_UNSAID;
    }
    return vmx_illegal_if(code >> 15);
}

/* A length of 0 is allowed by IA32_VMX_MISC[30] (A.6 of later editions). */
static enum vmx_opinion length(const struct vmx_look *look)
{
    uint64_t bytes = vmx_get(look, VMCS_ENTRY_INSTRUCTION_LENGTH);
    bool is_software = is(look, VMX_SOFTWARE_INTERRUPT) ||
                       is(look, VMX_PRIVILEGED_EXCEPTION) ||
                       is(look, VMX_SOFTWARE_EXCEPTION);

    if (!is_software || (bytes == 0 && look->cpu->misc & BIT(30))) {
        return VMX_LEGAL;
    }
    return vmx_illegal_if(bytes < 1 || bytes > 15);
}

static const struct vmx_check checks[] = {
#define INJECT(run, name)                                                              \
    {                                                                                  \
        run, VMX_FAILS_CONTROLS, "CONTROL.INJECT." name, ENTRY                         \
    }
    INJECT(type, "TYPE"),
    INJECT(vector, "VECTOR"),
    INJECT(error_code, "CODE"),
    INJECT(reserved, "RESERVED"),
    INJECT(code_reserved, "CODE.RESERVED"),
    INJECT(length, "LENGTH"),
};
const struct vmx_check_list vmx_event_checks = VMX_CHECK_LIST(checks);
