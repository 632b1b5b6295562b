/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/posix/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "platform/posix/message.h"

/* A lender that takes longer is as good as dead; what it lends may be a dead server's. */
#define PATIENCE_S 30

struct OstlerPosixLoan {
    int socket; /* -1 once the lender has failed us */
};

/* ---- with our own rights ---- */

static int open_here(const OstlerPosixRequest *r)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)r->flags | O_CLOEXEC | O_NOCTTY,
        .mode = r->mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int opened;

    /* EAGAIN: a rename or mount went on during the walk (openat2(2)). */
    do {
        opened = (int)syscall(SYS_openat2, r->fd, *r->name ? r->name : ".", &how,
                              sizeof(how));
    } while (opened < 0 && (errno == EINTR || errno == EAGAIN));
    return opened;
}

/* AT_EMPTY_PATH needs Linux 6.10 or a capability; before that /proc has the way in. */
static int link_here(const OstlerPosixRequest *r)
{
    char path[sizeof("/proc/self/fd/") + 12];

    if (linkat(r->fd, "", r->new_fd, r->new_name, AT_EMPTY_PATH) == 0) {
        return 0;
    }
    if (errno != ENOENT && errno != EPERM) {
        return -1;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", r->fd);
    return linkat(AT_FDCWD, path, r->new_fd, r->new_name, AT_SYMLINK_FOLLOW);
}

int ostler_posix_perform(const OstlerPosixRequest *r)
{
    switch (r->call) {
    case OSTLER_POSIX_OPEN:
        return open_here(r);
    case OSTLER_POSIX_MAKE:
        return mkdirat(r->fd, r->name, r->mode);
    case OSTLER_POSIX_REMOVE:
        return unlinkat(r->fd, r->name, r->flags);
    case OSTLER_POSIX_RENAME:
        return renameat2(r->fd, r->name, r->new_fd, r->new_name, (unsigned)r->flags);
    case OSTLER_POSIX_LINK:
        return link_here(r);
    }
    errno = ENOSYS;
    return -1;
}

/* ---- with a lender's ---- */

OstlerPosixLoan *ostler_posix_loan_new(int socket)
{
    static const struct timeval patience = { .tv_sec = PATIENCE_S };
    OstlerPosixLoan *loan = g_rc_box_new(OstlerPosixLoan);

    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    loan->socket = socket;
    return loan;
}

OstlerPosixLoan *ostler_posix_loan_ref(OstlerPosixLoan *loan)
{
    return loan ? g_rc_box_acquire(loan) : NULL;
}

static void end_loan(OstlerPosixLoan *loan)
{
    if (loan->socket >= 0) {
        close(loan->socket);
        loan->socket = -1;
    }
}

static void finish_loan(void *opaque)
{
    end_loan(opaque);
}

void ostler_posix_loan_unref(OstlerPosixLoan *loan)
{
    if (loan) {
        g_rc_box_release_full(loan, finish_loan);
    }
}

/* The request's bytes at @buffer: their number, or 0 if a name is too long. */
static size_t put_request(const OstlerPosixRequest *r, unsigned n_fds, char *buffer)
{
    const OstlerPosixRequestHead head = {
        .call = r->call,
        .flags = r->flags,
        .mode = r->mode,
        .n_fds = n_fds,
    };
    const char *names[] = { r->name ? r->name : "", r->new_name ? r->new_name : "" };
    size_t size = sizeof(head);

    memcpy(buffer, &head, sizeof(head));
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t length = strlen(names[i]) + 1;
        if (length > OSTLER_POSIX_MAX_PATH) {
            return 0;
        }
        memcpy(buffer + size, names[i], length);
        size += length;
    }
    return size;
}

/* An answer: 0 or a descriptor, or -1 with the lender's errno; EPIPE if it is none. */
static int take_answer(OstlerPosixLoan *loan, OstlerPosixCall call)
{
    int32_t why;
    int fds[2] = { -1, -1 };
    unsigned n_fds;
    ssize_t n = ostler_posix_receive(loan->socket, &why, sizeof(why), fds, &n_fds);
    bool is_answer =
        n == sizeof(why) && n_fds == (call == OSTLER_POSIX_OPEN && why == 0 ? 1u : 0u);

    if (!is_answer) {
        while (n_fds > 0) {
            close(fds[--n_fds]);
        }
        end_loan(loan); /* a late answer must not be taken for that of the next */
        errno = EPIPE;
        return -1;
    }
    errno = why;
    return why != 0 ? -1 : n_fds > 0 ? fds[0] : 0;
}

static int ask(OstlerPosixLoan *loan, const OstlerPosixRequest *r)
{
    char buffer[OSTLER_POSIX_MAX_REQUEST];
    int fds[2];
    unsigned n_fds = 0;

    if (r->fd >= 0) {
        fds[n_fds++] = r->fd;
    }
    if (r->call == OSTLER_POSIX_RENAME || r->call == OSTLER_POSIX_LINK) {
        fds[n_fds++] = r->new_fd;
    }
    size_t size = put_request(r, n_fds, buffer);
    if (size == 0) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (loan->socket < 0 ||
        ostler_posix_send(loan->socket, buffer, size, fds, n_fds) < 0) {
        end_loan(loan);
        errno = EPIPE;
        return -1;
    }
    return take_answer(loan, r->call);
}

int ostler_posix_request(OstlerPosixLoan *loan, const OstlerPosixRequest *request)
{
    return loan ? ask(loan, request) : ostler_posix_perform(request);
}

int ostler_posix_open_beneath(OstlerPosixLoan *loan, int fd, const char *path,
                              int flags, mode_t mode)
{
    const OstlerPosixRequest request = {
        .call = OSTLER_POSIX_OPEN,
        .fd = fd,
        .name = path,
        .flags = flags,
        .mode = mode,
    };
    return ostler_posix_request(loan, &request);
}
