/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The reader takes commands; what the device completes is written from the responder's
 * coroutine, so that writes are made under a mutex, whole messages at a time.
 *
 * The host gives up a request that it has unlinked, and hangs up when an answer to it
 * comes all the same.  So all that is not answered yet is in ->pending, in its order,
 * and what is no longer there when the device completes it is dropped.
 *
 * A client's large read is cut into requests of which all but the last say that they
 * must not be short (Linux, drivers/usb/core/devio.c, "bulk continuation").  When one is
 * short the rest of the chain is of no use to anybody, and must not get the data that come
 * next: they are given back before the host asks for it.
 *
 * A reset of the bus stays with the host; the configuration it sets afterwards tells.
 */
#include "mtp/transport/usbip-link.h"

#include "mtp/transport/usbip.h"

#include <cpc/lock.h>
#include <string.h>

/* Events for a host that does not listen just now; then the oldest is dropped. */
#define MAX_EVENTS 256

/* A host that has more under way has lost its way. */
#define MAX_PENDING 4096

#define REQUEST_SET_CONFIGURATION 9

typedef struct {
    uint32_t sequence;
    uint8_t endpoint;
    uint32_t flags;
    uint32_t length;
} Pending;

typedef struct {
    OstlerUsbDevice *device;
    const OstlerUsbipStream *stream;
    OstlerUsbTransport transport;
    CoMutex writing;
    bool is_broken; /* a write failed */
    GQueue pending; /* of Pending */
    GQueue events;  /* of GBytes, for the next request of the interrupt endpoint */
} Link;

static bool coroutine_fn write_bytes(Link *link, const void *bytes, size_t size)
{
    cpc_mutex_lock(&link->writing);
    if (!link->is_broken) {
        link->is_broken = !link->stream->write(bytes, size, link->stream->opaque, NULL);
    }
    cpc_mutex_unlock(&link->writing);
    return !link->is_broken;
}

/* Exactly @size bytes; false at the end of the stream, with *@error if it was no end. */
static bool coroutine_fn read_bytes(const OstlerUsbipStream *stream, void *buffer,
                                    size_t size, GError **error)
{
    size_t done = 0;

    while (done < size) {
        gssize n =
            stream->read((char *)buffer + done, size - done, stream->opaque, error);
        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

static bool refuse(const char *what, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "The peer does not speak USB/IP: %s", what);
    return false;
}

/* ---- what is under way ---- */

static GList *find_pending(Link *link, uint32_t sequence)
{
    for (GList *at = link->pending.head; at; at = at->next) {
        const Pending *pending = at->data;
        if (pending->sequence == sequence) {
            return at;
        }
    }
    return NULL;
}

/* Take it out; false if it is not there, because the host has unlinked it. */
static bool take_pending(Link *link, uint32_t sequence, Pending *out_pending)
{
    GList *at = find_pending(link, sequence);

    if (!at) {
        return false;
    }
    *out_pending = *(Pending *)at->data;
    g_free(at->data);
    g_queue_delete_link(&link->pending, at);
    return true;
}

static void add_pending(Link *link, const OstlerUsbipCommand *command)
{
    Pending *pending = g_new(Pending, 1);

    *pending = (Pending){ command->sequence, command->endpoint, command->flags,
                          command->length };
    g_queue_push_tail(&link->pending, pending);
}

/* ---- answers ---- */

static void coroutine_fn answer(Link *link, uint32_t sequence, OstlerUsbipResult result,
                                uint32_t actual)
{
    uint8_t head[OSTLER_USBIP_COMMAND_SIZE];

    ostler_usbip_encode_submitted(sequence, result, actual, head);
    write_bytes(link, head, sizeof(head));
}

/* @data has room for the head before it. */
static void coroutine_fn answer_in(Link *link, uint32_t sequence,
                                   OstlerUsbipResult result, uint8_t *data, size_t size)
{
    uint8_t *start = data - OSTLER_USBIP_COMMAND_SIZE;

    ostler_usbip_encode_submitted(sequence, result, (uint32_t)size, start);
    write_bytes(link, start, OSTLER_USBIP_COMMAND_SIZE + size);
}

/* Give back the rest of the chain that @first, which came short, began. */
static void coroutine_fn end_chain(Link *link, const Pending *first)
{
    g_autoptr(GArray) chain = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    bool is_last = false;

    for (GList *at = link->pending.head; at && !is_last; at = at->next) {
        const Pending *pending = at->data;
        if (pending->endpoint == first->endpoint) {
            g_array_append_val(chain, pending->sequence);
            is_last = !(pending->flags & OSTLER_USBIP_SHORT_NOT_OK);
        }
    }
    for (guint i = 0; i < chain->len; i++) {
        ostler_usb_device_cancel(link->device, g_array_index(chain, uint32_t, i));
    }
}

static OstlerUsbipResult result_of(const OstlerUsbTransfer *transfer,
                                   const Pending *pending)
{
    static const OstlerUsbipResult results[] = {
        [OSTLER_USB_OK] = OSTLER_USBIP_DONE,
        [OSTLER_USB_CANCELLED] = OSTLER_USBIP_UNLINKED,
        [OSTLER_USB_STALL] = OSTLER_USBIP_STALLED,
    };
    bool is_short = (pending->endpoint & 0x80) && transfer->size < pending->length &&
                    (pending->flags & OSTLER_USBIP_SHORT_NOT_OK);

    return transfer->status == OSTLER_USB_OK && is_short ? OSTLER_USBIP_SHORT
                                                         : results[transfer->status];
}

static void coroutine_fn complete(const OstlerUsbTransfer *transfer, void *opaque)
{
    Link *link = opaque;
    Pending pending;

    if (!take_pending(link, (uint32_t)transfer->id, &pending)) {
        return;
    }
    OstlerUsbipResult result = result_of(transfer, &pending);
    if ((transfer->endpoint & 0x80) && transfer->size > 0) {
        answer_in(link, pending.sequence, result, transfer->data, transfer->size);
    } else {
        answer(link, pending.sequence, result, (uint32_t)transfer->size);
    }
    if (result == OSTLER_USBIP_SHORT) {
        end_chain(link, &pending);
    }
}

/* ---- events ---- */

static Pending *first_listener(const Link *link)
{
    for (GList *at = link->pending.head; at; at = at->next) {
        Pending *pending = at->data;
        if (pending->endpoint == OSTLER_USB_EVENT_IN) {
            return pending;
        }
    }
    return NULL;
}

/* Pair events with the requests that wait for them. */
static void coroutine_fn tell(Link *link)
{
    const Pending *listener;

    while (link->events.head && (listener = first_listener(link))) {
        g_autoptr(GBytes) event = g_queue_pop_head(&link->events);
        uint8_t buffer[OSTLER_USBIP_COMMAND_SIZE + OSTLER_USB_MAX_EVENT];
        size_t size = MIN(g_bytes_get_size(event), listener->length);
        Pending taken;

        take_pending(link, listener->sequence, &taken);
        memcpy(buffer + OSTLER_USBIP_COMMAND_SIZE, g_bytes_get_data(event, NULL), size);
        answer_in(link, taken.sequence, OSTLER_USBIP_DONE,
                  buffer + OSTLER_USBIP_COMMAND_SIZE, size);
    }
}

static void forget_event(void *opaque)
{
    g_bytes_unref(opaque);
}

static void coroutine_fn send_event(const uint8_t *data, size_t size, void *opaque)
{
    Link *link = opaque;

    if (link->events.length == MAX_EVENTS) {
        forget_event(g_queue_pop_head(&link->events));
    }
    g_queue_push_tail(&link->events,
                      g_bytes_new(data, MIN(size, OSTLER_USB_MAX_EVENT)));
    tell(link);
}

/* ---- what the host does ---- */

/* The host has the bus to itself: this is how its resets are seen. */
static void coroutine_fn mind_reset(Link *link, const OstlerUsbSetup *setup)
{
    if (setup->request_type == 0 && setup->request == REQUEST_SET_CONFIGURATION) {
        ostler_usb_device_reset(link->device);
        g_queue_clear_full(&link->events, forget_event);
    }
}

static void coroutine_fn handle_control(Link *link, const OstlerUsbipCommand *command,
                                        const OstlerUsbTransfer *transfer)
{
    mind_reset(link, &command->setup);
    GByteArray *bytes = ostler_usb_device_control(link->device, &command->setup,
                                                  transfer->data, transfer->size);
    if (!bytes) {
        answer(link, command->sequence, OSTLER_USBIP_STALLED, 0);
        return;
    }
    if (command->endpoint & 0x80) {
        uint8_t head[OSTLER_USBIP_COMMAND_SIZE];
        guint size = MIN(bytes->len, command->length);
        ostler_usbip_encode_submitted(command->sequence, OSTLER_USBIP_DONE, size, head);
        g_byte_array_set_size(bytes, size);
        g_byte_array_prepend(bytes, head, sizeof(head));
        write_bytes(link, bytes->data, bytes->len);
    } else {
        answer(link, command->sequence, OSTLER_USBIP_DONE, command->length);
    }
    g_byte_array_unref(bytes);
}

/* @transfer is taken over. */
static void coroutine_fn handle_submit(Link *link, const OstlerUsbipCommand *command,
                                       OstlerUsbTransfer *transfer)
{
    if ((command->endpoint & 0x7f) == 0) {
        handle_control(link, command, transfer);
        ostler_usb_transfer_free(transfer);
        return;
    }
    add_pending(link, command);
    if (command->endpoint == OSTLER_USB_EVENT_IN) {
        ostler_usb_transfer_free(transfer);
        tell(link);
    } else {
        ostler_usb_device_submit(link->device, transfer);
    }
}

static void coroutine_fn handle_unlink(Link *link, const OstlerUsbipCommand *command)
{
    uint8_t head[OSTLER_USBIP_COMMAND_SIZE];
    Pending pending;
    bool is_found = take_pending(link, command->unlinked, &pending);

    if (is_found) {
        ostler_usb_device_cancel(link->device, command->unlinked);
    }
    ostler_usbip_encode_unlinked(
        command->sequence, is_found ? OSTLER_USBIP_UNLINKED : OSTLER_USBIP_DONE, head);
    write_bytes(link, head, sizeof(head));
}

/* The data of an OUT transfer follow its command.  NULL at the end, or with *@error. */
static OstlerUsbTransfer *coroutine_fn read_transfer(Link *link,
                                                     const OstlerUsbipCommand *command,
                                                     GError **error)
{
    bool is_in = command->endpoint & 0x80;
    g_autoptr(OstlerUsbTransfer) transfer = ostler_usb_transfer_new(
        command->sequence, command->endpoint, is_in ? command->length : 0);

    if (is_in || command->length == 0) {
        return g_steal_pointer(&transfer);
    }
    if (!ostler_usb_transfer_reserve(transfer, command->length)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "No memory for a transfer of %u bytes", command->length);
        return NULL;
    }
    return read_bytes(link->stream, transfer->data, transfer->size, error)
               ? g_steal_pointer(&transfer)
               : NULL;
}

static bool coroutine_fn serve_command(Link *link, GError **error)
{
    uint8_t bytes[OSTLER_USBIP_COMMAND_SIZE];
    OstlerUsbipCommand command;

    if (!read_bytes(link->stream, bytes, sizeof(bytes), error)) {
        return false;
    }
    if (!ostler_usbip_decode_command(bytes, &command)) {
        return refuse("a command is wrong", error);
    }
    if (command.code == OSTLER_USBIP_UNLINK) {
        handle_unlink(link, &command);
        return true;
    }
    if (link->pending.length >= MAX_PENDING) {
        return refuse("too many requests are under way", error);
    }
    OstlerUsbTransfer *transfer = read_transfer(link, &command, error);
    if (!transfer) {
        return false;
    }
    handle_submit(link, &command, transfer);
    return true;
}

static bool coroutine_fn answer_array(const OstlerUsbipStream *stream,
                                      GByteArray *array, GError **error)
{
    bool is_sent = stream->write(array->data, array->len, stream->opaque, error);

    g_byte_array_unref(array);
    return is_sent;
}

/* The device is plugged into the client, from @reply on until it hangs up. */
static bool coroutine_fn serve_imported(OstlerUsbDevice *device,
                                        const OstlerUsbipStream *stream,
                                        GByteArray *reply, GError **error)
{
    g_autoptr(GError) why = NULL;
    Link link = { .device = device, .stream = stream };
    link.transport = (OstlerUsbTransport){ complete, send_event, &link };

    /* Before the answer: from now on the device is taken. */
    ostler_usb_device_set_transport(device, &link.transport);
    bool is_well = answer_array(stream, reply, &why);
    while (is_well && !link.is_broken) {
        is_well = serve_command(&link, &why);
    }
    ostler_usb_device_set_transport(device, NULL);

    /* The responder may be in the middle of a write; let it come out of it. */
    link.is_broken = true;
    cpc_mutex_lock(&link.writing);
    cpc_mutex_unlock(&link.writing);
    g_queue_clear_full(&link.pending, g_free);
    g_queue_clear_full(&link.events, forget_event);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    return true;
}

/* ---- requests ---- */

static bool coroutine_fn serve_import(OstlerUsbDevice *device,
                                      const OstlerUsbipStream *stream,
                                      bool *out_was_imported, GError **error)
{
    const OstlerUsbIdentity *identity = ostler_usb_device_identity(device);
    char bus_id[OSTLER_USBIP_BUS_ID_SIZE];
    GByteArray *array = g_byte_array_new();

    if (!read_bytes(stream, bus_id, sizeof(bus_id), error)) {
        g_byte_array_unref(array);
        return false;
    }
    bool is_ours = strncmp(bus_id, OSTLER_USBIP_BUS_ID, sizeof(bus_id)) == 0;
    bool is_busy = ostler_usb_device_is_attached(device);
    ostler_usbip_encode_import(identity,
                               !is_ours  ? OSTLER_USBIP_NO_DEVICE
                               : is_busy ? OSTLER_USBIP_BUSY
                                         : OSTLER_USBIP_IMPORTED,
                               array);
    *out_was_imported = is_ours && !is_busy;
    return *out_was_imported ? serve_imported(device, stream, array, error)
                             : answer_array(stream, array, error);
}

bool coroutine_fn ostler_usbip_serve(OstlerUsbDevice *device,
                                     const OstlerUsbipStream *stream,
                                     bool *out_was_imported, GError **error)
{
    uint8_t bytes[OSTLER_USBIP_REQUEST_SIZE];
    OstlerUsbipRequest request;
    g_autoptr(GError) why = NULL;

    *out_was_imported = false;
    if (!read_bytes(stream, bytes, sizeof(bytes), &why)) {
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        return true; /* it hung up */
    }
    if (!ostler_usbip_decode_request(bytes, &request)) {
        return refuse("the request is unknown, or of another version", error);
    }
    if (request == OSTLER_USBIP_REQ_IMPORT) {
        return serve_import(device, stream, out_was_imported, error);
    }
    GByteArray *array = g_byte_array_new();
    ostler_usbip_encode_devices(ostler_usb_device_identity(device), array);
    return answer_array(stream, array, error);
}
