/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/programs.h"

#include <dlfcn.h>
#include <gio/gio.h>

/* @folder/@name, or @folder/@name/@name as in a build folder; NULL if neither. */
static char *look_in(const char *folder, const char *name)
{
    g_autofree char *flat = g_build_filename(folder, name, NULL);
    if (g_file_test(flat, G_FILE_TEST_IS_REGULAR | G_FILE_TEST_IS_EXECUTABLE) &&
        !g_file_test(flat, G_FILE_TEST_IS_DIR)) {
        return g_steal_pointer(&flat);
    }
    g_autofree char *nested = g_build_filename(folder, name, name, NULL);
    return g_file_test(nested, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&nested)
                                                          : NULL;
}

/* <build>/src/api/libostler.so, hence <build>/programs. */
static char *look_in_build(const char *name)
{
    Dl_info info;

    if (!dladdr((void *)look_in_build, &info)) {
        return NULL;
    }
    g_autofree char *self = g_canonicalize_filename(info.dli_fname, NULL);
    g_autofree char *folder = g_path_get_dirname(self);
    g_autofree char *programs = g_build_filename(folder, "..", "..", "programs", NULL);
    return g_str_has_suffix(folder, "/src/api") ? look_in(programs, name) : NULL;
}

char *ostler_api_find_program(const char *name, GError **error)
{
    const char *chosen = g_getenv("OSTLER_PROGRAMS");
    char *found = chosen ? look_in(chosen, name) : NULL;

    if (!found) {
        found = look_in_build(name);
    }
    if (!found) {
        found = look_in(OSTLER_BINDIR, name);
    }
    if (!found) {
        found = g_find_program_in_path(name);
    }
    if (!found) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "The program '%s' is neither in '%s' nor in PATH", name,
                    OSTLER_BINDIR);
    }
    return found;
}
