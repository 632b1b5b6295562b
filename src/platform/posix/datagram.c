/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * An unconnected socket takes datagrams from anybody, and both must be bound before
 * either can be connected.  What came in between, from another user of the machine,
 * would stay queued and pass for the peer's: so each end is emptied after both are
 * connected, when nothing more can come in from outside and the peer has sent nothing.
 */
#include "platform/datagram.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

static int bind_one(struct sockaddr_in *out_address)
{
    socklen_t size = sizeof(*out_address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    *out_address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (fd >= 0 && (bind(fd, (struct sockaddr *)out_address, size) < 0 ||
                    getsockname(fd, (struct sockaddr *)out_address, &size) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool connect_to(int fd, const struct sockaddr_in *peer)
{
    return connect(fd, (const struct sockaddr *)peer, sizeof(*peer)) == 0;
}

static void empty(int fd)
{
    char byte;

    while (recv(fd, &byte, sizeof(byte), MSG_TRUNC) >= 0) {
    }
}

bool ostler_datagram_pair(int *out_a, int *out_b, GError **error)
{
    struct sockaddr_in at_a, at_b;
    int a = bind_one(&at_a);
    int b = bind_one(&at_b);

    if (a < 0 || b < 0 || !connect_to(a, &at_b) || !connect_to(b, &at_a)) {
        ostler_posix_refuse(error, "Cannot make a pair of datagram sockets");
        if (a >= 0) {
            close(a);
        }
        if (b >= 0) {
            close(b);
        }
        return false;
    }
    empty(a);
    empty(b);
    *out_a = a;
    *out_b = b;
    return true;
}
