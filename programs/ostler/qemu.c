/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "cli.h"

/* ---- qemu-monitor-command ---- */

/* "query-status" and {"execute": "query-status"} are the same; --hmp is QEMU's own
 * human-monitor-command.  Caller frees. */
static char *qmp_command(const OstlerInvocation *invocation)
{
    const char *const *words = ostler_invocation_arguments(invocation, "COMMAND");
    g_autofree char *line = g_strjoinv(" ", (char **)words);

    if (ostler_invocation_has(invocation, "hmp")) {
        g_autoptr(json_object) command = ostler_json_object(
            "execute", cli_json_text("human-monitor-command"), "arguments",
            ostler_json_object("command-line", cli_json_text(line), NULL), NULL);
        return ostler_json_text(command);
    }
    if (strchr(line, '{')) {
        return g_steal_pointer(&line);
    }
    g_autoptr(json_object) command =
        ostler_json_object("execute", cli_json_text(line), NULL);
    return ostler_json_text(command);
}

static void print_answer(const OstlerInvocation *invocation, json_object *answer)
{
    const char *text = ostler_json_find_string(answer, "return");

    if (ostler_invocation_has(invocation, "hmp") && text) {
        fputs(text, stdout);
    } else if (ostler_invocation_has(invocation, "pretty")) {
        printf("%s\n", json_object_to_json_string_ext(
                           answer, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                       JSON_C_TO_STRING_NOSLASHESCAPE));
    } else {
        g_autofree char *line = ostler_json_text(answer);
        printf("%s\n", line);
    }
}

int cli_monitor_command(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    g_autofree char *command = qmp_command(invocation);
    g_autoptr(OstlerError) error = NULL;
    int timeout_ms;
    int code = 0;

    if (!cli_timeout(cli, invocation, "timeout", -1, &timeout_ms)) {
        return EXIT_USAGE;
    }
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    if (!guest) {
        return code;
    }
    char *text = ostler_guest_qmp(guest, command, timeout_ms, &error);
    if (!text) {
        return cli_fail(cli, error);
    }
    g_autoptr(GError) why = NULL;
    g_autoptr(json_object) answer = ostler_json_parse(text, strlen(text), &why);
    ostler_free(text);
    if (!answer) {
        return cli_fail_with(cli, OSTLER_ERROR_FAILED, "QEMU's answer is no JSON: %s",
                             why->message);
    }
    print_answer(invocation, answer);
    return ostler_json_find(answer, "error") ? OSTLER_ERROR_FAILED : 0;
}

/* ---- plan ---- */

int cli_plan(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;
    char **notes = NULL;
    char **argv = guest ? ostler_guest_plan(guest, &notes, &error) : NULL;

    if (!guest) {
        return code;
    }
    cli_warn_notes(cli, notes);
    if (!argv) {
        return cli_fail(cli, error);
    }
    if (cli->is_json) {
        json_object *array = json_object_new_array();
        for (char **word = argv; *word; word++) {
            json_object_array_add(array, cli_json_text(*word));
        }
        cli_print_json(array);
    } else {
        for (char **word = argv; *word; word++) {
            g_autofree char *quoted = g_shell_quote(*word);
            bool is_plain =
                (*word)[0] && !strpbrk(*word, " \t\n'\"\\$`*?[](){}<>|&;!~#");
            bool is_value = word > argv && (*word)[0] != '-';
            printf("%s%s",
                   word == argv ? ""
                   : is_value   ? " "
                                : " \\\n  ",
                   is_plain ? *word : quoted);
        }
        printf("\n");
    }
    ostler_strings_free(argv);
    return 0;
}

/* ---- machines ---- */

static const char *const archs[] = { "x86_64", "aarch64", "arm", "riscv64" };

/* What libostler says, parsed; NULL after saying what failed. */
static json_object *ask_machines(const Cli *cli, const char *arch, const char *machine,
                                 const char *emulator, int *out_code)
{
    g_autoptr(OstlerError) error = NULL;
    char *text = ostler_host_machines(cli->host, arch, machine, emulator, &error);
    if (!text) {
        *out_code = cli_fail(cli, error);
        return NULL;
    }

    g_autoptr(GError) why = NULL;
    json_object *answer = ostler_json_parse(text, strlen(text), &why);
    ostler_free(text);
    if (!answer) {
        *out_code = cli_fail_with(cli, OSTLER_ERROR_FAILED, "%s", why->message);
    }
    return answer;
}

static bool has_emulator(const char *arch)
{
    g_autofree char *name = g_strconcat("qemu-system-", arch, NULL);
    g_autofree char *path = g_find_program_in_path(name);

    return path != NULL;
}

/* The machines of one architecture, or of each that has an emulator here. */
static int list_machines(const Cli *cli, const char *arch, const char *emulator)
{
    g_autoptr(json_object) all = json_object_new_object();
    int code = 0;

    for (size_t i = 0; i < (arch ? 1 : G_N_ELEMENTS(archs)); i++) {
        const char *one = arch ? arch : archs[i];
        if (!arch && !has_emulator(one)) {
            continue;
        }
        json_object *names = ask_machines(cli, one, NULL, emulator, &code);
        if (!names) {
            return code;
        }
        json_object_object_add(all, one, names);
    }
    if (cli->is_json) {
        cli_print_json(json_object_get(all));
        return 0;
    }

    static const char *const headings[] = { "Architecture", "Machine", NULL };
    g_autoptr(OstlerTable) table = ostler_table_new(headings);
    json_object_object_foreach(all, key, names)
    {
        for (size_t i = 0; i < json_object_array_length(names); i++) {
            json_object *name = json_object_array_get_idx(names, i);
            ostler_table_add(
                table, (const char *const[]){ key, json_object_get_string(name) });
        }
    }
    g_autofree char *text = ostler_table_text(table);
    fputs(text, stdout);
    return 0;
}

int cli_machines(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *machine = ostler_invocation_argument(invocation, "MACHINE");
    const char *arch = ostler_invocation_value(invocation, "arch");
    const char *emulator = ostler_invocation_value(invocation, "emulator");
    int code = 0;

    if (!machine) {
        return list_machines(cli, arch, emulator);
    }
    json_object *description =
        ask_machines(cli, arch ? arch : archs[0], machine, emulator, &code);
    if (!description) {
        return code;
    }
    if (cli->is_json) {
        cli_print_json(description);
        return 0;
    }
    printf("%s\n", json_object_to_json_string_ext(
                       description, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                        JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(description);
    return 0;
}
