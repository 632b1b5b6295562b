/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/side.h"

#include <cpc/glib.h>

struct OstlerSide {
    char *name;
    const OstlerSideOps *ops; /* borrowed */
    void *opaque;             /* borrowed */
    OstlerProcess *process;   /* NULL between two runs */
    unsigned n_starts;
    unsigned n_ends; /* in a row that came soon */
    bool is_orderly; /* the last one was */
    bool is_stopping;
    bool is_renewed; /* it is to end, and to be started again */
    bool has_ended;
    CoEvent go_on; /* ends the pause */
    CoEvent ended; /* for ostler_side_stop() */
};

unsigned ostler_side_pause_ms(unsigned n_ends, bool is_orderly)
{
    unsigned max_ms =
        is_orderly ? OSTLER_SIDE_MAX_ORDERLY_MS : OSTLER_SIDE_MAX_PAUSE_MS;
    unsigned pause_ms = OSTLER_SIDE_FIRST_PAUSE_MS;

    for (unsigned i = 1; i < n_ends && pause_ms < max_ms; i++) {
        pause_ms *= 2;
    }
    return MIN(pause_ms, max_ms);
}

static unsigned pause_of(const OstlerSide *side)
{
    return ostler_side_pause_ms(side->n_ends, side->is_orderly);
}

static void report_end(OstlerSide *side, const OstlerProcessEnd *end)
{
    g_autofree char *how = ostler_process_end_text(end);
    g_autofree char *what =
        g_strdup_printf("%s; starting it again in %u ms", how, pause_of(side));

    side->ops->report(side->name, what, side->opaque);
}

static void coroutine_fn watch(OstlerSide *side)
{
    gint64 started = g_get_monotonic_time();
    OstlerProcessEnd end;

    ostler_process_wait(side->process, -1, &end);
    bool was_long = g_get_monotonic_time() - started >
                    OSTLER_SIDE_LONG_RUN_MS * G_GINT64_CONSTANT(1000);
    side->n_ends = was_long ? 1 : side->n_ends + 1;
    side->is_orderly = end.is_known && end.code == 0;
    g_clear_pointer(&side->process, ostler_process_free);
    if (!side->is_stopping && !side->is_renewed) {
        report_end(side, &end);
    }
}

/* Returns: whether it makes sense to try again. */
static bool coroutine_fn run_once(OstlerSide *side)
{
    g_autoptr(GError) refusal = NULL;

    side->process = side->ops->start(side->opaque, &refusal);
    if (side->process) {
        side->n_starts++;
        if (side->is_stopping) {
            ostler_process_kill(side->process);
        }
        watch(side);
        return true;
    }
    side->ops->report(side->name, refusal->message, side->opaque);
    side->n_ends++;
    side->is_orderly = false;
    return !g_error_matches(refusal, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void coroutine_fn keep_running(void *opaque)
{
    OstlerSide *side = opaque;

    while (!side->is_stopping && run_once(side) && !side->is_stopping) {
        if (!side->is_renewed) {
            cpc_event_wait(&side->go_on, (int)pause_of(side));
        }
        side->is_renewed = false;
    }
    side->has_ended = true;
    cpc_event_set(&side->ended);
}

OstlerSide *coroutine_mixed_fn ostler_side_new(const char *name,
                                               const OstlerSideOps *ops, void *opaque)
{
    OstlerSide *side = g_new0(OstlerSide, 1);

    side->name = g_strdup(name);
    side->ops = ops;
    side->opaque = opaque;
    cpc_spawn(keep_running, side);
    return side;
}

void coroutine_fn ostler_side_stop(OstlerSide *side)
{
    side->is_stopping = true;
    if (side->process) {
        ostler_process_kill(side->process);
    }
    cpc_event_set(&side->go_on);
    while (!side->has_ended) {
        cpc_event_wait(&side->ended, -1);
    }
    g_free(side->name);
    g_free(side);
}

void ostler_side_renew(OstlerSide *side)
{
    if (side->process) {
        side->is_renewed = true;
        ostler_process_kill(side->process);
    }
}

void coroutine_mixed_fn ostler_side_hurry(OstlerSide *side)
{
    if (!side->process) {
        cpc_event_set(&side->go_on);
    }
}

int ostler_side_pid(const OstlerSide *side)
{
    return side->process ? ostler_process_identity(side->process).pid : 0;
}

unsigned ostler_side_n_restarts(const OstlerSide *side)
{
    return side->n_starts > 0 ? side->n_starts - 1 : 0;
}

const char *ostler_side_name(const OstlerSide *side)
{
    return side->name;
}
