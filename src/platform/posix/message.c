/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/posix/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t ostler_posix_send(int socket, const void *bytes, size_t size, const int *fds,
                          unsigned n_fds)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control = { 0 };
    struct iovec part = { .iov_base = (void *)bytes, .iov_len = size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    ssize_t n;

    if (n_fds > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    }
    do {
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* The kernel attaches as many as the buffer has room for: two, padding aside. */
static unsigned take_fds(struct msghdr *message, int out_fds[2])
{
    unsigned n = 0;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            if (n < 2) {
                out_fds[n++] = fd;
            } else {
                close(fd);
            }
        }
    }
    return n;
}

ssize_t ostler_posix_receive(int socket, void *buffer, size_t size, int out_fds[2],
                             unsigned *out_n_fds)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = { .iov_base = buffer, .iov_len = size };
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t n;

    do {
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    *out_n_fds = n < 0 ? 0 : take_fds(&message, out_fds);
    if (n >= 0 && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        while (*out_n_fds > 0) {
            close(out_fds[--*out_n_fds]);
        }
        errno = EMSGSIZE;
        return -1;
    }
    return n;
}
