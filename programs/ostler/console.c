/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.c - the guest's serial console on this terminal
 *
 * Two coroutines copy, one each way, until the guest ends, the person presses Ctrl-], or
 * the terminal goes away.  Each says when it is through; the session frees what they
 * read from, which makes a read that still waits answer, and then waits for both.
 *
 * Without a terminal Ctrl-] is a byte as any other.  The end of input ends 'console', once
 * what the guest has written by then was shown: the keeper is told that we type no more
 * and answers with its end.  It does not end 'run', which shows the guest's output to its
 * end: 'ostler run disk.qcow2 </dev/null'.
 */
#include <cpc/glib.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "platform/channel.h"
#include "platform/console.h"
#include "platform/signals.h"

#define LEAVE       0x1d /* Ctrl-], telnet's and virsh's */
#define BUFFER_SIZE 4096

typedef enum { ATTACHED, GUEST_ENDED, LEFT, FAILED } Outcome;

typedef struct {
    OstlerConsole *terminal;
    OstlerChannel *guest;
    bool is_terminal;
    bool ends_with_input;
    Outcome outcome;
    unsigned n_copying;
    CoEvent decided;  /* outcome is no longer ATTACHED */
    CoEvent finished; /* a copier has returned */
    GError *error;
} Session;

static void decide(Session *session, Outcome outcome)
{
    if (session->outcome == ATTACHED) {
        session->outcome = outcome;
        cpc_event_set(&session->decided);
    }
}

static void coroutine_fn copy_from_guest(void *opaque)
{
    Session *session = opaque;
    char buffer[BUFFER_SIZE];
    gssize n;

    while ((n = ostler_channel_read(session->guest, buffer, sizeof buffer, NULL)) > 0) {
        if (!ostler_console_write(session->terminal, buffer, (size_t)n,
                                  &session->error)) {
            decide(session, FAILED);
            break;
        }
    }
    decide(session, GUEST_ENDED);
    session->n_copying--;
    cpc_event_set(&session->finished);
}

/* How many bytes of @buffer come before the key that leaves. */
static size_t before_leave(const Session *session, const char *buffer, size_t size)
{
    const char *leave = session->is_terminal ? memchr(buffer, LEAVE, size) : NULL;

    return leave ? (size_t)(leave - buffer) : size;
}

static void coroutine_fn copy_to_guest(void *opaque)
{
    Session *session = opaque;
    char buffer[BUFFER_SIZE];
    gssize n;

    while ((n = ostler_console_read(session->terminal, buffer, sizeof buffer, NULL)) >
           0) {
        size_t size = before_leave(session, buffer, (size_t)n);
        if (size > 0 && !ostler_channel_write(session->guest, buffer, size, NULL)) {
            break; /* the guest is gone, as the other copier is about to find */
        }
        if (size < (size_t)n) {
            decide(session, LEFT);
            break;
        }
    }
    if (session->is_terminal && n <= 0) {
        decide(session, LEFT); /* the terminal was closed */
    } else if (session->ends_with_input && n <= 0) {
        ostler_channel_end_writing(session->guest);
    }
    session->n_copying--;
    cpc_event_set(&session->finished);
}

static void leave_on_signal(OstlerSignal signal, void *opaque)
{
    decide(opaque, LEFT);
}

static void coroutine_fn converse(void *opaque)
{
    Session *session = opaque;

    session->n_copying = 2;
    cpc_spawn(copy_from_guest, session);
    cpc_spawn(copy_to_guest, session);
    cpc_event_wait(&session->decided, -1);

    ostler_channel_close(session->guest);
    g_clear_pointer(&session->terminal, ostler_console_free);
    while (session->n_copying > 0) {
        cpc_event_wait(&session->finished, -1);
    }
}

static void greet(const Cli *cli, const OstlerGuest *guest, bool is_terminal)
{
    if (is_terminal) {
        cli_warn(cli, "Connected to guest '%s'; Ctrl-] leaves it running",
                 ostler_guest_name(guest));
    }
}

static int part(const Cli *cli, const OstlerGuest *guest, const Session *session)
{
    const char *name = ostler_guest_name(guest);
    g_autofree char *quoted = cli_quoted(name);

    if (session->outcome == FAILED) {
        return cli_fail_with(cli, OSTLER_ERROR_FAILED, "Left guest '%s': %s", name,
                             session->error->message);
    }
    if (!session->is_terminal) {
        return 0;
    }
    if (session->outcome == LEFT) {
        cli_warn(cli, "\nGuest '%s' runs on; to come back: ostler console %s", name,
                 quoted);
    } else {
        cli_warn(cli, "\nGuest '%s' has ended", name);
    }
    return 0;
}

int cli_attach(const Cli *cli, OstlerGuest *guest, bool ends_with_input)
{
    Session session = {
        .is_terminal = ostler_console_is_terminal(0),
        .ends_with_input = ends_with_input,
    };
    g_autoptr(OstlerError) error = NULL;
    g_autoptr(GError) why = NULL;
    int fd = ostler_guest_console(guest, true, &error);

    if (fd < 0) {
        return cli_fail(cli, error);
    }
    greet(cli, guest, session.is_terminal);
    session.guest = ostler_channel_new_fd(fd);
    session.terminal = ostler_console_open(&why);
    g_autoptr(OstlerSignals) signals =
        session.terminal
            ? ostler_signals_watch(OSTLER_SIGNAL_TERMINATE | OSTLER_SIGNAL_HANGUP |
                                       OSTLER_SIGNAL_INTERRUPT,
                                   leave_on_signal, &session, &why)
            : NULL;
    ostler_signals_ignore_broken_pipes();

    int code;
    if (signals) {
        cpc_run(converse, &session);
        code = part(cli, guest, &session);
    } else {
        code = cli_fail_with(cli, OSTLER_ERROR_FAILED, "Cannot use this terminal: %s",
                             why->message);
    }
    ostler_console_free(session.terminal);
    ostler_channel_free(session.guest);
    g_clear_error(&session.error);
    return code;
}

int cli_console(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);

    return guest ? cli_attach(cli, guest, true) : code;
}
