/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Changes are the menu below, most of them on the boundary of what is legal, where the
 * mistakes are.  Every intercept is on and the guest's code is the same few bytes in
 * every mode, so that most accepted states leave the guest at once.  Some do not: an
 * event can go through a table of another mode to an address that nobody chose.  The
 * APIC's timer ends those, by the INTR intercept under V_INTR_MASKING, which no guest
 * can hold off.  RFLAGS.VM is not in the menu: 16-bit addresses would make the guest run
 * other code.
 */
#include "fuzz/fuzz.h"
#include "lib/apic.h"
#include "lib/console.h"
#include "lib/memory.h"
#include "lib/trap.h"
#include "model/svm-entry.h"
#include "svm/entry-rule.h"

#define TIMER_VECTOR 0x60
#define TIMER_TICKS  200000 /* a fifth of a millisecond on QEMU */
#define V_MASKING    BIT(24)

#define SET(field, bits)                                                               \
    {                                                                                  \
        SVM_SET(field, bits), "SVM_SET(" #field ", " #bits ")"                         \
    }
#define CLEAR(field, bits)                                                             \
    {                                                                                  \
        SVM_CLEAR(field, bits), "SVM_CLEAR(" #field ", " #bits ")"                     \
    }
#define MAKE(field, value)                                                             \
    {                                                                                  \
        SVM_MAKE(field, value), "SVM_MAKE(" #field ", " #value ")"                     \
    }
#define LIMIT(field, less)                                                             \
    {                                                                                  \
        SVM_BEFORE_LIMIT(field, less), "SVM_BEFORE_LIMIT(" #field ", " #less ")"       \
    }
#define EVENT(type, vector) (SVM_EVENT_VALID | SVM_EVENT_TYPE(type) | (vector))

static const struct {
    struct svm_change change;
    const char *text; /* as a rule would have it */
} menu[] = {
    CLEAR(cr0, CR0_PE),
    CLEAR(cr0, CR0_PG),
    CLEAR(cr0, CR0_WP),
    SET(cr0, CR0_NW),
    SET(cr0, CR0_CD),
    SET(cr0, BIT(32)),
    SET(cr0, BIT(63)),
    SET(cr3, BIT(51)),
    SET(cr3, BIT(52)),
    SET(cr3, BIT(63)),
    LIMIT(cr3, 0),
    LIMIT(cr3, 0x1000),
    CLEAR(cr4, CR4_PAE),
    SET(cr4, BIT(32)),
    SET(cr4, BIT(63)),
    SET(dr6, BIT(31)),
    SET(dr6, BIT(32)),
    SET(dr7, BIT(31)),
    SET(dr7, BIT(32)),
    SET(dr7, BIT(63)),
    CLEAR(efer, EFER_SVME),
    CLEAR(efer, EFER_LME),
    CLEAR(efer, EFER_LMA),
    CLEAR(efer, EFER_NXE),
    SET(efer, BIT(1)),
    SET(efer, BIT(9)),
    SET(efer, BIT(32)),
    SET(efer, BIT(63)),
    SET(cs.attributes, SVM_ATTRIBUTE_D),
    CLEAR(cs.attributes, SVM_ATTRIBUTE_L),
    CLEAR(intercept2, SVM_INTERCEPT2_VMRUN),
    MAKE(guest_asid, 0),
    MAKE(guest_asid, 2),
    LIMIT(iopm_base_pa, 0),
    LIMIT(iopm_base_pa, 0x2000),
    LIMIT(iopm_base_pa, 0x3000),
    LIMIT(msrpm_base_pa, 0),
    LIMIT(msrpm_base_pa, 0x1000),
    LIMIT(msrpm_base_pa, 0x2000),
    LIMIT(msrpm_base_pa, 0x3000),
    SET(msrpm_base_pa, 0xfff),
    SET(iopm_base_pa, 0xfff),
    MAKE(eventinj, EVENT(0, 0x40)),
    MAKE(eventinj, EVENT(1, 0x40)),
    MAKE(eventinj, EVENT(2, 2)),
    MAKE(eventinj, EVENT(3, 0)),
    MAKE(eventinj, EVENT(3, 2)),
    MAKE(eventinj, EVENT(3, 14)),
    MAKE(eventinj, EVENT(3, 31)),
    MAKE(eventinj, EVENT(3, 32)),
    MAKE(eventinj, EVENT(4, 0x40)),
    MAKE(eventinj, EVENT(5, 0x40)),
    MAKE(eventinj, EVENT(7, 0x40)),
    MAKE(eventinj, 0x740),
    MAKE(np_enable, 1),
    MAKE(n_cr3, BIT(52)),
    MAKE(n_cr3, BIT(63)),
    SET(tlb_control, 2),
    SET(interrupt_shadow, 1),
    SET(rflags, BIT(9)),
    SET(g_pat, BIT(7)),
    MAKE(g_pat, 0x0606060606060602),
    MAKE(eventinj, EVENT(3, 5)),
};

#define N_MENU (sizeof menu / sizeof *menu)

static struct vmcb good, vmcb __attribute__((aligned(4096)));
static struct svm_processor processor;
static enum svm_entry_answer model;
static const char *why;

static uint32_t pick(uint64_t random)
{
    return (uint32_t)(random % N_MENU);
}

static void make_state(const struct nested_changes *set)
{
    memcpy(&vmcb, &good, sizeof vmcb);
    for (unsigned i = 0; i < set->n_changes; i++) {
        svm_change_apply(&vmcb, &menu[set->changes[i]].change);
    }
}

static void take_timer(unsigned vector)
{
    nested_apic_end();
}

/* Interrupts are on around VMRUN alone: V_INTR_MASKING looks at the host's IF. */
static void run_state(void)
{
    struct svm_registers registers;

    __asm__ volatile("sti" : : : "memory");
    svm_run(&vmcb, &registers);
    __asm__ volatile("cli" : : : "memory");
}

static bool judge(const struct nested_changes *set, struct fuzz_difference *out)
{
    make_state(set);
    model = svm_model_entry(&vmcb, &processor, &why);
    *out = (struct fuzz_difference){
        .check = why,
        .cites = "APM2 15.5.1",
        .is_accepted = model == SVM_ENTRY_ACCEPTED,
    };
    return model != SVM_ENTRY_OPEN;
}

static bool run(struct fuzz_difference *out)
{
    run_state();
    bool is_refused = (uint32_t)vmcb.exitcode == (uint32_t)SVM_EXIT_INVALID;
    out->engine = is_refused ? "VMEXIT_INVALID" : "enters";
    return is_refused == (model == SVM_ENTRY_REFUSED);
}

static void print_change(uint32_t change)
{
    nested_print("%s", menu[change % N_MENU].text);
}

static void print_model(void)
{
    nested_print("%s", model == SVM_ENTRY_REFUSED ? "VMEXIT_INVALID" : "enters");
}

/* A row of svm/entry-rule.h changes one field. */
static void print_rule(const struct nested_changes *set)
{
    if (set->n_changes != 1) {
        nested_print("a struct svm_case: rows change one field");
        return;
    }
    nested_print("SVM_ENTRY_RULE(\"NAME\", \"APM2 15.5.1\", \"%s\", ", why);
    if (model == SVM_ENTRY_ACCEPTED) {
        nested_print("/* broken */, ");
    }
    fuzz_print_changes(set);
    nested_print(model == SVM_ENTRY_ACCEPTED ? ")" : ", SVM_NO_CHANGE)");
}

static void start(void)
{
    svm_enable();
    svm_good(&good, svm_guest_vmmcall);
    good.intercept_cr_read = good.intercept_cr_write = UINT16_MAX;
    good.intercept_dr_read = good.intercept_dr_write = UINT16_MAX;
    good.intercept_exceptions = UINT32_MAX;
    good.intercept1 = good.intercept2 = UINT32_MAX;
    good.v_intr = V_MASKING;
    processor.physical_bits = cpu_physical_bits();
    processor.n_asids = svm_n_asids();
    nested_on_interrupt(take_timer);
    nested_apic_enable();
    nested_apic_timer(TIMER_VECTOR, TIMER_TICKS);
}

static void stop(void)
{
    nested_apic_timer(TIMER_VECTOR, 0);
}

const struct fuzz_target fuzz_target = {
    .start = start,
    .stop = stop,
    .pick = pick,
    .judge = judge,
    .run = run,
    .print_change = print_change,
    .print_model = print_model,
    .print_rule = print_rule,
};
