/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nested.c - can this host be trusted with guests that have guests?
 *
 * ostler-nested does the work: it stands alone, and is what a developer uses.
 */
#include <string.h>

#include "cli.h"
#include "platform/programs.h"

int cli_nested(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *action = ostler_invocation_argument(invocation, "ACTION");
    g_autoptr(GError) error = NULL;
    int status;

    if (strcmp(action, "check") != 0) {
        cli_warn(cli, "'nested' has no '%s'; did you mean 'ostler nested check'?",
                 action);
        return EXIT_USAGE;
    }
    g_autofree char *program = ostler_programs_find("ostler-nested", &error);
    if (!program) {
        return cli_fail_with(cli, OSTLER_ERROR_FAILED, "%s", error->message);
    }
    const char *argv[] = { program, action, cli->is_json ? "--json" : NULL, NULL };
    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL,
                      NULL, NULL, NULL, &status, &error)) {
        return cli_fail_with(cli, OSTLER_ERROR_FAILED, "Cannot run '%s': %s", program,
                             error->message);
    }
    return g_spawn_check_wait_status(status, NULL) ? 0 : OSTLER_ERROR_FAILED;
}
