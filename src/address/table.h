/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * table.h - what is known of a guest's addresses now: findings merged, aged, expired
 *
 * The keeper adds every finding with the time it came and asks for the list when
 * somebody wants to know.  Pure: the clock is the caller's.
 *
 * Rules:      an address of a card is one entry; the better source (finding.h's order)
 *             names it while that lives, a lesser one only freshens it.  A DHCP
 *             acknowledgement replaces what DHCP said before about the same card.
 *             Leases end when they say; claims of the guest (ND, ARP) and the host's
 *             neighbour table live for five minutes after they were last seen.
 * Limits:     OSTLER_ADDRESS_MAX_ENTRIES, since a guest can claim as many addresses as
 *             it likes: the least trustworthy and oldest makes room.
 * Units:      seconds since the Unix epoch.
 * Ownership:  entries are borrowed until the next change to the table.
 */
#pragma once

#include "address/finding.h"

#define OSTLER_ADDRESS_CLAIM_SECONDS 300
#define OSTLER_ADDRESS_MAX_ENTRIES   64

typedef struct {
    char *nic;    /* the label of the definition's section */
    char mac[18]; /* "52:54:00:12:34:56" */
    char address[OSTLER_ADDRESS_TEXT];
    unsigned prefix; /* 0: unknown */
    bool is_ipv6;
    bool is_link_local; /* fe80::/10, 169.254/16: of no use from elsewhere */
    OstlerAddressSource source;
    int64_t seen_at;    /* last */
    int64_t expires_at; /* 0: never, as far as is known */
} OstlerAddressEntry;

typedef struct OstlerAddressTable OstlerAddressTable;

OstlerAddressTable *ostler_address_table_new(void);
void ostler_address_table_free(OstlerAddressTable *table); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerAddressTable, ostler_address_table_free)

/* True when the list of addresses changed (and not merely their age). */
bool ostler_address_table_add(OstlerAddressTable *table, const char *nic,
                              const OstlerAddressFinding *finding, int64_t now);

/* Drop what has run out; true when something was dropped. */
bool ostler_address_table_expire(OstlerAddressTable *table, int64_t now);

/*
 * The entries that live at @now, usable ones before link-local ones, then by nic, family
 * (IPv4 first), source and address: the first is the one to tell a person.  The array
 * (not the entries) is freed by the caller; it ends with NULL.
 */
const OstlerAddressEntry **ostler_address_table_list(OstlerAddressTable *table,
                                                     int64_t now);

/* Whether there is an address to connect to: one that is not link-local. */
bool ostler_address_table_is_usable(OstlerAddressTable *table, int64_t now);
