/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/container.h"

#include <string.h>

/* A data container: 12 bytes of header, then @payload bytes that count up. */
static GByteArray *container(uint32_t payload, uint32_t length)
{
    GByteArray *array = g_byte_array_new();

    g_byte_array_set_size(array, OSTLER_MTP_HEADER + payload);
    ostler_mtp_data_header(0x100d, 7, payload, array->data);
    memcpy(array->data, &length, 4);
    for (uint32_t i = 0; i < payload; i++) {
        array->data[OSTLER_MTP_HEADER + i] = (uint8_t)i;
    }
    return array;
}

/* Feed @size bytes; the payload's size is added to *@total and checked to count up. */
static void feed(OstlerMtpInbound *inbound, const uint8_t *bytes, size_t size,
                 bool is_short, uint32_t *total)
{
    size_t n;
    const uint8_t *payload =
        ostler_mtp_inbound_feed(inbound, bytes, size, is_short, &n);

    for (size_t i = 0; i < n; i++) {
        g_assert_cmpuint(payload[i], ==, (uint8_t)(*total + i));
    }
    *total += (uint32_t)n;
}

static void a_split_at_any_offset_gives_the_same_payload(void)
{
    g_autoptr(GByteArray) bytes = container(700, OSTLER_MTP_HEADER + 700);

    for (size_t split = 0; split <= bytes->len; split++) {
        OstlerMtpInbound inbound = { 0 };
        uint32_t total = 0;
        feed(&inbound, bytes->data, split, false, &total);
        g_assert_cmpint(inbound.is_ended, ==, split == bytes->len);
        if (!inbound.is_ended) {
            feed(&inbound, bytes->data + split, bytes->len - split, false, &total);
        }
        g_assert_true(inbound.is_ended);
        g_assert_false(inbound.is_broken);
        g_assert_cmpuint(total, ==, 700);
        g_assert_cmphex(inbound.code, ==, 0x100d);
        g_assert_cmpuint(inbound.transaction, ==, 7);
    }
}

static void a_header_may_come_alone(void)
{
    g_autoptr(GByteArray) bytes = container(100, OSTLER_MTP_HEADER + 100);
    OstlerMtpInbound inbound = { 0 };
    uint32_t total = 0;

    feed(&inbound, bytes->data, OSTLER_MTP_HEADER, true, &total);
    g_assert_false(inbound.is_ended);
    feed(&inbound, bytes->data + OSTLER_MTP_HEADER, 100, true, &total);
    g_assert_true(inbound.is_ended);
    g_assert_false(inbound.is_broken);
    g_assert_cmpuint(total, ==, 100);
}

static void nothing_at_all_is_a_payload(void)
{
    g_autoptr(GByteArray) bytes = container(0, OSTLER_MTP_HEADER);
    OstlerMtpInbound inbound = { 0 };
    uint32_t total = 0;

    feed(&inbound, bytes->data, bytes->len, true, &total);
    g_assert_true(inbound.is_ended);
    g_assert_false(inbound.is_broken);
}

static void a_short_packet_ends_an_unknown_length(void)
{
    g_autoptr(GByteArray) bytes = container(1012, OSTLER_MTP_UNKNOWN_LENGTH);
    OstlerMtpInbound inbound = { 0 };
    uint32_t total = 0;

    feed(&inbound, bytes->data, bytes->len, false, &total);
    g_assert_false(inbound.is_ended);
    feed(&inbound, NULL, 0, true, &total);
    g_assert_true(inbound.is_ended);
    g_assert_false(inbound.is_broken);
    g_assert_cmpuint(total, ==, 1012);
}

static void an_unknown_length_may_be_nothing(void)
{
    g_autoptr(GByteArray) bytes = container(0, OSTLER_MTP_UNKNOWN_LENGTH);
    OstlerMtpInbound inbound = { 0 };
    uint32_t total = 0;

    feed(&inbound, bytes->data, bytes->len, true, &total);
    g_assert_false(inbound.is_ended); /* the header alone: the payload may follow */
    feed(&inbound, NULL, 0, true, &total);
    g_assert_true(inbound.is_ended);
    g_assert_false(inbound.is_broken);
}

static void data_that_ends_early_is_broken(void)
{
    g_autoptr(GByteArray) bytes = container(600, OSTLER_MTP_HEADER + 600);
    OstlerMtpInbound inbound = { 0 };
    uint32_t total = 0;

    feed(&inbound, bytes->data, 100, true, &total);
    g_assert_true(inbound.is_ended);
    g_assert_true(inbound.is_broken);
}

static void more_than_was_promised_is_left_out(void)
{
    g_autoptr(GByteArray) bytes = container(600, OSTLER_MTP_HEADER + 500);
    OstlerMtpInbound inbound = { 0 };
    uint32_t total = 0;

    feed(&inbound, bytes->data, bytes->len, true, &total);
    g_assert_true(inbound.is_ended);
    g_assert_cmpuint(total, ==, 500);
}

static void what_is_no_data_container_is_broken(void)
{
    static const uint8_t command[] = {
        16, 0, 0, 0, 1, 0, 2, 16, 1, 0, 0, 0, 1, 0, 0, 0
    };
    static const uint8_t tiny[] = { 4, 0, 0, 0, 2, 0, 2, 16, 1, 0, 0, 0, 1, 0, 0, 0 };
    OstlerMtpInbound inbound = { 0 };
    OstlerMtpInbound other = { 0 };
    uint32_t total = 0;

    feed(&inbound, command, sizeof(command), true, &total);
    g_assert_true(inbound.is_broken);
    feed(&other, tiny, sizeof(tiny), true, &total);
    g_assert_true(other.is_broken);
    g_assert_cmpuint(total, ==, 0);
}

static void a_command_has_up_to_five_parameters(void)
{
    for (unsigned n = 0; n <= OSTLER_MTP_MAX_PARAMS; n++) {
        const OstlerMtpContainer sent = {
            OSTLER_MTP_CONTAINER_COMMAND, 0x1007, 5, { 1, 2, 3, 4, 5 }, n,
        };
        OstlerMtpContainer got;
        uint8_t bytes[40] = { 0 };
        size_t size = ostler_mtp_container_encode(&sent, bytes);

        g_assert_true(ostler_mtp_container_decode(bytes, size, &got));
        g_assert_cmpuint(got.n_params, ==, n);
        g_assert_cmpuint(got.params[n ? n - 1 : 0], ==, n);
        g_assert_false(ostler_mtp_container_decode(bytes, size - 1, &got));
        g_assert_false(ostler_mtp_container_decode(bytes, size + 4, &got));
    }
}

static void a_length_over_32_bits_is_unknown(void)
{
    static const struct {
        uint64_t payload;
        uint32_t length;
    } cases[] = {
        { 0, 12 },
        { 0xffffffffu - 13, 0xfffffffe },
        { 0xffffffffu - 12, 0xffffffff },
        { 0xffffffffu, 0xffffffff },
        { (uint64_t)1 << 33, 0xffffffff },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t header[OSTLER_MTP_HEADER];
        uint32_t length;
        ostler_mtp_data_header(0x1009, 1, cases[i].payload, header);
        memcpy(&length, header, 4);
        g_assert_cmphex(GUINT32_FROM_LE(length), ==, cases[i].length);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/container/a-split-at-any-offset-gives-the-same-payload",
                    a_split_at_any_offset_gives_the_same_payload);
    g_test_add_func("/container/a-header-may-come-alone", a_header_may_come_alone);
    g_test_add_func("/container/nothing-at-all-is-a-payload",
                    nothing_at_all_is_a_payload);
    g_test_add_func("/container/a-short-packet-ends-an-unknown-length",
                    a_short_packet_ends_an_unknown_length);
    g_test_add_func("/container/an-unknown-length-may-be-nothing",
                    an_unknown_length_may_be_nothing);
    g_test_add_func("/container/data-that-ends-early-is-broken",
                    data_that_ends_early_is_broken);
    g_test_add_func("/container/more-than-was-promised-is-left-out",
                    more_than_was_promised_is_left_out);
    g_test_add_func("/container/what-is-no-data-container-is-broken",
                    what_is_no_data_container_is_broken);
    g_test_add_func("/container/a-command-has-up-to-five-parameters",
                    a_command_has_up_to_five_parameters);
    g_test_add_func("/container/a-length-over-32-bits-is-unknown",
                    a_length_over_32_bits_is_unknown);
    return g_test_run();
}
