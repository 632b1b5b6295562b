/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers.h - who has the device: a QEMU or a USB/IP client at a socket's other end, or the
 * host that this machine's own USB device controller is plugged into
 *
 * Threads:    one main context.
 */
#pragma once

#include "mtp/responder.h"

#include <cpc/coroutine.h>

typedef struct {
    const char *connect; /* one of these five is given */
    const char *listen;
    const char *usbip;
    const char *functionfs;
    int fd; /* or -1 */
    bool must_reconnect;
} PeerOptions;

typedef struct Peers Peers;

/* Open the first connection, or the socket where others call; a sandbox forbids it later. */
Peers *peers_open(const PeerOptions *options, OstlerUsbDevice *device,
                  OstlerMtpResponder *responder, GError **error);
void peers_free(Peers *peers); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peers, peers_free)

/* Serve one after the other; false if it ended by a failure. */
bool coroutine_fn peers_serve(Peers *peers);
/* Hang up, and let peers_serve() return. */
void peers_end(Peers *peers);
