/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every backend must do.  Nothing here knows which one it is linked with: the same
 * file is built and run for each.
 */
#include <cpc/glib.h>
#include <cpc/lock.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What happened, a letter each, in order. */
static GString *story;

static void tell(const char *what)
{
    g_string_append(story, what);
}

#define assert_story(expected)                                                         \
    G_STMT_START                                                                       \
    {                                                                                  \
        g_assert_cmpstr(story->str, ==, expected);                                     \
        g_string_truncate(story, 0);                                                   \
    }                                                                                  \
    G_STMT_END

/* The child does @act and must die of a broken invariant, saying @why. */
static void assert_abort(void (*act)(void), const char *why)
{
    if (g_test_subprocess()) {
        act();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr(why);
}

/* --- life --------------------------------------------------------------------- */

static void coroutine_fn note_self(void *opaque)
{
    Coroutine **self = opaque;

    g_assert_true(cpc_in_coroutine());
    *self = cpc_self();
}

static void entry_runs_as_itself_and_only_when_entered(void)
{
    Coroutine *seen = NULL;
    Coroutine *co = cpc_create(note_self, &seen);

    g_assert_null(seen);
    cpc_enter(co);
    g_assert_true(seen == co);
    g_assert_null(cpc_self());
    g_assert_false(cpc_in_coroutine());
}

static void coroutine_fn count_to_three(void *opaque)
{
    int *count = opaque;

    for (int i = 0; i < 3; i++) {
        *count += 1;
        cpc_yield();
    }
    *count = -1;
}

static void each_enter_goes_on_after_the_last_yield(void)
{
    int count = 0;
    Coroutine *co = cpc_create(count_to_three, &count);

    for (int i = 1; i <= 3; i++) {
        cpc_enter(co);
        g_assert_cmpint(count, ==, i);
    }
    cpc_enter(co);
    g_assert_cmpint(count, ==, -1);
}

typedef struct {
    int depth;
    int max_depth;
    Coroutine *parent;
} Nest;

static void coroutine_fn nest(void *opaque)
{
    Nest *mine = opaque;

    if (mine->depth < mine->max_depth) {
        Nest below = { mine->depth + 1, mine->max_depth, cpc_self() };
        Coroutine *co = cpc_create(nest, &below);

        g_assert_true(cpc_self() != mine->parent);
        cpc_enter(co);
        tell("[");
        cpc_enter(co);
        tell("]");
        g_assert_true(cpc_self() == below.parent);
    }
    cpc_yield();
}

static void a_coroutine_returns_to_who_entered_it(void)
{
    Nest top = { 1, 50, NULL };
    Coroutine *co = cpc_create(nest, &top);

    cpc_enter(co);
    g_assert_null(cpc_self());
    cpc_enter(co);
    g_assert_cmpuint(story->len, ==, 2 * 49);
    g_assert_true(g_str_has_prefix(story->str, "[]["));
    g_string_truncate(story, 0);
}

static int coroutine_fn sum_with_yields(int n)
{
    char pad[64];

    memset(pad, n, sizeof(pad));
    cpc_yield();
    int rest = n == 0 ? 0 : sum_with_yields(n - 1);
    g_assert_cmpint(pad[n % 64], ==, (char)n);
    return n + rest;
}

static void coroutine_fn sum_entry(void *opaque)
{
    int *sum = opaque;

    *sum = sum_with_yields(*sum);
}

static void a_yield_from_deep_calls_keeps_every_frame(void)
{
    int sum = 200;
    Coroutine *co = cpc_create(sum_entry, &sum);

    for (int i = 0; i <= 201; i++) {
        g_assert_cmpint(sum, ==, 200);
        cpc_enter(co);
    }
    g_assert_cmpint(sum, ==, 200 * 201 / 2);
}

static void coroutine_fn add_one(void *opaque)
{
    *(int *)opaque += 1;
}

static void a_hundred_thousand_come_and_go(void)
{
    int count = 0;

    for (int i = 0; i < 100000; i++) {
        cpc_spawn(add_one, &count);
    }
    g_assert_cmpint(count, ==, 100000);
}

static void coroutine_fn add_one_twice(void *opaque)
{
    int *count = opaque;

    *count += 1;
    cpc_yield();
    *count += 1;
}

static void a_thousand_are_alive_at_once(void)
{
    static Coroutine *alive[1000];
    int count = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(alive); i++) {
        alive[i] = cpc_create(add_one_twice, &count);
        cpc_enter(alive[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(alive); i++) {
        cpc_enter(alive[i]);
    }
    g_assert_cmpint(count, ==, 2000);
}

static void coroutine_fn enter_given(void *opaque)
{
    Coroutine **co = opaque;

    cpc_enter(*co);
}

static void enter_oneself(void)
{
    Coroutine *co = cpc_create(enter_given, &co);

    cpc_enter(co);
}

static void entering_a_running_coroutine_aborts(void)
{
    assert_abort(enter_oneself, "*entered that is running already*");
}

static void coroutine_fn enter_next(void *opaque)
{
    Coroutine **chain = opaque;

    cpc_enter(*chain);
}

static void enter_the_enterer(void)
{
    static Coroutine *lower, *upper;

    upper = cpc_create(enter_next, &lower);
    lower = cpc_create(enter_next, &upper);
    cpc_enter(upper);
}

static void entering_the_enterer_aborts(void)
{
    assert_abort(enter_the_enterer, "*entered that is running already*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    story = g_string_new(NULL);
#define TEST(path, name) g_test_add_func("/cpc/" path "/" #name, name)
    TEST("life", entry_runs_as_itself_and_only_when_entered);
    TEST("life", each_enter_goes_on_after_the_last_yield);
    TEST("life", a_coroutine_returns_to_who_entered_it);
    TEST("life", a_yield_from_deep_calls_keeps_every_frame);
    TEST("life", a_hundred_thousand_come_and_go);
    TEST("life", a_thousand_are_alive_at_once);
    TEST("life", entering_a_running_coroutine_aborts);
    TEST("life", entering_the_enterer_aborts);
    int status = g_test_run();
    g_string_free(story, TRUE);
    return status;
}
