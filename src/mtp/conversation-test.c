/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One set of MTP conversations, over every way there is to the device
 *
 * A conversation is rows of requests and the answers that must come.  A way is how a host
 * moves transfers: by the device's own functions, by usbredir packets, by USB/IP commands.
 * (FunctionFS needs a kernel at both ends: tests/gadget.sh.)  With SEEDS=FOLDER set, what
 * each way's host has sent is written there, and becomes the corpus of its fuzz target.
 */
#include "mtp/testing.h"
#include "mtp/transport/usbip-link.h"
#include "mtp/transport/usbip.h"
#include "mtp/transport/usbredir-link.h"
#include "mtp/transport/usbredir.h"
#include "wire/reader.h"
#include "wire/writer.h"

#include <cpc/lock.h>

#define STORAGE 0x00010001u
#define LAST    0xfeedf00du /* as a parameter: the handle that was given last */

/* One request of libmtp's. */
#define WANTED 16384u

/* A corpus is of small files. */
#define MAX_SEED 16384u

/* ---- conversations ---- */

typedef struct {
    uint16_t operation;
    uint16_t response;
    uint32_t params[5];
    const char *name;  /* SendObjectInfo: of the file, which shall have @size bytes */
    uint32_t size;     /* SendObject, SendPartialObject: so many follow; GetObject:
                         so many must come */
    bool is_cancelled; /* after its first transfer */
} Step;

typedef struct {
    const char *name;
    const Step *steps;
    size_t n_steps;
} Conversation;

static const Step sessions[] = {
    { 0x1001, OSTLER_MTP_OK },
    { 0x1003, OSTLER_MTP_SESSION_NOT_OPEN },
    { 0x1007, OSTLER_MTP_SESSION_NOT_OPEN, { OSTLER_MTP_ALL } },
    { 0x1002, OSTLER_MTP_INVALID_PARAMETER, { 0 } },
    { 0x1002, OSTLER_MTP_OK, { 1 } },
    { 0x1002, OSTLER_MTP_SESSION_ALREADY_OPEN, { 2 } },
    { 0x1004, OSTLER_MTP_OK },
    { 0x1005, OSTLER_MTP_OK, { STORAGE } },
    { 0x1014, OSTLER_MTP_OK, { 0xd402 } },
    { 0x9802, OSTLER_MTP_OK, { 0xdc07, 0x3000 } },
    { 0x1003, OSTLER_MTP_OK },
    { 0x1003, OSTLER_MTP_SESSION_NOT_OPEN },
};

#define FILE_OF(bytes)                                                                 \
    { 0x100c, OSTLER_MTP_OK, { STORAGE, OSTLER_MTP_ALL }, "file", bytes },             \
        { 0x100d, OSTLER_MTP_OK, { 0 }, NULL, bytes },                                 \
        { 0x1008, OSTLER_MTP_OK, { LAST } },                                           \
    {                                                                                  \
        0x1009, OSTLER_MTP_OK, { LAST }, NULL, bytes                                   \
    }

/* Sizes at which, with the header's 12 bytes, packets and requests end exactly. */
static const Step files[] = {
    { 0x1002, OSTLER_MTP_OK, { 1 } },
    FILE_OF(0),
    FILE_OF(1),
    FILE_OF(499),
    FILE_OF(500),
    FILE_OF(501),
    FILE_OF(512),
    FILE_OF(1012),
    FILE_OF(16371),
    FILE_OF(16372),
    FILE_OF(16384),
    FILE_OF(65524),
    FILE_OF(70000),
    { 0x1007, OSTLER_MTP_OK, { STORAGE, 0, OSTLER_MTP_ALL } },
    { 0x9805, OSTLER_MTP_OK, { LAST, 0, OSTLER_MTP_ALL } },
    { 0x100b, OSTLER_MTP_OK, { LAST } },
    { 0x1009, OSTLER_MTP_INVALID_OBJECT_HANDLE, { LAST } },
};

static const Step refusals[] = {
    { 0x9999, OSTLER_MTP_OPERATION_NOT_SUPPORTED },
    { 0x1002, OSTLER_MTP_OK, { 1 } },
    { 0x1005, OSTLER_MTP_INVALID_STORAGE_ID, { 7 } },
    { 0x1008, OSTLER_MTP_INVALID_OBJECT_HANDLE, { 99 } },
    { 0x100c, OSTLER_MTP_INVALID_DATASET, { STORAGE }, "../out", 5 },
    { 0x100d, OSTLER_MTP_NO_VALID_OBJECT_INFO, { 0 }, NULL, 700 },
    { 0x100c, OSTLER_MTP_INVALID_STORAGE_ID, { 7 }, "name", 5 },
    { 0x100f, OSTLER_MTP_ACCESS_DENIED, { STORAGE } },
    { 0x1001, OSTLER_MTP_OK },
};

static const Step edits[] = {
    { 0x1002, OSTLER_MTP_OK, { 1 } },
    FILE_OF(3000),
    { 0x95c4, OSTLER_MTP_OK, { LAST } },
    { 0x95c2, OSTLER_MTP_OK, { LAST, 0, 0, 1000 }, NULL, 1000 },
    { 0x95c3, OSTLER_MTP_OK, { LAST, 2000, 0 } },
    { 0x95c5, OSTLER_MTP_OK, { LAST } },
    { 0x1009, OSTLER_MTP_OK, { LAST }, NULL, 2000 },
};

static const Step cancels[] = {
    { 0x1002, OSTLER_MTP_OK, { 1 } },
    FILE_OF(100000),
    { 0x1009, OSTLER_MTP_OK, { LAST }, NULL, 100000, true },
    { 0x1009, OSTLER_MTP_OK, { LAST }, NULL, 100000 },
    { 0x100c, OSTLER_MTP_OK, { STORAGE, OSTLER_MTP_ALL }, "other", 100000 },
    { 0x100d, OSTLER_MTP_OK, { 0 }, NULL, 100000, true },
    { 0x1006, OSTLER_MTP_OK, { STORAGE, 0, OSTLER_MTP_ALL } },
};

#define CONVERSATION(name)                                                             \
    {                                                                                  \
#name, name, G_N_ELEMENTS(name)                                                \
    }
static const Conversation conversations[] = {
    CONVERSATION(sessions), CONVERSATION(files),   CONVERSATION(refusals),
    CONVERSATION(edits),    CONVERSATION(cancels),
};

/* ---- ways ---- */

typedef struct Host Host;

typedef struct {
    const char *name;
    /* Plug in; the device is configured afterwards. */
    void coroutine_fn (*open)(Host *host);
    void coroutine_fn (*close)(Host *host);
    void coroutine_fn (*out)(Host *host, const void *bytes, size_t size);
    /* One transfer of at most WANTED bytes, into ->got. */
    void coroutine_fn (*in)(Host *host);
    /* A control request, its answer into ->got; false: stalled. */
    bool coroutine_fn (*control)(Host *host, const OstlerUsbSetup *setup,
                                 const uint8_t *data);
} Way;

struct Host {
    const Way *way;
    TestShare share;
    OstlerMtpSession *session;
    OstlerUsbDevice *device;
    OstlerMtpResponder *responder;
    OstlerUsbTransport transport; /* of the way without packets */
    uint64_t next_id;
    uint64_t answered_id;
    GByteArray *got;

    GByteArray *sent; /* all that the host sent, and how much of it was read */
    size_t n_read;
    GByteArray *answers; /* what came back and is not taken apart yet */
    bool is_closed;
    bool is_served;
    CoQueue changed;

    uint32_t handle; /* that was given last */
    uint32_t transaction;
};

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
}

/* ---- by the device's own functions ---- */

static void coroutine_fn note_completion(const OstlerUsbTransfer *transfer,
                                         void *opaque)
{
    Host *host = opaque;

    host->answered_id = transfer->id;
    if (transfer->endpoint == OSTLER_USB_BULK_IN && transfer->size > 0) {
        g_byte_array_append(host->got, transfer->data, (guint)transfer->size);
    }
    cpc_queue_all(&host->changed);
}

static void coroutine_fn drop_event(const uint8_t *data, size_t size, void *opaque)
{
}

static void coroutine_fn open_directly(Host *host)
{
    host->transport = (OstlerUsbTransport){ note_completion, drop_event, host };
    ostler_usb_device_set_transport(host->device, &host->transport);
}

static void coroutine_fn close_directly(Host *host)
{
    ostler_usb_device_set_transport(host->device, NULL);
}

static void coroutine_fn wait_for_answer(Host *host, uint64_t id)
{
    while (host->answered_id != id) {
        cpc_queue_wait(&host->changed, NULL);
    }
}

static void coroutine_fn out_directly(Host *host, const void *bytes, size_t size)
{
    uint64_t id = ++host->next_id;
    OstlerUsbTransfer *transfer = ostler_usb_transfer_new(id, OSTLER_USB_BULK_OUT, 0);

    if (size > 0) {
        g_assert_true(ostler_usb_transfer_reserve(transfer, size));
        memcpy(transfer->data, bytes, size);
    }
    ostler_usb_device_submit(host->device, transfer);
    wait_for_answer(host, id);
}

static void coroutine_fn in_directly(Host *host)
{
    uint64_t id = ++host->next_id;

    ostler_usb_device_submit(host->device,
                             ostler_usb_transfer_new(id, OSTLER_USB_BULK_IN, WANTED));
    wait_for_answer(host, id);
}

static bool coroutine_fn control_directly(Host *host, const OstlerUsbSetup *setup,
                                          const uint8_t *data)
{
    GByteArray *bytes =
        ostler_usb_device_control(host->device, setup, data, data ? setup->length : 0);
    if (!bytes) {
        return false;
    }
    g_byte_array_append(host->got, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    return true;
}

/* ---- streams, for the others ---- */

static gssize coroutine_fn read_sent(void *buffer, size_t size, void *opaque,
                                     GError **error)
{
    Host *host = opaque;

    while (host->n_read == host->sent->len && !host->is_closed) {
        cpc_queue_wait(&host->changed, NULL);
    }
    size = MIN(size, host->sent->len - host->n_read);
    memcpy(buffer, host->sent->data + host->n_read, size);
    host->n_read += size;
    return (gssize)size;
}

static bool coroutine_fn write_answers(const void *buffer, size_t size, void *opaque,
                                       GError **error)
{
    Host *host = opaque;

    g_byte_array_append(host->answers, buffer, (guint)size);
    cpc_queue_all(&host->changed);
    return true;
}

static void coroutine_fn put(Host *host, const void *bytes, size_t size)
{
    g_byte_array_append(host->sent, bytes, (guint)size);
    cpc_queue_all(&host->changed);
}

/* Wait for @size bytes and take them off; into ->got if @is_wanted. */
static void coroutine_fn take(Host *host, void *buffer, size_t size)
{
    while (host->answers->len < size) {
        cpc_queue_wait(&host->changed, NULL);
    }
    memcpy(buffer, host->answers->data, size);
    g_byte_array_remove_range(host->answers, 0, (guint)size);
}

static void coroutine_fn take_data(Host *host, size_t size)
{
    guint start = host->got->len;

    g_byte_array_set_size(host->got, start + (guint)size);
    take(host, host->got->data + start, size);
}

static void coroutine_fn close_stream(Host *host)
{
    host->is_closed = true;
    cpc_queue_all(&host->changed);
    while (host->is_served) {
        cpc_queue_wait(&host->changed, NULL);
    }
}

/* ---- usbredir ---- */

static void coroutine_fn serve_usbredir(void *opaque)
{
    Host *host = opaque;
    const OstlerUsbredirStream stream = { read_sent, write_answers, host };

    g_assert_true(ostler_usbredir_serve(host->device, &stream, NULL));
    host->is_served = false;
    cpc_queue_all(&host->changed);
}

static void coroutine_fn put_packet(Host *host, uint32_t type, const void *head,
                                    size_t n_head, const void *data, size_t size)
{
    uint8_t bytes[16];
    OstlerWriter writer = ostler_writer_of(bytes, sizeof(bytes));

    ostler_writer_le32(&writer, type);
    ostler_writer_le32(&writer, (uint32_t)(n_head + size));
    ostler_writer_le64(&writer, ++host->next_id);
    g_byte_array_append(host->sent, bytes, type == OSTLER_USBREDIR_HELLO ? 12 : 16);
    g_byte_array_append(host->sent, head, (guint)n_head);
    put(host, data, size);
}

/* The next packet: its type; what follows its head of 16 bytes is in ->got. */
static uint32_t coroutine_fn take_packet(Host *host, bool is_hello, uint64_t *out_id)
{
    uint8_t bytes[16];

    take(host, bytes, is_hello ? 12 : 16);
    OstlerReader reader = ostler_reader_of(bytes, sizeof(bytes));
    uint32_t type = ostler_reader_le32(&reader);
    uint32_t size = ostler_reader_le32(&reader);
    *out_id = is_hello ? 0 : ostler_reader_le64(&reader);
    take_data(host, size);
    return type;
}

/* Wait for the answer to the last packet, and drop the @n_head bytes of its own head. */
static void coroutine_fn take_answer(Host *host, uint32_t type, guint n_head,
                                     uint8_t *out_head)
{
    uint64_t id = 0;
    uint32_t got = 0;
    guint start;

    do {
        start = host->got->len;
        got = take_packet(host, false, &id);
        if (got != type || id != host->next_id) {
            g_byte_array_set_size(host->got, start);
        }
    } while (got != type || id != host->next_id);
    memcpy(out_head, host->got->data + start, n_head);
    g_byte_array_remove_range(host->got, start, n_head);
}

static void coroutine_fn open_usbredir(Host *host)
{
    uint8_t hello[68] = "test";
    uint8_t status[2];
    uint64_t id;
    const uint8_t one = 1;

    host->is_served = true;
    cpc_spawn(serve_usbredir, host);
    hello[64] = OSTLER_USBREDIR_CAPS;
    put_packet(host, OSTLER_USBREDIR_HELLO, hello, sizeof(hello), NULL, 0);
    g_assert_cmpuint(take_packet(host, true, &id), ==, OSTLER_USBREDIR_HELLO);
    g_assert_cmpuint(take_packet(host, false, &id), ==, OSTLER_USBREDIR_EP_INFO);
    g_assert_cmpuint(take_packet(host, false, &id), ==, OSTLER_USBREDIR_INTERFACE_INFO);
    g_assert_cmpuint(take_packet(host, false, &id), ==, OSTLER_USBREDIR_DEVICE_CONNECT);
    put_packet(host, OSTLER_USBREDIR_SET_CONFIGURATION, &one, 1, NULL, 0);
    take_answer(host, OSTLER_USBREDIR_CONFIGURATION_STATUS, 2, status);
    g_byte_array_set_size(host->got, 0);
}

static void coroutine_fn bulk(Host *host, uint8_t endpoint, const void *bytes,
                              size_t size)
{
    uint8_t head[10] = { endpoint };

    head[2] = (uint8_t)size;
    head[3] = (uint8_t)(size >> 8);
    head[8] = (uint8_t)(size >> 16);
    put_packet(host, OSTLER_USBREDIR_BULK_PACKET, head, sizeof(head), bytes,
               bytes ? size : 0);
    take_answer(host, OSTLER_USBREDIR_BULK_PACKET, sizeof(head), head);
}

static void coroutine_fn out_usbredir(Host *host, const void *bytes, size_t size)
{
    bulk(host, OSTLER_USB_BULK_OUT, bytes, size);
}

static void coroutine_fn in_usbredir(Host *host)
{
    bulk(host, OSTLER_USB_BULK_IN, NULL, WANTED);
}

static bool coroutine_fn control_usbredir(Host *host, const OstlerUsbSetup *setup,
                                          const uint8_t *data)
{
    uint8_t head[10];
    OstlerWriter writer = ostler_writer_of(head, sizeof(head));

    ostler_writer_u8(&writer, setup->request_type & 0x80);
    ostler_writer_u8(&writer, setup->request);
    ostler_writer_u8(&writer, setup->request_type);
    ostler_writer_u8(&writer, 0);
    ostler_writer_le16(&writer, setup->value);
    ostler_writer_le16(&writer, setup->index);
    ostler_writer_le16(&writer, setup->length);
    put_packet(host, OSTLER_USBREDIR_CONTROL_PACKET, head, sizeof(head), data,
               data ? setup->length : 0);
    take_answer(host, OSTLER_USBREDIR_CONTROL_PACKET, sizeof(head), head);
    return head[3] == OSTLER_USBREDIR_SUCCESS;
}

/* ---- USB/IP ---- */

static void coroutine_fn serve_usbip(void *opaque)
{
    Host *host = opaque;
    const OstlerUsbipStream stream = { read_sent, write_answers, host };
    bool was_imported;

    g_assert_true(ostler_usbip_serve(host->device, &stream, &was_imported, NULL));
    g_assert_true(was_imported);
    host->is_served = false;
    cpc_queue_all(&host->changed);
}

/* SUBMIT; what answers it is in ->got.  Returns the status. */
static int32_t coroutine_fn submit(Host *host, uint8_t endpoint,
                                   const OstlerUsbSetup *setup, const void *bytes,
                                   size_t size)
{
    uint8_t head[OSTLER_USBIP_COMMAND_SIZE] = { 0 };
    OstlerWriter writer = ostler_writer_of(head, sizeof(head));
    bool is_in = endpoint & 0x80;

    ostler_writer_be32(&writer, OSTLER_USBIP_SUBMIT);
    ostler_writer_be32(&writer, (uint32_t)++host->next_id);
    ostler_writer_be32(&writer, 0x00010001);
    ostler_writer_be32(&writer, is_in);
    ostler_writer_be32(&writer, endpoint & 0x7f);
    ostler_writer_be32(&writer, 0);
    ostler_writer_be32(&writer, (uint32_t)size);
    ostler_writer_zeros(&writer, 12);
    if (setup) {
        ostler_writer_u8(&writer, setup->request_type);
        ostler_writer_u8(&writer, setup->request);
        ostler_writer_le16(&writer, setup->value);
        ostler_writer_le16(&writer, setup->index);
        ostler_writer_le16(&writer, setup->length);
    }
    g_byte_array_append(host->sent, head, sizeof(head));
    put(host, bytes, is_in ? 0 : size);

    take(host, head, sizeof(head));
    OstlerReader reader = ostler_reader_of(head, sizeof(head));
    g_assert_cmpuint(ostler_reader_be32(&reader), ==, 3);
    g_assert_cmpuint(ostler_reader_be32(&reader), ==, (uint32_t)host->next_id);
    ostler_reader_skip(&reader, 12);
    int32_t status = (int32_t)ostler_reader_be32(&reader);
    uint32_t actual = ostler_reader_be32(&reader);
    if (is_in) {
        take_data(host, actual);
    }
    return status;
}

static bool coroutine_fn control_usbip(Host *host, const OstlerUsbSetup *setup,
                                       const uint8_t *data)
{
    return submit(host, setup->request_type & 0x80, setup, data, setup->length) == 0;
}

static void coroutine_fn open_usbip(Host *host)
{
    static const uint8_t
        import[OSTLER_USBIP_REQUEST_SIZE + OSTLER_USBIP_BUS_ID_SIZE] = {
            0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, '1', '-', '1',
        };
    static const OstlerUsbSetup configure = { 0, 9, 1, 0, 0 };
    uint8_t answer[320];

    host->is_served = true;
    cpc_spawn(serve_usbip, host);
    put(host, import, sizeof(import));
    take(host, answer, sizeof(answer));
    g_assert_cmpuint(answer[3], ==, 3);
    g_assert_cmpuint(answer[7], ==, 0);
    g_assert_true(control_usbip(host, &configure, NULL));
}

static void coroutine_fn out_usbip(Host *host, const void *bytes, size_t size)
{
    g_assert_cmpint(submit(host, OSTLER_USB_BULK_OUT, NULL, bytes, size), ==, 0);
}

static void coroutine_fn in_usbip(Host *host)
{
    g_assert_cmpint(submit(host, OSTLER_USB_BULK_IN, NULL, NULL, WANTED), ==, 0);
}

static const Way ways[] = {
    { "device", open_directly, close_directly, out_directly, in_directly,
      control_directly },
    { "usbredir", open_usbredir, close_stream, out_usbredir, in_usbredir,
      control_usbredir },
    { "usbip", open_usbip, close_stream, out_usbip, in_usbip, control_usbip },
};

/* ---- a conversation over a way ---- */

/* A container, and the empty packet that ends one whose last is full. */
static void coroutine_fn send_container(Host *host, const void *bytes, size_t size)
{
    host->way->out(host, bytes, size);
    if (size % OSTLER_USB_MAX_PACKET == 0) {
        host->way->out(host, NULL, 0);
    }
}

/* All transfers of a container, until one is short; the container is ->got. */
static void coroutine_fn receive_container(Host *host)
{
    guint before;

    g_byte_array_set_size(host->got, 0);
    do {
        before = host->got->len;
        host->way->in(host);
    } while (host->got->len - before == WANTED);
}

static void coroutine_fn send_command(Host *host, const Step *step)
{
    OstlerMtpContainer command = {
        OSTLER_MTP_CONTAINER_COMMAND, step->operation, ++host->transaction, { 0 }, 5,
    };
    uint8_t bytes[32];

    for (unsigned i = 0; i < 5; i++) {
        command.params[i] = step->params[i] == LAST ? host->handle : step->params[i];
    }
    send_container(host, bytes, ostler_mtp_container_encode(&command, bytes));
}

/* Class requests 0x64 and 0x67: Still Image Capture 5.2. */
static void coroutine_fn cancel(Host *host)
{
    const OstlerUsbSetup request = { 0x21, 0x64, 0, 0, 6 };
    const OstlerUsbSetup status = { 0xa1, 0x67, 0, 0, 4 };
    uint8_t data[6] = { 0x01, 0x40, (uint8_t)host->transaction };
    bool is_ready = false;

    g_assert_true(host->way->control(host, &request, data));
    while (!is_ready) {
        g_byte_array_set_size(host->got, 0);
        g_assert_true(host->way->control(host, &status, NULL));
        g_assert_cmpuint(host->got->len, ==, 4);
        is_ready = host->got->data[2] == 0x01; /* 0x2001: OK */
        cpc_sleep_ms(0);
    }
}

static bool is_sent(const Step *step)
{
    return step->operation == 0x100c || step->operation == 0x100d ||
           step->operation == 0x95c2;
}

/* The data phase from us: an ObjectInfo, or so many bytes. */
static void coroutine_fn send_data(Host *host, const Step *step)
{
    g_autoptr(GByteArray) container = g_byte_array_sized_new(64);
    uint8_t head[OSTLER_MTP_HEADER];
    g_autoptr(GByteArray) info =
        step->name ? test_object_info(step->name, 0x3000, step->size) : NULL;
    guint size = info ? info->len : step->size;

    ostler_mtp_data_header(step->operation, host->transaction, size, head);
    g_byte_array_append(container, head, sizeof(head));
    g_byte_array_set_size(container, sizeof(head) + size);
    if (info) {
        memcpy(container->data + sizeof(head), info->data, size);
    } else {
        fill(container->data + sizeof(head), size);
    }
    if (step->is_cancelled) {
        host->way->out(host, container->data, WANTED);
        cancel(host);
    } else {
        send_container(host, container->data, container->len);
    }
}

static void check_data(const Host *host, const Step *step)
{
    g_autofree uint8_t *wanted = g_malloc(step->size + 1);

    fill(wanted, step->size);
    g_assert_cmpmem(host->got->data + OSTLER_MTP_HEADER,
                    host->got->len - OSTLER_MTP_HEADER, wanted, step->size);
}

/* The response, after the data phase to us if there is one. */
static void coroutine_fn receive_response(Host *host, const Step *step)
{
    OstlerMtpContainer response = { 0 };

    receive_container(host);
    g_assert_cmpuint(host->got->len, >=, OSTLER_MTP_HEADER);
    if (host->got->data[4] == OSTLER_MTP_CONTAINER_DATA) {
        if (step->operation == 0x1009) {
            check_data(host, step);
        }
        receive_container(host);
    }
    g_assert_true(
        ostler_mtp_container_decode(host->got->data, host->got->len, &response));
    g_assert_cmphex(response.code, ==, step->response);
    g_assert_cmpuint(response.transaction, ==, host->transaction);
    if (step->operation == 0x100c && response.code == OSTLER_MTP_OK) {
        host->handle = response.params[2];
    }
}

static void coroutine_fn take_step(Host *host, const Step *step)
{
    send_command(host, step);
    if (is_sent(step)) {
        send_data(host, step);
    } else if (step->is_cancelled) {
        g_byte_array_set_size(host->got, 0);
        host->way->in(host);
        cancel(host);
    }
    if (!step->is_cancelled) {
        receive_response(host, step);
    }
}

static void coroutine_fn run_responder(void *opaque)
{
    ostler_mtp_responder_run(opaque);
}

typedef struct {
    Host *host;
    const Conversation *conversation;
} Run;

static void coroutine_fn converse(void *opaque)
{
    const Run *run = opaque;
    Host *host = run->host;

    cpc_spawn(run_responder, host->responder);
    host->way->open(host);
    for (size_t i = 0; i < run->conversation->n_steps; i++) {
        const Step *step = &run->conversation->steps[i];
        g_test_message("step %zu: 0x%04x", i, step->operation);
        take_step(host, step);
    }
    host->way->close(host);
    ostler_mtp_responder_stop(host->responder);
}

static void write_seed(const Host *host, const Conversation *conversation)
{
    const char *folder = g_getenv("SEEDS");

    if (folder && host->sent->len > 0 && host->sent->len <= MAX_SEED) {
        g_autofree char *name = g_strconcat("conversation-", conversation->name, NULL);
        g_autofree char *path = g_build_filename(folder, host->way->name, name, NULL);
        g_assert_true(g_file_set_contents(path, (const char *)host->sent->data,
                                          host->sent->len, NULL));
    }
}

typedef struct {
    const Way *way;
    const Conversation *conversation;
} Case;

static void run_case(gconstpointer opaque)
{
    const Case *c = opaque;
    Host host = { .way = c->way };
    Run run = { &host, c->conversation };

    test_share_new(&host.share);
    host.session = ostler_mtp_session_new(host.share.store, &test_identity);
    host.device = ostler_usb_device_new(&test_usb_identity);
    host.responder = ostler_mtp_responder_new(host.device, host.session);
    host.got = g_byte_array_new();
    host.sent = g_byte_array_new();
    host.answers = g_byte_array_new();
    cpc_run(converse, &run);
    write_seed(&host, c->conversation);
    g_byte_array_unref(host.answers);
    g_byte_array_unref(host.sent);
    g_byte_array_unref(host.got);
    ostler_mtp_responder_free(host.responder);
    ostler_usb_device_free(host.device);
    ostler_mtp_session_free(host.session);
    test_share_free(&host.share);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(conversations); j++) {
            g_autofree char *path = g_strdup_printf(
                "/mtp-conversation/%s/%s", ways[i].name, conversations[j].name);
            Case *c = g_new(Case, 1);
            *c = (Case){ &ways[i], &conversations[j] };
            g_test_add_data_func_full(path, c, run_case, g_free);
        }
    }
    return g_test_run();
}
