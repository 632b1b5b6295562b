/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pages.h - the memory that a VMCS's controls point to
 *
 * vmx_good() makes it good: bitmaps that let everything pass, EPT that maps the low
 * 4 GiB one to one, empty lists.  The addresses are in the VMCS already, so a rule turns
 * a control on and changes what it wants of the page behind it.
 *
 * EPT:      guest-physical VMX_WINDOW, and it alone, is not where it says: it is
 *           vmx_pages.data, through the first entry of ept_pt, so that a rule can name
 *           the entry that it breaks.  Linear addresses of guests are guest-physical.
 *
 * Source:   Intel SDM vol. 3C, 24.6 and 28.2.2.
 */
#pragma once

#include "lib/cpu.h"

#define VMX_WINDOW UINT64_C(0xc0000000)

#define EPT_R       BIT(0)
#define EPT_W       BIT(1)
#define EPT_X       BIT(2)
#define EPT_RWX     (EPT_R | EPT_W | EPT_X)
#define EPT_WB      (UINT64_C(6) << 3)
#define EPT_LARGE   BIT(7)
#define EPT_A       BIT(8)
#define EPT_D       BIT(9)
#define EPTP_WALK_4 (UINT64_C(3) << 3)
#define EPTP_AD     BIT(6)

/* 24.7.2, table 24-11. */
struct vmx_msr {
    uint32_t index, reserved;
    uint64_t value;
};

struct vmx_pages {
    uint64_t io_bitmap_a[512], io_bitmap_b[512], msr_bitmap[512];
    uint64_t virtual_apic[512], apic_access[512];
    uint64_t pml[512], eptp_list[512];
    uint64_t vmread_bitmap[512], vmwrite_bitmap[512];
    uint64_t exception_info[512], posted[512];
    uint64_t data[512];
    uint64_t pae_pdpt[512]; /* for guests of 32 bits: the four of PAE paging */
    struct vmx_msr entry_load[8], exit_store[8], exit_load[8];
    /* From here on only what uses EPT changes anything. */
    uint64_t ept_pml4[512] __attribute__((aligned(4096)));
    uint64_t ept_pdpt[512], ept_pd[4][512], ept_pt[512];
};
extern struct vmx_pages vmx_pages;

/* The EPTP of these tables, but for capabilities that the CPU lacks. */
#define VMX_GOOD_EPTP ((uint64_t)vmx_pages.ept_pml4 + (EPTP_WALK_4 | 6))

/* Make the pages good again, if vmx_pages_touch() was called since: this runs before
 * each VM entry, on engines that interpret. */
void vmx_pages_reset(void);
void vmx_pages_touch(bool with_ept);
/* (what ~clear) | set, of the first @size bytes at @at: any memory. */
void vmx_pages_poke(void *at, size_t size, uint64_t clear, uint64_t set);
/* Into the current VMCS. */
void vmx_pages_write_addresses(void);
