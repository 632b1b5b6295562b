/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbredir-fuzz - whatever QEMU's end sends, the whole responder behind it
 *
 * The input is the byte stream from the peer, which the link reads in pieces whose sizes
 * come from the input as well.
 */
#include "fuzz.h"
#include "mtp-peer.h"

#include "mtp/transport/usbredir-link.h"

static gssize coroutine_fn read_input(void *buffer, size_t size, void *opaque,
                                      GError **error)
{
    MtpPeer *peer = opaque;
    size_t n = MIN(mtp_peer_left(peer), size);

    if (n > 0) {
        n = MIN(n, 1 + (size_t)peer->at[0] * 4); /* pieces of 1 to 1021 bytes */
    }
    return mtp_peer_take(peer, buffer, n);
}

static void coroutine_fn serve(void *opaque)
{
    MtpPeer *peer = opaque;
    const OstlerUsbredirStream stream = { read_input, mtp_peer_drop, peer };

    cpc_spawn(mtp_peer_respond, peer->responder);
    ostler_usbredir_serve(peer->device, &stream, NULL);
    ostler_mtp_responder_stop(peer->responder);
    cpc_sleep_ms(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mtp_peer_run(data, size, serve);
    return 0;
}
