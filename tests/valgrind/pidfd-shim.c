/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two calls that valgrind lacks, in terms of calls that it has; see pidfd.h. */
#include "pidfd.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static int receive_descriptor(int socket_fd)
{
    int fd = -1;
    char byte, control[CMSG_SPACE(sizeof(fd))];
    struct iovec data = { &byte, 1 };
    struct msghdr message = { .msg_iov = &data,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof(control) };

    if (recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC) == 1 &&
        CMSG_FIRSTHDR(&message)) {
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    }
    return fd;
}

/*
 * The errno that the helper ended with.  Its environment is empty: preloaded into the
 * helper too, this would call the helper for ever.
 */
static int run_helper(pid_t pid, int socket_fd)
{
    char number[16];
    char *argv[] = { getenv(PIDFD_HELPER), number, NULL };
    char *environment[] = { NULL };
    posix_spawn_file_actions_t actions;
    pid_t helper;
    int status = 0;

    snprintf(number, sizeof(number), "%d", pid);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socket_fd, PIDFD_HELPER_SOCKET);
    int why = argv[0] ? posix_spawn(&helper, argv[0], &actions, NULL, argv, environment)
                      : ENOSYS;
    posix_spawn_file_actions_destroy(&actions);
    if (why != 0) {
        return why;
    }
    while (waitpid(helper, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

EXPORTED int pidfd_open(pid_t pid, unsigned flags)
{
    int sockets[2];
    int fd = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0) {
        return -1;
    }
    int why = run_helper(pid, sockets[1]);
    if (why == 0) {
        fd = receive_descriptor(sockets[0]);
    }
    close(sockets[0]);
    close(sockets[1]);
    errno = why;
    return fd;
}

/* A pid may be reused between the two calls; in a test of a minute it is not. */
EXPORTED int pidfd_send_signal(int pidfd, int signal, siginfo_t *info, unsigned flags)
{
    char path[64], line[128];
    int pid = -1;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
    FILE *fdinfo = fopen(path, "re");
    while (fdinfo && fgets(line, sizeof(line), fdinfo)) {
        sscanf(line, "Pid: %d", &pid);
    }
    if (fdinfo) {
        fclose(fdinfo);
    }
    if (pid <= 0) { /* -1: it has been reaped */
        errno = ESRCH;
        return -1;
    }
    return kill(pid, signal);
}
