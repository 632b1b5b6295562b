/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/autostart.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/testing.h"

#define NAME "web $HOME 100% \"Bücherei\""

static char *config;

static bool enable(const char *name)
{
    const char *const start[] = { "/usr/bin/ostler", "start", "--", name, NULL };
    const char *const stop[] = { "/usr/bin/ostler", "shutdown", "--", name, NULL };
    const OstlerAutostart what = { name, start, stop };

    return ostler_autostart_enable(&what, NULL);
}

static void what_is_enabled_is_listed_until_disabled(void)
{
    g_assert_true(enable(NAME));
    g_assert_true(enable(NAME));
    g_assert_true(enable("mail"));
    g_assert_true(ostler_autostart_is_enabled(NAME));

    g_auto(GStrv) names = ostler_autostart_list();
    g_assert_cmpuint(g_strv_length(names), ==, 2);
    g_assert_true(g_strv_contains((const char *const *)names, NAME));

    g_assert_true(ostler_autostart_disable(NAME, NULL));
    g_assert_true(ostler_autostart_disable(NAME, NULL));
    g_assert_false(ostler_autostart_is_enabled(NAME));
    g_assert_true(ostler_autostart_is_enabled("mail"));
    g_assert_true(ostler_autostart_disable("mail", NULL));
}

static void the_unit_quotes_what_systemd_would_replace(void)
{
    g_autofree char *text = NULL;
    g_autofree char *path = g_build_filename(
        config,
        "systemd/user/ostler-guest-web\\x20\\x24HOME\\x20100\\x25\\x20\\x22B"
        "\\xc3\\xbccherei\\x22.service",
        NULL);

    g_assert_true(enable(NAME));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "ExecStart=:\"/usr/bin/ostler\" \"start\" \"--\" "
                                  "\"web $HOME 100%% \\\"Bücherei\\\"\"\n"));
    g_assert_true(ostler_autostart_disable(NAME, NULL));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void each_home_has_units_of_its_own(void)
{
    g_assert_true(enable("web"));
    g_setenv("OSTLER_HOME", "/somewhere", TRUE);
    g_assert_false(ostler_autostart_is_enabled("web"));
    g_assert_true(enable("web"));
    g_unsetenv("OSTLER_HOME");
    g_assert_true(ostler_autostart_disable("web", NULL));
    g_setenv("OSTLER_HOME", "/somewhere", TRUE);
    g_assert_true(ostler_autostart_is_enabled("web"));
    g_assert_true(ostler_autostart_disable("web", NULL));
    g_unsetenv("OSTLER_HOME");
}

static void a_name_longer_than_a_unit_may_be_is_refused(void)
{
    g_autofree char *name = g_strnfill(100, '-');

    g_assert_false(enable(name));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    config = g_dir_make_tmp("ostler-autostart-XXXXXX", NULL);
    g_setenv("XDG_CONFIG_HOME", config, TRUE); /* before GLib first reads it */
    g_unsetenv("OSTLER_HOME");
    g_test_add_func("/autostart/what-is-enabled-is-listed-until-disabled",
                    what_is_enabled_is_listed_until_disabled);
    g_test_add_func("/autostart/the-unit-quotes-what-systemd-would-replace",
                    the_unit_quotes_what_systemd_would_replace);
    g_test_add_func("/autostart/each-home-has-units-of-its-own",
                    each_home_has_units_of_its_own);
    g_test_add_func("/autostart/a-name-longer-than-a-unit-may-be-is-refused",
                    a_name_longer_than_a_unit_may_be_is_refused);
    int status = g_test_run();

    ostler_test_remove(config);
    return status;
}
