/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same work for each backend: bench/cpc builds a table of what three of these and
 * cpc-compare.cpp print.
 *
 * Every figure is the best of several rounds.  A name, a tab, a number: ns or bytes.  With a
 * number N for an argument it is only tried how much memory N coroutines take that are all
 * alive at once, each suspended in one frame.
 */
#include <cpc/coroutine.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * The best of many rounds, each of which is shorter than a slice of the processor's time:
 * one that others cut into tells of them.
 */
#define N_ROUNDS 140
#define N        10000

/* Fewer than vm.max_map_count lets stacks be. */
#define N_SUSPENDED 10000

static volatile unsigned sink;

static void coroutine_fn add_one(void *opaque)
{
    sink++;
}

static void create_run_end(void)
{
    for (unsigned n = N; n > 0; n--) {
        cpc_enter(cpc_create(add_one, NULL));
    }
}

typedef struct {
    unsigned depth;
    unsigned n; /* yields left; also what ends the loop below */
} Descent;

__attribute__((noinline)) static void coroutine_fn yield_at_depth(Descent *descent,
                                                                  unsigned depth)
{
    if (depth > 1) {
        yield_at_depth(descent, depth - 1);
        sink++;
        return;
    }
    while (descent->n > 0) {
        descent->n--;
        cpc_yield();
    }
}

static void coroutine_fn stay_at_depth(void *opaque)
{
    Descent *descent = opaque;

    yield_at_depth(descent, descent->depth);
}

static void enter_and_yield(unsigned depth)
{
    Descent descent = { depth, N };
    Coroutine *co = cpc_create(stay_at_depth, &descent);

    for (unsigned n = N + 1; n > 0; n--) {
        cpc_enter(co);
    }
}

static void enter_and_yield_1(void)
{
    enter_and_yield(1);
}

static void enter_and_yield_10(void)
{
    enter_and_yield(10);
}

/* --- a call that suspends ------------------------------------------------------------- */

__attribute__((noinline)) static unsigned coroutine_fn call_and_yield(unsigned depth)
{
    if (depth > 0) {
        return call_and_yield(depth - 1) + depth;
    }
    cpc_yield();
    return 0;
}

static unsigned calls_depth;

static void coroutine_fn call_often(void *opaque)
{
    for (unsigned n = *(unsigned *)opaque; n > 0; n--) {
        sink += call_and_yield(calls_depth);
    }
}

static void suspend_in_calls(unsigned depth)
{
    unsigned n = N;
    Coroutine *co = cpc_create(call_often, &n);

    calls_depth = depth;
    for (unsigned left = N + 1; left > 0; left--) {
        cpc_enter(co);
    }
}

#define N_LEVELS 20

static void suspend_in_no_call(void)
{
    suspend_in_calls(0);
}

static void suspend_in_many_calls(void)
{
    suspend_in_calls(N_LEVELS);
}

/* --- a call that does not -------------------------------------------------------------- */

static volatile unsigned never;

__attribute__((noinline)) static unsigned coroutine_fn call_without_yield(unsigned x)
{
    if (never) {
        cpc_yield();
        sink += x; /* else this were a tail call, which costs nothing */
    }
    return x + sink;
}

__attribute__((noinline)) static unsigned call_plain(unsigned x)
{
    if (never) {
        sink += x;
    }
    return x + sink;
}

static void coroutine_fn call_in_coroutine(void *opaque)
{
    for (unsigned n = N; n > 0; n--) {
        sink = call_without_yield(n);
    }
}

static void calls_without_yield(void)
{
    cpc_enter(cpc_create(call_in_coroutine, NULL));
}

static void plain_calls(void)
{
    for (unsigned n = N; n > 0; n--) {
        sink = call_plain(n);
    }
}

/* --- figures --------------------------------------------------------------------------- */

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double best_ns(void (*work)(void))
{
    double best = 1e18;

    for (int i = 0; i < N_ROUNDS; i++) {
        double since = now_ns();
        work();
        double took = (now_ns() - since) / N;
        best = took < best ? took : best;
    }
    return best;
}

/* Not from statm, which is behind by some dozens of pages a processor. */
static double resident_bytes(void)
{
    FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
    long kib = 0;

    if (rollup && fscanf(rollup, "%*[^\n] Rss: %ld kB", &kib) != 1) {
        kib = 0;
    }
    if (rollup) {
        fclose(rollup);
    }
    return (double)kib * 1024;
}

/* What @n of them take that are alive at once, and the time to make, enter and end them. */
static double bytes_of_all(size_t n, double *took_ns)
{
    static Descent once = { 1, 1 };
    Coroutine **suspended = malloc(n * sizeof(Coroutine *));
    double since = now_ns();

    /* So that the array counts as resident already. */
    for (size_t i = 0; i < n; i++) {
        suspended[i] = (Coroutine *)&once;
    }
    double before = resident_bytes();
    for (size_t i = 0; i < n; i++) {
        once.n = 1;
        suspended[i] = cpc_create(stay_at_depth, &once);
        cpc_enter(suspended[i]);
    }
    double bytes = resident_bytes() - before;
    for (size_t i = 0; i < n; i++) {
        cpc_enter(suspended[i]);
    }
    *took_ns = now_ns() - since;
    free(suspended);
    return bytes;
}

static int try_alive(size_t n)
{
    double took_ns;
    double bytes = bytes_of_all(n, &took_ns);

    printf("%zu alive at once: %.2f GiB, %.0f bytes each, %.0f ns to make, enter twice "
           "and "
           "end one\n",
           n, bytes / (1 << 30), bytes / (double)n, took_ns / (double)n);
    return 0;
}

int main(int argc, char **argv)
{
    double took_ns;

    if (argc > 1) {
        return try_alive(strtoull(argv[1], NULL, 10));
    }
    printf("enter and yield\t%.2f\n", best_ns(enter_and_yield_1));
    printf("enter and yield, 10 calls deep\t%.2f\n", best_ns(enter_and_yield_10));
    printf("create, run, end\t%.2f\n", best_ns(create_run_end));
    printf("a level of calls that suspends\t%.2f\n",
           (best_ns(suspend_in_many_calls) - best_ns(suspend_in_no_call)) / N_LEVELS);
    printf("a call that does not suspend\t%.2f\n", best_ns(calls_without_yield));
    printf("a plain call\t%.2f\n", best_ns(plain_calls));
    printf("resident bytes of one that is suspended\t%.0f\n",
           bytes_of_all(N_SUSPENDED, &took_ns) / N_SUSPENDED);
    return 0;
}
