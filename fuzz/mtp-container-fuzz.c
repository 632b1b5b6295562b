/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-container-fuzz - containers and the small decoders: data in pieces, names, dates
 *
 * The first byte chooses the size of the pieces that the rest comes in.
 */
#include "fuzz.h"

#include "mtp/container.h"
#include "mtp/dataset.h"

#include <string.h>

static void take_in_pieces(const uint8_t *data, size_t size, size_t piece)
{
    OstlerMtpInbound inbound = { 0 };
    uint64_t payload = 0;
    size_t n_out;

    for (size_t at = 0; at < size && !inbound.is_ended; at += piece) {
        size_t n = MIN(piece, size - at);
        const uint8_t *out =
            ostler_mtp_inbound_feed(&inbound, data + at, n, n < piece, &n_out);
        g_assert_true(n_out == 0 || (out >= data + at && out + n_out <= data + at + n));
        payload += n_out;
    }
    g_assert_true(payload <= size);
    g_assert_true(inbound.received >= payload);
    if (inbound.is_ended && !inbound.is_broken && inbound.length != G_MAXUINT64) {
        g_assert_true(payload + OSTLER_MTP_HEADER == inbound.length);
    }
}

/* A request that is taken is the same when it is written again. */
static void take_request(const uint8_t *data, size_t size)
{
    OstlerMtpContainer container;
    uint8_t again[32];

    if (ostler_mtp_container_decode(data, size, &container)) {
        g_assert_cmpuint(ostler_mtp_container_encode(&container, again), ==, size);
        g_assert_true(memcmp(again, data, size) == 0);
    }
}

/* A name that is taken from the guest is shown to it as it was, if it is short. */
static void take_info(const uint8_t *data, size_t size)
{
    OstlerReader reader = ostler_reader_of(data, size);
    OstlerMtpSentInfo info;
    uint16_t units[OSTLER_MTP_MAX_STRING];

    if (!ostler_mtp_get_object_info(&reader, &info)) {
        return;
    }
    g_autofree char *name = ostler_mtp_name_to_host(info.name.units, info.name.n_units);
    if (!name) {
        return;
    }
    g_assert_null(strchr(name, '/'));
    g_assert_cmpuint(strlen(name), <=, 255);
    unsigned n = ostler_mtp_name_to_guest(name, units);
    g_autofree char *again = ostler_mtp_name_to_host(units, n);
    g_assert_true(n == OSTLER_MTP_MAX_STRING || g_str_equal(name, again));
}

/* Any bytes are a name on disk; what is shown leads back to them. */
static void show_name(const uint8_t *data, size_t size)
{
    g_autofree char *name = g_strndup((const char *)data, MIN(size, 200));
    uint16_t units[OSTLER_MTP_MAX_STRING];
    unsigned n = ostler_mtp_name_to_guest(name, units);
    g_autofree char *again = ostler_mtp_name_to_host(units, n);

    g_assert_true(!again || n == OSTLER_MTP_MAX_STRING || g_str_equal(name, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    take_in_pieces(data + 1, size - 1, 1 + data[0] * 4u);
    take_request(data + 1, size - 1);
    take_info(data + 1, size - 1);
    show_name(data + 1, size - 1);
    return 0;
}
