/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include "lib/memory.h"
#include "vmx.h"

#define N(array) (sizeof(array) / sizeof *(array))

struct vmx_pages vmx_pages __attribute__((aligned(4096)));
extern uint64_t nested_pd[];

static bool is_touched = true, is_ept_touched = true;

static void map_identity(void)
{
    vmx_pages.ept_pml4[0] = (uint64_t)vmx_pages.ept_pdpt | EPT_RWX;
    for (unsigned i = 0; i < N(vmx_pages.ept_pd); i++) {
        vmx_pages.ept_pdpt[i] = (uint64_t)vmx_pages.ept_pd[i] | EPT_RWX;
        for (uint64_t j = 0; j < N(vmx_pages.ept_pd[i]); j++) {
            vmx_pages.ept_pd[i][j] = i << 30 | j << 21 | EPT_LARGE | EPT_WB | EPT_RWX;
        }
    }
}

static void map_window(void)
{
    vmx_pages.ept_pd[VMX_WINDOW >> 30][0] = (uint64_t)vmx_pages.ept_pt | EPT_RWX;
    vmx_pages.ept_pt[0] = (uint64_t)vmx_pages.data | EPT_WB | EPT_RWX;
}

void vmx_pages_touch(bool with_ept)
{
    is_touched = true;
    is_ept_touched = is_ept_touched || with_ept;
}

/* Eight bytes at a time: an engine that interprets counts each. */
static void clear(void *from, size_t size)
{
    size_t n = size / 8;

    __asm__ volatile("rep stosq" : "+D"(from), "+c"(n) : "a"(0) : "memory");
}

static void reset_ept(void)
{
    clear(vmx_pages.ept_pml4, sizeof vmx_pages.ept_pml4);
    clear(vmx_pages.ept_pdpt, sizeof vmx_pages.ept_pdpt);
    clear(vmx_pages.ept_pt, sizeof vmx_pages.ept_pt);
    map_identity();
    map_window();
    vmx_forget_translations();
    is_ept_touched = false;
}

void vmx_pages_reset(void)
{
    if (is_touched) {
        clear(&vmx_pages, offsetof(struct vmx_pages, ept_pml4));
        for (unsigned i = 0; i < 4; i++) {
            vmx_pages.pae_pdpt[i] = ((uint64_t)nested_pd + i * 0x1000) | 1;
        }
        is_touched = false;
    }
    if (is_ept_touched) {
        reset_ept();
    }
}

void vmx_pages_poke(void *at, size_t size, uint64_t clear, uint64_t set)
{
    uint64_t value = 0;

    memcpy(&value, at, size);
    value = (value & ~clear) | set;
    memcpy(at, &value, size);
}

void vmx_pages_write_addresses(void)
{
    static const struct {
        enum vmcs_field field;
        const void *page;
    } addresses[] = {
        { VMCS_IO_BITMAP_A, vmx_pages.io_bitmap_a },
        { VMCS_IO_BITMAP_B, vmx_pages.io_bitmap_b },
        { VMCS_MSR_BITMAP, vmx_pages.msr_bitmap },
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
        vmx_write(addresses[i].field, (uint64_t)addresses[i].page);
    }
    vmx_write(VMCS_EPTP, VMX_GOOD_EPTP);
}
