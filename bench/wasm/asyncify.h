/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * asyncify.h - create, enter and yield by the least code that Asyncify can do with
 *
 * Asyncify (Binaryen's pass of that name) rewrites a module so that all functions on the
 * stack can return one by one, saving their locals, and be called again.  Each fiber has
 * memory for that, and a C stack of its own.  Nobody ships such fibers: those that are
 * shipped are Emscripten's (emscripten.h); this is what they could come down to.
 */
#pragma once

#include <stdlib.h>

#define coroutine_fn

typedef struct Coroutine {
    char *next; /* the two words that Asyncify wants */
    char *end;
    void (*entry)(void *opaque);
    void *opaque;
    char *stack;
    char saved[2048];
    char own_stack[2048] __attribute__((aligned(16)));
} Coroutine;

#define ASYNCIFY_CALL(name)                                                            \
    __attribute__((import_module("asyncify"), import_name(#name))) void name

ASYNCIFY_CALL(start_unwind)(Coroutine *where);
ASYNCIFY_CALL(stop_unwind)(void);
ASYNCIFY_CALL(start_rewind)(Coroutine *where);
ASYNCIFY_CALL(stop_rewind)(void);

static Coroutine *running;
static int is_rewinding;

static char *get_stack(void)
{
    char *at;

    __asm__ volatile("global.get __stack_pointer\nlocal.set %0" : "=r"(at));
    return at;
}

static void set_stack(char *at)
{
    __asm__ volatile("local.get %0\nglobal.set __stack_pointer" : : "r"(at));
}

static Coroutine *cpc_create(void (*entry)(void *opaque), void *opaque)
{
    Coroutine *co = malloc(sizeof(*co));

    co->next = co->saved;
    co->end = co->saved + sizeof(co->saved);
    co->entry = entry;
    co->opaque = opaque;
    co->stack = co->own_stack + sizeof(co->own_stack);
    return co;
}

/* The pass leaves this one alone: it is where unwinding stops. */
__attribute__((noinline)) static void cpc_enter(Coroutine *co)
{
    char *mine = get_stack();

    running = co;
    if (co->next > co->saved) {
        is_rewinding = 1;
        start_rewind(co);
    }
    set_stack(co->stack);
    co->entry(co->opaque);
    set_stack(mine);
    running = NULL;
    if (co->next > co->saved) {
        stop_unwind();
    } else {
        free(co);
    }
}

__attribute__((noinline)) static void cpc_yield(void)
{
    if (is_rewinding) {
        is_rewinding = 0;
        stop_rewind();
        running->next = running->saved;
        return;
    }
    start_unwind(running);
}
