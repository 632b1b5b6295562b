/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/place.h"

#include <glib/gstdio.h>

#include "platform/lock.h"
#include "platform/rundir.h"

char *ostler_run_path(const char *guest, const char *file)
{
    g_autofree char *run = ostler_dir_run();
    return g_build_filename(run, guest, file, NULL);
}

OstlerRunLife ostler_run_life(const char *guest)
{
    g_autofree char *keeper = ostler_run_path(guest, "keeper.lock");
    if (ostler_lock_is_held(keeper)) {
        return OSTLER_RUN_ATTENDED;
    }
    g_autofree char *qemu = ostler_run_path(guest, "guest.lock");
    return ostler_lock_is_held(qemu) ? OSTLER_RUN_ORPHAN : OSTLER_RUN_GONE;
}

char **ostler_run_names(void)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    g_autofree char *run = ostler_dir_run();
    g_autoptr(GDir) dir = g_dir_open(run, 0, NULL);

    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (name[0] != '.') {
            g_strv_builder_add(names, name);
        }
    }
    return g_strv_builder_end(names);
}

char *ostler_run_handles_path(const char *guest, bool is_defined)
{
    g_autofree char *state = ostler_dir_state();

    return is_defined ? g_build_filename(state, guest, "shares", NULL)
                      : ostler_run_path(guest, "shares");
}

void ostler_run_forget_handles(const char *guest)
{
    g_autofree char *folder = ostler_run_handles_path(guest, true);
    g_autofree char *file = g_build_filename(folder, "handles", NULL);
    g_autofree char *above = g_path_get_dirname(folder);

    g_unlink(file);
    g_rmdir(folder);
    g_rmdir(above);
}

void ostler_run_sweep(const char *guest)
{
    g_autofree char *place = ostler_run_path(guest, NULL);
    g_autoptr(GDir) dir = g_dir_open(place, 0, NULL);

    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (g_str_has_suffix(name, ".sock")) {
            g_autofree char *path = g_build_filename(place, name, NULL);
            g_unlink(path);
        }
    }
}
