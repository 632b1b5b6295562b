/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "platform/autostart.h"

#define MAX_FILE_BYTES (16u << 20) /* more than any definition or domain XML */

/* All of @path, or of standard input for "-"; NULL after saying why.  Caller frees. */
static char *read_file(const Cli *cli, const char *path, size_t *out_size)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");

    if (!file) {
        cli_fail_with(cli, OSTLER_ERROR_FAILED, "Cannot open '%s': %s", path,
                      g_strerror(errno));
        return NULL;
    }
    GString *text = g_string_new(NULL);
    char buffer[16384];
    size_t n;
    while (text->len <= MAX_FILE_BYTES &&
           (n = fread(buffer, 1, sizeof buffer, file)) > 0) {
        g_string_append_len(text, buffer, (gssize)n);
    }
    int why = ferror(file) ? errno : text->len > MAX_FILE_BYTES ? EFBIG : 0;
    if (!is_stdin) {
        fclose(file);
    }
    if (why != 0) {
        cli_fail_with(cli, OSTLER_ERROR_FAILED, "Cannot read '%s': %s", path,
                      g_strerror(why));
        g_string_free(text, TRUE);
        return NULL;
    }
    *out_size = text->len;
    return g_string_free(text, FALSE);
}

/* The same, of a file that must be text: the exit code. */
static int read_text(const Cli *cli, const char *path, char **out_text)
{
    size_t size;
    char *text = read_file(cli, path, &size);

    if (text && strlen(text) != size) {
        g_free(text);
        return cli_fail_with(cli, OSTLER_ERROR_DEFINITION, "%s: Not a text file", path);
    }
    *out_text = text;
    return text ? 0 : OSTLER_ERROR_FAILED;
}

static void say_definition(const Cli *cli, const char *name)
{
    if (cli->is_json) {
        cli_print_json(ostler_json_object("name", cli_json_text(name), NULL));
    }
}

static int check_definition(const Cli *cli, const char *text, const char *file)
{
    g_autoptr(OstlerError) error = NULL;

    if (!ostler_host_check(cli->host, text, file, &error)) {
        return cli_fail(cli, error);
    }
    cli_say(cli, "%s is fine", file);
    return 0;
}

static int define(const Cli *cli, const char *text, const char *file, const char *name)
{
    g_autoptr(OstlerError) error = NULL;
    bool is_new;
    g_autoptr(OstlerGuest) guest =
        ostler_host_define_as(cli->host, text, file, name, &is_new, &error);

    if (!guest) {
        return cli_fail(cli, error);
    }
    name = ostler_guest_name(guest);
    g_autofree char *quoted = cli_quoted(name);
    if (is_new) {
        cli_say(cli, "Guest '%s' defined from %s; to start it: ostler start %s", name,
                file, quoted);
    } else {
        cli_say(cli, "Guest '%s' changed, as %s has it", name, file);
    }
    if (cli->is_json) {
        cli_print_json(ostler_json_object("name", cli_json_text(name), "new",
                                          json_object_new_boolean(is_new), NULL));
    }
    return 0;
}

int cli_define(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *path = ostler_invocation_argument(invocation, "FILE");
    const char *file = strcmp(path, "-") == 0 ? "standard input" : path;
    g_autofree char *text = NULL;
    int code = read_text(cli, path, &text);

    if (code != 0) {
        return code;
    }
    return ostler_invocation_has(invocation, "check")
               ? check_definition(cli, text, file)
               : define(cli, text, file, ostler_invocation_value(invocation, "name"));
}

int cli_undefine(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;

    if (!guest) {
        return code;
    }
    if (!ostler_guest_undefine(guest, &error)) {
        return cli_fail(cli, error);
    }
    cli_say(cli, "Guest '%s' has been undefined", ostler_guest_name(guest));
    say_definition(cli, ostler_guest_name(guest));
    return 0;
}

int cli_dump(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;

    if (!guest) {
        return code;
    }
    char *text = ostler_guest_definition(
        guest, cli->is_json ? OSTLER_DEFINITION_JSON : OSTLER_DEFINITION_TEXT,
        ostler_invocation_has(invocation, "as-started"), &error);
    if (!text) {
        return cli_fail(cli, error);
    }
    printf("%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
    ostler_free(text);
    return 0;
}

/* ---- import ---- */

static json_object *import_json(const OstlerImport *import)
{
    json_object *notes = json_object_new_array();

    for (size_t i = 0; i < ostler_import_size(import); i++) {
        const OstlerImportNote *note = ostler_import_at(import, i);
        json_object_array_add(
            notes, ostler_json_object("path", cli_json_text(note->path), "line",
                                      json_object_new_int64(note->line), "value",
                                      cli_json_text(note->value), "what",
                                      cli_json_text(note->what), "lost",
                                      json_object_new_boolean(note->is_lost), "needed",
                                      json_object_new_boolean(note->is_needed), NULL));
    }
    return ostler_json_object("definition",
                              cli_json_text(ostler_import_definition(import)), "notes",
                              notes, NULL);
}

static void warn_note(const Cli *cli, const OstlerImportNote *note, const char *file)
{
    const char *fate = note->is_lost     ? "not carried"
                       : note->is_needed ? "changed"
                                         : "not needed";

    cli_warn(cli, "%s:%u: %s: %s%s%s (%s)", file, note->line, note->path, fate,
             *note->value ? ": " : "", note->value, note->what);
}

/* What has no meaning here is counted, so that nothing is left out in silence. */
static void warn_import(const Cli *cli, const OstlerImport *import, const char *file,
                        bool is_all)
{
    size_t n_unneeded = 0;

    for (size_t i = 0; i < ostler_import_size(import); i++) {
        const OstlerImportNote *note = ostler_import_at(import, i);
        n_unneeded += !note->is_needed;
        if (note->is_needed || is_all) {
            warn_note(cli, note, file);
        }
    }
    if (n_unneeded > 0 && !is_all) {
        cli_warn(cli, "%zu more have no meaning here; --all names them", n_unneeded);
    }
}

static int define_import(const Cli *cli, const OstlerImport *import, const char *file)
{
    g_autoptr(OstlerError) error = NULL;
    g_autoptr(OstlerGuest) guest =
        ostler_host_define(cli->host, ostler_import_definition(import), file, &error);

    if (!guest) {
        return cli_fail(cli, error);
    }
    cli_say(cli, "Guest '%s' defined from %s", ostler_guest_name(guest), file);
    return 0;
}

int cli_import(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *path = ostler_invocation_argument(invocation, "FILE");
    size_t size;
    g_autofree char *xml = read_file(cli, path, &size);
    g_autoptr(OstlerError) error = NULL;
    int code = 0;

    if (!xml) {
        return OSTLER_ERROR_FAILED;
    }
    g_autoptr(OstlerImport) import =
        ostler_host_import(cli->host, xml, size, path, &error);
    if (!import) {
        return cli_fail(cli, error);
    }
    if (ostler_invocation_has(invocation, "define")) {
        code = define_import(cli, import, path);
    } else if (!cli->is_json) {
        fputs(ostler_import_definition(import), stdout);
    }
    if (cli->is_json && code == 0) {
        cli_print_json(import_json(import));
    } else if (!cli->is_json) {
        fflush(stdout);
        warn_import(cli, import, path, ostler_invocation_has(invocation, "all"));
    }
    return code;
}

/* ---- autostart ---- */

int cli_autostart(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    bool is_on = !ostler_invocation_has(invocation, "disable");
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;

    if (!guest) {
        return code;
    }
    if (!ostler_guest_set_autostart(guest, is_on, &error)) {
        return cli_fail(cli, error);
    }
    if (cli->is_json) {
        cli_print_json(
            ostler_json_object("name", cli_json_text(ostler_guest_name(guest)),
                               "autostart", json_object_new_boolean(is_on), NULL));
        return 0;
    }
    g_autofree char *caveat = is_on ? ostler_autostart_caveat() : NULL;
    cli_say(cli, "Guest '%s' %s", ostler_guest_name(guest),
            is_on ? "marked as autostarted" : "unmarked as autostarted");
    if (caveat) {
        cli_warn(cli, "note: %s", caveat);
    }
    return 0;
}
