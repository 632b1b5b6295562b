/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "shell/complete.h"
#include "shell/help.h"
#include "shell/invocation.h"
#include "shell/manual.h"
#include "shell/roff.h"

static void complete_horse(OstlerCandidates *candidates)
{
    ostler_candidates_add(candidates, "Bella", "in the stable");
    ostler_candidates_add(candidates, "Black Beauty", "out");
}

static const OstlerArgumentRow feed_arguments[] = {
    { "HORSE", "The horse", .complete = complete_horse },
    { "FODDER", "What it gets", .is_optional = true, .is_list = true,
      .complete = complete_horse },
    { NULL },
};
static const OstlerOptionRow feed_options[] = {
    { "amount", "BUCKETS", "How much", .letter = 'n' },
    { "slowly", NULL, "Not all at once", .letter = 's' },
    { "wait", "SECONDS", "Until it is eaten", .is_optional = true },
    { "from", "HORSE", "Take it from another", .is_list = true,
      .complete = complete_horse },
    { "list", "FILE", "A list", .complete = ostler_complete_file },
    { NULL },
};
static const OstlerExampleRow feed_examples[] = {
    { "stable feed Bella -n2", "Two buckets for Bella" },
    { NULL },
};
static const OstlerOptionRow common_options[] = {
    { "help", NULL, "This help", .letter = 'h' },
    { "json", NULL, "Answer in JSON" },
    { NULL },
};
static const OstlerCommandRow commands[] = {
    { "feed", "give", "Daily", "Feed a horse",
      "The first paragraph is long enough to need a second line when it is shown on a "
      "terminal.\n\nThe second is not.",
      feed_arguments, feed_options, feed_examples },
    { "groom", NULL, "Daily", "Brush a horse" },
    { "shoe", NULL, "Monthly", "Call the smith" },
    { NULL },
};
static const OstlerProgram stable = { "stable", "Look after horses", commands,
                                      common_options };

static OstlerInvocation *parse(const char *line, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, "|", -1);

    return ostler_invocation_parse(&stable, (const char *const *)words, error);
}

static void options_stand_anywhere(void)
{
    static const char *const lines[] = {
        "feed|Bella|--amount=2|--slowly",
        "--json|feed|-n|2|-s|Bella",
        "feed|-sn2|Bella",
        "give|--slowly|--amount|2|--|Bella",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(OstlerInvocation) feed = parse(lines[i], &error);
        g_assert_no_error(error);
        g_assert_cmpstr(ostler_invocation_command(feed)->name, ==, "feed");
        g_assert_cmpstr(ostler_invocation_argument(feed, "HORSE"), ==, "Bella");
        g_assert_cmpstr(ostler_invocation_value(feed, "amount"), ==, "2");
        g_assert_true(ostler_invocation_has(feed, "slowly"));
        g_assert_false(ostler_invocation_has(feed, "wait"));
        g_assert_null(ostler_invocation_argument(feed, "FODDER"));
    }
}

static void an_optional_value_needs_its_equals_sign(void)
{
    g_autoptr(OstlerInvocation) bare = parse("feed|--wait|Bella", NULL);
    g_autoptr(OstlerInvocation) given = parse("feed|--wait=5|Bella", NULL);

    g_assert_true(ostler_invocation_has(bare, "wait"));
    g_assert_null(ostler_invocation_value(bare, "wait"));
    g_assert_cmpstr(ostler_invocation_argument(bare, "HORSE"), ==, "Bella");
    g_assert_cmpstr(ostler_invocation_value(given, "wait"), ==, "5");
}

static void lists_keep_their_order(void)
{
    g_autoptr(OstlerInvocation) feed =
        parse("feed|--from=a|Bella|hay|--from|b|--|--oats", NULL);
    const char *const *from = ostler_invocation_values(feed, "from");
    const char *const *fodder = ostler_invocation_arguments(feed, "FODDER");

    g_assert_cmpstr(from[0], ==, "a");
    g_assert_cmpstr(from[1], ==, "b");
    g_assert_null(from[2]);
    g_assert_cmpstr(fodder[0], ==, "hay");
    g_assert_cmpstr(fodder[1], ==, "--oats");
    g_assert_null(fodder[2]);
}

static void a_wrong_word_is_told_with_the_nearest_right_one(void)
{
    static const struct {
        const char *line;
        const char *message;
    } rows[] = {
        { "fede|Bella", "Unknown command 'fede'; did you mean 'feed'?" },
        { "xyzzy", "Unknown command 'xyzzy'" },
        { "feed|Bella|--slowyl",
          "'feed' has no option '--slowyl'; did you mean '--slowly'?" },
        { "feed|Bella|--xyzzy=1", "'feed' has no option '--xyzzy'" },
        { "--slowly|feed", "No option '--slowly' before a command" },
        { "feed|Bella|-x", "No option '-x'" },
        { "feed|Bella|--slowly=yes", "'--slowly' takes no value" },
        { "feed|Bella|--amount", "'--amount' needs a BUCKETS" },
        { "feed|Bella|--amount=1|-n2", "'--amount' is given twice" },
        { "feed", "HORSE is missing: stable feed HORSE [FODDER...]" },
        { "groom|Bella", "'groom' has no use for 'Bella'" },
        { "f\x1b[1m", "Unknown command 'f\\x1b[1m'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(parse(rows[i].line, &error));
        g_assert_true(error->domain == OSTLER_USAGE_ERROR);
        g_assert_cmpstr(error->message, ==, rows[i].message);
    }
}

static void help_needs_no_arguments(void)
{
    g_autoptr(OstlerInvocation) feed = parse("feed|--help", NULL);

    g_assert_nonnull(feed);
    g_assert_true(ostler_invocation_has(feed, "help"));
}

static void help_tells_all_that_a_row_has(void)
{
    g_autofree char *text = ostler_help_command(&stable, &commands[0]);

    g_assert_cmpstr(text, ==,
                    "Usage: stable feed HORSE [FODDER...] [OPTION...]\n\n"
                    "Feed a horse\n"
                    "Also called 'give'.\n\n"
                    "The first paragraph is long enough to need a second line when it "
                    "is shown on a\nterminal.\n\n"
                    "The second is not.\n\n"
                    "Arguments:\n"
                    "  HORSE                     The horse\n"
                    "  FODDER                    What it gets\n\n"
                    "Options:\n"
                    "  -n, --amount=BUCKETS      How much\n"
                    "  -s, --slowly              Not all at once\n"
                    "  --wait[=SECONDS]          Until it is eaten\n"
                    "  --from=HORSE              Take it from another\n"
                    "  --list=FILE               A list\n\n"
                    "Options of every command:\n"
                    "  -h, --help                This help\n"
                    "  --json                    Answer in JSON\n\n"
                    "Examples:\n"
                    "  stable feed Bella -n2\n"
                    "      Two buckets for Bella\n");
}

static void the_list_names_each_group_once(void)
{
    g_autofree char *text = ostler_help_program(&stable);

    g_assert_nonnull(strstr(text, "\nDaily:\n  feed HORSE [FODDER...]    Feed a horse\n"
                                  "  groom                     Brush a horse\n"
                                  "\nMonthly:\n  shoe "));
}

static void the_cursor_decides_what_is_offered(void)
{
    static const struct {
        const char *line;
        const char *answer;
    } rows[] = {
        { "", "feed\tFeed a horse\ngroom\tBrush a horse\nshoe\tCall the smith\n" },
        { "g", "groom\tBrush a horse\n" },
        { "xyzzy|",
          "feed\tFeed a horse\ngroom\tBrush a horse\nshoe\tCall the smith\n" },
        { "feed|", "Bella\tin the stable\nBlack Beauty\tout\n" },
        { "feed|Bl", "Black Beauty\tout\n" },
        { "feed|Bella|", "Black Beauty\tout\n" },
        { "feed|--amount|", "" },
        { "feed|-n|", "" },
        { "feed|-n|2|B", "Bella\tin the stable\nBlack Beauty\tout\n" },
        { "feed|--from|Be", "Bella\tin the stable\n" },
        { "feed|--from=Be", "--from=Bella\tin the stable\n" },
        { "feed|--wait|Be", "Bella\tin the stable\n" },
        { "feed|--list|", ":files\n" },
        { "feed|--list=", ":files\n" },
        { "feed|--a", "--amount=\tHow much\n" },
        { "feed|--j", "--json\tAnswer in JSON\n" },
        { "--j", "--json\tAnswer in JSON\n" },
        { "feed|--|--", "" },
        { "groom|", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) words = g_strsplit(rows[i].line, "|", -1);
        const char *const none[] = { "", NULL };
        g_autofree char *answer =
            ostler_complete(&stable, words[0] ? (const char *const *)words : none);
        g_assert_cmpstr(answer, ==, rows[i].answer);
    }
}

static void roff_shows_what_was_written(void)
{
    g_autofree char *dot = ostler_roff_escape(".profile's ~/a-b\\c^");

    g_assert_cmpstr(dot, ==, "\\&.profile\\(aqs \\(ti/a\\-b\\ec\\(ha");
}

static void the_manual_has_every_row(void)
{
    g_autofree char *page = ostler_manual_page(&stable, "1.0", ".SH TAIL\nThe end.\n");
    static const char *const parts[] = {
        ".TH STABLE 1 \"\" \"stable 1.0\" \"User Commands\"\n",
        ".SH DAILY\n.SS feed HORSE [FODDER...]\n",
        ".TP\n\\fB\\-\\-wait[=SECONDS]\\fR\nUntil it is eaten.\n",
        ".SH MONTHLY\n.SS shoe\n",
        "stable feed Bella \\-n2\n",
        ".SH TAIL\nThe end.\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_assert_nonnull(strstr(page, parts[i]));
    }
}

#define TEST(name) g_test_add_func("/shell/" #name, name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(options_stand_anywhere);
    TEST(an_optional_value_needs_its_equals_sign);
    TEST(lists_keep_their_order);
    TEST(a_wrong_word_is_told_with_the_nearest_right_one);
    TEST(help_needs_no_arguments);
    TEST(help_tells_all_that_a_row_has);
    TEST(the_list_names_each_group_once);
    TEST(the_cursor_decides_what_is_offered);
    TEST(roff_shows_what_was_written);
    TEST(the_manual_has_every_row);
    return g_test_run();
}
