/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * autostart.h - have the system run something when the user's session begins
 *
 * On Linux a systemd user unit for each name, enabled by its symbolic link.  Files are
 * written and nothing is asked of systemd, so this works where no systemd runs; it acts
 * on them when the user's manager starts the next time.  Each $OSTLER_HOME has units of
 * its own.
 *
 * Sources:    systemd.unit(5) for names, systemd.service(5) for quoting.
 * Errors:     G_IO_ERROR.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
    const char *name;               /* any UTF-8 without '/' */
    const char *const *start;       /* argv; returns once the thing runs */
    const char *const *stop;        /* argv, when the session ends */
    const char *const *environment; /* "NAME=VALUE", or NULL for none */
} OstlerAutostart;

bool ostler_autostart_enable(const OstlerAutostart *what, GError **error);
/* Fine when it is not enabled. */
bool ostler_autostart_disable(const char *name, GError **error);
bool ostler_autostart_is_enabled(const char *name);

/* The names that are enabled, in no order, NULL-terminated (g_strfreev). */
char **ostler_autostart_list(void);

/* When the session begins: NULL if at boot, else a sentence on what it waits for, "your
 * next log-in; ..."; caller frees. */
char *ostler_autostart_caveat(void);
