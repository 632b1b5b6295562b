/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The conversations, over every way to the device that needs no system
 *
 * By the device's own functions, by usbredir packets, by USB/IP commands.  (FunctionFS needs
 * a kernel at both ends: tests/gadget.sh.)  What each way's host sends is a seed of its fuzz
 * target: with SEEDS=FOLDER set it is written there, and must be there already otherwise.
 */
#include "mtp/testing-conversation.h"
#include "mtp/testing.h"
#include "mtp/transport/usbip-link.h"
#include "mtp/transport/usbip.h"
#include "mtp/transport/usbredir-link.h"
#include "mtp/transport/usbredir.h"
#include "wire/reader.h"
#include "wire/writer.h"

#include <cpc/lock.h>

/* A corpus is of small files. */
#define MAX_SEED 16384u

typedef struct Host Host;

/* Plugging in, after which the device is configured, and out. */
typedef struct {
    TestWay way;
    void coroutine_fn (*open)(Host *host);
    void coroutine_fn (*close)(Host *host);
} Way;

struct Host {
    TestHost base; /* the first: a way is given this */
    TestShare share;
    OstlerMtpSession *session;
    OstlerUsbDevice *device;
    OstlerMtpResponder *responder;
    OstlerUsbTransport transport; /* of the way without packets */
    uint64_t next_id;
    uint64_t answered_id;

    GByteArray *sent; /* all that the host sent, and how much of it was read */
    size_t n_read;
    GByteArray *answers; /* what came back and is not taken apart yet */
    bool is_closed;
    bool is_served;
    CoQueue changed;
};

static Host *host_of(TestHost *base)
{
    return (Host *)base;
}

/* ---- by the device's own functions ---- */

static void coroutine_fn note_completion(const OstlerUsbTransfer *transfer,
                                         void *opaque)
{
    Host *host = opaque;

    host->answered_id = transfer->id;
    if (transfer->endpoint == OSTLER_USB_BULK_IN && transfer->size > 0) {
        g_byte_array_append(host->base.got, transfer->data, (guint)transfer->size);
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

static void coroutine_fn out_directly(TestHost *base, const void *bytes, size_t size)
{
    Host *host = host_of(base);
    uint64_t id = ++host->next_id;
    OstlerUsbTransfer *transfer = ostler_usb_transfer_new(id, OSTLER_USB_BULK_OUT, 0);

    if (size > 0) {
        g_assert_true(ostler_usb_transfer_reserve(transfer, size));
        memcpy(transfer->data, bytes, size);
    }
    ostler_usb_device_submit(host->device, transfer);
    wait_for_answer(host, id);
}

static void coroutine_fn in_directly(TestHost *base)
{
    Host *host = host_of(base);
    uint64_t id = ++host->next_id;

    ostler_usb_device_submit(
        host->device, ostler_usb_transfer_new(id, OSTLER_USB_BULK_IN, TEST_WANTED));
    wait_for_answer(host, id);
}

static bool coroutine_fn control_directly(TestHost *base, const OstlerUsbSetup *setup,
                                          const uint8_t *data)
{
    Host *host = host_of(base);
    GByteArray *bytes =
        ostler_usb_device_control(host->device, setup, data, data ? setup->length : 0);
    if (!bytes) {
        return false;
    }
    g_byte_array_append(host->base.got, bytes->data, bytes->len);
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
    if (size > 0) {
        memcpy(buffer, host->sent->data + host->n_read, size);
        host->n_read += size;
    }
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
    guint start = host->base.got->len;

    g_byte_array_set_size(host->base.got, start + (guint)size);
    take(host, host->base.got->data + start, size);
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
        start = host->base.got->len;
        got = take_packet(host, false, &id);
        if (got != type || id != host->next_id) {
            g_byte_array_set_size(host->base.got, start);
        }
    } while (got != type || id != host->next_id);
    memcpy(out_head, host->base.got->data + start, n_head);
    g_byte_array_remove_range(host->base.got, start, n_head);
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
    g_byte_array_set_size(host->base.got, 0);
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

static void coroutine_fn out_usbredir(TestHost *base, const void *bytes, size_t size)
{
    Host *host = host_of(base);
    bulk(host, OSTLER_USB_BULK_OUT, bytes, size);
}

static void coroutine_fn in_usbredir(TestHost *base)
{
    Host *host = host_of(base);
    bulk(host, OSTLER_USB_BULK_IN, NULL, TEST_WANTED);
}

static bool coroutine_fn control_usbredir(TestHost *base, const OstlerUsbSetup *setup,
                                          const uint8_t *data)
{
    Host *host = host_of(base);
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

/* Whoever looks whether the port is open. */
static void coroutine_fn serve_no_request(void *opaque)
{
    Host *host = opaque;
    const OstlerUsbipStream stream = { read_sent, write_answers, host };
    bool was_imported = true;

    host->is_closed = true;
    g_assert_true(ostler_usbip_serve(host->device, &stream, &was_imported, NULL));
    g_assert_false(was_imported);
    g_assert_cmpuint(host->answers->len, ==, 0);
}

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

static bool coroutine_fn control_usbip(TestHost *base, const OstlerUsbSetup *setup,
                                       const uint8_t *data)
{
    Host *host = host_of(base);
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
    g_assert_true(control_usbip(&host->base, &configure, NULL));
}

static void coroutine_fn out_usbip(TestHost *base, const void *bytes, size_t size)
{
    Host *host = host_of(base);
    g_assert_cmpint(submit(host, OSTLER_USB_BULK_OUT, NULL, bytes, size), ==, 0);
}

static void coroutine_fn in_usbip(TestHost *base)
{
    Host *host = host_of(base);
    g_assert_cmpint(submit(host, OSTLER_USB_BULK_IN, NULL, NULL, TEST_WANTED), ==, 0);
}

static const Way ways[] = {
    { { "device", out_directly, in_directly, control_directly },
      open_directly,
      close_directly },
    { { "usbredir", out_usbredir, in_usbredir, control_usbredir },
      open_usbredir,
      close_stream },
    { { "usbip", out_usbip, in_usbip, control_usbip }, open_usbip, close_stream },
};

/* ---- a conversation over a way ---- */

static void coroutine_fn run_responder(void *opaque)
{
    ostler_mtp_responder_run(opaque);
}

typedef struct {
    Host *host;
    const TestConversation *conversation;
} Run;

static void coroutine_fn converse(void *opaque)
{
    const Run *run = opaque;
    Host *host = run->host;
    const Way *way = (const Way *)host->base.way;

    cpc_spawn(run_responder, host->responder);
    way->open(host);
    test_converse(&host->base, run->conversation);
    way->close(host);
    ostler_mtp_responder_stop(host->responder);
}

/* The corpus of @target begins with what was sent here. */
static void check_seed(const char *target, const char *conversation,
                       const GByteArray *sent)
{
    const char *written = g_getenv("SEEDS");
    const char *corpus = written ? written : g_getenv("CORPUS");
    g_autofree char *name = g_strconcat("conversation-", conversation, NULL);
    g_autofree char *path = g_build_filename(corpus ? corpus : ".", target, name, NULL);
    g_autofree char *kept = NULL;
    gsize n;

    if (!corpus || sent->len == 0 || sent->len > MAX_SEED) {
        return;
    }
    if (written) {
        g_assert_true(
            g_file_set_contents(path, (const char *)sent->data, sent->len, NULL));
    }
    g_assert_true(g_file_get_contents(path, &kept, &n, NULL));
    g_assert_cmpmem(kept, (int)n, sent->data, (int)sent->len);
}

typedef struct {
    const Way *way;
    const TestConversation *conversation;
} Case;

static void run_case(gconstpointer opaque)
{
    const Case *c = opaque;
    Host host = { .base = { &c->way->way, OSTLER_USB_MAX_PACKET } };
    Run run = { &host, c->conversation };

    test_share_new(&host.share);
    host.session = ostler_mtp_session_new(host.share.store, &test_identity);
    host.device = ostler_usb_device_new(&test_usb_identity);
    host.responder = ostler_mtp_responder_new(host.device, host.session);
    host.base.got = g_byte_array_new();
    host.sent = g_byte_array_new();
    host.answers = g_byte_array_new();
    cpc_run(converse, &run);
    check_seed(c->way->way.name, c->conversation->name, host.sent);
    g_byte_array_unref(host.answers);
    g_byte_array_unref(host.sent);
    g_byte_array_unref(host.base.got);
    ostler_mtp_responder_free(host.responder);
    ostler_usb_device_free(host.device);
    ostler_mtp_session_free(host.session);
    test_share_free(&host.share);
}

static void a_usbip_client_that_says_nothing_is_served(void)
{
    Host host = { .sent = g_byte_array_new(), .answers = g_byte_array_new() };

    host.device = ostler_usb_device_new(&test_usb_identity);
    cpc_run(serve_no_request, &host);
    ostler_usb_device_free(host.device);
    g_byte_array_unref(host.answers);
    g_byte_array_unref(host.sent);
}

/* The conversation as fuzz/mtp-fuzz.c has it. */
static void session_has_its_seed(gconstpointer opaque)
{
    const TestConversation *conversation = opaque;
    g_autoptr(GByteArray) steps = test_conversation_steps(conversation);

    check_seed("mtp", conversation->name, steps);
}

static void add_case(const Way *way, const TestConversation *conversation)
{
    g_autofree char *path =
        g_strdup_printf("/mtp-conversation/%s/%s", way->way.name, conversation->name);
    Case *c = g_new(Case, 1);

    *c = (Case){ way, conversation };
    g_test_add_data_func_full(path, c, run_case, g_free);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mtp-conversation/a-usbip-client-that-says-nothing-is-served",
                    a_usbip_client_that_says_nothing_is_served);
    for (size_t i = 0; i < test_n_conversations; i++) {
        const TestConversation *conversation = &test_conversations[i];
        g_autofree char *path =
            g_strdup_printf("/mtp-conversation/session/%s", conversation->name);
        for (size_t j = 0; j < G_N_ELEMENTS(ways); j++) {
            add_case(&ways[j], conversation);
        }
        g_test_add_data_func(path, conversation, session_has_its_seed);
    }
    return g_test_run();
}
