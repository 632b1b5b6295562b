/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A host's requests are not seen here: the controller has them, and takes what we offer.
 * So each endpoint has a coroutine that offers.  To the host: let the responder fill a
 * transfer of our choosing, write it, and again.  From the host: read, and queue what
 * came.  Each waits while no host has configured the device.
 *
 * The responder ends a container by a transfer that is short of what was wanted.  On the
 * bus that takes an empty packet when the size is a multiple of the packets' own, which
 * differs by speed; coming in, a read that ended early says that there was one.
 *
 * What was offered to a host that then cancels or resets must not reach it afterwards:
 * the write is taken back, and the read too.
 */
#include "mtp/transport/functionfs.h"

#include <cpc/glib.h>
#include <cpc/lock.h>
#include <string.h>

#define TRANSFER 65536u /* a multiple of every speed's packets */

#define MAX_EVENTS 256

#define CANCEL_REQUEST 0x64
#define DEVICE_RESET   0x66

enum { IN = 1, OUT = 2, EVENT = 3 };

struct OstlerFunctionfs {
    OstlerUsbDevice *device;
    OstlerGadget *gadget;
    OstlerUsbTransport transport;
    bool is_enabled;
    bool is_ending;
    CoQueue changed; /* one of the two, or what the coroutines wait for */
    unsigned n_running;

    uint8_t in[TRANSFER];
    size_t n_in;
    bool is_filled; /* ->in waits to be written */
    bool is_asked;  /* a transfer to be filled is with the device */
    uint8_t out[TRANSFER];
    unsigned n_unacknowledged; /* transfers that the device has not taken in yet */
    GQueue events;             /* of GBytes */
    uint64_t next_id;
};

/* ---- the device's side ---- */

static void coroutine_fn complete(const OstlerUsbTransfer *transfer, void *opaque)
{
    OstlerFunctionfs *link = opaque;

    if (transfer->endpoint == OSTLER_USB_BULK_OUT) {
        link->n_unacknowledged--;
    } else {
        link->is_asked = false;
        link->is_filled = transfer->status == OSTLER_USB_OK;
        link->n_in = MIN(transfer->size, TRANSFER);
        if (link->is_filled && link->n_in > 0) {
            memcpy(link->in, transfer->data, link->n_in);
        }
    }
    cpc_queue_all(&link->changed);
}

static void forget_event(void *opaque)
{
    g_bytes_unref(opaque);
}

static void coroutine_fn send_event(const uint8_t *data, size_t size, void *opaque)
{
    OstlerFunctionfs *link = opaque;

    if (link->events.length == MAX_EVENTS) {
        forget_event(g_queue_pop_head(&link->events));
    }
    g_queue_push_tail(&link->events, g_bytes_new(data, size));
    cpc_queue_all(&link->changed);
}

/* ---- endpoints ---- */

static void coroutine_fn ask_for_data(OstlerFunctionfs *link)
{
    link->is_asked = true;
    ostler_usb_device_submit(
        link->device,
        ostler_usb_transfer_new(++link->next_id, OSTLER_USB_BULK_IN, TRANSFER));
}

/* What is short of a whole transfer is a container's end, which the host must see. */
static void coroutine_fn write_data(OstlerFunctionfs *link)
{
    unsigned packet = ostler_gadget_packet_size(link->gadget, IN);
    bool needs_empty = link->n_in > 0 && link->n_in < TRANSFER && packet > 0 &&
                       link->n_in % packet == 0;

    link->is_filled = false;
    if (ostler_gadget_write(link->gadget, IN, link->in, link->n_in, NULL) &&
        needs_empty) {
        ostler_gadget_write(link->gadget, IN, link->in, 0, NULL);
    }
}

static void coroutine_fn run_in(OstlerFunctionfs *link)
{
    while (!link->is_ending) {
        if (link->is_enabled && link->is_filled) {
            write_data(link);
        } else if (link->is_enabled && !link->is_asked) {
            ask_for_data(link);
        } else {
            cpc_queue_wait(&link->changed, NULL);
        }
    }
}

static void coroutine_fn submit_out(OstlerFunctionfs *link, size_t size)
{
    OstlerUsbTransfer *transfer =
        ostler_usb_transfer_new(++link->next_id, OSTLER_USB_BULK_OUT, 0);

    if (size > 0 && !ostler_usb_transfer_reserve(transfer, size)) {
        ostler_usb_transfer_free(transfer);
        return;
    }
    if (size > 0) {
        memcpy(transfer->data, link->out, size);
    }
    link->n_unacknowledged++;
    ostler_usb_device_submit(link->device, transfer);
}

/* Waits for a host to be there, or for a pause to end after a read that failed. */
static void coroutine_fn read_data(OstlerFunctionfs *link)
{
    gssize n = ostler_gadget_read(link->gadget, OUT, link->out, TRANSFER, NULL);

    if (n < 0) {
        cpc_sleep_ms(1); /* what cut it is told by an event */
        return;
    }
    submit_out(link, (size_t)n);
    if (n > 0 && n < (gssize)TRANSFER && n % OSTLER_USB_MAX_PACKET == 0) {
        submit_out(link, 0); /* what ended it */
    }
}

static void coroutine_fn run_out(OstlerFunctionfs *link)
{
    while (!link->is_ending) {
        if (link->is_enabled && link->n_unacknowledged == 0) {
            read_data(link);
        } else {
            cpc_queue_wait(&link->changed, NULL);
        }
    }
}

static void coroutine_fn run_events(OstlerFunctionfs *link)
{
    while (!link->is_ending) {
        if (link->is_enabled && link->events.length > 0) {
            g_autoptr(GBytes) event = g_queue_pop_head(&link->events);
            gsize size;
            const void *data = g_bytes_get_data(event, &size);
            ostler_gadget_write(link->gadget, EVENT, data, size, NULL);
        } else {
            cpc_queue_wait(&link->changed, NULL);
        }
    }
}

typedef void coroutine_fn Run(OstlerFunctionfs *link);

typedef struct {
    OstlerFunctionfs *link;
    Run *run;
} Task;

static void coroutine_fn run_task(void *opaque)
{
    g_autofree Task *task = opaque;

    task->run(task->link);
    task->link->n_running--;
    cpc_queue_all(&task->link->changed);
}

static void coroutine_fn spawn(OstlerFunctionfs *link, Run *run)
{
    Task *task = g_new(Task, 1);

    *task = (Task){ link, run };
    link->n_running++;
    cpc_spawn(run_task, task);
}

/* ---- endpoint 0 ---- */

/* What we had ready for the host is stale, and so is what came of a transfer of its own
 * that it has broken off: the next command would be read as the rest of it. */
static void take_back(OstlerFunctionfs *link)
{
    link->is_filled = false;
    ostler_gadget_cancel(link->gadget, IN);
    ostler_gadget_cancel(link->gadget, OUT);
}

static void coroutine_fn handle_setup(OstlerFunctionfs *link,
                                      const OstlerUsbSetup *setup)
{
    bool is_to_host = setup->request_type & 0x80;
    bool is_class = (setup->request_type & 0x60) == 0x20;
    uint8_t data[64];
    size_t size = is_to_host ? 0 : MIN(setup->length, sizeof(data));

    /* The data stage first: a read of nothing would end the request. */
    if (size > 0 && ostler_gadget_take(link->gadget, data, size) != (gssize)size) {
        return;
    }
    GByteArray *bytes = ostler_usb_device_control(link->device, setup, data, size);
    if (is_class &&
        (setup->request == CANCEL_REQUEST || setup->request == DEVICE_RESET)) {
        take_back(link);
    }
    if (!bytes) {
        if (size == 0) {
            ostler_gadget_stall(link->gadget, is_to_host);
        }
        return;
    }
    if (is_to_host) {
        ostler_gadget_answer(link->gadget, bytes->data, bytes->len);
    } else if (size == 0) {
        ostler_gadget_take(link->gadget, data, 0);
    }
    g_byte_array_unref(bytes);
}

static void coroutine_fn enable(OstlerFunctionfs *link, bool is_enabled)
{
    link->is_enabled = is_enabled;
    link->is_filled = false;
    ostler_usb_device_reset(link->device);
    ostler_usb_device_configure(link->device, is_enabled ? 1 : 0);
    g_queue_clear_full(&link->events, forget_event);
    cpc_queue_all(&link->changed);
}

static void coroutine_fn handle_event(OstlerFunctionfs *link, const uint8_t *bytes)
{
    OstlerUsbSetup setup;

    switch (ostler_functionfs_decode(bytes, &setup)) {
    case OSTLER_FUNCTIONFS_ENABLE:
        enable(link, true);
        break;
    case OSTLER_FUNCTIONFS_DISABLE:
    case OSTLER_FUNCTIONFS_UNBIND:
        enable(link, false);
        break;
    case OSTLER_FUNCTIONFS_SETUP:
        handle_setup(link, &setup);
        break;
    case OSTLER_FUNCTIONFS_BIND:
    case OSTLER_FUNCTIONFS_SUSPEND:
    case OSTLER_FUNCTIONFS_RESUME:
        break; /* transfers wait by themselves meanwhile */
    }
}

/* ---- */

OstlerFunctionfs *ostler_functionfs_new(OstlerUsbDevice *device, OstlerGadget *gadget)
{
    OstlerFunctionfs *link = g_new0(OstlerFunctionfs, 1);

    link->device = device;
    link->gadget = gadget;
    link->transport = (OstlerUsbTransport){ complete, send_event, link };
    return link;
}

void ostler_functionfs_free(OstlerFunctionfs *link)
{
    if (link) {
        g_queue_clear_full(&link->events, forget_event);
        g_free(link);
    }
}

bool coroutine_fn ostler_functionfs_serve(OstlerFunctionfs *link, GError **error)
{
    uint8_t events[4 * OSTLER_GADGET_EVENT_SIZE];
    gssize n;

    ostler_usb_device_set_transport(link->device, &link->transport);
    spawn(link, run_in);
    spawn(link, run_out);
    spawn(link, run_events);
    while ((n = ostler_gadget_events(link->gadget, events, sizeof(events), error)) >
           0) {
        for (gssize at = 0; at + OSTLER_GADGET_EVENT_SIZE <= n;
             at += OSTLER_GADGET_EVENT_SIZE) {
            handle_event(link, events + at);
        }
    }
    ostler_functionfs_end(link);
    while (link->n_running > 0) {
        cpc_queue_wait(&link->changed, NULL);
    }
    ostler_usb_device_set_transport(link->device, NULL);
    return n == 0;
}

void ostler_functionfs_end(OstlerFunctionfs *link)
{
    link->is_ending = true;
    ostler_gadget_end(link->gadget);
    cpc_queue_all(&link->changed);
}
