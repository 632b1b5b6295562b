/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-run TIMEOUT COMMAND CONSOLE... - run a shell command in a guest, by its console
 *
 * CONSOLE is unix:PATH, a socket that carries the guest's serial console, or a program
 * with its arguments that does so on its standard streams ("ostler console NAME").
 * Prints what the command printed, and exits with its status; 124 when TIMEOUT (seconds)
 * passes first, with the end of what the console said on standard error.
 *
 * Theory of operation: nobody knows whether the guest's shell is there yet, so a probe
 * is typed every second until its answer comes.  Answers are told from the echo of what
 * was typed by two quotes: typed is @@""x, printed is @@x.  The number in every marker
 * is this process's own, so that a console that replays its past cannot answer for the
 * present.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_TIMED_OUT 124
#define PROBE_EVERY_MS 1000

typedef struct {
    int fd;
    pid_t child; /* 0: a socket */
    char *heard; /* everything so far, without carriage returns and NULs */
    size_t length;
    size_t allocated;
    long deadline_ms;
} Console;

static void fail(const char *what)
{
    fprintf(stderr, "guest-run: %s: %s\n", what, strerror(errno));
    exit(2);
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

static int connect_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        fail(path);
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        fail(path);
    }
    return fd;
}

static int start_program(char **argv, pid_t *out_child)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        fail("socketpair");
    }
    pid_t child = fork();
    if (child < 0) {
        fail("fork");
    }
    if (child == 0) {
        dup2(ends[1], STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        execvp(argv[0], argv);
        fail(argv[0]);
    }
    close(ends[1]);
    *out_child = child;
    return ends[0];
}

static void type(Console *console, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t written = send(console->fd, text, left, MSG_NOSIGNAL);
        if (written < 0 && errno != EINTR) {
            fail("the console is gone");
        }
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
}

static void keep(Console *console, const char *bytes, size_t size)
{
    if (console->length + size + 1 > console->allocated) {
        console->allocated = 2 * (console->length + size + 1);
        console->heard = realloc(console->heard, console->allocated);
        if (!console->heard) {
            fail("memory");
        }
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\r' && bytes[i] != '\0') {
            console->heard[console->length++] = bytes[i];
        }
    }
    console->heard[console->length] = '\0';
}

/* Listen until @marker was heard; false when @until_ms passes or the console ends. */
static bool hear(Console *console, const char *marker, long until_ms)
{
    char bytes[4096];
    while (!console->heard || !strstr(console->heard, marker)) {
        long left_ms = until_ms - now_ms();
        struct pollfd ready = { .fd = console->fd, .events = POLLIN };
        if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) == 0) {
            return false;
        }
        ssize_t size = read(console->fd, bytes, sizeof bytes);
        if (size == 0 || (size < 0 && errno != EINTR)) {
            return false;
        }
        keep(console, bytes, size > 0 ? (size_t)size : 0);
    }
    return true;
}

static bool wait_for_shell(Console *console, int number)
{
    char probe[64], answer[64];
    snprintf(probe, sizeof probe, "\n echo @@\"\"shell-%d\n", number);
    snprintf(answer, sizeof answer, "@@shell-%d", number);
    while (now_ms() < console->deadline_ms) {
        type(console, probe);
        long until_ms = now_ms() + PROBE_EVERY_MS;
        if (hear(console, answer,
                 until_ms < console->deadline_ms ? until_ms : console->deadline_ms)) {
            return true;
        }
    }
    return false;
}

/* The command's status, or -1; what it printed goes to standard output. */
static int run(Console *console, int number, const char *command)
{
    char begin[64], end[64], over[64];
    snprintf(begin, sizeof begin, "@@begin-%d\n", number);
    snprintf(end, sizeof end, "@@end-%d ", number);
    snprintf(over, sizeof over, "@@over-%d\n", number);

    size_t room = strlen(command) + 128;
    char *line = malloc(room);
    if (!line) {
        fail("memory");
    }
    snprintf(line, room,
             " echo @@\"\"begin-%d; %s; echo @@\"\"end-%d $?; echo @@\"\"over-%d\n",
             number, command, number, number);
    type(console, line);
    free(line);

    if (!hear(console, over, console->deadline_ms)) {
        return -1;
    }
    const char *first = strstr(console->heard, begin);
    const char *last = first ? strstr(first, end) : NULL;
    if (!last) {
        return -1;
    }
    first += strlen(begin);
    fwrite(first, 1, (size_t)(last - first), stdout);
    return atoi(last + strlen(end));
}

static void report_silence(const Console *console)
{
    const size_t shown = 2000;
    size_t from = console->length > shown ? console->length - shown : 0;
    fprintf(stderr, "guest-run: no answer; the console's last words:\n%s\n",
            console->heard ? console->heard + from : "(nothing)");
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: guest-run TIMEOUT COMMAND CONSOLE...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);

    Console console = { .deadline_ms = now_ms() + 1000L * atol(argv[1]) };
    bool is_socket = strncmp(argv[3], "unix:", 5) == 0;
    console.fd = is_socket ? connect_socket(argv[3] + 5)
                           : start_program(argv + 3, &console.child);

    int number = (int)getpid();
    int status = -1;
    /* A console that replays its past shows the prompt; before it nothing may be typed:
     * QEMU's PL011 never interrupts again once its queue was full too early. */
    if ((is_socket || hear(&console, "guest# ", console.deadline_ms)) &&
        wait_for_shell(&console, number)) {
        status = run(&console, number, argv[2]);
    }
    if (status < 0) {
        report_silence(&console);
    }
    close(console.fd);
    if (console.child) {
        kill(console.child, SIGTERM);
        waitpid(console.child, NULL, 0);
    }
    free(console.heard);
    return status < 0 ? EXIT_TIMED_OUT : status;
}
