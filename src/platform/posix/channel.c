/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Each call tries the system call first and waits for the descriptor only when the
 * kernel says "not now"; a patient read waits a little inside of the call.  A peer that
 * always has more to say would never let the main loop run that way, so after some calls
 * in a row without a wait the coroutine goes once around the loop.
 *
 * A waiting read or write holds a reference, so that close and free may come while it
 * waits: they end the wait through its event, and the last one out closes the descriptor.
 * Closing it at once would leave the main loop polling a number that the next open may
 * reuse.
 */
#include "platform/channel.h"

#include <cpc/glib.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/posix/address.h"
#include "platform/posix/message.h"
#include "platform/posix/refusal.h"

#define MAX_CALLS_IN_A_ROW 32

struct OstlerChannel {
    int fd;
    bool is_closed;
    unsigned n_calls_in_a_row;
    int64_t patience_us;      /* how long a read may wait inside of the system call */
    bool is_patient;          /* the next one may: the last did not wait longer */
    CoEvent reading, writing; /* only ever set to end a wait early */
};

static void finish(gpointer data)
{
    OstlerChannel *channel = data;

    if (channel->fd >= 0) {
        close(channel->fd);
    }
}

static OstlerChannel *channel_ref(OstlerChannel *channel)
{
    return g_rc_box_acquire(channel);
}

static void channel_unref(OstlerChannel *channel)
{
    g_rc_box_release_full(channel, finish);
}

OstlerChannel *ostler_channel_new_fd(int fd)
{
    OstlerChannel *channel = g_rc_box_new0(OstlerChannel);

    channel->fd = fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return channel;
}

OstlerChannel *ostler_channel_connect(const char *path, GError **error)
{
    g_auto(OstlerPosixAddress) address = { .via = -1 };

    if (!ostler_posix_address_of(&address, path, error)) {
        return NULL;
    }

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        ostler_posix_refuse(error, "Cannot make a socket for '%s'", path);
        return NULL;
    }

    /* Never waits: a Unix socket connects at once, or its queue is full (EAGAIN). */
    g_autoptr(OstlerChannel) channel = ostler_channel_new_fd(fd);
    if (connect(fd, (struct sockaddr *)&address.sun, address.length) < 0) {
        ostler_posix_refuse(error, "Cannot connect to '%s'", path);
        return NULL;
    }
    return g_steal_pointer(&channel);
}

OstlerChannel *ostler_channel_pair(int *out_fd, GError **error)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        ostler_posix_refuse(error, "Cannot make a pair of sockets");
        return NULL;
    }
    *out_fd = ends[1];
    return ostler_channel_new_fd(ends[0]);
}

void ostler_channel_end_writing(OstlerChannel *channel)
{
    shutdown(channel->fd, SHUT_WR);
}

void ostler_channel_close(OstlerChannel *channel)
{
    channel->is_closed = true;
    shutdown(channel->fd, SHUT_RDWR);
    channel_ref(channel);
    cpc_event_set(&channel->reading);
    cpc_event_set(&channel->writing);
    channel_unref(channel);
}

void ostler_channel_free(OstlerChannel *channel)
{
    if (!channel) {
        return;
    }
    ostler_channel_close(channel);
    channel_unref(channel);
}

int ostler_channel_fd(const OstlerChannel *channel)
{
    return channel->fd;
}

bool ostler_channel_peer_is_self(const OstlerChannel *channel)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(channel->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == geteuid();
}

/* A wait for the descriptor that setting @early ends as well. */
static void coroutine_fn wait_for(OstlerChannel *channel, GIOCondition condition,
                                  CoEvent *early)
{
    channel->n_calls_in_a_row = 0;
    early->waiter = cpc_self();
    cpc_wait_fd(channel->fd, condition, -1);
    early->waiter = NULL;
}

static void coroutine_fn take_turns(OstlerChannel *channel)
{
    if (++channel->n_calls_in_a_row >= MAX_CALLS_IN_A_ROW) {
        channel->n_calls_in_a_row = 0;
        cpc_sleep_ms(0);
    }
}

void ostler_channel_set_patience(OstlerChannel *channel, unsigned us)
{
    const struct timeval timeout = { .tv_usec = us };

    /* From now on each call says by itself that it does not wait. */
    channel->patience_us = us;
    channel->is_patient = false;
    setsockopt(channel->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    fcntl(channel->fd, F_SETFL, fcntl(channel->fd, F_GETFL) & ~O_NONBLOCK);
}

/* recv(), or with @out_fd recvmsg() that takes one descriptor along. */
static ssize_t receive_some(const OstlerChannel *channel, void *buffer, size_t size,
                            int *out_fd)
{
    int fds[2];
    unsigned n_fds;

    if (!out_fd) {
        return recv(channel->fd, buffer, size, channel->is_patient ? 0 : MSG_DONTWAIT);
    }
    ssize_t n = ostler_posix_receive(channel->fd, buffer, size, fds, &n_fds);
    *out_fd = n_fds > 0 ? fds[0] : -1;
    if (n_fds > 1) {
        close(fds[1]);
    }
    return n;
}

/* A wait in the main loop that began at @since is over; 0 is none. */
static void note_wait(OstlerChannel *channel, int64_t since)
{
    if (since != 0) {
        channel->is_patient = g_get_monotonic_time() - since < channel->patience_us;
    }
}

/* A peer that died with our bytes unread resets the connection: the end, too. */
static gssize coroutine_fn receive(OstlerChannel *channel, void *buffer, size_t size,
                                   int *out_fd)
{
    int64_t since = 0; /* when there was nothing first */

    while (!channel->is_closed) {
        ssize_t n = receive_some(channel, buffer, size, out_fd);
        if (n >= 0) {
            note_wait(channel, since);
            return n;
        }
        if (errno == EAGAIN) {
            channel->is_patient = false;
            since = since ? since : g_get_monotonic_time();
            wait_for(channel, G_IO_IN, &channel->reading);
        } else if (errno != EINTR) {
            return errno == ECONNRESET ? 0 : -1;
        }
    }
    return 0;
}

static gssize coroutine_fn read_some(OstlerChannel *channel, void *buffer, size_t size,
                                     int *out_fd, GError **error)
{
    channel_ref(channel);
    take_turns(channel);
    gssize n = receive(channel, buffer, size, out_fd);
    if (n < 0) {
        ostler_posix_refuse(error, "Cannot read from a channel");
    }
    channel_unref(channel);
    return n;
}

gssize coroutine_fn ostler_channel_read(OstlerChannel *channel, void *buffer,
                                        size_t size, GError **error)
{
    return read_some(channel, buffer, size, NULL, error);
}

gssize coroutine_fn ostler_channel_read_with_fd(OstlerChannel *channel, void *buffer,
                                                size_t size, int *out_fd,
                                                GError **error)
{
    *out_fd = -1;
    return read_some(channel, buffer, size, out_fd, error);
}

/* sendmsg(), with @fd (unless -1) attached to the bytes. */
static ssize_t send_some(int socket, const void *buffer, size_t size, int fd)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec bytes = { .iov_base = (void *)buffer, .iov_len = size };
    struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool coroutine_fn send_all(OstlerChannel *channel, const char *at, size_t size,
                                  int fd)
{
    while (size > 0) {
        if (channel->is_closed) {
            errno = EPIPE;
            return false;
        }
        ssize_t n = send_some(channel->fd, at, size, fd);
        if (n >= 0) {
            at += n;
            size -= (size_t)n;
            fd = -1; /* it went with the first byte */
        } else if (errno == EAGAIN) {
            wait_for(channel, G_IO_OUT, &channel->writing);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool coroutine_fn ostler_channel_write_with_fd(OstlerChannel *channel,
                                               const void *buffer, size_t size, int fd,
                                               GError **error)
{
    channel_ref(channel);
    take_turns(channel);
    bool is_sent = send_all(channel, buffer, size, fd);
    if (!is_sent) {
        ostler_posix_refuse(error, "Cannot write to a channel");
    }
    channel_unref(channel);
    return is_sent;
}

bool coroutine_fn ostler_channel_write(OstlerChannel *channel, const void *buffer,
                                       size_t size, GError **error)
{
    return ostler_channel_write_with_fd(channel, buffer, size, -1, error);
}

int ostler_channel_steal_fd(OstlerChannel *channel)
{
    int fd = channel->fd;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    channel->fd = -1;
    channel_unref(channel);
    return fd;
}
