/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * case.h - rules about what a guest's exit says, a row each
 *
 * "Run this guest with these changes, and the VMCB and the registers then read so; with
 * the neighbour's changes instead they read otherwise."  A guest program is given by
 * SVM_GUEST of guest.h; its label 1 is the instruction that the rule is about, and RAX,
 * RCX and RDX are what the row says (0 if nothing).
 *
 *     SVM_CASE("IOIO.INFO.INB", "APM2 15.10.2", "EXITINFO1 describes IN", guest_inb,
 *              .rdx = 0x80, .prepare = deny_io, .always = { IOIO },
 *              .wants = { SVM_EXITS(0x7b), SVM_WANT(exitinfo1, 0x800011) }),
 *
 * A neighbour without wants must leave by VMMCALL.
 */
#pragma once

#include "lib/cpu.h"
#include "lib/rule.h"
#include "svm/entry-rule.h"
#include "svm/guest.h"
#include "svm/svm.h"

#define SVM_MAX_CHANGES 8
#define SVM_MAX_WANTS   6

/* Of the VMCB, of the registers, or of @memory if that is set. */
struct svm_want {
    const char *what, *neighbours;
    uint16_t offset;
    uint8_t size; /* bytes; 0: the end */
    bool is_register;
    uint64_t mask, value;
    const void *memory;
};

struct svm_case {
    void (*code)(void);
    uint32_t needs; /* CPUID Fn8000_000A EDX */
    uint64_t rax, rcx, rdx;
    uint64_t argument; /* prepare's own */
    struct svm_change always[SVM_MAX_CHANGES];
    struct svm_change breaks[SVM_MAX_CHANGES], neighbour[SVM_MAX_CHANGES];
    /* Memory that the VMCB only points at; told which of the two is about to run. */
    void (*prepare)(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour);
    struct svm_want wants[SVM_MAX_WANTS], neighbour_wants[SVM_MAX_WANTS];
};

#define SVM_WANT_BITS(field, bits, reads)                                              \
    {                                                                                  \
#field, "neighbour's " #field, offsetof(struct vmcb, field),                   \
            sizeof(((struct vmcb *)0)->field), false, bits, reads                      \
    }
#define SVM_WANT(field, reads) SVM_WANT_BITS(field, UINT64_MAX, reads)
#define SVM_WANT_REGISTER(name, reads)                                                 \
    {                                                                                  \
#name, "neighbour's " #name, offsetof(struct svm_registers, name), 8, true,    \
            UINT64_MAX, reads                                                          \
    }
#define SVM_WANT_MEMORY(name, bits, reads, pointer)                                    \
    {                                                                                  \
        name, "neighbour's " name, 0, 8, false, bits, reads, pointer                   \
    }
#define SVM_EXITS(code) SVM_WANT(exitcode, code)
#define SVM_AT(guest)   SVM_WANT(rip, (uint64_t)(guest##_at))
/* The guest's own IDT answered with this vector. */
#define SVM_VECTOR(n) SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(rax, UINT32_MAX, n)

#define SVM_CASE_OF(doubt, name, place, claim, guest, ...)                             \
    {                                                                                  \
        .id = "SVM." name, .cites = place, .says = claim, .is_unconfirmed = doubt,     \
        .lacks = svm_lacks_case, .check = svm_check_case,                              \
        .data = &(const struct svm_case){ .code = guest, __VA_ARGS__ },                \
    }
#define SVM_CASE(name, place, claim, guest, ...)                                       \
    SVM_CASE_OF(false, name, place, claim, guest, __VA_ARGS__)
/* The place's words were not at hand. */
#define SVM_UNCONFIRMED(name, place, claim, guest, ...)                                \
    SVM_CASE_OF(true, name, place, claim, guest, __VA_ARGS__)

/* The guest runs in ring 3.  It has no stack for ring 0: intercept its exceptions. */
#define SVM_CPL3                                                                       \
    SVM_MAKE(cpl, 3), SVM_MAKE(cs.selector, 0x23), SVM_SET(cs.attributes, 0x60),       \
        SVM_MAKE(ss.selector, 0x2b), SVM_SET(ss.attributes, 0x60)
#define SVM_ALL_EXCEPTIONS SVM_MAKE(intercept_exceptions, UINT32_MAX)

/* A prepare(): every port, or every MSR, is intercepted. */
void svm_deny_ports(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour);
void svm_deny_msrs(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour);
/* A prepare(): selector 18h is a data segment that is not present. */
void svm_lack_segment(const struct svm_case *one, struct vmcb *vmcb, bool is_neighbour);

const char *svm_lacks_case(const struct nested_rule *rule);
void svm_check_case(const struct nested_rule *rule);
