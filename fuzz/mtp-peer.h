/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-peer.h - the whole responder behind a stream that a fuzz target makes up
 *
 * The responder is the program's, from the transport's packets down to the file system; its
 * files are in a folder of this process's own.
 */
#pragma once

#include "mtp-share.h"

#include "mtp/responder.h"

#include <cpc/glib.h>

typedef struct {
    const uint8_t *at; /* the input that is left */
    const uint8_t *end;
    OstlerUsbDevice *device;
    OstlerMtpResponder *responder;
} MtpPeer;

/* A read of @n bytes, of which at least so many are left. */
static inline gssize coroutine_fn mtp_peer_take(MtpPeer *peer, void *buffer, size_t n)
{
    if (n > 0) {
        memcpy(buffer, peer->at, n);
        peer->at += n;
    }
    cpc_sleep_ms(0); /* let the responder run in between, as a socket would */
    return (gssize)n;
}

static inline size_t mtp_peer_left(const MtpPeer *peer)
{
    return (size_t)(peer->end - peer->at);
}

static inline bool coroutine_fn mtp_peer_drop(const void *buffer, size_t size,
                                              void *opaque, GError **error)
{
    return true;
}

static inline void coroutine_fn mtp_peer_respond(void *opaque)
{
    ostler_mtp_responder_run(opaque);
}

/* Give the input to @serve, a coroutine whose argument is an MtpPeer. */
static inline void mtp_peer_run(const uint8_t *data, size_t size, CoroutineEntry *serve)
{
    static const OstlerUsbIdentity usb = {
        .manufacturer = "Ostler",
        .product = "Fuzz",
        .serial = "1",
    };
    OstlerMtpStore *store = mtp_share_open();
    OstlerMtpSession *session = ostler_mtp_session_new(store, &mtp_share_identity);
    OstlerUsbDevice *device = ostler_usb_device_new(&usb);
    OstlerMtpResponder *responder = ostler_mtp_responder_new(device, session);
    MtpPeer peer = { data, data + size, device, responder };

    cpc_run(serve, &peer);
    ostler_mtp_responder_free(responder);
    ostler_usb_device_free(device);
    ostler_mtp_session_free(session);
    mtp_share_close(store);
}
