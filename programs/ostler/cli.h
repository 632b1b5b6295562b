/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h - what the commands of ostler have in common
 *
 * A command is a function that talks to libostler and answers with an exit code.  With
 * --json, standard output carries one JSON value and nothing else; otherwise what it
 * prints is for people, and may change.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>
#include <ostler/ostler.h>

#include "shell/complete.h"
#include "shell/invocation.h"
#include "json/json.h"

#define EXIT_USAGE 2

typedef struct {
    OstlerHost *host;
    bool is_json;
} Cli;

extern const OstlerProgram cli_program;

/* ---- commands, by file ---- */

OstlerCommandFunc cli_list, cli_dominfo, cli_domstate, cli_domifaddr, cli_log,
    cli_event; /* facts.c */
OstlerCommandFunc cli_start, cli_shutdown, cli_reboot, cli_reset, cli_destroy,
    cli_suspend, cli_resume;   /* lifecycle.c */
OstlerCommandFunc cli_run;     /* run.c */
OstlerCommandFunc cli_console; /* console.c */
OstlerCommandFunc cli_define, cli_undefine, cli_dump, cli_import, cli_autostart;
/* definitions.c */
OstlerCommandFunc cli_attach_share, cli_detach_share, cli_share_set,
    cli_share_list;                                            /* shares.c */
OstlerCommandFunc cli_edit;                                    /* edit.c */
OstlerCommandFunc cli_monitor_command, cli_plan, cli_machines; /* qemu.c */
OstlerCommandFunc cli_nested;                                  /* nested.c */
OstlerCommandFunc cli_help, cli_version;                       /* help.c */

/* ---- completers: completers.c ---- */

OstlerCompleteFunc cli_complete_guest, cli_complete_active, cli_complete_inactive,
    cli_complete_running, cli_complete_paused, cli_complete_arch, cli_complete_machine,
    cli_complete_state, cli_complete_log, cli_complete_nic, cli_complete_nested,
    cli_complete_share, cli_complete_share_setting;

/* ---- helpers: output.c ---- */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerError, ostler_error_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerHost, ostler_host_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerGuest, ostler_guest_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerGuestList, ostler_guest_list_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerGuestInfo, ostler_guest_info_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerGuestNet, ostler_guest_net_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerGuestShares, ostler_guest_shares_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerImport, ostler_import_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerEvents, ostler_events_free)

/* Say what went wrong and return the exit code. */
int cli_fail(const Cli *cli, const OstlerError *error);
int cli_fail_with(const Cli *cli, int code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* A line on what was done; nothing with --json. */
void cli_say(const Cli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A line on standard error, whatever the format. */
void cli_warn(const Cli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Print @notes as warnings and free them; NULL is fine. */
void cli_warn_notes(const Cli *cli, char **notes);
/* Print @value on one line and drop it. */
void cli_print_json(json_object *value);
/* {"name": ..., "state": ...} of @guest as it is now, with --json only. */
void cli_print_state(const Cli *cli, OstlerGuest *guest);

bool cli_has_colour(int fd);
/* The SGR parameters that a state is shown in, or NULL. */
const char *cli_state_colour(const char *state);

/* A JSON string, or null for NULL. */
json_object *cli_json_text(const char *text);
/* An RFC 3339 time, or null for 0. */
json_object *cli_json_time(int64_t microseconds);
/* "5 s", "3 min", "2 h", "4 days"; caller frees. */
char *cli_duration(int64_t microseconds);
/* @name as a shell would need it written; caller frees. */
char *cli_quoted(const char *name);

/* The guest that the argument GUEST names; NULL after saying why, with @out_code set. */
OstlerGuest *cli_guest(const Cli *cli, const OstlerInvocation *invocation,
                       int *out_code);
/*
 * The seconds given to @option as milliseconds: @without if the option is not there,
 * -1 (for ever) if it has no value.  False after saying that it is no number.
 */
bool cli_timeout(const Cli *cli, const OstlerInvocation *invocation, const char *option,
                 int without, int *out_ms);

/*
 * Attach this terminal until the guest ends or the person leaves; with @ends_with_input
 * also until standard input, if it is no terminal, ends: console.c.
 */
int cli_attach(const Cli *cli, OstlerGuest *guest, bool ends_with_input);
