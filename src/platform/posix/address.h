/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * address.h - Unix socket addresses for paths of any length; for platform/posix/ alone
 *
 * sun_path holds 107 bytes, and a run directory may well be deeper.  The kernel follows
 * /proc/self/fd/N, so a path too long is reached through a descriptor instead, without
 * changing the working directory, which the whole process shares.
 *
 * Ownership:  an address may hold a descriptor: ostler_posix_address_clear().
 * Errors:     G_IO_ERROR.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct {
    struct sockaddr_un sun;
    socklen_t length;
    int via; /* the descriptor that sun_path goes through, or -1 */
} OstlerPosixAddress;

/* The socket that is at @path now, to connect to. */
bool ostler_posix_address_of(OstlerPosixAddress *address, const char *path,
                             GError **error);

/* The name @name in @directory, to bind to; @name must be short (NAME_MAX is not). */
bool ostler_posix_address_in(OstlerPosixAddress *address, const char *directory,
                             const char *name, GError **error);

void ostler_posix_address_clear(OstlerPosixAddress *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OstlerPosixAddress, ostler_posix_address_clear)
