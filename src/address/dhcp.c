/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address/dhcp.h"

#include <string.h>

#include "wire/reader.h"

/* RFC 2131 2, figure 1; RFC 1497 for the cookie. */
#define OP_REPLY     2
#define HTYPE_ETHER  1
#define SNAME_SIZE   64
#define FILE_SIZE    128
#define MAGIC_COOKIE 0x63825363u

/* RFC 2132 3.1, 3.2: the two options without a length. */
#define OPTION_PAD 0
#define OPTION_END 255

/* RFC 2132 9.3: which of the two fields carry options as well. */
#define OVERLOAD_FILE  1
#define OVERLOAD_SNAME 2

static void copy4(OstlerReader *value, uint8_t *to)
{
    const uint8_t *bytes = ostler_reader_take(value, 4);

    if (bytes) {
        memcpy(to, bytes, 4);
    }
}

/* Ones must come before zeros, RFC 950; anything else is as good as unknown. */
static unsigned prefix_of(uint32_t mask)
{
    unsigned ones = (unsigned)__builtin_popcount(mask);

    return ones && mask == ~0u << (32 - ones) ? ones : 0;
}

static void read_option(OstlerDhcpMessage *message, uint8_t *overload, uint8_t code,
                        OstlerReader *value)
{
    switch (code) {
    case 1: /* RFC 2132 3.3, subnet mask */
        message->prefix = prefix_of(ostler_reader_be32(value));
        break;
    case 50: /* 9.1, requested address */
        copy4(value, message->wanted);
        break;
    case 51: /* 9.2, lease time */
        message->lease_seconds = ostler_reader_be32(value);
        message->has_lease = ostler_reader_ok(value);
        break;
    case 52: /* 9.3, overload */
        *overload = ostler_reader_u8(value);
        break;
    case 53: /* 9.6, message type */
        message->type = ostler_reader_u8(value);
        break;
    case 54: /* 9.7, server identifier */
        copy4(value, message->server);
        message->has_server = ostler_reader_ok(value);
        break;
    default:
        break;
    }
}

/* A field of options; false when one of them is longer than what is left. */
static bool read_options(OstlerDhcpMessage *message, uint8_t *overload,
                         OstlerReader *options)
{
    while (ostler_reader_left(options) > 0) {
        uint8_t code = ostler_reader_u8(options);
        if (code == OPTION_END) {
            break;
        }
        if (code == OPTION_PAD) {
            continue;
        }
        OstlerReader value = ostler_reader_sub(options, ostler_reader_u8(options));
        if (!ostler_reader_ok(&value)) {
            return false;
        }
        read_option(message, overload, code, &value);
    }
    return ostler_reader_ok(options);
}

bool ostler_dhcp_decode(const uint8_t *data, size_t size, OstlerDhcpMessage *out)
{
    OstlerDhcpMessage message = { 0 };
    OstlerReader r = ostler_reader_of(data, size);

    message.is_reply = ostler_reader_u8(&r) == OP_REPLY;
    uint8_t htype = ostler_reader_u8(&r);
    uint8_t hlen = ostler_reader_u8(&r);
    ostler_reader_skip(&r, 1 + 4 + 2 + 2); /* hops, xid, secs, flags */
    copy4(&r, message.client);
    copy4(&r, message.yours);
    ostler_reader_skip(&r, 4 + 4); /* siaddr, giaddr */
    const uint8_t *chaddr = ostler_reader_take(&r, 16);
    OstlerReader sname = ostler_reader_sub(&r, SNAME_SIZE);
    OstlerReader file = ostler_reader_sub(&r, FILE_SIZE);
    uint32_t cookie = ostler_reader_be32(&r);
    if (!ostler_reader_ok(&r) || htype != HTYPE_ETHER || hlen != sizeof message.mac ||
        cookie != MAGIC_COOKIE) {
        return false;
    }
    memcpy(message.mac, chaddr, sizeof message.mac);

    /* RFC 2131 4.1: the options field first, then "file", then "sname". */
    uint8_t overload = 0, ignored = 0;
    if (!read_options(&message, &overload, &r) ||
        (overload & OVERLOAD_FILE && !read_options(&message, &ignored, &file)) ||
        (overload & OVERLOAD_SNAME && !read_options(&message, &ignored, &sname))) {
        return false;
    }
    *out = message;
    return true;
}
