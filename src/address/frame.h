/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * frame.h - an Ethernet frame on a guest's card -> what it says about the address
 *
 * The direction decides what a frame can prove: an acknowledgement on its way to the
 * guest comes from the network, a claim on its way out is the guest's own.  Hence two
 * mirrors a card (queue=tx and queue=rx of QEMU's filter-mirror), never one.
 *
 *     to the guest    DHCP acknowledgements; prefixes of router advertisements
 *     from the guest  ARP, neighbour discovery; DHCP release and decline
 *
 * On a bridge the guest also receives what was meant for others: only frames about the
 * card's own hardware address count.
 *
 * Sources:    RFC 826, 5227 (ARP), 791, 768, 2131, 8200, 4861, 4862; IEEE 802.1Q.
 * Errors:     none: what cannot be understood says nothing.
 * Threads:    a card belongs to one thread.
 */
#pragma once

#include "address/finding.h"
#include "platform/datagram.h"

#define OSTLER_ADDRESS_MAX_PREFIXES 4

/* Zero-initialised is a card of which nothing is known. */
typedef struct {
    bool has_mac; /* else it is learnt from what the guest sends first */
    uint8_t mac[6];
    struct {
        uint8_t address[16];
        unsigned length;
    } prefixes[OSTLER_ADDRESS_MAX_PREFIXES]; /* announced by routers, IPv6 */
    unsigned n_prefixes;
} OstlerAddressCard;

typedef enum {
    OSTLER_ADDRESS_TO_GUEST,
    OSTLER_ADDRESS_FROM_GUEST,
} OstlerAddressDirection;

/*
 * For ostler_datagram_want_only(): the frames that can say something, and no bulk data.
 * A queue that holds only these does not run over when the guest is busy.
 */
extern const OstlerDatagramRow ostler_address_frame_rows[];
extern const unsigned ostler_address_n_frame_rows;

/* Whether the frame says something; then it is in @out. */
bool ostler_address_read_frame(OstlerAddressCard *card,
                               OstlerAddressDirection direction, const uint8_t *frame,
                               size_t size, OstlerAddressFinding *out);
