/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dhcp.h - one DHCPv4 message, taken apart
 *
 * Sources:    RFC 2131 2 (the message), RFC 2132 (options); RFC 2132 9.3 (overload:
 *             options that go on in "file" and "sname").
 * Units:      seconds; addresses in network order.
 * Errors:     false for what is no DHCP message over Ethernet, or stops short.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Option 53, RFC 2132 9.6; those that are of use here. */
typedef enum {
    OSTLER_DHCP_DECLINE = 4,
    OSTLER_DHCP_ACK = 5,
    OSTLER_DHCP_RELEASE = 7,
} OstlerDhcpType;

typedef struct {
    bool is_reply;     /* op: from a server */
    uint8_t type;      /* 0 when option 53 is absent: BOOTP */
    uint8_t mac[6];    /* chaddr */
    uint8_t client[4]; /* ciaddr: what the client has */
    uint8_t yours[4];  /* yiaddr: what the server gives */
    uint8_t wanted[4]; /* option 50 */
    bool has_server;   /* option 54 */
    uint8_t server[4];
    bool has_lease; /* option 51 */
    uint32_t lease_seconds;
    unsigned prefix; /* from option 1, or 0 */
} OstlerDhcpMessage;

bool ostler_dhcp_decode(const uint8_t *data, size_t size, OstlerDhcpMessage *out);
