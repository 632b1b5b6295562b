/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition-name.c - what a guest may be called
 *
 * The name is a folder's name as well, an argument of commands and a line on terminals:
 * what would be trouble in any of these places is refused here, once.
 */
#include <string.h>

#include "guest/definition.h"

#define MAX_NAME_BYTES 200

static bool refuse_name(GError **error, const char *name, const char *why)
{
    g_autofree char *shown = g_strescape(name, NULL);

    g_set_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_VALUE,
                "'%s' cannot be a guest's name: %s", shown, why);
    return false;
}

static bool has_unprintable(const char *text)
{
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        if (g_unichar_iscntrl(g_utf8_get_char(at))) {
            return true;
        }
    }
    return false;
}

bool ostler_guest_name_check(const char *name, GError **error)
{
    size_t size = strlen(name);

    if (size == 0) {
        return refuse_name(error, name, "it is empty");
    }
    if (size > MAX_NAME_BYTES) {
        return refuse_name(error, name, "it is longer than 200 bytes");
    }
    if (!g_utf8_validate(name, -1, NULL)) {
        return refuse_name(error, name, "it is not UTF-8");
    }
    if (strchr(name, '/') || has_unprintable(name)) {
        return refuse_name(error, name, "it holds a '/' or a control character");
    }
    if (name[0] == '.' || name[0] == '-') {
        return refuse_name(error, name, "it begins with '.' or '-'");
    }
    if (name[0] == ' ' || name[size - 1] == ' ') {
        return refuse_name(error, name, "it begins or ends with a blank");
    }
    return true;
}
