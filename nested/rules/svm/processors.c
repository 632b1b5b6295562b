/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * processors.c - what another processor does to a guest and to its VMCB
 *
 * The second processor runs the guest; the first sends INITs and writes to the VMCB.  A
 * guest spins until it is told to stop, and then ends by VMMCALL.
 */
#include "lib/memory.h"
#include "lib/smp.h"
#include "lib/trap.h"
#include "svm/case.h"

#define MSR_VM_CR      0xC0010114
#define VM_CR_R_INIT   BIT(1)
#define INTERCEPT_INIT BIT(3)
#define EXIT_INIT      0x63
#define EXIT_VMRUN     0x80
#define TRAP_SX        30

volatile uint32_t svm_scene_stop;
void svm_scene_guest(void);
__asm__(".pushsection .text\n"
        "svm_scene_guest: cmpl $0, svm_scene_stop; je svm_scene_guest\n"
        "1: vmmcall; jmp 1b\n.popsection");

static struct vmcb vmcb __attribute__((aligned(4096)));

/* One run, shared by both processors. */
static struct {
    uint32_t intercepts;
    bool is_sent_with_gif_clear;
    volatile uint32_t is_ready, is_sent, is_past;
    int trap;
    uint64_t error_code;
} run;

static const char *lacks_second(const struct nested_rule *rule)
{
    if (!svm_is_present()) {
        return "no SVM";
    }
    return nested_smp_is_present() ? NULL : "no second processor";
}

static void enter_guest(void *opaque)
{
    struct svm_registers registers;

    svm_enable();
    svm_good(&vmcb, svm_scene_guest);
    vmcb.intercept1 |= run.intercepts;
    if (run.is_sent_with_gif_clear) {
        __asm__ volatile("clgi" : : : "memory");
        run.is_ready = 1;
        nested_smp_wait_for(&run.is_sent);
        run.is_past = 1;
    }
    run.is_ready = 1;
    svm_run(&vmcb, &registers); /* ends with STGI */
}

/* Send an INIT (or none) when the processor is ready, and come back when it is done or
 * was started anew: then false. */
static bool play(void (*work)(void *), bool is_sent)
{
    run.is_ready = run.is_sent = run.is_past = 0;
    svm_scene_stop = 0;
    nested_smp_begin(work, NULL);
    nested_smp_wait_for(&run.is_ready);
    nested_smp_pause();
    if (is_sent) {
        nested_smp_send_init();
        nested_smp_pause();
    }
    run.is_sent = 1;
    nested_smp_pause();
    svm_scene_stop = 1;
    return nested_smp_end_or_start();
}

/* An INIT that was intercepted still waits, and STGI lets the host have it: whether the
 * processor comes back is not asked. */
static void check_intercepted(const struct nested_rule *rule)
{
    run.intercepts = INTERCEPT_INIT;
    run.is_sent_with_gif_clear = false;
    play(enter_guest, nested_sets_up());
    nested_expect(vmcb.exitcode == EXIT_INIT, "exit code", vmcb.exitcode);
    bool is_back = play(enter_guest, false);
    nested_expect(is_back && vmcb.exitcode == SVM_EXIT_VMMCALL,
                  "exit code of the neighbour", vmcb.exitcode);
}

static void check_taken(const struct nested_rule *rule)
{
    run.intercepts = 0;
    run.is_sent_with_gif_clear = false;
    bool is_back = play(enter_guest, nested_sets_up());
    nested_expect(!is_back && vmcb.exitcode == 0,
                  "the guest's processor was not reset; exit code", vmcb.exitcode);
    is_back = play(enter_guest, false);
    nested_expect(is_back && vmcb.exitcode == SVM_EXIT_VMMCALL,
                  "exit code of the neighbour", vmcb.exitcode);
}

static void check_held(const struct nested_rule *rule)
{
    run.intercepts = INTERCEPT_INIT;
    run.is_sent_with_gif_clear = true;
    play(enter_guest, nested_sets_up());
    nested_expect(run.is_past, "the host's processor was reset with GIF clear", 0);
    nested_expect(vmcb.exitcode == EXIT_INIT && vmcb.rip == (uint64_t)svm_scene_guest,
                  "exit code", vmcb.exitcode);
    bool is_back = play(enter_guest, false);
    nested_expect(is_back && vmcb.exitcode == SVM_EXIT_VMMCALL,
                  "exit code of the neighbour", vmcb.exitcode);
}

/* R_INIT: an INIT to the host is #SX with error code 1. */

static void wait_for_sending(void *opaque)
{
    nested_smp_wait_for(&run.is_sent);
    nested_smp_pause();
}

static void wait_with_redirection(void *opaque)
{
    svm_enable();
    cpu_wrmsr(MSR_VM_CR, cpu_rdmsr(MSR_VM_CR) | VM_CR_R_INIT);
    run.is_ready = 1;
    run.trap = nested_try(wait_for_sending, NULL);
    run.error_code = nested_try_error_code();
    cpu_wrmsr(MSR_VM_CR, cpu_rdmsr(MSR_VM_CR) & ~VM_CR_R_INIT);
}

static void check_redirected(const struct nested_rule *rule)
{
    run.trap = TRAP_NONE;
    bool is_back = play(wait_with_redirection, nested_sets_up());
    nested_expect(is_back && run.trap == TRAP_SX, "exception, or -1 for a reset",
                  (uint64_t)run.trap);
    nested_expect(run.error_code == 1, "its error code", run.error_code);
    is_back = play(wait_with_redirection, false);
    nested_expect(is_back && run.trap == TRAP_NONE, "exception of the neighbour",
                  (uint64_t)run.trap);
}

/* CVE-2021-29657: VMRUN's intercept flips between check and use. */

/* The address is good: it is the intercept alone that keeps the guest from it. */
static uint8_t other_vmcb[4096] __attribute__((aligned(4096)));
SVM_GUEST(guest_vmrun_other, "1: vmrun %rax");

/* Of each outcome how many. */
static struct {
    uint32_t n_refused, n_intercepted, n_others;
    uint64_t other;
} flips;
static volatile uint32_t is_flipping;
#define MAX_RUNS   5000
#define QUIET_RUNS 100 /* the neighbour's: nobody ends its wait early */

static void flip(void)
{
    volatile uint32_t *word =
        (volatile uint32_t *)((uint8_t *)&vmcb + offsetof(struct vmcb, intercept2));

    while (is_flipping) {
        *word ^= SVM_INTERCEPT2_VMRUN;
    }
}

static void run_while_flipping(void *opaque)
{
    struct svm_registers registers;
    unsigned n_runs = is_flipping ? MAX_RUNS : QUIET_RUNS;

    svm_enable();
    svm_good(&vmcb, guest_vmrun_other);
    vmcb.intercept_exceptions = UINT32_MAX;
    run.is_ready = 1;
    nested_smp_pause();
    for (unsigned i = 0; i < n_runs && !(flips.n_refused && flips.n_intercepted); i++) {
        svm_prepare_run(&registers);
        vmcb.rip = (uint64_t)guest_vmrun_other;
        vmcb.rax = (uint64_t)other_vmcb;
        svm_enter_guest(&vmcb, &registers);
        if ((uint32_t)vmcb.exitcode == (uint32_t)SVM_EXIT_INVALID) {
            flips.n_refused++;
        } else if (vmcb.exitcode == EXIT_VMRUN) {
            flips.n_intercepted++;
        } else {
            flips.n_others++;
            flips.other = vmcb.exitcode;
        }
    }
    is_flipping = 0;
}

static void run_flipping(bool is_flipped)
{
    memset(&flips, 0, sizeof flips);
    run.is_ready = 0;
    is_flipping = is_flipped;
    nested_smp_begin(run_while_flipping, NULL);
    nested_smp_wait_for(&run.is_ready);
    flip();
    nested_expect(nested_smp_end(), "the processor came back", 0);
}

static void check_flipping(const struct nested_rule *rule)
{
    run_flipping(nested_sets_up());
    nested_expect(flips.n_others == 0, "another exit code, when the bit was in motion",
                  flips.other);
    nested_expect(flips.n_refused && flips.n_intercepted,
                  "only one of both outcomes was met; refused", flips.n_refused);
    run_flipping(false);
    nested_expect(flips.n_intercepted == QUIET_RUNS, "neighbour: not intercepted",
                  QUIET_RUNS - flips.n_intercepted);
}

/* SMI, from the chipset's port: the firmware's handler takes one that is not intercepted,
 * and RSM brings the guest back with what it had. */

#define MSR_HWCR      0xC0010015
#define HWCR_SMMLOCK  BIT(0)
#define INTERCEPT_SMI BIT(2)
#define EXIT_SMI      0x62
SVM_GUEST(guest_smi, "movl $0x77, %eax\n1: outb %al, $0xb2\n"
                     "movl $1000, %ecx\n2: loop 2b\nmovl $0x5a17, %ebx");

static void read_hwcr(void *value)
{
    *(uint64_t *)value = cpu_rdmsr(MSR_HWCR);
}

/* Firmware that locks SMM has the intercept ignored (15.13.3). */
static const char *lacks_smi(const struct nested_rule *rule)
{
    const char *lack = svm_lacks_case(rule);
    uint64_t hwcr = 0;

    if (lack) {
        return lack;
    }
    bool is_there = nested_try(read_hwcr, &hwcr) == TRAP_NONE;
    return is_there && hwcr & HWCR_SMMLOCK ? "SMIs that can be intercepted" : NULL;
}

#define ALONE(name, claim, ...)                                                        \
    {                                                                                  \
        .id = "SVM.SMI." name, .cites = "APM2 15.13.3, 15.22.2 table 15-14, C",        \
        .says = claim, .boot = NESTED_ALONE, .lacks = lacks_smi,                       \
        .check = svm_check_case,                                                       \
        .data = &(const struct svm_case){ .code = guest_smi, __VA_ARGS__ },            \
    }

#define RULE(name, place, claim, doubt, function)                                      \
    {                                                                                  \
        .id = "SVM." name, .cites = place, .says = claim, .is_unconfirmed = doubt,     \
        .boot = NESTED_SMP, .lacks = lacks_second, .check = function,                  \
    }

static const struct nested_rule processors[] = {
    RULE("INIT.INTERCEPTED", "APM2 15.13.4, 15.21.8 table 15-12, C",
         "an intercepted INIT exits with code 63h", false, check_intercepted),
    RULE("INIT.TAKEN", "APM2 15.21.8 table 15-12",
         "an INIT that is not intercepted resets the guest's processor", false,
         check_taken),
    RULE("INIT.HELD_BY_GIF", "APM2 15.17 table 15-10, 15.21.8 table 15-12",
         "with GIF clear an INIT waits, and exits from the guest that VMRUN enters",
         false, check_held),
    RULE("INIT.REDIRECTED", "APM2 15.21.8 table 15-12, 15.28",
         "with VM_CR.R_INIT an INIT is #SX with error code 1", false, check_redirected),
    ALONE("INTERCEPTED", "an intercepted SMI exits with code 62h",
          .breaks = { SVM_SET(intercept1, INTERCEPT_SMI) },
          .wants = { SVM_EXITS(EXIT_SMI) },
          .neighbour_wants = { SVM_EXITS(SVM_EXIT_VMMCALL),
                               SVM_WANT_REGISTER(rbx, 0x5a17) }),
    RULE("ENTRY.INTERCEPT.VMRUN_FLIPS", "APM2 15.5.1, 15.9",
         "VMRUN's intercept is read once: another processor that writes it gets a "
         "refusal or the intercept, never a guest without it",
         false, check_flipping),
};
NESTED_RULES(processors);
