/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pidfd-helper PID - open a process and send its descriptor over the socket on stdin */
#include "pidfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

static int send_descriptor(int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(fd))] = { 0 };
    struct iovec data = { &byte, 1 };
    struct msghdr message = { .msg_iov = &data,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    return sendmsg(PIDFD_HELPER_SOCKET, &message, 0) == 1 ? 0 : errno;
}

/* Exits with the errno that pidfd_open() is to fail with, or 0. */
int main(int argc, char **argv)
{
    int fd = argc == 2 ? pidfd_open(atoi(argv[1]), 0) : -1;

    return fd < 0 ? errno : send_descriptor(fd);
}
