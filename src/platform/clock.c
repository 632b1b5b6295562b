/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/clock.h"

#include <glib.h>

int64_t ostler_clock_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

int64_t ostler_clock_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : ostler_clock_ms() + timeout_ms;
}

int ostler_clock_left(int64_t deadline)
{
    return deadline < 0 ? -1 : (int)CLAMP(deadline - ostler_clock_ms(), 0, G_MAXINT);
}
