/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/testing-conversation.h"

#include "mtp/bytes.h"
#include "mtp/testing.h"

#define STORAGE 0x00010001u
#define LAST    0xfeedf00du /* as a parameter: the handle that was given last */

/* ---- conversations ---- */

struct TestStep {
    uint16_t operation;
    uint16_t response;
    uint32_t params[5];
    const char *name;  /* SendObjectInfo: of the file, which shall have @size bytes */
    uint32_t size;     /* SendObject, SendPartialObject: so many follow; GetObject:
                         so many must come */
    bool is_cancelled; /* after its first transfer */
};

static const TestStep sessions[] = {
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
static const TestStep files[] = {
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

static const TestStep refusals[] = {
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

static const TestStep edits[] = {
    { 0x1002, OSTLER_MTP_OK, { 1 } },
    FILE_OF(3000),
    { 0x95c4, OSTLER_MTP_OK, { LAST } },
    { 0x95c2, OSTLER_MTP_OK, { LAST, 0, 0, 1000 }, NULL, 1000 },
    { 0x95c3, OSTLER_MTP_OK, { LAST, 2000, 0 } },
    { 0x95c5, OSTLER_MTP_OK, { LAST } },
    { 0x1009, OSTLER_MTP_OK, { LAST }, NULL, 2000 },
};

static const TestStep cancels[] = {
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
const TestConversation test_conversations[] = {
    CONVERSATION(sessions), CONVERSATION(files),   CONVERSATION(refusals),
    CONVERSATION(edits),    CONVERSATION(cancels),
};
const size_t test_n_conversations = G_N_ELEMENTS(test_conversations);

/* ---- one step of them ---- */

/* A container, and the empty packet that ends one whose last is full. */
static void coroutine_fn send_container(TestHost *host, const void *bytes, size_t size)
{
    host->way->out(host, bytes, size);
    if (size % host->packet == 0) {
        host->way->out(host, NULL, 0);
    }
}

/* All transfers of a container, until one is short; the container is ->got. */
static void coroutine_fn receive_container(TestHost *host)
{
    guint before;

    g_byte_array_set_size(host->got, 0);
    do {
        before = host->got->len;
        host->way->in(host);
    } while (host->got->len - before == TEST_WANTED);
}

static void coroutine_fn send_command(TestHost *host, const TestStep *step)
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
static void coroutine_fn cancel(TestHost *host)
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

static bool is_sent(const TestStep *step)
{
    return step->operation == 0x100c || step->operation == 0x100d ||
           step->operation == 0x95c2;
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
}

/* What a data phase from us holds: an ObjectInfo, or so many bytes. */
static GByteArray *step_data(const TestStep *step)
{
    if (step->name) {
        return test_object_info(step->name, 0x3000, step->size);
    }
    GByteArray *data = g_byte_array_new();
    g_byte_array_set_size(data, is_sent(step) ? step->size : 0);
    fill(data->data, data->len);
    return data;
}

static void coroutine_fn send_data(TestHost *host, const TestStep *step)
{
    g_autoptr(GByteArray) data = step_data(step);
    uint8_t head[OSTLER_MTP_HEADER];

    ostler_mtp_data_header(step->operation, host->transaction, data->len, head);
    g_byte_array_prepend(data, head, sizeof(head));
    if (step->is_cancelled) {
        host->way->out(host, data->data, TEST_WANTED);
        cancel(host);
    } else {
        send_container(host, data->data, data->len);
    }
}

static void check_data(const TestHost *host, const TestStep *step)
{
    g_autofree uint8_t *wanted = g_malloc(step->size + 1);

    fill(wanted, step->size);
    g_assert_cmpmem(host->got->data + OSTLER_MTP_HEADER,
                    host->got->len - OSTLER_MTP_HEADER, wanted, step->size);
}

/* The response, after the data phase to us if there is one. */
static void coroutine_fn receive_response(TestHost *host, const TestStep *step)
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

static void coroutine_fn take_step(TestHost *host, const TestStep *step)
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

void coroutine_fn test_converse(TestHost *host, const TestConversation *conversation)
{
    for (size_t i = 0; i < conversation->n_steps; i++) {
        const TestStep *step = &conversation->steps[i];
        g_test_message("step %zu: 0x%04x", i, step->operation);
        take_step(host, step);
    }
}

/* ---- as steps of fuzz/mtp-fuzz.c ---- */

/* @n_made handles were given so far. */
static uint8_t step_parameter(uint32_t value, unsigned n_made)
{
    if (value == LAST) {
        return 0x20 | (uint8_t)((n_made - 1) % 16);
    }
    if (value == STORAGE) {
        return 0x40;
    }
    switch (value >> 5) {
    case 0xdc00 >> 5:
        return 0x60 | (uint8_t)(value & 0x1f);
    case 0xdc40 >> 5:
        return 0x80 | (uint8_t)(value & 0x1f);
    case 0x3000 >> 5:
        return 0xa0 | (uint8_t)(value & 0x1f);
    case OSTLER_MTP_ALL >> 5:
        return 0xc0 | (uint8_t)(OSTLER_MTP_ALL - value);
    default:
        return (uint8_t)MIN(value, 0x1f);
    }
}

GByteArray *test_conversation_steps(const TestConversation *conversation)
{
    GByteArray *steps = g_byte_array_new();
    unsigned n_made = 0;

    for (size_t i = 0; i < conversation->n_steps; i++) {
        const TestStep *step = &conversation->steps[i];
        g_autoptr(GByteArray) data = step_data(step);
        ostler_bytes_le16(steps, step->operation);
        ostler_bytes_u8(steps, step->is_cancelled ? 1 : 0);
        for (unsigned j = 0; j < 5; j++) {
            ostler_bytes_u8(steps, step_parameter(step->params[j], n_made));
        }
        guint size = MIN(data->len, 255);
        ostler_bytes_u8(steps, (uint8_t)size);
        g_byte_array_append(steps, data->data, size);
        n_made += step->operation == 0x100c && step->response == OSTLER_MTP_OK;
    }
    return steps;
}
