/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A keeper has claimed the guest before it does anything else: keeper.lock says that
 * there is a keeper, guest.lock goes to QEMU as well and says that there is a QEMU.  So
 * of two starts one fails at the first lock, and a keeper that was killed leaves exactly
 * guest.lock held.
 *
 * Its end has an order, too.  First nothing of the guest is left: side programs, QEMU's
 * sockets.  Then the record says "shut off".  Then the locks go, and only then the
 * clients' connections: whoever waited for the end of one can start the guest at once.
 *
 * Coroutines that use the keeper are counted, and it is freed without them.
 */
#define G_LOG_DOMAIN "ostler-keeper"

#include "keeper.h"

#include <unistd.h>

#include "addresses.h"
#include "guest/running/place.h"
#include "log.h"
#include "passt.h"
#include "platform/rundir.h"
#include "shares.h"
#include "sides.h"
#include "words.h"

#define LAST_OUTPUT_MS  1000 /* for clients to take what was said before the end */
#define LAST_ANSWERS_MS 2000

Keeper *keeper_new(const KeeperConfig *config)
{
    Keeper *keeper = g_new0(Keeper, 1);

    keeper->config = config;
    keeper->status = ostler_run_status_new();
    keeper->status->keeper_pid = getpid();
    keeper->status->ends_with_keeper = config->ends_with_keeper;
    keeper->sides = g_ptr_array_new();
    keeper->shares = keeper_shares_new();
    keeper->passts = g_ptr_array_new_with_free_func((GDestroyNotify)keeper_passt_free);
    keeper->addresses = keeper_addresses_new();
    return keeper;
}

void keeper_free(Keeper *keeper)
{
    g_assert(keeper->n_busy == 0 && keeper->sides->len == 0);
    g_clear_pointer(&keeper->qmp, ostler_qmp_free);
    g_clear_pointer(&keeper->control, ostler_control_server_free);
    g_clear_pointer(&keeper->console, ostler_run_console_free);
    g_clear_pointer(&keeper->words, keeper_words_free);
    g_clear_pointer(&keeper->qemu, ostler_process_free);
    g_clear_pointer(&keeper->definition, ostler_definition_free);
    g_clear_pointer(&keeper->addresses, keeper_addresses_free);
    g_clear_pointer(&keeper->status, ostler_run_status_free);
    g_clear_pointer(&keeper->guest_lock, ostler_lock_free);
    g_clear_pointer(&keeper->keeper_lock, ostler_lock_free);
    g_ptr_array_unref(keeper->sides);
    keeper_shares_free(keeper->shares);
    g_ptr_array_unref(keeper->passts);
    g_free(keeper);
}

typedef struct {
    Keeper *keeper;
    KeeperTask *task;
    void *data;
} Errand;

static void coroutine_fn run_errand(void *opaque)
{
    Errand *errand = opaque;
    Keeper *keeper = errand->keeper;

    errand->task(keeper, errand->data);
    g_free(errand);
    if (--keeper->n_busy == 0) {
        cpc_event_set(&keeper->is_unused);
    }
}

void coroutine_mixed_fn keeper_spawn(Keeper *keeper, KeeperTask *task, void *data)
{
    Errand *errand = g_new(Errand, 1);

    *errand = (Errand){ .keeper = keeper, .task = task, .data = data };
    keeper->n_busy++;
    cpc_spawn(run_errand, errand);
}

void keeper_set_why(Keeper *keeper, char *why)
{
    g_free(keeper->status->why);
    keeper->status->why = why;
}

void keeper_save_status(Keeper *keeper)
{
    g_autoptr(GError) refusal = NULL;

    if (!ostler_run_status_save(keeper->status, keeper->config->name, &refusal)) {
        g_warning("The guest's record is out of date: %s; continuing",
                  refusal->message);
    }
}

static void coroutine_mixed_fn tell_state(Keeper *keeper)
{
    const char *state = ostler_run_state_text(keeper->status->state);
    const char *reason = ostler_run_reason_text(keeper->status->reason);

    if (keeper->control) {
        ostler_control_server_tell(
            keeper->control, "state",
            ostler_json_object("state", json_object_new_string(state), "reason",
                               json_object_new_string(reason), NULL));
    }
    cpc_queue_all(&keeper->changed);
}

/* What others see: the words, not the states behind them. */
static bool looks_different(const OstlerRunStatus *status, const OstlerRunStep *step)
{
    return status->reason != step->reason ||
           g_strcmp0(ostler_run_state_text(status->state),
                     ostler_run_state_text(step->next)) != 0;
}

const OstlerRunStep *coroutine_mixed_fn keeper_feed(Keeper *keeper,
                                                    OstlerRunEvent event)
{
    OstlerRunStatus *status = keeper->status;
    const OstlerRunStep *step = ostler_run_step(status->state, event);

    if (!step->next) {
        return step;
    }
    bool is_news = looks_different(status, step);
    status->state = step->next;
    status->reason = step->reason;
    if (step->next == OSTLER_RUN_RUNNING) {
        keeper_set_why(keeper, NULL);
    }
    if (step->action == OSTLER_RUN_DO_FINISH) {
        status->ended_at = g_get_real_time();
        cpc_event_set(&keeper->is_over);
    } else if (is_news) {
        keeper_save_status(keeper);
        tell_state(keeper);
    }
    return step;
}

static bool refuse_running(const Keeper *keeper, GError **error)
{
    g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE,
                "'%s' is already running", keeper->config->name);
    return false;
}

/* @out_lock NULL: somebody else holds it. */
static bool claim(const char *guest, const char *file, OstlerLock **out_lock,
                  GError **error)
{
    g_autofree char *path = ostler_run_path(guest, file);
    g_autoptr(GError) refusal = NULL;

    *out_lock = ostler_lock_claim(path, &refusal);
    if (!*out_lock && !g_error_matches(refusal, G_IO_ERROR, G_IO_ERROR_BUSY)) {
        g_propagate_error(error, g_steal_pointer(&refusal));
        return false;
    }
    return true;
}

static bool claim_guest(Keeper *keeper, GError **error)
{
    const char *name = keeper->config->name;
    g_autofree char *place = ostler_run_path(name, NULL);

    if (!ostler_dir_ensure(place, error) ||
        !claim(name, "keeper.lock", &keeper->keeper_lock, error)) {
        return false;
    }
    if (!keeper->keeper_lock) {
        return refuse_running(keeper, error);
    }
    if (!claim(name, "guest.lock", &keeper->guest_lock, error)) {
        return false;
    }
    if (keeper->config->is_adopting) {
        return true; /* adopt.c looks at who has it */
    }
    return keeper->guest_lock || refuse_running(keeper, error);
}

static void open_log(Keeper *keeper)
{
    g_autofree char *path = ostler_run_path(keeper->config->name, "keeper.log");

    keeper_log_open(path, keeper->config->is_adopting);
}

static void coroutine_fn wait_for_end(Keeper *keeper)
{
    while (keeper->status->state != OSTLER_RUN_SHUT_OFF) {
        cpc_event_wait(&keeper->is_over, -1);
    }
}

/* Undo everything but the locks and the control channel. */
static void coroutine_fn clear_away(Keeper *keeper)
{
    keeper_stop_sides(keeper);
    if (keeper->console) {
        ostler_run_console_finish(keeper->console, LAST_OUTPUT_MS);
    }
    g_clear_pointer(&keeper->qmp, ostler_qmp_free);
    ostler_run_sweep(keeper->config->name);
}

/* In the order that the theory above gives. */
static void coroutine_fn leave(Keeper *keeper)
{
    clear_away(keeper);
    keeper_save_status(keeper);
    g_clear_pointer(&keeper->guest_lock, ostler_lock_free);
    g_clear_pointer(&keeper->keeper_lock, ostler_lock_free);
    keeper->is_cleared = true;

    tell_state(keeper);
    if (keeper->control) {
        ostler_control_server_finish(keeper->control, LAST_ANSWERS_MS);
    }
    while (keeper->n_busy > 0) {
        cpc_event_wait(&keeper->is_unused, -1);
    }
}

/* The start failed: end what there is of QEMU, and record why. */
static void coroutine_fn give_up(Keeper *keeper, const GError *why)
{
    if (keeper->qemu) {
        ostler_process_kill(keeper->qemu);
        wait_for_end(keeper);
    }
    keeper->status->state = OSTLER_RUN_SHUT_OFF;
    keeper->status->reason = OSTLER_RUN_REASON_FAILED;
    keeper->status->ended_at = g_get_real_time();
    keeper_set_why(keeper, g_strdup(why->message));
    leave(keeper);
}

bool coroutine_fn keeper_begin(Keeper *keeper, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!claim_guest(keeper, error)) {
        return false;
    }
    open_log(keeper);
    if (keeper->config->is_adopting) {
        return keeper_adopt(keeper, error); /* fails before it has touched anything */
    }
    if (!keeper_launch(keeper, &why)) {
        give_up(keeper, why);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    return true;
}

void coroutine_fn keeper_live(Keeper *keeper)
{
    wait_for_end(keeper);
    leave(keeper);
}
