/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "cli.h"
#include "platform/console.h"

/* https://no-color.org: set and not empty. */
bool cli_has_colour(int fd)
{
    const char *no_color = g_getenv("NO_COLOR");
    bool is_refused = no_color && *no_color;

    return !is_refused && g_strcmp0(g_getenv("TERM"), "dumb") != 0 &&
           ostler_console_is_terminal(fd);
}

const char *cli_state_colour(const char *state)
{
    static const struct {
        OstlerState state;
        const char *colour;
    } colours[] = {
        { OSTLER_STATE_STARTING, "36" }, { OSTLER_STATE_RUNNING, "32" },
        { OSTLER_STATE_PAUSED, "33" },   { OSTLER_STATE_IN_SHUTDOWN, "33" },
        { OSTLER_STATE_CRASHED, "31" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(colours); i++) {
        if (strcmp(ostler_state_text(colours[i].state), state) == 0) {
            return colours[i].colour;
        }
    }
    return NULL;
}

/* Messages may quote a file or a guest; each of their lines is made printable. */
static void print_lines(FILE *to, const char *prefix, const char *message)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_autofree char *printable = ostler_printable(*line);
        fprintf(to, "%s%s\n", line == lines ? prefix : "", printable);
    }
}

static int say_failure(const Cli *cli, int code, const char *message)
{
    if (cli->is_json) {
        g_autoptr(json_object) object = ostler_json_object(
            "error",
            ostler_json_object("code", json_object_new_int(code), "message",
                               json_object_new_string(message), NULL),
            NULL);
        g_autofree char *text = ostler_json_text(object);
        fprintf(stderr, "%s\n", text);
        return code;
    }
    print_lines(stderr,
                cli_has_colour(2) ? "\x1b[31merror:\x1b[0m " : "error: ", message);
    return code;
}

int cli_fail(const Cli *cli, const OstlerError *error)
{
    return say_failure(cli, ostler_error_code(error), ostler_error_message(error));
}

int cli_fail_with(const Cli *cli, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    return say_failure(cli, code, message);
}

void cli_say(const Cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    if (!cli->is_json) {
        print_lines(stdout, "", message);
        fflush(stdout);
    }
}

void cli_warn(const Cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    print_lines(stderr, "", message);
}

void cli_warn_notes(const Cli *cli, char **notes)
{
    for (char **note = notes; note && *note; note++) {
        cli_warn(cli, "note: %s", *note);
    }
    ostler_strings_free(notes);
}

void cli_print_json(json_object *value)
{
    g_autofree char *text = ostler_json_text(value);

    printf("%s\n", text);
    json_object_put(value);
}

void cli_print_state(const Cli *cli, OstlerGuest *guest)
{
    OstlerState state;

    if (cli->is_json) {
        bool is_known = ostler_guest_state(guest, &state, NULL, NULL);
        cli_print_json(ostler_json_object(
            "name", cli_json_text(ostler_guest_name(guest)), "state",
            cli_json_text(is_known ? ostler_state_text(state) : NULL), NULL));
    }
}

json_object *cli_json_text(const char *text)
{
    return text ? json_object_new_string(text) : NULL;
}

json_object *cli_json_time(int64_t microseconds)
{
    if (microseconds == 0) {
        return NULL;
    }
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(microseconds / 1000000);
    g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    return json_object_new_string(text);
}

char *cli_duration(int64_t microseconds)
{
    int64_t seconds = MAX(microseconds, 0) / 1000000;

    if (seconds < 120) {
        return g_strdup_printf("%d s", (int)seconds);
    }
    if (seconds < 120 * 60) {
        return g_strdup_printf("%d min", (int)(seconds / 60));
    }
    if (seconds < 48 * 3600) {
        return g_strdup_printf("%d h", (int)(seconds / 3600));
    }
    return g_strdup_printf("%d days", (int)(seconds / 86400));
}

char *cli_quoted(const char *name)
{
    static const char plain[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_.";

    return name[strspn(name, plain)] == '\0' ? g_strdup(name) : g_shell_quote(name);
}

OstlerGuest *cli_guest(const Cli *cli, const OstlerInvocation *invocation,
                       int *out_code)
{
    g_autoptr(OstlerError) error = NULL;
    OstlerGuest *guest = ostler_host_find(
        cli->host, ostler_invocation_argument(invocation, "GUEST"), &error);

    if (!guest) {
        *out_code = cli_fail(cli, error);
    }
    return guest;
}

bool cli_timeout(const Cli *cli, const OstlerInvocation *invocation, const char *option,
                 int without, int *out_ms)
{
    const char *value = ostler_invocation_value(invocation, option);

    if (!value) {
        *out_ms = ostler_invocation_has(invocation, option) ? -1 : without;
        return true;
    }
    char *end;
    double seconds = g_ascii_strtod(value, &end);
    if (end == value || *end || !(seconds >= 0) || seconds > G_MAXINT / 1000) {
        cli_fail_with(cli, EXIT_USAGE, "'--%s=%s' is no number of seconds", option,
                      value);
        return false;
    }
    *out_ms = (int)ceil(seconds * 1000);
    return true;
}
