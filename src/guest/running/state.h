/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.h - a running guest's states, what moves it between them, what is to be done
 *
 * The whole behaviour of a keeper is one table, state by event: each cell says the next
 * state, the reason to show for it, and the one action that the keeper must carry out.
 * Nothing here does anything; the keeper feeds it requests, QEMU's events and its own
 * findings, and obeys.
 *
 * Sources:    words of states and reasons: virsh(1), "domstate"; QEMU's events:
 *             qapi/run-state.json and qapi/block-core.json of QEMU 7.2.
 */
#pragma once

#include <stdbool.h>

typedef enum {
    OSTLER_RUN_STARTING = 1, /* 0 is "stay", see OstlerRunStep */
    OSTLER_RUN_ORPHANED,     /* QEMU lives, its keeper died; being adopted */
    OSTLER_RUN_RUNNING,
    OSTLER_RUN_PAUSED,
    OSTLER_RUN_REBOOTING,   /* asked to power off, to be started again when it has */
    OSTLER_RUN_IN_SHUTDOWN, /* asked to power off */
    OSTLER_RUN_POWERED_OFF, /* it did; QEMU is about to end, or was told to stay */
    OSTLER_RUN_ENDING,      /* QEMU was told to quit */
    OSTLER_RUN_CRASHED,     /* the guest's kernel panicked, and it was kept */
    OSTLER_RUN_SHUT_OFF,
} OstlerRunState;
#define OSTLER_RUN_N_STATES (OSTLER_RUN_SHUT_OFF + 1)

typedef enum {
    OSTLER_RUN_REASON_UNKNOWN,
    OSTLER_RUN_REASON_BOOTED,
    OSTLER_RUN_REASON_UNPAUSED,
    OSTLER_RUN_REASON_USER,
    OSTLER_RUN_REASON_STARTING_UP,
    OSTLER_RUN_REASON_IO_ERROR,
    OSTLER_RUN_REASON_WATCHDOG,
    OSTLER_RUN_REASON_SHUTDOWN,
    OSTLER_RUN_REASON_DESTROYED,
    OSTLER_RUN_REASON_CRASHED,
    OSTLER_RUN_REASON_FAILED,
    OSTLER_RUN_REASON_PANICKED,
    OSTLER_RUN_REASON_LOST, /* found by whoever looks: no lock held, never said to be off */
} OstlerRunReason;
#define OSTLER_RUN_N_REASONS (OSTLER_RUN_REASON_LOST + 1)

typedef enum {
    /* somebody asks */
    OSTLER_RUN_ASK_SHUTDOWN,
    OSTLER_RUN_ASK_REBOOT,
    OSTLER_RUN_ASK_RESET,
    OSTLER_RUN_ASK_SUSPEND,
    OSTLER_RUN_ASK_RESUME,
    OSTLER_RUN_ASK_DESTROY,
    /* the keeper finds out (query-status), once QEMU answers */
    OSTLER_RUN_FOUND_RUNNING,
    OSTLER_RUN_FOUND_PAUSED,
    /* QEMU says */
    OSTLER_RUN_QEMU_STOPPED,     /* STOP */
    OSTLER_RUN_QEMU_RESUMED,     /* RESUME */
    OSTLER_RUN_QEMU_RESET,       /* RESET */
    OSTLER_RUN_QEMU_POWERED_OFF, /* SHUTDOWN, the guest's doing */
    OSTLER_RUN_QEMU_QUITTING,    /* SHUTDOWN, the host's: quit, SIGTERM */
    OSTLER_RUN_QEMU_PANICKED,    /* GUEST_PANICKED */
    OSTLER_RUN_QEMU_IO_ERROR,    /* BLOCK_IO_ERROR that stops the guest */
    OSTLER_RUN_QEMU_WATCHDOG,    /* WATCHDOG that pauses it */
    /* time says */
    OSTLER_RUN_REBOOT_LAPSED, /* the guest had long enough to power off for a reboot */
    /* the system says */
    OSTLER_RUN_QEMU_GONE, /* the process has ended */
} OstlerRunEvent;
#define OSTLER_RUN_N_REQUESTS (OSTLER_RUN_ASK_DESTROY + 1)
#define OSTLER_RUN_N_EVENTS   (OSTLER_RUN_QEMU_GONE + 1)

typedef enum {
    OSTLER_RUN_DO_NOTHING,
    OSTLER_RUN_DO_REFUSE,       /* answer that the state does not allow it */
    OSTLER_RUN_DO_POWER_BUTTON, /* system_powerdown, obeying on-poweroff after it */
    OSTLER_RUN_DO_REBOOT,       /* system_powerdown, keeping QEMU when it is off */
    OSTLER_RUN_DO_RESET,        /* system_reset */
    OSTLER_RUN_DO_STOP,         /* stop */
    OSTLER_RUN_DO_CONT,         /* cont */
    OSTLER_RUN_DO_END,          /* quit, then SIGKILL */
    OSTLER_RUN_DO_RESTART,      /* system_reset and cont: powered off for a reboot */
    OSTLER_RUN_DO_OBEY_POLICY,  /* back to on-poweroff as defined: no reboot any more */
    OSTLER_RUN_DO_ON_POWEROFF,  /* carry out the definition's on-poweroff */
    OSTLER_RUN_DO_ON_CRASH,     /* carry out the definition's on-crash */
    OSTLER_RUN_DO_FINISH,       /* record the outcome, clean up and go */
} OstlerRunAction;
#define OSTLER_RUN_N_ACTIONS (OSTLER_RUN_DO_FINISH + 1)

typedef struct {
    OstlerRunState next; /* 0: stay, with the reason that it had */
    OstlerRunReason reason;
    OstlerRunAction action;
    bool is_listed; /* the table speaks of this pair; true for all, says the test */
} OstlerRunStep;

/* What @event does to a guest in @state. */
const OstlerRunStep *ostler_run_step(OstlerRunState state, OstlerRunEvent event);

/* As virsh says them: "in shutdown", "I/O error". */
const char *ostler_run_state_text(OstlerRunState state);
const char *ostler_run_reason_text(OstlerRunReason reason);

/* The reason of that text, UNKNOWN when there is none. */
OstlerRunReason ostler_run_reason_find(const char *text);
/* The first state shown under that text, 0 when there is none. */
OstlerRunState ostler_run_state_find(const char *text);

/* An event of QEMU's, with what of its data matters here. */
typedef struct {
    const char *event;  /* "SHUTDOWN" */
    bool is_guest;      /* SHUTDOWN: "guest" */
    const char *action; /* BLOCK_IO_ERROR, WATCHDOG: "stop", "pause"; or NULL */
} OstlerRunQemuEvent;

/* Whether @said moves the state, and as what. */
bool ostler_run_event_of(const OstlerRunQemuEvent *said, OstlerRunEvent *out_event);
