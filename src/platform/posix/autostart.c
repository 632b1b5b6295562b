/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/autostart.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "platform/posix/refusal.h"
#include "platform/rundir.h"

#define MAX_UNIT_NAME 255 /* systemd.unit(5) */
#define SUFFIX        ".service"

static char *unit_folder(void)
{
    return g_build_filename(g_get_user_config_dir(), "systemd", "user", NULL);
}

static char *wants_folder(void)
{
    g_autofree char *folder = unit_folder();

    return g_build_filename(folder, "default.target.wants", NULL);
}

/* What all units of this home begin with; two homes may have guests of one name. */
static char *unit_prefix(void)
{
    const char *home = g_getenv("OSTLER_HOME");

    if (!home || !*home) {
        return g_strdup("ostler-guest-");
    }
    g_autofree char *absolute = g_canonicalize_filename(home, NULL);
    g_autofree char *digest =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, absolute, -1);
    return g_strdup_printf("ostler-%.8s-guest-", digest);
}

/* systemd.unit(5), "String Escaping for Inclusion in Unit Names". */
static void append_escaped(GString *unit, const char *name)
{
    for (const char *at = name; *at; at++) {
        if (g_ascii_isalnum(*at) || strchr(":_.", *at)) {
            g_string_append_c(unit, *at);
        } else {
            g_string_append_printf(unit, "\\x%02x", (unsigned char)*at);
        }
    }
}

static char *unit_name(const char *name)
{
    g_autofree char *prefix = unit_prefix();
    GString *unit = g_string_new(prefix);

    append_escaped(unit, name);
    g_string_append(unit, SUFFIX);
    return g_string_free(unit, FALSE);
}

/* The name in @unit, or NULL if it is none of ours; caller frees. */
static char *name_of_unit(const char *unit, const char *prefix)
{
    if (!g_str_has_prefix(unit, prefix) || !g_str_has_suffix(unit, SUFFIX)) {
        return NULL;
    }
    g_autofree char *escaped = g_strndup(
        unit + strlen(prefix), strlen(unit) - strlen(prefix) - strlen(SUFFIX));
    GString *name = g_string_new(NULL);
    for (const char *at = escaped; *at; at++) {
        if (at[0] == '\\' && at[1] == 'x' && g_ascii_isxdigit(at[2]) &&
            g_ascii_isxdigit(at[3])) {
            g_string_append_c(name, (char)(g_ascii_xdigit_value(at[2]) << 4 |
                                           g_ascii_xdigit_value(at[3])));
            at += 3;
        } else {
            g_string_append_c(name, *at);
        }
    }
    return g_string_free(name, FALSE);
}

/* systemd.service(5), "Command lines", and specifiers. */
static void append_quoted(GString *text, const char *word)
{
    g_string_append_c(text, '"');
    for (; *word; word++) {
        if (*word == '"' || *word == '\\') {
            g_string_append_c(text, '\\');
        } else if (*word == '%') {
            g_string_append_c(text, '%');
        }
        g_string_append_c(text, *word);
    }
    g_string_append_c(text, '"');
}

/* The ':' keeps systemd from replacing "$X" in a guest's name. */
static void append_command(GString *text, const char *key, const char *const *argv)
{
    g_string_append_printf(text, "%s=:", key);
    for (; *argv; argv++) {
        append_quoted(text, *argv);
        g_string_append_c(text, argv[1] ? ' ' : '\n');
    }
}

/*
 * The keeper and QEMU stay in the unit's control group when the start command ends;
 * mixed: only what the stop command left over is killed.
 */
static char *unit_text(const OstlerAutostart *what)
{
    GString *text = g_string_new("[Unit]\nDescription=");

    for (const char *at = what->name; *at; at++) {
        g_string_append(text, *at == '%' ? "%%" : (char[]){ *at, '\0' });
    }
    g_string_append(text, "\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                          "KillMode=mixed\nTimeoutStopSec=90\n");
    for (const char *const *at = what->environment; at && *at; at++) {
        g_string_append(text, "Environment=");
        append_quoted(text, *at);
        g_string_append_c(text, '\n');
    }
    append_command(text, "ExecStart", what->start);
    append_command(text, "ExecStop", what->stop);
    g_string_append(text, "\n[Install]\nWantedBy=default.target\n");
    return g_string_free(text, FALSE);
}

static bool make_link(const char *target, const char *path, GError **error)
{
    if (symlink(target, path) < 0 && errno != EEXIST) {
        return ostler_posix_refuse(error, "Cannot create '%s'", path);
    }
    return true;
}

bool ostler_autostart_enable(const OstlerAutostart *what, GError **error)
{
    g_autofree char *unit = unit_name(what->name);
    g_autofree char *folder = unit_folder();
    g_autofree char *wants = wants_folder();
    g_autofree char *path = g_build_filename(folder, unit, NULL);
    g_autofree char *link_path = g_build_filename(wants, unit, NULL);
    g_autofree char *target = g_build_filename("..", unit, NULL);
    g_autofree char *text = unit_text(what);

    if (strlen(unit) > MAX_UNIT_NAME) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG,
                    "The name '%s' is too long for a systemd unit", what->name);
        return false;
    }
    return ostler_dir_ensure(wants, error) &&
           ostler_file_replace(path, text, strlen(text), error) &&
           make_link(target, link_path, error);
}

static bool remove_if_there(const char *folder, const char *unit, GError **error)
{
    g_autofree char *path = g_build_filename(folder, unit, NULL);

    if (g_unlink(path) < 0 && errno != ENOENT) {
        return ostler_posix_refuse(error, "Cannot remove '%s'", path);
    }
    return true;
}

bool ostler_autostart_disable(const char *name, GError **error)
{
    g_autofree char *unit = unit_name(name);
    g_autofree char *folder = unit_folder();
    g_autofree char *wants = wants_folder();

    return remove_if_there(wants, unit, error) && remove_if_there(folder, unit, error);
}

bool ostler_autostart_is_enabled(const char *name)
{
    g_autofree char *unit = unit_name(name);
    g_autofree char *wants = wants_folder();
    g_autofree char *path = g_build_filename(wants, unit, NULL);

    return g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

char **ostler_autostart_list(void)
{
    g_autofree char *wants = wants_folder();
    g_autofree char *prefix = unit_prefix();
    g_autoptr(GDir) folder = g_dir_open(wants, 0, NULL);
    GPtrArray *names = g_ptr_array_new();
    const char *unit;

    while (folder && (unit = g_dir_read_name(folder))) {
        char *name = name_of_unit(unit, prefix);
        if (name) {
            g_ptr_array_add(names, name);
        }
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

char *ostler_autostart_caveat(void)
{
    g_autofree char *linger =
        g_build_filename("/var/lib/systemd/linger", g_get_user_name(), NULL);

    /* sd_booted(3) asks the same. */
    if (!g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR)) {
        return g_strdup("systemd does not run here, so nothing will act on it yet");
    }
    if (!g_file_test(linger, G_FILE_TEST_EXISTS)) {
        return g_strdup("it waits for your log-in; 'loginctl enable-linger' makes it "
                        "the system's start");
    }
    return NULL;
}
