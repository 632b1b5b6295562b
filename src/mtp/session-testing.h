/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* session-testing.h - a session over a folder, and transactions with it, for its tests */
#pragma once

#include "mtp/session.h"

#include "mtp/testing.h"

typedef struct {
    TestShare share;
    OstlerMtpSession *session;
    GByteArray *data; /* of the last data phase to the initiator */
    OstlerMtpContainer response;
} SessionFixture;

static inline void session_set_up(SessionFixture *f, gconstpointer unused)
{
    test_share_new(&f->share);
    f->session = ostler_mtp_session_new(f->share.store, &test_identity);
    f->data = g_byte_array_new();
}

static inline void session_tear_down(SessionFixture *f, gconstpointer unused)
{
    ostler_mtp_session_free(f->session);
    g_byte_array_unref(f->data);
    test_share_free(&f->share);
}

/* Fetch the data phase, in pieces whose sizes fit nothing. */
static inline void fetch(SessionFixture *f)
{
    size_t size = (size_t)ostler_mtp_session_size(f->session);

    g_byte_array_set_size(f->data, (guint)size);
    for (size_t at = 0; at < size; at += 777) {
        ostler_mtp_session_produce(f->session, f->data->data + at, MIN(777, size - at));
    }
}

/* One transaction; @sent is its data phase from the initiator, or NULL. */
static inline uint16_t transact(SessionFixture *f, uint16_t code,
                                const uint32_t params[5], const GByteArray *sent)
{
    OstlerMtpContainer request = { OSTLER_MTP_CONTAINER_COMMAND, code, 1, { 0 }, 5 };

    memcpy(request.params, params, sizeof(request.params));
    g_byte_array_set_size(f->data, 0);
    switch (ostler_mtp_session_begin(f->session, &request)) {
    case OSTLER_MTP_DATA_TO_INITIATOR:
        fetch(f);
        break;
    case OSTLER_MTP_DATA_FROM_INITIATOR:
        if (sent) {
            ostler_mtp_session_consume(f->session, sent->data, sent->len);
        }
        break;
    case OSTLER_MTP_NO_DATA:
        break;
    case OSTLER_MTP_WANTS_THUMB:
        g_assert_not_reached();
    }
    ostler_mtp_session_end(f->session, true, &f->response);
    return f->response.code;
}

#define P(...)          ((const uint32_t[5]){ __VA_ARGS__ })
#define ask(f, code, p) transact(f, code, p, NULL)
/* The 64-bit offsets of Android's operations, as two parameters. */
#define WIDE(offset) (uint32_t)(offset), (uint32_t)((uint64_t)(offset) >> 32)

static inline void open_session(SessionFixture *f)
{
    g_assert_cmphex(ask(f, 0x1002, P(1)), ==, OSTLER_MTP_OK);
}

static const uint32_t storage = 0x00010001;

/* SendObjectInfo; the handle of the new object is in the response. */
static inline uint16_t send_info(SessionFixture *f, const char *name, uint16_t format,
                                 uint32_t size)
{
    g_autoptr(GByteArray) info = test_object_info(name, format, size);

    return transact(f, 0x100c, P(storage, OSTLER_MTP_ALL), info);
}

static inline uint16_t send_bytes(SessionFixture *f, const char *bytes, size_t size)
{
    g_autoptr(GByteArray) sent = g_byte_array_new();

    g_byte_array_append(sent, (const uint8_t *)bytes, (guint)size);
    return transact(f, 0x100d, P(0), sent);
}
