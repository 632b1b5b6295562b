/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emscripten.h - create, enter and yield by Emscripten's fibers (emscripten/fiber.h)
 *
 * They are made by Asyncify, and what QEMU's coroutines are on wasm
 * (util/coroutine-wasm.c): each switch goes out to JavaScript.
 */
#pragma once

#include <emscripten/fiber.h>
#include <stdbool.h>
#include <stdlib.h>

#define coroutine_fn

typedef struct Coroutine {
    emscripten_fiber_t fiber;
    void (*entry)(void *opaque);
    void *opaque;
    bool is_ended;
    char saved[2048];
    char own_stack[2048] __attribute__((aligned(16)));
} Coroutine;

static emscripten_fiber_t main_fiber;
static char main_saved[2048];
static Coroutine *running;

static void begin(void *opaque)
{
    Coroutine *co = opaque;

    co->entry(co->opaque);
    co->is_ended = true;
    emscripten_fiber_swap(&co->fiber, &main_fiber);
}

static Coroutine *cpc_create(void (*entry)(void *opaque), void *opaque)
{
    Coroutine *co = malloc(sizeof(*co));

    if (!main_fiber.stack_base) {
        emscripten_fiber_init_from_current_context(&main_fiber, main_saved,
                                                   sizeof(main_saved));
    }
    co->entry = entry;
    co->opaque = opaque;
    co->is_ended = false;
    emscripten_fiber_init(&co->fiber, begin, co, co->own_stack, sizeof(co->own_stack),
                          co->saved, sizeof(co->saved));
    return co;
}

static void cpc_enter(Coroutine *co)
{
    running = co;
    emscripten_fiber_swap(&main_fiber, &co->fiber);
    if (co->is_ended) {
        free(co);
    }
}

static void cpc_yield(void)
{
    emscripten_fiber_swap(&running->fiber, &main_fiber);
}
