/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* msr.c - the MSR permission map: two bits for each of 3 * 8192 registers, and no more */
#include "svm/case.h"

#include "lib/memory.h"

SVM_GUEST(guest_read_msr, "1: rdmsr");
SVM_GUEST(guest_write_msr, "1: wrmsr");

/* Where the map has the read bit of @msr; the write bit follows it (table 15-8). */
static uint32_t bit_of(uint32_t msr)
{
    uint32_t vector = msr >= 0xc0010000 ? 2 : msr >= 0xc0000000 ? 1 : 0;

    return vector * 0x4000 + (msr & 0x1fff) * 2;
}

/* The rule's map is clear but for one bit; the neighbour's is set but for that bit. */
static void one_bit(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour)
{
    uint8_t *map = (uint8_t *)vmcb->msrpm_base_pa;
    uint32_t bit = bit_of((uint32_t)one->rcx) + (one->code == guest_write_msr);

    memset(map, is_neighbour ? 0xff : 0, SVM_MSRPM_BYTES);
    map[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

#define GOOD_EFER     (EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME)
#define MSR_INTERCEPT SVM_SET(intercept1, SVM_INTERCEPT1_MSR)

/* Past the intercept the access itself may fault in the neighbour: it must not exit. */
#define BIT_RULE(name, msr, access, guest, info)                                       \
    SVM_CASE("MSR." access "." name, "APM2 15.11",                                     \
             "its bit alone decides, and EXITINFO1 tells RDMSR from WRMSR", guest,     \
             .rcx = msr, .always = { MSR_INTERCEPT }, .prepare = one_bit,              \
             .wants = { SVM_EXITS(SVM_EXIT_MSR), SVM_WANT(exitinfo1, info),            \
                        SVM_AT(guest) })
#define READ_RULE(name, msr)  BIT_RULE(name, msr, "READ", guest_read_msr, 0)
#define WRITE_RULE(name, msr) BIT_RULE(name, msr, "WRITE", guest_write_msr, 1)

#define BEYOND(name, msr, access, guest, info)                                         \
    SVM_CASE("MSR." access "_BEYOND." name, "APM2 15.11",                              \
             "an MSR that the map does not cover is always intercepted", guest,        \
             .rcx = msr, .breaks = { MSR_INTERCEPT },                                  \
             .wants = { SVM_EXITS(SVM_EXIT_MSR), SVM_WANT(exitinfo1, info),            \
                        SVM_AT(guest) })
#define READ_BEYOND(name, msr)  BEYOND(name, msr, "READ", guest_read_msr, 0)
#define WRITE_BEYOND(name, msr) BEYOND(name, msr, "WRITE", guest_write_msr, 1)

static const struct nested_rule msr[] = {
    READ_RULE("0", 0x00000000),
    READ_RULE("TSC", 0x00000010),
    READ_RULE("1FFF", 0x00001fff),
    READ_RULE("C0000000", 0xc0000000),
    READ_RULE("EFER", 0xc0000080),
    READ_RULE("C0001FFF", 0xc0001fff),
    READ_RULE("C0010000", 0xc0010000),
    READ_RULE("VM_CR", 0xc0010114),
    READ_RULE("C0011FFF", 0xc0011fff),
    WRITE_RULE("0", 0x00000000),
    WRITE_RULE("1FFF", 0x00001fff),
    WRITE_RULE("SYSENTER_CS", 0x00000174),
    WRITE_RULE("C0000000", 0xc0000000),
    WRITE_RULE("STAR", 0xc0000081),
    WRITE_RULE("C0001FFF", 0xc0001fff),
    WRITE_RULE("C0010000", 0xc0010000),
    WRITE_RULE("C0011FFF", 0xc0011fff),
    READ_BEYOND("2000", 0x00002000),
    READ_BEYOND("C0002000", 0xc0002000),
    READ_BEYOND("C0012000", 0xc0012000),
    READ_BEYOND("40000000", 0x40000000),
    READ_BEYOND("BFFFFFFF", 0xbfffffff),
    READ_BEYOND("FFFFFFFF", 0xffffffff),
    WRITE_BEYOND("2000", 0x00002000),
    WRITE_BEYOND("C0012000", 0xc0012000),
    WRITE_BEYOND("FFFFFFFF", 0xffffffff),
    SVM_CASE("MSR.INTERCEPT_CLEAR", "APM2 15.11",
             "with MSR_PROT clear nothing is intercepted, whatever the map says",
             guest_read_msr, .rcx = MSR_EFER, .prepare = svm_deny_msrs,
             .breaks = { SVM_CLEAR(intercept1, SVM_INTERCEPT1_MSR) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL) }, .neighbour = { MSR_INTERCEPT },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_MSR) }),
    SVM_CASE("MSR.BEFORE_ITS_OWN_FAULTS", "APM2 15.11",
             "the map is checked before exceptions of the one MSR", guest_write_msr,
             .rcx = MSR_EFER, .prepare = svm_deny_msrs,
             .always = { SVM_ALL_EXCEPTIONS },
             .breaks = { MSR_INTERCEPT, SVM_MAKE(rax, GOOD_EFER | BIT(9)) },
             .wants = { SVM_EXITS(SVM_EXIT_MSR), SVM_WANT(exitinfo1, 1) },
             .neighbour = { SVM_MAKE(rax, GOOD_EFER) }),
    SVM_CASE("MSR.MAP_LOW_BITS_IGNORED", "APM2 15.11",
             "VMRUN ignores the lower 12 bits of MSRPM_BASE_PA", guest_read_msr,
             .rcx = MSR_EFER, .prepare = svm_deny_msrs, .always = { MSR_INTERCEPT },
             .breaks = { SVM_SET(msrpm_base_pa, 0xfff) },
             .wants = { SVM_EXITS(SVM_EXIT_MSR),
                        SVM_WANT_BITS(msrpm_base_pa, 0xfff, 0xfff) },
             .neighbour = { SVM_CLEAR(intercept1, SVM_INTERCEPT1_MSR) }),
};
NESTED_RULES(msr);
