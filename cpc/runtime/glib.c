/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define G_LOG_DOMAIN "cpc"

#include <cpc/glib.h>

#include "wait.h"
#include "wake.h"

typedef struct {
    GSource source;
    Coroutine *co;
} CoroutineSource;

/* A coroutine that is due has been woken by another way in this very moment. */
static gboolean dispatch_wait(GSource *source, GSourceFunc callback, gpointer data)
{
    Coroutine *co = ((CoroutineSource *)source)->co;

    if (!cpc_is_due(co)) {
        cpc_enter(co);
    }
    return G_SOURCE_REMOVE;
}

static gboolean dispatch_schedule(GSource *source, GSourceFunc callback, gpointer data)
{
    cpc_enter_due(((CoroutineSource *)source)->co);
    return G_SOURCE_REMOVE;
}

static GSourceFuncs wait_funcs = { .dispatch = dispatch_wait };
static GSourceFuncs schedule_funcs = { .dispatch = dispatch_schedule };

static GSource *source_new(GSourceFuncs *funcs, Coroutine *co)
{
    GSource *source = g_source_new(funcs, sizeof(CoroutineSource));

    ((CoroutineSource *)source)->co = co;
    return source;
}

GSource *cpc_wait_source_new(int timeout_ms)
{
    GSource *source = source_new(&wait_funcs, cpc_self());

    if (timeout_ms >= 0) {
        g_source_set_ready_time(source, g_get_monotonic_time() + timeout_ms * 1000LL);
    }
    return source;
}

void coroutine_fn cpc_wait_for_source(GSource *source)
{
    g_source_attach(source, g_main_context_get_thread_default());
    cpc_yield();
    g_source_destroy(source);
}

void coroutine_mixed_fn cpc_spawn(CoroutineEntry *entry, void *opaque)
{
    cpc_enter(cpc_create(entry, opaque));
}

static void attach_schedule(Coroutine *co, void *opaque)
{
    GMainContext *context = opaque;
    GSource *source = source_new(&schedule_funcs, co);

    g_source_set_ready_time(source, 0);
    g_source_attach(source, context);
    g_source_unref(source);
    g_main_context_unref(context);
}

void cpc_schedule(Coroutine *co, GMainContext *context)
{
    GMainContext *held =
        g_main_context_ref(context ? context : g_main_context_default());

    cpc_make_due(co);
    if (co == cpc_self()) {
        /* Another thread must not have it before it has truly stopped here. */
        cpc_when_stopped(attach_schedule, held);
    } else {
        attach_schedule(co, held);
    }
}

void coroutine_fn cpc_sleep_ms(unsigned ms)
{
    GSource *source = cpc_wait_source_new((int)MIN(ms, (unsigned)G_MAXINT));

    cpc_wait_for_source(source);
    g_source_unref(source);
}

typedef struct {
    CoroutineEntry *entry;
    void *opaque;
    GMainContext *context;
    int has_ended;
} Run;

/* @opaque is gone as soon as has_ended is set, if this ends on another thread. */
static void coroutine_fn run_to_the_end(void *opaque)
{
    Run *run = opaque;
    GMainContext *context = g_main_context_ref(run->context);

    run->entry(run->opaque);
    g_atomic_int_set(&run->has_ended, TRUE);
    g_main_context_wakeup(context);
    g_main_context_unref(context);
}

void cpc_run(CoroutineEntry *entry, void *opaque)
{
    Run run = {
        .entry = entry,
        .opaque = opaque,
        .context = g_main_context_ref_thread_default(),
    };

    if (cpc_in_coroutine()) {
        g_error("cpc_run() was called inside of a coroutine, which it would block");
    }
    cpc_spawn(run_to_the_end, &run);
    while (!g_atomic_int_get(&run.has_ended)) {
        g_main_context_iteration(run.context, TRUE);
    }
    g_main_context_unref(run.context);
}

void coroutine_mixed_fn cpc_event_set(CoEvent *event)
{
    Coroutine *waiter = event->waiter;

    event->is_set = true;
    event->waiter = NULL;
    if (waiter) {
        cpc_wake(waiter);
    }
}

static void coroutine_fn wait_for_event(CoEvent *event, int timeout_ms)
{
    GSource *source = cpc_wait_source_new(timeout_ms);

    if (event->waiter) {
        g_error("Two coroutines wait for one event");
    }
    event->waiter = cpc_self();
    cpc_wait_for_source(source);
    event->waiter = NULL;
    g_source_unref(source);
}

bool coroutine_fn cpc_event_wait(CoEvent *event, int timeout_ms)
{
    if (!event->is_set) {
        wait_for_event(event, timeout_ms);
    }
    bool came = event->is_set;
    event->is_set = false;
    return came;
}
