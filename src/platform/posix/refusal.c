/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/posix/refusal.h"

#include <errno.h>
#include <stdarg.h>

bool ostler_posix_refuse(GError **error, const char *format, ...)
{
    int why = errno;
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(why), "%s: %s", what,
                g_strerror(why));
    errno = why;
    return false;
}
