/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edit.c - change a definition in the person's own editor
 *
 * What somebody typed is never lost: the draft is removed only once it is stored, or was
 * not changed, or its author says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "platform/console.h"

static const char *find_editor(void)
{
    static const char *const variables[] = { "VISUAL", "EDITOR" };

    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
        const char *editor = g_getenv(variables[i]);
        if (editor && *editor) {
            return editor;
        }
    }
    g_autofree char *debian = g_find_program_in_path("editor");
    return debian ? "editor" : "vi";
}

/* $EDITOR may be a command with arguments, which is a shell's to take apart. */
static bool run_editor(const Cli *cli, const char *draft)
{
    const char *editor = find_editor();
    g_autofree char *command = g_strconcat(editor, " \"$1\"", NULL);
    const char *argv[] = { "/bin/sh", "-c", command, "sh", draft, NULL };
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL,
                      NULL, NULL, NULL, &status, &error) ||
        !g_spawn_check_wait_status(status, &error)) {
        cli_fail_with(cli, OSTLER_ERROR_FAILED,
                      "The editor '%s' failed: %s; nothing was changed", editor,
                      error->message);
        return false;
    }
    return true;
}

/* The text in a new file that only its author can read; the path, or NULL. */
static char *write_draft(const Cli *cli, const char *text)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    /* The ending lets editors know what it is. */
    int fd = g_file_open_tmp("ostler-edit-XXXXXX.guest", &path, &error);

    if (fd < 0 || !g_close(fd, &error) ||
        !g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600,
                                  &error)) {
        cli_fail_with(cli, OSTLER_ERROR_FAILED, "Cannot write a draft: %s",
                      error->message);
        g_clear_pointer(&path, g_free);
    }
    return path;
}

/* The answer's first letter, or @otherwise for an empty line or the end. */
static char ask(const char *question, char otherwise)
{
    char line[64];

    fprintf(stderr, "%s ", question);
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin) || line[0] == '\n') {
        return otherwise;
    }
    return g_ascii_tolower(line[0]);
}

typedef enum { AGAIN, KEPT, DROPPED } Choice;

/* A wrong draft: try again, keep it for later, or drop it. */
static Choice ask_what_now(const Cli *cli, const char *draft)
{
    if (ostler_console_is_terminal(0)) {
        char answer =
            ask("Edit it again (y), keep the draft (n) or throw it away (d)? [y]", 'y');
        if (answer == 'd') {
            g_unlink(draft);
            return DROPPED;
        }
        if (answer != 'n') {
            return AGAIN;
        }
    }
    g_autofree char *quoted = cli_quoted(draft);
    cli_warn(cli, "The draft is kept; once it is right: ostler define %s", quoted);
    return KEPT;
}

/* Store what is in the draft.  The exit code, or -1 for another round. */
static int store_draft(const Cli *cli, OstlerGuest *guest, const char *draft,
                       const char *before)
{
    const char *name = ostler_guest_name(guest);
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;
    g_autoptr(OstlerError) error = NULL;

    if (!g_file_get_contents(draft, &text, NULL, &why)) {
        return cli_fail_with(cli, OSTLER_ERROR_FAILED, "The draft is gone: %s",
                             why->message);
    }
    if (strcmp(text, before) == 0) {
        g_unlink(draft);
        cli_say(cli, "Guest '%s' was not changed", name);
        return 0;
    }

    /* Named so, messages read "web:7:", and relative paths start where the person is. */
    g_autoptr(OstlerGuest) edited = ostler_host_define(cli->host, text, name, &error);
    if (!edited) {
        int code = cli_fail(cli, error);
        return ask_what_now(cli, draft) == AGAIN ? -1 : code;
    }
    g_unlink(draft);
    if (strcmp(ostler_guest_name(edited), name) == 0) {
        cli_say(cli, "Guest '%s' edited", name);
    } else {
        cli_say(cli, "Guest '%s' defined; '%s' is as it was", ostler_guest_name(edited),
                name);
    }
    return 0;
}

int cli_edit(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;

    if (!guest) {
        return code;
    }
    char *before =
        ostler_guest_definition(guest, OSTLER_DEFINITION_TEXT, false, &error);
    if (!before) {
        return cli_fail(cli, error);
    }
    g_autofree char *draft = write_draft(cli, before);
    code = draft ? -1 : OSTLER_ERROR_FAILED;
    while (code == -1) {
        code = run_editor(cli, draft) ? store_draft(cli, guest, draft, before)
                                      : OSTLER_ERROR_FAILED;
    }
    if (code == 0 && cli->is_json) {
        cli_print_json(
            ostler_json_object("name", cli_json_text(ostler_guest_name(guest)), NULL));
    }
    ostler_free(before);
    return code;
}
