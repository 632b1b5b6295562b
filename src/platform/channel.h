/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * channel.h - a local byte stream between two processes
 *
 * Monitors, control connections, consoles and side programs all talk over these: a
 * Unix stream socket on posix, a named pipe or loopback socket on Windows.
 *
 * Units:      bytes.
 * Ownership:  a channel owns its descriptor.
 * Errors:     G_IO_ERROR; a peer that is gone is G_IO_ERROR_BROKEN_PIPE on write and
 *             end of stream (0) on read, never a signal.
 * Threads:    one channel, one main context.  One reader and one writer at a time.
 */
#pragma once

#include <cpc/coroutine.h>
#include <gio/gio.h>

typedef struct OstlerChannel OstlerChannel;
typedef struct OstlerListener OstlerListener;

/* Adopt a connected stream descriptor; it becomes non-blocking and close-on-exec. */
OstlerChannel *ostler_channel_new_fd(int fd);

/*
 * Connect to the listener at @path.  @path may be of any length: the 108 bytes of
 * sun_path are this function's trouble, not the caller's.
 * Errors:  G_IO_ERROR_NOT_FOUND, G_IO_ERROR_CONNECTION_REFUSED when nobody listens.
 */
OstlerChannel *ostler_channel_connect(const char *path, GError **error);

/* Two ends of one channel, the second as a bare descriptor to hand to a child. */
OstlerChannel *ostler_channel_pair(int *out_fd, GError **error);

/* Nothing more will be written: the peer reads the end, and can still write. */
void ostler_channel_end_writing(OstlerChannel *channel);

/* Shut both directions and wake whoever waits; ostler_channel_free() does it too. */
void ostler_channel_close(OstlerChannel *channel);
void ostler_channel_free(OstlerChannel *channel); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerChannel, ostler_channel_free)

/* Read what there is, at most @size: the count, 0 at the end, -1 on error. */
gssize coroutine_fn ostler_channel_read(OstlerChannel *channel, void *buffer,
                                        size_t size, GError **error);

/* The same; *out_fd (caller closes) is a descriptor that came with the bytes, or -1. */
gssize coroutine_fn ostler_channel_read_with_fd(OstlerChannel *channel, void *buffer,
                                                size_t size, int *out_fd,
                                                GError **error);

/*
 * A read may wait up to @us microseconds inside of the system call, rounded up to a tick
 * of the system's, while the main loop stands still; but only after one that had to wait
 * no longer than that.  For a peer that answers in less time than the loop takes to go
 * round.  Less than a second; 0 at first.
 */
void ostler_channel_set_patience(OstlerChannel *channel, unsigned us);

/* Write all of @size bytes. */
bool coroutine_fn ostler_channel_write(OstlerChannel *channel, const void *buffer,
                                       size_t size, GError **error);

/* Write all, with @fd attached to the first byte (SCM_RIGHTS); @fd stays open. */
bool coroutine_fn ostler_channel_write_with_fd(OstlerChannel *channel,
                                               const void *buffer, size_t size, int fd,
                                               GError **error);

int ostler_channel_fd(const OstlerChannel *channel); /* borrowed */

/* Whether the peer runs as the same user as this process. */
bool ostler_channel_peer_is_self(const OstlerChannel *channel);

/*
 * Listen at @path, replacing a stale socket there; mode 0600.  The descriptor may be
 * handed to QEMU with ostler_listener_fd().
 */
OstlerListener *ostler_listener_new(const char *path, GError **error);
/*
 * Listen to the network at @where: "PORT" on this host's own addresses alone, or
 * "ADDRESS:PORT", an IPv6 address in brackets.  Addresses are numbers; whoever reaches
 * the port may connect.
 * Errors:  G_IO_ERROR_INVALID_ARGUMENT for what is no such text.
 */
OstlerListener *ostler_listener_new_tcp(const char *where, GError **error);
void ostler_listener_free(OstlerListener *listener); /* closes, does not unlink */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerListener, ostler_listener_free)
int ostler_listener_fd(const OstlerListener *listener); /* borrowed */
OstlerChannel *coroutine_fn ostler_listener_accept(OstlerListener *listener,
                                                   GError **error);
/* Stop listening and make a waiting accept return NULL with G_IO_ERROR_CLOSED. */
void ostler_listener_close(OstlerListener *listener);

/*
 * Give the descriptor away, blocking again as other programs expect, and free the
 * channel; nobody may be waiting on it.
 */
int ostler_channel_steal_fd(OstlerChannel *channel);
