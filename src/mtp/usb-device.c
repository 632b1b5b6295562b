/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/usb-device.h"

#include <cpc/glib.h>
#include <string.h>

/* A host that queues more than this has lost its way; the rest is stalled. */
#define MAX_QUEUED       1024
#define MAX_QUEUED_BYTES (64u << 20)

/* So much is acknowledged ahead of the responder; then the host has to wait for it. */
#define MAX_AHEAD (1u << 20)

/* USB 2.0 table 9-4 and 9-5; the class's from Still Image Capture 5.2. */
enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    SET_ADDRESS = 5,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,

    CANCEL_REQUEST = 0x64,
    DEVICE_RESET = 0x66,
    GET_DEVICE_STATUS = 0x67,
};

enum {
    DESCRIPTOR_DEVICE = 1,
    DESCRIPTOR_CONFIGURATION = 2,
    DESCRIPTOR_STRING = 3,
    DESCRIPTOR_QUALIFIER = 6,
};

enum {
    STRING_LANGUAGES,
    STRING_MANUFACTURER,
    STRING_PRODUCT,
    STRING_SERIAL,
    STRING_INTERFACE,
    STRING_MICROSOFT = 0xee, /* Microsoft OS Descriptors 1.0: index 0xEE */
};

/* bRequest by which the host asks for the extended descriptors: ours to choose. */
#define MICROSOFT_VENDOR_CODE 0x4d

/* bmRequestType: direction, kind and recipient (USB 2.0 table 9-2). */
#define TO_HOST(kind, recipient)   (0x80 | (kind) << 5 | (recipient))
#define TO_DEVICE(kind, recipient) ((kind) << 5 | (recipient))
enum { STANDARD, CLASS, VENDOR };
enum { DEVICE, INTERFACE, ENDPOINT };

typedef struct {
    uint8_t address;
    GQueue waiting;    /* of OstlerUsbTransfer */
    size_t bytes;      /* of the transfers waiting */
    Coroutine *waiter; /* in ostler_usb_device_next(), or NULL */
} Endpoint;

struct OstlerUsbDevice {
    OstlerUsbIdentity identity; /* its strings are owned here */
    const OstlerUsbTransport *transport;
    const OstlerUsbFunction *function;
    Endpoint bulk_in;
    Endpoint bulk_out;
    uint8_t configuration;
    bool is_interrupted;
};

OstlerUsbTransfer *ostler_usb_transfer_new(uint64_t id, uint8_t endpoint, size_t wanted)
{
    OstlerUsbTransfer *transfer = g_new0(OstlerUsbTransfer, 1);

    transfer->id = id;
    transfer->endpoint = endpoint;
    transfer->wanted = wanted;
    return transfer;
}

void ostler_usb_transfer_free(OstlerUsbTransfer *transfer)
{
    if (transfer) {
        g_free(transfer->buffer);
        g_free(transfer);
    }
}

bool ostler_usb_transfer_reserve(OstlerUsbTransfer *transfer, size_t size)
{
    g_free(transfer->buffer);
    transfer->buffer = size > OSTLER_USB_MAX_TRANSFER
                           ? NULL
                           : g_try_malloc(OSTLER_USB_HEADROOM + size);
    if (!transfer->buffer) {
        return false;
    }
    transfer->data = transfer->buffer + OSTLER_USB_HEADROOM;
    transfer->size = size;
    return true;
}

void ostler_usb_transfer_adopt(OstlerUsbTransfer *transfer, uint8_t *buffer,
                               uint8_t *data, size_t size)
{
    g_free(transfer->buffer);
    transfer->buffer = buffer;
    transfer->data = data;
    transfer->size = size;
}

OstlerUsbDevice *ostler_usb_device_new(const OstlerUsbIdentity *identity)
{
    OstlerUsbDevice *device = g_new0(OstlerUsbDevice, 1);

    device->identity = *identity;
    device->identity.manufacturer = g_strdup(identity->manufacturer);
    device->identity.product = g_strdup(identity->product);
    device->identity.serial = g_strdup(identity->serial);
    device->bulk_in.address = OSTLER_USB_BULK_IN;
    device->bulk_out.address = OSTLER_USB_BULK_OUT;
    return device;
}

static void forget_transfers(Endpoint *endpoint)
{
    g_queue_clear_full(&endpoint->waiting, (GDestroyNotify)ostler_usb_transfer_free);
    endpoint->bytes = 0;
}

void ostler_usb_device_free(OstlerUsbDevice *device)
{
    if (!device) {
        return;
    }
    forget_transfers(&device->bulk_in);
    forget_transfers(&device->bulk_out);
    g_free((char *)device->identity.manufacturer);
    g_free((char *)device->identity.product);
    g_free((char *)device->identity.serial);
    g_free(device);
}

void ostler_usb_device_set_transport(OstlerUsbDevice *device,
                                     const OstlerUsbTransport *transport)
{
    device->transport = transport;
    device->configuration = 0;
    forget_transfers(&device->bulk_in);
    forget_transfers(&device->bulk_out);
}

bool ostler_usb_device_is_attached(const OstlerUsbDevice *device)
{
    return device->transport != NULL;
}

void ostler_usb_device_set_function(OstlerUsbDevice *device,
                                    const OstlerUsbFunction *function)
{
    device->function = function;
}

/* ---- descriptors ---- */

static GByteArray *bytes(const uint8_t *data, size_t size)
{
    return g_byte_array_append(g_byte_array_sized_new((guint)size), data, (guint)size);
}

/* USB 2.0 table 9-8.  The class is the interface's, so it is 0 here. */
static GByteArray *device_descriptor(const OstlerUsbDevice *device)
{
    const OstlerUsbIdentity *id = &device->identity;
    const uint8_t descriptor[] = {
        18,
        DESCRIPTOR_DEVICE,
        0x00,
        0x02, /* bcdUSB 2.00 */
        0,
        0,
        0,  /* class, subclass, protocol */
        64, /* bMaxPacketSize0: high speed */
        (uint8_t)id->vendor_id,
        (uint8_t)(id->vendor_id >> 8),
        (uint8_t)id->product_id,
        (uint8_t)(id->product_id >> 8),
        (uint8_t)id->version,
        (uint8_t)(id->version >> 8),
        STRING_MANUFACTURER,
        STRING_PRODUCT,
        STRING_SERIAL,
        1, /* bNumConfigurations */
    };
    return bytes(descriptor, sizeof(descriptor));
}

/* USB 2.0 tables 9-10, 9-12, 9-13.  6/1/1 is Still Image (Still Image Capture 4.2);
 * hosts tell MTP from PTP by the interface's string "MTP" and the OS descriptor. */
static GByteArray *configuration_descriptor(const OstlerUsbDevice *device)
{
    static const uint8_t descriptor[] = {
        9,
        DESCRIPTOR_CONFIGURATION,
        39,
        0, /* wTotalLength */
        1,
        1,
        0, /* interfaces, value, no string */
        0x80,
        50, /* bus powered, 100 mA */

        9,
        4,
        0,
        0,
        3,
        6,
        1,
        1,
        STRING_INTERFACE,

        7,
        5,
        OSTLER_USB_BULK_IN,
        2,
        0x00,
        0x02,
        0, /* bulk, 512 bytes */
        7,
        5,
        OSTLER_USB_BULK_OUT,
        2,
        0x00,
        0x02,
        0, /* bulk, 512 bytes */
        7,
        5,
        OSTLER_USB_EVENT_IN,
        3,
        OSTLER_USB_MAX_EVENT,
        0,
        OSTLER_USB_EVENT_INTERVAL,
    };
    return bytes(descriptor, sizeof(descriptor));
}

/* USB 2.0 table 9-9: what would differ at full speed, which is nothing. */
static GByteArray *qualifier_descriptor(const OstlerUsbDevice *device)
{
    static const uint8_t descriptor[] = {
        10, DESCRIPTOR_QUALIFIER, 0x00, 0x02, 0, 0, 0, 64, 1, 0,
    };
    return bytes(descriptor, sizeof(descriptor));
}

/* Microsoft OS Descriptors 1.0, "OS String Descriptor". */
static GByteArray *microsoft_string(void)
{
    static const uint8_t descriptor[] = {
        18, DESCRIPTOR_STRING,     'M', 0, 'S', 0, 'F', 0, 'T', 0, '1', 0, '0', 0, '0',
        0,  MICROSOFT_VENDOR_CODE, 0,
    };
    return bytes(descriptor, sizeof(descriptor));
}

static GByteArray *text_string(const char *text)
{
    glong units = 0;
    g_autofree gunichar2 *utf16 = g_utf8_to_utf16(text, -1, NULL, &units, NULL);
    GByteArray *descriptor = g_byte_array_new();

    units = MIN(units, (255 - 2) / 2); /* bLength is one byte */
    const uint8_t head[] = { (uint8_t)(2 + 2 * units), DESCRIPTOR_STRING };
    g_byte_array_append(descriptor, head, sizeof(head));
    for (glong i = 0; i < units; i++) {
        const uint8_t unit[] = { (uint8_t)utf16[i], (uint8_t)(utf16[i] >> 8) };
        g_byte_array_append(descriptor, unit, sizeof(unit));
    }
    return descriptor;
}

static GByteArray *string_descriptor(const OstlerUsbDevice *device, uint8_t index)
{
    static const uint8_t english[] = { 4, DESCRIPTOR_STRING, 0x09, 0x04 };

    switch (index) {
    case STRING_LANGUAGES:
        return bytes(english, sizeof(english));
    case STRING_MANUFACTURER:
        return text_string(device->identity.manufacturer);
    case STRING_PRODUCT:
        return text_string(device->identity.product);
    case STRING_SERIAL:
        return text_string(device->identity.serial);
    case STRING_INTERFACE:
        return text_string("MTP");
    case STRING_MICROSOFT:
        return microsoft_string();
    default:
        return NULL;
    }
}

/* ---- completing ---- */

static Endpoint *find_endpoint(OstlerUsbDevice *device, uint8_t address)
{
    return address == OSTLER_USB_BULK_IN    ? &device->bulk_in
           : address == OSTLER_USB_BULK_OUT ? &device->bulk_out
                                            : NULL;
}

static void coroutine_fn acknowledge(OstlerUsbDevice *device,
                                     OstlerUsbTransfer *transfer)
{
    if (device->transport && !transfer->is_acknowledged) {
        transfer->is_acknowledged = true;
        device->transport->complete(transfer, device->transport->opaque);
    }
}

void coroutine_fn ostler_usb_device_complete(OstlerUsbDevice *device,
                                             OstlerUsbTransfer *transfer)
{
    acknowledge(device, transfer);
    ostler_usb_transfer_free(transfer);
}

static void coroutine_fn complete_as(OstlerUsbDevice *device,
                                     OstlerUsbTransfer *transfer,
                                     OstlerUsbStatus status)
{
    transfer->status = status;
    transfer->size = 0;
    ostler_usb_device_complete(device, transfer);
}

static OstlerUsbTransfer *pop(Endpoint *endpoint)
{
    OstlerUsbTransfer *transfer = g_queue_pop_head(&endpoint->waiting);

    if (transfer) {
        endpoint->bytes -= transfer->size;
    }
    return transfer;
}

static void coroutine_fn cancel_all(OstlerUsbDevice *device, Endpoint *endpoint)
{
    OstlerUsbTransfer *transfer;

    while ((transfer = pop(endpoint))) {
        complete_as(device, transfer, OSTLER_USB_CANCELLED);
    }
}

/* ---- control requests ---- */

typedef GByteArray *coroutine_fn Answer(OstlerUsbDevice *device,
                                        const OstlerUsbSetup *setup,
                                        const uint8_t *data, size_t size);

static GByteArray *coroutine_fn get_descriptor(OstlerUsbDevice *device,
                                               const OstlerUsbSetup *setup,
                                               const uint8_t *data, size_t size)
{
    switch (setup->value >> 8) {
    case DESCRIPTOR_DEVICE:
        return device_descriptor(device);
    case DESCRIPTOR_CONFIGURATION:
        return configuration_descriptor(device);
    case DESCRIPTOR_STRING:
        return string_descriptor(device, (uint8_t)setup->value);
    case DESCRIPTOR_QUALIFIER:
        return qualifier_descriptor(device);
    default:
        return NULL;
    }
}

/* Neither self-powered nor halted, whoever is asked: two bytes of 0. */
static GByteArray *coroutine_fn get_status(OstlerUsbDevice *device,
                                           const OstlerUsbSetup *setup,
                                           const uint8_t *data, size_t size)
{
    return bytes((const uint8_t[]){ 0, 0 }, 2);
}

static GByteArray *coroutine_fn get_configuration(OstlerUsbDevice *device,
                                                  const OstlerUsbSetup *setup,
                                                  const uint8_t *data, size_t size)
{
    return bytes(&device->configuration, 1);
}

static GByteArray *coroutine_fn set_configuration(OstlerUsbDevice *device,
                                                  const OstlerUsbSetup *setup,
                                                  const uint8_t *data, size_t size)
{
    return ostler_usb_device_configure(device, (uint8_t)setup->value)
               ? g_byte_array_new()
               : NULL;
}

static GByteArray *coroutine_fn get_interface(OstlerUsbDevice *device,
                                              const OstlerUsbSetup *setup,
                                              const uint8_t *data, size_t size)
{
    return setup->index == 0 ? bytes((const uint8_t[]){ 0 }, 1) : NULL;
}

static GByteArray *coroutine_fn set_interface(OstlerUsbDevice *device,
                                              const OstlerUsbSetup *setup,
                                              const uint8_t *data, size_t size)
{
    return setup->index == 0 && setup->value == 0 ? g_byte_array_new() : NULL;
}

/* We never halt an endpoint for long, so clearing a halt is always done already. */
static GByteArray *coroutine_fn accept(OstlerUsbDevice *device,
                                       const OstlerUsbSetup *setup, const uint8_t *data,
                                       size_t size)
{
    return g_byte_array_new();
}

/* Still Image Capture 5.2.1: the cancellation code 0x4001, then the transaction. */
static GByteArray *coroutine_fn cancel_request(OstlerUsbDevice *device,
                                               const OstlerUsbSetup *setup,
                                               const uint8_t *data, size_t size)
{
    if (size < 6 || data[0] != 0x01 || data[1] != 0x40) {
        return NULL;
    }
    uint32_t transaction = (uint32_t)data[2] | (uint32_t)data[3] << 8 |
                           (uint32_t)data[4] << 16 | (uint32_t)data[5] << 24;
    cancel_all(device, &device->bulk_out);
    if (device->function) {
        device->function->cancel(transaction, device->function->opaque);
    }
    return g_byte_array_new();
}

static GByteArray *coroutine_fn device_reset(OstlerUsbDevice *device,
                                             const OstlerUsbSetup *setup,
                                             const uint8_t *data, size_t size)
{
    cancel_all(device, &device->bulk_out);
    if (device->function) {
        device->function->reset(device->function->opaque);
    }
    return g_byte_array_new();
}

/* Still Image Capture 5.2.4: length, code; no endpoint is ever listed as stalled. */
static GByteArray *coroutine_fn get_device_status(OstlerUsbDevice *device,
                                                  const OstlerUsbSetup *setup,
                                                  const uint8_t *data, size_t size)
{
    uint16_t code =
        device->function ? device->function->status(device->function->opaque) : 0x2001;
    const uint8_t status[] = { 4, 0, (uint8_t)code, (uint8_t)(code >> 8) };

    return bytes(status, sizeof(status));
}

/* Microsoft OS Descriptors 1.0, "Extended Compat ID": the driver for interface 0. */
static GByteArray *coroutine_fn microsoft_descriptor(OstlerUsbDevice *device,
                                                     const OstlerUsbSetup *setup,
                                                     const uint8_t *data, size_t size)
{
    static const uint8_t compatible[40] = {
        40, 0, 0, 0, 0x00, 0x01, 4, 0, 1, [16] = 0, 1, 'M', 'T', 'P',
    };

    return setup->index == 4 ? bytes(compatible, sizeof(compatible)) : NULL;
}

static const struct {
    uint8_t request_type;
    uint8_t request;
    Answer *answer;
} requests[] = {
    { TO_HOST(STANDARD, DEVICE), GET_DESCRIPTOR, get_descriptor },
    { TO_HOST(STANDARD, DEVICE), GET_STATUS, get_status },
    { TO_HOST(STANDARD, INTERFACE), GET_STATUS, get_status },
    { TO_HOST(STANDARD, ENDPOINT), GET_STATUS, get_status },
    { TO_HOST(STANDARD, DEVICE), GET_CONFIGURATION, get_configuration },
    { TO_DEVICE(STANDARD, DEVICE), SET_CONFIGURATION, set_configuration },
    { TO_HOST(STANDARD, INTERFACE), GET_INTERFACE, get_interface },
    { TO_DEVICE(STANDARD, INTERFACE), SET_INTERFACE, set_interface },
    { TO_DEVICE(STANDARD, DEVICE), SET_ADDRESS, accept },
    { TO_DEVICE(STANDARD, DEVICE), CLEAR_FEATURE, accept },
    { TO_DEVICE(STANDARD, ENDPOINT), CLEAR_FEATURE, accept },
    { TO_DEVICE(STANDARD, ENDPOINT), SET_FEATURE, accept },
    { TO_DEVICE(CLASS, INTERFACE), CANCEL_REQUEST, cancel_request },
    { TO_DEVICE(CLASS, INTERFACE), DEVICE_RESET, device_reset },
    { TO_HOST(CLASS, INTERFACE), GET_DEVICE_STATUS, get_device_status },
    { TO_HOST(VENDOR, DEVICE), MICROSOFT_VENDOR_CODE, microsoft_descriptor },
    { TO_HOST(VENDOR, INTERFACE), MICROSOFT_VENDOR_CODE, microsoft_descriptor },
};

GByteArray *coroutine_fn ostler_usb_device_control(OstlerUsbDevice *device,
                                                   const OstlerUsbSetup *setup,
                                                   const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        if (requests[i].request_type != setup->request_type ||
            requests[i].request != setup->request) {
            continue;
        }
        GByteArray *answer = requests[i].answer(device, setup, data, size);
        if (answer && answer->len > setup->length) {
            g_byte_array_set_size(answer, setup->length);
        }
        return answer;
    }
    return NULL;
}

bool ostler_usb_device_configure(OstlerUsbDevice *device, uint8_t configuration)
{
    if (configuration > 1) {
        return false;
    }
    device->configuration = configuration;
    return true;
}

uint8_t ostler_usb_device_configuration(const OstlerUsbDevice *device)
{
    return device->configuration;
}

const OstlerUsbIdentity *ostler_usb_device_identity(const OstlerUsbDevice *device)
{
    return &device->identity;
}

/* ---- endpoints ---- */

/*
 * Enter the responder here and now: to schedule it costs an iteration of the main loop
 * and five system calls on the way from a request to its answer, which is what libmtp's
 * one request at a time waits for.
 */
static void coroutine_mixed_fn wake(Endpoint *endpoint)
{
    Coroutine *waiter = g_steal_pointer(&endpoint->waiter);

    if (waiter) {
        cpc_enter(waiter);
    }
}

void coroutine_fn ostler_usb_device_submit(OstlerUsbDevice *device,
                                           OstlerUsbTransfer *transfer)
{
    Endpoint *endpoint = find_endpoint(device, transfer->endpoint);

    if (!endpoint || transfer->wanted > OSTLER_USB_MAX_TRANSFER ||
        endpoint->waiting.length >= MAX_QUEUED ||
        endpoint->bytes + transfer->size > MAX_QUEUED_BYTES) {
        complete_as(device, transfer, OSTLER_USB_STALL);
        return;
    }
    if (!(transfer->endpoint & 0x80) && endpoint->bytes < MAX_AHEAD) {
        acknowledge(device, transfer);
    }
    endpoint->bytes += transfer->size;
    g_queue_push_tail(&endpoint->waiting, transfer);
    wake(endpoint);
}

static OstlerUsbTransfer *steal_by_id(Endpoint *endpoint, uint64_t id)
{
    for (GList *link = endpoint->waiting.head; link; link = link->next) {
        OstlerUsbTransfer *transfer = link->data;
        if (transfer->id == id) {
            g_queue_delete_link(&endpoint->waiting, link);
            endpoint->bytes -= transfer->size;
            return transfer;
        }
    }
    return NULL;
}

void coroutine_fn ostler_usb_device_cancel(OstlerUsbDevice *device, uint64_t id)
{
    OstlerUsbTransfer *transfer = steal_by_id(&device->bulk_in, id);

    if (!transfer) {
        transfer = steal_by_id(&device->bulk_out, id);
    }
    if (transfer) {
        complete_as(device, transfer, OSTLER_USB_CANCELLED);
    }
}

void coroutine_fn ostler_usb_device_reset(OstlerUsbDevice *device)
{
    device->configuration = 0;
    cancel_all(device, &device->bulk_in);
    cancel_all(device, &device->bulk_out);
    if (device->function) {
        device->function->reset(device->function->opaque);
    }
}

OstlerUsbTransfer *coroutine_fn ostler_usb_device_next(OstlerUsbDevice *device,
                                                       uint8_t address)
{
    Endpoint *endpoint = find_endpoint(device, address);

    while (!device->is_interrupted) {
        OstlerUsbTransfer *transfer = pop(endpoint);
        if (transfer) {
            return transfer;
        }
        endpoint->waiter = cpc_self();
        cpc_yield();
    }
    return NULL;
}

void coroutine_fn ostler_usb_device_event(OstlerUsbDevice *device, const uint8_t *data,
                                          size_t size)
{
    if (device->transport) {
        device->transport->event(data, size, device->transport->opaque);
    }
}

void coroutine_mixed_fn ostler_usb_device_interrupt(OstlerUsbDevice *device)
{
    device->is_interrupted = true;
    wake(&device->bulk_in);
    wake(&device->bulk_out);
}

void ostler_usb_device_go_on(OstlerUsbDevice *device)
{
    device->is_interrupted = false;
}
