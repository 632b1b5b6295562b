/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a coroutine costs, against a function call, swapcontext() and a bare GSource.
 *
 * Every figure is the best of several rounds, and its peer is measured between them, so
 * that a busy machine slows down both.
 */
#include <cpc/glib.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

#define N_ROUNDS 9

/* Does @n operations. */
typedef void Work(unsigned n);

static volatile unsigned sink;

/* --- coroutines ---------------------------------------------------------------- */

static void coroutine_fn add_one(void *opaque)
{
    sink++;
}

static void create_run_end(unsigned n)
{
    while (n--) {
        cpc_spawn(add_one, NULL);
    }
}

static void coroutine_fn yield_often(void *opaque)
{
    for (unsigned n = *(unsigned *)opaque; n > 0; n--) {
        cpc_yield();
    }
}

static void enter_and_yield(unsigned n)
{
    Coroutine *co = cpc_create(yield_often, &n);

    for (unsigned left = n + 1; left > 0; left--) {
        cpc_enter(co);
    }
}

static int pipe_fds[2];

static void coroutine_fn wait_often(void *opaque)
{
    for (unsigned n = *(unsigned *)opaque; n > 0; n--) {
        cpc_wait_fd(pipe_fds[1], G_IO_OUT, -1);
    }
}

static void wait_for_fd(unsigned n)
{
    cpc_run(wait_often, &n);
}

/* --- peers --------------------------------------------------------------------- */

__attribute__((noinline)) static void add_one_plain(void *opaque)
{
    sink++;
}

static void call_function(unsigned n)
{
    void (*volatile function)(void *) = add_one_plain;

    while (n--) {
        function(NULL);
    }
}

static ucontext_t main_context, other_context;

static void swap_back(void)
{
    for (;;) {
        swapcontext(&other_context, &main_context);
    }
}

static void swap_there_and_back(unsigned n)
{
    static char stack[64 << 10];

    getcontext(&other_context);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = sizeof(stack);
    makecontext(&other_context, swap_back, 0);
    for (volatile unsigned left = n; left > 0; left--) {
        swapcontext(&main_context, &other_context);
    }
}

static gboolean count_down(int fd, GIOCondition condition, gpointer data)
{
    return --*(unsigned *)data > 0;
}

static void dispatch_source(unsigned n)
{
    g_unix_fd_add(pipe_fds[1], G_IO_OUT, count_down, &n);
    while (n > 0) {
        g_main_context_iteration(NULL, TRUE);
    }
}

/* --- figures ------------------------------------------------------------------- */

static const struct {
    const char *name;
    Work *work;
    const char *peer_name;
    Work *peer;
    unsigned n;
    double most; /* the target: at most so many times the peer */
} figures[] = {
    { "enter and yield", enter_and_yield, "swapcontext() there and back",
      swap_there_and_back, 200000, 0.5 },
    { "create, run, end", create_run_end, "swapcontext() there and back",
      swap_there_and_back, 200000, 0.5 },
    { "create, run, end", create_run_end, "function call", call_function, 200000, 100 },
    { "wait for a descriptor", wait_for_fd, "dispatch of a lasting GSource",
      dispatch_source, 20000, 3 },
};

static double measure_ns(Work *work, unsigned n)
{
    gint64 since = g_get_monotonic_time();

    work(n);
    return (double)(g_get_monotonic_time() - since) * 1000 / n;
}

static bool report(unsigned row)
{
    double ns = G_MAXDOUBLE, peer_ns = G_MAXDOUBLE;

    for (int i = 0; i < N_ROUNDS; i++) {
        ns = MIN(ns, measure_ns(figures[row].work, figures[row].n));
        peer_ns = MIN(peer_ns, measure_ns(figures[row].peer, figures[row].n));
    }
    bool is_met = ns / peer_ns <= figures[row].most;
    printf("%s: %.1f ns (%.2f times a %s, %.1f ns), target at most %g times, %s\n",
           figures[row].name, ns, ns / peer_ns, figures[row].peer_name, peer_ns,
           figures[row].most, is_met ? "met" : "MISSED");
    return is_met;
}

static long resident_bytes(void)
{
    g_autofree char *statm = NULL;
    long pages = 0;

    g_file_get_contents("/proc/self/statm", &statm, NULL, NULL);
    sscanf(statm, "%*d %ld", &pages);
    return pages * sysconf(_SC_PAGESIZE);
}

/* A dozen is what a keeper has; more of them make the difference measurable. */
static bool report_memory(void)
{
    enum { N = 1200, MOST_KIB = 16 };
    static Coroutine *suspended[N];
    unsigned once = 1;
    long before = resident_bytes();

    for (unsigned i = 0; i < N; i++) {
        suspended[i] = cpc_create(yield_often, &once);
        cpc_enter(suspended[i]);
    }
    double kib = (double)(resident_bytes() - before) / 1024 / N;
    for (unsigned i = 0; i < N; i++) {
        cpc_enter(suspended[i]);
    }
    printf(
        "resident memory of a suspended coroutine: %.1f KiB, target at most %d, %s\n",
        kib, MOST_KIB, kib <= MOST_KIB ? "met" : "MISSED");
    return kib <= MOST_KIB;
}

int main(void)
{
    bool all_met = g_unix_open_pipe(pipe_fds, FD_CLOEXEC, NULL);

    for (unsigned row = 0; row < G_N_ELEMENTS(figures); row++) {
        all_met = report(row) && all_met;
    }
    return report_memory() && all_met ? 0 : 1;
}
