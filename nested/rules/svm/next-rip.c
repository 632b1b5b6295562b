/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* next-rip.c - nRIP: after the instruction for instruction intercepts, else zero */
#include "svm/case.h"

#define PLACE "APM2 15.7.1"

SVM_GUEST(guest_cpuid, "1: cpuid");
SVM_GUEST(guest_rdtsc, "1: rdtsc");
SVM_GUEST(guest_rdtscp, "1: rdtscp");
SVM_GUEST(guest_pushf, "1: pushfq");
SVM_GUEST(guest_popf, "pushq $2\n1: popfq");
SVM_GUEST(guest_pause, "1: pause");
SVM_GUEST(guest_invd, "1: invd");
SVM_GUEST(guest_wbinvd, "1: wbinvd");
SVM_GUEST(guest_int, "1: int $0x40");
SVM_GUEST(guest_int3, "1: int3");
SVM_GUEST(guest_get_cr0, "1: movq %cr0, %rbx");
SVM_GUEST(guest_get_cr8, "1: movq %cr8, %rbx");
SVM_GUEST(guest_clts, "1: clts");
SVM_GUEST(guest_get_dr7, "1: movq %dr7, %rbx");
SVM_GUEST(guest_sidt, "1: sidt (%rsp)");
SVM_GUEST(guest_str, "1: str %eax");
SVM_GUEST(guest_in, "1: inb $0x80, %al");
SVM_GUEST(guest_rdmsr, "1: rdmsr");
SVM_GUEST(guest_wrmsr, "1: wrmsr");
SVM_GUEST(guest_clgi, "1: clgi");
SVM_GUEST(guest_stgi, "1: stgi");
SVM_GUEST(guest_invlpg, "1: invlpg (%rcx)");
SVM_GUEST(guest_vmmcall, "1: vmmcall");
SVM_GUEST(guest_prefixed, "1: .byte 0x66, 0x2e, 0x0f, 0xa2" /* CPUID, needlessly */);
SVM_GUEST(guest_ud2, "1: ud2");
SVM_GUEST(guest_read, "1: movq (%rcx), %rbx");

#define ROW(name, claim, guest, reads, ...)                                            \
    SVM_CASE("NRIP." name, PLACE, claim, guest, .needs = SVM_HAS_NRIPS,                \
             .wants = { SVM_AT(guest), SVM_WANT(nrip, reads) }, __VA_ARGS__)
#define AFTER(name, word, bit, guest, length, ...)                                     \
    ROW(name, "the next sequential instruction", guest,                                \
        (uint64_t)(guest##_at + (length)), .breaks = { SVM_SET(word, BIT(bit)) },      \
        __VA_ARGS__)
#define AFTER_1(name, bit, guest, length)                                              \
    AFTER(name, intercept1, bit, guest, length, .argument = 0)
#define AFTER_2(name, bit, guest, length)                                              \
    AFTER(name, intercept2, bit, guest, length, .argument = 0)

static const struct nested_rule next_rip[] = {
    AFTER_1("SIDT", 6, guest_sidt, 4),
    AFTER_1("STR", 9, guest_str, 3),
    AFTER_1("RDTSC", 14, guest_rdtsc, 2),
    AFTER_1("PUSHF", 16, guest_pushf, 1),
    AFTER_1("POPF", 17, guest_popf, 1),
    AFTER_1("CPUID", 18, guest_cpuid, 2),
    AFTER_1("CPUID_WITH_PREFIXES", 18, guest_prefixed, 4),
    AFTER_1("INT", 21, guest_int, 2),
    AFTER_1("INVD", 22, guest_invd, 2),
    AFTER_1("PAUSE", 23, guest_pause, 2),
    AFTER_1("INVLPG", 25, guest_invlpg, 3),
    AFTER("IN", intercept1, 27, guest_in, 2, .prepare = svm_deny_ports),
    AFTER("RDMSR", intercept1, 28, guest_rdmsr, 2, .prepare = svm_deny_msrs,
          .rcx = MSR_EFER),
    AFTER("WRMSR", intercept1, 28, guest_wrmsr, 2, .prepare = svm_deny_msrs,
          .rcx = 0x174),
    AFTER_2("CLGI", 5, guest_clgi, 3),
    AFTER_2("STGI", 4, guest_stgi, 3),
    AFTER_2("RDTSCP", 7, guest_rdtscp, 3),
    AFTER_2("WBINVD", 9, guest_wbinvd, 2),
    AFTER("CR0", intercept_cr_read, 0, guest_get_cr0, 3, .argument = 0),
    AFTER("CR8", intercept_cr_read, 8, guest_get_cr8, 4, .argument = 0),
    AFTER("CLTS", intercept_cr_write, 0, guest_clts, 2, .argument = 0),
    AFTER("DR7", intercept_dr_read, 7, guest_get_dr7, 3, .argument = 0),
    AFTER("INT3", intercept_exceptions, 3, guest_int3, 1,
          .neighbour_wants = { SVM_VECTOR(3) }),
    SVM_CASE("NRIP.VMMCALL", PLACE, "the next sequential instruction", guest_vmmcall,
             .needs = SVM_HAS_NRIPS,
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_AT(guest_vmmcall),
                        SVM_WANT(nrip, (uint64_t)(guest_vmmcall_at + 3)) },
             .neighbour = { SVM_ALL_EXCEPTIONS,
                            SVM_CLEAR(intercept2, SVM_INTERCEPT2_VMMCALL) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(6)) }),
    ROW("EXCEPTION_IS_ZERO", "an exception that no such instruction raised has none",
        guest_ud2, 0, .breaks = { SVM_ALL_EXCEPTIONS, SVM_MAKE(nrip, 0x1234) },
        .neighbour_wants = { SVM_VECTOR(6) }),
    ROW("PAGE_FAULT_IS_ZERO", "an exception that no such instruction raised has none",
        guest_read, 0, .rcx = UINT64_C(0x7f0000000000),
        .breaks = { SVM_ALL_EXCEPTIONS, SVM_MAKE(nrip, 0x1234) },
        .neighbour_wants = { SVM_VECTOR(14) }),
};
NESTED_RULES(next_rip);
