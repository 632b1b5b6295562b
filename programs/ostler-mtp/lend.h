/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lend.h - the other end of the control socket: attach a share, detach, change or list them
 *
 * A share that is attached is lent (platform/lender.h) by the process that attaches it,
 * which confines itself to that folder.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* Attach the share that @words name to the ostler-mtp that listens at @socket, and lend it
 * until that ends, lets go of it, or a signal asks us to end. */
bool lend_share(const char *words, const char *socket, GError **error);
/* Have the ostler-mtp that listens at @socket let go of the share called @label. */
bool detach_share(const char *label, const char *socket, GError **error);
/* Print the shares that it has, as one line of JSON. */
bool list_shares(const char *socket, GError **error);
/* Have it change a share's limits: "LABEL,quota=2G", as in shares.h. */
bool change_share(const char *change, const char *socket, GError **error);
