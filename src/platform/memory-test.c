/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/memory.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_PIECES   40000
#define PIECE_SIZE 200

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "re");

    g_assert_nonnull(statm);
    g_assert_cmpint(fscanf(statm, "%ld %ld", &pages, &resident), ==, 2);
    fclose(statm);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void what_was_freed_below_something_is_given_back(void)
{
#ifdef __SANITIZE_ADDRESS__
    g_test_skip("AddressSanitizer's allocator keeps freed memory to watch it");
    return;
#endif
    void **pieces = g_new(void *, N_PIECES);
    for (int i = 0; i < N_PIECES; i++) {
        pieces[i] = memset(malloc(PIECE_SIZE), 1, PIECE_SIZE);
    }
    for (int i = 0; i < N_PIECES - 1; i++) {
        free(pieces[i]);
    }

    long before = resident_kib();
    ostler_memory_give_back_soon();
    ostler_memory_give_back_soon();
    g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(resident_kib(), <, before - N_PIECES * PIECE_SIZE / 1024 / 2);
    g_assert_false(g_main_context_pending(NULL)); /* one timer was enough */
    free(pieces[N_PIECES - 1]);
    g_free(pieces);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/what-was-freed-below-something-is-given-back",
                    what_was_freed_below_something_is_given_back);
    return g_test_run();
}
