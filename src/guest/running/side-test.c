/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/side.h"

#include <cpc/glib.h>

static void pauses_double_up_to_a_limit(void)
{
    g_assert_cmpuint(ostler_side_pause_ms(1, false), ==, 100);
    g_assert_cmpuint(ostler_side_pause_ms(2, false), ==, 200);
    g_assert_cmpuint(ostler_side_pause_ms(5, false), ==, 1600);
    g_assert_cmpuint(ostler_side_pause_ms(10, false), ==, 30000);
    g_assert_cmpuint(ostler_side_pause_ms(G_MAXUINT, false), ==, 30000);
    g_assert_cmpuint(ostler_side_pause_ms(1, true), ==, 100);
    g_assert_cmpuint(ostler_side_pause_ms(G_MAXUINT, true), ==, 1000);
}

typedef struct {
    const char *const *argv;
    unsigned n_reports;
    unsigned n_wanted;
    CoEvent is_enough;
} Watch;

static OstlerProcess *coroutine_fn start(void *opaque, GError **error)
{
    Watch *watch = opaque;
    OstlerProcessConfig config = {
        .argv = watch->argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
    };

    return ostler_process_start(&config, error);
}

static void report(const char *name, const char *what, void *opaque)
{
    Watch *watch = opaque;

    if (++watch->n_reports == watch->n_wanted) {
        cpc_event_set(&watch->is_enough);
    }
}

static const OstlerSideOps ops = { start, report };

static void coroutine_fn fail_twice(void *unused)
{
    static const char *const argv[] = { "false", NULL };
    Watch watch = { .argv = argv, .n_wanted = 2 };
    OstlerSide *side = ostler_side_new("false", &ops, &watch);

    g_assert_true(cpc_event_wait(&watch.is_enough, 10000));
    g_assert_cmpuint(ostler_side_n_restarts(side), >=, 1);
    ostler_side_stop(side);
}

static void a_program_that_fails_is_started_again(void)
{
    cpc_run(fail_twice, NULL);
}

static void coroutine_fn miss(void *unused)
{
    static const char *const argv[] = { "/nonexistent/program", NULL };
    Watch watch = { .argv = argv, .n_wanted = 2 };
    OstlerSide *side = ostler_side_new("missing", &ops, &watch);

    g_assert_cmpuint(watch.n_reports, ==, 1);
    g_assert_false(cpc_event_wait(&watch.is_enough, 300)); /* three first pauses */
    ostler_side_stop(side);
}

static void a_program_that_is_missing_is_reported_once(void)
{
    cpc_run(miss, NULL);
}

static void coroutine_fn stop_running(void *unused)
{
    static const char *const argv[] = { "sleep", "1000", NULL };
    Watch watch = { .argv = argv, .n_wanted = 2 };
    OstlerSide *side = ostler_side_new("sleep", &ops, &watch);

    g_assert_cmpint(ostler_side_pid(side), >, 0);
    ostler_side_stop(side);
    g_assert_cmpuint(watch.n_reports, ==, 0);
}

static void a_program_that_runs_is_ended_without_a_word(void)
{
    cpc_run(stop_running, NULL);
}

static void coroutine_fn renew(void *unused)
{
    static const char *const argv[] = { "sleep", "1000", NULL };
    Watch watch = { .argv = argv, .n_wanted = 1 };
    OstlerSide *side = ostler_side_new("sleep", &ops, &watch);

    for (unsigned i = 1; i <= 10; i++) { /* with pauses: more than a minute */
        int pid = ostler_side_pid(side);
        ostler_side_renew(side);
        ostler_side_renew(side); /* once is enough */
        while (ostler_side_n_restarts(side) < i) {
            cpc_sleep_ms(1);
        }
        g_assert_cmpint(ostler_side_pid(side), !=, pid);
    }
    ostler_side_stop(side);
    g_assert_cmpuint(watch.n_reports, ==, 0);
}

static void a_program_is_renewed_without_a_pause_or_a_word(void)
{
    cpc_run(renew, NULL);
}

static void coroutine_fn end_orderly(void *unused)
{
    static const char *const argv[] = { "true", NULL };
    gint64 start = g_get_monotonic_time();
    /* Doubling without a limit, the pauses would add up to 25.5 s. */
    Watch watch = { .argv = argv, .n_wanted = 9 };
    OstlerSide *side = ostler_side_new("true", &ops, &watch);

    g_assert_true(cpc_event_wait(&watch.is_enough, 20000));
    g_assert_cmpint(g_get_monotonic_time() - start, <, 15 * G_USEC_PER_SEC);
    ostler_side_stop(side);
}

static void a_program_that_ends_orderly_is_never_away_for_long(void)
{
    cpc_run(end_orderly, NULL);
}

static void coroutine_fn hurry(void *unused)
{
    static const char *const argv[] = { "false", NULL };
    gint64 start = g_get_monotonic_time();
    Watch watch = { .argv = argv, .n_wanted = 1 };
    OstlerSide *side = ostler_side_new("false", &ops, &watch);

    for (unsigned i = 1; i <= 12; i++) { /* pauses of more than two minutes in all */
        watch.n_wanted = i;
        while (watch.n_reports < i) {
            g_assert_true(cpc_event_wait(&watch.is_enough, 20000));
        }
        ostler_side_hurry(side);
    }
    g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
    ostler_side_stop(side);
}

static void a_pause_ends_when_there_is_reason_to(void)
{
    cpc_run(hurry, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/side/" #name, name)
    TEST(pauses_double_up_to_a_limit);
    TEST(a_program_that_fails_is_started_again);
    TEST(a_program_that_is_missing_is_reported_once);
    TEST(a_program_that_runs_is_ended_without_a_word);
    TEST(a_program_is_renewed_without_a_pause_or_a_word);
    TEST(a_program_that_ends_orderly_is_never_away_for_long);
    TEST(a_pause_ends_when_there_is_reason_to);
    return g_test_run();
}
