/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * QEMU's coroutine backend for code that the plugin compiled, in place of
 * util/coroutine-ucontext.c.  QEMU's own util/qemu-coroutine.c remains above it, with
 * its pool and its order of wake-ups.
 *
 * What QEMU calls a switch is two different things here.  To enter a coroutine is an
 * ordinary call, which returns when the coroutine has stopped; who stops does so by
 * returning, so that is qemu_coroutine_suspend(), a coroutine_fn.
 *
 * An ordinary function that a coroutine calls runs on the C stack and still finds itself
 * "in a coroutine", as with a stack of its own: it may enter others and may poll.
 */
#include "qemu/osdep.h" /* before all others */

#include "cpc/arena.h"
#include "qemu/coroutine-tls.h"
#include "qemu/coroutine_int.h"

/* Block requests nest some ten frames deep, and the pool keeps them for the next. */
#define FIRST_CHUNK_SIZE 1024

typedef struct {
    Coroutine base;
    CpcArena arena;
    _Alignas(CPC_ARENA_ALIGNMENT) char first[FIRST_CHUNK_SIZE];
} CoroutineCpc;

/* A coroutine_fn(void *) as the plugin compiles it. */
typedef CpcFrame *CompiledEntry(CpcArena *arena, void *opaque);

/* qemu_coroutine_suspend() as the plugin would compile it. */
CpcFrame *suspend(CpcArena *arena,
                  Coroutine *self) __asm__("qemu_coroutine_suspend.cpc");

QEMU_DEFINE_STATIC_CO_TLS(Coroutine *, current);
QEMU_DEFINE_STATIC_CO_TLS(Coroutine, leader);

Coroutine *qemu_coroutine_new(void)
{
    CoroutineCpc *co = g_new0(CoroutineCpc, 1);

    cpc_arena_init(&co->arena, co->first, sizeof(co->first));
    return &co->base;
}

void qemu_coroutine_delete(Coroutine *co_)
{
    CoroutineCpc *co = DO_UPCAST(CoroutineCpc, base, co_);

    cpc_arena_finish(&co->arena);
    g_free(co);
}

/* A suspended coroutine's arena stands for its innermost frame. */
static CpcFrame *leaf_of(CpcArena *arena)
{
    return (CpcFrame *)arena;
}

static void start(CoroutineCpc *co)
{
    CompiledEntry *entry = (CompiledEntry *)co->base.entry;
    CpcFrame *frame = entry(&co->arena, co->base.entry_arg);

    if (frame) {
        frame->parent = NULL;
    }
    co->arena.top = frame ? leaf_of(&co->arena) : NULL;
}

/* Call who goes on next until it is the arena, which waits, or nobody. */
static void go_on(CpcArena *arena)
{
    arena->top = arena->parent;
    while (arena->top && arena->top != leaf_of(arena)) {
        arena->top->resume(arena->top);
    }
}

CoroutineAction qemu_coroutine_switch(Coroutine *from, Coroutine *to_,
                                      CoroutineAction action)
{
    CoroutineCpc *to = DO_UPCAST(CoroutineCpc, base, to_);

    assert(action == COROUTINE_ENTER);
    set_current(to_);
    if (to->arena.top) {
        go_on(&to->arena);
    } else {
        start(to);
    }
    set_current(from);
    return to->arena.top ? COROUTINE_YIELD : COROUTINE_TERMINATE;
}

CpcFrame *suspend(CpcArena *arena, Coroutine *self)
{
    arena->top = leaf_of(arena);
    return arena->top;
}

Coroutine *qemu_coroutine_self(void)
{
    Coroutine *self = get_current();

    return self ? self : get_ptr_leader();
}

bool qemu_in_coroutine(void)
{
    Coroutine *self = get_current();

    return self && self->caller;
}
