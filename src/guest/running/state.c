/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Some states look alike from outside and differ in what has to happen next; that is
 * where memory such as "a reboot was asked for" lives, instead of in flags beside the
 * table.  REBOOTING shows as "running"; IN_SHUTDOWN, POWERED_OFF and ENDING all show
 * as "in shutdown".
 *
 * A request moves the state when QEMU is sure to follow (the power button), or leaves
 * that to QEMU's own event (stop, cont): then a refusal of QEMU's needs no way back.
 *
 * A guest may ignore its power button for ever.  IN_SHUTDOWN therefore still allows
 * every request, and a reset or a resume shows that it went on.  REBOOTING lapses after
 * some time: nothing tells a guest that ignores the button from one that takes long, and
 * a power-off next week must not become a restart.
 *
 * QEMU_GONE is the only way to SHUT_OFF, and its reason is decided by where the guest
 * was: an end that nobody announced is a crash.
 */
#include "guest/running/state.h"

#include <glib.h>
#include <string.h>

#define TO(state_, reason_, action_)                                                   \
    {                                                                                  \
        OSTLER_RUN_##state_, OSTLER_RUN_REASON_##reason_, OSTLER_RUN_DO_##action_,     \
            true                                                                       \
    }
#define STAY(action_)                                                                  \
    {                                                                                  \
        0, OSTLER_RUN_REASON_UNKNOWN, OSTLER_RUN_DO_##action_, true                    \
    }
#define IGNORE STAY(NOTHING)
#define REFUSE STAY(REFUSE)

/* clang-format off: one line a cell is what makes the table readable */
static const OstlerRunStep steps[OSTLER_RUN_N_STATES][OSTLER_RUN_N_EVENTS] = {
    [OSTLER_RUN_STARTING] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = REFUSE,
        [OSTLER_RUN_ASK_REBOOT]       = REFUSE,
        [OSTLER_RUN_ASK_RESET]        = REFUSE,
        [OSTLER_RUN_ASK_SUSPEND]      = REFUSE,
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = TO(ENDING, DESTROYED, END),
        [OSTLER_RUN_FOUND_RUNNING]    = TO(RUNNING, BOOTED, NOTHING),
        [OSTLER_RUN_FOUND_PAUSED]     = TO(PAUSED, STARTING_UP, NOTHING),
        [OSTLER_RUN_QEMU_STOPPED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESUMED]     = TO(RUNNING, BOOTED, NOTHING),
        [OSTLER_RUN_QEMU_RESET]       = IGNORE,
        [OSTLER_RUN_QEMU_POWERED_OFF] = TO(POWERED_OFF, SHUTDOWN, ON_POWEROFF),
        [OSTLER_RUN_QEMU_QUITTING]    = TO(ENDING, DESTROYED, NOTHING),
        [OSTLER_RUN_QEMU_PANICKED]    = TO(CRASHED, PANICKED, ON_CRASH),
        [OSTLER_RUN_QEMU_IO_ERROR]    = TO(PAUSED, IO_ERROR, NOTHING),
        [OSTLER_RUN_QEMU_WATCHDOG]    = TO(PAUSED, WATCHDOG, NOTHING),
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, FAILED, FINISH),
    },
    [OSTLER_RUN_ORPHANED] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = REFUSE,
        [OSTLER_RUN_ASK_REBOOT]       = REFUSE,
        [OSTLER_RUN_ASK_RESET]        = REFUSE,
        [OSTLER_RUN_ASK_SUSPEND]      = REFUSE,
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = TO(ENDING, DESTROYED, END),
        [OSTLER_RUN_FOUND_RUNNING]    = TO(RUNNING, BOOTED, NOTHING),
        [OSTLER_RUN_FOUND_PAUSED]     = TO(PAUSED, UNKNOWN, NOTHING),
        [OSTLER_RUN_QEMU_STOPPED]     = TO(PAUSED, UNKNOWN, NOTHING),
        [OSTLER_RUN_QEMU_RESUMED]     = TO(RUNNING, UNPAUSED, NOTHING),
        [OSTLER_RUN_QEMU_RESET]       = IGNORE,
        [OSTLER_RUN_QEMU_POWERED_OFF] = TO(POWERED_OFF, SHUTDOWN, ON_POWEROFF),
        [OSTLER_RUN_QEMU_QUITTING]    = TO(ENDING, DESTROYED, NOTHING),
        [OSTLER_RUN_QEMU_PANICKED]    = TO(CRASHED, PANICKED, ON_CRASH),
        [OSTLER_RUN_QEMU_IO_ERROR]    = TO(PAUSED, IO_ERROR, NOTHING),
        [OSTLER_RUN_QEMU_WATCHDOG]    = TO(PAUSED, WATCHDOG, NOTHING),
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, CRASHED, FINISH),
    },
    [OSTLER_RUN_RUNNING] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = TO(IN_SHUTDOWN, USER, POWER_BUTTON),
        [OSTLER_RUN_ASK_REBOOT]       = TO(REBOOTING, USER, REBOOT),
        [OSTLER_RUN_ASK_RESET]        = STAY(RESET),
        [OSTLER_RUN_ASK_SUSPEND]      = STAY(STOP),
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = TO(ENDING, DESTROYED, END),
        [OSTLER_RUN_FOUND_RUNNING]    = IGNORE,
        [OSTLER_RUN_FOUND_PAUSED]     = TO(PAUSED, UNKNOWN, NOTHING),
        [OSTLER_RUN_QEMU_STOPPED]     = TO(PAUSED, USER, NOTHING),
        [OSTLER_RUN_QEMU_RESUMED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESET]       = TO(RUNNING, BOOTED, NOTHING),
        [OSTLER_RUN_QEMU_POWERED_OFF] = TO(POWERED_OFF, SHUTDOWN, ON_POWEROFF),
        [OSTLER_RUN_QEMU_QUITTING]    = TO(ENDING, DESTROYED, NOTHING),
        [OSTLER_RUN_QEMU_PANICKED]    = TO(CRASHED, PANICKED, ON_CRASH),
        [OSTLER_RUN_QEMU_IO_ERROR]    = TO(PAUSED, IO_ERROR, NOTHING),
        [OSTLER_RUN_QEMU_WATCHDOG]    = TO(PAUSED, WATCHDOG, NOTHING),
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, CRASHED, FINISH),
    },
    [OSTLER_RUN_PAUSED] = {
        /* A stopped guest cannot see its power button. */
        [OSTLER_RUN_ASK_SHUTDOWN]     = REFUSE,
        [OSTLER_RUN_ASK_REBOOT]       = REFUSE,
        [OSTLER_RUN_ASK_RESET]        = STAY(RESET),
        [OSTLER_RUN_ASK_SUSPEND]      = REFUSE,
        [OSTLER_RUN_ASK_RESUME]       = STAY(CONT),
        [OSTLER_RUN_ASK_DESTROY]      = TO(ENDING, DESTROYED, END),
        [OSTLER_RUN_FOUND_RUNNING]    = TO(RUNNING, UNPAUSED, NOTHING),
        [OSTLER_RUN_FOUND_PAUSED]     = IGNORE,
        /* Keeps the reason: STOP follows BLOCK_IO_ERROR and WATCHDOG. */
        [OSTLER_RUN_QEMU_STOPPED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESUMED]     = TO(RUNNING, UNPAUSED, NOTHING),
        [OSTLER_RUN_QEMU_RESET]       = IGNORE,
        [OSTLER_RUN_QEMU_POWERED_OFF] = TO(POWERED_OFF, SHUTDOWN, ON_POWEROFF),
        [OSTLER_RUN_QEMU_QUITTING]    = TO(ENDING, DESTROYED, NOTHING),
        [OSTLER_RUN_QEMU_PANICKED]    = TO(CRASHED, PANICKED, ON_CRASH),
        [OSTLER_RUN_QEMU_IO_ERROR]    = TO(PAUSED, IO_ERROR, NOTHING),
        [OSTLER_RUN_QEMU_WATCHDOG]    = TO(PAUSED, WATCHDOG, NOTHING),
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, CRASHED, FINISH),
    },
    [OSTLER_RUN_REBOOTING] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = TO(IN_SHUTDOWN, USER, POWER_BUTTON),
        [OSTLER_RUN_ASK_REBOOT]       = STAY(REBOOT),
        [OSTLER_RUN_ASK_RESET]        = STAY(RESET),
        [OSTLER_RUN_ASK_SUSPEND]      = STAY(STOP),
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = TO(ENDING, DESTROYED, END),
        [OSTLER_RUN_FOUND_RUNNING]    = IGNORE,
        [OSTLER_RUN_FOUND_PAUSED]     = TO(PAUSED, UNKNOWN, OBEY_POLICY),
        [OSTLER_RUN_QEMU_STOPPED]     = TO(PAUSED, USER, OBEY_POLICY),
        [OSTLER_RUN_QEMU_RESUMED]     = IGNORE,
        /* It restarted by itself: the next power-off is a real one. */
        [OSTLER_RUN_QEMU_RESET]       = TO(RUNNING, BOOTED, OBEY_POLICY),
        [OSTLER_RUN_QEMU_POWERED_OFF] = TO(RUNNING, BOOTED, RESTART),
        [OSTLER_RUN_QEMU_QUITTING]    = TO(ENDING, DESTROYED, NOTHING),
        [OSTLER_RUN_QEMU_PANICKED]    = TO(CRASHED, PANICKED, ON_CRASH),
        [OSTLER_RUN_QEMU_IO_ERROR]    = TO(PAUSED, IO_ERROR, OBEY_POLICY),
        [OSTLER_RUN_QEMU_WATCHDOG]    = TO(PAUSED, WATCHDOG, OBEY_POLICY),
        /* It ignores its power button: a power-off to come is another matter. */
        [OSTLER_RUN_REBOOT_LAPSED]    = TO(RUNNING, BOOTED, OBEY_POLICY),
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, CRASHED, FINISH),
    },
    [OSTLER_RUN_IN_SHUTDOWN] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = STAY(POWER_BUTTON),
        [OSTLER_RUN_ASK_REBOOT]       = TO(REBOOTING, USER, REBOOT),
        [OSTLER_RUN_ASK_RESET]        = STAY(RESET),
        [OSTLER_RUN_ASK_SUSPEND]      = STAY(STOP),
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = TO(ENDING, DESTROYED, END),
        [OSTLER_RUN_FOUND_RUNNING]    = IGNORE,
        [OSTLER_RUN_FOUND_PAUSED]     = TO(PAUSED, UNKNOWN, NOTHING),
        [OSTLER_RUN_QEMU_STOPPED]     = TO(PAUSED, USER, NOTHING),
        [OSTLER_RUN_QEMU_RESUMED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESET]       = TO(RUNNING, BOOTED, NOTHING),
        [OSTLER_RUN_QEMU_POWERED_OFF] = TO(POWERED_OFF, SHUTDOWN, ON_POWEROFF),
        [OSTLER_RUN_QEMU_QUITTING]    = TO(ENDING, DESTROYED, NOTHING),
        [OSTLER_RUN_QEMU_PANICKED]    = TO(CRASHED, PANICKED, ON_CRASH),
        [OSTLER_RUN_QEMU_IO_ERROR]    = TO(PAUSED, IO_ERROR, NOTHING),
        [OSTLER_RUN_QEMU_WATCHDOG]    = TO(PAUSED, WATCHDOG, NOTHING),
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, CRASHED, FINISH),
    },
    [OSTLER_RUN_POWERED_OFF] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = REFUSE,
        [OSTLER_RUN_ASK_REBOOT]       = REFUSE,
        [OSTLER_RUN_ASK_RESET]        = REFUSE,
        [OSTLER_RUN_ASK_SUSPEND]      = REFUSE,
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = TO(ENDING, DESTROYED, END),
        [OSTLER_RUN_FOUND_RUNNING]    = IGNORE,
        [OSTLER_RUN_FOUND_PAUSED]     = IGNORE,
        [OSTLER_RUN_QEMU_STOPPED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESUMED]     = TO(RUNNING, BOOTED, NOTHING), /* on-poweroff=restart */
        [OSTLER_RUN_QEMU_RESET]       = IGNORE,
        [OSTLER_RUN_QEMU_POWERED_OFF] = IGNORE,
        [OSTLER_RUN_QEMU_QUITTING]    = IGNORE,
        [OSTLER_RUN_QEMU_PANICKED]    = IGNORE,
        [OSTLER_RUN_QEMU_IO_ERROR]    = IGNORE,
        [OSTLER_RUN_QEMU_WATCHDOG]    = IGNORE,
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, SHUTDOWN, FINISH),
    },
    [OSTLER_RUN_ENDING] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = REFUSE,
        [OSTLER_RUN_ASK_REBOOT]       = REFUSE,
        [OSTLER_RUN_ASK_RESET]        = REFUSE,
        [OSTLER_RUN_ASK_SUSPEND]      = REFUSE,
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = STAY(END), /* the second one waits as well */
        [OSTLER_RUN_FOUND_RUNNING]    = IGNORE,
        [OSTLER_RUN_FOUND_PAUSED]     = IGNORE,
        [OSTLER_RUN_QEMU_STOPPED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESUMED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESET]       = IGNORE,
        [OSTLER_RUN_QEMU_POWERED_OFF] = IGNORE,
        [OSTLER_RUN_QEMU_QUITTING]    = IGNORE,
        [OSTLER_RUN_QEMU_PANICKED]    = IGNORE,
        [OSTLER_RUN_QEMU_IO_ERROR]    = IGNORE,
        [OSTLER_RUN_QEMU_WATCHDOG]    = IGNORE,
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, DESTROYED, FINISH),
    },
    [OSTLER_RUN_CRASHED] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = REFUSE,
        [OSTLER_RUN_ASK_REBOOT]       = REFUSE,
        [OSTLER_RUN_ASK_RESET]        = TO(CRASHED, PANICKED, RESTART),
        [OSTLER_RUN_ASK_SUSPEND]      = REFUSE,
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = TO(ENDING, DESTROYED, END),
        [OSTLER_RUN_FOUND_RUNNING]    = IGNORE,
        [OSTLER_RUN_FOUND_PAUSED]     = IGNORE,
        [OSTLER_RUN_QEMU_STOPPED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESUMED]     = TO(RUNNING, BOOTED, NOTHING), /* after a reset */
        [OSTLER_RUN_QEMU_RESET]       = IGNORE,
        [OSTLER_RUN_QEMU_POWERED_OFF] = IGNORE,
        [OSTLER_RUN_QEMU_QUITTING]    = IGNORE, /* on-crash=stop: it ends because of the crash */
        [OSTLER_RUN_QEMU_PANICKED]    = IGNORE,
        [OSTLER_RUN_QEMU_IO_ERROR]    = IGNORE,
        [OSTLER_RUN_QEMU_WATCHDOG]    = IGNORE,
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = TO(SHUT_OFF, CRASHED, FINISH),
    },
    [OSTLER_RUN_SHUT_OFF] = {
        [OSTLER_RUN_ASK_SHUTDOWN]     = REFUSE,
        [OSTLER_RUN_ASK_REBOOT]       = REFUSE,
        [OSTLER_RUN_ASK_RESET]        = REFUSE,
        [OSTLER_RUN_ASK_SUSPEND]      = REFUSE,
        [OSTLER_RUN_ASK_RESUME]       = REFUSE,
        [OSTLER_RUN_ASK_DESTROY]      = REFUSE,
        [OSTLER_RUN_FOUND_RUNNING]    = IGNORE,
        [OSTLER_RUN_FOUND_PAUSED]     = IGNORE,
        [OSTLER_RUN_QEMU_STOPPED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESUMED]     = IGNORE,
        [OSTLER_RUN_QEMU_RESET]       = IGNORE,
        [OSTLER_RUN_QEMU_POWERED_OFF] = IGNORE,
        [OSTLER_RUN_QEMU_QUITTING]    = IGNORE,
        [OSTLER_RUN_QEMU_PANICKED]    = IGNORE,
        [OSTLER_RUN_QEMU_IO_ERROR]    = IGNORE,
        [OSTLER_RUN_QEMU_WATCHDOG]    = IGNORE,
        [OSTLER_RUN_REBOOT_LAPSED]    = IGNORE,
        [OSTLER_RUN_QEMU_GONE]        = IGNORE,
    },
};
/* clang-format on */

static const char *const state_texts[] = {
    [OSTLER_RUN_STARTING] = "starting",       [OSTLER_RUN_ORPHANED] = "starting",
    [OSTLER_RUN_RUNNING] = "running",         [OSTLER_RUN_PAUSED] = "paused",
    [OSTLER_RUN_REBOOTING] = "running",       [OSTLER_RUN_IN_SHUTDOWN] = "in shutdown",
    [OSTLER_RUN_POWERED_OFF] = "in shutdown", [OSTLER_RUN_ENDING] = "in shutdown",
    [OSTLER_RUN_CRASHED] = "crashed",         [OSTLER_RUN_SHUT_OFF] = "shut off",
};
G_STATIC_ASSERT(G_N_ELEMENTS(state_texts) == OSTLER_RUN_N_STATES);

static const char *const reason_texts[] = {
    [OSTLER_RUN_REASON_UNKNOWN] = "unknown",
    [OSTLER_RUN_REASON_BOOTED] = "booted",
    [OSTLER_RUN_REASON_UNPAUSED] = "unpaused",
    [OSTLER_RUN_REASON_USER] = "user",
    [OSTLER_RUN_REASON_STARTING_UP] = "starting up",
    [OSTLER_RUN_REASON_IO_ERROR] = "I/O error",
    [OSTLER_RUN_REASON_WATCHDOG] = "watchdog",
    [OSTLER_RUN_REASON_SHUTDOWN] = "shutdown",
    [OSTLER_RUN_REASON_DESTROYED] = "destroyed",
    [OSTLER_RUN_REASON_CRASHED] = "crashed",
    [OSTLER_RUN_REASON_FAILED] = "failed",
    [OSTLER_RUN_REASON_PANICKED] = "panicked",
    [OSTLER_RUN_REASON_LOST] = "lost",
};
G_STATIC_ASSERT(G_N_ELEMENTS(reason_texts) == OSTLER_RUN_N_REASONS);

const OstlerRunStep *ostler_run_step(OstlerRunState state, OstlerRunEvent event)
{
    g_assert(state >= OSTLER_RUN_STARTING && state < OSTLER_RUN_N_STATES);
    g_assert(event < OSTLER_RUN_N_EVENTS);
    return &steps[state][event];
}

const char *ostler_run_state_text(OstlerRunState state)
{
    g_assert(state >= OSTLER_RUN_STARTING && state < OSTLER_RUN_N_STATES);
    return state_texts[state];
}

const char *ostler_run_reason_text(OstlerRunReason reason)
{
    g_assert(reason < OSTLER_RUN_N_REASONS);
    return reason_texts[reason];
}

OstlerRunReason ostler_run_reason_find(const char *text)
{
    for (unsigned i = 0; i < OSTLER_RUN_N_REASONS; i++) {
        if (g_strcmp0(reason_texts[i], text) == 0) {
            return i;
        }
    }
    return OSTLER_RUN_REASON_UNKNOWN;
}

OstlerRunState ostler_run_state_find(const char *text)
{
    for (unsigned i = OSTLER_RUN_STARTING; i < OSTLER_RUN_N_STATES; i++) {
        if (g_strcmp0(state_texts[i], text) == 0) {
            return i;
        }
    }
    return 0;
}

/* QEMU's events that move the state.  A NULL in @action matches anything; SHUTDOWN is
 * told apart by whose doing it was. */
static const struct {
    const char *event;
    const char *action;
    OstlerRunEvent means;
} qemu_events[] = {
    { "STOP", NULL, OSTLER_RUN_QEMU_STOPPED },
    { "RESUME", NULL, OSTLER_RUN_QEMU_RESUMED },
    { "RESET", NULL, OSTLER_RUN_QEMU_RESET },
    { "SHUTDOWN", NULL, OSTLER_RUN_QEMU_POWERED_OFF },
    { "GUEST_PANICKED", NULL, OSTLER_RUN_QEMU_PANICKED },
    { "BLOCK_IO_ERROR", "stop", OSTLER_RUN_QEMU_IO_ERROR },
    { "WATCHDOG", "pause", OSTLER_RUN_QEMU_WATCHDOG },
};

bool ostler_run_event_of(const OstlerRunQemuEvent *said, OstlerRunEvent *out_event)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(qemu_events); i++) {
        if (strcmp(qemu_events[i].event, said->event) != 0 ||
            (qemu_events[i].action &&
             g_strcmp0(qemu_events[i].action, said->action) != 0)) {
            continue;
        }
        *out_event = qemu_events[i].means;
        if (*out_event == OSTLER_RUN_QEMU_POWERED_OFF && !said->is_guest) {
            *out_event = OSTLER_RUN_QEMU_QUITTING;
        }
        return true;
    }
    return false;
}
