/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * processors.c - INIT, start-up IPIs and NMIs from another processor
 *
 * The second processor enters the guest, the first one sends what a row says.  A guest
 * that is active spins until it is told to stop, and then ends by VMCALL.
 */
#include "lib/smp.h"
#include "lib/trap.h"
#include "vmx/change.h"

#define MSR_VMX_MISC 0x485
#define CR4_VMXE     BIT(13)

volatile uint32_t vmx_scene_stop;
void vmx_scene_guest(void);
__asm__(".pushsection .text\n"
        "vmx_scene_guest: cmpl $0, vmx_scene_stop; je vmx_scene_guest\n"
        "1: vmcall; jmp 1b\n.popsection");

/* What the first processor does, in this order. */
enum message { NOTHING, INIT, SIPI, NMI };
#define MAX_MESSAGES 3
/* What a start-up IPI that is not intercepted starts is smp.c's own page. */
#define SIPI_VECTOR 6

struct scene {
    enum { IN_GUEST, IN_ROOT } where; /* when the messages come */
    const struct vmx_change *state, *neighbour_state;
    enum message messages[MAX_MESSAGES], neighbour_messages[MAX_MESSAGES];
    uint32_t reason, neighbour_reason;
    const struct vmx_sight *sees;
};

/* One run, shared by both processors. */
static struct {
    const struct vmx_change *state;
    bool is_sent_in_root;
    volatile uint32_t is_ready, is_sent;
    struct vmx_outcome outcome;
    uint64_t interruptibility;
} run;

static const char *lacks_second(const struct nested_rule *rule)
{
    if (!vmx_is_present()) {
        return "no VMX";
    }
    /* HLT, shutdown and wait-for-SIPI (A.6). */
    if ((cpu_rdmsr(MSR_VMX_MISC) >> 6 & 7) != 7) {
        return "an activity state that this CPU does not have";
    }
    return nested_smp_is_present() ? NULL : "no second processor";
}

/* An NMI that no guest took reaches the host when it is back. */
static void ignore(unsigned vector)
{
}

static void enter_guest(void *opaque)
{
    vmx_enable();
    vmx_good(vmx_scene_guest);
    vmx_apply(run.state);
    run.is_ready = 1;
    if (run.is_sent_in_root) {
        nested_smp_wait_for(&run.is_sent);
    }
    run.outcome = vmx_run();
}

static void send(enum message message)
{
    switch (message) {
    case NOTHING:
        return;
    case INIT:
        nested_smp_send_init();
        break;
    case SIPI:
        nested_smp_send_sipi(SIPI_VECTOR);
        break;
    case NMI:
        nested_smp_send_nmi();
        break;
    }
    nested_smp_pause();
}

static struct {
    volatile uint32_t is_ready, is_sent, is_past;
} leaving;

/* An NMI's exit leaves NMIs blocked, until IRET (27.5.5). */
static void unblock_nmis(void)
{
    uint64_t stack;

    __asm__ volatile("mov %%rsp, %0; pushq $0x10; pushq %0; pushfq; pushq $0x8;"
                     "pushq $1f; iretq; 1:"
                     : "=&r"(stack)
                     :
                     : "memory");
}

static void leave_vmx(void *opaque)
{
    vmx_enable();
    unblock_nmis();
    leaving.is_ready = 1;
    nested_smp_wait_for(&leaving.is_sent);
    __asm__ volatile("vmxoff" : : : "cc", "memory");
    nested_smp_pause();
    leaving.is_past = 1;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cpu_read_cr4() & ~CR4_VMXE));
}

static bool leaves_with(enum message message)
{
    leaving.is_ready = leaving.is_sent = leaving.is_past = 0;
    nested_smp_begin(leave_vmx, NULL);
    nested_smp_wait_for(&leaving.is_ready);
    send(message);
    leaving.is_sent = 1;
    return nested_smp_end_or_start();
}

static void play(const struct scene *scene, const struct vmx_change *state,
                 const enum message *messages)
{
    run.state = state ? state : VMX_LIST();
    run.is_sent_in_root = scene->where == IN_ROOT;
    run.is_ready = run.is_sent = 0;
    run.outcome = (struct vmx_outcome){ .way = VMX_BROKEN };
    vmx_scene_stop = 0;
    nested_on_interrupt(ignore);
    nested_smp_begin(enter_guest, NULL);
    nested_smp_wait_for(&run.is_ready);
    nested_smp_pause();
    for (unsigned i = 0; i < MAX_MESSAGES; i++) {
        send(messages[i]);
    }
    run.is_sent = 1;
    if (scene->where == IN_ROOT) {
        nested_smp_pause();
    }
    vmx_scene_stop = 1;
    nested_expect(nested_smp_end(), "the processor came back", 0);
}

/* Whatever still waits reaches the processor outside of VMX operation, and not the next
 * guest. */
static void clean_up(void)
{
    leaves_with(NOTHING);
    nested_on_interrupt(NULL);
}

/* The VMCS is current on the second processor, so it does the looking. */
static void look(void *sights)
{
    vmx_expect_sights(sights);
}

static void expect(uint32_t reason, const char *what)
{
    nested_expect(run.outcome.way == VMX_EXIT && run.outcome.detail == reason, what,
                  (uint64_t)run.outcome.way << 32 | run.outcome.detail);
}

static void check_scene(const struct nested_rule *rule)
{
    const struct scene *scene = rule->data;
    bool is_set = nested_sets_up();

    play(scene, is_set ? scene->state : scene->neighbour_state,
         is_set ? scene->messages : scene->neighbour_messages);
    expect(scene->reason, "way (2 exit, 3 none) and reason");
    if (scene->sees && run.outcome.way == VMX_EXIT) {
        nested_smp_begin(look, (void *)scene->sees);
        nested_smp_end();
    }
    clean_up();
    play(scene, scene->neighbour_state, scene->neighbour_messages);
    expect(scene->neighbour_reason, "way and reason of the neighbour");
    clean_up();
}

#define SCENE(name, place, claim, ...)                                                 \
    SCENE_READ(false, name, place, claim, __VA_ARGS__)
#define SCENE_READ(unconfirmed, name, place, claim, ...)                               \
    {                                                                                  \
        .id = "VMX." name, .cites = place, .says = claim,                              \
        .is_unconfirmed = unconfirmed, .boot = NESTED_SMP, .lacks = lacks_second,      \
        .check = check_scene, .data = &(const struct scene)                            \
        {                                                                              \
            __VA_ARGS__                                                                \
        }                                                                              \
    }

static void check_vmxoff(const struct nested_rule *rule)
{
    bool is_back = leaves_with(nested_sets_up() ? INIT : NOTHING);

    nested_expect(!is_back && !leaving.is_past, "instructions after VMXOFF ran",
                  leaving.is_past);
    nested_expect(leaves_with(NOTHING), "the neighbour came back", leaving.is_past);
}

/* The guest again after an INIT's exit: it is over, and the guest runs to its VMCALL. */
static void enter_guest_again(void *opaque)
{
    run.outcome = vmx_resume();
}

static void check_once(const struct nested_rule *rule)
{
    const struct scene init = { .messages = { nested_sets_up() ? INIT : NOTHING } };

    play(&init, NULL, init.messages);
    expect(VMX_REASON_INIT, "way and reason of the first");
    nested_smp_begin(enter_guest_again, NULL);
    nested_expect(nested_smp_end(), "the processor came back", 0);
    expect(VMX_REASON_VMCALL, "way and reason of the second");
    clean_up();
}

/* A good guest after one that waited for a SIPI: nothing is left of what that blocked. */
static void enter_good_guest(void *opaque)
{
    vmx_scene_stop = 1;
    vmx_good(vmx_scene_guest);
    run.outcome = vmx_run();
    run.interruptibility = vmx_read(VMCS_GUEST_INTERRUPTIBILITY);
}

static void check_unblocked(const struct nested_rule *rule)
{
    const struct vmx_change *state =
        VMX_LIST(VMX_MAKE(VMCS_GUEST_ACTIVITY, VMX_WAIT_FOR_SIPI));
    const struct scene sipi = { .state = nested_sets_up() ? state : NULL,
                                .messages = { SIPI } };

    play(&sipi, sipi.state, sipi.messages);
    expect(VMX_REASON_SIPI, "way and reason of the first");
    nested_smp_begin(enter_good_guest, NULL);
    nested_expect(nested_smp_end(), "the processor came back", 0);
    expect(VMX_REASON_VMCALL, "way and reason of the second");
    nested_expect(run.interruptibility == 0, "its interruptibility state",
                  run.interruptibility);
    clean_up();
}

#define IN(state)  VMX_MAKE(VMCS_GUEST_ACTIVITY, state)
#define WAITS      VMX_LIST(IN(VMX_WAIT_FOR_SIPI))
#define NO_HLT     VMX_CLEAR(VMCS_PROCESSOR_CONTROLS, VMX_CPU_HLT)
#define NMI_EXITS  VMX_PIN(VMX_PIN_NMI)
#define AT_START   VMX_SEE(VMCS_GUEST_RIP, (uint64_t)vmx_scene_guest)
#define ALONE(bit) VMX_SEE(VMCS_EXIT_QUALIFICATION, bit)

static const struct nested_rule processors[] = {
    { .id = "VMX.INIT.ONCE",
      .cites = "SDM3C 25.2",
      .says = "an INIT exits once: the guest that is resumed runs on",
      .boot = NESTED_SMP,
      .lacks = lacks_second,
      .check = check_once },
    SCENE("INIT.EXITS", "SDM3C 25.2, 27.2.1",
          "an INIT exits, and resets nothing of the processor", .messages = { INIT },
          .reason = VMX_REASON_INIT,
          .sees = VMX_SIGHTS(ALONE(0), VMX_SEE(VMCS_GUEST_ACTIVITY, 0)),
          .neighbour_reason = VMX_REASON_VMCALL),
    SCENE("INIT.IN_HLT", "SDM3C 25.2, 27.1, 27.3.4",
          "an INIT exits from HLT, which is what the activity state says",
          .state = VMX_LIST(IN(VMX_HLT), NMI_EXITS), .messages = { INIT, NMI },
          .reason = VMX_REASON_INIT,
          .sees = VMX_SIGHTS(AT_START, ALONE(0), VMX_SEE(VMCS_GUEST_ACTIVITY, VMX_HLT)),
          .neighbour_state = VMX_LIST(IN(VMX_HLT), NMI_EXITS),
          .neighbour_messages = { NMI }, .neighbour_reason = VMX_REASON_EXCEPTION),
    SCENE("INIT.IN_SHUTDOWN", "SDM3C 25.2, 27.1, 27.3.4",
          "an INIT exits from shutdown, which is what the activity state says",
          .state = VMX_LIST(IN(VMX_SHUTDOWN), NMI_EXITS), .messages = { INIT, NMI },
          .reason = VMX_REASON_INIT,
          .sees = VMX_SIGHTS(AT_START, VMX_SEE(VMCS_GUEST_ACTIVITY, VMX_SHUTDOWN)),
          .neighbour_state = VMX_LIST(IN(VMX_SHUTDOWN), NMI_EXITS),
          .neighbour_messages = { NMI }, .neighbour_reason = VMX_REASON_EXCEPTION),
    /* "Blocked", and no more: that it is held and not lost is not said. */
    SCENE_READ(
        true, "INIT.BLOCKED_IN_ROOT", "SDM3C 23.8, 25.2",
        "in VMX root operation an INIT waits, and exits from the guest entered next",
        .where = IN_ROOT, .messages = { INIT }, .reason = VMX_REASON_INIT,
        .sees = VMX_SIGHTS(AT_START), .neighbour_reason = VMX_REASON_VMCALL),
    SCENE("INIT.BLOCKED_IN_WAIT_FOR_SIPI", "SDM3C 25.2, 26.6.2",
          "in wait-for-SIPI an INIT does not exit; the SIPI after it does",
          .state = WAITS, .messages = { INIT, SIPI }, .reason = VMX_REASON_SIPI,
          .neighbour_messages = { INIT }, .neighbour_reason = VMX_REASON_INIT),
    SCENE("SIPI.EXITS", "SDM3C 25.2, 27.2.1",
          "in wait-for-SIPI a SIPI exits; the qualification is its vector, and nothing "
          "of the processor changes",
          .state = WAITS, .messages = { SIPI }, .reason = VMX_REASON_SIPI,
          .sees = VMX_SIGHTS(AT_START, ALONE(SIPI_VECTOR)),
          .neighbour_messages = { SIPI }, .neighbour_reason = VMX_REASON_VMCALL),
    SCENE("SIPI.KEEPS_THE_STATE", "SDM3C 27.1, 27.3.4",
          "the activity state after a SIPI's exit is wait-for-SIPI", .state = WAITS,
          .messages = { SIPI }, .reason = VMX_REASON_SIPI,
          .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_ACTIVITY, VMX_WAIT_FOR_SIPI)),
          .neighbour_messages = { SIPI }, .neighbour_reason = VMX_REASON_VMCALL),
    SCENE("SIPI.DISCARDED_IN_HLT", "SDM3C 25.2, 26.6.2",
          "in HLT a SIPI is discarded, and does not exit later either",
          .state = VMX_LIST(IN(VMX_HLT), NMI_EXITS), .messages = { SIPI, NMI },
          .reason = VMX_REASON_EXCEPTION,
          .sees =
              VMX_SIGHTS(VMX_SEE(VMCS_GUEST_ACTIVITY, VMX_HLT),
                         VMX_SEE(VMCS_EXIT_INTERRUPTION_INFO, VMX_EVENT(VMX_NMI, 2))),
          .neighbour_state = WAITS, .neighbour_messages = { SIPI },
          .neighbour_reason = VMX_REASON_SIPI),
    SCENE("SIPI.DISCARDED_IN_SHUTDOWN", "SDM3C 25.2, 26.6.2",
          "in shutdown a SIPI is discarded",
          .state = VMX_LIST(IN(VMX_SHUTDOWN), NMI_EXITS), .messages = { SIPI, NMI },
          .reason = VMX_REASON_EXCEPTION,
          .sees = VMX_SIGHTS(VMX_SEE(VMCS_GUEST_ACTIVITY, VMX_SHUTDOWN)),
          .neighbour_state = WAITS, .neighbour_messages = { SIPI },
          .neighbour_reason = VMX_REASON_SIPI),
    SCENE("SIPI.NMI_BLOCKED", "SDM3C 25.2, 26.6.2",
          "in wait-for-SIPI an NMI does not exit, whatever the controls",
          .state = VMX_LIST(IN(VMX_WAIT_FOR_SIPI), NMI_EXITS),
          .messages = { NMI, SIPI }, .reason = VMX_REASON_SIPI,
          .neighbour_state = VMX_LIST(NMI_EXITS), .neighbour_messages = { NMI },
          .neighbour_reason = VMX_REASON_EXCEPTION),
    { .id = "VMX.SIPI.UNBLOCKS",
      .cites = "SDM3C 26.6.2, 24.4.2 table 24-3, 27.3.4",
      .says =
          "what wait-for-SIPI blocks is blocked in that state alone: after its exit, "
          "another guest's interruptibility state is 0",
      .boot = NESTED_SMP,
      .lacks = lacks_second,
      .check = check_unblocked },
    /* "Unblocks INIT signals": so the same is not said here. */
    { .id = "VMX.INIT.AFTER_VMXOFF",
      .cites = "SDM3C 23.8, 30.3 VMXOFF",
      .says = "VMXOFF unblocks INIT: one that waited resets the processor",
      .is_unconfirmed = true,
      .boot = NESTED_SMP,
      .lacks = lacks_second,
      .check = check_vmxoff },
};
NESTED_RULES(processors);
