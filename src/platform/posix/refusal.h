/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * refusal.h - errno as a GError; for platform/posix/ alone
 *
 * Errors:  the G_IO_ERROR that GLib has for errno; the message is the given sentence,
 *          a colon, and the system's words.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* Set @error from errno and return false.  errno itself is left as it was. */
bool ostler_posix_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
