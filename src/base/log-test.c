/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define G_LOG_DOMAIN "ostler-base"
#include "base/log.h"

#include <string.h>

static void a_line_says_who_and_how_bad(void)
{
    static const struct {
        GLogLevelFlags level;
        const char *line;
    } lines[] = {
        { G_LOG_LEVEL_ERROR, "ostler-x: error: it\n" },
        { G_LOG_LEVEL_CRITICAL, "ostler-x: error: it\n" },
        { G_LOG_LEVEL_WARNING, "ostler-x: warning: it\n" },
        { G_LOG_LEVEL_MESSAGE, "ostler-x: it\n" },
        { G_LOG_LEVEL_DEBUG, "ostler-x: debug: qmp: it\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *line =
            ostler_log_line("ostler-x", lines[i].level, "ostler-qmp", "it");
        g_assert_cmpstr(line, ==, lines[i].line);
    }
}

static void a_message_cannot_forge_a_line(void)
{
    g_autofree char *line =
        ostler_log_line("ostler-x", G_LOG_LEVEL_WARNING, NULL,
                        "guest \"a\nostler-x: all is well\033[2J\"");

    g_assert_true(strchr(line, '\n') == line + strlen(line) - 1);
    g_assert_null(strchr(line, '\033'));
}

static void only_named_folders_are_debugged(void)
{
    g_unsetenv("OSTLER_DEBUG");
    g_assert_true(ostler_log_is_wanted(G_LOG_LEVEL_WARNING, "ostler-qmp"));
    g_assert_false(ostler_log_is_wanted(G_LOG_LEVEL_DEBUG, "ostler-qmp"));
    g_setenv("OSTLER_DEBUG", "mtp,qmp", true);
    g_assert_true(ostler_log_is_wanted(G_LOG_LEVEL_DEBUG, "ostler-qmp"));
    g_assert_false(ostler_log_is_wanted(G_LOG_LEVEL_DEBUG, "ostler-guest"));
    g_assert_false(ostler_log_is_wanted(G_LOG_LEVEL_DEBUG, NULL));
    g_setenv("OSTLER_DEBUG", "all", true);
    g_assert_true(ostler_log_is_wanted(G_LOG_LEVEL_DEBUG, "ostler-guest"));
    g_unsetenv("OSTLER_DEBUG");
}

static void log_in_a_child(void)
{
    if (g_test_subprocess()) {
        ostler_log_open("ostler-x");
        g_warning("it is %s", "gone");
        g_debug("never shown");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("ostler-x: warning: it is gone\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* GTest's is stricter than programs' */
    g_test_add_func("/log/a-line-says-who-and-how-bad", a_line_says_who_and_how_bad);
    g_test_add_func("/log/a-message-cannot-forge-a-line",
                    a_message_cannot_forge_a_line);
    g_test_add_func("/log/only-named-folders-are-debugged",
                    only_named_folders_are_debugged);
    g_test_add_func("/log/what-is-logged-arrives-on-standard-error", log_in_a_child);
    return g_test_run();
}
