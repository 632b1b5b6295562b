/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmx-paper.h"

#include <string.h>

#define N(array) (sizeof(array) / sizeof *(array))

/* Memory that nothing is at reads as 0; a page of it can be written. */
#define LOW_MEMORY   UINT64_C(0x10000)
#define MEMORY_BYTES UINT64_C(0x10000000)

struct vmx_paper vmx_paper;
struct vmx_pages vmx_pages __attribute__((aligned(4096)));
uint8_t vmx_guest_stack[8192] __attribute__((aligned(16)));
struct vmx_registers vmx_guest;
static uint8_t low_memory[LOW_MEMORY];

/* Processors */

#define ALL        (UINT64_C(0xffffffff) << 32)
#define MAY(bits)  ((uint64_t)(bits) << 32)
#define MUST(bits) (MAY(bits) | (bits))

struct vmx_processor vmx_paper_full(void)
{
    return (struct vmx_processor){
        .physical_bits = 39,
        .linear_bits = 48,
        .basic = BIT(55) | 18,
        .misc = UINT64_C(4) << 16 | BIT(6) | BIT(7) | BIT(8) | BIT(5),
        .ept_vpid = BIT(6) | BIT(8) | BIT(14) | BIT(16) | BIT(17) | BIT(20) | BIT(21),
        .functions = 1,
        .pin = MAY(0xff) | MUST(0x16),
        .processor = MAY(0xf7f99efe) | MUST(0x04006172),
        .secondary = MAY(0x021fffff),
        .exit = MAY(0x01ffffff) | MUST(0x00036dfb),
        .entry = MAY(0x0003ffff) | MUST(0x000011fb),
        .cr0_fixed0 = CR0_PG | CR0_PE | BIT(5),
        .cr0_fixed1 = UINT32_MAX,
        .cr4_fixed0 = BIT(13),
        .cr4_fixed1 = 0x3767ff,
        .n_counters = 4,
        .n_fixed_counters = 3,
        .has_sgx = true,
        .has_rtm = true,
    };
}

struct vmx_processor vmx_paper_later(void)
{
    struct vmx_processor processor = vmx_paper_full();

    processor.basic |= BIT(56);
    processor.misc |= BIT(30);
    processor.processor |= MAY(VMX_CPU_MTF);
    return processor;
}

struct vmx_processor vmx_paper_earliest(void)
{
    struct vmx_processor processor = vmx_paper_full();

    processor.basic = 7;
    processor.physical_bits = 36;
    processor.processor &= ~MAY(VMX_CPU_SECONDARY | VMX_CPU_MSR_BITMAPS);
    processor.secondary = 0;
    processor.ept_vpid = 0;
    processor.has_sgx = processor.has_rtm = false;
    return processor;
}

/* The processor's instructions */

uint64_t cpu_rdmsr(uint32_t msr)
{
    switch (msr) {
    case 0x480:
        return vmx_paper.processor.basic;
    case 0x485:
        return vmx_paper.processor.misc;
    default:
        return 0;
    }
}

struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
    switch (leaf) {
    case 0:
        return (struct cpuid){ .eax = 10 };
    case 10:
        return (struct cpuid){ .eax = vmx_paper.processor.n_counters << 8 | 4,
                               .edx = vmx_paper.processor.n_fixed_counters };
    case 0x80000000:
        return (struct cpuid){ .eax = 0x80000008 };
    case 0x80000008:
        return (struct cpuid){ .eax = vmx_paper.processor.physical_bits };
    default:
        return (struct cpuid){ 0 };
    }
}

bool vmx_is_present(void)
{
    return true;
}

void vmx_enable(void)
{
}

static uint64_t capability(enum vmcs_field controls)
{
    switch (controls) {
    case VMCS_PIN_CONTROLS:
        return vmx_paper.processor.pin;
    case VMCS_PROCESSOR_CONTROLS:
        return vmx_paper.processor.processor;
    case VMCS_SECONDARY_CONTROLS:
        return vmx_paper.processor.secondary;
    case VMCS_EXIT_CONTROLS:
        return vmx_paper.processor.exit;
    case VMCS_ENTRY_CONTROLS:
        return vmx_paper.processor.entry;
    default:
        return ALL;
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
    return vmx_paper.processor.ept_vpid;
}

void vmx_forget_translations(void)
{
}

void vmx_write(enum vmcs_field field, uint64_t value)
{
    vmx_state_set(&vmx_paper.state, field, value);
}

uint64_t vmx_read(enum vmcs_field field)
{
    return vmx_state_get(&vmx_paper.state, field);
}

/* Memory */

void vmx_pages_touch(bool with_ept)
{
}

static uint8_t *memory_at(uint64_t address)
{
    uint64_t pages = (uint64_t)(uintptr_t)&vmx_pages;

    if (address >= pages && address < pages + sizeof vmx_pages) {
        return (uint8_t *)(uintptr_t)address;
    }
    return address < sizeof low_memory ? &low_memory[address] : NULL;
}

void vmx_pages_poke(void *at, size_t size, uint64_t clear, uint64_t set)
{
    uint8_t *memory = memory_at((uint64_t)(uintptr_t)at);
    uint64_t value = 0;

    memcpy(&value, memory, size);
    value = (value & ~clear) | set;
    memcpy(memory, &value, size);
}

static bool read_memory(const struct vmx_state *state, uint64_t address, uint64_t *out)
{
    const uint8_t *memory = memory_at(address);

    *out = 0;
    if (memory) {
        memcpy(out, memory, sizeof *out);
    }
    return address < MEMORY_BYTES;
}

/* The good state: what vmx.c writes, as far as a check looks at it */

static void write_control(enum vmcs_field controls, uint32_t wanted)
{
    vmx_write(controls, (wanted | vmx_required(controls)) & vmx_allowed(controls));
}

static void good_controls(void)
{
    write_control(VMCS_PIN_CONTROLS, 0);
    write_control(VMCS_PROCESSOR_CONTROLS, VMX_CPU_HLT);
    write_control(VMCS_EXIT_CONTROLS, VMX_EXIT_HOST_64);
    write_control(VMCS_ENTRY_CONTROLS, VMX_ENTRY_GUEST_64);
    vmx_write(VMCS_VPID, 1);
}

static void good_addresses(void)
{
    static const struct {
        enum vmcs_field field;
        const void *page;
    } addresses[] = {
        { VMCS_VIRTUAL_APIC_ADDRESS, vmx_pages.virtual_apic },
        { VMCS_APIC_ACCESS_ADDRESS, vmx_pages.apic_access },
        { VMCS_PML_ADDRESS, vmx_pages.pml },
        { VMCS_EPTP_LIST_ADDRESS, vmx_pages.eptp_list },
        { VMCS_VMREAD_BITMAP, vmx_pages.vmread_bitmap },
        { VMCS_VMWRITE_BITMAP, vmx_pages.vmwrite_bitmap },
        { VMCS_EXCEPTION_INFO_ADDRESS, vmx_pages.exception_info },
        { VMCS_POSTED_INTERRUPT_ADDRESS, vmx_pages.posted },
        { VMCS_ENTRY_MSR_LOAD_ADDRESS, vmx_pages.entry_load },
        { VMCS_EXIT_MSR_STORE_ADDRESS, vmx_pages.exit_store },
        { VMCS_EXIT_MSR_LOAD_ADDRESS, vmx_pages.exit_load },
    };

    for (unsigned i = 0; i < N(addresses); i++) {
        vmx_write(addresses[i].field, (uint64_t)(uintptr_t)addresses[i].page);
    }
    vmx_write(VMCS_EPTP, VMX_GOOD_EPTP);
    vmx_write(VMCS_LINK_POINTER, UINT64_MAX);
}

#define GOOD_CR0  (CR0_PG | CR0_PE | CR0_WP | CR0_ET | BIT(5) | BIT(1))
#define GOOD_CR4  (BIT(13) | CR4_PAE | BIT(9) | BIT(10))
#define GOOD_EFER (EFER_LMA | EFER_LME | EFER_NXE)
#define GOOD_PAT  UINT64_C(0x0007040600070406)

static void good_host(void)
{
    for (unsigned field = VMCS_HOST_ES_SELECTOR; field <= VMCS_HOST_GS_SELECTOR;
         field += 2) {
        vmx_write((enum vmcs_field)field, 0x10);
    }
    vmx_write(VMCS_HOST_CS_SELECTOR, 0x08);
    vmx_write(VMCS_HOST_TR_SELECTOR, 0x30);
    vmx_write(VMCS_HOST_CR0, GOOD_CR0);
    vmx_write(VMCS_HOST_CR4, GOOD_CR4);
    vmx_write(VMCS_HOST_PAT, GOOD_PAT);
    vmx_write(VMCS_HOST_EFER, GOOD_EFER);
}

static void good_segment(unsigned i, uint64_t selector, uint64_t rights, uint64_t limit)
{
    vmx_write((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * i), selector);
    vmx_write((enum vmcs_field)(VMCS_GUEST_ES_RIGHTS + 2 * i), rights);
    vmx_write((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * i), limit);
}

static void good_guest(void)
{
    for (unsigned i = 0; i < 6; i++) {
        good_segment(i, 0x10, 0xc093, UINT32_MAX);
    }
    good_segment(1, 0x08, 0xa09b, UINT32_MAX);
    good_segment(6, 0, VMX_RIGHTS_UNUSABLE, 0);
    good_segment(7, 0x30, 0x8b, 0x67);
    vmx_write(VMCS_GUEST_CR0, GOOD_CR0);
    vmx_write(VMCS_GUEST_CR4, GOOD_CR4);
    vmx_write(VMCS_GUEST_PAT, GOOD_PAT);
    vmx_write(VMCS_GUEST_EFER, GOOD_EFER);
    vmx_write(VMCS_GUEST_DR7, 0x400);
    vmx_write(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
}

void vmx_good(void (*code)(void))
{
    memset(&vmx_paper.state, 0, sizeof vmx_paper.state);
    memset(&vmx_pages, 0, sizeof vmx_pages);
    memset(low_memory, 0, sizeof low_memory);
    for (unsigned i = 0; i < 4; i++) {
        vmx_pages.pae_pdpt[i] = i * 0x1000 | 1;
    }
    vmx_paper.state.read = read_memory;
    vmx_paper.state.vmcs_pointer = 0x8000;
    good_controls();
    good_addresses();
    good_host();
    good_guest();
}

/* Entry */

static enum vmx_answer choose(uint32_t allowed)
{
    unsigned n = 0;
    uint32_t chosen = 0;

    for (uint32_t answer = 1; answer <= VMX_FAILS_MSR; answer <<= 1) {
        if (allowed & answer) {
            chosen = n <= vmx_paper.choice ? answer : chosen;
            n++;
        }
    }
    vmx_paper.n_choices = n > vmx_paper.n_choices ? n : vmx_paper.n_choices;
    return (enum vmx_answer)chosen;
}

static struct vmx_outcome fails(uint32_t error)
{
    return (struct vmx_outcome){ .way = VMX_FAIL, .detail = error };
}

static struct vmx_outcome exits(uint32_t reason, uint64_t qualification)
{
    return (struct vmx_outcome){ .way = VMX_EXIT,
                                 .detail = (uint32_t)VMX_REASON_ENTRY_FAILURE | reason,
                                 .qualification = qualification };
}

struct vmx_outcome vmx_run(void)
{
    vmx_paper.verdict = vmx_model_entry(&vmx_paper.state, &vmx_paper.processor);
    switch (choose(vmx_paper.verdict.allowed)) {
    case VMX_ENTERS:
        return (struct vmx_outcome){ .way = VMX_EXIT, .detail = vmx_paper.exit };
    case VMX_FAILS_INVALID:
        return (struct vmx_outcome){ .way = VMX_FAIL_INVALID };
    case VMX_FAILS_MOV_SS:
        return fails(VMX_ERROR_MOV_SS);
    case VMX_FAILS_LAUNCH:
        return fails(vmx_paper.state.is_resume ? VMX_ERROR_VMRESUME_NOT_LAUNCHED
                                               : VMX_ERROR_VMLAUNCH_NOT_CLEAR);
    case VMX_FAILS_CONTROLS:
        return fails(VMX_ERROR_CONTROLS);
    case VMX_FAILS_HOST:
        return fails(VMX_ERROR_HOST_STATE);
    case VMX_FAILS_GUEST:
        return exits(VMX_REASON_GUEST_STATE, 0);
    case VMX_FAILS_PDPTE:
        return exits(VMX_REASON_GUEST_STATE, 2);
    case VMX_FAILS_NMI:
        return exits(VMX_REASON_GUEST_STATE, 3);
    case VMX_FAILS_LINK:
        return exits(VMX_REASON_GUEST_STATE, 4);
    case VMX_FAILS_MSR:
        return exits(VMX_REASON_MSR_LOADING, vmx_paper.verdict.msr_first);
    }
    return (struct vmx_outcome){ .way = VMX_BROKEN };
}

void vmx_guest_vmcall(void)
{
}
