/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A state is the good VMCB with up to MAX_CHANGES changes from the menu below, so that
 * most states lie on the boundary of what is legal, where the mistakes are.  The engine
 * runs it, the model says what the manual says, and where they differ the changes are
 * dropped one by one as long as they still differ.  What is left is the finding: it is
 * printed once, however often it is met.
 *
 * Every intercept is on and the guest's code is the same few bytes in every mode, so
 * that most accepted states leave the guest at once.  Some do not: an event can go
 * through a table of another mode to an address that nobody chose.  The APIC's timer
 * ends those, by the INTR intercept under V_INTR_MASKING, which no guest can hold off.
 * RFLAGS.VM is not in the menu: 16-bit addresses would make the guest run other code.
 */
#include "lib/apic.h"
#include "lib/console.h"
#include "lib/memory.h"
#include "lib/rule.h"
#include "lib/trap.h"
#include "model/svm-entry.h"
#include "svm/entry-rule.h"

#define MAX_CHANGES  4
#define MAX_FINDINGS 64
#define PROGRESS     1000 /* states from one line to the next */

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
_Static_assert(N_MENU <= 64, "a set of changes is one 64-bit mask");

static struct vmcb good, vmcb __attribute__((aligned(4096)));
static struct svm_processor processor;
static uint64_t findings[MAX_FINDINGS];
static unsigned n_findings;
static uint64_t n_open, n_preempted;

/* xorshift64*: small, and the same everywhere for the same seed. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static uint64_t random_set(uint64_t *random)
{
    uint64_t set = 0;
    uint64_t n = next_random(random) % MAX_CHANGES + 1;

    for (uint64_t i = 0; i < n; i++) {
        set |= BIT((next_random(random) >> 8) % N_MENU);
    }
    return set;
}

static void make_state(uint64_t set)
{
    memcpy(&vmcb, &good, sizeof vmcb);
    for (unsigned i = 0; i < N_MENU; i++) {
        if (set & BIT(i)) {
            svm_change_apply(&vmcb, &menu[i].change);
        }
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
    n_preempted += vmcb.exitcode == SVM_EXIT_INTR;
}

/* Whether model and engine differ about the state; OPEN agrees with everything. */
static bool differs(uint64_t set, uint64_t *out_exitcode)
{
    make_state(set);
    enum svm_entry_answer model = svm_model_entry(&vmcb, &processor, NULL);
    if (model == SVM_ENTRY_OPEN) {
        n_open++;
        return false;
    }
    run_state();
    *out_exitcode = vmcb.exitcode;
    bool is_refused = (uint32_t)vmcb.exitcode == (uint32_t)SVM_EXIT_INVALID;
    return is_refused != (model == SVM_ENTRY_REFUSED);
}

/* Drop changes, one or two at once, until none can go: one may have hidden another, and
 * two may be legal only together (EFER.LME and CR4.PAE). */
static uint64_t minimise(uint64_t set, uint64_t *exitcode)
{
    uint64_t before;

    do {
        before = set;
        for (unsigned i = 0; i < N_MENU * N_MENU; i++) {
            uint64_t dropped = BIT(i / N_MENU) | BIT(i % N_MENU);
            if ((set & dropped) == dropped && differs(set & ~dropped, exitcode)) {
                set &= ~dropped;
            }
        }
    } while (set != before);
    differs(set, exitcode);
    return set;
}

static bool is_new(uint64_t set)
{
    for (unsigned i = 0; i < n_findings; i++) {
        if (findings[i] == set) {
            return false;
        }
    }
    return n_findings < MAX_FINDINGS;
}

static void print_changes(uint64_t set)
{
    for (unsigned i = 0; i < N_MENU; i++) {
        if (set & BIT(i)) {
            nested_print(" %s", menu[i].text);
        }
    }
    nested_print("\n");
}

static void print_finding(uint64_t set, uint64_t exitcode)
{
    const char *why;

    make_state(set);
    enum svm_entry_answer model = svm_model_entry(&vmcb, &processor, &why);
    nested_print("DIFF the manual %s it (%s), exit code %lx:",
                 model == SVM_ENTRY_REFUSED ? "refuses" : "accepts", why, exitcode);
    print_changes(set);
}

static void make_good(void)
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
}

static void try_state(uint64_t set)
{
    uint64_t exitcode;

    if (!differs(set, &exitcode)) {
        return;
    }
    set = minimise(set, &exitcode);
    if (is_new(set)) {
        findings[n_findings++] = set;
        print_finding(set, exitcode);
    }
}

static void print_state(uint64_t index, uint64_t set)
{
    char separator = ':';

    nested_print("STATE %lu", index);
    for (unsigned i = 0; i < N_MENU; i++) {
        if (set & BIT(i)) {
            nested_print("%c%u", separator, i);
            separator = ',';
        }
    }
    nested_print(":");
    print_changes(set);
    nested_console_flush();
}

static void one_state(const struct nested_fuzz *fuzz, uint64_t i, uint64_t set)
{
    if (i % PROGRESS == 0) {
        nested_print("PROGRESS: %lu of %lu\n", i, fuzz->count);
    }
    if (fuzz->is_traced) {
        print_state(i, set);
    }
    try_state(set);
}

unsigned nested_fuzz(const struct nested_fuzz *fuzz)
{
    uint64_t random = fuzz->seed ? fuzz->seed : 1;

    make_good();
    nested_on_interrupt(take_timer);
    nested_apic_enable();
    nested_apic_timer(TIMER_VECTOR, TIMER_TICKS);
    for (uint64_t i = 0; i < fuzz->count; i++) {
        uint64_t set = random_set(&random);
        if (i >= fuzz->from && !(set & fuzz->avoided) && !fuzz->only) {
            one_state(fuzz, i, set);
        }
    }
    if (fuzz->only) {
        one_state(fuzz, 0, fuzz->only);
    }
    nested_apic_timer(TIMER_VECTOR, 0);
    nested_print("FUZZ: states %lu to %lu from seed %lu, %u findings, %lu left open, "
                 "%lu preempted\n",
                 fuzz->from, fuzz->count, fuzz->seed, n_findings, n_open, n_preempted);
    return n_findings;
}
