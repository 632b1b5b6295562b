/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbredir-packet-fuzz - the packets of usbredir, one after the other
 *
 * The first byte says whether the first packet is a hello, which has narrow ids.
 */
#include "fuzz.h"

#include <string.h>

#include "mtp/transport/usbredir.h"

/* A packet that is there is the same with nothing after it, and not there one byte
 * earlier. */
static void expect_end(const uint8_t *data, size_t size, bool is_hello)
{
    OstlerUsbredirPacket packet;
    size_t needed = 0;

    g_assert_cmpint(ostler_usbredir_decode(data, size, is_hello, &packet, &needed), ==,
                    (gssize)size);
    g_assert_true(packet.size <= size);
    g_assert_true(packet.size == 0 || packet.data + packet.size == data + size);
    g_assert_cmpint(ostler_usbredir_decode(data, size - 1, is_hello, &packet, &needed),
                    ==, 0);
    g_assert_cmpuint(needed, <=, size);
    g_assert_cmpuint(needed, >, size - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_hello = size > 0 && data[0] & 1;

    for (size_t at = 1; at < size;) {
        OstlerUsbredirPacket packet;
        size_t needed = 0;
        gssize n =
            ostler_usbredir_decode(data + at, size - at, is_hello, &packet, &needed);
        if (n <= 0) {
            g_assert_true(n < 0 || needed > size - at);
            break;
        }
        expect_end(data + at, (size_t)n, is_hello);
        at += (size_t)n;
        is_hello = false;
    }
    return 0;
}
