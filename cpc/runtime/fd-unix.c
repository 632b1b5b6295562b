/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define G_LOG_DOMAIN "cpc"

#include <cpc/glib.h>

#include "wait.h"

GIOCondition coroutine_fn cpc_wait_fd(int fd, GIOCondition condition, int timeout_ms)
{
    GSource *source = cpc_wait_source_new(timeout_ms);
    gpointer tag = g_source_add_unix_fd(source, fd, condition | G_IO_HUP | G_IO_ERR);

    cpc_wait_for_source(source);
    GIOCondition seen = g_source_query_unix_fd(source, tag);
    g_source_unref(source);
    return seen;
}
