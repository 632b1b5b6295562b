/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/console.h"

#include <cpc/glib.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A pseudo-terminal in the place of standard input and output; its other end. */
static int set_up_terminal(int saved[2])
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    g_assert_cmpint(grantpt(master), ==, 0);
    g_assert_cmpint(unlockpt(master), ==, 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    fflush(stdout);
    for (int fd = 0; fd < 2; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        dup2(slave, fd);
    }
    close(slave);
    return master;
}

static void tear_down_terminal(int master, int saved[2])
{
    for (int fd = 0; fd < 2; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    close(master);
}

static void coroutine_fn type_and_read(void *opaque)
{
    int saved[2];
    char buffer[16];
    struct termios before, after;
    int master = set_up_terminal(saved);

    g_assert_cmpint(tcgetattr(0, &before), ==, 0);
    OstlerConsole *console = ostler_console_open(NULL);
    g_assert_true(ostler_console_is_terminal(0));

    /* Ctrl-C is a key like any other, and nothing waits for a newline. */
    g_assert_cmpint(write(master, "a\3", 2), ==, 2);
    gssize n = ostler_console_read(console, buffer, sizeof(buffer), NULL);
    if (n == 1) {
        n += ostler_console_read(console, buffer + 1, sizeof(buffer) - 1, NULL);
    }
    g_assert_cmpint(n, ==, 2);
    g_assert_cmpint(memcmp(buffer, "a\3", 2), ==, 0);

    g_assert_true(ostler_console_write(console, "out\n", 4, NULL));
    g_assert_cmpint(read(master, buffer, sizeof(buffer)), ==, 4); /* no echo, no \r */
    ostler_console_free(console);
    g_assert_cmpint(tcgetattr(0, &after), ==, 0);
    tear_down_terminal(master, saved);
    g_assert_cmpuint(after.c_lflag, ==, before.c_lflag);
    g_assert_cmpuint(after.c_iflag, ==, before.c_iflag);
}

static void a_terminal_is_raw_while_it_is_a_console(void)
{
    cpc_run(type_and_read, NULL);
}

typedef struct {
    OstlerConsole *console;
    CoEvent has_ended;
} Reader;

static void coroutine_fn read_to_the_end(void *opaque)
{
    Reader *reader = opaque;
    char byte;

    g_assert_cmpint(ostler_console_read(reader->console, &byte, 1, NULL), ==, 0);
    cpc_event_set(&reader->has_ended);
}

static void coroutine_fn free_under_a_reader(void *opaque)
{
    int saved[2];
    int master = set_up_terminal(saved);
    Reader reader = { .console = ostler_console_open(NULL) };

    cpc_spawn(read_to_the_end, &reader);
    ostler_console_free(reader.console);
    g_assert_true(cpc_event_wait(&reader.has_ended, 10000));
    tear_down_terminal(master, saved);
}

static void freeing_wakes_the_reader(void)
{
    cpc_run(free_under_a_reader, NULL);
}

static void coroutine_fn read_a_pipe(void *opaque)
{
    int pipe_fds[2];
    char buffer[8];
    int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);

    g_assert_cmpint(pipe2(pipe_fds, O_CLOEXEC), ==, 0);
    dup2(pipe_fds[0], 0);
    g_assert_cmpint(write(pipe_fds[1], "hi", 2), ==, 2);
    close(pipe_fds[1]);
    g_autoptr(OstlerConsole) console = ostler_console_open(NULL);
    g_assert_cmpint(ostler_console_read(console, buffer, sizeof(buffer), NULL), ==, 2);
    g_assert_cmpint(ostler_console_read(console, buffer, sizeof(buffer), NULL), ==, 0);
    dup2(saved, 0);
    close(saved);
    close(pipe_fds[0]);
}

static void a_pipe_is_read_to_its_end(void)
{
    cpc_run(read_a_pipe, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console/a-terminal-is-raw-while-it-is-a-console",
                    a_terminal_is_raw_while_it_is_a_console);
    g_test_add_func("/console/freeing-wakes-the-reader", freeing_wakes_the_reader);
    g_test_add_func("/console/a-pipe-is-read-to-its-end", a_pipe_is_read_to_its_end);
    return g_test_run();
}
