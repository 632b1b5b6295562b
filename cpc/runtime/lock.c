/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A lock is handed over, not put down: whoever unlocks makes the longest waiter the
 * holder and wakes it afterwards, so nobody can slip in between and nobody starves.
 *
 * A waiter goes on on the thread that it waits on.  Woken from another one, it is
 * scheduled in its own main context, and that context cannot run it before it has truly
 * yielded, since it is the waiter's own thread that would have to.
 */
#define G_LOG_DOMAIN "cpc"

#include <cpc/lock.h>

#include "wake.h"

#include <cpc/glib.h>
#include <sched.h>

struct CoWaiter {
    CoWaiter *next;
    Coroutine *co;
    GThread *thread;
    GMainContext *context; /* borrowed from the thread */
    bool wants_to_write;
    bool is_woken;
};

static CoWaiter this_waiter(void)
{
    return (CoWaiter){
        .co = cpc_self(),
        .thread = g_thread_self(),
        .context = g_main_context_get_thread_default(),
    };
}

static void append(CoQueue *queue, CoWaiter *waiter)
{
    waiter->next = NULL;
    if (queue->last) {
        queue->last->next = waiter;
    } else {
        queue->first = waiter;
    }
    queue->last = waiter;
}

static CoWaiter *take_first(CoQueue *queue)
{
    CoWaiter *waiter = queue->first;

    if (waiter) {
        queue->first = waiter->next;
        if (!queue->first) {
            queue->last = NULL;
        }
    }
    return waiter;
}

/* @waiter is gone afterwards: it lives in the frame that goes on. */
static void coroutine_mixed_fn wake(CoWaiter *waiter)
{
    waiter->is_woken = true;
    if (waiter->thread == g_thread_self()) {
        cpc_wake(waiter->co);
    } else {
        cpc_schedule(waiter->co, waiter->context);
    }
}

/* Entered by anybody else, @self would leave a dangling pointer in its queue. */
static void coroutine_fn wait_for_wake(const CoWaiter *self)
{
    cpc_yield();
    if (!self->is_woken) {
        g_error("A coroutine that waits in a queue was entered by somebody else");
    }
}

/* The fields are guarded for a few instructions; only a preempted thread makes this
 * last, and then the processor is better given to it. */
static void spin_lock(int *spin)
{
    while (__atomic_exchange_n(spin, 1, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
}

static void spin_unlock(int *spin)
{
    __atomic_store_n(spin, 0, __ATOMIC_RELEASE);
}

/* Called with the spin lock held, which is dropped. */
static void coroutine_fn wait_for_mutex(CoMutex *mutex)
{
    CoWaiter self = this_waiter();

    append(&mutex->waiting, &self);
    spin_unlock(&mutex->spin);
    wait_for_wake(&self);
}

void coroutine_fn cpc_mutex_lock(CoMutex *mutex)
{
    Coroutine *self = cpc_self();

    spin_lock(&mutex->spin);
    if (mutex->holder == self) {
        g_error("A coroutine locks a mutex that it holds already");
    }
    if (mutex->holder) {
        wait_for_mutex(mutex);
        return;
    }
    mutex->holder = self;
    spin_unlock(&mutex->spin);
}

void coroutine_fn cpc_mutex_unlock(CoMutex *mutex)
{
    spin_lock(&mutex->spin);
    if (mutex->holder != cpc_self()) {
        g_error("A coroutine unlocks a mutex that it does not hold");
    }
    CoWaiter *next = take_first(&mutex->waiting);
    mutex->holder = next ? next->co : NULL;
    spin_unlock(&mutex->spin);

    if (next) {
        wake(next);
    }
}

void coroutine_fn cpc_queue_wait(CoQueue *queue, CoMutex *mutex)
{
    CoWaiter self = this_waiter();

    append(queue, &self);
    if (mutex) {
        cpc_mutex_unlock(mutex);
    }
    wait_for_wake(&self);
    if (mutex) {
        cpc_mutex_lock(mutex);
    }
}

bool coroutine_mixed_fn cpc_queue_next(CoQueue *queue)
{
    CoWaiter *waiter = take_first(queue);

    if (!waiter) {
        return false;
    }
    wake(waiter);
    return true;
}

void coroutine_mixed_fn cpc_queue_all(CoQueue *queue)
{
    /* Who is woken here and waits again must not be woken twice. */
    CoQueue woken = *queue;

    *queue = (CoQueue){ NULL, NULL };
    while (cpc_queue_next(&woken)) {
    }
}

bool cpc_queue_is_empty(const CoQueue *queue)
{
    return !queue->first;
}

/*
 * Give @lock to those who are next: one writer, or all readers up to a writer.  Called
 * with the spin lock held, which is dropped before they are woken.
 */
static void coroutine_fn grant(CoRwlock *lock)
{
    CoQueue granted = { NULL, NULL };
    CoWaiter *next;

    while ((next = lock->waiting.first) && lock->n_readers >= 0 &&
           !(next->wants_to_write && lock->n_readers > 0)) {
        lock->n_readers = next->wants_to_write ? -1 : lock->n_readers + 1;
        append(&granted, take_first(&lock->waiting));
    }
    spin_unlock(&lock->spin);
    cpc_queue_all(&granted);
}

/* As above.  It may be this very coroutine that grant() wakes: then it does not stop. */
static void coroutine_fn wait_for_grant(CoRwlock *lock, bool wants_to_write)
{
    CoWaiter self = this_waiter();

    self.wants_to_write = wants_to_write;
    append(&lock->waiting, &self);
    grant(lock);
    wait_for_wake(&self);
}

void coroutine_fn cpc_rwlock_read(CoRwlock *lock)
{
    spin_lock(&lock->spin);
    if (lock->n_readers < 0 || !cpc_queue_is_empty(&lock->waiting)) {
        wait_for_grant(lock, false);
        return;
    }
    lock->n_readers++;
    spin_unlock(&lock->spin);
}

void coroutine_fn cpc_rwlock_write(CoRwlock *lock)
{
    spin_lock(&lock->spin);
    wait_for_grant(lock, true);
}

void coroutine_fn cpc_rwlock_upgrade(CoRwlock *lock)
{
    spin_lock(&lock->spin);
    if (lock->n_readers <= 0) {
        g_error("A coroutine upgrades a lock that it does not read under");
    }
    lock->n_readers--;
    wait_for_grant(lock, true);
}

void coroutine_fn cpc_rwlock_downgrade(CoRwlock *lock)
{
    spin_lock(&lock->spin);
    if (lock->n_readers >= 0) {
        g_error("A coroutine downgrades a lock that it does not write under");
    }
    lock->n_readers = 1;
    grant(lock);
}

void coroutine_fn cpc_rwlock_unlock(CoRwlock *lock)
{
    spin_lock(&lock->spin);
    if (lock->n_readers == 0) {
        g_error("A coroutine unlocks a readers-writer lock that nobody holds");
    }
    lock->n_readers = MAX(lock->n_readers, 1) - 1;
    grant(lock);
}

bool cpc_semaphore_try(CoSemaphore *semaphore)
{
    spin_lock(&semaphore->spin);
    bool is_free = semaphore->n_free > 0;
    semaphore->n_free -= is_free;
    spin_unlock(&semaphore->spin);
    return is_free;
}

void coroutine_fn cpc_semaphore_take(CoSemaphore *semaphore)
{
    CoWaiter self = this_waiter();

    spin_lock(&semaphore->spin);
    if (semaphore->n_free > 0) {
        semaphore->n_free--;
        spin_unlock(&semaphore->spin);
        return;
    }
    append(&semaphore->waiting, &self);
    spin_unlock(&semaphore->spin);
    wait_for_wake(&self);
}

/* What is given to a waiter is never free in between: nobody can take it from him. */
void coroutine_mixed_fn cpc_semaphore_give(CoSemaphore *semaphore)
{
    spin_lock(&semaphore->spin);
    CoWaiter *next = take_first(&semaphore->waiting);
    semaphore->n_free += next == NULL;
    spin_unlock(&semaphore->spin);

    if (next) {
        wake(next);
    }
}
