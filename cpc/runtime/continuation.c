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
 *     cpc_begin.cpc -> greet.cpc -> cpc_yield.cpc -> cpc_backend_yield.cpc
 *                  <- greet's frame            <- the arena, for a frame
 *
 * The arena's first chunk lies behind the struct: most coroutines never need another.
 */
#define G_LOG_DOMAIN "cpc"

#include "arena.h"
#include "backend.h"

#include <glib.h>

/* Two frames or so: more would cost each coroutine memory, less would cost most of them
 * a second chunk. */
#define FIRST_CHUNK_SIZE 128

typedef struct {
    Coroutine base;
    CpcArena arena;
    _Alignas(CPC_ARENA_ALIGNMENT) char first[FIRST_CHUNK_SIZE];
} FrameCoroutine;

/* What the plugin makes of the two functions that it must not compile itself. */
CpcFrame *begin(CpcArena *arena, Coroutine *co) __asm__("cpc_begin.cpc");
CpcFrame *suspend(CpcArena *arena, Coroutine *co) __asm__("cpc_backend_yield.cpc");

Coroutine *cpc_backend_new(void)
{
    FrameCoroutine *self = g_new0(FrameCoroutine, 1);

    cpc_arena_init(&self->arena, self->first, sizeof(self->first));
    return &self->base;
}

void cpc_backend_free(Coroutine *co)
{
    FrameCoroutine *self = (FrameCoroutine *)co;

    cpc_arena_finish(&self->arena);
    g_free(self);
}

static CpcFrame *leaf_of(FrameCoroutine *self)
{
    return (CpcFrame *)&self->arena;
}

/* Call who goes on next until it is the arena, which waits, or nobody. */
static void go_on(FrameCoroutine *self)
{
    self->arena.top = self->arena.parent;
    while (self->arena.top && self->arena.top != leaf_of(self)) {
        self->arena.top->resume(self->arena.top);
    }
}

static void start(FrameCoroutine *self)
{
    CpcFrame *frame = begin(&self->arena, &self->base);

    if (frame) {
        frame->parent = NULL;
    }
    self->arena.top = frame ? leaf_of(self) : NULL;
}

CpcOutcome cpc_backend_run(Coroutine *co)
{
    FrameCoroutine *self = (FrameCoroutine *)co;

    if (self->arena.top) {
        go_on(self);
    } else {
        start(self);
    }
    return self->arena.top ? CPC_YIELDED : CPC_ENDED;
}

CpcFrame *suspend(CpcArena *arena, Coroutine *co)
{
    arena->top = (CpcFrame *)arena;
    return arena->top;
}
