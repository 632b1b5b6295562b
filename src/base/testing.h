/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* testing.h - what tests of several folders do with files; never part of a program */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>

static inline unsigned ostler_test_count_entries(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    unsigned n = 0;

    while (dir && g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

/* Remove @path and all below it, and nothing that a link in it points to. */
static inline void ostler_test_remove(const char *path)
{
    const char *const argv[] = { "rm", "-rf", "--", path, NULL };

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
                               NULL, NULL, NULL, NULL, NULL));
}
