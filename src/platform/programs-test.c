/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/programs.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

static char *make_program(const char *folder, const char *name)
{
    char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents_full(path, "", 0, 0, 0700, NULL));
    return path;
}

/* /proc/self/exe is what it is, so this is asked of the test itself. */
static void a_program_is_found_from_one_beside_it(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *name = g_path_get_basename(self);
    g_autofree char *found = ostler_programs_find(name, NULL);

    g_assert_cmpstr(found, ==, self);
}

static void a_folder_is_no_program(void)
{
    g_autofree char *top = g_dir_make_tmp("ostler-programs-XXXXXX", NULL);
    g_autofree char *folder = g_build_filename(top, "ostler-x", NULL);
    g_autoptr(GError) error = NULL;

    g_setenv("OSTLER_PROGRAMS", top, TRUE);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_assert_null(ostler_programs_find("ostler-x", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "'ostler-x'"));
    g_unsetenv("OSTLER_PROGRAMS");
    g_rmdir(folder);
    g_rmdir(top);
}

static void the_folder_that_is_asked_for_comes_first(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *name = g_path_get_basename(self);
    g_autofree char *top = g_dir_make_tmp("ostler-programs-XXXXXX", NULL);
    g_autofree char *path = make_program(top, name);

    g_setenv("OSTLER_PROGRAMS", top, TRUE);
    g_autofree char *found = ostler_programs_find(name, NULL);
    g_assert_cmpstr(found, ==, path);
    g_unsetenv("OSTLER_PROGRAMS");
    g_unlink(path);
    g_rmdir(top);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/programs/a-program-is-found-from-one-beside-it",
                    a_program_is_found_from_one_beside_it);
    g_test_add_func("/programs/a-folder-is-no-program", a_folder_is_no_program);
    g_test_add_func("/programs/the-folder-that-is-asked-for-comes-first",
                    the_folder_that_is_asked_for_comes_first);
    return g_test_run();
}
