/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address/frame.h"

#include <string.h>

#include "address/dhcp.h"
#include "wire/reader.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP  0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd

#define PROTOCOL_UDP    17
#define PROTOCOL_ICMPV6 58

#define PORT_DHCP_SERVER 67
#define PORT_DHCP_CLIENT 68

/* RFC 4861 4.1 to 4.4 */
#define ND_ROUTER_SOLICITATION    133
#define ND_ROUTER_ADVERTISEMENT   134
#define ND_NEIGHBOR_SOLICITATION  135
#define ND_NEIGHBOR_ADVERTISEMENT 136
/* RFC 4861 4.6.2 */
#define ND_OPTION_PREFIX 3

/* Offsets in an Ethernet frame without a VLAN tag, and with an IPv4 header without
 * options: who sends DHCP otherwise is heard of by ARP. */
#define AT_TYPE          12
#define AT_IPV4_VERSION  14
#define AT_IPV4_PROTOCOL 23
#define AT_UDP_TARGET    36
#define AT_IPV6_NEXT     20
#define AT_ICMPV6_TYPE   54

#define DHCP_TO(port)                                                                  \
    {                                                                                  \
        {                                                                              \
            { AT_TYPE, 2, ETHERTYPE_IPV4 }, { AT_IPV4_VERSION, 1, 0x45 },              \
                { AT_IPV4_PROTOCOL, 1, PROTOCOL_UDP },                                 \
            {                                                                          \
                AT_UDP_TARGET, 2, port                                                 \
            }                                                                          \
        }                                                                              \
    }
#define ND_MESSAGE(type)                                                               \
    {                                                                                  \
        {                                                                              \
            { AT_TYPE, 2, ETHERTYPE_IPV6 }, { AT_IPV6_NEXT, 1, PROTOCOL_ICMPV6 },      \
            {                                                                          \
                AT_ICMPV6_TYPE, 1, type                                                \
            }                                                                          \
        }                                                                              \
    }

const OstlerDatagramRow ostler_address_frame_rows[] = {
    { { { AT_TYPE, 2, ETHERTYPE_ARP } } },
    { { { AT_TYPE, 2, ETHERTYPE_VLAN } } },
    DHCP_TO(PORT_DHCP_SERVER),
    DHCP_TO(PORT_DHCP_CLIENT),
    ND_MESSAGE(ND_ROUTER_SOLICITATION),
    ND_MESSAGE(ND_ROUTER_ADVERTISEMENT),
    ND_MESSAGE(ND_NEIGHBOR_SOLICITATION),
    ND_MESSAGE(ND_NEIGHBOR_ADVERTISEMENT),
};
const unsigned ostler_address_n_frame_rows = G_N_ELEMENTS(ostler_address_frame_rows);

/* What the layers above Ethernet need to know of those below. */
typedef struct {
    OstlerAddressCard *card;
    OstlerAddressDirection direction;
    const uint8_t *source_mac;
    OstlerAddressFinding *out;
} Frame;

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i]) {
            return false;
        }
    }
    return true;
}

static bool is_unicast4(const uint8_t *a)
{
    return a[0] != 0 && a[0] != 127 && a[0] < 224;
}

static bool is_unicast6(const uint8_t *a)
{
    return a[0] != 0xff && !is_zero(a, 15); /* nor :: nor ::1, RFC 4291 2.5 */
}

static bool is_own(const OstlerAddressCard *card, const uint8_t *mac)
{
    return card->has_mac && memcmp(card->mac, mac, sizeof card->mac) == 0;
}

static OstlerAddressFinding found(const Frame *frame, OstlerAddressSource source,
                                  const uint8_t *address, bool is_ipv6)
{
    OstlerAddressFinding finding = {
        .is_ipv6 = is_ipv6,
        .source = source,
        .lease_seconds = OSTLER_ADDRESS_NO_LEASE,
    };

    memcpy(finding.mac, frame->card->mac, sizeof finding.mac);
    memcpy(finding.address, address, is_ipv6 ? 16 : 4);
    return finding;
}

/* RFC 826; a probe (RFC 5227 2.1.1) has no sender address and claims nothing yet. */
static bool read_arp(const Frame *frame, OstlerReader *r)
{
    uint16_t hardware = ostler_reader_be16(r);
    uint16_t protocol = ostler_reader_be16(r);
    uint8_t hardware_size = ostler_reader_u8(r);
    uint8_t protocol_size = ostler_reader_u8(r);
    ostler_reader_skip(r, 2); /* a request claims as much as an answer */
    const uint8_t *mac = ostler_reader_take(r, 6);
    const uint8_t *address = ostler_reader_take(r, 4);
    if (!ostler_reader_ok(r) || frame->direction != OSTLER_ADDRESS_FROM_GUEST ||
        hardware != 1 || protocol != ETHERTYPE_IPV4 || hardware_size != 6 ||
        protocol_size != 4 || !is_own(frame->card, mac) || !is_unicast4(address)) {
        return false;
    }
    *frame->out = found(frame, OSTLER_ADDRESS_ARP, address, false);
    return true;
}

/* An answer to INFORM carries no address of the server's, RFC 2131 4.3.5. */
static bool read_acknowledgement(const Frame *frame, const OstlerDhcpMessage *message)
{
    if (!message->is_reply || message->type != OSTLER_DHCP_ACK ||
        !is_unicast4(message->yours)) {
        return false;
    }
    *frame->out = found(frame, OSTLER_ADDRESS_DHCP, message->yours, false);
    frame->out->prefix = message->prefix;
    if (message->has_lease) {
        frame->out->lease_seconds = message->lease_seconds == UINT32_MAX
                                        ? OSTLER_ADDRESS_FOR_EVER
                                        : message->lease_seconds;
    }
    return true;
}

/* RFC 2131 4.4.4 and 4.4.1: a release names ciaddr, a decline option 50. */
static bool read_withdrawal(const Frame *frame, const OstlerDhcpMessage *message)
{
    const uint8_t *address = message->type == OSTLER_DHCP_RELEASE   ? message->client
                             : message->type == OSTLER_DHCP_DECLINE ? message->wanted
                                                                    : NULL;
    if (message->is_reply || !address || !is_unicast4(address)) {
        return false;
    }
    *frame->out = found(frame, OSTLER_ADDRESS_DHCP, address, false);
    frame->out->is_withdrawn = true;
    return true;
}

static bool read_udp(const Frame *frame, OstlerReader *r)
{
    bool to_guest = frame->direction == OSTLER_ADDRESS_TO_GUEST;
    OstlerDhcpMessage message;

    uint16_t from = ostler_reader_be16(r);
    uint16_t to = ostler_reader_be16(r);
    uint16_t length = ostler_reader_be16(r);
    ostler_reader_skip(r, 2); /* the checksum is the receiver's business */
    if (!ostler_reader_ok(r) || length < 8 ||
        from != (to_guest ? PORT_DHCP_SERVER : PORT_DHCP_CLIENT) ||
        to != (to_guest ? PORT_DHCP_CLIENT : PORT_DHCP_SERVER)) {
        return false;
    }
    OstlerReader body = ostler_reader_sub(r, (size_t)length - 8);
    if (!ostler_reader_ok(&body) ||
        !ostler_dhcp_decode(body.at, ostler_reader_left(&body), &message) ||
        !is_own(frame->card, message.mac)) {
        return false;
    }
    return to_guest ? read_acknowledgement(frame, &message)
                    : read_withdrawal(frame, &message);
}

/* RFC 791 3.1; DHCP does not come in fragments, nobody could answer them. */
static bool read_ipv4(const Frame *frame, OstlerReader *r)
{
    uint8_t version = ostler_reader_u8(r);
    ostler_reader_skip(r, 1);
    uint16_t total = ostler_reader_be16(r);
    ostler_reader_skip(r, 2);
    uint16_t fragment = ostler_reader_be16(r);
    ostler_reader_skip(r, 1);
    uint8_t protocol = ostler_reader_u8(r);
    ostler_reader_skip(r, 2 + 4 + 4);

    size_t header = (size_t)(version & 0xf) * 4;
    if (!ostler_reader_ok(r) || version >> 4 != 4 || header < 20 || total < header ||
        fragment & 0x3fff || protocol != PROTOCOL_UDP) {
        return false;
    }
    ostler_reader_skip(r, header - 20);
    OstlerReader body = ostler_reader_sub(r, total - header);
    return ostler_reader_ok(&body) && read_udp(frame, &body);
}

static void learn_prefix(OstlerAddressCard *card, const uint8_t *address,
                         unsigned length)
{
    if (card->n_prefixes == OSTLER_ADDRESS_MAX_PREFIXES || length == 0 ||
        length > 128) {
        return;
    }
    card->prefixes[card->n_prefixes].length = length;
    memcpy(card->prefixes[card->n_prefixes].address, address, 16);
    card->n_prefixes++;
}

static bool is_within(const uint8_t *address, const uint8_t *prefix, unsigned length)
{
    unsigned whole = length / 8, rest = length % 8;

    return memcmp(address, prefix, whole) == 0 &&
           (rest == 0 || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0);
}

static unsigned prefix_length(const OstlerAddressCard *card, const uint8_t *address)
{
    for (unsigned i = 0; i < card->n_prefixes; i++) {
        if (is_within(address, card->prefixes[i].address, card->prefixes[i].length)) {
            return card->prefixes[i].length;
        }
    }
    return 0;
}

/* RFC 4861 4.2 and 4.6.2.  A router repeats itself: what is known is not kept twice. */
static void read_router_advertisement(OstlerAddressCard *card, OstlerReader *r)
{
    ostler_reader_skip(r, 1 + 1 + 2 + 4 + 4); /* hops, flags, lifetime, timers */
    while (ostler_reader_left(r) >= 8) {
        uint8_t type = ostler_reader_u8(r);
        size_t size = (size_t)ostler_reader_u8(r) * 8;
        if (size == 0) {
            return; /* RFC 4861 4.6: such a packet is to be dropped */
        }
        OstlerReader option = ostler_reader_sub(r, size - 2);
        unsigned length = ostler_reader_u8(&option);
        ostler_reader_skip(&option, 1 + 4 + 4 + 4);
        const uint8_t *prefix = ostler_reader_take(&option, 16);
        if (type == ND_OPTION_PREFIX && ostler_reader_ok(&option) &&
            prefix_length(card, prefix) != length) {
            learn_prefix(card, prefix, length);
        }
    }
}

/* The address that a guest's neighbour discovery message speaks for, or NULL. */
static const uint8_t *claimed_address(uint8_t type, const uint8_t *source,
                                      OstlerReader *r)
{
    ostler_reader_skip(r, 4); /* flags or reserved */
    switch (type) {
    case ND_NEIGHBOR_ADVERTISEMENT:
        return ostler_reader_take(r, 16);
    case ND_NEIGHBOR_SOLICITATION:
        /* From nowhere it is duplicate address detection, RFC 4862 5.4.2. */
        return is_zero(source, 16) ? ostler_reader_take(r, 16) : source;
    case ND_ROUTER_SOLICITATION:
        return source;
    default:
        return NULL;
    }
}

/* RFC 4861 7.1: the hop limit of 255 proves that no router passed it on. */
static bool read_ipv6(const Frame *frame, OstlerReader *r)
{
    uint8_t version = ostler_reader_u8(r);
    ostler_reader_skip(r, 3 + 2);
    uint8_t next = ostler_reader_u8(r);
    uint8_t hop_limit = ostler_reader_u8(r);
    const uint8_t *source = ostler_reader_take(r, 16);
    ostler_reader_skip(r, 16);
    uint8_t type = ostler_reader_u8(r);
    ostler_reader_skip(r, 1 + 2); /* code, checksum */
    if (!ostler_reader_ok(r) || version >> 4 != 6 || next != PROTOCOL_ICMPV6 ||
        hop_limit != 255) {
        return false;
    }
    if (frame->direction == OSTLER_ADDRESS_TO_GUEST) {
        if (type == ND_ROUTER_ADVERTISEMENT) {
            read_router_advertisement(frame->card, r);
        }
        return false;
    }

    const uint8_t *address = claimed_address(type, source, r);
    if (!address || !is_own(frame->card, frame->source_mac) || !is_unicast6(address)) {
        return false;
    }
    *frame->out = found(frame, OSTLER_ADDRESS_ND, address, true);
    frame->out->prefix = prefix_length(frame->card, address);
    return true;
}

static void learn_mac(OstlerAddressCard *card, const uint8_t *mac)
{
    if (!card->has_mac && !(mac[0] & 1)) { /* not a group address */
        memcpy(card->mac, mac, sizeof card->mac);
        card->has_mac = true;
    }
}

bool ostler_address_read_frame(OstlerAddressCard *card,
                               OstlerAddressDirection direction, const uint8_t *bytes,
                               size_t size, OstlerAddressFinding *out)
{
    OstlerReader r = ostler_reader_of(bytes, size);

    ostler_reader_skip(&r, 6);
    const uint8_t *source_mac = ostler_reader_take(&r, 6);
    uint16_t type = ostler_reader_be16(&r);
    if (type == ETHERTYPE_VLAN) {
        ostler_reader_skip(&r, 2);
        type = ostler_reader_be16(&r);
    }
    if (!ostler_reader_ok(&r)) {
        return false;
    }
    if (direction == OSTLER_ADDRESS_FROM_GUEST) {
        learn_mac(card, source_mac);
    }

    Frame frame = { card, direction, source_mac, out };
    switch (type) {
    case ETHERTYPE_ARP:
        return read_arp(&frame, &r);
    case ETHERTYPE_IPV4:
        return read_ipv4(&frame, &r);
    case ETHERTYPE_IPV6:
        return read_ipv6(&frame, &r);
    default:
        return false;
    }
}
