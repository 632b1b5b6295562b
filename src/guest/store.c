/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/store.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "platform/rundir.h"

#define FILE_NAME "guest.conf"

static char *folder_of(const char *name)
{
    g_autofree char *config = ostler_dir_config();

    return g_build_filename(config, name, NULL);
}

char *ostler_store_path(const char *name)
{
    g_autofree char *folder = folder_of(name);

    return g_build_filename(folder, FILE_NAME, NULL);
}

bool ostler_store_has(const char *name)
{
    g_autofree char *path = ostler_store_path(name);

    return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Folders that are no guest's (another program's, a half-made one) are passed over;
 * the file is looked for, not opened. */
static GPtrArray *read_names(GDir *folder, const char *config)
{
    GPtrArray *names = g_ptr_array_new();
    g_autoptr(GString) path = g_string_new(NULL);
    const char *name;

    while ((name = g_dir_read_name(folder))) {
        g_string_printf(path, "%s/%s/" FILE_NAME, config, name);
        if (ostler_guest_name_check(name, NULL) && g_access(path->str, F_OK) == 0) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return names;
}

static bool fail_errno(GError **error, int why, const char *what, const char *path)
{
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(why), "Cannot %s '%s': %s",
                what, path, g_strerror(why));
    return false;
}

char **ostler_store_list(GError **error)
{
    g_autofree char *config = ostler_dir_config();
    g_autoptr(GError) why = NULL;
    g_autoptr(GDir) folder = g_dir_open(config, 0, &why);

    if (g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        return g_new0(char *, 1);
    }
    if (!folder) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot list the guests: %s",
                    why->message);
        return NULL;
    }
    return (char **)g_ptr_array_free(read_names(folder, config), FALSE);
}

static void fail_no_guest(GError **error, const char *name)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "No guest is named '%s'",
                name);
}

char *ostler_store_text(const char *name, size_t *out_size, GError **error)
{
    if (!ostler_guest_name_check(name, error)) {
        return NULL;
    }

    g_autofree char *path = ostler_store_path(name);
    g_autoptr(GError) why = NULL;
    char *text = NULL;
    gsize size;

    if (g_file_get_contents(path, &text, &size, &why)) {
        if (out_size) {
            *out_size = size;
        }
        return text;
    }
    if (g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        fail_no_guest(error, name);
    } else {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, why->message);
    }
    return NULL;
}

OstlerDefinition *ostler_store_load(const char *name, GError **error)
{
    size_t size;
    g_autofree char *text = ostler_store_text(name, &size, error);
    if (!text) {
        return NULL;
    }

    g_autofree char *path = ostler_store_path(name);
    g_autoptr(OstlerDefinition) definition =
        ostler_definition_parse(text, size, path, error);
    if (!definition) {
        return NULL;
    }
    if (strcmp(ostler_definition_name(definition), name) != 0) {
        g_set_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_VALUE,
                    "%s: The guest is named '%s', but its folder '%s'", path,
                    ostler_definition_name(definition), name);
        return NULL;
    }
    return g_steal_pointer(&definition);
}

bool ostler_store_define(const OstlerDefinition *definition, bool *out_is_new,
                         GError **error)
{
    if (!ostler_definition_check(definition, error)) {
        return false;
    }

    const char *name = ostler_definition_name(definition);
    g_autofree char *folder = folder_of(name);
    g_autofree char *path = ostler_store_path(name);
    g_autofree char *text = ostler_definition_text(definition);
    bool is_new = !ostler_store_has(name);

    if (!ostler_dir_ensure(folder, error) ||
        !ostler_file_replace(path, text, strlen(text), error)) {
        g_prefix_error(error, "Cannot store '%s': ", name);
        return false;
    }
    if (out_is_new) {
        *out_is_new = is_new;
    }
    return true;
}

bool ostler_store_undefine(const char *name, GError **error)
{
    if (!ostler_guest_name_check(name, error)) {
        return false;
    }

    g_autofree char *folder = folder_of(name);
    g_autofree char *path = ostler_store_path(name);

    if (g_unlink(path) < 0) {
        if (errno == ENOENT) {
            fail_no_guest(error, name);
            return false;
        }
        return fail_errno(error, errno, "remove", path);
    }
    /* What lies beside the definition is somebody's: rmdir leaves it. */
    g_rmdir(folder);
    return true;
}
