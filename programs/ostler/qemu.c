/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "guest/machines/table.h"
#include "platform/console.h"

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

/* @text of libostler's, parsed; NULL after saying what failed. */
static json_object *parse_answer(const Cli *cli, char *text, const OstlerError *error,
                                 int *out_code)
{
    g_autoptr(GError) why = NULL;
    json_object *answer = text ? ostler_json_parse(text, strlen(text), &why) : NULL;

    ostler_free(text);
    if (!answer) {
        *out_code = error ? cli_fail(cli, error)
                          : cli_fail_with(cli, OSTLER_ERROR_FAILED, "%s", why->message);
    }
    return answer;
}

static bool has_emulator(const char *arch)
{
    g_autofree char *name = g_strconcat("qemu-system-", arch, NULL);
    g_autofree char *path = g_find_program_in_path(name);

    return path != NULL;
}

/* The rows of the table, or with @only_names the names, of one architecture. */
static json_object *ask_machines(const Cli *cli, const char *arch, const char *emulator,
                                 bool only_names, int *out_code)
{
    g_autoptr(OstlerError) error = NULL;
    char *text = only_names
                     ? ostler_host_machines(cli->host, arch, NULL, emulator, &error)
                     : ostler_host_machine_table(cli->host, arch, emulator, &error);

    return parse_answer(cli, text, error, out_code);
}

/* The same of each architecture that has an emulator here, one after another. */
static json_object *ask_all_machines(const Cli *cli, bool only_names, int *out_code)
{
    json_object *all = json_object_new_array();

    for (size_t i = 0; i < G_N_ELEMENTS(archs); i++) {
        g_autoptr(json_object) some = NULL;
        if (has_emulator(archs[i]) &&
            !(some = ask_machines(cli, archs[i], NULL, only_names, out_code))) {
            json_object_put(all);
            return NULL;
        }
        for (size_t j = 0; some && j < json_object_array_length(some); j++) {
            json_object *row = json_object_array_get_idx(some, j);
            json_object_array_add(all, json_object_get(row));
        }
    }
    return all;
}

static void print_machines(const OstlerInvocation *invocation, json_object *rows)
{
    if (ostler_invocation_has(invocation, "name")) {
        for (size_t i = 0; i < json_object_array_length(rows); i++) {
            printf("%s\n", json_object_get_string(json_object_array_get_idx(rows, i)));
        }
        return;
    }
    g_autofree char *text = ostler_invocation_has(invocation, "markdown")
                                ? ostler_machine_table_markdown(rows)
                                : ostler_machine_table_text(rows);
    fputs(text, stdout);
}

static int list_machines(const OstlerInvocation *invocation, const Cli *cli)
{
    const char *arch = ostler_invocation_value(invocation, "arch");
    const char *emulator = ostler_invocation_value(invocation, "emulator");
    bool only_names = ostler_invocation_has(invocation, "name");
    int code = 0;

    if (!only_names && ostler_console_is_terminal(2)) {
        cli_warn(cli, "Asking QEMU about each machine; only the first time takes long");
    }
    json_object *rows = arch ? ask_machines(cli, arch, emulator, only_names, &code)
                             : ask_all_machines(cli, only_names, &code);
    if (!rows) {
        return code;
    }
    if (cli->is_json) {
        cli_print_json(rows);
        return 0;
    }
    print_machines(invocation, rows);
    json_object_put(rows);
    return 0;
}

int cli_machines(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *machine = ostler_invocation_argument(invocation, "MACHINE");
    const char *arch = ostler_invocation_value(invocation, "arch");
    const char *emulator = ostler_invocation_value(invocation, "emulator");
    g_autoptr(OstlerError) error = NULL;
    int code = 0;

    if (!machine) {
        return list_machines(invocation, cli);
    }
    char *text = ostler_host_machines(cli->host, arch ? arch : archs[0], machine,
                                      emulator, &error);
    g_autoptr(json_object) description = parse_answer(cli, text, error, &code);
    if (description) {
        int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
        flags |= cli->is_json ? JSON_C_TO_STRING_PLAIN
                              : JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
        printf("%s\n", json_object_to_json_string_ext(description, flags));
    }
    return code;
}
