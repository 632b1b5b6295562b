/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shell/help.h"

#include <stdio.h>

#include "base/nearest.h"
#include "cli.h"

static int fail_unknown(const Cli *cli, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (const OstlerCommandRow *row = cli_program.commands; row->name; row++) {
        g_ptr_array_add(names, (char *)row->name);
    }
    g_ptr_array_add(names, NULL);
    const char *nearest = ostler_nearest(name, (const char *const *)names->pdata);
    return cli_fail_with(cli, EXIT_USAGE,
                         nearest ? "Unknown command '%s'; did you mean '%s'?"
                                 : "Unknown command '%s'",
                         name, nearest);
}

int cli_help(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *name = ostler_invocation_argument(invocation, "COMMAND");
    const OstlerCommandRow *command =
        name ? ostler_program_find(&cli_program, name) : NULL;

    if (name && !command) {
        return fail_unknown(cli, name);
    }
    g_autofree char *text = command ? ostler_help_command(&cli_program, command)
                                    : ostler_help_program(&cli_program);
    fputs(text, stdout);
    return 0;
}

int cli_version(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;

    if (cli->is_json) {
        cli_print_json(
            ostler_json_object("ostler", cli_json_text(ostler_version()), NULL));
    } else {
        printf("ostler %s\n", ostler_version());
    }
    return 0;
}
