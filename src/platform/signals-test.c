/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/signals.h"

#include <signal.h>

typedef struct {
    OstlerSignals *watch;
    unsigned seen;
} Seen;

static void note(OstlerSignal signal, void *opaque)
{
    ((Seen *)opaque)->seen |= signal;
}

static void iterate_until(Seen *seen, unsigned signals)
{
    while (seen->seen != signals) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void signals_arrive_in_the_main_loop(void)
{
    Seen seen = { 0 };
    g_autoptr(OstlerSignals) watch = ostler_signals_watch(
        OSTLER_SIGNAL_TERMINATE | OSTLER_SIGNAL_RESIZE, note, &seen, NULL);

    raise(SIGTERM);
    raise(SIGWINCH);
    g_assert_cmpuint(seen.seen, ==, 0); /* not before the loop runs */
    iterate_until(&seen, OSTLER_SIGNAL_TERMINATE | OSTLER_SIGNAL_RESIZE);
}

static void free_watch(OstlerSignal signal, void *opaque)
{
    Seen *seen = opaque;

    seen->seen |= signal;
    ostler_signals_free(seen->watch);
}

static void a_watch_may_be_freed_by_its_own_function(void)
{
    Seen seen = { 0 };

    seen.watch = ostler_signals_watch(OSTLER_SIGNAL_HANGUP, free_watch, &seen, NULL);
    raise(SIGHUP);
    iterate_until(&seen, OSTLER_SIGNAL_HANGUP);
    g_assert_false(g_main_context_iteration(NULL, FALSE));
}

static void die_after_the_watch(void)
{
    if (g_test_subprocess()) {
        Seen seen = { 0 };
        ostler_signals_free(
            ostler_signals_watch(OSTLER_SIGNAL_INTERRUPT, note, &seen, NULL));
        raise(SIGINT);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/signals/signals-arrive-in-the-main-loop",
                    signals_arrive_in_the_main_loop);
    g_test_add_func("/signals/a-watch-may-be-freed-by-its-own-function",
                    a_watch_may_be_freed_by_its_own_function);
    g_test_add_func("/signals/after-the-watch-a-signal-has-its-effect-again",
                    die_after_the_watch);
    return g_test_run();
}
