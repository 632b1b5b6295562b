/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prime numbers, by a sieve of coroutines: one that counts, and one for each prime found,
 * which lets through what it does not divide (Hoare, "Communicating Sequential Processes",
 * 1978, after McIlroy).
 *
 *     primes 1000
 *
 * Built with cpc-clang or with any compiler: see the Makefile.  The code is the same.
 */
#include <cpc/coroutine.h>
#include <stdio.h>
#include <stdlib.h>

/* A coroutine that offers one number after another, and ends after a 0. */
typedef struct Source {
    Coroutine *co;
    struct Source *from; /* where it gets its own; NULL: it counts */
    unsigned prime;      /* that it filters by, or up to where it counts */
    unsigned offered;
} Source;

/* The next number of @source. */
static unsigned next(Source *source)
{
    cpc_enter(source->co);
    return source->offered;
}

static void coroutine_fn offer(Source *source, unsigned number)
{
    source->offered = number;
    cpc_yield();
}

static void coroutine_fn count(void *opaque)
{
    Source *self = opaque;

    for (unsigned number = 2; number <= self->prime; number++) {
        offer(self, number);
    }
    self->offered = 0;
}

static void coroutine_fn filter(void *opaque)
{
    Source *self = opaque;

    for (unsigned number = next(self->from); number > 0; number = next(self->from)) {
        if (number % self->prime != 0) {
            offer(self, number);
        }
    }
    self->offered = 0;
}

static Source *source_new(CoroutineEntry *entry, Source *from, unsigned prime)
{
    Source *source = calloc(1, sizeof(*source));

    if (!source) {
        abort();
    }
    *source = (Source){ .from = from, .prime = prime };
    source->co = cpc_create(entry, source);
    return source;
}

static void source_free_all(Source *source)
{
    while (source) {
        Source *from = source->from;
        free(source);
        source = from;
    }
}

int main(int argc, char **argv)
{
    unsigned most = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100;
    Source *last = source_new(count, NULL, most);

    for (unsigned prime = next(last); prime > 0; prime = next(last)) {
        printf("%u\n", prime);
        last = source_new(filter, last, prime);
    }
    source_free_all(last);
    return 0;
}
