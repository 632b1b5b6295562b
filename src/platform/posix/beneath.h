/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * beneath.h - what is done to names beneath a folder, by us or by a lender
 *
 * The five system calls that a sandbox looks at, in one structure, so that root.c and
 * watch.c need not care who carries them out: this process with the rights that it has,
 * or a lender that it asks (lender.c).  For src/platform/posix/ alone.
 *
 * Wire:       one SOCK_SEQPACKET message is an OstlerPosixRequestHead, @name, NUL,
 *             @new_name, NUL, with the descriptors attached; the answer is an int32_t,
 *             0 or errno, with the opened descriptor attached.  Both ends are one build.
 * Errors:     -1 and errno; EPIPE for a lender that is gone or does not answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum {
    OSTLER_POSIX_OPEN,   /* a path beneath @fd; symbolic links are not followed */
    OSTLER_POSIX_MAKE,   /* mkdirat() */
    OSTLER_POSIX_REMOVE, /* unlinkat() */
    OSTLER_POSIX_RENAME, /* renameat2() */
    OSTLER_POSIX_LINK,   /* give the file @fd the name @new_name in @new_fd */
} OstlerPosixCall;

typedef struct {
    OstlerPosixCall call;
    int fd; /* a folder; LINK: a file.  OPEN: -1 is the lender's folder itself */
    const char *name;
    int new_fd;
    const char *new_name;
    int flags;
    mode_t mode;
} OstlerPosixRequest;

typedef struct {
    uint32_t call;
    int32_t flags;
    uint32_t mode;
    uint32_t n_fds;
} OstlerPosixRequestHead;

#define OSTLER_POSIX_MAX_PATH 4096 /* with its NUL */
#define OSTLER_POSIX_MAX_REQUEST                                                       \
    (sizeof(OstlerPosixRequestHead) + 2 * OSTLER_POSIX_MAX_PATH)

/* A connection to a lender, shared by whatever came from its root. */
typedef struct OstlerPosixLoan OstlerPosixLoan;

OstlerPosixLoan *ostler_posix_loan_new(int socket);            /* takes @socket */
OstlerPosixLoan *ostler_posix_loan_ref(OstlerPosixLoan *loan); /* NULL is fine */
void ostler_posix_loan_unref(OstlerPosixLoan *loan);           /* NULL is fine */

/* Carry out @request with our own rights. */
int ostler_posix_perform(const OstlerPosixRequest *request);
/* Have the lender do it, or without a loan do it ourselves. */
int ostler_posix_request(OstlerPosixLoan *loan, const OstlerPosixRequest *request);

/* ostler_posix_request() of OSTLER_POSIX_OPEN: a descriptor that closes on exec. */
int ostler_posix_open_beneath(OstlerPosixLoan *loan, int fd, const char *path,
                              int flags, mode_t mode);

/* root.c's, for watch.c. */
struct OstlerRoot {
    int fd;
    OstlerPosixLoan *loan; /* NULL: our own rights */
};
