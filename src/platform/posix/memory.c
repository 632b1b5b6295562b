/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/memory.h"

#include <glib.h>
#include <malloc.h>

/* Long enough for a caller to be done with the answer it has just been given. */
#define SOON_MS 1000

static guint source; /* of the default context, or 0 */

static gboolean give_back(gpointer unused)
{
    source = 0;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    return G_SOURCE_REMOVE;
}

void ostler_memory_give_back_soon(void)
{
    if (!source) {
        source = g_timeout_add(SOON_MS, give_back, NULL);
    }
}
