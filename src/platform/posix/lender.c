/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * One request, one answer, each a message of its own (beneath.h).  The lender keeps no
 * state: the folders that a request is about come with it, as descriptors that the
 * lender opened before.  A borrower that attaches another folder gains nothing, since
 * the lender's own sandbox does not let it work there.
 *
 * Names are the borrower's.  A path that is to be opened is resolved by the kernel,
 * beneath the folder and without links; every other name must be one part.
 */
#include "platform/lender.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/posix/beneath.h"
#include "platform/posix/message.h"
#include "platform/posix/refusal.h"

struct OstlerLender {
    int folder;
    int socket;
    GSource *readable;
};

static bool is_one_part(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* The number of descriptors that must come with each call. */
static const unsigned n_fds_of[] = {
    [OSTLER_POSIX_OPEN] = 1,   [OSTLER_POSIX_MAKE] = 1, [OSTLER_POSIX_REMOVE] = 1,
    [OSTLER_POSIX_RENAME] = 2, [OSTLER_POSIX_LINK] = 2,
};

static bool is_sound(const OstlerPosixRequest *r)
{
    switch (r->call) {
    case OSTLER_POSIX_OPEN:
        return true;
    case OSTLER_POSIX_MAKE:
    case OSTLER_POSIX_REMOVE:
        return is_one_part(r->name);
    case OSTLER_POSIX_RENAME:
        return is_one_part(r->name) && is_one_part(r->new_name);
    case OSTLER_POSIX_LINK:
        return is_one_part(r->new_name);
    }
    return false;
}

/* Take a message apart; false if it is no request. */
static bool decode(const OstlerLender *lender, const char *bytes, size_t size,
                   const int *fds, unsigned n_fds, OstlerPosixRequest *out_request)
{
    OstlerPosixRequestHead head;

    if (size < sizeof(head) + 2 || bytes[size - 1] != '\0') {
        return false;
    }
    memcpy(&head, bytes, sizeof(head));
    const char *name = bytes + sizeof(head);
    const char *new_name = name + strlen(name) + 1;
    if (new_name >= bytes + size || new_name + strlen(new_name) + 1 != bytes + size ||
        head.call >= G_N_ELEMENTS(n_fds_of)) {
        return false;
    }
    bool is_first = head.call == OSTLER_POSIX_OPEN && n_fds == 0;
    if (head.n_fds != n_fds || (!is_first && n_fds != n_fds_of[head.call])) {
        return false;
    }
    *out_request = (OstlerPosixRequest){
        .call = head.call,
        .fd = is_first ? lender->folder : fds[0],
        .name = name,
        .new_fd = n_fds > 1 ? fds[1] : -1,
        .new_name = new_name,
        .flags = head.flags,
        .mode = head.mode,
    };
    return is_sound(out_request);
}

static bool answer(const OstlerLender *lender, const OstlerPosixRequest *request)
{
    int result = request ? ostler_posix_perform(request) : -1;
    int32_t why = !request ? EINVAL : result < 0 ? errno : 0;
    bool has_fd = request && request->call == OSTLER_POSIX_OPEN && result >= 0;
    bool is_sent = ostler_posix_send(lender->socket, &why, sizeof(why), &result,
                                     has_fd ? 1 : 0) >= 0;

    if (has_fd) {
        close(result);
    }
    return is_sent;
}

static gboolean serve_one(int fd, GIOCondition condition, void *opaque)
{
    OstlerLender *lender = opaque;
    char buffer[OSTLER_POSIX_MAX_REQUEST];
    OstlerPosixRequest request;
    int fds[2];
    unsigned n_fds;
    ssize_t n = ostler_posix_receive(fd, buffer, sizeof(buffer), fds, &n_fds);

    if (n == 0 || (n < 0 && errno != EMSGSIZE)) {
        return G_SOURCE_REMOVE; /* the borrower is gone */
    }
    bool is_request = n > 0 && decode(lender, buffer, (size_t)n, fds, n_fds, &request);
    bool is_answered = answer(lender, is_request ? &request : NULL);
    while (n_fds > 0) {
        close(fds[--n_fds]);
    }
    return is_answered ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

OstlerLender *ostler_lender_new(const char *path, int *out_fd, GError **error)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int ends[2];

    if (folder < 0) {
        ostler_posix_refuse(error, "Cannot open the folder '%s'", path);
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        ostler_posix_refuse(error, "Cannot make a pair of sockets");
        close(folder);
        return NULL;
    }
    OstlerLender *lender = g_new(OstlerLender, 1);
    lender->folder = folder;
    lender->socket = ends[0];
    lender->readable = g_unix_fd_source_new(ends[0], G_IO_IN | G_IO_HUP);
    g_source_set_callback(lender->readable, G_SOURCE_FUNC(serve_one), lender, NULL);
    g_source_attach(lender->readable, g_main_context_get_thread_default());
    *out_fd = ends[1];
    return lender;
}

void ostler_lender_free(OstlerLender *lender)
{
    if (lender) {
        g_source_destroy(lender->readable);
        g_source_unref(lender->readable);
        close(lender->socket);
        close(lender->folder);
        g_free(lender);
    }
}
