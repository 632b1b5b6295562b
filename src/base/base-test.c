/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/nearest.h"
#include "base/table.h"

static void a_word_is_near_only_if_most_of_it_is_there(void)
{
    static const char *const words[] = { "memory", "machine", "serial",
                                         "cpus",   "cpu",     NULL };

    g_assert_cmpstr(ostler_nearest("memroy", words), ==, "memory");
    g_assert_cmpstr(ostler_nearest("cpuss", words), ==, "cpus");
    g_assert_cmpstr(ostler_nearest("mem", words), ==, NULL);
    g_assert_cmpstr(ostler_nearest("zz", words), ==, NULL);
    g_assert_cmpstr(ostler_nearest("kernel", words), ==, NULL); /* 3 of 6 letters off */
    g_assert_cmpstr(ostler_nearest("", words), ==, NULL);
}

static void a_very_long_word_is_near_nothing(void)
{
    static const char *const words[] = { "memory", NULL };
    g_autofree char *word = g_strnfill(100000, 'm');

    g_assert_cmpstr(ostler_nearest(word, words), ==, NULL);
}

static void columns_are_as_wide_as_what_a_person_sees(void)
{
    static const char *const headings[] = { "Name", "State", NULL };
    g_autoptr(OstlerTable) table = ostler_table_new(headings);
    ostler_table_add(table, (const char *const[]){ "Bücherei", "running" });
    ostler_table_add(table, (const char *const[]){ "日本", NULL });
    g_autofree char *text = ostler_table_text(table);

    g_assert_cmpstr(text, ==,
                    "Name       State\n"
                    "Bücherei   running\n"
                    "日本       -\n");
}

static const char *red(const char *cell)
{
    return strcmp(cell, "crashed") == 0 ? "31" : NULL;
}

static void colour_takes_no_room(void)
{
    static const char *const headings[] = { "State", "Name", NULL };
    g_autoptr(OstlerTable) table = ostler_table_new(headings);
    ostler_table_add(table, (const char *const[]){ "crashed", "a" });
    ostler_table_add(table, (const char *const[]){ "running", "b" });
    ostler_table_colour(table, 0, red);
    g_autofree char *text = ostler_table_text(table);

    g_assert_cmpstr(text, ==,
                    "State     Name\n"
                    "\x1b[31mcrashed\x1b[0m   a\n"
                    "running   b\n");
}

static void what_a_terminal_would_act_on_is_shown(void)
{
    g_autofree char *text = ostler_printable("a\x1b[1mb\xff\xc2\x9b"
                                             "c\nü");

    g_assert_cmpstr(text, ==, "a\\x1b[1mb\\xff\\xc2\\x9bc\\x0aü");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/a-word-is-near-only-if-most-of-it-is-there",
                    a_word_is_near_only_if_most_of_it_is_there);
    g_test_add_func("/base/a-very-long-word-is-near-nothing",
                    a_very_long_word_is_near_nothing);
    g_test_add_func("/base/columns-are-as-wide-as-what-a-person-sees",
                    columns_are_as_wide_as_what_a_person_sees);
    g_test_add_func("/base/colour-takes-no-room", colour_takes_no_room);
    g_test_add_func("/base/what-a-terminal-would-act-on-is-shown",
                    what_a_terminal_would_act_on_is_shown);
    return g_test_run();
}
