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
 * Who runs is a thread-local variable, and a coroutine may wake up on another thread: the
 * compiler must not keep that variable's address over a switch, which it does as soon as
 * it may inline (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=26461).  Hence the functions
 * below that a coroutine calls are not inlined.  cpc_enter() may keep it: whoever it runs
 * stops on the thread that it was entered on.
 *
 * A coroutine that has ended goes into its thread's pool, because mapping a stack costs
 * some hundred times as much as running an empty coroutine does.
 */
#include "backend.h"
#include "system.h"
#include "wake.h"

#include <stddef.h>

/* As many as a program has in flight at once; what they once used stays resident. */
#define MAX_POOLED 64

#define NOT_INLINED    __attribute__((noinline))
#define ALWAYS_INLINED __attribute__((always_inline))
#define UNLIKELY(x)    __builtin_expect(x, 0)
/* Without this, a static library, which may become part of a shared one, would call a
 * function for each use. */
#define FAST_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

typedef struct {
    Coroutine *first;
    Coroutine *last; /* if there is a first */
} CoroutineList;

/* One coroutine's run, from being entered until it stops: on its enterer's stack. */
typedef struct {
    Coroutine *co;
    CoroutineList woken; /* entered as soon as this one stops */
    void (*stopped)(Coroutine *co, void *opaque); /* see cpc_when_stopped() */
    void *stopped_opaque;
} Run;

typedef struct {
    Coroutine *first;
    unsigned n;
    bool is_drained_at_exit;
} Pool;

static FAST_THREAD_LOCAL Run *current;
static FAST_THREAD_LOCAL Pool pool;

static void append(CoroutineList *list, Coroutine *co)
{
    co->next = NULL;
    if (list->first) {
        list->last->next = co;
    } else {
        list->first = co;
    }
    list->last = co;
}

/* Move all of @list, which is not empty, to the front of @others. */
static void move_before(CoroutineList *others, const CoroutineList *list)
{
    list->last->next = others->first;
    if (!others->first) {
        others->last = list->last;
    }
    others->first = list->first;
}

static void drain_pool(void *data)
{
    Pool *ending = data;

    while (ending->first) {
        Coroutine *co = ending->first;
        ending->first = co->next;
        cpc_backend_free(co);
    }
    *ending = (Pool){ 0 };
}

static void recycle(Coroutine *co)
{
    if (UNLIKELY(pool.n >= MAX_POOLED)) {
        cpc_backend_free(co);
        return;
    }
    if (UNLIKELY(!pool.is_drained_at_exit)) {
        pool.is_drained_at_exit = true;
        cpc_at_thread_exit(drain_pool, &pool);
    }
    co->next = pool.first;
    pool.first = co;
    pool.n++;
}

Coroutine *cpc_create(CoroutineEntry *entry, void *opaque)
{
    Coroutine *co = pool.first;

    if (UNLIKELY(!co)) {
        co = cpc_backend_new();
    } else {
        pool.first = co->next;
        pool.n--;
    }
    cpc_backend_prepare(co, entry, opaque);
    return co;
}

NOT_INLINED _Noreturn static void refuse_to_run(const Coroutine *co)
{
    cpc_fatal("A coroutine was entered that is %s",
              co->is_running ? "running already"
                             : "due to be entered by somebody else");
}

static void run_all(CoroutineList *due);

/* After its @stopped was called, @run's coroutine may already run on another thread. */
NOT_INLINED static void finish_run(Run *run, CoroutineList *due)
{
    CoroutineList woken = run->woken;

    if (run->stopped) {
        run->stopped(run->co, run->stopped_opaque);
    }
    if (woken.first && due) {
        move_before(due, &woken);
    } else if (woken.first) {
        run_all(&woken);
    }
}

/*
 * Run @co until it stops; whom it woke meanwhile goes to the front of @due, or is run if
 * that is NULL.
 */
ALWAYS_INLINED static inline void run_once(Coroutine *co, CoroutineList *due)
{
    Run *enterer = current;
    Run run;

    if (UNLIKELY(co->is_running)) {
        refuse_to_run(co);
    }
    run.co = co;
    run.woken.first = NULL;
    run.stopped = NULL;
    co->is_running = true;
    current = &run;
    CpcOutcome outcome = cpc_backend_run(co);
    current = enterer;
    co->is_running = false;

    if (outcome == CPC_ENDED) {
        if (UNLIKELY(cpc_is_due(co))) {
            cpc_fatal("A coroutine ended that was still due to be entered");
        }
        recycle(co);
        run.stopped = NULL;
    }
    if (UNLIKELY(run.woken.first || run.stopped)) {
        finish_run(&run, due);
    }
}

NOT_INLINED static void run_all(CoroutineList *due)
{
    Coroutine *co;

    while ((co = due->first)) {
        due->first = co->next;
        __atomic_store_n(&co->is_due, 0, __ATOMIC_RELAXED);
        run_once(co, due);
    }
}

void coroutine_mixed_fn cpc_enter_due(Coroutine *co)
{
    CoroutineList due = { co, co };

    co->next = NULL;
    run_all(&due);
}

void coroutine_mixed_fn cpc_enter(Coroutine *co)
{
    if (UNLIKELY(cpc_is_due(co))) {
        refuse_to_run(co);
    }
    run_once(co, NULL);
}

NOT_INLINED Coroutine *cpc_self(void)
{
    Run *volatile *now = &current;

    return *now ? (*now)->co : NULL;
}

NOT_INLINED bool cpc_in_coroutine(void)
{
    Run *volatile *now = &current;

    return *now != NULL;
}

void cpc_make_due(Coroutine *co)
{
    if (__atomic_exchange_n(&co->is_due, 1, __ATOMIC_ACQ_REL)) {
        cpc_fatal("A coroutine was woken or scheduled twice");
    }
}

bool cpc_is_due(Coroutine *co)
{
    return __atomic_load_n(&co->is_due, __ATOMIC_ACQUIRE);
}

NOT_INLINED void coroutine_mixed_fn cpc_wake(Coroutine *co)
{
    cpc_make_due(co);
    if (current) {
        append(&current->woken, co);
    } else {
        cpc_enter_due(co);
    }
}

NOT_INLINED void cpc_when_stopped(void (*stopped)(Coroutine *co, void *opaque),
                                  void *opaque)
{
    current->stopped = stopped;
    current->stopped_opaque = opaque;
}
