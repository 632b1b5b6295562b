/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "programs.h"

#include <glib.h>

/* Installed, all are in one folder; built, each has a folder of its own. */
static char *beside(const char *folder, const char *name)
{
    g_autofree char *installed = g_build_filename(folder, name, NULL);
    if (g_file_test(installed, G_FILE_TEST_IS_EXECUTABLE)) {
        return g_steal_pointer(&installed);
    }
    g_autofree char *above = g_path_get_dirname(folder);
    g_autofree char *built = g_build_filename(above, name, name, NULL);
    return g_file_test(built, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&built)
                                                         : NULL;
}

char *keeper_find_program(const char *name)
{
    const char *first = g_getenv("OSTLER_PROGRAMS");
    char *found = first ? beside(first, name) : NULL;
    if (found) {
        return found;
    }
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
    return folder ? beside(folder, name) : NULL;
}
