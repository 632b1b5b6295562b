/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/container.h"

#include "wire/reader.h"

#include <string.h>

bool ostler_mtp_container_decode(const uint8_t *bytes, size_t size,
                                 OstlerMtpContainer *out_container)
{
    OstlerReader reader = ostler_reader_of(bytes, size);
    uint32_t length = ostler_reader_le32(&reader);

    *out_container = (OstlerMtpContainer){ 0 };
    out_container->type = ostler_reader_le16(&reader);
    out_container->code = ostler_reader_le16(&reader);
    out_container->transaction = ostler_reader_le32(&reader);
    while (!reader.failed && ostler_reader_left(&reader) >= 4 &&
           out_container->n_params < OSTLER_MTP_MAX_PARAMS) {
        out_container->params[out_container->n_params++] = ostler_reader_le32(&reader);
    }
    return !reader.failed && length == size && ostler_reader_left(&reader) == 0;
}

static void put_le(uint8_t *at, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static void put_header(uint8_t *out, uint32_t length, uint16_t type, uint16_t code,
                       uint32_t transaction)
{
    put_le(out, length, 4);
    put_le(out + 4, type, 2);
    put_le(out + 6, code, 2);
    put_le(out + 8, transaction, 4);
}

size_t ostler_mtp_container_encode(const OstlerMtpContainer *container, uint8_t out[32])
{
    uint32_t length = OSTLER_MTP_HEADER + 4 * container->n_params;

    put_header(out, length, container->type, container->code, container->transaction);
    for (unsigned i = 0; i < container->n_params; i++) {
        put_le(out + OSTLER_MTP_HEADER + 4 * i, container->params[i], 4);
    }
    return length;
}

void ostler_mtp_data_header(uint16_t code, uint32_t transaction, uint64_t payload,
                            uint8_t out[OSTLER_MTP_HEADER])
{
    uint64_t length = payload + OSTLER_MTP_HEADER;

    put_header(out, (uint32_t)MIN(length, OSTLER_MTP_UNKNOWN_LENGTH),
               OSTLER_MTP_CONTAINER_DATA, code, transaction);
}

static void break_off(OstlerMtpInbound *inbound)
{
    inbound->is_broken = true;
    inbound->is_ended = true;
}

static void read_header(OstlerMtpInbound *inbound)
{
    OstlerReader reader = ostler_reader_of(inbound->header, OSTLER_MTP_HEADER);
    uint32_t length = ostler_reader_le32(&reader);
    uint16_t type = ostler_reader_le16(&reader);

    inbound->code = ostler_reader_le16(&reader);
    inbound->transaction = ostler_reader_le32(&reader);
    inbound->length = length == OSTLER_MTP_UNKNOWN_LENGTH ? G_MAXUINT64 : length;
    if (type != OSTLER_MTP_CONTAINER_DATA || length < OSTLER_MTP_HEADER) {
        break_off(inbound);
    }
}

/* A short packet ends the phase, except one that carried the header and no more. */
static void end_if_done(OstlerMtpInbound *inbound, bool is_short, bool was_header_only)
{
    if (inbound->received >= inbound->length) {
        inbound->is_ended = true;
    } else if (is_short && !was_header_only) {
        inbound->is_ended = true;
        inbound->is_broken = inbound->length != G_MAXUINT64;
    }
}

const uint8_t *ostler_mtp_inbound_feed(OstlerMtpInbound *inbound, const uint8_t *bytes,
                                       size_t size, bool is_short, size_t *out_size)
{
    size_t head = 0;

    *out_size = 0;
    if (inbound->received < OSTLER_MTP_HEADER) {
        head = MIN(size, OSTLER_MTP_HEADER - (size_t)inbound->received);
        if (head > 0) {
            memcpy(inbound->header + inbound->received, bytes, head);
        }
        inbound->received += head;
        if (inbound->received == OSTLER_MTP_HEADER && head > 0) {
            read_header(inbound);
        } else if (is_short) {
            break_off(inbound);
        }
    }
    if (inbound->received < OSTLER_MTP_HEADER || inbound->is_ended) {
        return NULL;
    }

    /* More than the header promised is not ours to keep. */
    *out_size = (size_t)MIN(size - head, inbound->length - inbound->received);
    inbound->received += *out_size;
    end_if_done(inbound, is_short, head > 0 && head == size);
    return *out_size > 0 ? bytes + head : NULL;
}
