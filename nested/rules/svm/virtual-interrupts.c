/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtual-interrupts.c - V_IRQ, V_TPR, V_IGN_TPR, the shadow, VINTR and VGIF */
#include "svm/case.h"

#define PLACE  "APM2 15.21.4"
#define SHADOW "APM2 15.21.5"
#define VGIF   "APM2 15.33.2"

SVM_GUEST(guest_nops, "1: nop\n2: nop");
SVM_GUEST(guest_sti, "sti\n1: vmmcall");
SVM_GUEST(guest_sti_nop, "1: sti\nnop\nnop");
SVM_GUEST(guest_stgi, "1: stgi\nnop");
SVM_GUEST(guest_clgi, "1: clgi\nsti\nnop\nnop");
SVM_GUEST(guest_set_cr8, "1: movq %rax, %cr8");
SVM_GUEST(guest_get_cr8, "1: movq %cr8, %rbx");

static uint64_t stack[64] __attribute__((aligned(16)));
#define OWN_STACK SVM_MAKE(rsp, (uint64_t)(stack + 64))
#define PUSHED_RIP(reads)                                                              \
    SVM_WANT_MEMORY("pushed RIP", UINT64_MAX, (uint64_t)(reads), stack + 64 - 5)

/* VMCB 60h. */
#define TPR(n)      ((uint64_t)(n))
#define IRQ         BIT(8)
#define GIF         BIT(9)
#define PRIORITY(n) ((uint64_t)(n) << 16)
#define IGNORE_TPR  BIT(20)
#define MASKING     BIT(24)
#define GIF_ENABLE  BIT(25)

#define IF          BIT(9)
#define VECTOR      0x50
#define VIRQ(bits)  SVM_MAKE(v_intr, IRQ | (bits)), SVM_MAKE(v_intr_vector, VECTOR)
#define ENABLED     SVM_SET(rflags, IF)
#define PENDING(is) SVM_WANT_BITS(v_intr, IRQ, (is) ? IRQ : 0)

#define NOT_TAKEN SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT(rax, 0), PENDING(true)
#define TAKEN     SVM_VECTOR(VECTOR), PENDING(false)

#define TAKES(name, claim, rules, neighbours, ...)                                     \
    SVM_CASE("VIRQ." name, PLACE, claim, guest_nops, .breaks = { rules },              \
             .wants = { TAKEN }, .neighbour = { neighbours },                          \
             .neighbour_wants = { NOT_TAKEN }, __VA_ARGS__)

static const struct nested_rule virtual_interrupts[] = {
    TAKES("IF", "a pending virtual interrupt is taken when RFLAGS.IF is set", ENABLED,
          SVM_CLEAR(rflags, IF), .always = { VIRQ(PRIORITY(8)) }),
    SVM_CASE("VIRQ.TPR.ABOVE", PLACE, "its priority must be greater than V_TPR",
             guest_nops, .always = { ENABLED, VIRQ(PRIORITY(8) | TPR(7)) },
             .wants = { TAKEN },
             .neighbour = { SVM_MAKE(v_intr, IRQ | PRIORITY(8) | TPR(8)) },
             .neighbour_wants = { NOT_TAKEN }),
    SVM_CASE("VIRQ.TPR.BELOW", PLACE, "a priority below V_TPR is masked", guest_nops,
             .always = { ENABLED, VIRQ(PRIORITY(1) | TPR(15)) }, .wants = { NOT_TAKEN },
             .neighbour = { SVM_MAKE(v_intr, IRQ | PRIORITY(15) | TPR(14)) },
             .neighbour_wants = { TAKEN }),
    SVM_CASE("VIRQ.TPR.IGNORED", PLACE, "V_IGN_TPR omits the comparison", guest_nops,
             .always = { ENABLED, VIRQ(PRIORITY(1) | TPR(15)) },
             .breaks = { SVM_SET(v_intr, IGNORE_TPR) }, .wants = { TAKEN },
             .neighbour_wants = { NOT_TAKEN }),
    SVM_CASE("VIRQ.VECTOR", PLACE, "the vector is V_INTR_VECTOR's", guest_nops,
             .always = { ENABLED, VIRQ(PRIORITY(8)) },
             .breaks = { SVM_MAKE(v_intr_vector, 0xff) }, .wants = { SVM_VECTOR(0xff) },
             .neighbour_wants = { TAKEN }),
    SVM_CASE("VIRQ.LOW_VECTOR", "APM2 15.13",
             "exception intercepts do not apply, whatever its vector", guest_nops,
             .always = { ENABLED, VIRQ(PRIORITY(8)), SVM_ALL_EXCEPTIONS },
             .breaks = { SVM_MAKE(v_intr_vector, 13) }, .wants = { SVM_VECTOR(13) },
             .neighbour_wants = { TAKEN }),
    SVM_CASE("VIRQ.SHADOW", SHADOW,
             "INTERRUPT_SHADOW holds it back for one instruction", guest_nops,
             .always = { ENABLED, OWN_STACK, VIRQ(PRIORITY(8)) },
             .breaks = { SVM_MAKE(interrupt_shadow, 1) },
             .wants = { TAKEN, PUSHED_RIP(guest_nops_at + 1) },
             .neighbour_wants = { TAKEN, PUSHED_RIP(guest_nops_at) }),
    SVM_CASE(
        "VIRQ.AFTER_STI", SHADOW, "the instruction after STI does not recognize it",
        guest_sti_nop, .always = { OWN_STACK, VIRQ(PRIORITY(8)) },
        .wants = { TAKEN, PUSHED_RIP(guest_sti_nop_at + 2) }, .neighbour = { ENABLED },
        .neighbour_wants = { TAKEN, PUSHED_RIP(guest_sti_nop_at) }),
    SVM_CASE(
        "SHADOW.STI", SHADOW, "STI's shadow is saved on #VMEXIT", guest_sti,
        .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(interrupt_shadow, 1, 1) },
        .neighbour = { ENABLED },
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                             SVM_WANT_BITS(interrupt_shadow, 1, 0) }),
    SVM_CASE(
        "SHADOW.ENDS", SHADOW, "the shadow ends after one instruction", guest_nops,
        .always = { SVM_MAKE(interrupt_shadow, 1) },
        .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(interrupt_shadow, 1, 0) },
        .neighbour = { SVM_MAKE(rip, (uint64_t)svm_guest_vmmcall) },
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                             SVM_WANT_BITS(interrupt_shadow, 1, 1) }),
    SVM_CASE("VINTR.EXITS", "APM2 15.13.5",
             "the intercept comes before the interrupt is taken, and V_IRQ stays",
             guest_nops, .always = { ENABLED, VIRQ(PRIORITY(8)) },
             .breaks = { SVM_SET(intercept1, SVM_INTERCEPT1_VINTR) },
             .wants = { SVM_EXITS(SVM_EXIT_VINTR), SVM_AT(guest_nops), PENDING(true) },
             .neighbour_wants = { TAKEN }),
    SVM_CASE("VINTR.IF", "APM2 15.21.6", "masked by RFLAGS.IF, it does not exit",
             guest_nops, .breaks = { VIRQ(PRIORITY(8)) },
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_VINTR) },
             .wants = { NOT_TAKEN }, .neighbour = { VIRQ(PRIORITY(8)), ENABLED },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VINTR) }),
    SVM_CASE("VINTR.TPR", "APM2 15.21.6", "masked by V_TPR, it does not exit",
             guest_nops, .breaks = { VIRQ(PRIORITY(8) | TPR(8)) },
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_VINTR), ENABLED },
             .wants = { NOT_TAKEN }, .neighbour = { VIRQ(PRIORITY(8) | TPR(7)) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VINTR) }),
    SVM_CASE("VINTR.SHADOW", "APM2 15.21.6", "it exits after the shadow's instruction",
             guest_nops,
             .always = { SVM_SET(intercept1, SVM_INTERCEPT1_VINTR), ENABLED,
                         VIRQ(PRIORITY(8)) },
             .breaks = { SVM_MAKE(interrupt_shadow, 1) },
             .wants = { SVM_EXITS(SVM_EXIT_VINTR),
                        SVM_WANT(rip, (uint64_t)(guest_nops_at + 1)) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VINTR), SVM_AT(guest_nops) }),
    SVM_CASE("VGIF.CLEAR", VGIF, "a clear virtual GIF masks virtual interrupts",
             guest_nops, .needs = SVM_HAS_VGIF, .always = { ENABLED },
             .breaks = { VIRQ(PRIORITY(8) | GIF_ENABLE) }, .wants = { NOT_TAKEN },
             .neighbour = { VIRQ(PRIORITY(8) | GIF_ENABLE | GIF) },
             .neighbour_wants = { TAKEN }),
    SVM_CASE("VGIF.DISABLED", VGIF, "without its enable bit it does not mask",
             guest_nops, .needs = SVM_HAS_VGIF, .always = { ENABLED },
             .breaks = { VIRQ(PRIORITY(8)) }, .wants = { TAKEN },
             .neighbour = { VIRQ(PRIORITY(8) | GIF_ENABLE) },
             .neighbour_wants = { NOT_TAKEN }),
    SVM_CASE("VGIF.STGI", VGIF, "the guest's STGI sets it", guest_stgi,
             .needs = SVM_HAS_VGIF, .breaks = { SVM_MAKE(v_intr, GIF_ENABLE) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(v_intr, GIF, GIF) },
             .neighbour = { SVM_MAKE(v_intr, GIF_ENABLE), SVM_SET(intercept2, BIT(4)) },
             .neighbour_wants = { SVM_EXITS(0x84), SVM_WANT_BITS(v_intr, GIF, 0) }),
    SVM_CASE("VGIF.STGI.UNMASKS", VGIF, "the guest's STGI lets the interrupt in",
             guest_stgi, .needs = SVM_HAS_VGIF, .always = { ENABLED },
             .breaks = { VIRQ(PRIORITY(8) | GIF_ENABLE) }, .wants = { TAKEN },
             .neighbour = { VIRQ(PRIORITY(8) | GIF_ENABLE), SVM_CLEAR(rflags, IF) },
             .neighbour_wants = { NOT_TAKEN }),
    SVM_CASE("VGIF.CLGI", VGIF, "the guest's CLGI clears it and masks", guest_clgi,
             .needs = SVM_HAS_VGIF, .breaks = { VIRQ(PRIORITY(8) | GIF_ENABLE | GIF) },
             .wants = { NOT_TAKEN, SVM_WANT_BITS(v_intr, GIF, 0) },
             .neighbour = { VIRQ(PRIORITY(8) | GIF_ENABLE | GIF),
                            SVM_SET(intercept2, BIT(5)) },
             .neighbour_wants = { SVM_EXITS(0x85), SVM_WANT_BITS(v_intr, GIF, GIF) }),

    SVM_CASE("VTPR.WRITE", "APM2 15.21.2",
             "with V_INTR_MASKING a write to CR8 goes to V_TPR", guest_set_cr8,
             .rax = 5, .breaks = { SVM_MAKE(v_intr, MASKING | TPR(9)) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(v_intr, 0xf, 5) },
             .neighbour = { SVM_MAKE(v_intr, MASKING | TPR(9)), SVM_MAKE(rax, 0) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                                  SVM_WANT_BITS(v_intr, 0xf, 0) }),
    SVM_CASE(
        "VTPR.READ", "APM2 15.21.2", "with V_INTR_MASKING CR8 reads V_TPR",
        guest_get_cr8, .breaks = { SVM_MAKE(v_intr, MASKING | TPR(6)) },
        .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_REGISTER(rbx, 6) },
        .neighbour = { SVM_MAKE(v_intr, MASKING) },
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_REGISTER(rbx, 0) }),
    SVM_CASE(
        "VTPR.NOT_READ", "APM2 15.21.2",
        "without V_INTR_MASKING CR8 reads the APIC's TPR", guest_get_cr8,
        .breaks = { SVM_MAKE(v_intr, TPR(6)) },
        .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_REGISTER(rbx, 0) },
        .neighbour = { SVM_MAKE(v_intr, MASKING | TPR(6)) },
        .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_REGISTER(rbx, 6) }),
    SVM_CASE("VTPR.SAVED", "APM2 15.21.2", "V_TPR is written back by #VMEXIT",
             guest_nops, .breaks = { SVM_MAKE(v_intr, MASKING | TPR(11)) },
             .wants = { SVM_EXITS(SVM_EXIT_VMMCALL), SVM_WANT_BITS(v_intr, 0xf, 11) },
             .neighbour = { SVM_MAKE(v_intr, MASKING) },
             .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                                  SVM_WANT_BITS(v_intr, 0xf, 0) }),
};
NESTED_RULES(virtual_interrupts);
