/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lock.h - what coroutines wait on: queue, mutex, readers-writer lock, semaphore
 *
 * The shapes and rules are those of QEMU's CoQueue, CoMutex and CoRwlock
 * (include/qemu/coroutine.h), with fair, first-come order everywhere.
 *
 * Ownership:  caller-allocated; zero-initialised memory is a valid, free lock or
 *             an empty queue, and there is nothing to destroy.
 * Threads:    all but CoQueue may be contended between threads; each waiter goes on
 *             on its own, which must iterate its thread-default main context.  CoQueue
 *             belongs to one thread, or to the CoMutex that it is used under.
 */
#pragma once

#include <cpc/coroutine.h>

typedef struct CoWaiter CoWaiter; /* lives in the waiting coroutine's frame */

typedef struct CoQueue {
    CoWaiter *first;
    CoWaiter *last;
} CoQueue;

typedef struct CoMutex {
    int spin; /* guards the fields below, for a few instructions at a time */
    Coroutine *holder;
    CoQueue waiting;
} CoMutex;

typedef struct CoRwlock {
    int spin;
    int n_readers; /* -1: held by a writer */
    CoQueue waiting;
} CoRwlock;

typedef struct CoSemaphore {
    int spin;
    unsigned n_free; /* how many may take one at once: { .n_free = 4 } */
    CoQueue waiting;
} CoSemaphore;

void coroutine_fn cpc_mutex_lock(CoMutex *mutex);
void coroutine_fn cpc_mutex_unlock(CoMutex *mutex);

/*
 * Sleep until somebody calls cpc_queue_next() or cpc_queue_all(); @mutex, which may
 * be NULL, is dropped while asleep and held again on return.
 */
void coroutine_fn cpc_queue_wait(CoQueue *queue, CoMutex *mutex);

/*
 * Wake the longest waiter; false if nobody waited.  Callable from anywhere: the waiter
 * runs at once outside of a coroutine, and when the caller next stops inside of one.
 */
bool coroutine_mixed_fn cpc_queue_next(CoQueue *queue);
void coroutine_mixed_fn cpc_queue_all(CoQueue *queue);
bool cpc_queue_is_empty(const CoQueue *queue);

void coroutine_fn cpc_rwlock_read(CoRwlock *lock);
void coroutine_fn cpc_rwlock_write(CoRwlock *lock);
/*
 * Turn a held read lock into the write lock, after the other readers have left.  A
 * writer that has waited longer goes first, so what was read may have changed; the
 * only reader, with nobody waiting, gets it at once.
 */
void coroutine_fn cpc_rwlock_upgrade(CoRwlock *lock);
/* Turn the held write lock into a read lock without letting a writer in between. */
void coroutine_fn cpc_rwlock_downgrade(CoRwlock *lock);
void coroutine_fn cpc_rwlock_unlock(CoRwlock *lock);

/* Take one, or wait for one behind those who wait already. */
void coroutine_fn cpc_semaphore_take(CoSemaphore *semaphore);
/* Take one if that needs no waiting; callable from anywhere, any thread. */
bool cpc_semaphore_try(CoSemaphore *semaphore);
/* Give one, to the longest waiter if there is one.  Callable from anywhere, any thread;
 * the waiter goes on as with cpc_queue_next(), or on its own thread. */
void coroutine_mixed_fn cpc_semaphore_give(CoSemaphore *semaphore);
