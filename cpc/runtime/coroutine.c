/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * cpc_enter() runs a coroutine on top of the caller; coroutines that it woke are run,
 * when it stops, by the same cpc_enter() before that returns.  They are run depth-first:
 * whom the last one woke goes before those who were due earlier, as in QEMU.  Entering
 * them right where they are woken was not done because a coroutine would then lose the
 * processor inside of cpc_mutex_unlock() and the like, where nobody expects it.
 *
 * Who runs is a thread-local variable, and a coroutine may wake up on another thread:
 * the compiler must not keep that variable's address over a switch, which it does as
 * soon as it may inline (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=26461).  Hence
 * the accessors, which no optimiser may look into.
 *
 * A coroutine that has ended goes into its thread's pool, because mapping a stack costs
 * some hundred times as much as running an empty coroutine does.
 */
#define G_LOG_DOMAIN "cpc"

#include "backend.h"
#include "wake.h"

#include <glib.h>

/* As many as a program has in flight at once; what they once used stays resident. */
#define MAX_POOLED 64

#if defined(__clang__)
#define OPAQUE_TO_OPTIMISER __attribute__((noinline, optnone))
#else
#define OPAQUE_TO_OPTIMISER __attribute__((noipa))
#endif

typedef struct {
    Coroutine *first;
    unsigned n;
} Pool;

static void drain_pool(gpointer data);

static _Thread_local Coroutine *running;
static _Thread_local Pool pool;
static GPrivate pool_of_ending_thread = G_PRIVATE_INIT(drain_pool);

OPAQUE_TO_OPTIMISER static Coroutine *get_running(void)
{
    return running;
}

OPAQUE_TO_OPTIMISER static void set_running(Coroutine *co)
{
    running = co;
}

OPAQUE_TO_OPTIMISER static Pool *get_pool(void)
{
    return &pool;
}

static void append(CoroutineList *list, Coroutine *co)
{
    co->next = NULL;
    if (list->last) {
        list->last->next = co;
    } else {
        list->first = co;
    }
    list->last = co;
}

static Coroutine *take_first(CoroutineList *list)
{
    Coroutine *co = list->first;

    if (co) {
        list->first = co->next;
        if (!list->first) {
            list->last = NULL;
        }
    }
    return co;
}

/* Move all of @list to the front of @others. */
static void move_before(CoroutineList *others, CoroutineList *list)
{
    if (!list->first) {
        return;
    }
    list->last->next = others->first;
    if (!others->last) {
        others->last = list->last;
    }
    others->first = list->first;
    *list = (CoroutineList){ NULL, NULL };
}

static void drain_pool(gpointer data)
{
    Pool *ending = data;

    while (ending->first) {
        Coroutine *co = ending->first;
        ending->first = co->next;
        cpc_backend_free(co);
    }
    ending->n = 0;
}

static Coroutine *take_pooled(void)
{
    Pool *mine = get_pool();
    Coroutine *co = mine->first;

    if (co) {
        mine->first = co->next;
        mine->n--;
    }
    return co;
}

static void recycle(Coroutine *co)
{
    Pool *mine = get_pool();

    if (mine->n >= MAX_POOLED) {
        cpc_backend_free(co);
        return;
    }
    if (mine->n == 0) {
        g_private_set(&pool_of_ending_thread, mine);
    }
    co->next = mine->first;
    mine->first = co;
    mine->n++;
}

Coroutine *cpc_create(CoroutineEntry *entry, void *opaque)
{
    Coroutine *co = take_pooled();

    if (!co) {
        co = cpc_backend_new();
    }
    co->entry = entry;
    co->opaque = opaque;
    return co;
}

void coroutine_start_fn cpc_begin(Coroutine *co)
{
    co->entry(co->opaque);
}

/* After this, @co may already be running on another thread. */
static void tell_stopped(Coroutine *co)
{
    void (*stopped)(Coroutine * co, void *opaque) = co->stopped;

    if (stopped) {
        co->stopped = NULL;
        stopped(co, co->stopped_opaque);
    }
}

/* Run @co until it stops; whom it woke meanwhile goes to the front of @due. */
static void run(Coroutine *co, CoroutineList *due)
{
    Coroutine *enterer = get_running();

    if (co->is_running) {
        g_error("A coroutine was entered that is running already");
    }
    __atomic_store_n(&co->is_due, 0, __ATOMIC_RELAXED);
    co->is_running = true;
    set_running(co);
    CpcOutcome outcome = cpc_backend_run(co);
    set_running(enterer);
    co->is_running = false;
    move_before(due, &co->woken);

    if (outcome == CPC_YIELDED) {
        tell_stopped(co);
        return;
    }
    if (cpc_is_due(co)) {
        g_error("A coroutine ended that was still due to be entered");
    }
    recycle(co);
}

void coroutine_mixed_fn cpc_enter_due(Coroutine *co)
{
    CoroutineList due = { NULL, NULL };

    append(&due, co);
    while ((co = take_first(&due))) {
        run(co, &due);
    }
}

void coroutine_mixed_fn cpc_enter(Coroutine *co)
{
    if (cpc_is_due(co)) {
        g_error("A coroutine was entered that is due to be entered by somebody else");
    }
    cpc_enter_due(co);
}

void coroutine_fn cpc_yield(void)
{
    Coroutine *self = get_running();

    if (!self) {
        g_error("cpc_yield() was called outside of a coroutine");
    }
    cpc_backend_yield(self);
}

Coroutine *cpc_self(void)
{
    return get_running();
}

bool cpc_in_coroutine(void)
{
    return get_running();
}

void cpc_make_due(Coroutine *co)
{
    if (__atomic_exchange_n(&co->is_due, 1, __ATOMIC_ACQ_REL)) {
        g_error("A coroutine was woken or scheduled twice");
    }
}

bool cpc_is_due(Coroutine *co)
{
    return __atomic_load_n(&co->is_due, __ATOMIC_ACQUIRE);
}

void coroutine_mixed_fn cpc_wake(Coroutine *co)
{
    Coroutine *self = get_running();

    cpc_make_due(co);
    if (self) {
        append(&self->woken, co);
    } else {
        cpc_enter_due(co);
    }
}

void cpc_when_stopped(Coroutine *co, void (*stopped)(Coroutine *co, void *opaque),
                      void *opaque)
{
    co->stopped = stopped;
    co->stopped_opaque = opaque;
}
