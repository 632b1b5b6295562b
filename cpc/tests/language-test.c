/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the marks promise: functions of both worlds, pointers to them, and "...".
 *
 * Like cpc-test.c it knows no backend.
 */
#include <cpc/coroutine.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Work {
    void coroutine_fn (*run)(struct Work *work);
    int result;
    char text[200];
} Work;

static void coroutine_fn start(void *opaque)
{
    Work *work = opaque;

    work->run(work);
}

/* Run @run in a coroutine, which yields @n_yields times. */
static void run_in_coroutine(Work *work, void coroutine_fn (*run)(Work *work),
                             unsigned n_yields)
{
    Coroutine *co = cpc_create(start, work);

    work->run = run;
    work->result = -1;
    for (unsigned i = 0; i < n_yields; i++) {
        cpc_enter(co);
        g_assert_cmpint(work->result, ==, -1);
    }
    cpc_enter(co);
    g_assert_cmpint(work->result, !=, -1);
}

/* --- pointers to functions of both worlds ----------------------------------------------- */

/* Yields if it may. */
static int coroutine_mixed_fn twice(int x)
{
    if (cpc_in_coroutine()) {
        cpc_yield();
        return 2 * x + 100;
    }
    return 2 * x;
}

static int plus_one(int x)
{
    return x + 1;
}

typedef struct {
    double a[5];
} Large;

static Large coroutine_mixed_fn doubled(Large large)
{
    if (cpc_in_coroutine()) {
        cpc_yield();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(large.a); i++) {
        large.a[i] *= 2;
    }
    return large;
}

typedef struct {
    int coroutine_mixed_fn (*call)(int x);
    Large coroutine_mixed_fn (*change)(Large large);
} Driver;

static const Driver both = { twice, doubled };
static const Driver ordinary = { plus_one, NULL };
static int coroutine_mixed_fn (*table[])(int) = { plus_one, twice };

static void coroutine_fn call_field(Work *work)
{
    const Driver *driver = work->text[0] ? &both : &ordinary;

    work->result = driver->call(5);
}

static void a_field_reaches_the_function_for_coroutines(void)
{
    Work work = { .text = "both" };

    run_in_coroutine(&work, call_field, 1);
    g_assert_cmpint(work.result, ==, 110);
    g_assert_cmpint(both.call(5), ==, 10);
}

static void a_marked_pointer_may_point_to_an_ordinary_function(void)
{
    Work work = { .text = "" };

    run_in_coroutine(&work, call_field, 0);
    g_assert_cmpint(work.result, ==, 6);
}

static void coroutine_fn call_with_struct(Work *work)
{
    Large large = { { 1, 2, 3, 4, 5 } };

    large = both.change(large);
    work->result = (int)(large.a[0] + large.a[4]);
}

static void a_struct_goes_through_a_pointer(void)
{
    Work work;

    run_in_coroutine(&work, call_with_struct, 1);
    g_assert_cmpint(work.result, ==, 12);
}

static int coroutine_fn call_argument(int coroutine_mixed_fn (*function)(int), int x)
{
    int coroutine_mixed_fn (*kept)(int) = function;
    int sum = function(x);

    return sum + kept(x);
}

static void coroutine_fn call_everything(Work *work)
{
    int sum = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        sum += table[i](10);
    }
    sum += call_argument(twice, 1) + call_argument(plus_one, 1);
    sum += (sum > 0 ? both.call : ordinary.call)(1000);
    work->result = sum;
}

static void tables_arguments_and_locals_reach_it_too(void)
{
    Work work;

    run_in_coroutine(&work, call_everything, 4);
    g_assert_cmpint(work.result, ==, 11 + 120 + 204 + 4 + 2100);
}

/* --- variadic functions ----------------------------------------------------------------- */

static int coroutine_fn print_twice(char *to, size_t size, const char *format,
                                    va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(to, size, format, ap);
    cpc_yield();
    n += vsnprintf(to + n, size - (size_t)n, format, again);
    va_end(again);
    return n;
}

static int coroutine_variadic_fn G_GNUC_PRINTF(3, 4)
    print(char *to, size_t size, const char *format, ...)
{
    va_list ap;

    cpc_yield();
    va_start(ap, format);
    int n = print_twice(to, size, format, ap);
    va_end(ap);
    return n;
}

static void coroutine_fn print_much(Work *work)
{
    work->result = print(work->text, sizeof(work->text),
                         "%d %c %s %.1f %lld %.2Lf %zu %u %d %d|", -1, 'x', "text", 2.5,
                         -1234567890123LL, (long double)3.25, (size_t)7, 8U, 9, 10);
}

static void arguments_outlive_a_suspension(void)
{
    static const char once[] = "-1 x text 2.5 -1234567890123 3.25 7 8 9 10|";
    Work work;

    run_in_coroutine(&work, print_much, 2);
    g_assert_cmpint(work.result, ==, 2 * strlen(once));
    g_assert_true(g_str_has_prefix(work.text, once));
    g_assert_cmpstr(work.text + strlen(once), ==, once);
}

typedef struct {
    int x;
    double y;
} Pair;

static int coroutine_variadic_fn add(unsigned n, ...)
{
    va_list ap;
    int sum = 0;

    va_start(ap, n);
    for (unsigned i = 0; i < n; i++) {
        sum += va_arg(ap, int);
        cpc_yield();
        Pair pair = va_arg(ap, Pair);
        sum += pair.x + (int)pair.y;
        Large large = va_arg(ap, Large);
        sum += (int)large.a[4];
        sum += (int)va_arg(ap, long double);
    }
    va_end(ap);
    return sum;
}

static void coroutine_fn add_much(Work *work)
{
    Large large = { { 0, 0, 0, 0, 5 } };
    long double ten = 10;

    work->result = add(3, 1, ((Pair){ 2, 3.0 }), large, ten, 10, ((Pair){ 20, 30.0 }),
                       large, ten, 100, ((Pair){ 200, 300.0 }), large, ten) +
                   add(0);
}

static void structs_go_through_dots(void)
{
    Work work;

    run_in_coroutine(&work, add_much, 3);
    g_assert_cmpint(work.result, ==, 6 + 60 + 600 + 15 + 30);
}

static int coroutine_mixed_fn sum_of(unsigned n, ...)
{
    va_list ap;
    int sum = 0;

    va_start(ap, n);
    for (unsigned i = 0; i < n; i++) {
        sum += va_arg(ap, int);
        if (cpc_in_coroutine()) {
            cpc_yield();
        }
    }
    va_end(ap);
    return sum;
}

typedef struct {
    _Alignas(32) int x;
} Aligned;

static int coroutine_variadic_fn add_aligned(unsigned n, ...)
{
    va_list ap;

    va_start(ap, n);
    int sum = va_arg(ap, int);
    cpc_yield();
    sum += va_arg(ap, Aligned).x;
    va_end(ap);
    return sum;
}

/* One of them is 48 bytes further than a multiple of 32 from the other. */
static void coroutine_fn add_around_another(Work *work)
{
    Aligned aligned = { 10 };

    int sum = add_aligned(2, 100, aligned);
    sum += sum_of(6, 1, 1, 1, 1, 1, 1);
    work->result = sum + add_aligned(2, 100, aligned);
}

static void alignment_of_what_goes_through_dots_is_kept(void)
{
    Work work;

    run_in_coroutine(&work, add_around_another, 8);
    g_assert_cmpint(work.result, ==, 226);
}

static void coroutine_fn call_sum_of(Work *work)
{
    work->result = sum_of(3, 1, 10, 100);
}

static void a_mixed_function_may_be_variadic(void)
{
    Work work;

    run_in_coroutine(&work, call_sum_of, 3);
    g_assert_cmpint(work.result, ==, 111);
    g_assert_cmpint(sum_of(2, 20, 3), ==, 23);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(part, name) g_test_add_func("/language/" part "/" #name, name)
    TEST("pointers", a_field_reaches_the_function_for_coroutines);
    TEST("pointers", a_marked_pointer_may_point_to_an_ordinary_function);
    TEST("pointers", a_struct_goes_through_a_pointer);
    TEST("pointers", tables_arguments_and_locals_reach_it_too);
    TEST("variadic", arguments_outlive_a_suspension);
    TEST("variadic", structs_go_through_dots);
    TEST("variadic", alignment_of_what_goes_through_dots_is_kept);
    TEST("variadic", a_mixed_function_may_be_variadic);
    return g_test_run();
}
