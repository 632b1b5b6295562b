/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Events arrive in the monitor's reader, which must not wait: the state moves at once,
 * in the order that QEMU spoke, and what is to be done goes to a coroutine of its own.
 *
 * A request moves the state before QEMU is asked.  QEMU's events may overtake its
 * answer, and they must find the state that the request led to.  When QEMU refuses, and
 * nothing else has happened since, the state goes back.
 *
 * A monitor that breaks while QEMU lives is connected again: QEMU listens on.  Until then
 * commands are refused, but the plug can still be pulled.
 */
#define G_LOG_DOMAIN "ostler-keeper"

#include "keeper.h"

#include <string.h>

#include "guest/running/place.h"
#include "sides.h"

#define COMMAND_TIMEOUT_MS 10000
#define QUIT_TIMEOUT_MS    3000  /* for QEMU to write its disks' caches back */
#define KILL_TIMEOUT_MS    10000 /* a process in an uninterruptible wait may take long */
#define RESET_TIMEOUT_MS   5000
#define RECONNECT_PAUSE_MS 1000

json_object *coroutine_fn keeper_execute(Keeper *keeper, const char *command,
                                         json_object *arguments, GError **error)
{
    if (!keeper->qmp) {
        json_object_put(arguments);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
                    "QEMU's monitor does not answer");
        return NULL;
    }
    return ostler_qmp_execute(keeper->qmp, command, arguments, COMMAND_TIMEOUT_MS,
                              error);
}

static bool coroutine_fn run(Keeper *keeper, const char *command, GError **error)
{
    g_autoptr(json_object) result = keeper_execute(keeper, command, NULL, error);
    return result != NULL;
}

/* --- what QEMU is to do by itself --- */

static bool policy_is(const Keeper *keeper, const char *key, const char *word)
{
    return strcmp(ostler_definition_get(keeper->definition, "guest", key), word) == 0;
}

static bool coroutine_fn set_action(Keeper *keeper, const char *shutdown,
                                    GError **error)
{
    bool reboots = policy_is(keeper, "on-reboot", "restart");
    g_autoptr(json_object) result = keeper_execute(
        keeper, "set-action",
        ostler_json_object("reboot",
                           json_object_new_string(reboots ? "reset" : "shutdown"),
                           "shutdown", json_object_new_string(shutdown), "panic",
                           json_object_new_string("pause"), NULL),
        error);

    return result != NULL;
}

bool coroutine_fn keeper_set_policy(Keeper *keeper, GError **error)
{
    bool stops = policy_is(keeper, "on-poweroff", "stop");

    return set_action(keeper, stops ? "poweroff" : "pause", error);
}

/* --- actions --- */

static bool coroutine_fn press_power_button(Keeper *keeper, GError **error)
{
    return keeper_set_policy(keeper, error) && run(keeper, "system_powerdown", error);
}

static void coroutine_fn forget_reboot_later(Keeper *keeper, void *asked)
{
    g_autoptr(GError) refusal = NULL;

    if (ostler_process_wait(keeper->qemu, keeper->config->reboot_timeout_ms, NULL) ||
        GPOINTER_TO_UINT(asked) != keeper->n_reboots) {
        return; /* QEMU is gone, or a later request has the whole time for itself */
    }
    const OstlerRunStep *step = keeper_feed(keeper, OSTLER_RUN_REBOOT_LAPSED);
    if (step->next) {
        g_message("The guest did not react to the request to reboot");
    }
    if (!keeper_obey(keeper, step->action, &refusal)) {
        g_warning("A power-off may still become a reboot: %s; continuing",
                  refusal->message);
    }
}

static bool coroutine_fn reboot(Keeper *keeper, GError **error)
{
    if (!set_action(keeper, "pause", error) ||
        !run(keeper, "system_powerdown", error)) {
        return false;
    }
    keeper_spawn(keeper, forget_reboot_later, GUINT_TO_POINTER(++keeper->n_reboots));
    return true;
}

static bool coroutine_fn reset(Keeper *keeper, GError **error)
{
    return run(keeper, "system_reset", error);
}

static bool coroutine_fn stop(Keeper *keeper, GError **error)
{
    keeper->is_stopping = true; /* QEMU's event comes before its answer */
    bool is_done = run(keeper, "stop", error);
    keeper->is_stopping = false;
    return is_done;
}

static bool coroutine_fn cont(Keeper *keeper, GError **error)
{
    return run(keeper, "cont", error);
}

/* "cont" before the reset has happened is refused: "Resetting the Virtual Machine is
 * required" (QEMU softmmu/runstate.c, vm_prepare_start). */
static bool coroutine_fn reset_and_cont(Keeper *keeper, GError **error)
{
    keeper->has_reset.is_set = false;
    if (!keeper_set_policy(keeper, error) || !run(keeper, "system_reset", error)) {
        return false;
    }
    cpc_event_wait(&keeper->has_reset, RESET_TIMEOUT_MS);
    return run(keeper, "cont", error);
}

static bool coroutine_fn restart(Keeper *keeper, GError **error)
{
    cpc_mutex_lock(&keeper->is_restarting);
    bool is_done = reset_and_cont(keeper, error);
    cpc_mutex_unlock(&keeper->is_restarting);
    return is_done;
}

/* A monitor that closes without an answer is QEMU on its way out, too. */
static bool coroutine_fn quit(Keeper *keeper)
{
    g_autoptr(GError) refusal = NULL;

    if (!keeper->qmp) {
        return false;
    }
    g_autoptr(json_object) result =
        ostler_qmp_execute(keeper->qmp, "quit", NULL, QUIT_TIMEOUT_MS, &refusal);
    if (!result && !g_error_matches(refusal, G_IO_ERROR, G_IO_ERROR_CLOSED)) {
        g_message("%s", refusal->message);
        return false;
    }
    return ostler_process_wait(keeper->qemu, QUIT_TIMEOUT_MS, NULL);
}

/* QEMU gets some time to flush its disks, and then none. */
static bool coroutine_fn quit_or_kill(Keeper *keeper, GError **error)
{
    if (!ostler_process_is_alive(keeper->qemu) || quit(keeper)) {
        return true;
    }
    g_message("QEMU does not quit by itself; killing it");
    ostler_process_kill(keeper->qemu);
    if (!ostler_process_wait(keeper->qemu, KILL_TIMEOUT_MS, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                    "QEMU was killed and has not ended yet; it waits for a device");
        return false;
    }
    return true;
}

/* One after the other: whose turn comes second must not cut the first's time short. */
static bool coroutine_fn end(Keeper *keeper, GError **error)
{
    cpc_mutex_lock(&keeper->is_ending);
    bool is_done = quit_or_kill(keeper, error);
    cpc_mutex_unlock(&keeper->is_ending);
    return is_done;
}

/* A QEMU that is to stop does so by itself, in its own time, unless the guest was faster
 * than the set-action that told it: then it only pauses, as for a reboot.  One on its way
 * out need not answer. */
static bool coroutine_fn carry_out_on_poweroff(Keeper *keeper, GError **error)
{
    if (policy_is(keeper, "on-poweroff", "stop")) {
        run(keeper, "quit", NULL);
        return true;
    }
    return !policy_is(keeper, "on-poweroff", "restart") || restart(keeper, error);
}

static bool coroutine_fn carry_out_on_crash(Keeper *keeper, GError **error)
{
    if (policy_is(keeper, "on-crash", "pause")) {
        return true;
    }
    return policy_is(keeper, "on-crash", "restart") ? restart(keeper, error)
                                                    : end(keeper, error);
}

typedef bool coroutine_fn Action(Keeper *keeper, GError **error);

static Action *const actions[] = {
    [OSTLER_RUN_DO_NOTHING] = NULL,
    [OSTLER_RUN_DO_REFUSE] = NULL, /* keeper_ask() does */
    [OSTLER_RUN_DO_POWER_BUTTON] = press_power_button,
    [OSTLER_RUN_DO_REBOOT] = reboot,
    [OSTLER_RUN_DO_RESET] = reset,
    [OSTLER_RUN_DO_STOP] = stop,
    [OSTLER_RUN_DO_CONT] = cont,
    [OSTLER_RUN_DO_END] = end,
    [OSTLER_RUN_DO_RESTART] = restart,
    [OSTLER_RUN_DO_OBEY_POLICY] = keeper_set_policy,
    [OSTLER_RUN_DO_ON_POWEROFF] = carry_out_on_poweroff,
    [OSTLER_RUN_DO_ON_CRASH] = carry_out_on_crash,
    [OSTLER_RUN_DO_FINISH] = NULL, /* keeper_live() does */
};
G_STATIC_ASSERT(G_N_ELEMENTS(actions) == OSTLER_RUN_N_ACTIONS);

bool coroutine_fn keeper_obey(Keeper *keeper, OstlerRunAction action, GError **error)
{
    return !actions[action] || actions[action](keeper, error);
}

bool coroutine_fn keeper_ask(Keeper *keeper, OstlerRunEvent request, GError **error)
{
    OstlerRunStatus *status = keeper->status;
    OstlerRunState old_state = status->state;
    OstlerRunReason old_reason = status->reason;
    const OstlerRunStep *step = keeper_feed(keeper, request);

    if (step->action == OSTLER_RUN_DO_REFUSE) {
        g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE,
                    "'%s' is %s, which does not allow it", keeper->config->name,
                    ostler_run_state_text(old_state));
        return false;
    }
    bool is_done = keeper_obey(keeper, step->action, error);
    if (!is_done && step->next && status->state == step->next) {
        status->state = old_state;
        status->reason = old_reason;
    }
    return is_done;
}

/* --- events --- */

static void coroutine_fn obey_event(Keeper *keeper, void *data)
{
    g_autoptr(GError) refusal = NULL;

    if (!keeper_obey(keeper, GPOINTER_TO_UINT(data), &refusal)) {
        g_warning("What the guest's event asked for was not done: %s",
                  refusal->message);
    }
}

/* What an event says about the reason, for people; NULL for most. */
static char *explain(const char *event, json_object *data)
{
    if (strcmp(event, "BLOCK_IO_ERROR") == 0) {
        const char *device = ostler_json_find_string(data, "device");
        const char *node = ostler_json_find_string(data, "node-name");
        return g_strdup_printf("Disk '%s' could not %s: %s",
                               device && *device ? device : node,
                               ostler_json_find_string(data, "operation"),
                               ostler_json_find_string(data, "reason"));
    }
    if (strcmp(event, "GUEST_PANICKED") == 0) {
        return g_strdup("The guest's kernel panicked");
    }
    return NULL;
}

static void tell_clients(Keeper *keeper, const char *event, json_object *data)
{
    json_object *copy = data ? json_object_get(data) : json_object_new_object();

    ostler_control_server_tell(
        keeper->control, "qmp",
        ostler_json_object("event", json_object_new_string(event), "data", copy, NULL));
}

/* A running guest that stops without our asking is being saved, or put back to what was
 * saved.  QEMU remembers which transfers it saved as under way, until the
 * device is unplugged, and aborts when it finds them there at the next loadvm
 * (usbredir_get_packet_id_q() in hw/usb/redirect.c of 7.2); after one, what ostler-mtp was
 * in the middle of is not what the guest is. */
static void note_stop(Keeper *keeper, OstlerRunEvent means)
{
    if (means == OSTLER_RUN_QEMU_STOPPED) {
        keeper->was_stopped =
            keeper->status->state == OSTLER_RUN_RUNNING && !keeper->is_stopping;
    } else if (means == OSTLER_RUN_QEMU_RESUMED && keeper->was_stopped) {
        keeper->was_stopped = false;
        keeper_replug_shares(keeper);
    }
}

static void on_event(const char *event, json_object *data, void *opaque)
{
    Keeper *keeper = opaque;
    OstlerRunQemuEvent said = {
        .event = event,
        .is_guest = ostler_json_find_bool(data, "guest", false),
        .action = ostler_json_find_string(data, "action"),
    };
    OstlerRunEvent means;

    tell_clients(keeper, event, data);
    if (!ostler_run_event_of(&said, &means)) {
        return;
    }
    char *why = explain(event, data);
    if (why) {
        keeper_set_why(keeper, why);
    }
    note_stop(keeper, means);
    const OstlerRunStep *step = keeper_feed(keeper, means);
    if (means == OSTLER_RUN_QEMU_RESET) {
        cpc_event_set(&keeper->has_reset);
    }
    if (means == OSTLER_RUN_QEMU_RESET || means == OSTLER_RUN_QEMU_RESUMED) {
        keeper_hurry_sides(keeper);
    }
    if (actions[step->action]) {
        keeper_spawn(keeper, obey_event, GUINT_TO_POINTER(step->action));
    }
}

/* --- connection --- */

static bool is_wanted(const Keeper *keeper)
{
    return !keeper->qmp && keeper->status->state != OSTLER_RUN_SHUT_OFF &&
           ostler_process_is_alive(keeper->qemu);
}

void coroutine_fn keeper_reconnect_monitor(Keeper *keeper, void *unused)
{
    g_clear_pointer(&keeper->qmp, ostler_qmp_free);
    while (is_wanted(keeper)) {
        if (keeper_connect_monitor(keeper, COMMAND_TIMEOUT_MS, NULL)) {
            g_message("QEMU's monitor answers again");
            keeper_find_status(keeper, NULL);
        } else {
            ostler_process_wait(keeper->qemu, RECONNECT_PAUSE_MS, NULL);
        }
    }
}

static void on_closed(const GError *why, void *opaque)
{
    Keeper *keeper = opaque;

    keeper->is_listening = false;
    cpc_event_set(&keeper->has_said_all);
    if (ostler_process_is_alive(keeper->qemu) &&
        keeper->status->state != OSTLER_RUN_ENDING &&
        keeper->status->state != OSTLER_RUN_POWERED_OFF) {
        g_warning("QEMU's monitor is gone: %s; continuing", why->message);
        keeper_spawn(keeper, keeper_reconnect_monitor, NULL);
    }
}

bool coroutine_fn keeper_connect_monitor(Keeper *keeper, int timeout_ms, GError **error)
{
    const OstlerQmpListener listener = {
        .event = on_event,
        .closed = on_closed,
        .opaque = keeper,
    };
    g_autofree char *path = ostler_run_path(keeper->config->name, "qmp.sock");
    OstlerChannel *channel = ostler_channel_connect(path, error);

    keeper->qmp =
        channel ? ostler_qmp_open(channel, &listener, timeout_ms, error) : NULL;
    keeper->is_listening = keeper->qmp != NULL;
    return keeper->is_listening;
}

void coroutine_fn keeper_hear_out(Keeper *keeper, int timeout_ms)
{
    keeper->has_said_all.is_set = false;
    if (keeper->qmp && keeper->is_listening) {
        cpc_event_wait(&keeper->has_said_all, timeout_ms);
    }
}

bool coroutine_fn keeper_find_status(Keeper *keeper, GError **error)
{
    g_autoptr(json_object) answer = keeper_execute(keeper, "query-status", NULL, error);
    if (!answer) {
        return false;
    }
    bool is_running = ostler_json_find_bool(answer, "running", false);
    keeper_feed(keeper,
                is_running ? OSTLER_RUN_FOUND_RUNNING : OSTLER_RUN_FOUND_PAUSED);
    return true;
}

static void coroutine_fn pull_plug_later(Keeper *keeper, void *unused)
{
    g_autoptr(GError) refusal = NULL;
    OstlerProcessEnd how;

    if (ostler_process_wait(keeper->qemu, keeper->config->stop_timeout_ms, &how)) {
        return;
    }
    g_message("The guest does not react to its power button; pulling the plug");
    if (!keeper_ask(keeper, OSTLER_RUN_ASK_DESTROY, &refusal)) {
        g_warning("The guest could not be ended: %s", refusal->message);
    }
}

void coroutine_fn keeper_stop_orderly(Keeper *keeper, void *unused)
{
    g_autoptr(GError) refusal = NULL;

    if (!keeper->qemu) {
        return; /* not that far yet: the launch fails or goes on */
    }
    g_message("Asked to end: pressing the guest's power button");
    if (!keeper_ask(keeper, OSTLER_RUN_ASK_SHUTDOWN, &refusal)) {
        g_message("%s; pulling the plug", refusal->message);
        keeper_ask(keeper, OSTLER_RUN_ASK_DESTROY, NULL);
        return;
    }
    pull_plug_later(keeper, NULL);
}
