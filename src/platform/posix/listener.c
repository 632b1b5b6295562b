/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The socket is bound to a passing name beside @path and renamed over it once it
 * listens.  Whoever finds the path can therefore connect at once, a stale socket is
 * replaced without a moment in which there is none, and the last component may be as
 * long as the file system allows.  QEMU unlinks the name that its socket was bound to when
 * it ends (util/qemu-sockets.c, socket_listen_cleanup): by then that name is long gone, and
 * the path stays for whoever made it to remove.
 *
 * A waiting accept holds a reference, so that close and free may come while it waits, and
 * end the wait through its event.  Free does not shut the socket down: a listener that was
 * handed to QEMU shares it, and QEMU would hear no more.
 */
#include "platform/channel.h"

#include <arpa/inet.h>
#include <cpc/glib.h>
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/address.h"
#include "platform/posix/refusal.h"

struct OstlerListener {
    int fd;
    bool is_closed;
    CoEvent accepting; /* only ever set to end a wait early */
};

static void finish(gpointer data)
{
    OstlerListener *listener = data;

    if (listener->fd >= 0) {
        close(listener->fd);
    }
}

static OstlerListener *listener_ref(OstlerListener *listener)
{
    return g_rc_box_acquire(listener);
}

static void listener_unref(OstlerListener *listener)
{
    g_rc_box_release_full(listener, finish);
}

/* fchmod() before the bind is what sets a Unix socket's mode on Linux (unix(7) does not
 * say so; net/unix/af_unix.c takes the mode from the socket's inode). */
static bool bind_and_listen(int fd, const OstlerPosixAddress *address)
{
    return fchmod(fd, 0600) == 0 &&
           bind(fd, (const struct sockaddr *)&address->sun, address->length) == 0 &&
           listen(fd, SOMAXCONN) == 0;
}

static bool is_replaceable(const char *path, GError **error)
{
    struct stat there;

    if (lstat(path, &there) == 0 && !S_ISSOCK(there.st_mode)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "Cannot listen at '%s': it exists and is no socket", path);
        return false;
    }
    return true;
}

static bool listen_at(int fd, const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *name = g_strdup_printf(".s%08x", g_random_int());
    g_autofree char *passing = g_build_filename(directory, name, NULL);
    g_auto(OstlerPosixAddress) address = { .via = -1 };

    if (!is_replaceable(path, error) ||
        !ostler_posix_address_in(&address, directory, name, error)) {
        return false;
    }
    if (!bind_and_listen(fd, &address) || rename(passing, path) < 0) {
        ostler_posix_refuse(error, "Cannot listen at '%s'", path);
        unlink(passing);
        return false;
    }
    return true;
}

OstlerListener *ostler_listener_new(const char *path, GError **error)
{
    g_autoptr(OstlerListener) listener = g_rc_box_new0(OstlerListener);

    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0) {
        ostler_posix_refuse(error, "Cannot make a socket for '%s'", path);
        return NULL;
    }
    return listen_at(listener->fd, path, error) ? g_steal_pointer(&listener) : NULL;
}

/* ---- the network ---- */

static bool parse_port(const char *text, in_port_t *out_port)
{
    guint64 port;

    if (!g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL)) {
        return false;
    }
    *out_port = htons((uint16_t)port);
    return true;
}

typedef struct {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t length;
} Place;

static bool parse_v6(const char *where, Place *place)
{
    const char *end = strstr(where, "]:");
    g_autofree char *address =
        end ? g_strndup(where + 1, (gsize)(end - where - 1)) : NULL;

    place->v6.sin6_family = AF_INET6;
    place->length = sizeof(place->v6);
    return end && inet_pton(AF_INET6, address, &place->v6.sin6_addr) == 1 &&
           parse_port(end + 2, &place->v6.sin6_port);
}

static bool parse_place(const char *where, Place *place)
{
    const char *colon = strrchr(where, ':');
    g_autofree char *address =
        colon ? g_strndup(where, (gsize)(colon - where)) : g_strdup("127.0.0.1");

    *place = (Place){ 0 };
    if (*where == '[') {
        return parse_v6(where, place);
    }
    place->v4.sin_family = AF_INET;
    place->length = sizeof(place->v4);
    return inet_pton(AF_INET, address, &place->v4.sin_addr) == 1 &&
           parse_port(colon ? colon + 1 : where, &place->v4.sin_port);
}

/* Connections inherit the options: small packets must not wait for others. */
static bool listen_there(int fd, const Place *place)
{
    static const int one = 1;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
           bind(fd, &place->any, place->length) == 0 && listen(fd, SOMAXCONN) == 0;
}

OstlerListener *ostler_listener_new_tcp(const char *where, GError **error)
{
    Place place;

    if (!parse_place(where, &place)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "'%s' is neither a port nor an address with one", where);
        return NULL;
    }
    g_autoptr(OstlerListener) listener = g_rc_box_new0(OstlerListener);
    listener->fd =
        socket(place.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || !listen_there(listener->fd, &place)) {
        ostler_posix_refuse(error, "Cannot listen at '%s'", where);
        return NULL;
    }
    return g_steal_pointer(&listener);
}

static void end_wait(OstlerListener *listener)
{
    listener->is_closed = true;
    cpc_event_set(&listener->accepting);
}

void ostler_listener_close(OstlerListener *listener)
{
    shutdown(listener->fd, SHUT_RDWR);
    listener_ref(listener);
    end_wait(listener);
    listener_unref(listener);
}

void ostler_listener_free(OstlerListener *listener)
{
    if (!listener) {
        return;
    }
    end_wait(listener);
    listener_unref(listener);
}

int ostler_listener_fd(const OstlerListener *listener)
{
    return listener->fd;
}

/* Out of descriptors or memory the connection stays queued, and the listener readable:
 * without a pause that would be a busy loop. */
static bool is_exhausted(int why)
{
    return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

static bool is_passing(int why)
{
    return why == EINTR || why == ECONNABORTED;
}

static void coroutine_fn wait_for_connection(OstlerListener *listener)
{
    listener->accepting.waiter = cpc_self();
    cpc_wait_fd(listener->fd, G_IO_IN, -1);
    listener->accepting.waiter = NULL;
}

/* Returns: a connection, or -1 with errno. */
static int coroutine_fn accept_one(OstlerListener *listener)
{
    while (!listener->is_closed) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            return fd;
        }
        if (errno == EAGAIN) {
            wait_for_connection(listener);
        } else if (is_exhausted(errno)) {
            cpc_sleep_ms(100);
        } else if (!is_passing(errno) && !listener->is_closed) {
            return -1;
        }
    }
    errno = EBADF;
    return -1;
}

OstlerChannel *coroutine_fn ostler_listener_accept(OstlerListener *listener,
                                                   GError **error)
{
    listener_ref(listener);
    int fd = accept_one(listener);
    int why = errno;
    bool is_closed = listener->is_closed;
    listener_unref(listener);

    if (fd >= 0) {
        return ostler_channel_new_fd(fd);
    }
    errno = why;
    if (is_closed) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED, "No longer listening");
    } else {
        ostler_posix_refuse(error, "Cannot accept a connection");
    }
    return NULL;
}
