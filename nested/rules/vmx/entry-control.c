/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry-control.c - the control fields, checked first: VMfailValid, error 7 */
#include "vmx/entry-rule.h"

#define EXECUTION "SDM3C 26.2.1.1"
#define EXIT      "SDM3C 26.2.1.2"
#define ENTRY     "SDM3C 26.2.1.3"

#define PAGE 0x100000 /* memory that no other rule uses */

/* A control with its fields: broken and allowed differ in the last change alone. */
#define RULE(name, place, claim, broken, allowed)                                      \
    VMX_ENTRY_RULE("CONTROL." name, place, claim, VMX_FAIL, VMX_ERROR_CONTROLS,        \
                   broken, allowed)

#define CPU    VMX_CPU
#define CPU2   VMX_CPU2
#define PIN    VMX_PIN
#define EXITS  VMX_EXITS
#define ENTERS VMX_ENTERS

#define PAGE_ADDRESS(name, claim, control, field)                                      \
    RULE(name ".BIT0", EXECUTION, claim ", bits 11:0 must be 0",                       \
         VMX_LIST(control, VMX_MAKE(field, PAGE | 1)),                                 \
         VMX_LIST(control, VMX_MAKE(field, PAGE))),                                    \
        RULE(name ".BIT11", EXECUTION, claim ", bits 11:0 must be 0",                  \
             VMX_LIST(control, VMX_MAKE(field, PAGE | BIT(11))),                       \
             VMX_LIST(control, VMX_MAKE(field, PAGE))),                                \
        RULE(name ".BEYOND_MEMORY", EXECUTION,                                         \
             claim ", no bit beyond the physical-address width may be set",            \
             VMX_LIST(control, VMX_LIMIT(field, 0)),                                   \
             VMX_LIST(control, VMX_LIMIT(field, 0x1000)))

#define INJECT(info) VMX_MAKE(VMCS_ENTRY_INTERRUPTION_INFO, BIT(31) | (info))
#define TYPE(n)      ((uint64_t)(n) << 8)
#define WITH_CODE    BIT(11)
#define LENGTH(n)    VMX_MAKE(VMCS_ENTRY_INSTRUCTION_LENGTH, n)
/* Any vector ends in the guest's IDT and so in VMCALL. */
#define SOFTWARE_INTERRUPT INJECT(TYPE(4) | 0x40), LENGTH(2)

#define MSR_AREA(name, place, count, address)                                          \
    RULE(name ".BIT0", place, "with a count, the lower 4 bits must be 0",              \
         VMX_LIST(VMX_MAKE(count, 1), VMX_MAKE(address, PAGE | 1)),                    \
         VMX_LIST(VMX_MAKE(address, PAGE | 1))),                                       \
        RULE(name ".BIT3", place, "with a count, the lower 4 bits must be 0",          \
             VMX_LIST(VMX_MAKE(count, 1), VMX_MAKE(address, PAGE | BIT(3))),           \
             VMX_LIST(VMX_MAKE(address, PAGE | BIT(3)))),                              \
        RULE(name ".BEYOND_MEMORY", place, "the area begins beyond physical memory",   \
             VMX_LIST(VMX_MAKE(count, 1), VMX_LIMIT(address, 0)),                      \
             VMX_LIST(VMX_LIMIT(address, 0))),                                         \
        RULE(name ".END_BEYOND_MEMORY", place,                                         \
             "its last byte is beyond physical memory",                                \
             VMX_LIST(VMX_MAKE(count, 2), VMX_LIMIT(address, 16)),                     \
             VMX_LIST(VMX_LIMIT(address, 16)))

/* Later CPUs let a VMM choose whether an exception has an error code and say so in bit
 * 56 of IA32_VMX_BASIC (A.1 of later editions). */
static const char *lacks_strict_codes(void)
{
    return cpu_rdmsr(0x480) & BIT(56) ? "error codes are not checked" : NULL;
}

#define RULE_IF(lack, name, place, claim, broken, allowed)                             \
    {                                                                                  \
        .id = "VMX.ENTRY.CONTROL." name, .cites = place, .says = claim,                \
        .lacks = vmx_lacks, .check = vmx_check_entry,                                  \
        .data = &(const struct vmx_entry)                                              \
        {                                                                              \
            .way = VMX_FAIL, .detail = VMX_ERROR_CONTROLS, .breaks = broken,           \
            .neighbour = allowed, .lacks = lack                                        \
        }                                                                              \
    }

static const char *lacks_no_mtf(void)
{
    bool has_mtf = vmx_allowed(VMCS_PROCESSOR_CONTROLS) & VMX_CPU_MTF;

    return has_mtf ? "type 7 is not reserved: there is monitor trap flag" : NULL;
}

static const char *lacks_mtf(void)
{
    return lacks_no_mtf() ? NULL : "no monitor trap flag";
}

static const struct nested_rule entry_control[] = {
    RULE("CR3_TARGETS.5", EXECUTION, "the CR3-target count is greater than 4",
         VMX_LIST(VMX_MAKE(VMCS_CR3_TARGET_COUNT, 5)),
         VMX_LIST(VMX_MAKE(VMCS_CR3_TARGET_COUNT, 4))),
    PAGE_ADDRESS("IO_BITMAP_A", "with use I/O bitmaps", CPU(VMX_CPU_IO_BITMAPS),
                 VMCS_IO_BITMAP_A),
    PAGE_ADDRESS("IO_BITMAP_B", "with use I/O bitmaps", CPU(VMX_CPU_IO_BITMAPS),
                 VMCS_IO_BITMAP_B),
    PAGE_ADDRESS("MSR_BITMAP", "with use MSR bitmaps", CPU(VMX_CPU_MSR_BITMAPS),
                 VMCS_MSR_BITMAP),
    PAGE_ADDRESS("APIC_ACCESS", "with virtualize APIC accesses",
                 CPU2(VMX_CPU2_APIC_ACCESSES), VMCS_APIC_ACCESS_ADDRESS),
    RULE("VIRTUAL_APIC.BIT0", EXECUTION, "with use TPR shadow, bits 11:0 must be 0",
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW),
                  VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE | 1)),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE))),
    RULE("VIRTUAL_APIC.BEYOND_MEMORY", EXECUTION,
         "with use TPR shadow, no bit beyond the physical-address width may be set",
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_LIMIT(VMCS_VIRTUAL_APIC_ADDRESS, 0)),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE))),
    RULE("TPR_THRESHOLD.BIT4", EXECUTION,
         "with use TPR shadow and no virtual-interrupt delivery, bits 31:4 must be 0",
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE),
                  VMX_MAKE(VMCS_TPR_THRESHOLD, BIT(4))),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE),
                  VMX_MAKE(VMCS_TPR_THRESHOLD, 0))),
    RULE("TPR_THRESHOLD.BIT31", EXECUTION,
         "with use TPR shadow and no virtual-interrupt delivery, bits 31:4 must be 0",
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE),
                  VMX_MAKE(VMCS_TPR_THRESHOLD, BIT(31))),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE),
                  VMX_MAKE(VMCS_TPR_THRESHOLD, 0))),
    RULE("TPR_THRESHOLD.ABOVE_VTPR", EXECUTION,
         "the TPR threshold must not be greater than VTPR[7:4]",
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE),
                  VMX_MAKE(VMCS_TPR_THRESHOLD, 1)),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE),
                  VMX_MAKE(VMCS_TPR_THRESHOLD, 0))),
    RULE("VIRTUAL_NMIS_WITHOUT_NMI_EXITING", EXECUTION,
         "if NMI exiting is 0, virtual NMIs must be 0",
         VMX_LIST(PIN(VMX_PIN_VIRTUAL_NMIS)),
         VMX_LIST(PIN(VMX_PIN_VIRTUAL_NMIS | VMX_PIN_NMI))),
    RULE("NMI_WINDOW_WITHOUT_VIRTUAL_NMIS", EXECUTION,
         "if virtual NMIs is 0, NMI-window exiting must be 0",
         VMX_LIST(PIN(VMX_PIN_NMI), CPU(VMX_CPU_NMI_WINDOW)),
         VMX_LIST(PIN(VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS))),
    RULE("X2APIC_WITHOUT_TPR_SHADOW", EXECUTION,
         "if use TPR shadow is 0, virtualize x2APIC mode must be 0",
         VMX_LIST(CPU2(VMX_CPU2_X2APIC)),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), CPU2(VMX_CPU2_X2APIC),
                  VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE))),
    RULE("APIC_REGISTERS_WITHOUT_TPR_SHADOW", EXECUTION,
         "if use TPR shadow is 0, APIC-register virtualization must be 0",
         VMX_LIST(CPU2(VMX_CPU2_APIC_REGISTERS)),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), CPU2(VMX_CPU2_APIC_REGISTERS),
                  VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE))),
    RULE("VIRTUAL_INTERRUPTS_WITHOUT_TPR_SHADOW", EXECUTION,
         "if use TPR shadow is 0, virtual-interrupt delivery must be 0",
         VMX_LIST(PIN(VMX_PIN_EXTERNAL_INTERRUPT), CPU2(VMX_CPU2_INTERRUPTS)),
         VMX_LIST(PIN(VMX_PIN_EXTERNAL_INTERRUPT))),
    RULE("VIRTUAL_INTERRUPTS_WITHOUT_EXITING", EXECUTION,
         "with virtual-interrupt delivery, external-interrupt exiting must be 1",
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), CPU2(VMX_CPU2_INTERRUPTS),
                  VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE)),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE))),
    RULE("X2APIC_WITH_APIC_ACCESSES", EXECUTION,
         "with virtualize x2APIC mode, virtualize APIC accesses must be 0",
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW),
                  CPU2(VMX_CPU2_X2APIC | VMX_CPU2_APIC_ACCESSES),
                  VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE)),
         VMX_LIST(CPU(VMX_CPU_TPR_SHADOW), CPU2(VMX_CPU2_X2APIC),
                  VMX_MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE))),
    RULE("VPID.ZERO", EXECUTION, "with enable VPID, the VPID must not be 0000H",
         VMX_LIST(CPU2(VMX_CPU2_VPID), VMX_MAKE(VMCS_VPID, 0)),
         VMX_LIST(CPU2(VMX_CPU2_VPID), VMX_MAKE(VMCS_VPID, 1))),
    RULE("UNRESTRICTED_WITHOUT_EPT", EXECUTION,
         "with unrestricted guest, enable EPT must be 1",
         VMX_LIST(CPU2(VMX_CPU2_UNRESTRICTED)),
         VMX_LIST(VMX_SET(VMCS_PROCESSOR_CONTROLS, VMX_CPU_SECONDARY))),
    RULE("SAVE_TIMER_WITHOUT_TIMER", EXIT,
         "without the preemption timer, saving its value must be 0",
         VMX_LIST(EXITS(VMX_EXIT_SAVE_TIMER)), VMX_LIST(EXITS(0))),
    MSR_AREA("EXIT_MSR_STORE", EXIT, VMCS_EXIT_MSR_STORE_COUNT,
             VMCS_EXIT_MSR_STORE_ADDRESS),
    MSR_AREA("EXIT_MSR_LOAD", EXIT, VMCS_EXIT_MSR_LOAD_COUNT,
             VMCS_EXIT_MSR_LOAD_ADDRESS),
    MSR_AREA("ENTRY_MSR_LOAD", ENTRY, VMCS_ENTRY_MSR_LOAD_COUNT,
             VMCS_ENTRY_MSR_LOAD_ADDRESS),
    RULE("INJECT.TYPE1", ENTRY, "the interruption type is reserved",
         VMX_LIST(INJECT(TYPE(1) | 0x40), LENGTH(2)), VMX_LIST(SOFTWARE_INTERRUPT)),
    RULE_IF(lacks_no_mtf, "INJECT.TYPE7", ENTRY,
            "type 7 is reserved on a CPU without monitor trap flag",
            VMX_LIST(INJECT(TYPE(7))), VMX_LIST()),
    RULE_IF(lacks_mtf, "INJECT.OTHER_VECTOR_1", ENTRY,
            "the vector of an other event must be 0", VMX_LIST(INJECT(TYPE(7) | 1)),
            VMX_LIST()),
    RULE("INJECT.NMI_NOT_2", ENTRY, "an NMI's vector must be 2",
         VMX_LIST(INJECT(TYPE(2) | 3)), VMX_LIST(INJECT(TYPE(2) | 2))),
    RULE("INJECT.EXCEPTION_32", ENTRY, "a hardware exception's vector is at most 31",
         VMX_LIST(INJECT(TYPE(3) | 32)), VMX_LIST(INJECT(TYPE(3) | 6))),
    RULE_IF(lacks_strict_codes, "INJECT.CODE_FOR_UD", ENTRY,
            "#UD delivers no error code", VMX_LIST(INJECT(TYPE(3) | 6 | WITH_CODE)),
            VMX_LIST(INJECT(TYPE(3) | 6))),
    RULE_IF(lacks_strict_codes, "INJECT.NO_CODE_FOR_GP", ENTRY,
            "#GP delivers an error code", VMX_LIST(INJECT(TYPE(3) | 13)),
            VMX_LIST(INJECT(TYPE(3) | 13 | WITH_CODE))),
    RULE("INJECT.CODE_FOR_INTERRUPT", ENTRY, "a software interrupt has no error code",
         VMX_LIST(INJECT(TYPE(4) | 13 | WITH_CODE), LENGTH(2)),
         VMX_LIST(SOFTWARE_INTERRUPT)),
    RULE("INJECT.BIT12", ENTRY, "reserved bits 30:12 must be 0",
         VMX_LIST(INJECT(TYPE(4) | 0x40 | BIT(12)), LENGTH(2)),
         VMX_LIST(SOFTWARE_INTERRUPT)),
    RULE("INJECT.BIT30", ENTRY, "reserved bits 30:12 must be 0",
         VMX_LIST(INJECT(TYPE(4) | 0x40 | BIT(30)), LENGTH(2)),
         VMX_LIST(SOFTWARE_INTERRUPT)),
    RULE("INJECT.CODE_BIT16", ENTRY, "bits 31:16 of the error code must be 0",
         VMX_LIST(INJECT(TYPE(3) | 13 | WITH_CODE),
                  VMX_MAKE(VMCS_ENTRY_EXCEPTION_CODE, BIT(16))),
         VMX_LIST(INJECT(TYPE(3) | 13 | WITH_CODE),
                  VMX_MAKE(VMCS_ENTRY_EXCEPTION_CODE, BIT(14)))),
    RULE("INJECT.LENGTH_16", ENTRY, "the instruction length must be at most 15",
         VMX_LIST(INJECT(TYPE(4) | 0x40), LENGTH(16)),
         VMX_LIST(INJECT(TYPE(4) | 0x40), LENGTH(15))),
    RULE("ENTRY_TO_SMM", ENTRY, "outside of SMM, entry to SMM must be 0",
         VMX_LIST(ENTERS(VMX_ENTRY_SMM)), VMX_LIST(ENTERS(0))),
    RULE("END_DUAL_MONITOR", ENTRY,
         "outside of SMM, deactivate dual-monitor treatment must be 0",
         VMX_LIST(ENTERS(VMX_ENTRY_END_DUAL)), VMX_LIST(ENTERS(0))),
};
NESTED_RULES(entry_control);
