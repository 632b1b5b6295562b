/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmx-controls.c - the VM-execution, VM-exit and VM-entry control fields, 26.2.1.  What
 * VM entry injects is in vmx-events.c. */
#include "vmx-check.h"

#define EXECUTION "SDM3C 26.2.1.1"
#define EXIT      "SDM3C 26.2.1.2"
#define ENTRY     "SDM3C 26.2.1.3"

static bool fits(uint32_t controls, uint64_t capability)
{
    uint32_t must = (uint32_t)capability;
    uint32_t may = (uint32_t)(capability >> 32);

    return (controls & must) == must && !(controls & ~may);
}

/* Controls that the edition does not have, but the processor offers, and TSC scaling
 * (secondary, 25): what is checked of them, and because of them, was not read. */
#define KNOWN_PIN       UINT32_C(0x000000ff)
#define KNOWN_PROCESSOR UINT32_C(0xfffdffff)
#define KNOWN_SECONDARY UINT32_C(0x001fffff)
#define KNOWN_EXIT      UINT32_C(0x01ffffff)
#define KNOWN_ENTRY     UINT32_C(0x0003ffff)

static uint32_t unknown_of(uint32_t controls, uint32_t known, uint64_t capability)
{
    return controls & ~known & (uint32_t)(capability >> 32);
}

static enum vmx_opinion unknown_controls(const struct vmx_look *look)
{
    const struct vmx_processor *cpu = look->cpu;
    uint32_t unknown = unknown_of(look->pin, KNOWN_PIN, cpu->pin) |
                       unknown_of(look->processor, KNOWN_PROCESSOR, cpu->processor) |
                       unknown_of(look->secondary, KNOWN_SECONDARY, cpu->secondary) |
                       unknown_of(look->exit, KNOWN_EXIT, cpu->exit) |
                       unknown_of(look->entry, KNOWN_ENTRY, cpu->entry);

    return unknown ? VMX_UNSAID : VMX_LEGAL;
}

static enum vmx_opinion pin_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(!fits(look->pin, look->cpu->pin));
}

static enum vmx_opinion processor_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(!fits(look->processor, look->cpu->processor));
}

static enum vmx_opinion secondary_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(!fits(look->secondary, look->cpu->secondary));
}

/* 4, or what IA32_VMX_MISC[24:16] says (A.6). */
static enum vmx_opinion cr3_targets(const struct vmx_look *look)
{
    uint64_t limit = look->cpu->misc >> 16 & 0x1ff;

    return vmx_illegal_if(vmx_get(look, VMCS_CR3_TARGET_COUNT) > limit);
}

/* The address of a page, if @is_used. */
static enum vmx_opinion page(const struct vmx_look *look, bool is_used,
                             enum vmcs_field field)
{
    uint64_t address = vmx_get(look, field);

    return vmx_illegal_if(is_used &&
                          ((address & 0xfff) || vmx_beyond_width(look, address)));
}

static enum vmx_opinion io_bitmap_a(const struct vmx_look *look)
{
    return page(look, look->processor & VMX_CPU_IO_BITMAPS, VMCS_IO_BITMAP_A);
}

static enum vmx_opinion io_bitmap_b(const struct vmx_look *look)
{
    return page(look, look->processor & VMX_CPU_IO_BITMAPS, VMCS_IO_BITMAP_B);
}

static enum vmx_opinion msr_bitmap(const struct vmx_look *look)
{
    return page(look, look->processor & VMX_CPU_MSR_BITMAPS, VMCS_MSR_BITMAP);
}

static enum vmx_opinion virtual_apic_page(const struct vmx_look *look)
{
    return page(look, look->processor & VMX_CPU_TPR_SHADOW, VMCS_VIRTUAL_APIC_ADDRESS);
}

static bool has_plain_threshold(const struct vmx_look *look)
{
    return (look->processor & VMX_CPU_TPR_SHADOW) &&
           !(look->secondary & VMX_CPU2_INTERRUPTS);
}

static enum vmx_opinion tpr_threshold_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(has_plain_threshold(look) &&
                          vmx_get(look, VMCS_TPR_THRESHOLD) >> 4);
}

/* VTPR is at 080H of the virtual-APIC page (29.1.1). */
static enum vmx_opinion tpr_threshold_above_vtpr(const struct vmx_look *look)
{
    uint64_t vtpr;

    if (!has_plain_threshold(look) || (look->secondary & VMX_CPU2_APIC_ACCESSES)) {
        return VMX_LEGAL;
    }
    if (!vmx_read_memory(look, vmx_get(look, VMCS_VIRTUAL_APIC_ADDRESS) + 0x80,
                         &vtpr)) {
        return VMX_UNSAID;
    }
    return vmx_illegal_if((vmx_get(look, VMCS_TPR_THRESHOLD) & 15) > (vtpr >> 4 & 15));
}

static enum vmx_opinion virtual_nmis(const struct vmx_look *look)
{
    return vmx_illegal_if((look->pin & VMX_PIN_VIRTUAL_NMIS) &&
                          !(look->pin & VMX_PIN_NMI));
}

static enum vmx_opinion nmi_window(const struct vmx_look *look)
{
    return vmx_illegal_if((look->processor & VMX_CPU_NMI_WINDOW) &&
                          !(look->pin & VMX_PIN_VIRTUAL_NMIS));
}

static enum vmx_opinion apic_access_page(const struct vmx_look *look)
{
    return page(look, look->secondary & VMX_CPU2_APIC_ACCESSES,
                VMCS_APIC_ACCESS_ADDRESS);
}

static enum vmx_opinion without_tpr_shadow(const struct vmx_look *look)
{
    uint64_t need_it = VMX_CPU2_X2APIC | VMX_CPU2_APIC_REGISTERS | VMX_CPU2_INTERRUPTS;

    return vmx_illegal_if(!(look->processor & VMX_CPU_TPR_SHADOW) &&
                          (look->secondary & need_it));
}

static enum vmx_opinion x2apic_and_accesses(const struct vmx_look *look)
{
    return vmx_illegal_if((look->secondary & VMX_CPU2_X2APIC) &&
                          (look->secondary & VMX_CPU2_APIC_ACCESSES));
}

static enum vmx_opinion virtual_interrupts(const struct vmx_look *look)
{
    return vmx_illegal_if((look->secondary & VMX_CPU2_INTERRUPTS) &&
                          !(look->pin & VMX_PIN_EXTERNAL_INTERRUPT));
}

static enum vmx_opinion posted_needs(const struct vmx_look *look)
{
    return vmx_illegal_if(
        (look->pin & VMX_PIN_POSTED_INTERRUPTS) &&
        (!(look->secondary & VMX_CPU2_INTERRUPTS) || !(look->exit & VMX_EXIT_ACK)));
}

static enum vmx_opinion posted_vector(const struct vmx_look *look)
{
    return vmx_illegal_if((look->pin & VMX_PIN_POSTED_INTERRUPTS) &&
                          vmx_get(look, VMCS_POSTED_INTERRUPT_VECTOR) >> 8);
}

static enum vmx_opinion posted_descriptor(const struct vmx_look *look)
{
    uint64_t address = vmx_get(look, VMCS_POSTED_INTERRUPT_ADDRESS);

    return vmx_illegal_if((look->pin & VMX_PIN_POSTED_INTERRUPTS) &&
                          ((address & 0x3f) || vmx_beyond_width(look, address)));
}

static enum vmx_opinion vpid(const struct vmx_look *look)
{
    return vmx_illegal_if((look->secondary & VMX_CPU2_VPID) &&
                          vmx_get(look, VMCS_VPID) == 0);
}

static bool has_ept(const struct vmx_look *look)
{
    return look->secondary & VMX_CPU2_EPT;
}

/* UC is 0 and WB is 6; bits 8 and 14 of IA32_VMX_EPT_VPID_CAP offer them (A.10). */
static enum vmx_opinion eptp_memory_type(const struct vmx_look *look)
{
    uint64_t type = vmx_get(look, VMCS_EPTP) & 7;
    bool is_offered = (type == 0 && look->cpu->ept_vpid & BIT(8)) ||
                      (type == 6 && look->cpu->ept_vpid & BIT(14));

    return vmx_illegal_if(has_ept(look) && !is_offered);
}

/* Bit 7 of the capability offers a length of 5 in later editions. */
static enum vmx_opinion eptp_walk_length(const struct vmx_look *look)
{
    uint64_t length = vmx_get(look, VMCS_EPTP) >> 3 & 7;

    if (has_ept(look) && length == 4 && look->cpu->ept_vpid & BIT(7)) {
        return VMX_UNSAID;
    }
    return vmx_illegal_if(has_ept(look) && length != 3);
}

static enum vmx_opinion eptp_accessed_dirty(const struct vmx_look *look)
{
    return vmx_illegal_if(has_ept(look) && (vmx_get(look, VMCS_EPTP) & BIT(6)) &&
                          !(look->cpu->ept_vpid & BIT(21)));
}

/* Bit 7 is for supervisor shadow stacks in later editions, by bit 23 of the capability. */
static enum vmx_opinion eptp_reserved(const struct vmx_look *look)
{
    uint64_t eptp = vmx_get(look, VMCS_EPTP);

    if (has_ept(look) && (eptp & BIT(7)) && look->cpu->ept_vpid & BIT(23)) {
        return VMX_UNSAID;
    }
    return vmx_illegal_if(has_ept(look) &&
                          ((eptp & 0xf80) || vmx_beyond_width(look, eptp)));
}

static enum vmx_opinion pml_without_ept(const struct vmx_look *look)
{
    return vmx_illegal_if((look->secondary & VMX_CPU2_PML) && !has_ept(look));
}

static enum vmx_opinion pml_page(const struct vmx_look *look)
{
    return page(look, look->secondary & VMX_CPU2_PML, VMCS_PML_ADDRESS);
}

static enum vmx_opinion unrestricted_without_ept(const struct vmx_look *look)
{
    return vmx_illegal_if((look->secondary & VMX_CPU2_UNRESTRICTED) && !has_ept(look));
}

static uint64_t functions_of(const struct vmx_look *look)
{
    return look->secondary & VMX_CPU2_FUNCTIONS ? vmx_get(look, VMCS_FUNCTION_CONTROLS)
                                                : 0;
}

static enum vmx_opinion functions_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(functions_of(look) & ~look->cpu->functions);
}

static enum vmx_opinion eptp_switching_without_ept(const struct vmx_look *look)
{
    return vmx_illegal_if((functions_of(look) & 1) && !has_ept(look));
}

static enum vmx_opinion eptp_list_page(const struct vmx_look *look)
{
    return page(look, functions_of(look) & 1, VMCS_EPTP_LIST_ADDRESS);
}

static enum vmx_opinion vmread_bitmap(const struct vmx_look *look)
{
    return page(look, look->secondary & VMX_CPU2_SHADOW, VMCS_VMREAD_BITMAP);
}

static enum vmx_opinion vmwrite_bitmap(const struct vmx_look *look)
{
    return page(look, look->secondary & VMX_CPU2_SHADOW, VMCS_VMWRITE_BITMAP);
}

static enum vmx_opinion exception_info_page(const struct vmx_look *look)
{
    return page(look, look->secondary & VMX_CPU2_VE, VMCS_EXCEPTION_INFO_ADDRESS);
}

static enum vmx_opinion exit_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(!fits(look->exit, look->cpu->exit));
}

static enum vmx_opinion save_timer(const struct vmx_look *look)
{
    return vmx_illegal_if((look->exit & VMX_EXIT_SAVE_TIMER) &&
                          !(look->pin & VMX_PIN_PREEMPTION_TIMER));
}

/* An area of MSRs: its first and last byte.  16 bytes an entry (24.7.2). */
static enum vmx_opinion msr_area(const struct vmx_look *look, enum vmcs_field count,
                                 enum vmcs_field address)
{
    uint64_t n = vmx_get(look, count) & UINT32_MAX;
    uint64_t first = vmx_get(look, address);
    uint64_t last = first + n * 16 - 1;

    if (n == 0) {
        return VMX_LEGAL;
    }
    return vmx_illegal_if((first & 15) || vmx_beyond_width(look, first) ||
                          last < first || vmx_beyond_width(look, last));
}

static enum vmx_opinion exit_store_area(const struct vmx_look *look)
{
    return msr_area(look, VMCS_EXIT_MSR_STORE_COUNT, VMCS_EXIT_MSR_STORE_ADDRESS);
}

static enum vmx_opinion exit_load_area(const struct vmx_look *look)
{
    return msr_area(look, VMCS_EXIT_MSR_LOAD_COUNT, VMCS_EXIT_MSR_LOAD_ADDRESS);
}

static enum vmx_opinion entry_reserved(const struct vmx_look *look)
{
    return vmx_illegal_if(!fits(look->entry, look->cpu->entry));
}

static enum vmx_opinion entry_load_area(const struct vmx_look *look)
{
    return msr_area(look, VMCS_ENTRY_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_ADDRESS);
}

/* The rulebook never runs in SMM. */
static enum vmx_opinion smm(const struct vmx_look *look)
{
    return vmx_illegal_if(look->entry & (VMX_ENTRY_SMM | VMX_ENTRY_END_DUAL));
}

static const struct vmx_check checks[] = {
    { unknown_controls, VMX_DOES_ANYTHING, "CONTROL.UNKNOWN", EXECUTION },
#define CONTROL(run, name, cites)                                                      \
    {                                                                                  \
        run, VMX_FAILS_CONTROLS, "CONTROL." name, cites                                \
    }
    CONTROL(pin_reserved, "PIN.RESERVED", EXECUTION),
    CONTROL(processor_reserved, "PROCESSOR.RESERVED", EXECUTION),
    CONTROL(secondary_reserved, "SECONDARY.RESERVED", EXECUTION),
    CONTROL(cr3_targets, "CR3_TARGETS", EXECUTION),
    CONTROL(io_bitmap_a, "IO_BITMAP_A", EXECUTION),
    CONTROL(io_bitmap_b, "IO_BITMAP_B", EXECUTION),
    CONTROL(msr_bitmap, "MSR_BITMAP", EXECUTION),
    CONTROL(virtual_apic_page, "VIRTUAL_APIC", EXECUTION),
    CONTROL(tpr_threshold_reserved, "TPR_THRESHOLD.RESERVED", EXECUTION),
    CONTROL(tpr_threshold_above_vtpr, "TPR_THRESHOLD.ABOVE_VTPR", EXECUTION),
    CONTROL(virtual_nmis, "VIRTUAL_NMIS", EXECUTION),
    CONTROL(nmi_window, "NMI_WINDOW", EXECUTION),
    CONTROL(apic_access_page, "APIC_ACCESS", EXECUTION),
    CONTROL(without_tpr_shadow, "WITHOUT_TPR_SHADOW", EXECUTION),
    CONTROL(x2apic_and_accesses, "X2APIC_WITH_APIC_ACCESSES", EXECUTION),
    CONTROL(virtual_interrupts, "VIRTUAL_INTERRUPTS", EXECUTION),
    CONTROL(posted_needs, "POSTED.NEEDS", EXECUTION),
    CONTROL(posted_vector, "POSTED.VECTOR", EXECUTION),
    CONTROL(posted_descriptor, "POSTED.DESCRIPTOR", EXECUTION),
    CONTROL(vpid, "VPID", EXECUTION),
    CONTROL(eptp_memory_type, "EPTP.TYPE", EXECUTION),
    CONTROL(eptp_walk_length, "EPTP.WALK", EXECUTION),
    CONTROL(eptp_accessed_dirty, "EPTP.ACCESSED_DIRTY", EXECUTION),
    CONTROL(eptp_reserved, "EPTP.RESERVED", EXECUTION),
    CONTROL(pml_without_ept, "PML.WITHOUT_EPT", EXECUTION),
    CONTROL(pml_page, "PML.ADDRESS", EXECUTION),
    CONTROL(unrestricted_without_ept, "UNRESTRICTED_WITHOUT_EPT", EXECUTION),
    CONTROL(functions_reserved, "FUNCTIONS.RESERVED", EXECUTION),
    CONTROL(eptp_switching_without_ept, "FUNCTIONS.WITHOUT_EPT", EXECUTION),
    CONTROL(eptp_list_page, "FUNCTIONS.LIST", EXECUTION),
    CONTROL(vmread_bitmap, "VMREAD_BITMAP", EXECUTION),
    CONTROL(vmwrite_bitmap, "VMWRITE_BITMAP", EXECUTION),
    CONTROL(exception_info_page, "EXCEPTION_INFO", EXECUTION),
    CONTROL(exit_reserved, "EXIT.RESERVED", EXIT),
    CONTROL(save_timer, "SAVE_TIMER", EXIT),
    CONTROL(exit_store_area, "EXIT_MSR_STORE", EXIT),
    CONTROL(exit_load_area, "EXIT_MSR_LOAD", EXIT),
    CONTROL(entry_reserved, "ENTRY.RESERVED", ENTRY),
    CONTROL(entry_load_area, "ENTRY_MSR_LOAD", ENTRY),
    CONTROL(smm, "SMM", ENTRY),
};
const struct vmx_check_list vmx_control_checks = VMX_CHECK_LIST(checks);
