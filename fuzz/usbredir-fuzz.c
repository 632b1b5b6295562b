/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbredir-fuzz - whatever QEMU's end sends, the whole responder behind it
 *
 * The input is the byte stream from the peer, which the link reads in pieces whose sizes
 * come from the input as well.  Files are made in a folder of this process's own; the
 * responder is the program's, from the packets down to the file system.
 */
#include "fuzz.h"
#include "mtp-share.h"

#include "mtp/responder.h"
#include "mtp/transport/usbredir-link.h"

#include <cpc/glib.h>
#include <string.h>

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    OstlerUsbDevice *device;
    OstlerMtpResponder *responder;
} Peer;

static gssize coroutine_fn read_input(void *buffer, size_t size, void *opaque,
                                      GError **error)
{
    Peer *peer = opaque;
    size_t left = (size_t)(peer->end - peer->at);
    size_t n = MIN(left, size);

    if (n > 0) {
        n = MIN(n, 1 + (size_t)peer->at[0] * 4); /* pieces of 1 to 1021 bytes */
        memcpy(buffer, peer->at, n);
        peer->at += n;
    }
    cpc_sleep_ms(0); /* let the responder run in between, as a socket would */
    return (gssize)n;
}

static bool coroutine_fn drop_output(const void *buffer, size_t size, void *opaque,
                                     GError **error)
{
    return true;
}

static void coroutine_fn run_responder(void *opaque)
{
    ostler_mtp_responder_run(opaque);
}

static void coroutine_fn serve(void *opaque)
{
    Peer *peer = opaque;
    const OstlerUsbredirStream stream = { read_input, drop_output, peer };

    cpc_spawn(run_responder, peer->responder);
    ostler_usbredir_serve(peer->device, &stream, NULL);
    ostler_mtp_responder_stop(peer->responder);
    cpc_sleep_ms(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
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
    Peer peer = { data, data + size, device, responder };

    cpc_run(serve, &peer);
    ostler_mtp_responder_free(responder);
    ostler_usb_device_free(device);
    ostler_mtp_session_free(session);
    mtp_share_close(store);
    return 0;
}
