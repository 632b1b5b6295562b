/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * An orphan is a QEMU that holds guest.lock while nobody holds keeper.lock.  Its pid and
 * start time are in the record; both must fit, or it is not the process that we started.
 *
 * What the record says of the guest's addresses still holds and is taken over; the sockets
 * that showed them are made anew (mirrors.c).
 *
 * Adoption fails only before it has touched anything.  A QEMU whose monitor does not
 * answer is adopted as well, as the record left it: then at least its plug can be pulled.
 */
#define G_LOG_DOMAIN "ostler-keeper"

#include "keeper.h"

#include "addresses.h"
#include "guest/running/place.h"
#include "mirrors.h"
#include "passt.h"
#include "sides.h"

#define ADOPT_TIMEOUT_MS 5000

static bool refuse_gone(const Keeper *keeper, GError **error)
{
    g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE, "'%s' is not running",
                keeper->config->name);
    return false;
}

/* What the dead keeper knew, as far as it is still true. */
static bool take_over_record(Keeper *keeper, GError **error)
{
    OstlerRunStatus *record = ostler_run_status_load(keeper->config->name, error);
    if (!record) {
        return false;
    }

    keeper->qemu = ostler_process_adopt(&record->qemu, error);
    if (!keeper->qemu) {
        ostler_run_status_free(record);
        return false;
    }
    record->keeper_pid = keeper->status->keeper_pid;
    ostler_run_status_free(keeper->status);
    keeper->status = record;
    return true;
}

static bool take_over_definition(Keeper *keeper, GError **error)
{
    g_autofree char *path = ostler_run_path(keeper->config->name, "started.guest");

    keeper->definition = ostler_definition_load(path, error);
    return keeper->definition != NULL;
}

static bool was_running(const OstlerRunStatus *status)
{
    return status->state == OSTLER_RUN_RUNNING ||
           status->state == OSTLER_RUN_STARTING ||
           status->state == OSTLER_RUN_IN_SHUTDOWN;
}

static void coroutine_fn find_out_state(Keeper *keeper, bool was_running)
{
    g_autoptr(GError) refusal = NULL;

    keeper->status->state = OSTLER_RUN_ORPHANED;
    if (keeper_connect_monitor(keeper, ADOPT_TIMEOUT_MS, &refusal) &&
        keeper_set_policy(keeper, &refusal) && keeper_find_status(keeper, &refusal)) {
        return;
    }
    g_warning("%s; continuing without it", refusal->message);
    keeper_feed(keeper,
                was_running ? OSTLER_RUN_FOUND_RUNNING : OSTLER_RUN_FOUND_PAUSED);
    keeper_set_why(keeper, g_strdup(refusal->message));
    keeper_spawn(keeper, keeper_reconnect_monitor, NULL);
}

bool coroutine_fn keeper_adopt(Keeper *keeper, GError **error)
{
    g_autoptr(GError) refusal = NULL;

    if (keeper->guest_lock) { /* nobody had it */
        return refuse_gone(keeper, error);
    }
    if (!take_over_record(keeper, error) || !take_over_definition(keeper, error) ||
        !keeper_open_control(keeper, error)) {
        g_prefix_error(error, "Cannot adopt '%s': ", keeper->config->name);
        return false;
    }

    bool running = was_running(keeper->status);
    keeper_watch_qemu(keeper);
    if (!keeper_open_console(keeper, true, &refusal)) {
        g_warning("The console is gone: %s; continuing", refusal->message);
    }
    find_out_state(keeper, running);
    g_message("Adopted QEMU, process %d, after its keeper's end",
              keeper->status->qemu.pid);
    keeper_addresses_recall(keeper->addresses, keeper->status->addresses);
    keeper_adopt_passts(keeper);
    keeper_renew_mirrors(keeper);
    keeper_start_sides(keeper);
    return true;
}
