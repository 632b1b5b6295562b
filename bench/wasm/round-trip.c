/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long enter and yield take in wasm, and how many coroutines wait at once. */
#if defined(__EMSCRIPTEN__)
#include "emscripten.h"
#elif defined(ASYNCIFY)
#include "asyncify.h"
#else
#include <cpc/coroutine.h>
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_TRIPS 1000000
#ifdef CPC_PLUGIN
#define N_ALIVE 100000
#else
#define N_ALIVE 10000 /* with all of them node 20 crashes now and then */
#endif

static uint64_t count;

static double now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static void coroutine_fn turn(void *opaque)
{
    for (;;) {
        count++;
        cpc_yield();
    }
}

__attribute__((noinline)) static void coroutine_fn turn_below(unsigned depth)
{
    if (depth > 0) {
        turn_below(depth - 1);
        count++; /* so that it is no tail call */
        return;
    }
    turn(NULL);
}

static void coroutine_fn turn_deep(void *opaque)
{
    turn_below(9);
}

static void coroutine_fn wait_once(void *opaque)
{
    count++;
    cpc_yield();
    count--;
}

__attribute__((noinline)) static void print_round_trip(const char *what, Coroutine *co)
{
    cpc_enter(co);
    double before = now_ns();
    for (unsigned i = 0; i < N_TRIPS; i++) {
        cpc_enter(co);
    }
    printf("%s %.2f\n", what, (now_ns() - before) / N_TRIPS);
}

__attribute__((noinline)) static void print_alive(void)
{
    Coroutine **all = malloc(N_ALIVE * sizeof(Coroutine *));
    size_t pages = __builtin_wasm_memory_size(0);

    count = 0;
    double before = now_ns();
    for (unsigned i = 0; i < N_ALIVE; i++) {
        all[i] = cpc_create(wait_once, NULL);
        cpc_enter(all[i]);
    }
    printf("waiting %llu\n", (unsigned long long)count);
    printf("bytes %zu\n",
           (__builtin_wasm_memory_size(0) - pages) * ((size_t)64 << 10) / N_ALIVE);
    for (unsigned i = 0; i < N_ALIVE; i++) {
        cpc_enter(all[i]);
    }
    printf("left %llu\n", (unsigned long long)count);
    printf("life %.2f\n", (now_ns() - before) / N_ALIVE);
}

int main(void)
{
    print_round_trip("depth-1", cpc_create(turn, NULL));
    print_round_trip("depth-10", cpc_create(turn_deep, NULL));
    print_alive();
    return 0;
}
