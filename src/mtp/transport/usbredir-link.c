/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * ostler_usbredir_serve() is the reader: it alone reads, and answers control packets
 * itself.  Bulk transfers are completed from the responder's coroutine, which runs at
 * the same time, so every write is made under one mutex, whole packets at a time.  A
 * packet of data is written with one call: the transfer left room for our head before
 * its data.
 *
 * The first failed write ends the link: what is written after it goes nowhere, and the
 * reader sees the end of the stream by itself, because streams break both ways.
 */
#include "mtp/transport/usbredir-link.h"

#include "mtp/transport/usbredir.h"

#include <cpc/lock.h>
#include <string.h>

/* Big enough that a bulk packet of libmtp's 16 KiB and its followers come in one read. */
#define READ_SIZE (128u << 10)

typedef struct {
    OstlerUsbDevice *device;
    const OstlerUsbredirStream *stream;
    OstlerUsbTransport transport;
    CoMutex writing;
    bool is_broken;                  /* a write failed */
    bool is_listening;               /* start_interrupt_receiving was asked */
    uint64_t next_event_id;          /* interrupt packets carry ids of our own */
    unsigned n_in, n_out, n_control; /* what the host asked, for the log */

    uint8_t *buffer;
    size_t at; /* the unread bytes are buffer[at..end) */
    size_t end;
    size_t capacity;
} Link;

static void coroutine_fn write_bytes(Link *link, const void *bytes, size_t size)
{
    cpc_mutex_lock(&link->writing);
    if (!link->is_broken) {
        link->is_broken = !link->stream->write(bytes, size, link->stream->opaque, NULL);
    }
    cpc_mutex_unlock(&link->writing);
}

static void coroutine_fn write_array(Link *link, GByteArray *array)
{
    write_bytes(link, array->data, array->len);
    g_byte_array_unref(array);
}

static void coroutine_fn write_packet(Link *link, const OstlerUsbredirPacket *packet)
{
    GByteArray *array = g_byte_array_new();

    ostler_usbredir_encode(packet, array);
    write_array(link, array);
}

/* ---- what the device does ---- */

static uint8_t status_on_wire(OstlerUsbStatus status)
{
    static const uint8_t statuses[] = {
        [OSTLER_USB_OK] = OSTLER_USBREDIR_SUCCESS,
        [OSTLER_USB_CANCELLED] = OSTLER_USBREDIR_CANCELLED,
        [OSTLER_USB_STALL] = OSTLER_USBREDIR_STALL,
    };
    return statuses[status];
}

static void coroutine_fn complete(const OstlerUsbTransfer *transfer, void *opaque)
{
    Link *link = opaque;
    size_t carried = transfer->endpoint & 0x80 ? transfer->size : 0;
    const OstlerUsbredirPacket packet = {
        .id = transfer->id,
        .endpoint = transfer->endpoint,
        .status = status_on_wire(transfer->status),
        .length = (uint32_t)transfer->size,
    };

    if (carried > 0) {
        uint8_t *start = transfer->data - OSTLER_USBREDIR_BULK_HEAD;
        ostler_usbredir_encode_bulk_head(&packet, carried, start);
        write_bytes(link, start, OSTLER_USBREDIR_BULK_HEAD + carried);
    } else {
        uint8_t head[OSTLER_USBREDIR_BULK_HEAD];
        ostler_usbredir_encode_bulk_head(&packet, 0, head);
        write_bytes(link, head, sizeof(head));
    }
}

static void coroutine_fn send_event(const uint8_t *data, size_t size, void *opaque)
{
    Link *link = opaque;
    const OstlerUsbredirPacket packet = {
        .type = OSTLER_USBREDIR_INTERRUPT_PACKET,
        .id = link->next_event_id,
        .endpoint = OSTLER_USB_EVENT_IN,
        .data = data,
        .size = size,
    };

    if (link->is_listening) {
        link->next_event_id++;
        write_packet(link, &packet);
    }
}

/* ---- what the host does ---- */

typedef void coroutine_fn Handle(Link *link, const OstlerUsbredirPacket *packet);

static void coroutine_fn handle_reset(Link *link, const OstlerUsbredirPacket *packet)
{
    ostler_usb_device_reset(link->device);
}

static void coroutine_fn answer_configuration(Link *link, uint64_t id, bool is_done)
{
    const OstlerUsbredirPacket answer = {
        .type = OSTLER_USBREDIR_CONFIGURATION_STATUS,
        .id = id,
        .status = is_done ? OSTLER_USBREDIR_SUCCESS : OSTLER_USBREDIR_STALL,
        .configuration = ostler_usb_device_configuration(link->device),
    };
    write_packet(link, &answer);
}

static void coroutine_fn handle_set_configuration(Link *link,
                                                  const OstlerUsbredirPacket *packet)
{
    answer_configuration(
        link, packet->id,
        ostler_usb_device_configure(link->device, packet->configuration));
}

static void coroutine_fn handle_get_configuration(Link *link,
                                                  const OstlerUsbredirPacket *packet)
{
    answer_configuration(link, packet->id, true);
}

/* Interface 0 has its one setting, 0; for the others there is nothing to tell. */
static void coroutine_fn handle_alt_setting(Link *link,
                                            const OstlerUsbredirPacket *packet)
{
    bool is_there = packet->interface == 0 && packet->alt == 0;
    const OstlerUsbredirPacket answer = {
        .type = OSTLER_USBREDIR_ALT_SETTING_STATUS,
        .id = packet->id,
        .status = is_there ? OSTLER_USBREDIR_SUCCESS : OSTLER_USBREDIR_STALL,
        .interface = packet->interface,
        .alt = packet->alt,
    };
    write_packet(link, &answer);
}

static void coroutine_fn answer_listening(Link *link,
                                          const OstlerUsbredirPacket *packet,
                                          bool is_listening)
{
    bool is_there = packet->endpoint == OSTLER_USB_EVENT_IN;
    const OstlerUsbredirPacket answer = {
        .type = OSTLER_USBREDIR_INTERRUPT_RECEIVING_STATUS,
        .id = packet->id,
        .status = is_there ? OSTLER_USBREDIR_SUCCESS : OSTLER_USBREDIR_INVALID,
        .endpoint = packet->endpoint,
    };

    if (is_there) {
        link->is_listening = is_listening;
    }
    write_packet(link, &answer);
}

static void coroutine_fn handle_start_listening(Link *link,
                                                const OstlerUsbredirPacket *packet)
{
    answer_listening(link, packet, true);
}

static void coroutine_fn handle_stop_listening(Link *link,
                                               const OstlerUsbredirPacket *packet)
{
    answer_listening(link, packet, false);
}

static void coroutine_fn handle_cancel(Link *link, const OstlerUsbredirPacket *packet)
{
    ostler_usb_device_cancel(link->device, packet->id);
}

static void coroutine_fn handle_control(Link *link, const OstlerUsbredirPacket *packet)
{
    GByteArray *bytes = ostler_usb_device_control(link->device, &packet->setup,
                                                  packet->data, packet->size);
    OstlerUsbredirPacket answer = *packet;

    link->n_control++;
    answer.size = 0;
    if (!bytes) {
        answer.status = OSTLER_USBREDIR_STALL;
        answer.setup.length = 0;
    } else {
        answer.status = OSTLER_USBREDIR_SUCCESS;
        if (packet->setup.request_type & 0x80) {
            answer.data = bytes->data;
            answer.size = bytes->len;
            answer.setup.length = (uint16_t)bytes->len;
        }
    }
    write_packet(link, &answer);
    if (bytes) {
        g_byte_array_unref(bytes);
    }
}

/* Give the buffer away with the packet's data in it; what is unread goes to a new one. */
static void give_buffer(Link *link, const OstlerUsbredirPacket *packet,
                        OstlerUsbTransfer *transfer)
{
    size_t n_unread = link->end - link->at;
    size_t capacity = MAX(n_unread, READ_SIZE);
    uint8_t *fresh = g_malloc(capacity);

    memcpy(fresh, link->buffer + link->at, n_unread);
    ostler_usb_transfer_adopt(transfer, link->buffer, (uint8_t *)packet->data,
                              packet->size);
    link->buffer = fresh;
    link->capacity = capacity;
    link->at = 0;
    link->end = n_unread;
}

static bool take_data(Link *link, const OstlerUsbredirPacket *packet,
                      OstlerUsbTransfer *transfer)
{
    if (packet->size > READ_SIZE) {
        give_buffer(link, packet, transfer);
        return true;
    }
    if (!ostler_usb_transfer_reserve(transfer, packet->size)) {
        return false;
    }
    memcpy(transfer->data, packet->data, packet->size);
    return true;
}

static void coroutine_fn handle_bulk(Link *link, const OstlerUsbredirPacket *packet)
{
    OstlerUsbTransfer *transfer =
        ostler_usb_transfer_new(packet->id, packet->endpoint, packet->length);

    packet->endpoint & 0x80 ? link->n_in++ : link->n_out++;
    if (packet->size > 0 && !take_data(link, packet, transfer)) {
        transfer->status = OSTLER_USB_STALL;
        complete(transfer, link);
        ostler_usb_transfer_free(transfer);
        return;
    }
    ostler_usb_device_submit(link->device, transfer);
}

static const struct {
    OstlerUsbredirType type;
    Handle *handle;
} handlers[] = {
    { OSTLER_USBREDIR_BULK_PACKET, handle_bulk },
    { OSTLER_USBREDIR_CONTROL_PACKET, handle_control },
    { OSTLER_USBREDIR_CANCEL_DATA_PACKET, handle_cancel },
    { OSTLER_USBREDIR_RESET, handle_reset },
    { OSTLER_USBREDIR_SET_CONFIGURATION, handle_set_configuration },
    { OSTLER_USBREDIR_GET_CONFIGURATION, handle_get_configuration },
    { OSTLER_USBREDIR_SET_ALT_SETTING, handle_alt_setting },
    { OSTLER_USBREDIR_GET_ALT_SETTING, handle_alt_setting },
    { OSTLER_USBREDIR_START_INTERRUPT_RECEIVING, handle_start_listening },
    { OSTLER_USBREDIR_STOP_INTERRUPT_RECEIVING, handle_stop_listening },
};

static void coroutine_fn handle_packet(Link *link, const OstlerUsbredirPacket *packet)
{
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (handlers[i].type == packet->type) {
            handlers[i].handle(link, packet);
            return;
        }
    }
    g_debug("usbredir packet of type %u is skipped", packet->type);
}

/* ---- reading ---- */

/* Make room for a packet of @needed bytes, and for as much as the peer has ready. */
static bool make_room(Link *link, size_t needed, GError **error)
{
    size_t capacity = MAX(needed, READ_SIZE);

    memmove(link->buffer, link->buffer + link->at, link->end - link->at);
    link->end -= link->at;
    link->at = 0;
    if (capacity <= link->capacity) {
        return true;
    }

    uint8_t *larger = g_try_realloc(link->buffer, capacity);
    if (!larger) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "No memory for a usbredir packet of %zu bytes", needed);
        return false;
    }
    link->buffer = larger;
    link->capacity = capacity;
    return true;
}

/* Read until @out_packet is whole: its size, 0 at the end of the stream, or -1. */
static gssize coroutine_fn read_packet(Link *link, bool is_hello,
                                       OstlerUsbredirPacket *out_packet, GError **error)
{
    for (;;) {
        size_t needed;
        gssize taken =
            ostler_usbredir_decode(link->buffer + link->at, link->end - link->at,
                                   is_hello, out_packet, &needed);
        if (taken < 0) {
            g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "The peer does not speak usbredir: a packet of type %u is wrong",
                out_packet->type);
            return -1;
        }
        if (taken > 0) {
            link->at += (size_t)taken;
            return taken;
        }
        if (!make_room(link, needed, error)) {
            return -1;
        }

        gssize count =
            link->stream->read(link->buffer + link->end, link->capacity - link->end,
                               link->stream->opaque, error);
        if (count <= 0) {
            return count;
        }
        link->end += (size_t)count;
    }
}

static bool is_handled(uint32_t type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (handlers[i].type == type) {
            return true;
        }
    }
    return false;
}

/* A QEMU that a guest was migrated to goes on where the last one was, without a hello
 * (hw/usb/redirect.c, usbredirparser_fl_no_hello).  It may be in the middle of a packet of
 * the other connection, so that nothing can be said to it: only closing this one helps. */
static void explain(const OstlerUsbredirPacket *first, GError **error)
{
    if (is_handled(first->type)) {
        g_clear_error(error);
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "QEMU goes on with another's conversation, as after a migration; it "
            "has to be called again");
    }
}

static bool coroutine_fn greet(Link *link, GError **error)
{
    const OstlerUsbredirPacket hello = {
        .type = OSTLER_USBREDIR_HELLO,
        .capabilities = OSTLER_USBREDIR_CAPS,
    };
    OstlerUsbredirPacket theirs;

    write_packet(link, &hello);
    gssize taken = read_packet(link, true, &theirs, error);
    if (taken < 0) {
        explain(&theirs, error);
    }
    if (taken <= 0) {
        return taken == 0;
    }
    if ((theirs.capabilities & OSTLER_USBREDIR_CAPS) != OSTLER_USBREDIR_CAPS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "The peer's usbredir is too old: it has capabilities 0x%x, 0x%x "
                    "are needed",
                    theirs.capabilities, OSTLER_USBREDIR_CAPS);
        return false;
    }

    GByteArray *description = g_byte_array_new();
    ostler_usbredir_encode_description(ostler_usb_device_identity(link->device),
                                       description);
    write_array(link, description);
    return true;
}

static bool coroutine_fn converse(Link *link, GError **error)
{
    OstlerUsbredirPacket packet;
    gssize taken;

    if (!greet(link, error)) {
        return false;
    }
    while ((taken = read_packet(link, false, &packet, error)) > 0) {
        handle_packet(link, &packet);
    }
    return taken == 0;
}

bool coroutine_fn ostler_usbredir_serve(OstlerUsbDevice *device,
                                        const OstlerUsbredirStream *stream,
                                        GError **error)
{
    Link link = { .device = device, .stream = stream };
    link.buffer = g_malloc(READ_SIZE);
    link.capacity = READ_SIZE;
    link.transport = (OstlerUsbTransport){ complete, send_event, &link };

    ostler_usb_device_set_transport(device, &link.transport);
    bool is_done = converse(&link, error);
    ostler_usb_device_set_transport(device, NULL);
    g_debug("transfers: %u in, %u out, %u control", link.n_in, link.n_out,
            link.n_control);

    /* The responder may be in the middle of a write; let it come out of it. */
    link.is_broken = true;
    cpc_mutex_lock(&link.writing);
    cpc_mutex_unlock(&link.writing);
    g_free(link.buffer);
    return is_done;
}
