/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/programs.h"

#include <dlfcn.h>
#include <gio/gio.h>
#include <link.h>
#include <stdbool.h>

/* From the folder of whoever asks to the folder of a program.  Built, each program has
 * a folder of its own name. */
static const struct {
    const char *path;
    bool is_own;
} places[] = {
    { ".", false },               /* installed, from a program */
    { OSTLER_LIB_TO_BIN, false }, /* installed, from libostler */
    { "..", true },               /* built, from programs/ostler-keeper */
    { "../../programs", true },   /* built, from src/api */
    { "../../nested", false },    /* built, from programs/ostler */
};

/* The file that this code was loaded from; NULL if the system does not say. */
static char *find_self(void)
{
    Dl_info info;
    struct link_map *map = NULL;

    if (!dladdr1((void *)find_self, &info, (void **)&map, RTLD_DL_LINKMAP)) {
        return NULL;
    }
    /* The program itself has no name there; argv[0] may say anything. */
    return map->l_name[0] ? g_canonicalize_filename(map->l_name, NULL)
                          : g_file_read_link("/proc/self/exe", NULL);
}

static bool is_program(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
           g_file_test(path, G_FILE_TEST_IS_EXECUTABLE);
}

static char *find_from(const char *folder, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        const char *own = places[i].is_own ? name : ".";
        g_autofree char *path =
            g_build_filename(folder, places[i].path, own, name, NULL);
        if (is_program(path)) {
            return g_canonicalize_filename(path, NULL);
        }
    }
    return NULL;
}

char *ostler_programs_find(const char *name, GError **error)
{
    const char *chosen = g_getenv("OSTLER_PROGRAMS");
    g_autofree char *self = find_self();
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
    char *found = chosen ? find_from(chosen, name) : NULL;

    if (!found && folder) {
        found = find_from(folder, name);
    }
    if (!found) {
        found = g_find_program_in_path(name);
    }
    if (!found) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "The program '%s' is neither installed with '%s' nor in PATH", name,
                    self ? self : "libostler");
    }
    return found;
}
