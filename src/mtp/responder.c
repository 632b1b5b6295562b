/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * One coroutine runs run(): a transaction after the other, in straight lines that wait
 * for the next transfer of an endpoint.  Cancel, reset and unplug come from outside, in
 * the transport's coroutine, at any time.  They leave a note and interrupt the device,
 * which makes the wait return NULL; the transaction then unwinds to run(), and only
 * there is the note acted on.  So nobody changes the session under a transaction's feet.
 *
 * The device acknowledges a transfer from the host before its bytes are looked at: the
 * guest prepares the next while we write this one to the file.  Nothing is lost by it,
 * as the response container alone says whether the object is stored.
 */
#include "mtp/responder.h"

#include <cpc/glib.h>
#include <string.h>

#include "mtp/events.h"

struct OstlerMtpResponder {
    OstlerUsbDevice *device;
    OstlerMtpSession *session;
    OstlerMtpThumbnailer *thumbnailer; /* or NULL */
    OstlerUsbFunction function;
    bool is_stopped;
    bool must_close;         /* reset or unplugged: the session ends */
    bool is_cancelling;      /* until the transaction is unwound */
    OstlerMtpEvents *events; /* not sent yet */
    bool is_telling;         /* a coroutine sends them */
    CoEvent stopped;         /* for that one, which may be waiting for time to pass */
};

/* ---- from the transport's side ---- */

static void cancel(uint32_t transaction, void *opaque)
{
    OstlerMtpResponder *responder = opaque;

    responder->is_cancelling = true;
    ostler_usb_device_interrupt(responder->device);
}

static void reset(void *opaque)
{
    ostler_mtp_responder_unplug(opaque);
}

static uint16_t status(void *opaque)
{
    const OstlerMtpResponder *responder = opaque;

    return responder->is_cancelling ? OSTLER_MTP_DEVICE_BUSY : OSTLER_MTP_OK;
}

void coroutine_mixed_fn ostler_mtp_responder_unplug(OstlerMtpResponder *responder)
{
    responder->must_close = true;
    ostler_usb_device_interrupt(responder->device);
}

void coroutine_mixed_fn ostler_mtp_responder_stop(OstlerMtpResponder *responder)
{
    responder->is_stopped = true;
    cpc_event_set(&responder->stopped);
    ostler_usb_device_interrupt(responder->device);
}

OstlerMtpResponder *ostler_mtp_responder_new(OstlerUsbDevice *device,
                                             OstlerMtpSession *session)
{
    OstlerMtpResponder *responder = g_new0(OstlerMtpResponder, 1);

    responder->device = device;
    responder->session = session;
    responder->events = ostler_mtp_events_new();
    responder->function = (OstlerUsbFunction){ cancel, reset, status, responder };
    ostler_usb_device_set_function(device, &responder->function);
    return responder;
}

void ostler_mtp_responder_set_thumbnailer(OstlerMtpResponder *responder,
                                          OstlerMtpThumbnailer *thumbnailer)
{
    responder->thumbnailer = thumbnailer;
    if (thumbnailer) {
        ostler_mtp_session_offer_thumbs(responder->session);
    }
}

void ostler_mtp_responder_free(OstlerMtpResponder *responder)
{
    if (responder) {
        ostler_usb_device_set_function(responder->device, NULL);
        ostler_mtp_events_free(responder->events);
        g_free(responder);
    }
}

/* ---- events ---- */

static void coroutine_fn send_event(OstlerMtpResponder *responder,
                                    const OstlerMtpEvent *event)
{
    const OstlerMtpContainer container = {
        .type = OSTLER_MTP_CONTAINER_EVENT,
        .code = event->code,
        .transaction = 0xffffffff, /* of none */
        .params = { event->param },
        .n_params = event->code != OSTLER_MTP_UNREPORTED_STATUS,
    };
    uint8_t bytes[32];

    ostler_usb_device_event(responder->device, bytes,
                            ostler_mtp_container_encode(&container, bytes));
}

static void coroutine_fn tell(void *opaque)
{
    OstlerMtpResponder *responder = opaque;
    OstlerMtpEvent event;

    while (!responder->is_stopped && !ostler_mtp_events_is_empty(responder->events)) {
        uint32_t delay_us =
            ostler_mtp_events_delay(responder->events, g_get_monotonic_time());
        if (delay_us > 0) {
            cpc_event_wait(&responder->stopped, (int)(delay_us / 1000 + 1));
        } else if (ostler_mtp_events_pop(responder->events, &event)) {
            send_event(responder, &event);
        }
    }
    responder->is_telling = false;
}

void coroutine_mixed_fn ostler_mtp_responder_notify(OstlerMtpResponder *responder,
                                                    uint16_t event, uint32_t param)
{
    if (!ostler_mtp_session_is_open(responder->session)) {
        return;
    }
    ostler_mtp_events_push(responder->events, event, param);
    if (!responder->is_telling) {
        responder->is_telling = true;
        cpc_spawn(tell, responder);
    }
}

/* ---- to the initiator ---- */

/* While QEMU takes a transfer as large as this, the next is read from the file. */
#define AHEAD_MIN (64u << 10)

/* A container: its head, or all of it, and as many bytes of the session's. */
typedef struct {
    const uint8_t *head;
    size_t n_head;
    uint64_t left;  /* head and payload still to go */
    uint64_t made;  /* of both, those that were put into a buffer */
    uint8_t *ahead; /* headroom, then n_ahead bytes that go next; or NULL */
    size_t n_ahead;
} Outbound;

static void make(OstlerMtpResponder *responder, Outbound *out, uint8_t *buffer,
                 size_t size)
{
    size_t head =
        out->made < out->n_head ? MIN(size, out->n_head - (size_t)out->made) : 0;

    if (head > 0) {
        memcpy(buffer, out->head + out->made, head);
    }
    ostler_mtp_session_produce(responder->session, buffer + head, size - head);
    out->made += size;
}

/* The host is expected to ask for as much as it just did.  Without memory: later. */
static void make_ahead(OstlerMtpResponder *responder, Outbound *out, size_t wanted)
{
    size_t size = (size_t)MIN(wanted, out->left);

    if (out->ahead || size < AHEAD_MIN || size > OSTLER_USB_MAX_TRANSFER) {
        return;
    }
    out->ahead = g_try_malloc(OSTLER_USB_HEADROOM + size);
    if (out->ahead) {
        out->n_ahead = size;
        make(responder, out, out->ahead + OSTLER_USB_HEADROOM, size);
    }
}

/* The host asked for less or more than expected. */
static size_t copy_ahead(Outbound *out, uint8_t *buffer, size_t size)
{
    size_t n = MIN(size, out->n_ahead);

    if (n > 0) {
        uint8_t *start = out->ahead + OSTLER_USB_HEADROOM;
        memcpy(buffer, start, n);
        memmove(start, start + n, out->n_ahead - n);
        out->n_ahead -= n;
    }
    if (out->n_ahead == 0) {
        g_clear_pointer(&out->ahead, g_free);
    }
    return n;
}

/* Answer one transfer of the host's; false if that could not be done. */
static bool fill_transfer(OstlerMtpResponder *responder, Outbound *out,
                          OstlerUsbTransfer *transfer)
{
    size_t size = (size_t)MIN(transfer->wanted, out->left);

    out->left -= size;
    if (out->ahead && out->n_ahead == size) {
        uint8_t *ahead = g_steal_pointer(&out->ahead);
        out->n_ahead = 0;
        ostler_usb_transfer_adopt(transfer, ahead, ahead + OSTLER_USB_HEADROOM, size);
    } else if (size > 0) {
        if (!ostler_usb_transfer_reserve(transfer, size)) {
            transfer->status = OSTLER_USB_STALL;
            return false;
        }
        size_t n = copy_ahead(out, transfer->data, size);
        make(responder, out, transfer->data + n, size - n);
    }
    return true;
}

/* false if it could not be filled, or nobody wants it. */
static bool coroutine_fn send_transfer(OstlerMtpResponder *responder, Outbound *out,
                                       bool *out_is_over)
{
    OstlerUsbTransfer *transfer =
        ostler_usb_device_next(responder->device, OSTLER_USB_BULK_IN);

    if (!transfer) {
        return false;
    }
    size_t wanted = transfer->wanted;
    bool is_filled = fill_transfer(responder, out, transfer);
    *out_is_over = out->left == 0 && (transfer->size < wanted ||
                                      transfer->size % OSTLER_USB_MAX_PACKET != 0);
    ostler_usb_device_complete(responder->device, transfer);
    if (is_filled) {
        make_ahead(responder, out, wanted);
    }
    return is_filled;
}

/* A container ends with a short packet: if its last is a full one, an empty follows. */
static bool coroutine_fn send_container(OstlerMtpResponder *responder, Outbound *out)
{
    bool is_over = false;
    bool is_going = true;

    while (is_going && !is_over) {
        is_going = send_transfer(responder, out, &is_over);
    }
    g_free(out->ahead);
    return is_going;
}

static bool coroutine_fn send_data(OstlerMtpResponder *responder,
                                   const OstlerMtpContainer *request)
{
    uint8_t head[OSTLER_MTP_HEADER];
    uint64_t size = ostler_mtp_session_size(responder->session);
    Outbound out = { .head = head,
                     .n_head = sizeof(head),
                     .left = sizeof(head) + size };

    ostler_mtp_data_header(request->code, request->transaction, size, head);
    return send_container(responder, &out);
}

static bool coroutine_fn send_response(OstlerMtpResponder *responder, bool is_whole)
{
    OstlerMtpContainer response;
    uint8_t bytes[32];

    ostler_mtp_session_end(responder->session, is_whole, &response);
    size_t size = ostler_mtp_container_encode(&response, bytes);
    Outbound out = { .head = bytes, .n_head = size, .left = size };
    return send_container(responder, &out);
}

/* ---- from the initiator ---- */

static bool is_short(size_t size)
{
    return size % OSTLER_USB_MAX_PACKET != 0 || size == 0;
}

/* Take one transfer of the data phase; @wants_payload is false for data that is only
 * to be got rid of. */
static bool coroutine_fn receive_part(OstlerMtpResponder *responder,
                                      OstlerMtpInbound *inbound, bool wants_payload)
{
    OstlerUsbTransfer *transfer =
        ostler_usb_device_next(responder->device, OSTLER_USB_BULK_OUT);

    if (!transfer) {
        return false;
    }
    size_t n_payload;
    const uint8_t *payload = ostler_mtp_inbound_feed(
        inbound, transfer->data, transfer->size, is_short(transfer->size), &n_payload);
    if (payload && wants_payload) {
        ostler_mtp_session_consume(responder->session, payload, n_payload);
    }
    ostler_usb_device_complete(responder->device, transfer);
    return true;
}

static bool coroutine_fn receive_data(OstlerMtpResponder *responder, bool *out_is_whole)
{
    OstlerMtpInbound inbound = { 0 };

    while (!inbound.is_ended) {
        if (!receive_part(responder, &inbound, true)) {
            return false;
        }
    }
    *out_is_whole = !inbound.is_broken;
    return true;
}

/* What is no command may be the data of one that was refused: it is let pass. */
static bool coroutine_fn skip_data(OstlerMtpResponder *responder,
                                   const OstlerUsbTransfer *first)
{
    OstlerMtpInbound inbound = { 0 };
    size_t n_payload;

    ostler_mtp_inbound_feed(&inbound, first->data, first->size, is_short(first->size),
                            &n_payload);
    while (!inbound.is_ended) {
        if (!receive_part(responder, &inbound, false)) {
            return false;
        }
    }
    return true;
}

static bool is_command(const OstlerUsbTransfer *transfer,
                       OstlerMtpContainer *out_request)
{
    return ostler_mtp_container_decode(transfer->data, transfer->size, out_request) &&
           out_request->type == OSTLER_MTP_CONTAINER_COMMAND;
}

/* Wait for a command; empty transfers end what came before and are skipped. */
static bool coroutine_fn receive_request(OstlerMtpResponder *responder,
                                         OstlerMtpContainer *out_request)
{
    bool is_found = false;
    bool is_interrupted = false;

    while (!is_found && !is_interrupted) {
        OstlerUsbTransfer *transfer =
            ostler_usb_device_next(responder->device, OSTLER_USB_BULK_OUT);
        if (!transfer) {
            return false;
        }
        is_found = is_command(transfer, out_request);
        if (!is_found && transfer->size > 0) {
            is_interrupted = !skip_data(responder, transfer);
        }
        ostler_usb_device_complete(responder->device, transfer);
    }
    return is_found;
}

/* ---- transactions ---- */

static OstlerMtpPhase coroutine_fn begin(OstlerMtpResponder *responder,
                                         const OstlerMtpContainer *request)
{
    OstlerMtpPhase phase = ostler_mtp_session_begin(responder->session, request);

    if (phase == OSTLER_MTP_WANTS_THUMB) {
        GBytes *thumb = ostler_mtp_thumbnailer_make(
            responder->thumbnailer, ostler_mtp_session_image(responder->session));
        phase = ostler_mtp_session_give_thumb(responder->session, thumb);
    }
    return phase;
}

/* One transaction; false if it was interrupted. */
static bool coroutine_fn transact(OstlerMtpResponder *responder)
{
    OstlerMtpContainer request;
    bool is_whole = true;

    if (!receive_request(responder, &request)) {
        return false;
    }
    switch (begin(responder, &request)) {
    case OSTLER_MTP_DATA_TO_INITIATOR:
        if (!send_data(responder, &request)) {
            return false;
        }
        break;
    case OSTLER_MTP_DATA_FROM_INITIATOR:
        if (!receive_data(responder, &is_whole)) {
            return false;
        }
        break;
    case OSTLER_MTP_NO_DATA:
    case OSTLER_MTP_WANTS_THUMB:
        break;
    }
    return send_response(responder, is_whole);
}

/* Act on the note that interrupted a transaction. */
static void unwind(OstlerMtpResponder *responder)
{
    ostler_mtp_session_abandon(responder->session);
    if (responder->must_close) {
        ostler_mtp_session_close(responder->session);
        ostler_mtp_events_clear(responder->events);
    }
    responder->must_close = false;
    responder->is_cancelling = false;
    ostler_usb_device_go_on(responder->device);
}

void coroutine_fn ostler_mtp_responder_run(OstlerMtpResponder *responder)
{
    while (!responder->is_stopped) {
        if (!transact(responder)) {
            unwind(responder);
        }
    }
}
