/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host and the responder in one process, with nothing but the USB device between. */
#include "mtp/responder.h"

#include "mtp/testing.h"

#define TIMEOUT_MS 20000

typedef struct {
    TestShare share;
    OstlerMtpSession *session;
    OstlerUsbDevice *device;
    OstlerMtpResponder *responder;
    OstlerUsbTransport transport;
    uint64_t next_id;

    uint64_t completed_id; /* the last one */
    OstlerUsbStatus status;
    GByteArray *got; /* what came with it */
    CoEvent completion;

} Fixture;

static void coroutine_fn complete(const OstlerUsbTransfer *transfer, void *opaque)
{
    Fixture *f = opaque;

    f->completed_id = transfer->id;
    f->status = transfer->status;
    g_byte_array_set_size(f->got, 0);
    if (transfer->endpoint == OSTLER_USB_BULK_IN) {
        g_byte_array_append(f->got, transfer->data, (guint)transfer->size);
    }
    cpc_event_set(&f->completion);
}

static void coroutine_fn ignore_event(const uint8_t *data, size_t size, void *opaque)
{
}

static void set_up(Fixture *f, gconstpointer unused)
{
    test_share_new(&f->share);
    f->session = ostler_mtp_session_new(f->share.store, &test_identity);
    f->device = ostler_usb_device_new(&test_usb_identity);
    f->responder = ostler_mtp_responder_new(f->device, f->session);
    f->transport = (OstlerUsbTransport){ complete, ignore_event, f };
    f->got = g_byte_array_new();
    ostler_usb_device_set_transport(f->device, &f->transport);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    ostler_mtp_responder_free(f->responder);
    ostler_usb_device_free(f->device);
    ostler_mtp_session_free(f->session);
    g_byte_array_unref(f->got);
    test_share_free(&f->share);
}

/* ---- the host ---- */

static void coroutine_fn wait_for(Fixture *f, uint64_t id)
{
    while (f->completed_id != id) {
        g_assert_true(cpc_event_wait(&f->completion, TIMEOUT_MS));
    }
}

/* Send one transfer and wait until the device has taken it. */
static void coroutine_fn send(Fixture *f, const void *bytes, size_t size)
{
    uint64_t id = ++f->next_id;
    OstlerUsbTransfer *transfer =
        ostler_usb_transfer_new(id, OSTLER_USB_BULK_OUT, size);

    if (size > 0) {
        g_assert_true(ostler_usb_transfer_reserve(transfer, size));
        memcpy(transfer->data, bytes, size);
    }
    ostler_usb_device_submit(f->device, transfer);
    wait_for(f, id);
}

/* Ask for one transfer of at most @wanted bytes: it is in ->got. */
static void coroutine_fn receive(Fixture *f, size_t wanted)
{
    uint64_t id = ++f->next_id;

    ostler_usb_device_submit(f->device,
                             ostler_usb_transfer_new(id, OSTLER_USB_BULK_IN, wanted));
    wait_for(f, id);
}

static void coroutine_fn send_command(Fixture *f, uint16_t code, uint32_t a, uint32_t b)
{
    const OstlerMtpContainer command = {
        OSTLER_MTP_CONTAINER_COMMAND, code, 1, { a, b }, 2,
    };
    uint8_t bytes[32];

    send(f, bytes, ostler_mtp_container_encode(&command, bytes));
}

static OstlerMtpContainer coroutine_fn receive_response(Fixture *f)
{
    OstlerMtpContainer response = { 0 };

    receive(f, 512);
    g_assert_true(ostler_mtp_container_decode(f->got->data, f->got->len, &response));
    g_assert_cmpint(response.type, ==, OSTLER_MTP_CONTAINER_RESPONSE);
    return response;
}

static void coroutine_fn open_session(Fixture *f)
{
    send_command(f, 0x1002, 1, 0);
    g_assert_cmphex(receive_response(f).code, ==, OSTLER_MTP_OK);
}

/* Read a data container in transfers of @wanted; returns its payload. */
static GByteArray *coroutine_fn receive_data(Fixture *f, size_t wanted)
{
    GByteArray *data = g_byte_array_new();

    do {
        receive(f, wanted);
        g_byte_array_append(data, f->got->data, f->got->len);
    } while (f->got->len == wanted && wanted % OSTLER_USB_MAX_PACKET == 0);
    g_assert_cmpuint(data->len, >=, OSTLER_MTP_HEADER);
    g_byte_array_remove_range(data, 0, OSTLER_MTP_HEADER);
    return data;
}

/* Send a data container with the header in a transfer of its own, or not; with an
 * empty packet at the end where the specification wants one, or not. */
static void coroutine_fn send_data(Fixture *f, uint16_t code, const uint8_t *bytes,
                                   size_t size, size_t chunk, bool is_split,
                                   bool has_empty)
{
    g_autofree uint8_t *all = g_malloc(OSTLER_MTP_HEADER + size);
    size_t total = OSTLER_MTP_HEADER + size;
    size_t at = 0;

    ostler_mtp_data_header(code, 1, size, all);
    memcpy(all + OSTLER_MTP_HEADER, bytes, size);
    if (is_split) {
        send(f, all, OSTLER_MTP_HEADER);
        at = OSTLER_MTP_HEADER;
    }
    while (at < total) {
        size_t n = MIN(chunk, total - at);
        send(f, all + at, n);
        at += n;
    }
    if (has_empty && total % OSTLER_USB_MAX_PACKET == 0) {
        send(f, NULL, 0);
    }
}

static uint32_t coroutine_fn send_info(Fixture *f, const char *name, uint32_t size)
{
    g_autoptr(GByteArray) info = test_object_info(name, 0x3000, size);

    send_command(f, 0x100c, 0x00010001, 0xffffffff);
    send_data(f, 0x100c, info->data, info->len, 512, false, true);
    OstlerMtpContainer response = receive_response(f);
    g_assert_cmphex(response.code, ==, OSTLER_MTP_OK);
    return response.params[2];
}

typedef void coroutine_fn Conversation(Fixture *f);

typedef struct {
    Fixture *f;
    Conversation *converse;
} Start;

static void coroutine_fn run_responder(void *opaque)
{
    ostler_mtp_responder_run(opaque);
}

static void coroutine_fn run(void *opaque)
{
    Start *start = opaque;

    cpc_spawn(run_responder, start->f->responder);
    start->converse(start->f);
    ostler_mtp_responder_stop(start->f->responder);
}

static void converse(Fixture *f, Conversation *conversation)
{
    Start start = { f, conversation };

    cpc_run(run, &start);
}

/* ---- conversations ---- */

static void assert_bytes(const void *got, size_t n_got, const void *wanted, size_t size)
{
    g_assert_cmpuint(n_got, ==, size);
    g_assert_cmpint(memcmp(got, wanted, size), ==, 0);
}

/* Around the packet's size and libmtp's 16 KiB, with the header's 12 bytes and without,
 * and every size up to three packets. */
static const size_t odd_sizes[] = {
    4083,  4084,  4085,  16371, 16372, 16373, 16383,
    16384, 16385, 65523, 65524, 65536, 70000,
};

static size_t size_number(size_t i)
{
    return i <= 1540 ? i : odd_sizes[i - 1541];
}

static const size_t n_sizes = 1541 + G_N_ELEMENTS(odd_sizes);

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)g_test_rand_int();
    }
}

static void coroutine_fn send_every_size(Fixture *f, bool is_split, bool has_empty)
{
    static uint8_t bytes[70000];

    fill(bytes, sizeof(bytes));
    open_session(f);
    for (size_t i = 0; i < n_sizes; i++) {
        size_t size = size_number(i);
        gsize n_stored = 0;
        send_info(f, "file", (uint32_t)size);
        send_command(f, 0x100d, 0, 0);
        send_data(f, 0x100d, bytes, size, 16384, is_split, has_empty);
        g_assert_cmphex(receive_response(f).code, ==, OSTLER_MTP_OK);
        g_autofree char *stored = test_share_get(&f->share, "file", &n_stored);
        assert_bytes(stored, n_stored, bytes, size);
    }
}

static void coroutine_fn send_plainly(Fixture *f)
{
    send_every_size(f, false, true);
}

static void coroutine_fn send_split(Fixture *f)
{
    send_every_size(f, true, true);
}

static void coroutine_fn send_without_empty(Fixture *f)
{
    send_every_size(f, false, false);
}

static void every_size_is_stored(Fixture *f, gconstpointer unused)
{
    converse(f, send_plainly);
}

static void every_size_is_stored_after_a_header_alone(Fixture *f, gconstpointer unused)
{
    converse(f, send_split);
}

static void every_size_is_stored_without_an_empty_packet(Fixture *f,
                                                         gconstpointer unused)
{
    converse(f, send_without_empty);
}

static void coroutine_fn receive_every_size(Fixture *f)
{
    static const size_t wanted[] = { 512, 1024, 16384, 1 << 20 };
    static uint8_t bytes[70000];

    fill(bytes, sizeof(bytes));
    open_session(f);
    for (size_t i = 0; i < n_sizes; i++) {
        size_t size = size_number(i);
        test_share_put(&f->share, "file", (const char *)bytes, (gssize)size);
        send_command(f, 0x1009, test_share_handle(&f->share, "file"), 0);
        g_autoptr(GByteArray) data = receive_data(f, wanted[i % G_N_ELEMENTS(wanted)]);
        assert_bytes(data->data, data->len, bytes, size);
        g_assert_cmphex(receive_response(f).code, ==, OSTLER_MTP_OK);
    }
}

static void every_size_is_served(Fixture *f, gconstpointer unused)
{
    converse(f, receive_every_size);
}

/* Each request is as large as the one before, larger, smaller, or cuts in what was
 * read ahead for one. */
static void coroutine_fn receive_in_changing_pieces(Fixture *f)
{
    static const size_t pieces[] = { 65536,  65536, 131072, 512,    65536, 4096,
                                     262144, 65536, 65536,  131072, 16384, 131072 };
    static uint8_t bytes[3 << 20];
    g_autoptr(GByteArray) data = g_byte_array_new();

    fill(bytes, sizeof(bytes));
    open_session(f);
    test_share_put(&f->share, "file", (const char *)bytes, sizeof(bytes));
    send_command(f, 0x1009, test_share_handle(&f->share, "file"), 0);
    for (size_t i = 0; i == 0 || f->got->len == pieces[(i - 1) % G_N_ELEMENTS(pieces)];
         i++) {
        receive(f, pieces[i % G_N_ELEMENTS(pieces)]);
        g_byte_array_append(data, f->got->data, f->got->len);
    }
    assert_bytes(data->data + OSTLER_MTP_HEADER, data->len - OSTLER_MTP_HEADER, bytes,
                 sizeof(bytes));
    g_assert_cmphex(receive_response(f).code, ==, OSTLER_MTP_OK);
}

static void a_file_is_served_in_changing_pieces(Fixture *f, gconstpointer unused)
{
    converse(f, receive_in_changing_pieces);
}

/* ---- every size ---- */

/*
 * As parts of one file: the containers, packets and ends of a phase are those of a whole
 * file, but no new file is needed for each, so that all sizes up to 70,000 take seconds.
 */
#define N_PARTS 70001u
#define BATCH   500u

static uint8_t pattern[N_PARTS + 256];

/* What stands for one size begins where no neighbour's does. */
static const uint8_t *part_of(uint32_t size)
{
    return pattern + size % 251;
}

static void coroutine_fn ask(Fixture *f, uint16_t code, uint32_t a, uint32_t b,
                             uint32_t c, uint32_t d)
{
    const OstlerMtpContainer command = {
        OSTLER_MTP_CONTAINER_COMMAND, code, 1, { a, b, c, d }, 4,
    };
    uint8_t bytes[32];

    send(f, bytes, ostler_mtp_container_encode(&command, bytes));
}

static void coroutine_fn expect_ok(Fixture *f)
{
    g_assert_cmphex(receive_response(f).code, ==, OSTLER_MTP_OK);
}

static void coroutine_fn receive_every_part(Fixture *f)
{
    static const size_t wanted[] = { 512, 1024, 16384, 65536, 1 << 20 };

    fill(pattern, sizeof(pattern));
    open_session(f);
    test_share_put(&f->share, "file", (const char *)pattern, sizeof(pattern));
    uint32_t file = test_share_handle(&f->share, "file");
    for (uint32_t size = 0; size < N_PARTS; size++) {
        ask(f, 0x101b, file, size % 251, size, 0);
        g_autoptr(GByteArray) data =
            receive_data(f, wanted[size < 4096 ? size % 5 : 2 + size % 3]);
        assert_bytes(data->data, data->len, part_of(size), size);
        expect_ok(f);
    }
}

static void every_size_is_served_as_a_part(Fixture *f, gconstpointer unused)
{
    converse(f, receive_every_part);
}

/* The sizes of a batch, one behind the other in one edit. */
static void coroutine_fn send_batch(Fixture *f, uint32_t file, uint32_t first,
                                    bool is_split)
{
    uint32_t end = MIN(first + BATCH, N_PARTS);
    uint32_t offset = 0;

    ask(f, 0x95c4, file, 0, 0, 0);
    expect_ok(f);
    ask(f, 0x95c3, file, 0, 0, 0);
    expect_ok(f);
    for (uint32_t size = first; size < end; offset += size, size++) {
        ask(f, 0x95c2, file, offset, 0, size);
        send_data(f, 0x95c2, part_of(size), size, 16384, is_split, size % 3 != 0);
        expect_ok(f);
    }
    ask(f, 0x95c5, file, 0, 0, 0);
    expect_ok(f);
}

static void check_batch(const Fixture *f, uint32_t first)
{
    uint32_t end = MIN(first + BATCH, N_PARTS);
    gsize offset = 0;
    gsize n_stored = 0;
    g_autofree char *stored = test_share_get(&f->share, "file", &n_stored);

    for (uint32_t size = first; size < end; offset += size, size++) {
        g_assert_cmpuint(offset + size, <=, n_stored);
        g_assert_cmpint(memcmp(stored + offset, part_of(size), size), ==, 0);
    }
    g_assert_cmpuint(offset, ==, n_stored);
}

static void coroutine_fn send_every_part(Fixture *f, bool is_split)
{
    fill(pattern, sizeof(pattern));
    open_session(f);
    test_share_put(&f->share, "file", "x", 1);
    uint32_t file = test_share_handle(&f->share, "file");
    for (uint32_t first = 0; first < N_PARTS; first += BATCH) {
        send_batch(f, file, first, is_split);
        check_batch(f, first);
    }
}

static void coroutine_fn send_parts_plainly(Fixture *f)
{
    send_every_part(f, false);
}

static void coroutine_fn send_parts_split(Fixture *f)
{
    send_every_part(f, true);
}

static void every_size_is_stored_as_a_part(Fixture *f, gconstpointer unused)
{
    converse(f, send_parts_plainly);
}

static void every_size_is_stored_as_a_part_after_a_header(Fixture *f,
                                                          gconstpointer unused)
{
    converse(f, send_parts_split);
}

static const OstlerUsbSetup cancel_setup = { 0x21, 0x64, 0, 0, 6 };
static const OstlerUsbSetup reset_setup = { 0x21, 0x66, 0, 0, 0 };
static const OstlerUsbSetup status_setup = { 0xa1, 0x67, 0, 0, 20 };

static void coroutine_fn control(Fixture *f, const OstlerUsbSetup *setup,
                                 const uint8_t *data, size_t size)
{
    GByteArray *answer = ostler_usb_device_control(f->device, setup, data, size);

    g_assert_nonnull(answer);
    g_byte_array_unref(answer);
}

/* Poll Get Device Status until the device is ready, as a host does after a cancel. */
static void coroutine_fn wait_until_ready(Fixture *f)
{
    uint16_t code;

    do {
        GByteArray *answer =
            ostler_usb_device_control(f->device, &status_setup, NULL, 0);
        g_assert_cmpuint(answer->len, ==, 4);
        code = (uint16_t)(answer->data[2] | answer->data[3] << 8);
        g_byte_array_unref(answer);
        cpc_sleep_ms(0);
    } while (code == OSTLER_MTP_DEVICE_BUSY);
    g_assert_cmphex(code, ==, OSTLER_MTP_OK);
}

static void coroutine_fn cancel_both_ways(Fixture *f)
{
    static const uint8_t cancellation[] = { 0x01, 0x40, 1, 0, 0, 0 };
    uint8_t part[1024] = { 0 };

    test_share_put(&f->share, "old", "old", 3);
    open_session(f);
    send_info(f, "old", 5000);
    send_command(f, 0x100d, 0, 0);
    ostler_mtp_data_header(0x100d, 1, 5000, part);
    send(f, part, sizeof(part));
    control(f, &cancel_setup, cancellation, sizeof(cancellation));
    wait_until_ready(f);
    g_autofree char *old = test_share_get(&f->share, "old", NULL);
    g_assert_cmpstr(old, ==, "old");

    send_command(f, 0x1009, test_share_handle(&f->share, "old"), 0);
    control(f, &cancel_setup, cancellation, sizeof(cancellation));
    wait_until_ready(f);
    send_command(f, 0x1006, 0xffffffff, 0);
    OstlerMtpContainer response = receive_response(f);
    g_assert_cmphex(response.code, ==, OSTLER_MTP_OK); /* the session is open still */
    g_assert_cmpuint(response.params[0], ==, 1);
}

static void a_cancelled_transfer_leaves_nothing(Fixture *f, gconstpointer unused)
{
    converse(f, cancel_both_ways);
}

static void coroutine_fn reset_in_every_phase(Fixture *f)
{
    test_share_put(&f->share, "file", "x", 1);
    for (unsigned i = 0; i < 12; i++) {
        open_session(f);
        uint32_t handle = test_share_handle(&f->share, "file");
        g_assert_cmpuint(handle, ==, 257); /* the first one, for ever */
        switch (i % 3) {
        case 0:
            break; /* between transactions */
        case 1:
            send_command(f, 0x1009, handle, 0); /* before its data */
            break;
        case 2:
            send_info(f, "half", 100);
            send_command(f, 0x100d, 0, 0); /* before the host's */
            break;
        }
        if (i % 2 == 0) {
            control(f, &reset_setup, NULL, 0);
        } else {
            ostler_usb_device_reset(f->device);
        }
        wait_until_ready(f);
    }
    g_assert_false(test_share_has(&f->share, "half"));
}

static void a_reset_is_survived_in_every_phase(Fixture *f, gconstpointer unused)
{
    converse(f, reset_in_every_phase);
}

static void coroutine_fn send_to_unknown_operation(Fixture *f)
{
    uint8_t bytes[1000] = { 0 };

    open_session(f);
    send_command(f, 0x9999, 0, 0);
    send_data(f, 0x9999, bytes, sizeof(bytes), 512, false, true);
    g_assert_cmphex(receive_response(f).code, ==, OSTLER_MTP_OPERATION_NOT_SUPPORTED);
    send_command(f, 0x1006, 0xffffffff, 0);
    g_assert_cmphex(receive_response(f).code, ==, OSTLER_MTP_OK);
}

static void data_nobody_wants_is_let_pass(Fixture *f, gconstpointer unused)
{
    converse(f, send_to_unknown_operation);
}

static void coroutine_fn flood(Fixture *f)
{
    /* Nobody takes these: the device is in the middle of telling its answer. */
    send_command(f, 0x1006, 0, 0);
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t id = ++f->next_id;
        OstlerUsbTransfer *transfer =
            ostler_usb_transfer_new(id, OSTLER_USB_BULK_OUT, 0);
        ostler_usb_device_submit(f->device, transfer);
    }
    g_assert_cmpint(f->status, ==, OSTLER_USB_STALL);
    g_assert_cmphex(receive_response(f).code, ==, OSTLER_MTP_SESSION_NOT_OPEN);
}

static void a_flood_is_stalled(Fixture *f, gconstpointer unused)
{
    converse(f, flood);
}

static void coroutine_fn read_descriptors(Fixture *f)
{
    static const struct {
        OstlerUsbSetup setup;
        uint8_t at; /* where to look */
        const char *bytes;
        size_t size;
    } cases[] = {
        { { 0x80, 6, 0x0100, 0, 64 }, 0, "\x12\1\0\2\0\0\0\x40\x6b\x1d", 10 },
        { { 0x80, 6, 0x0100, 0, 8 }, 0, "\x12\1\0\2\0\0\0\x40", 8 },
        { { 0x80, 6, 0x0200, 0, 255 }, 9, "\x9\4\0\0\3\6\1\1\4", 9 }, /* still image */
        { { 0x80, 6, 0x0304, 0x409, 255 }, 0, "\x8\3M\0T\0P\0", 8 },
        { { 0x80, 6, 0x03ee, 0, 255 },
          2,
          "M\0S\0F\0T\0"
          "1\0"
          "0\0"
          "0\0",
          14 },
        { { 0xc0, 0x4d, 0, 4, 255 }, 18, "MTP\0\0\0\0\0", 8 },
        { { 0x80, 0, 0, 0, 2 }, 0, "\0\0", 2 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GByteArray *answer =
            ostler_usb_device_control(f->device, &cases[i].setup, NULL, 0);
        g_assert_cmpuint(answer->len, >=, cases[i].at + cases[i].size);
        assert_bytes(answer->data + cases[i].at, cases[i].size, cases[i].bytes,
                     cases[i].size);
        g_byte_array_unref(answer);
    }
}

static void descriptors_say_mtp(Fixture *f, gconstpointer unused)
{
    converse(f, read_descriptors);
}

static void coroutine_fn ask_for_nonsense(Fixture *f)
{
    static const OstlerUsbSetup setups[] = {
        { 0x80, 6, 0x0f00, 0, 255 }, /* no BOS at high speed */
        { 0x80, 6, 0x0399, 0, 255 }, { 0x00, 9, 2, 0, 0 },  { 0x21, 0x64, 0, 0, 0 },
        { 0xc0, 0x4d, 0, 5, 255 },   { 0x01, 11, 1, 0, 0 }, { 0xff, 0xff, 0, 0, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(setups); i++) {
        g_assert_null(ostler_usb_device_control(f->device, &setups[i], NULL, 0));
    }
}

static void an_unknown_control_request_is_stalled(Fixture *f, gconstpointer unused)
{
    converse(f, ask_for_nonsense);
}

#define TEST(name, func)                                                               \
    g_test_add("/responder/" name, Fixture, NULL, set_up, func, tear_down)
/* Seconds of work: a test of their own. */
#define SIZES(name, func)                                                              \
    g_test_add("/sizes/" name, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("every-size-is-stored", every_size_is_stored);
    TEST("every-size-is-stored-after-a-header-alone",
         every_size_is_stored_after_a_header_alone);
    TEST("every-size-is-stored-without-an-empty-packet",
         every_size_is_stored_without_an_empty_packet);
    TEST("every-size-is-served", every_size_is_served);
    TEST("a-file-is-served-in-changing-pieces", a_file_is_served_in_changing_pieces);
    SIZES("every-size-is-served-as-a-part", every_size_is_served_as_a_part);
    SIZES("every-size-is-stored-as-a-part", every_size_is_stored_as_a_part);
    SIZES("every-size-is-stored-as-a-part-after-a-header",
          every_size_is_stored_as_a_part_after_a_header);
    TEST("a-cancelled-transfer-leaves-nothing", a_cancelled_transfer_leaves_nothing);
    TEST("a-reset-is-survived-in-every-phase", a_reset_is_survived_in_every_phase);
    TEST("data-nobody-wants-is-let-pass", data_nobody_wants_is_let_pass);
    TEST("a-flood-is-stalled", a_flood_is_stalled);
    TEST("descriptors-say-mtp", descriptors_say_mtp);
    TEST("an-unknown-control-request-is-stalled",
         an_unknown_control_request_is_stalled);
    return g_test_run();
}
