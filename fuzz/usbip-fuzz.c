/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbip-fuzz - whatever a USB/IP client sends, the whole responder behind it
 *
 * The input is the byte stream from the client.
 */
#include "fuzz.h"
#include "mtp-peer.h"

#include "mtp/transport/usbip-link.h"

static gssize coroutine_fn read_input(void *buffer, size_t size, void *opaque,
                                      GError **error)
{
    MtpPeer *peer = opaque;

    return mtp_peer_take(peer, buffer, MIN(mtp_peer_left(peer), size));
}

static void coroutine_fn serve(void *opaque)
{
    MtpPeer *peer = opaque;
    const OstlerUsbipStream stream = { read_input, mtp_peer_drop, peer };
    bool was_imported;

    cpc_spawn(mtp_peer_respond, peer->responder);
    ostler_usbip_serve(peer->device, &stream, &was_imported, NULL);
    ostler_mtp_responder_stop(peer->responder);
    cpc_sleep_ms(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mtp_peer_run(data, size, serve);
    return 0;
}
