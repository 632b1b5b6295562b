/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * finding.h - one thing learnt about a guest's address, and its line of JSON
 *
 * frame.c makes findings from what passes on a guest's network; the address program
 * prints each as a line; the keeper reads the lines and merges them in table.c.
 *
 *     {"nic":"0","mac":"52:54:00:12:34:56","family":"ipv4","address":"10.0.2.15",
 *      "prefix":24,"source":"dhcp","lease-seconds":86400}
 *
 * Units:      a lease in seconds from now; addresses in network order.
 * Ownership:  plain values; the nic's label stands beside, not inside.
 * Errors:     G_IO_ERROR_INVALID_DATA: the printing program has the guest's bytes in its
 *             hands, so its lines are not trusted to be well-formed.
 */
#pragma once

#include "json/json.h"

/*
 * How an address is known, the most trustworthy first: the merging goes by this order.
 * What a guest's own agent says is the guest's word, but it is the one that knows.
 */
typedef enum {
    OSTLER_ADDRESS_AGENT,     /* "agent": the guest says so */
    OSTLER_ADDRESS_DHCP,      /* "dhcp": a server's acknowledgement, seen passing */
    OSTLER_ADDRESS_LEASE,     /* "lease": the file of a DHCP server on this host */
    OSTLER_ADDRESS_ND,        /* "nd": neighbour discovery of the guest's, IPv6 */
    OSTLER_ADDRESS_ARP,       /* "arp": the guest's own claim, IPv4 */
    OSTLER_ADDRESS_NEIGHBOUR, /* "neighbour": the host's table, reachable */
    OSTLER_ADDRESS_STALE,     /* "neighbour-stale": the same, not confirmed of late */
    OSTLER_ADDRESS_N_SOURCES
} OstlerAddressSource;

#define OSTLER_ADDRESS_NO_LEASE (-1)
/* An acknowledged lease of 0xffffffff seconds: RFC 2131 3.3, "infinity". */
#define OSTLER_ADDRESS_FOR_EVER INT64_MAX

typedef struct {
    uint8_t mac[6];
    bool is_ipv6;
    bool is_withdrawn;   /* the address was given back: DHCPRELEASE, DHCPDECLINE */
    uint8_t address[16]; /* the first 4 bytes for IPv4 */
    unsigned prefix;     /* 0 when the source does not say */
    OstlerAddressSource source;
    int64_t lease_seconds; /* or NO_LEASE */
} OstlerAddressFinding;

const char *ostler_address_source_name(OstlerAddressSource source);

/* Text of the finding's mac and address; @size is at least OSTLER_ADDRESS_TEXT. */
#define OSTLER_ADDRESS_TEXT 46
void ostler_address_mac_text(const OstlerAddressFinding *finding, char *text,
                             size_t size);
void ostler_address_text(const OstlerAddressFinding *finding, char *text, size_t size);

/* One line without its newline; caller frees. */
char *ostler_address_finding_print(const OstlerAddressFinding *finding,
                                   const char *nic);
/* Read such a line; @out_nic is the caller's to free. */
bool ostler_address_finding_parse(const char *line, size_t size,
                                  OstlerAddressFinding *out_finding, char **out_nic,
                                  GError **error);
