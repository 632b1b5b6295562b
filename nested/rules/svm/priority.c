/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* priority.c - an intercept and an exception at once: which one wins (table 15-7) */
#include "svm/case.h"

#define INSTRUCTIONS "APM2 15.9"
#define EXCEPTIONS   "APM2 15.12"

#define NOWHERE UINT64_C(0x7f0000000000) /* canonical and not mapped */

SVM_GUEST(guest_get_cr0, "1: movq %cr0, %rbx");
SVM_GUEST(guest_set_cr0, "1: movq %rax, %cr0");
SVM_GUEST(guest_set_cr3, "1: movq %rax, %cr3");
SVM_GUEST(guest_set_cr4, "1: movq %rax, %cr4");
SVM_GUEST(guest_set_cr8, "1: movq %rax, %cr8");
SVM_GUEST(guest_get_dr7, "1: movq %dr7, %rbx");
SVM_GUEST(guest_set_dr7, "1: movq %rax, %dr7");
SVM_GUEST(guest_get_dr4, "1: .byte 0x0f, 0x21, 0xe3" /* DR4 to RBX */);
SVM_GUEST(guest_lidt_at, "1: lidt (%rcx)");
SVM_GUEST(guest_lgdt_at, "1: lgdt (%rcx)");
SVM_GUEST(guest_sidt_at, "1: sidt (%rcx)");
SVM_GUEST(guest_sgdt_at, "1: sgdt (%rcx)");
SVM_GUEST(guest_sldt_at, "1: sldt (%rcx)");
SVM_GUEST(guest_str_at, "1: str (%rcx)");
SVM_GUEST(guest_smsw_at, "1: smsw (%rcx)");
SVM_GUEST(guest_lmsw_at, "1: lmsw (%rcx)");
SVM_GUEST(guest_lldt_ax, "1: lldt %ax");
SVM_GUEST(guest_ltr_ax, "1: ltr %ax");
SVM_GUEST(guest_lmsw_ax, "1: lmsw %ax");
SVM_GUEST(guest_clts_1, "1: clts");
SVM_GUEST(guest_invd_1, "1: invd");
SVM_GUEST(guest_wbinvd_1, "1: wbinvd");
SVM_GUEST(guest_hlt_1, "1: hlt");
SVM_GUEST(guest_invlpg_at, "1: invlpg (%rcx)");
SVM_GUEST(guest_invlpga_ax, "1: invlpga %rax, %ecx");
SVM_GUEST(guest_vmrun_ax, "1: vmrun %rax");
SVM_GUEST(guest_vmload_ax, "1: vmload %rax");
SVM_GUEST(guest_vmsave_ax, "1: vmsave %rax");
SVM_GUEST(guest_stgi_1, "1: stgi");
SVM_GUEST(guest_clgi_1, "1: clgi");
SVM_GUEST(guest_rdtsc_1, "1: rdtsc");
SVM_GUEST(guest_rdtscp_1, "1: rdtscp");
SVM_GUEST(guest_rdpmc_1, "1: rdpmc");
SVM_GUEST(guest_rdmsr_1, "1: rdmsr");
SVM_GUEST(guest_wrmsr_1, "1: wrmsr");
SVM_GUEST(guest_monitor_1, "1: monitor %rax, %ecx, %edx");
SVM_GUEST(guest_mwait_1, "1: mwait %eax, %ecx");
SVM_GUEST(guest_xsetbv_1, "1: xsetbv");
SVM_GUEST(guest_in_1, "1: inb %dx, %al");
SVM_GUEST(guest_insb_1, "movq %rcx, %rdi\n1: insb");
SVM_GUEST(guest_outsb_1, "movq %rcx, %rsi\n1: outsb");
SVM_GUEST(guest_pushf_1, "1: pushfq");
SVM_GUEST(guest_popf_1, "1: popfq");
SVM_GUEST(guest_iret_1, "1: iretq");
SVM_GUEST(guest_int_40, "1: int $0x40");
SVM_GUEST(guest_int_14, "1: int $14");
SVM_GUEST(guest_int_3, "1: int3");
SVM_GUEST(guest_icebp, "1: .byte 0xf1");
SVM_GUEST(guest_vmmcall_1, "1: vmmcall");

/* The table's "exceptions (#GP) before the intercept", shown by privilege. */
#define FAULT_FIRST(name, word, bit, exit, guest, vector, ...)                         \
    SVM_CASE("PRIORITY.CPL3." name, INSTRUCTIONS,                                      \
             "the exception for CPL 3 comes before the intercept", guest,              \
             .always = { SVM_SET(word, BIT(bit)), SVM_ALL_EXCEPTIONS },                \
             .breaks = { SVM_CPL3 },                                                   \
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(vector)), SVM_AT(guest) },        \
             .neighbour_wants = { SVM_EXITS(exit), SVM_AT(guest) }, __VA_ARGS__)
#define GP_FIRST_CR(name, word, bit, exit, guest, ...)                                 \
    FAULT_FIRST(name, word, bit, exit, guest, 13, __VA_ARGS__)
#define GP_FIRST_1(name, bit, guest)                                                   \
    FAULT_FIRST(name, intercept1, bit, 0x60 + (bit), guest, 13)
#define GP_FIRST_2(name, bit, guest)                                                   \
    FAULT_FIRST(name, intercept2, bit, 0x80 + (bit), guest, 13)

/* The intercept wins; with the bit clear the exception shows. */
#define INTERCEPT_FIRST(name, claim, word, ...)                                        \
    INTERCEPT_FIRST_AT(INSTRUCTIONS, name, claim, word, __VA_ARGS__)
#define INTERCEPT_FIRST_AT(place, name, claim, word, bit, exit, guest, vector, ...)    \
    SVM_CASE(                                                                          \
        "PRIORITY.INTERCEPT." name, place, claim, guest,                               \
        .breaks = { SVM_SET(word, BIT(bit)) },                                         \
        .wants = { SVM_EXITS(exit), SVM_AT(guest) },                                   \
        .neighbour = { SVM_CLEAR(word, BIT(bit)) },                                    \
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(vector)), SVM_AT(guest) },   \
        __VA_ARGS__)
#define MEMORY_LATER(name, bit, guest)                                                 \
    INTERCEPT_FIRST(name, "the intercept is checked before memory is accessed",        \
                    intercept1, bit, 0x60 + (bit), guest, 14, .rcx = NOWHERE,          \
                    .always = { SVM_ALL_EXCEPTIONS })
#define STACK_LATER(name, bit, guest)                                                  \
    INTERCEPT_FIRST(name, "the intercept takes priority over any exception",           \
                    intercept1, bit, 0x60 + (bit), guest, 14,                          \
                    .always = { SVM_ALL_EXCEPTIONS, SVM_MAKE(rsp, NOWHERE) })

/* A value that the register refuses, and one that it takes. */
#define VALUE_FIRST(name, claim, word, bit, exit, guest, bad, ...)                     \
    SVM_CASE("PRIORITY.VALUE." name, INSTRUCTIONS, claim, guest,                       \
             .always = { SVM_SET(word, BIT(bit)), SVM_ALL_EXCEPTIONS },                \
             .breaks = { SVM_MAKE(rax, bad) }, __VA_ARGS__,                            \
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_AT(guest) },            \
             .neighbour_wants = { SVM_EXITS(exit), SVM_AT(guest) })

static const struct nested_rule priority[] = {
    GP_FIRST_CR("CR0.READ", intercept_cr_read, 0, 0x00, guest_get_cr0),
    GP_FIRST_CR("CR0.WRITE", intercept_cr_write, 0, 0x10, guest_set_cr0,
                .rax = 0x80010033),
    GP_FIRST_CR("CR3.WRITE", intercept_cr_write, 3, 0x13, guest_set_cr3),
    GP_FIRST_CR("CR4.WRITE", intercept_cr_write, 4, 0x14, guest_set_cr4,
                .rax = CR4_PAE),
    GP_FIRST_CR("CR8.WRITE", intercept_cr_write, 8, 0x18, guest_set_cr8),
    GP_FIRST_CR("CLTS", intercept_cr_write, 0, 0x10, guest_clts_1),
    GP_FIRST_CR("LMSW", intercept_cr_write, 0, 0x10, guest_lmsw_ax),
    GP_FIRST_CR("DR7.READ", intercept_dr_read, 7, 0x27, guest_get_dr7),
    GP_FIRST_CR("DR7.WRITE", intercept_dr_write, 7, 0x37, guest_set_dr7),
    GP_FIRST_1("LIDT", 10, guest_lidt_at),
    GP_FIRST_1("LGDT", 11, guest_lgdt_at),
    GP_FIRST_1("LLDT", 12, guest_lldt_ax),
    GP_FIRST_1("LTR", 13, guest_ltr_ax),
    GP_FIRST_1("RDPMC", 15, guest_rdpmc_1),
    GP_FIRST_1("INVD", 22, guest_invd_1),
    GP_FIRST_1("HLT", 24, guest_hlt_1),
    GP_FIRST_1("INVLPG", 25, guest_invlpg_at),
    GP_FIRST_1("INVLPGA", 26, guest_invlpga_ax),
    GP_FIRST_2("VMRUN", 0, guest_vmrun_ax),
    GP_FIRST_2("VMLOAD", 2, guest_vmload_ax),
    GP_FIRST_2("VMSAVE", 3, guest_vmsave_ax),
    GP_FIRST_2("STGI", 4, guest_stgi_1),
    GP_FIRST_2("CLGI", 5, guest_clgi_1),
    GP_FIRST_2("WBINVD", 9, guest_wbinvd_1),
    FAULT_FIRST("MONITOR", intercept2, 10, 0x8a, guest_monitor_1, 6),
    FAULT_FIRST("MWAIT", intercept2, 11, 0x8b, guest_mwait_1, 6),
    SVM_CASE("PRIORITY.CPL3.RDTSC", INSTRUCTIONS,
             "#GP for CR4.TSD comes before the RDTSC intercept", guest_rdtsc_1,
             .always = { SVM_SET(intercept1, BIT(14)), SVM_ALL_EXCEPTIONS, SVM_CPL3 },
             .breaks = { SVM_SET(cr4, BIT(2)) },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_AT(guest_rdtsc_1) },
             .neighbour_wants = { SVM_EXITS(0x6e), SVM_AT(guest_rdtsc_1) }),
    SVM_CASE("PRIORITY.CPL3.RDTSCP", INSTRUCTIONS,
             "#GP for CR4.TSD comes before the RDTSCP intercept", guest_rdtscp_1,
             .always = { SVM_SET(intercept2, BIT(7)), SVM_ALL_EXCEPTIONS, SVM_CPL3 },
             .breaks = { SVM_SET(cr4, BIT(2)) },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_AT(guest_rdtscp_1) },
             .neighbour_wants = { SVM_EXITS(0x87), SVM_AT(guest_rdtscp_1) }),
    SVM_CASE("PRIORITY.CPL3.IN", "APM2 15.10.2",
             "exceptions for IOPL and the TSS come before the IOIO intercept",
             guest_in_1, .rdx = 0x80, .prepare = svm_deny_ports,
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_IOIO), SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_CPL3 },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_AT(guest_in_1) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_IOIO), SVM_AT(guest_in_1) }),
    SVM_CASE("PRIORITY.CPL3.RDMSR", "APM2 15.11",
             "exceptions common to all MSRs come before the MSR intercept",
             guest_rdmsr_1, .rcx = MSR_EFER, .prepare = svm_deny_msrs,
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_MSR), SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_CPL3 },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_AT(guest_rdmsr_1) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_MSR), SVM_AT(guest_rdmsr_1) }),
    SVM_CASE("PRIORITY.CPL3.WRMSR", "APM2 15.11",
             "exceptions common to all MSRs come before the MSR intercept",
             guest_wrmsr_1, .rcx = MSR_EFER, .prepare = svm_deny_msrs,
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_MSR), SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_CPL3 },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)), SVM_AT(guest_wrmsr_1) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_MSR), SVM_AT(guest_wrmsr_1) }),

    MEMORY_LATER("SIDT", 6, guest_sidt_at),
    MEMORY_LATER("SGDT", 7, guest_sgdt_at),
    MEMORY_LATER("SLDT", 8, guest_sldt_at),
    MEMORY_LATER("STR", 9, guest_str_at),
    MEMORY_LATER("LIDT", 10, guest_lidt_at),
    MEMORY_LATER("LGDT", 11, guest_lgdt_at),
    INTERCEPT_FIRST("SMSW", "SMSW checks the intercept before memory exceptions",
                    intercept_cr_read, 0, 0x00, guest_smsw_at, 14, .rcx = NOWHERE,
                    .always = { SVM_ALL_EXCEPTIONS }),
    INTERCEPT_FIRST("LMSW", "LMSW checks the intercept before memory exceptions",
                    intercept_cr_write, 0, 0x10, guest_lmsw_at, 14, .rcx = NOWHERE,
                    .always = { SVM_ALL_EXCEPTIONS }),
    INTERCEPT_FIRST_AT("APM2 15.10.2", "INS",
                       "INS checks the intercept before its memory operand", intercept1,
                       27, SVM_EXIT_IOIO, guest_insb_1, 14, .rcx = NOWHERE, .rdx = 0x80,
                       .prepare = svm_deny_ports, .always = { SVM_ALL_EXCEPTIONS }),
    INTERCEPT_FIRST_AT(
        "APM2 15.10.2", "OUTS", "OUTS checks the intercept before its memory operand",
        intercept1, 27, SVM_EXIT_IOIO, guest_outsb_1, 14, .rcx = NOWHERE, .rdx = 0x80,
        .prepare = svm_deny_ports, .always = { SVM_ALL_EXCEPTIONS }),
    STACK_LATER("PUSHF", 16, guest_pushf_1),
    STACK_LATER("POPF", 17, guest_popf_1),
    STACK_LATER("IRET", 20, guest_iret_1),
    INTERCEPT_FIRST("INT", "the INTn intercept is checked before any exception",
                    intercept1, 21, SVM_EXIT_SWINT, guest_int_40, 13,
                    .always = { SVM_ALL_EXCEPTIONS, SVM_MAKE(idtr.limit, 0x3ff) }),
    INTERCEPT_FIRST("INT_DPL", "the INTn intercept is checked before the gate's DPL",
                    intercept1, 21, SVM_EXIT_SWINT, guest_int_40, 13,
                    .always = { SVM_ALL_EXCEPTIONS, SVM_CPL3 }),
    INTERCEPT_FIRST("VMMCALL", "VMMCALL has no privilege check, and is #UD by itself",
                    intercept2, 1, SVM_EXIT_VMMCALL, guest_vmmcall_1, 6,
                    .always = { SVM_ALL_EXCEPTIONS, SVM_CPL3 }),
    INTERCEPT_FIRST("XSETBV", "the XSETBV intercept is checked before #GP", intercept2,
                    13, 0x8d, guest_xsetbv_1, 13,
                    .always = { SVM_ALL_EXCEPTIONS, SVM_SET(cr4, BIT(18)), SVM_CPL3 }),

    VALUE_FIRST("CR0_PG_WITHOUT_PE",
                "an illegal combination in CR0 comes before the intercept",
                intercept_cr_write, 0, 0x10, guest_set_cr0, CR0_PG | CR0_ET,
                .neighbour = { SVM_MAKE(rax, CR0_PG | CR0_PE | CR0_ET) }),
    VALUE_FIRST(
        "CR0_NW_WITHOUT_CD", "an illegal combination in CR0 comes before the intercept",
        intercept_cr_write, 0, 0x10, guest_set_cr0, CR0_PG | CR0_PE | CR0_ET | CR0_NW,
        .neighbour = { SVM_MAKE(rax, CR0_PG | CR0_PE | CR0_ET) }),
    VALUE_FIRST("CR4_RESERVED", "a reserved bit of CR4 comes before the intercept",
                intercept_cr_write, 4, 0x14, guest_set_cr4, CR4_PAE | BIT(63),
                .neighbour = { SVM_MAKE(rax, CR4_PAE) }),
    VALUE_FIRST("CR8_RESERVED", "a reserved bit of CR8 comes before the intercept",
                intercept_cr_write, 8, 0x18, guest_set_cr8, 0x10,
                .neighbour = { SVM_MAKE(rax, 0xf) }),
    VALUE_FIRST("DR7_HIGH", "DR7[63:32] comes before the intercept", intercept_dr_write,
                7, 0x37, guest_set_dr7, BIT(32), .neighbour = { SVM_MAKE(rax, 0x400) }),
    SVM_CASE("PRIORITY.VALUE.DR4_WITH_DE", INSTRUCTIONS,
             "#UD for DR4 under CR4.DE comes before the intercept", guest_get_dr4,
             .always = { SVM_SET(intercept_dr_read, BIT(4)), SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_SET(cr4, BIT(3)) },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(6)), SVM_AT(guest_get_dr4) },
             .neighbour_wants = { SVM_EXITS(0x24), SVM_AT(guest_get_dr4) }),
    SVM_CASE("PRIORITY.VALUE.DR7_GD", INSTRUCTIONS,
             "#DB for DR7.GD comes before the intercept", guest_get_dr7,
             .always = { SVM_SET(intercept_dr_read, BIT(7)), SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_SET(dr7, BIT(13)) },
             .wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(1)), SVM_AT(guest_get_dr7) },
             .neighbour_wants = { SVM_EXITS(0x27), SVM_AT(guest_get_dr7) }),

    SVM_CASE("INTERCEPT.SELECTIVE_CR0.WP", INSTRUCTIONS,
             "the selective intercept sees a change of another bit than TS or MP",
             guest_set_cr0,
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_SELECTIVE_CR0) },
             .breaks = { SVM_MAKE(rax, 0x80000033) },
             .wants = { SVM_EXITS(SVM_EXIT_SELECTIVE_CR0), SVM_AT(guest_set_cr0) },
             .neighbour = { SVM_MAKE(rax, 0x80010033) }),
    SVM_CASE("INTERCEPT.SELECTIVE_CR0.TS_AND_MP", INSTRUCTIONS,
             "the selective intercept does not see a change of TS and MP",
             guest_set_cr0,
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_SELECTIVE_CR0) },
             .breaks = { SVM_MAKE(rax, 0x80010039) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(cr0, 0xf, 0x9) },
             .neighbour = { SVM_MAKE(rax, 0x80000039) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_SELECTIVE_CR0) }),
    SVM_CASE("INTERCEPT.SELECTIVE_CR0.LMSW", INSTRUCTIONS,
             "LMSW takes the selective intercept whatever it writes", guest_lmsw_ax,
             .rax = 0x33,
             .breaks = { SVM_SET(intercept1, SVM_INTERCEPT1_SELECTIVE_CR0) },
             .wants = { SVM_EXITS(SVM_EXIT_SELECTIVE_CR0), SVM_AT(guest_lmsw_ax) }),
    SVM_CASE("INTERCEPT.SELECTIVE_CR0.CLTS", INSTRUCTIONS,
             "CLTS does not check the selective intercept", guest_clts_1,
             .always = { SVM_SET(cr0, BIT(3)) },
             .breaks = { SVM_SET(intercept1, SVM_INTERCEPT1_SELECTIVE_CR0) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(cr0, BIT(3), 0) },
             .neighbour = { SVM_SET(intercept_cr_write, BIT(0)) },
             .neighbour_wants = { SVM_EXITS(0x10) }),
    SVM_CASE("INTERCEPT.SELECTIVE_CR0.BOTH", INSTRUCTIONS,
             "the CR0 write intercept takes priority over the selective one",
             guest_set_cr0, .rax = 0x80000033,
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_SELECTIVE_CR0) },
             .breaks = { SVM_SET(intercept_cr_write, BIT(0)) },
             .wants = { SVM_EXITS(0x10), SVM_AT(guest_set_cr0) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_SELECTIVE_CR0) }),
    SVM_CASE("INTERCEPT.LTR", INSTRUCTIONS, "LTR is intercepted", guest_ltr_ax,
             .rax = 0x10, .always = { SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_SET(intercept1, BIT(13)) },
             .wants = { SVM_EXITS(0x6d), SVM_AT(guest_ltr_ax) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(13)) }),
    SVM_CASE("INTERCEPT.ICEBP", INSTRUCTIONS, "ICEBP is intercepted", guest_icebp,
             .breaks = { SVM_SET(intercept2, BIT(8)) },
             .wants = { SVM_EXITS(0x88), SVM_AT(guest_icebp) },
             .neighbour_wants = { SVM_VECTOR(1) }),
    SVM_CASE("INTERCEPT.ICEBP.NOT_BY_DB", "APM2 15.12.2",
             "the #DB of ICEBP does not trigger the #DB intercept", guest_icebp,
             .breaks = { SVM_MAKE(intercept_exceptions, BIT(1)) },
             .wants = { SVM_VECTOR(1) }, .neighbour = { SVM_SET(intercept2, BIT(8)) },
             .neighbour_wants = { SVM_EXITS(0x88) }),
    SVM_CASE(
        "INTERCEPT.INT3.NOT_BY_INT", "APM2 15.12.4",
        "INT3 is an exception: the INTn intercept does not see it", guest_int_3,
        .breaks = { SVM_SET(intercept1, SVM_INTERCEPT1_SWINT) },
        .wants = { SVM_VECTOR(3) }, .neighbour = { SVM_ALL_EXCEPTIONS },
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_EXCEPTION(3)), SVM_AT(guest_int_3) }),
    SVM_CASE("INTERCEPT.INT.NOT_BY_EXCEPTIONS", EXCEPTIONS,
             "INT n does not check the exception intercepts", guest_int_14,
             .breaks = { SVM_ALL_EXCEPTIONS }, .wants = { SVM_VECTOR(14) },
             .neighbour = { SVM_SET(intercept1, SVM_INTERCEPT1_SWINT) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_SWINT) }),
    SVM_CASE("INTERCEPT.RDTSCP.NOT_BY_RDTSC", INSTRUCTIONS,
             "the RDTSC intercept is checked by RDTSC alone", guest_rdtscp_1,
             .breaks = { SVM_SET(intercept1, BIT(14)) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL) },
             .neighbour = { SVM_SET(intercept2, BIT(7)) },
             .neighbour_wants = { SVM_EXITS(0x87) }),
    SVM_CASE("INTERCEPT.WBINVD.NOT_BY_INVD", INSTRUCTIONS,
             "the INVD intercept is not checked by WBINVD", guest_wbinvd_1,
             .breaks = { SVM_SET(intercept1, BIT(22)) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL) },
             .neighbour = { SVM_SET(intercept2, BIT(9)) },
             .neighbour_wants = { SVM_EXITS(0x89) }),
    SVM_CASE("INTERCEPT.INVD.NOT_BY_WBINVD", INSTRUCTIONS,
             "the WBINVD intercept is not checked by INVD", guest_invd_1,
             .breaks = { SVM_SET(intercept2, BIT(9)) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL) },
             .neighbour = { SVM_SET(intercept1, BIT(22)) },
             .neighbour_wants = { SVM_EXITS(0x76) }),
};
NESTED_RULES(priority);
