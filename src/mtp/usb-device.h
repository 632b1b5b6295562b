/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usb-device.h - a USB device with one MTP interface, whatever carries its packets
 *
 * Stands between a transport (usbredir, USB/IP, FunctionFS) and the responder.
 * The transport hands in control requests, which are answered at once, and transfers,
 * which wait in their endpoint's queue until the responder takes them.  The responder
 * takes a transfer, fills or empties it, and completes it through the transport.
 *
 * Sources:    USB 2.0 chapter 9; Still Image Capture Device class 1.0 chapters 5 and 6
 *             (descriptors, class requests); Microsoft OS Descriptors 1.0.
 * Units:      bytes.
 * Ownership:  a transfer belongs to the queue, then to whoever took it, and goes with
 *             completing it.  The device borrows transport and function.
 * Errors:     what the host got wrong is a stall.
 * Threads:    one main context.  One coroutine at a time may wait on an endpoint.
 */
#pragma once

#include <cpc/coroutine.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OSTLER_USB_MAX_PACKET 512 /* bulk, high speed: USB 2.0 5.8.3 */
#define OSTLER_USB_MAX_EVENT  64  /* interrupt endpoint */
/* bInterval, USB 2.0 table 9-13: 8 microframes, an event a millisecond (events.h). */
#define OSTLER_USB_EVENT_INTERVAL 4

/* The endpoints' addresses; bit 7 is the direction, to the host when set. */
#define OSTLER_USB_BULK_IN  0x81
#define OSTLER_USB_BULK_OUT 0x02
#define OSTLER_USB_EVENT_IN 0x83

/* A transfer leaves this many bytes before its data for the transport's own header. */
#define OSTLER_USB_HEADROOM 48

/* No transfer is larger: a guest must not choose how much memory we take. */
#define OSTLER_USB_MAX_TRANSFER (32u << 20)

typedef enum {
    OSTLER_USB_OK,
    OSTLER_USB_CANCELLED,
    OSTLER_USB_STALL,
} OstlerUsbStatus;

typedef struct {
    uint64_t id; /* the transport's name for it */
    uint8_t endpoint;
    size_t wanted; /* to the host: how much it has room for */
    size_t size;   /* bytes at @data */
    uint8_t *data; /* inside @buffer, after the headroom */
    OstlerUsbStatus status;
    bool is_acknowledged; /* the host was told already */
    uint8_t *buffer;      /* owned; NULL until there is data */
} OstlerUsbTransfer;

OstlerUsbTransfer *ostler_usb_transfer_new(uint64_t id, uint8_t endpoint,
                                           size_t wanted);
void ostler_usb_transfer_free(OstlerUsbTransfer *transfer); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerUsbTransfer, ostler_usb_transfer_free)
/* Make room for @size bytes at ->data and set ->size; false when there is no memory. */
bool ostler_usb_transfer_reserve(OstlerUsbTransfer *transfer, size_t size);
/* Take @buffer over (from g_malloc), which has @size bytes at @data; to the host there
 * must be the headroom before them. */
void ostler_usb_transfer_adopt(OstlerUsbTransfer *transfer, uint8_t *buffer,
                               uint8_t *data, size_t size);

/* What a transport does for the device. */
typedef void coroutine_fn OstlerUsbComplete(const OstlerUsbTransfer *transfer,
                                            void *opaque);
typedef void coroutine_fn OstlerUsbSendEvent(const uint8_t *data, size_t size,
                                             void *opaque);
typedef struct {
    OstlerUsbComplete *complete; /* tell the host; may write before ->data */
    OstlerUsbSendEvent *event;   /* deliver on the interrupt endpoint */
    void *opaque;
} OstlerUsbTransport;

/* What the class requests ask of the responder; none of these may wait.  What the host
 * had sent before a cancel or reset, and nobody has taken, is forgotten already. */
typedef struct {
    void (*cancel)(uint32_t transaction, void *opaque); /* Cancel Request, 0x64 */
    void (*reset)(void *opaque);      /* Device Reset 0x66, and a reset of the bus */
    uint16_t (*status)(void *opaque); /* Get Device Status 0x67: a response code */
    void *opaque;
} OstlerUsbFunction;

typedef struct {
    uint16_t vendor_id;
    uint16_t product_id;
    uint16_t version; /* binary coded decimal, as bcdDevice */
    const char *manufacturer;
    const char *product;
    const char *serial;
} OstlerUsbIdentity;

typedef struct OstlerUsbDevice OstlerUsbDevice;

OstlerUsbDevice *ostler_usb_device_new(const OstlerUsbIdentity *identity);
void ostler_usb_device_free(OstlerUsbDevice *device); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerUsbDevice, ostler_usb_device_free)

/* ---- the transport's side ---- */

/* Attach a host, or detach it with NULL: what it waited for is forgotten. */
void ostler_usb_device_set_transport(OstlerUsbDevice *device,
                                     const OstlerUsbTransport *transport);
bool ostler_usb_device_is_attached(const OstlerUsbDevice *device);

typedef struct {
    uint8_t request_type;
    uint8_t request;
    uint16_t value;
    uint16_t index;
    uint16_t length;
} OstlerUsbSetup;

/*
 * Answer a control request; @data is what the host sent with it (@size bytes).
 * Returns: the answer (at most setup->length bytes; caller unrefs), or NULL: stall.
 */
GByteArray *coroutine_fn ostler_usb_device_control(OstlerUsbDevice *device,
                                                   const OstlerUsbSetup *setup,
                                                   const uint8_t *data, size_t size);

/*
 * Queue @transfer (taken over); one for no such endpoint, or too much, is stalled.  One
 * from the host is acknowledged at once unless a megabyte is waiting: a host may hold
 * back its next step until the last, empty, packet of the step before is taken.
 */
void coroutine_fn ostler_usb_device_submit(OstlerUsbDevice *device,
                                           OstlerUsbTransfer *transfer);
/* Complete the transfer called @id as cancelled, if it still waits. */
void coroutine_fn ostler_usb_device_cancel(OstlerUsbDevice *device, uint64_t id);
/* The bus was reset: back to the unconfigured state, nothing waits any more. */
void coroutine_fn ostler_usb_device_reset(OstlerUsbDevice *device);

/* Configuration 1 is the only one; 0 is none.  False: there is no such. */
bool ostler_usb_device_configure(OstlerUsbDevice *device, uint8_t configuration);
uint8_t ostler_usb_device_configuration(const OstlerUsbDevice *device);
const OstlerUsbIdentity *ostler_usb_device_identity(const OstlerUsbDevice *device);

/* ---- the responder's side ---- */

void ostler_usb_device_set_function(OstlerUsbDevice *device,
                                    const OstlerUsbFunction *function);

/*
 * Take the next transfer of @endpoint, waiting for the host to want one.
 * Returns: the transfer (owned), or NULL after ostler_usb_device_interrupt().
 */
OstlerUsbTransfer *coroutine_fn ostler_usb_device_next(OstlerUsbDevice *device,
                                                       uint8_t endpoint);
void coroutine_fn ostler_usb_device_complete(OstlerUsbDevice *device,
                                             OstlerUsbTransfer *transfer);
/* Send on the interrupt endpoint; dropped when no host listens. */
void coroutine_fn ostler_usb_device_event(OstlerUsbDevice *device, const uint8_t *data,
                                          size_t size);

/* Make ostler_usb_device_next() return NULL, until ostler_usb_device_go_on(). */
void coroutine_mixed_fn ostler_usb_device_interrupt(OstlerUsbDevice *device);
void ostler_usb_device_go_on(OstlerUsbDevice *device);
