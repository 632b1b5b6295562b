/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper.h - one running guest and everything that belongs to it
 *
 * The keeper's parts share this one structure.  launch.c and adopt.c fill it in, two
 * ways to the same end; monitor.c turns QEMU's events into steps of the state table and
 * the table's actions into QMP; methods.c is what clients can ask; sides.c are the
 * programs that run beside QEMU.
 *
 * Threads:    one; everything runs in coroutines of the default main context.
 */
#pragma once

#include <cpc/glib.h>
#include <cpc/lock.h>

#include "guest/definition.h"
#include "guest/running/console.h"
#include "guest/running/control-server.h"
#include "guest/running/side.h"
#include "guest/running/status.h"
#include "platform/lock.h"
#include "qmp/session.h"

typedef struct KeeperAddresses KeeperAddresses;
typedef struct KeeperShares KeeperShares;
typedef struct KeeperWords KeeperWords;

typedef struct {
    const char *name;
    bool is_adopting;
    bool is_paused;
    bool ends_with_keeper;
    int definition_fd; /* the definition's text, or -1: the stored one */
    int start_timeout_ms;
    int stop_timeout_ms;   /* between SIGTERM's power button and pulling the plug */
    int reboot_timeout_ms; /* after which a reboot that was asked for lapses */
} KeeperConfig;

typedef struct {
    const KeeperConfig *config; /* borrowed */
    OstlerLock *keeper_lock;
    OstlerLock *guest_lock; /* NULL after an adoption: QEMU alone holds it */
    OstlerDefinition *definition;
    OstlerRunStatus *status;
    OstlerProcess *qemu;
    KeeperWords *words; /* QEMU's standard error; NULL after an adoption */
    OstlerQmp *qmp;     /* NULL while the monitor is not connected */
    bool is_listening;  /* events may come */
    CoEvent has_said_all;
    OstlerRunConsole *console;
    OstlerControlServer *control;
    KeeperAddresses *addresses;
    GPtrArray *sides; /* OstlerSide; see sides.h */
    KeeperShares *shares;
    GPtrArray *passts; /* KeeperPasst; see passt.h */
    bool is_recording_addresses;
    CoQueue changed;    /* woken at each change of state */
    CoEvent has_reset;  /* QEMU said RESET */
    unsigned n_reboots; /* asked for */
    bool is_stopping;   /* QEMU is being asked to stop the guest */
    bool was_stopped;   /* by somebody else, such as savevm and loadvm */
    CoMutex is_restarting;
    CoMutex is_ending;
    CoEvent is_over; /* the state is "shut off" */
    bool is_cleared; /* and nothing of the guest is left, nor a lock held */
    unsigned n_busy; /* coroutines that use the keeper; it is freed without them */
    CoEvent is_unused;
} Keeper;

/* keeper.c: life */

Keeper *keeper_new(const KeeperConfig *config);
void keeper_free(Keeper *keeper);

/* Claim the guest and start or adopt it; what was begun is undone on failure. */
bool coroutine_fn keeper_begin(Keeper *keeper, GError **error);
/* Until the guest is off and everything is cleaned up. */
void coroutine_fn keeper_live(Keeper *keeper);

/*
 * Move the state by @event: the record is written and clients are told.  Returns the
 * step, whose action is still to be done (monitor.c).
 */
const OstlerRunStep *coroutine_mixed_fn keeper_feed(Keeper *keeper,
                                                    OstlerRunEvent event);
/* The words on why it is in its state; taken over, may be NULL. */
void keeper_set_why(Keeper *keeper, char *why);

/* Write the record as it is now; a failure is a warning. */
void keeper_save_status(Keeper *keeper);

/* Run @entry(keeper) in a coroutine that the keeper's end waits for. */
typedef void coroutine_fn KeeperTask(Keeper *keeper, void *data);
void coroutine_mixed_fn keeper_spawn(Keeper *keeper, KeeperTask *task, void *data);

/* launch.c, adopt.c */

bool coroutine_fn keeper_launch(Keeper *keeper, GError **error);
bool coroutine_fn keeper_adopt(Keeper *keeper, GError **error);
/* The parts that both have in common, in this order. */
bool keeper_open_control(Keeper *keeper, GError **error);
/* The definition as it is now, for adoption and for whoever asks what runs. */
bool keeper_keep_definition(Keeper *keeper, GError **error);
bool keeper_open_console(Keeper *keeper, bool keep_log, GError **error);
void coroutine_mixed_fn keeper_watch_qemu(Keeper *keeper);

/* monitor.c */

bool coroutine_fn keeper_connect_monitor(Keeper *keeper, int timeout_ms,
                                         GError **error);
/* QEMU has ended: take in the events that are still on their way. */
void coroutine_fn keeper_hear_out(Keeper *keeper, int timeout_ms);
/* Try for as long as QEMU lives. */
void coroutine_fn keeper_reconnect_monitor(Keeper *keeper, void *unused);
json_object *coroutine_fn keeper_execute(Keeper *keeper, const char *command,
                                         json_object *arguments, GError **error);
/* Set QEMU's own reactions as the definition wants them. */
bool coroutine_fn keeper_set_policy(Keeper *keeper, GError **error);
/* Ask query-status and feed what it finds. */
bool coroutine_fn keeper_find_status(Keeper *keeper, GError **error);
bool coroutine_fn keeper_obey(Keeper *keeper, OstlerRunAction action, GError **error);
/* Somebody asks: feed the event, refuse with the state's words, or obey. */
bool coroutine_fn keeper_ask(Keeper *keeper, OstlerRunEvent request, GError **error);
/* SIGTERM: power button, and after the stop timeout the plug. */
void coroutine_fn keeper_stop_orderly(Keeper *keeper, void *unused);

/* methods.c: the control channel's table */

extern const OstlerControlMethod keeper_methods[];
