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

/* The plugin puts what qemu_coroutine_suspend() does where it is called; this is for
 * pointers to it. */
CpcFrame *suspend(CpcArena *arena) __asm__("qemu_coroutine_suspend.cpc");

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

static bool start(CoroutineCpc *co)
{
    CompiledEntry *entry = (CompiledEntry *)co->base.entry;

    return cpc_arena_start(&co->arena, entry(&co->arena, co->base.entry_arg));
}

/* Who goes on is nobody at the beginning. */
static bool run(CoroutineCpc *co)
{
    return co->arena.parent ? cpc_arena_go_on(&co->arena) : start(co);
}

CoroutineAction qemu_coroutine_switch(Coroutine *from, Coroutine *to_,
                                      CoroutineAction action)
{
    CoroutineCpc *to = DO_UPCAST(CoroutineCpc, base, to_);

    assert(action == COROUTINE_ENTER);
    set_current(to_);
    bool waits = run(to);
    set_current(from);
    if (waits) {
        return COROUTINE_YIELD;
    }
    to->arena.parent = NULL;
    cpc_arena_settle(&to->arena);
    return COROUTINE_TERMINATE;
}

CpcFrame *suspend(CpcArena *arena)
{
    return cpc_arena_suspend(arena);
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
