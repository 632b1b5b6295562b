/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "processor.h"

#include "lib/cpu.h"
#include "vmx/vmx.h"

#define MSR_VMX_BASIC      0x480
#define MSR_VMX_MISC       0x485
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR0_FIXED1 0x487
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_CR4_FIXED1 0x489
#define MSR_VMX_FUNCTIONS  0x491

static uint64_t capability(enum vmcs_field controls)
{
    return (uint64_t)vmx_allowed(controls) << 32 | vmx_required(controls);
}

static unsigned linear_bits(void)
{
    return cpu_cpuid(0x80000008, 0).eax >> 8 & 0xff;
}

/* CPUID 0AH; IA32_PERF_GLOBAL_CTRL came with its version 2. */
static void count_counters(struct vmx_processor *processor)
{
    struct cpuid leaf = cpu_cpuid(10, 0);

    if (cpu_cpuid(0, 0).eax >= 10 && (leaf.eax & 0xff) >= 2) {
        processor->n_counters = leaf.eax >> 8 & 0xff;
        processor->n_fixed_counters = leaf.edx & 0x1f;
    }
}

static void look_for_features(struct vmx_processor *processor)
{
    uint32_t features = cpu_cpuid(0, 0).eax >= 7 ? cpu_cpuid(7, 0).ebx : 0;

    processor->has_sgx = features & BIT(2);
    processor->has_rtm = features & BIT(11);
}

struct vmx_processor vmx_this_processor(void)
{
    struct vmx_processor processor = {
        .physical_bits = cpu_physical_bits(),
        .linear_bits = linear_bits(),
        .basic = cpu_rdmsr(MSR_VMX_BASIC),
        .misc = cpu_rdmsr(MSR_VMX_MISC),
        .ept_vpid = vmx_ept_capability(),
        .pin = capability(VMCS_PIN_CONTROLS),
        .processor = capability(VMCS_PROCESSOR_CONTROLS),
        .secondary = capability(VMCS_SECONDARY_CONTROLS),
        .exit = capability(VMCS_EXIT_CONTROLS),
        .entry = capability(VMCS_ENTRY_CONTROLS),
        .cr0_fixed0 = cpu_rdmsr(MSR_VMX_CR0_FIXED0),
        .cr0_fixed1 = cpu_rdmsr(MSR_VMX_CR0_FIXED1),
        .cr4_fixed0 = cpu_rdmsr(MSR_VMX_CR4_FIXED0),
        .cr4_fixed1 = cpu_rdmsr(MSR_VMX_CR4_FIXED1),
    };

    if (vmx_allowed(VMCS_SECONDARY_CONTROLS) & VMX_CPU2_FUNCTIONS) {
        processor.functions = cpu_rdmsr(MSR_VMX_FUNCTIONS);
    }
    count_counters(&processor);
    look_for_features(&processor);
    return processor;
}
