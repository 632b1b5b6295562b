/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* message.h - bytes with descriptors attached (SCM_RIGHTS); for src/platform/posix/ */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* A message with up to two descriptors: what sendmsg() and recvmsg() say. */
ssize_t ostler_posix_send(int socket, const void *bytes, size_t size, const int *fds,
                          unsigned n_fds);
/* Descriptors beyond two, or in a message that was cut off, are closed. */
ssize_t ostler_posix_receive(int socket, void *buffer, size_t size, int out_fds[2],
                             unsigned *out_n_fds);
