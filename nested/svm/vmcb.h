/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmcb.h - the virtual machine control block, as memory has it
 *
 * Source:   AMD64 Architecture Programmer's Manual vol. 2 (24593), appendix B, tables
 *           B-1 (control area) and B-2 (state save area).  Field names are the
 *           manual's, in C's letters; the offsets are checked below.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/bits.h"

struct vmcb_segment {
    uint16_t selector;
    uint16_t attributes; /* descriptor bits 55:52 and 47:40, concatenated */
    uint32_t limit;
    uint64_t base;
};

struct __attribute__((packed)) vmcb {
    uint16_t intercept_cr_read, intercept_cr_write;
    uint16_t intercept_dr_read, intercept_dr_write;
    uint32_t intercept_exceptions;
    uint32_t intercept1; /* 0Ch */
    uint32_t intercept2; /* 10h */
    uint32_t intercept3; /* 14h */
    uint8_t reserved_18[0x3c - 0x18];
    uint16_t pause_filter_threshold, pause_filter_count;
    uint64_t iopm_base_pa, msrpm_base_pa, tsc_offset;
    uint32_t guest_asid;
    uint8_t tlb_control, reserved_5d[3];
    uint32_t v_intr;        /* V_TPR, V_IRQ, VGIF ... : 60h, bits 31:0 */
    uint32_t v_intr_vector; /* 64h */
    uint64_t interrupt_shadow;
    uint64_t exitcode, exitinfo1, exitinfo2, exitintinfo;
    uint64_t np_enable;
    uint64_t avic_apic_bar, ghcb_pa;
    uint64_t eventinj;
    uint64_t n_cr3;
    uint64_t lbr_virtualization_enable;
    uint32_t vmcb_clean, reserved_c4;
    uint64_t nrip;
    uint8_t n_bytes_fetched, guest_instruction_bytes[15];
    uint8_t reserved_e0[0x400 - 0xe0];

    struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    uint8_t reserved_4a0[0x4cb - 0x4a0];
    uint8_t cpl;
    uint32_t reserved_4cc;
    uint64_t efer;
    uint8_t reserved_4d8[0x548 - 0x4d8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved_580[0x5d8 - 0x580];
    uint64_t rsp, s_cet, ssp, isst_addr, rax;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
    uint8_t reserved_648[0x668 - 0x648];
    uint64_t g_pat, dbgctl, br_from, br_to, lastexcpfrom, lastexcpto;
    uint8_t reserved_698[0x1000 - 0x698];
};

_Static_assert(offsetof(struct vmcb, iopm_base_pa) == 0x40, "B-1");
_Static_assert(offsetof(struct vmcb, guest_asid) == 0x58, "B-1");
_Static_assert(offsetof(struct vmcb, exitcode) == 0x70, "B-1");
_Static_assert(offsetof(struct vmcb, np_enable) == 0x90, "B-1");
_Static_assert(offsetof(struct vmcb, eventinj) == 0xa8, "B-1");
_Static_assert(offsetof(struct vmcb, vmcb_clean) == 0xc0, "B-1");
_Static_assert(offsetof(struct vmcb, nrip) == 0xc8, "B-1");
_Static_assert(offsetof(struct vmcb, es) == 0x400, "B-2");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "B-2");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "B-2");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "B-2");
_Static_assert(offsetof(struct vmcb, star) == 0x600, "B-2");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "B-2");
_Static_assert(sizeof(struct vmcb) == 0x1000, "B-2");

/* Permission maps, 15.10.1 and 15.11. */
#define SVM_IOPM_BYTES  0x3000
#define SVM_MSRPM_BYTES 0x2000

/* Intercepts, words 3 (0Ch) and 4 (10h); exit codes are 60h and 80h plus the bit. */
#define SVM_INTERCEPT1_INTR          BIT(0)
#define SVM_INTERCEPT1_NMI           BIT(1)
#define SVM_INTERCEPT1_VINTR         BIT(4)
#define SVM_INTERCEPT1_SELECTIVE_CR0 BIT(5)
#define SVM_INTERCEPT1_CPUID         BIT(18)
#define SVM_INTERCEPT1_SWINT         BIT(21)
#define SVM_INTERCEPT1_HLT           BIT(24)
#define SVM_INTERCEPT1_IOIO          BIT(27)
#define SVM_INTERCEPT1_MSR           BIT(28)
#define SVM_INTERCEPT1_SHUTDOWN      BIT(31)
#define SVM_INTERCEPT2_VMRUN         BIT(0)
#define SVM_INTERCEPT2_VMMCALL       BIT(1)

/* Intercept codes, appendix C. */
#define SVM_EXIT_EXCEPTION(vector) (0x40 + (vector))
#define SVM_EXIT_INTR              0x60
#define SVM_EXIT_VINTR             0x64
#define SVM_EXIT_SELECTIVE_CR0     0x65
#define SVM_EXIT_SWINT             0x75
#define SVM_EXIT_HLT               0x78
#define SVM_EXIT_IOIO              0x7b
#define SVM_EXIT_MSR               0x7c
#define SVM_EXIT_SHUTDOWN          0x7f
#define SVM_EXIT_VMMCALL           0x81
#define SVM_EXIT_NPF               0x400
#define SVM_EXIT_INVALID           UINT64_MAX /* "-1" in a field of 64 bits */

/* CPUID Fn8000_000A EDX. */
#define SVM_HAS_NPT           BIT(0)
#define SVM_HAS_NRIPS         BIT(3)
#define SVM_HAS_FLUSH_BY_ASID BIT(6)
#define SVM_HAS_VGIF          BIT(16)

/* EVENTINJ, 15.20. */
#define SVM_EVENT_VALID      BIT(31)
#define SVM_EVENT_ERROR_CODE BIT(11)
#define SVM_EVENT_TYPE(n)    ((uint64_t)(n) << 8)

/* Segment attributes: descriptor bits in the VMCB's packing. */
#define SVM_ATTRIBUTE_D BIT(10)
#define SVM_ATTRIBUTE_L BIT(9)
