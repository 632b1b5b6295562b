/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmx.h"

#include "lib/cpu.h"
#include "lib/memory.h"
#include "lib/trap.h"
#include "pages.h"

#define MSR_FEATURE_CONTROL   0x3a
#define FEATURE_CONTROL_LOCK  BIT(0)
#define FEATURE_CONTROL_VMXON BIT(2) /* outside of SMX */

#define MSR_SYSENTER_CS  0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_DEBUGCTL     0x1d9

#define MSR_VMX_BASIC      0x480
#define MSR_VMX_PIN        0x481
#define MSR_VMX_CPU        0x482
#define MSR_VMX_EXIT       0x483
#define MSR_VMX_ENTRY      0x484
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR0_FIXED1 0x487
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_CR4_FIXED1 0x489
#define MSR_VMX_CPU2       0x48b
#define MSR_VMX_TRUE_PIN   0x48d
#define VMX_BASIC_TRUE     BIT(55)

#define MSR_VMX_EPT_VPID_CAP 0x48c

#define CR4_VMXE BIT(13)

#define CODE_64  0xa09b /* G, L, present, code, accessed */
#define DATA     0xc093
#define TSS_BUSY 0x008b

extern const struct cpu_table nested_gdtr;
extern uint8_t nested_guest_trap_call[];
int vmx_enter(bool is_resume);

static uint8_t vmxon_region[4096] __attribute__((aligned(4096)));
static uint8_t vmcs_region[4096] __attribute__((aligned(4096)));
struct vmx_registers vmx_guest;
uint8_t vmx_guest_stack[8192] __attribute__((aligned(16)));

bool vmx_is_present(void)
{
    if (!(cpu_cpuid(1, 0).ecx & BIT(5))) {
        return false;
    }
    uint64_t control = cpu_rdmsr(MSR_FEATURE_CONTROL);
    return !(control & FEATURE_CONTROL_LOCK) || (control & FEATURE_CONTROL_VMXON);
}

static void write_cr(uint64_t cr0, uint64_t cr4)
{
    __asm__ volatile("mov %0, %%cr0; mov %1, %%cr4" : : "r"(cr0), "r"(cr4) : "memory");
}

static void put_revision(uint8_t *region)
{
    uint32_t revision = (uint32_t)cpu_rdmsr(MSR_VMX_BASIC) & 0x7fffffff;

    memcpy(region, &revision, sizeof revision);
}

void vmx_enable(void)
{
    uint64_t region = (uint64_t)vmxon_region;

    if (cpu_read_cr4() & CR4_VMXE) {
        return;
    }
    if (!(cpu_rdmsr(MSR_FEATURE_CONTROL) & FEATURE_CONTROL_LOCK)) {
        cpu_wrmsr(MSR_FEATURE_CONTROL, FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMXON);
    }
    write_cr((cpu_read_cr0() | cpu_rdmsr(MSR_VMX_CR0_FIXED0)) &
                 cpu_rdmsr(MSR_VMX_CR0_FIXED1),
             (cpu_read_cr4() | CR4_VMXE | cpu_rdmsr(MSR_VMX_CR4_FIXED0)) &
                 cpu_rdmsr(MSR_VMX_CR4_FIXED1));
    put_revision(vmxon_region);
    __asm__ volatile("vmxon %0" : : "m"(region) : "cc", "memory");
    nested_guest_trap_call[2] = 0xc1; /* 0f 01 d9, VMMCALL, becomes VMCALL */
}

void vmx_write(enum vmcs_field field, uint64_t value)
{
    __asm__ volatile("vmwrite %0, %1" : : "rm"(value), "r"((uint64_t)field) : "cc");
}

uint64_t vmx_read(enum vmcs_field field)
{
    uint64_t value;

    __asm__ volatile("vmread %1, %0" : "=rm"(value) : "r"((uint64_t)field) : "cc");
    return value;
}

/* Low half: bits that must be 1.  High half: bits that may be 1. */
static uint64_t capability(enum vmcs_field controls)
{
    bool is_true = cpu_rdmsr(MSR_VMX_BASIC) & VMX_BASIC_TRUE;
    unsigned shift = is_true ? MSR_VMX_TRUE_PIN - MSR_VMX_PIN : 0;

    switch (controls) {
    case VMCS_PIN_CONTROLS:
        return cpu_rdmsr(MSR_VMX_PIN + shift);
    case VMCS_PROCESSOR_CONTROLS:
        return cpu_rdmsr(MSR_VMX_CPU + shift);
    case VMCS_EXIT_CONTROLS:
        return cpu_rdmsr(MSR_VMX_EXIT + shift);
    case VMCS_ENTRY_CONTROLS:
        return cpu_rdmsr(MSR_VMX_ENTRY + shift);
    case VMCS_SECONDARY_CONTROLS:
        return cpu_rdmsr(MSR_VMX_CPU) >> 32 & VMX_CPU_SECONDARY
                   ? cpu_rdmsr(MSR_VMX_CPU2)
                   : 0;
    default:
        return UINT64_MAX << 32; /* not a control: nothing is said about it */
    }
}

uint32_t vmx_allowed(enum vmcs_field controls)
{
    return (uint32_t)(capability(controls) >> 32);
}

uint32_t vmx_required(enum vmcs_field controls)
{
    return (uint32_t)capability(controls);
}

uint64_t vmx_ept_capability(void)
{
    uint32_t allowed = vmx_allowed(VMCS_SECONDARY_CONTROLS);

    return allowed & (VMX_CPU2_EPT | VMX_CPU2_VPID) ? cpu_rdmsr(MSR_VMX_EPT_VPID_CAP)
                                                    : 0;
}

void vmx_forget_translations(void)
{
    static const uint64_t nothing[2];
    uint64_t capability = vmx_ept_capability();

    if (capability & BIT(20) && capability & BIT(26)) {
        __asm__ volatile("invept %0, %1" : : "m"(nothing), "r"(UINT64_C(2)) : "cc");
    }
    if (capability & BIT(32) && capability & BIT(42)) {
        __asm__ volatile("invvpid %0, %1" : : "m"(nothing), "r"(UINT64_C(2)) : "cc");
    }
}

static void write_control(enum vmcs_field controls, uint32_t wanted)
{
    uint64_t can = capability(controls);

    vmx_write(controls, (wanted | (uint32_t)can) & (uint32_t)(can >> 32));
}

static void good_controls(void)
{
    write_control(VMCS_PIN_CONTROLS, 0);
    write_control(VMCS_PROCESSOR_CONTROLS, VMX_CPU_HLT);
    if (vmx_allowed(VMCS_PROCESSOR_CONTROLS) & VMX_CPU_SECONDARY) {
        vmx_write(VMCS_SECONDARY_CONTROLS, 0);
    }
    write_control(VMCS_EXIT_CONTROLS, VMX_EXIT_HOST_64);
    write_control(VMCS_ENTRY_CONTROLS, VMX_ENTRY_GUEST_64);

    static const enum vmcs_field zeros[] = {
        VMCS_EXCEPTION_BITMAP,
        VMCS_PAGE_FAULT_MASK,
        VMCS_PAGE_FAULT_MATCH,
        VMCS_CR3_TARGET_COUNT,
        VMCS_EXIT_MSR_STORE_COUNT,
        VMCS_EXIT_MSR_LOAD_COUNT,
        VMCS_ENTRY_MSR_LOAD_COUNT,
        VMCS_ENTRY_INTERRUPTION_INFO,
        VMCS_ENTRY_EXCEPTION_CODE,
        VMCS_ENTRY_INSTRUCTION_LENGTH,
        VMCS_TPR_THRESHOLD,
        VMCS_CR0_MASK,
        VMCS_CR0_SHADOW,
        VMCS_CR4_MASK,
        VMCS_CR4_SHADOW,
        VMCS_TSC_OFFSET,
        VMCS_FUNCTION_CONTROLS,
        VMCS_GUEST_INTERRUPT_STATUS,
        VMCS_GUEST_PML_INDEX,
        VMCS_POSTED_INTERRUPT_VECTOR,
        VMCS_XSS_BITMAP,
        VMCS_HOST_PERF_GLOBAL_CTRL,
        VMCS_GUEST_PERF_GLOBAL_CTRL,
        VMCS_CR3_TARGET0,
        VMCS_CR3_TARGET0 + 2,
        VMCS_CR3_TARGET0 + 4,
        VMCS_CR3_TARGET0 + 6,
    };
    for (unsigned i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        vmx_write(zeros[i], 0);
    }
    vmx_write(VMCS_VPID, 1);
    vmx_write(VMCS_PREEMPTION_TIMER, UINT32_MAX);
}

static void good_host(void)
{
    struct cpu_table idtr;

    __asm__ volatile("sidt %0" : "=m"(idtr));
    vmx_write(VMCS_HOST_CR0, cpu_read_cr0());
    vmx_write(VMCS_HOST_CR3, cpu_read_cr3());
    vmx_write(VMCS_HOST_CR4, cpu_read_cr4());
    vmx_write(VMCS_HOST_CS_SELECTOR, 0x08);
    for (unsigned field = VMCS_HOST_SS_SELECTOR; field <= VMCS_HOST_GS_SELECTOR;
         field += 2) {
        vmx_write(field, 0x10);
    }
    vmx_write(VMCS_HOST_ES_SELECTOR, 0x10);
    vmx_write(VMCS_HOST_TR_SELECTOR, 0x30);
    vmx_write(VMCS_HOST_FS_BASE, 0);
    vmx_write(VMCS_HOST_GS_BASE, 0);
    vmx_write(VMCS_HOST_TR_BASE, nested_tss_base());
    vmx_write(VMCS_HOST_GDTR_BASE, nested_gdtr.base);
    vmx_write(VMCS_HOST_IDTR_BASE, idtr.base);
    vmx_write(VMCS_HOST_SYSENTER_CS, cpu_rdmsr(MSR_SYSENTER_CS));
    vmx_write(VMCS_HOST_SYSENTER_ESP, cpu_rdmsr(MSR_SYSENTER_ESP));
    vmx_write(VMCS_HOST_SYSENTER_EIP, cpu_rdmsr(MSR_SYSENTER_EIP));
    vmx_write(VMCS_HOST_PAT, cpu_rdmsr(MSR_PAT));
    vmx_write(VMCS_HOST_EFER, cpu_rdmsr(MSR_EFER));
}

/* The four fields of segment @i, in the order ES CS SS DS FS GS LDTR TR. */
static void write_segment(unsigned i, uint16_t selector, uint32_t rights,
                          uint32_t limit, uint64_t base)
{
    vmx_write(VMCS_GUEST_ES_SELECTOR + 2 * i, selector);
    vmx_write(VMCS_GUEST_ES_RIGHTS + 2 * i, rights);
    vmx_write(VMCS_GUEST_ES_LIMIT + 2 * i, limit);
    vmx_write(VMCS_GUEST_ES_BASE + 2 * i, base);
}

static void good_guest_segments(void)
{
    struct cpu_table idt;

    for (unsigned i = 0; i < 6; i++) {
        write_segment(i, 0x10, DATA, 0xffffffff, 0);
    }
    write_segment(1, 0x08, CODE_64, 0xffffffff, 0);
    write_segment(6, 0, VMX_RIGHTS_UNUSABLE, 0, 0);
    write_segment(7, 0x30, TSS_BUSY, 0x67, nested_tss_base());
    vmx_write(VMCS_GUEST_GDTR_BASE, nested_gdtr.base);
    vmx_write(VMCS_GUEST_GDTR_LIMIT, nested_gdtr.limit);
    nested_guest_idt(&idt);
    vmx_write(VMCS_GUEST_IDTR_BASE, idt.base);
    vmx_write(VMCS_GUEST_IDTR_LIMIT, idt.limit);
}

static void good_guest_registers(void (*code)(void))
{
    vmx_write(VMCS_GUEST_CR0, cpu_read_cr0());
    vmx_write(VMCS_GUEST_CR3, cpu_read_cr3());
    vmx_write(VMCS_GUEST_CR4, cpu_read_cr4());
    vmx_write(VMCS_GUEST_DR7, 0x400);
    vmx_write(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
    vmx_write(VMCS_GUEST_RIP, (uint64_t)code);
    vmx_write(VMCS_GUEST_RSP, (uint64_t)VMX_STACK_TOP);
    vmx_write(VMCS_GUEST_PENDING_DEBUG, 0);
    vmx_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
    vmx_write(VMCS_GUEST_ACTIVITY, 0);
    vmx_write(VMCS_GUEST_SYSENTER_CS, 0);
    vmx_write(VMCS_GUEST_SYSENTER_ESP, 0);
    vmx_write(VMCS_GUEST_SYSENTER_EIP, 0);
    vmx_write(VMCS_GUEST_DEBUGCTL, 0);
    vmx_write(VMCS_GUEST_PAT, cpu_rdmsr(MSR_PAT));
    vmx_write(VMCS_GUEST_EFER, cpu_rdmsr(MSR_EFER));
    vmx_write(VMCS_LINK_POINTER, UINT64_MAX);
}

static void canary_registers(void)
{
    uint64_t *each = &vmx_guest.rax;

    for (unsigned i = 0; i < sizeof vmx_guest / sizeof *each; i++) {
        each[i] = UINT64_C(0xCA4A000000000000) | i;
    }
}

void vmx_good(void (*code)(void))
{
    uint64_t region = (uint64_t)vmcs_region;

    put_revision(vmcs_region);
    __asm__ volatile("vmclear %0" : : "m"(region) : "cc", "memory");
    __asm__ volatile("vmptrld %0" : : "m"(region) : "cc", "memory");
    vmx_pages_reset();
    vmx_pages_write_addresses();
    good_controls();
    good_host();
    good_guest_segments();
    good_guest_registers(code);
    canary_registers();
}

/* A VM exit leaves GDTR and IDTR with limits of FFFFh (27.5.2); that is no harm, as
 * their bases are the host's own. */
static struct vmx_outcome enter(bool is_resume)
{
    struct vmx_outcome outcome = { .way = (enum vmx_way)vmx_enter(is_resume) };

    if (outcome.way == VMX_FAIL) {
        outcome.detail = (uint32_t)vmx_read(VMCS_INSTRUCTION_ERROR);
    } else if (outcome.way == VMX_EXIT) {
        outcome.detail = (uint32_t)vmx_read(VMCS_EXIT_REASON);
        outcome.qualification = vmx_read(VMCS_EXIT_QUALIFICATION);
    }
    return outcome;
}

struct vmx_outcome vmx_run(void)
{
    return enter(false);
}

struct vmx_outcome vmx_resume(void)
{
    return enter(true);
}

uint64_t vmx_vmcs_region(void)
{
    return (uint64_t)vmcs_region;
}

uint64_t vmx_vmxon_region(void)
{
    return (uint64_t)vmxon_region;
}
