/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry-features.c - controls of EPT, PML, VM functions, shadowing, posted interrupts;
 * and bits that the capability MSRs fix */
#include "vmx/entry-rule.h"

#define EXECUTION "SDM3C 26.2.1.1"
#define ENTRY     "SDM3C 26.2.1.3"

#define RULE(name, claim, broken, allowed)                                             \
    VMX_ENTRY_RULE("CONTROL." name, EXECUTION, claim, VMX_FAIL, VMX_ERROR_CONTROLS,    \
                   broken, allowed)

#define EPT       VMX_CPU2(VMX_CPU2_EPT)
#define PML       VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_PML)
#define FUNCTIONS VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_FUNCTIONS)
#define SHADOW    VMX_CPU2(VMX_CPU2_SHADOW), VMX_MAKE(VMCS_LINK_POINTER, UINT64_MAX)
#define VE        VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_VE)

/* All that posted interrupts need. */
#define POSTED_PINS VMX_PIN(VMX_PIN_EXTERNAL_INTERRUPT | VMX_PIN_POSTED_INTERRUPTS)
#define POSTED                                                                         \
    POSTED_PINS, VMX_CPU(VMX_CPU_TPR_SHADOW), VMX_CPU2(VMX_CPU2_INTERRUPTS),           \
        VMX_EXITS(VMX_EXIT_ACK)

#define ADDRESS(name, controls, field, low_bit)                                        \
    RULE(name ".BIT" #low_bit, "its low bits must be 0",                               \
         VMX_LIST(controls, VMX_SET(field, BIT(low_bit))), VMX_LIST(controls)),        \
        RULE(name ".BEYOND_MEMORY", "no bit beyond the physical-address width",        \
             VMX_LIST(controls, VMX_LIMIT(field, 0)), VMX_LIST(controls))

/* Every bit that must be 0, or 1, in turn: the rule is one, its violations are many. */
struct fixed_bits {
    enum vmcs_field controls;
    bool must_be_one;
};

static struct vmx_outcome enter_with(enum vmcs_field controls, uint32_t flip)
{
    vmx_good(vmx_guest_vmcall);
    if (controls == VMCS_SECONDARY_CONTROLS) {
        vmx_write(VMCS_PROCESSOR_CONTROLS,
                  vmx_read(VMCS_PROCESSOR_CONTROLS) | VMX_CPU_SECONDARY);
    }
    vmx_write(controls, vmx_read(controls) ^ flip);
    return vmx_run();
}

static void check_fixed_bits(const struct nested_rule *rule)
{
    const struct fixed_bits *fixed = rule->data;

    vmx_enable();
    uint32_t bits = fixed->must_be_one ? vmx_required(fixed->controls)
                                       : ~vmx_allowed(fixed->controls);
    for (unsigned i = 0; i < 32; i++) {
        if (!(bits & BIT(i))) {
            continue;
        }
        struct vmx_outcome broken =
            enter_with(fixed->controls, nested_sets_up() ? (uint32_t)BIT(i) : 0);
        nested_expect(broken.way == VMX_FAIL && broken.detail == VMX_ERROR_CONTROLS,
                      "bit, way and detail",
                      (uint64_t)i << 48 | (uint64_t)broken.way << 32 | broken.detail);
    }
    struct vmx_outcome neighbour = enter_with(fixed->controls, 0);
    nested_expect(neighbour.way == VMX_EXIT && neighbour.detail == VMX_REASON_VMCALL,
                  "way and detail from the neighbour",
                  (uint64_t)neighbour.way << 32 | neighbour.detail);
}

static const char *lacks_fixed_bits(const struct nested_rule *rule)
{
    const struct fixed_bits *fixed = rule->data;

    if (!vmx_is_present()) {
        return "no VMX";
    }
    if (fixed->controls == VMCS_SECONDARY_CONTROLS &&
        !(vmx_allowed(VMCS_PROCESSOR_CONTROLS) & VMX_CPU_SECONDARY)) {
        return "no secondary controls on this CPU";
    }
    bool has_any = fixed->must_be_one ? vmx_required(fixed->controls) != 0
                                      : vmx_allowed(fixed->controls) != UINT32_MAX;
    return has_any ? NULL : "no such bit on this CPU";
}

#define FIXED(name, field, place, is_one)                                              \
    {                                                                                  \
        .id = "VMX.ENTRY.CONTROL." name, .cites = place,                               \
        .says = "bits that the capability MSR fixes must be as it says",               \
        .lacks = lacks_fixed_bits, .check = check_fixed_bits,                          \
        .data = &(const struct fixed_bits)                                             \
        {                                                                              \
            field, is_one                                                              \
        }                                                                              \
    }
#define BOTH_FIXED(name, field, place)                                                 \
    FIXED(name ".RESERVED_TO_0", field, place, false),                                 \
        FIXED(name ".RESERVED_TO_1", field, place, true)

/* Later CPUs have bit 56 of IA32_VMX_BASIC: see entry-control.c. */
static const char *lacks_strict_codes(void)
{
    return cpu_rdmsr(0x480) & BIT(56) ? "error codes are not checked" : NULL;
}

/* Bit 7 of IA32_VMX_EPT_VPID_CAP, in later editions. */
static const char *has_five_levels(void)
{
    return vmx_ept_capability() & BIT(7) ? "a page-walk length of 5 is allowed" : NULL;
}

#define EXCEPTION(vector, rest)                                                        \
    VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO,                                             \
             VMX_EVENT(VMX_HARDWARE_EXCEPTION, vector) | (rest))
#define NEEDS_CODE(name, vector)                                                       \
    VMX_ENTRY_FULL("CONTROL.INJECT.NO_CODE_FOR_" name, ENTRY,                          \
                   "#" name " delivers an error code", .way = VMX_FAIL,                \
                   .detail = VMX_ERROR_CONTROLS,                                       \
                   .breaks = VMX_LIST(EXCEPTION(vector, 0)),                           \
                   .neighbour = VMX_LIST(EXCEPTION(vector, VMX_EVENT_CODE)),           \
                   .lacks = lacks_strict_codes)
#define HAS_NO_CODE(name, vector)                                                      \
    VMX_ENTRY_FULL(                                                                    \
        "CONTROL.INJECT.CODE_FOR_" name, ENTRY, "#" name " delivers no error code",    \
        .way = VMX_FAIL, .detail = VMX_ERROR_CONTROLS,                                 \
        .breaks = VMX_LIST(EXCEPTION(vector, VMX_EVENT_CODE)),                         \
        .neighbour = VMX_LIST(EXCEPTION(vector, 0)), .lacks = lacks_strict_codes)
#define LENGTH_TOO_LONG(name, type, vector)                                            \
    VMX_ENTRY_RULE(                                                                    \
        "CONTROL.INJECT." name, ENTRY, "the instruction length must be at most 15",    \
        VMX_FAIL, VMX_ERROR_CONTROLS,                                                  \
        VMX_LIST(VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO, VMX_EVENT(type, vector)),      \
                 VMX_MAKE(VMCS_ENTRY_INSTRUCTION_LENGTH, 16)),                         \
        VMX_LIST(VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO, VMX_EVENT(type, vector)),      \
                 VMX_MAKE(VMCS_ENTRY_INSTRUCTION_LENGTH, 15)))

static const struct nested_rule entry_features[] = {
    BOTH_FIXED("PIN", VMCS_PIN_CONTROLS, EXECUTION ", A.3.1"),
    BOTH_FIXED("PROCESSOR", VMCS_PROCESSOR_CONTROLS, EXECUTION ", A.3.2"),
    FIXED("SECONDARY.RESERVED_TO_0", VMCS_SECONDARY_CONTROLS, EXECUTION ", A.3.3",
          false),
    BOTH_FIXED("EXIT", VMCS_EXIT_CONTROLS, "SDM3C 26.2.1.2, A.4"),
    BOTH_FIXED("ENTRY", VMCS_ENTRY_CONTROLS, ENTRY ", A.5"),

    RULE("EPTP.TYPE1", "the EPT memory type must be one that the CPU supports",
         VMX_LIST(EPT, VMX_CHANGE(VMCS_EPTP, 7, 1)), VMX_LIST(EPT)),
    RULE("EPTP.TYPE7", "the EPT memory type must be one that the CPU supports",
         VMX_LIST(EPT, VMX_CHANGE(VMCS_EPTP, 7, 7)), VMX_LIST(EPT)),
    RULE("EPTP.WALK_3", "the page-walk length must be 4, as 3 in bits 5:3",
         VMX_LIST(EPT, VMX_CHANGE(VMCS_EPTP, 7 << 3, 2 << 3)), VMX_LIST(EPT)),
    VMX_ENTRY_FULL("CONTROL.EPTP.WALK_5", EXECUTION,
                   "the page-walk length must be 4, as 3 in bits 5:3", .way = VMX_FAIL,
                   .detail = VMX_ERROR_CONTROLS,
                   .breaks = VMX_LIST(EPT, VMX_CHANGE(VMCS_EPTP, 7 << 3, 4 << 3)),
                   .neighbour = VMX_LIST(EPT), .lacks = has_five_levels),
    RULE("EPTP.BIT8", "reserved bits 11:7 must be 0",
         VMX_LIST(EPT, VMX_SET(VMCS_EPTP, BIT(8))), VMX_LIST(EPT)),
    RULE("EPTP.BIT11", "reserved bits 11:7 must be 0",
         VMX_LIST(EPT, VMX_SET(VMCS_EPTP, BIT(11))), VMX_LIST(EPT)),
    RULE("EPTP.BIT63", "bits beyond the physical-address width must be 0",
         VMX_LIST(EPT, VMX_SET(VMCS_EPTP, BIT(63))), VMX_LIST(EPT)),
    RULE("EPTP.BIT52", "bits beyond the physical-address width must be 0",
         VMX_LIST(EPT, VMX_SET(VMCS_EPTP, BIT(52))), VMX_LIST(EPT)),
    RULE("PML.WITHOUT_EPT", "with enable PML, enable EPT must be 1",
         VMX_LIST(VMX_CPU2(VMX_CPU2_PML)), VMX_LIST(EPT)),
    ADDRESS("PML.ADDRESS", PML, VMCS_PML_ADDRESS, 0),
    RULE("PML.ADDRESS.BIT11", "its low bits must be 0",
         VMX_LIST(PML, VMX_SET(VMCS_PML_ADDRESS, BIT(11))), VMX_LIST(EPT)),
    RULE("FUNCTIONS.BIT63", "reserved bits of the VM-function controls must be 0",
         VMX_LIST(FUNCTIONS, VMX_MAKE(VMCS_FUNCTION_CONTROLS, BIT(63))),
         VMX_LIST(FUNCTIONS, VMX_MAKE(VMCS_FUNCTION_CONTROLS, 0))),
    RULE("FUNCTIONS.EPTP_SWITCHING_WITHOUT_EPT",
         "with EPTP switching, enable EPT must be 1",
         VMX_LIST(VMX_CPU2(VMX_CPU2_FUNCTIONS), VMX_MAKE(VMCS_FUNCTION_CONTROLS, 1)),
         VMX_LIST(FUNCTIONS, VMX_MAKE(VMCS_FUNCTION_CONTROLS, 1))),
    RULE("FUNCTIONS.LIST.BIT0", "with EPTP switching, the list must be 4-KByte aligned",
         VMX_LIST(FUNCTIONS, VMX_MAKE(VMCS_FUNCTION_CONTROLS, 1),
                  VMX_SET(VMCS_EPTP_LIST_ADDRESS, 1)),
         VMX_LIST(FUNCTIONS, VMX_SET(VMCS_EPTP_LIST_ADDRESS, 1))),
    RULE("FUNCTIONS.LIST.BEYOND_MEMORY", "with EPTP switching, the list is in memory",
         VMX_LIST(FUNCTIONS, VMX_MAKE(VMCS_FUNCTION_CONTROLS, 1),
                  VMX_LIMIT(VMCS_EPTP_LIST_ADDRESS, 0)),
         VMX_LIST(FUNCTIONS, VMX_LIMIT(VMCS_EPTP_LIST_ADDRESS, 0))),
    ADDRESS("VMREAD_BITMAP", SHADOW, VMCS_VMREAD_BITMAP, 0),
    ADDRESS("VMWRITE_BITMAP", SHADOW, VMCS_VMWRITE_BITMAP, 11),
    ADDRESS("EXCEPTION_INFO", VE, VMCS_EXCEPTION_INFO_ADDRESS, 11),
    RULE("POSTED.WITHOUT_VIRTUAL_INTERRUPTS",
         "with posted interrupts, virtual-interrupt delivery must be 1",
         VMX_LIST(POSTED_PINS, VMX_EXITS(VMX_EXIT_ACK)), VMX_LIST(POSTED)),
    RULE("POSTED.WITHOUT_ACK",
         "with posted interrupts, acknowledge interrupt on exit must be 1",
         VMX_LIST(POSTED, VMX_CLEAR(VMCS_EXIT_CONTROLS, VMX_EXIT_ACK)),
         VMX_LIST(POSTED)),
    RULE("POSTED.VECTOR_256", "the notification vector must be 0 to 255",
         VMX_LIST(POSTED, VMX_MAKE(VMCS_POSTED_INTERRUPT_VECTOR, 256)),
         VMX_LIST(POSTED, VMX_MAKE(VMCS_POSTED_INTERRUPT_VECTOR, 255))),
    ADDRESS("POSTED.DESCRIPTOR", POSTED, VMCS_POSTED_INTERRUPT_ADDRESS, 0),
    RULE("POSTED.DESCRIPTOR.BIT5", "bits 5:0 of the descriptor's address must be 0",
         VMX_LIST(POSTED, VMX_SET(VMCS_POSTED_INTERRUPT_ADDRESS, BIT(5))),
         VMX_LIST(POSTED, VMX_SET(VMCS_POSTED_INTERRUPT_ADDRESS, BIT(6)))),
    RULE("SECONDARY.IGNORED", "secondary controls count only if they are activated",
         VMX_LIST(VMX_CPU2(VMX_CPU2_VPID), VMX_MAKE(VMCS_VPID, 0)),
         VMX_LIST(VMX_CLEAR(VMCS_PROCESSOR_CONTROLS, VMX_CPU_SECONDARY),
                  VMX_SET(VMCS_SECONDARY_CONTROLS, VMX_CPU2_VPID),
                  VMX_MAKE(VMCS_VPID, 0))),

    NEEDS_CODE("DF", 8),
    NEEDS_CODE("TS", 10),
    NEEDS_CODE("NP", 11),
    NEEDS_CODE("SS", 12),
    NEEDS_CODE("PF", 14),
    NEEDS_CODE("AC", 17),
    HAS_NO_CODE("DE", 0),
    HAS_NO_CODE("NM", 7),
    HAS_NO_CODE("MF", 16),
    HAS_NO_CODE("MC", 18),
    LENGTH_TOO_LONG("SOFTWARE_EXCEPTION_LENGTH_16", VMX_SOFTWARE_EXCEPTION, 3),
    LENGTH_TOO_LONG("PRIVILEGED_LENGTH_16", VMX_PRIVILEGED_EXCEPTION, 1),
};
NESTED_RULES(entry_features);
