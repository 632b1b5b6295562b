/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbip-fuzz - whatever a USB/IP client sends, the whole responder behind it
 *
 * The input is the byte stream from the client; see usbredir-fuzz.c, which does the same.
 */
#include "fuzz.h"
#include "mtp-share.h"

#include "mtp/responder.h"
#include "mtp/transport/usbip-link.h"

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
    size_t n = MIN((size_t)(peer->end - peer->at), size);

    if (n > 0) {
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
    const OstlerUsbipStream stream = { read_input, drop_output, peer };
    bool was_imported;

    cpc_spawn(run_responder, peer->responder);
    ostler_usbip_serve(peer->device, &stream, &was_imported, NULL);
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
