/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-fuzz - a session's whole life, operation by operation, over a real folder
 *
 * The input is a list of steps: code (2 bytes), a byte of flags, five parameters of one
 * byte each, the size of the data that follows (1 byte), that data.  A parameter stands
 * for itself, for a handle the session gave out, or for one of the special values, so
 * that a fuzzer finds real objects without guessing 32 bits.
 */
#include "fuzz.h"
#include "mtp-share.h"

#include "wire/reader.h"

typedef struct {
    OstlerMtpSession *session;
    uint32_t handles[16]; /* the last that were seen */
    unsigned n_handles;
} Run;

static uint32_t parameter(const Run *run, uint8_t byte)
{
    switch (byte >> 5) {
    case 0:
        return byte;
    case 1:
        return run->handles[byte % G_N_ELEMENTS(run->handles)];
    case 2:
        return 0x00010001u + ((uint32_t)(byte & 1) << 16); /* a storage */
    case 3:
        return 0xdc00u | (byte & 0x1f); /* a property */
    case 4:
        return 0xdc40u | (byte & 0x1f);
    case 5:
        return 0x3000u | (byte & 0x1f); /* a format */
    default:
        return 0xffffffffu - (byte & 0x1f);
    }
}

static void see_handle(Run *run, uint32_t handle)
{
    run->handles[run->n_handles++ % G_N_ELEMENTS(run->handles)] = handle;
}

/* Fetch the data phase; an array of handles is remembered. */
static void fetch(Run *run, uint16_t code)
{
    uint64_t left = ostler_mtp_session_size(run->session);
    uint8_t bytes[997];

    for (bool is_first = true; left > 0; is_first = false) {
        size_t n = (size_t)MIN(left, sizeof(bytes));
        ostler_mtp_session_produce(run->session, bytes, n);
        left -= n;
        OstlerReader reader = ostler_reader_of(bytes, n);
        if (is_first && code == 0x1007) {
            for (uint32_t i = ostler_reader_le32(&reader); i > 0; i--) {
                see_handle(run, ostler_reader_le32(&reader));
                if (!ostler_reader_ok(&reader)) {
                    break;
                }
            }
        }
    }
}

static void step(Run *run, OstlerReader *input)
{
    OstlerMtpContainer request = { OSTLER_MTP_CONTAINER_COMMAND, 0, 1, { 0 }, 5 };
    OstlerMtpContainer response;

    request.code = ostler_reader_le16(input);
    uint8_t flags = ostler_reader_u8(input);
    for (unsigned i = 0; i < OSTLER_MTP_MAX_PARAMS; i++) {
        request.params[i] = parameter(run, ostler_reader_u8(input));
    }
    size_t size = ostler_reader_u8(input);
    const uint8_t *data = ostler_reader_take(input, size);

    OstlerMtpPhase phase = ostler_mtp_session_begin(run->session, &request);
    if (phase == OSTLER_MTP_WANTS_THUMB) {
        phase = ostler_mtp_session_give_thumb(
            run->session, data && size > 0 ? g_bytes_new(data, size) : NULL);
    }
    switch (phase) {
    case OSTLER_MTP_DATA_TO_INITIATOR:
        fetch(run, request.code);
        break;
    case OSTLER_MTP_DATA_FROM_INITIATOR:
        if (data && size > 0) {
            ostler_mtp_session_consume(run->session, data, size);
        }
        break;
    case OSTLER_MTP_NO_DATA:
    case OSTLER_MTP_WANTS_THUMB:
        break;
    }
    if (flags & 1) {
        ostler_mtp_session_abandon(run->session);
        return;
    }
    ostler_mtp_session_end(run->session, !(flags & 2), &response);
    g_assert_true(response.type == OSTLER_MTP_CONTAINER_RESPONSE);
    g_assert_true(response.code >= 0x2001);
    if (response.n_params == 3) {
        see_handle(run, response.params[2]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OstlerReader input = ostler_reader_of(data, size);
    OstlerMtpStore *store = mtp_share_open();
    Run run = { .session = ostler_mtp_session_new(store, &mtp_share_identity) };

    ostler_mtp_session_offer_thumbs(run.session);
    for (unsigned i = 0; i < 64 && ostler_reader_left(&input) > 0; i++) {
        step(&run, &input);
    }
    ostler_mtp_session_free(run.session);
    mtp_share_close(store);
    return 0;
}
