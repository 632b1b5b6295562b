/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "shell/help.h"

/* What shells ask: __complete WORD..., the one at the cursor last.  Not in the table,
 * since it must take words that are no options of its own. */
static int answer_completion(const char *const *words)
{
    g_autofree char *answer = ostler_complete(&cli_program, words);

    fputs(answer, stdout);
    return 0;
}

static int fail_usage(const Cli *cli, const GError *error)
{
    int code = cli_fail_with(cli, EXIT_USAGE, "%s", error->message);

    if (!cli->is_json) {
        cli_warn(cli, "%s",
                 g_error_matches(error, OSTLER_USAGE_ERROR, OSTLER_USAGE_ERROR_COMMAND)
                     ? "'ostler help' lists the commands"
                     : "'ostler COMMAND --help' explains a command");
    }
    return code;
}

static int run_command(Cli *cli, const OstlerInvocation *invocation)
{
    const OstlerCommandRow *command = ostler_invocation_command(invocation);
    g_autoptr(OstlerError) error = NULL;

    if (ostler_invocation_has(invocation, "help")) {
        g_autofree char *text = command ? ostler_help_command(&cli_program, command)
                                        : ostler_help_program(&cli_program);
        fputs(text, stdout);
        return 0;
    }
    if (ostler_invocation_has(invocation, "version")) {
        return cli_version(invocation, cli);
    }
    if (!command) {
        g_autofree char *text = ostler_help_program(&cli_program);
        fputs(text, stderr);
        return EXIT_USAGE;
    }

    cli->host = ostler_host_open(&error);
    if (!cli->host) {
        return cli_fail(cli, error);
    }
    int code = command->run(invocation, cli);
    ostler_host_free(cli->host);
    return code;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + 1;
    g_autoptr(GError) error = NULL;
    Cli cli = { .is_json = g_strv_contains(words, "--json") }; /* for a wrong line */

    setlocale(LC_ALL, "");
    if (argc > 1 && strcmp(argv[1], "__complete") == 0) {
        return answer_completion(words + 1);
    }

    g_autoptr(OstlerInvocation) invocation =
        ostler_invocation_parse(&cli_program, words, &error);
    if (!invocation) {
        return fail_usage(&cli, error);
    }
    cli.is_json = ostler_invocation_has(invocation, "json");
    int code = run_command(&cli, invocation);

    /* A full disk or a closed pipe behind standard output is a failure as well. */
    if (fflush(stdout) != 0 && code == 0) {
        code = cli_fail_with(&cli, OSTLER_ERROR_FAILED, "Cannot write the answer: %m");
    }
    return code;
}
