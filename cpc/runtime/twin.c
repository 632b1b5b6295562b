/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A hash table with open addressing that is only ever added to.  Readers take no lock: a
 * row's function is stored after its twin, and a table that has become too small is
 * replaced by a copy, after which it stays, because somebody may be looking into it.
 */
#include "twin.h"

#include "system.h"

#include <stdint.h>
#include <stdlib.h>

typedef struct Table {
    struct Table *smaller; /* that this one replaced */
    size_t n_used;
    unsigned bits; /* of its size */
    CpcTwins rows[];
} Table;

static Table *table;
static int spin;

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): the high bits. */
static size_t place_of(const Table *in, CpcFunction *function)
{
    uint64_t hash = (uint64_t)(uintptr_t)function * 0x9e3779b97f4a7c15;

    return (size_t)(hash >> (64 - in->bits));
}

/* The row of @function, or the empty one that it would get. */
static CpcTwins *row_of(Table *in, CpcFunction *function)
{
    size_t mask = ((size_t)1 << in->bits) - 1;

    for (size_t at = place_of(in, function);; at = (at + 1) & mask) {
        CpcFunction *there = __atomic_load_n(&in->rows[at].ordinary, __ATOMIC_ACQUIRE);
        if (!there || there == function) {
            return &in->rows[at];
        }
    }
}

static void add(Table *to, const CpcTwins *twins)
{
    CpcTwins *row = row_of(to, twins->ordinary);

    to->n_used += row->ordinary == NULL;
    __atomic_store_n(&row->twin, twins->twin, __ATOMIC_RELAXED);
    __atomic_store_n(&row->ordinary, twins->ordinary, __ATOMIC_RELEASE);
}

static Table *table_new(unsigned bits)
{
    Table *made = calloc(1, sizeof(*made) + (sizeof(CpcTwins) << bits));

    if (!made) {
        cpc_fatal("No memory for the table of mixed functions");
    }
    made->bits = bits;
    return made;
}

static Table *copy_of(Table *old)
{
    Table *made = table_new(old->bits + 1);

    made->smaller = old;
    for (size_t i = 0; i < (size_t)1 << old->bits; i++) {
        if (old->rows[i].ordinary) {
            add(made, &old->rows[i]);
        }
    }
    return made;
}

/* One with room for another row: at most half of it is in use. */
static Table *table_with_room(void)
{
    if (!table) {
        __atomic_store_n(&table, table_new(6), __ATOMIC_RELEASE);
    } else if (table->n_used >= ((size_t)1 << table->bits) / 2) {
        __atomic_store_n(&table, copy_of(table), __ATOMIC_RELEASE);
    }
    return table;
}

void cpc_twins_register(const CpcTwins *twins, size_t n)
{
    while (__atomic_exchange_n(&spin, 1, __ATOMIC_ACQUIRE)) {
    }
    for (size_t i = 0; i < n; i++) {
        add(table_with_room(), &twins[i]);
    }
    __atomic_store_n(&spin, 0, __ATOMIC_RELEASE);
}

CpcFunction *cpc_twin_of(CpcFunction *ordinary)
{
    Table *in = __atomic_load_n(&table, __ATOMIC_ACQUIRE);

    return in ? __atomic_load_n(&row_of(in, ordinary)->twin, __ATOMIC_RELAXED) : NULL;
}
