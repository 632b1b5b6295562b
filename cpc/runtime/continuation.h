/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The backend for code that the plugin compiled (arena.h has the contract).  There is no
 * stack to switch: a coroutine_fn that has to wait returns to its caller with a frame,
 * and so on up to cpc_backend_run().  The frames remain, each with a pointer to its
 * caller's.  To go on is to call the innermost; when it finishes it names its parent as
 * the next one.  That loop needs no tail calls and no more C stack at any depth.
 *
 *     cpc_backend_run() -> greet.cpc -> (cpc_yield)
 *                       <- greet's frame <- the arena, for a frame
 *
 * All of it is inline: running and resuming an idle coroutine costs less than two calls
 * between files would.
 */
#pragma once

#include "arena.h"
#include "backend.h"
#include "system.h"

#include <string.h>

/*
 * What is left of 128 bytes when malloc() has taken its word.  One small frame: a coroutine
 * that needs more gets a second chunk, and keeps it through the pool.
 */
#define CPC_FIRST_CHUNK_SIZE                                                           \
    (128 - sizeof(size_t) - sizeof(Coroutine) - sizeof(CpcArena))

/* A coroutine_fn (void *opaque) after the plugin has compiled it. */
typedef CpcFrame *CpcCompiledEntry(CpcArena *arena, void *opaque);

typedef struct {
    Coroutine base;
    CpcArena arena;
    /* Not _Alignas(), which pads the end as well: 120 bytes in all, not 128. */
    char padding[-(sizeof(Coroutine) + sizeof(CpcArena)) % CPC_ARENA_ALIGNMENT];
    union {
        struct {
            CoroutineEntry *entry;
            void *opaque;
        }; /* at its beginning */
        char first[CPC_FIRST_CHUNK_SIZE];
    };
} FrameCoroutine;

_Static_assert(offsetof(FrameCoroutine, first) % CPC_ARENA_ALIGNMENT == 0,
               "the first chunk is aligned, as the coroutine is");

static inline Coroutine *cpc_backend_new(void)
{
    FrameCoroutine *self = cpc_allocate(sizeof(*self));

    if (!self) {
        cpc_fatal("No memory for a coroutine");
    }
    memset(self, 0, sizeof(*self));
    cpc_arena_init(&self->arena, self->first,
                   sizeof(self->first) / CPC_ARENA_ALIGNMENT * CPC_ARENA_ALIGNMENT);
    return &self->base;
}

static inline void cpc_backend_free(Coroutine *co)
{
    FrameCoroutine *self = (FrameCoroutine *)co;

    cpc_arena_finish(&self->arena);
    cpc_release(self);
}

static inline void cpc_backend_prepare(Coroutine *co, CoroutineEntry *entry,
                                       void *opaque)
{
    FrameCoroutine *self = (FrameCoroutine *)co;

    self->entry = entry;
    self->opaque = opaque;
}

static inline bool coroutine_start_fn cpc_backend_start(FrameCoroutine *self)
{
    CpcCompiledEntry *entry = (CpcCompiledEntry *)self->entry;

    cpc_pass_defined(2);
    return cpc_arena_start(&self->arena, entry(&self->arena, self->opaque));
}

/* Who goes on is nobody at the beginning. */
static inline CpcOutcome cpc_backend_run(Coroutine *co)
{
    FrameCoroutine *self = (FrameCoroutine *)co;

    if (__builtin_expect(self->arena.parent != NULL, 1) ? cpc_arena_go_on(&self->arena)
                                                        : cpc_backend_start(self)) {
        return CPC_YIELDED;
    }
    self->arena.parent = NULL;
    cpc_arena_settle(&self->arena);
    return CPC_ENDED;
}
