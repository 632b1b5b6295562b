/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/clock.h"

#include <glib.h>

static void what_is_left_never_grows_and_ends_at_zero(void)
{
    int64_t deadline = ostler_clock_deadline(20);
    int left = 20, now;

    while ((now = ostler_clock_left(deadline)) > 0) {
        g_assert_cmpint(now, <=, left);
        left = now;
        g_usleep(1000);
    }
    g_assert_cmpint(ostler_clock_left(deadline), ==, 0);
}

static void for_ever_stays_for_ever(void)
{
    g_assert_cmpint(ostler_clock_left(ostler_clock_deadline(-1)), ==, -1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clock/what-is-left-never-grows-and-ends-at-zero",
                    what_is_left_never_grows_and_ends_at_zero);
    g_test_add_func("/clock/for-ever-stays-for-ever", for_ever_stays_for_ever);
    return g_test_run();
}
