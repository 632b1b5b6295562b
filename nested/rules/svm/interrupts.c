/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* interrupts.c - physical interrupts while a guest runs, and the global interrupt flag */
#include "lib/apic.h"
#include "lib/trap.h"
#include "svm/case.h"

#define VECTOR         0x60
#define VIRTUAL_VECTOR 0x50

#define IF            BIT(9)
#define V_IRQ         BIT(8)
#define V_PRIORITY(n) ((uint32_t)(n) << 16)
#define V_MASKING     BIT(24)

#define TIMER_TICKS 5000000 /* 5 ms on QEMU: ends a HLT that nothing else ends */
/* A net only: on a busy machine the time until the guest runs is a host's, and long. */
#define NET_TICKS 200000000

SVM_GUEST(guest_nops, "1: nop\nnop\nnop\nnop");
SVM_GUEST(guest_sti_hlt, "sti\n1: hlt");

static struct vmcb vmcb __attribute__((aligned(4096)));
static volatile unsigned n_taken; /* by the host */

static void take(unsigned vector)
{
    n_taken++;
    if (vector != TRAP_NMI) {
        nested_apic_end();
    }
}

struct situation {
    bool has_interrupt, has_nmi, has_virtual;
    bool guest_if, host_if, is_masking;
    bool is_halting; /* under the timer */
    uint32_t intercepts;
    uint64_t exit; /* 0: VMMCALL */
    int vector;    /* in the guest, or 0 */
};

struct pair {
    struct situation rule, neighbour;
};

/* With GIF clear, so that nothing is taken before the guest runs. */
static void hold_and_send(const struct situation *s)
{
    __asm__ volatile("clgi");
    if (s->has_interrupt) {
        nested_apic_send(VECTOR);
    }
    if (s->has_nmi) {
        nested_apic_send_nmi();
    }
    if (s->is_halting) {
        nested_apic_timer(VECTOR, s->has_virtual ? NET_TICKS : TIMER_TICKS);
    }
}

/* Whatever is still pending goes to the host. */
static void drain(void)
{
    nested_apic_timer(VECTOR, 0);
    __asm__ volatile("stgi\nsti\nnop\nnop\ncli" : : : "memory");
    nested_apic_end();
}

static void expect(const struct situation *s)
{
    uint64_t wanted = s->exit ? s->exit : SVM_EXIT_VMMCALL;
    unsigned n_sent = (unsigned)s->has_interrupt + s->has_nmi;
    bool is_for_guest = s->vector == VECTOR;

    nested_expect(vmcb.exitcode == wanted, "exit code", vmcb.exitcode);
    if (s->vector) {
        nested_expect((uint32_t)vmcb.rax == (uint32_t)s->vector, "vector", vmcb.rax);
    }
    if (s->has_virtual) {
        bool is_taken = s->vector == VIRTUAL_VECTOR;
        nested_expect(!(vmcb.v_intr & V_IRQ) == is_taken, "V_IRQ", vmcb.v_intr);
    }
    nested_expect(s->is_halting || n_taken == n_sent - is_for_guest,
                  "taken by the host", n_taken);
}

static void run(const struct situation *s)
{
    struct svm_registers registers;

    svm_good(&vmcb, s->is_halting ? guest_sti_hlt : guest_nops);
    vmcb.intercept1 &= ~(s->is_halting ? (uint32_t)SVM_INTERCEPT1_HLT : 0);
    vmcb.rflags |= s->guest_if ? IF : 0;
    vmcb.intercept1 |= s->intercepts;
    vmcb.v_intr =
        (s->is_masking ? V_MASKING : 0) | (s->has_virtual ? V_IRQ | V_PRIORITY(8) : 0);
    vmcb.v_intr_vector = VIRTUAL_VECTOR;
    n_taken = 0;
    hold_and_send(s);
    if (s->host_if) {
        __asm__ volatile("sti");
    }
    bool is_intact = svm_run(&vmcb, &registers);
    __asm__ volatile("cli");
    drain();
    nested_expect(is_intact, "a host register lost its canary", 0);
    expect(s);
}

static void check_pair(const struct nested_rule *rule)
{
    const struct pair *pair = rule->data;
    const struct situation *s = &pair->rule;

    svm_enable();
    nested_apic_enable();
    nested_on_interrupt(take);
    if (nested_sets_up()) {
        run(s);
    } else {
        run(&pair->neighbour);
        expect(s);
    }
    run(&pair->neighbour);
    nested_on_interrupt(NULL);
}

#define INTERRUPT(name, place, claim, ...)                                             \
    {                                                                                  \
        .id = "SVM." name, .cites = place, .says = claim, .lacks = svm_lacks,          \
        .check = check_pair, .data = &(const struct pair){ __VA_ARGS__ },              \
    }

static const struct nested_rule interrupts[] = {
    INTERRUPT(
        "INTR.EXITS", "APM2 15.13, 15.13.1",
        "an intercepted interrupt exits, and stays pending for the host",
        .rule = { .has_interrupt = true,
                  .guest_if = true,
                  .intercepts = SVM_INTERCEPT1_INTR,
                  .exit = SVM_EXIT_INTR },
        .neighbour = { .has_interrupt = true, .intercepts = SVM_INTERCEPT1_INTR }),
    INTERRUPT("INTR.TAKEN", "APM2 15.21.1",
              "an interrupt that is not intercepted goes to the guest",
              .rule = { .has_interrupt = true, .guest_if = true, .vector = VECTOR },
              .neighbour = { .has_interrupt = true }),
    INTERRUPT("INTR.MASKING.HOST_IF", "APM2 15.21.1",
              "with V_INTR_MASKING the host's IF controls physical interrupts",
              .rule = { .has_interrupt = true,
                        .host_if = true,
                        .is_masking = true,
                        .intercepts = SVM_INTERCEPT1_INTR,
                        .exit = SVM_EXIT_INTR },
              .neighbour = { .has_interrupt = true,
                             .is_masking = true,
                             .intercepts = SVM_INTERCEPT1_INTR }),
    INTERRUPT("INTR.MASKING.GUEST_IF", "APM2 15.21.1",
              "with V_INTR_MASKING the guest's IF is for virtual interrupts only",
              .rule = { .has_interrupt = true,
                        .guest_if = true,
                        .is_masking = true,
                        .intercepts = SVM_INTERCEPT1_INTR },
              .neighbour = { .has_interrupt = true,
                             .guest_if = true,
                             .intercepts = SVM_INTERCEPT1_INTR,
                             .exit = SVM_EXIT_INTR }),
    INTERRUPT("INTR.HOST_IF_WITHOUT_MASKING", "APM2 15.21.1",
              "without V_INTR_MASKING the host's IF is not looked at",
              .rule = { .has_interrupt = true,
                        .host_if = true,
                        .intercepts = SVM_INTERCEPT1_INTR },
              .neighbour = { .has_interrupt = true,
                             .host_if = true,
                             .is_masking = true,
                             .intercepts = SVM_INTERCEPT1_INTR,
                             .exit = SVM_EXIT_INTR }),
    INTERRUPT("INTR.BEFORE_VIRTUAL", "APM2 15.21.4",
              "physical interrupts take priority over virtual ones",
              .rule = { .has_interrupt = true,
                        .has_virtual = true,
                        .guest_if = true,
                        .intercepts = SVM_INTERCEPT1_INTR,
                        .exit = SVM_EXIT_INTR },
              .neighbour = { .has_virtual = true,
                             .guest_if = true,
                             .intercepts = SVM_INTERCEPT1_INTR,
                             .vector = VIRTUAL_VECTOR }),
    INTERRUPT("VIRQ.WAKES_HLT", "APM2 15.21.4", "a virtual interrupt ends HLT",
              .rule = { .has_virtual = true,
                        .is_halting = true,
                        .intercepts = SVM_INTERCEPT1_INTR,
                        .vector = VIRTUAL_VECTOR },
              .neighbour = { .is_halting = true,
                             .intercepts = SVM_INTERCEPT1_INTR,
                             .exit = SVM_EXIT_INTR }),
    INTERRUPT(
        "NMI.EXITS", "APM2 15.21.9",
        "an intercepted NMI exits, and stays pending for the host",
        .rule = { .has_nmi = true, .intercepts = SVM_INTERCEPT1_NMI, .exit = 0x61 },
        .neighbour = { .intercepts = SVM_INTERCEPT1_NMI }),
};
NESTED_RULES(interrupts);

/* GIF on the host alone. */
static void check_gif(const struct nested_rule *rule)
{
    svm_enable();
    nested_apic_enable();
    nested_on_interrupt(take);
    n_taken = 0;
    if (nested_sets_up()) {
        __asm__ volatile("clgi");
    }
    nested_apic_send(VECTOR);
    __asm__ volatile("sti\nnop\nnop" : : : "memory");
    nested_expect(n_taken == 0, "taken with GIF clear", n_taken);
    __asm__ volatile("stgi\nnop\ncli" : : : "memory");
    nested_expect(n_taken == 1, "taken with GIF set", n_taken);
    drain();
    nested_on_interrupt(NULL);
}

static const struct nested_rule gif[] = {
    { .id = "SVM.GIF.HOLDS_INTERRUPTS",
      .cites = "APM2 15.17",
      .says = "an interrupt is held pending until GIF is set",
      .lacks = svm_lacks,
      .check = check_gif },
};
NESTED_RULES(gif);
