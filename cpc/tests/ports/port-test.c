/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What coroutine.h and the language promise, for a system that has a C library and nothing
 * else: prints TAP.  ../cpc-test.c says more, where GLib is.
 */
#include <cpc/coroutine.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many coroutines wait at once; stacks are fewer. */
#ifdef CPC_PLUGIN
#define N_ALIVE 100000
#else
#define N_ALIVE 1000
#endif

static unsigned n_checks, n_wrong;

static void check(bool is_true, const char *claim)
{
    printf("%s %u - %s\n", is_true ? "ok" : "not ok", ++n_checks, claim);
    n_wrong += !is_true;
}

/* --- who runs ---------------------------------------------------------------------------- */

typedef struct {
    Coroutine *self, *inner;
    int n;
    bool was_in_coroutine;
} Life;

static void coroutine_fn live(void *opaque)
{
    Life *life = opaque;

    life->self = cpc_self();
    life->was_in_coroutine = cpc_in_coroutine();
    for (int i = 0; i < 3; i++) {
        life->n++;
        cpc_yield();
    }
    life->n = -1;
}

static void coroutine_fn enter_another(void *opaque)
{
    Life *life = opaque;

    life->inner = cpc_create(live, life);
    while (life->n >= 0) {
        cpc_enter(life->inner);
        cpc_yield();
    }
    life->was_in_coroutine = cpc_self() != life->inner;
}

static void check_life(void)
{
    Life life = { 0 }, outer = { 0 };
    Coroutine *co = cpc_create(live, &life);

    check(life.n == 0, "a coroutine runs when it is entered and not before");
    cpc_enter(co);
    check(life.self == co && life.was_in_coroutine, "it knows itself");
    check(!cpc_self() && !cpc_in_coroutine(), "outside there is none");
    cpc_enter(co);
    cpc_enter(co);
    check(life.n == 3, "each entry goes on after the last yield");
    cpc_enter(co);
    check(life.n == -1, "and comes to the end");

    co = cpc_create(enter_another, &outer);
    for (int i = 0; i < 5; i++) {
        cpc_enter(co);
    }
    check(outer.n == -1 && outer.was_in_coroutine,
          "one enters another, which yields to it");
}

/* --- depth and number -------------------------------------------------------------------- */

static uint64_t coroutine_fn below(unsigned depth)
{
    uint64_t here = depth;
    uint64_t *escaped = &here;

    if (depth == 0) {
        cpc_yield();
        return 1;
    }
    uint64_t sum = below(depth - 1);
    return sum + *escaped;
}

static void coroutine_fn go_deep(void *opaque)
{
    *(uint64_t *)opaque = below(2000);
}

static void coroutine_fn wait_once(void *opaque)
{
    uint64_t *sum = opaque, mine = (uintptr_t)cpc_self() % 1000;

    *sum += mine;
    cpc_yield();
    *sum -= mine;
}

static void check_numbers(void)
{
    uint64_t result = 0;
    Coroutine *co = cpc_create(go_deep, &result);

    cpc_enter(co);
    check(result == 0, "it waits 2,000 calls deep");
    cpc_enter(co);
    check(result == 1 + 2000 * 2001 / 2, "and every level goes on with what it had");

    Coroutine **all = malloc(N_ALIVE * sizeof(Coroutine *));
    uint64_t sum = 0;
    for (unsigned i = 0; i < N_ALIVE; i++) {
        all[i] = cpc_create(wait_once, &sum);
        cpc_enter(all[i]);
    }
    uint64_t while_waiting = sum;
    for (unsigned i = 0; i < N_ALIVE; i++) {
        cpc_enter(all[i]);
    }
    check(while_waiting > 0 && sum == 0, "many wait at once");
    free(all);
}

/* --- the language -------------------------------------------------------------------------- */

typedef struct {
    char c;
    double d;
    long double l;
    float f[5];
    unsigned bits : 3;
} Record;

typedef int Vector __attribute__((vector_size(32)));

static Record coroutine_fn twice(Record record, Vector v)
{
    cpc_yield();
    record.d *= 2;
    cpc_yield();
    record.l *= 2;
    record.f[4] += (float)v[7];
    return record;
}

static int coroutine_variadic_fn sum_of(unsigned n, ...)
{
    va_list ap;
    double sum = 0;

    va_start(ap, n);
    for (unsigned i = 0; i < n; i++) {
        sum += va_arg(ap, int);
        cpc_yield();
        sum += va_arg(ap, double);
        sum += (double)va_arg(ap, long long);
        sum += va_arg(ap, Record).f[0];
    }
    va_end(ap);
    return (int)sum;
}

static int coroutine_mixed_fn either(int x)
{
    if (cpc_in_coroutine()) {
        cpc_yield();
        return x + 1;
    }
    return x - 1;
}

static void set(int *what)
{
    *what += 10;
}

static int coroutine_fn array_of(unsigned n)
{
    int many[n];
    int *escaped = &many[n - 1];

    memset(many, 0, sizeof(many));
    cpc_yield();
    set(escaped);
    return many[n - 1];
}

typedef struct {
    Record record;
    int variadic, mixed, array;
    bool is_done;
} Language;

static void coroutine_fn speak(void *opaque)
{
    Language *language = opaque;
    Record record = { 'x', 1.5, 2.5L, { 1, 2, 3, 4, 5 }, 5 };
    int coroutine_mixed_fn (*volatile pointer)(int x) = either;

    language->record = twice(record, (Vector){ 0, 1, 2, 3, 4, 5, 6, 7 });
    language->variadic = sum_of(2, 1, 10.5, 100LL, record, 2, 20.5, 200LL, record);
    language->mixed = either(10) * 100 + pointer(20);
    language->array = array_of(33);
    language->is_done = true;
}

static void check_language(void)
{
    Language got = { 0 };
    Coroutine *co = cpc_create(speak, &got);
    unsigned n_entries = 0;

    while (!got.is_done) {
        cpc_enter(co);
        n_entries++;
    }
    check(n_entries == 8, "seven suspensions, eight entries");
    check(got.record.c == 'x' && got.record.d == 3 && got.record.l == 5.0L &&
              got.record.f[4] == 12 && got.record.bits == 5,
          "structs, floats and vectors come and go by value");
    check(got.variadic == 336, "arguments behind dots outlive a suspension");
    check(got.mixed == 1121, "a mixed function waits, by name and by pointer");
    check(either(10) == 9, "and does not, outside");
    check(got.array == 10, "others write to a variable-length array while it waits");
}

int main(void)
{
    check_life();
    check_numbers();
    check_language();
    printf("1..%u\n", n_checks);
    return n_wrong > 0;
}
