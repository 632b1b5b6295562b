/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Standard input's open file description is shared with the shell and whoever else was
 * started on the terminal, so it must not become non-blocking: a read is made only when
 * the main loop has seen that there is something to read.
 */
#include "platform/console.h"

#include <cpc/glib.h>
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

struct OstlerConsole {
    bool is_raw;
    struct termios before;
    bool is_closed;
    CoEvent readable;
};

static OstlerConsole *console_ref(OstlerConsole *console)
{
    return g_rc_box_acquire(console);
}

bool ostler_console_is_terminal(int fd)
{
    return isatty(fd);
}

static bool make_raw(OstlerConsole *console)
{
    if (tcgetattr(STDIN_FILENO, &console->before) < 0) {
        return false;
    }

    struct termios raw = console->before;
    cfmakeraw(&raw);
    console->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    return console->is_raw;
}

OstlerConsole *ostler_console_open(GError **error)
{
    g_autoptr(OstlerConsole) console = g_rc_box_new0(OstlerConsole);

    if (isatty(STDIN_FILENO) && !make_raw(console)) {
        ostler_posix_refuse(error, "Cannot make the terminal raw");
        return NULL;
    }
    return g_steal_pointer(&console);
}

void ostler_console_free(OstlerConsole *console)
{
    if (!console) {
        return;
    }
    if (console->is_raw) {
        tcsetattr(STDIN_FILENO, TCSADRAIN, &console->before);
    }
    console->is_closed = true;
    cpc_event_set(&console->readable);
    g_rc_box_release(console);
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
    cpc_event_set(&((OstlerConsole *)data)->readable);
    return G_SOURCE_CONTINUE;
}

static void coroutine_fn wait_until_readable(OstlerConsole *console)
{
    GSource *source = g_unix_fd_source_new(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR);

    g_source_set_callback(source, G_SOURCE_FUNC(on_readable), console, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    cpc_event_wait(&console->readable, -1);
    g_source_destroy(source);
    g_source_unref(source);
}

static bool is_readable(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

    return poll(&input, 1, 0) > 0;
}

/* A terminal that hung up answers EIO: that is the end, too. */
static gssize coroutine_fn read_when_ready(OstlerConsole *console, void *buffer,
                                           size_t size)
{
    while (!console->is_closed) {
        if (!is_readable()) {
            wait_until_readable(console);
            continue;
        }
        ssize_t n = read(STDIN_FILENO, buffer, size);
        if (n >= 0) {
            return n;
        }
        if (errno != EINTR && errno != EAGAIN) {
            return errno == EIO ? 0 : -1;
        }
    }
    return 0;
}

gssize coroutine_fn ostler_console_read(OstlerConsole *console, void *buffer,
                                        size_t size, GError **error)
{
    console_ref(console);
    gssize n = read_when_ready(console, buffer, size);
    if (n < 0) {
        ostler_posix_refuse(error, "Cannot read from the terminal");
    }
    g_rc_box_release(console);
    return n;
}

bool ostler_console_write(OstlerConsole *console, const void *buffer, size_t size,
                          GError **error)
{
    const char *at = buffer;

    while (size > 0) {
        struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };
        ssize_t n = write(STDOUT_FILENO, at, size);
        if (n >= 0) {
            at += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            poll(&output, 1, -1); /* somebody else made it non-blocking */
        } else if (errno != EINTR) {
            return ostler_posix_refuse(error, "Cannot write to the terminal");
        }
    }
    return true;
}
