/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmx-check.h - how the model's checks are written down: a function and a row each
 *
 * A check says whether the state is legal in one respect.  VMX_UNSAID is for what the
 * manual leaves to the processor, or to an edition that was not read.
 */
#pragma once

#include "vmx-entry.h"

enum vmx_opinion { VMX_LEGAL, VMX_UNSAID, VMX_ILLEGAL };

/* A state with what many checks ask of it. */
struct vmx_look {
    const struct vmx_state *state;
    const struct vmx_processor *cpu;
    uint32_t pin, processor, secondary, exit, entry; /* secondary: 0 if not activated */
    bool is_ia32e;        /* "the guest will be IA-32e mode" */
    bool is_virtual_8086; /* "the guest will be virtual-8086" */
    bool is_unrestricted;
    uint32_t event; /* VM-entry interruption information; 0 unless valid */
};

struct vmx_check {
    enum vmx_opinion (*run)(const struct vmx_look *look);
    uint32_t answers; /* what an entry may do when it is illegal */
    const char *name, *cites;
};

struct vmx_check_list {
    const struct vmx_check *checks;
    unsigned n_checks;
};

#define VMX_CHECK_LIST(list)                                                           \
    {                                                                                  \
        list, sizeof list / sizeof *list                                               \
    }

extern const struct vmx_check_list vmx_control_checks, vmx_event_checks,
    vmx_host_checks, vmx_guest_register_checks, vmx_guest_segment_checks,
    vmx_guest_non_register_checks, vmx_pdpte_checks;

/* The number, from 1, of the first entry of the VM-entry MSR-load area that fails, or
 * 0; *@out_unsaid is that of the first that may fail. */
uint64_t vmx_msr_load_failure(const struct vmx_look *look, uint64_t *out_unsaid);

static inline enum vmx_opinion vmx_illegal_if(bool is_illegal)
{
    return is_illegal ? VMX_ILLEGAL : VMX_LEGAL;
}

static inline uint64_t vmx_get(const struct vmx_look *look, enum vmcs_field field)
{
    return vmx_state_get(look->state, field);
}

static inline bool vmx_read_memory(const struct vmx_look *look, uint64_t address,
                                   uint64_t *out)
{
    return look->state->read && look->state->read(look->state, address, out);
}

/* Bits that are beyond the physical-address width.  IA32_VMX_BASIC[48], which can make
 * that 32 for some of them, is 0 on every processor with Intel 64 (A.1). */
static inline uint64_t vmx_beyond_width(const struct vmx_look *look, uint64_t address)
{
    return address >> look->cpu->physical_bits;
}

static inline bool vmx_is_canonical(const struct vmx_look *look, uint64_t address)
{
    uint64_t high = address >> (look->cpu->linear_bits - 1);

    return high == 0 || high == UINT64_MAX >> (look->cpu->linear_bits - 1);
}

/* 26.2.2, 26.3.1.1: a value that WRMSR could write into IA32_PAT. */
static inline bool vmx_is_pat(uint64_t pat)
{
    for (unsigned i = 0; i < 64; i += 8) {
        uint8_t type = (uint8_t)(pat >> i);
        if (type == 2 || type == 3 || type > 7) {
            return false;
        }
    }
    return true;
}

/* Bits 7:1, 9 and 63:12 mean nothing on any processor with VMX (2.2.1). */
static inline uint64_t vmx_reserved_in_efer(uint64_t efer)
{
    return efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
}

/* Of IA32_PERF_GLOBAL_CTRL's bits those that no counter of CPUID 0AH has; bit 48 got a
 * meaning in later editions. */
static inline enum vmx_opinion vmx_look_at_counters(const struct vmx_look *look,
                                                    uint64_t value)
{
    uint64_t low = BIT(look->cpu->n_counters) - 1;
    uint64_t high = (BIT(look->cpu->n_fixed_counters) - 1) << 32;
    uint64_t reserved = value & ~(low | high);

    if (reserved & ~BIT(48)) {
        return VMX_ILLEGAL;
    }
    return reserved ? VMX_UNSAID : VMX_LEGAL;
}

/* 26.2.2, 26.3.1.1 and 23.8: fixed bits, but for NW and CD, which are never checked. */
static inline bool vmx_is_cr0(const struct vmx_look *look, uint64_t cr0, uint64_t free)
{
    uint64_t fixed0 = look->cpu->cr0_fixed0 & ~(free | CR0_NW | CR0_CD);
    uint64_t fixed1 = look->cpu->cr0_fixed1 | free | CR0_NW | CR0_CD;

    return (cr0 & fixed0) == fixed0 && !(cr0 & ~fixed1);
}

static inline bool vmx_is_cr4(const struct vmx_look *look, uint64_t cr4)
{
    uint64_t fixed0 = look->cpu->cr4_fixed0;

    return (cr4 & fixed0) == fixed0 && !(cr4 & ~look->cpu->cr4_fixed1);
}
