/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames as a Linux 6.1 guest and QEMU 7.2's slirp exchanged them. */
#include "address/frame.h"

#include <string.h>

#define GUEST_MAC "525400123456"
#define OTHER_MAC "525400abcdef"

/* Everything of a BOOTP message behind chaddr, up to the cookie. */
#define NAMES_AND_COOKIE " 0*202 63825363"

#define DHCP_REPLY(mac, options)                                                       \
    "ffffffffffff52550a0002020800451002400001000040116c9b0a000202ffffffff"             \
    "00430044022c9cab020106006e99ad2c 0*8 0a00020f0a00020200000000" mac                \
        NAMES_AND_COOKIE options
#define ACK_OPTIONS                                                                    \
    "35010536040a0002020104ffffff0003040a00020206040a000203330400015180ff 0*274 "

static const char acknowledgement[] = DHCP_REPLY(GUEST_MAC, ACK_OPTIONS);
static const char acknowledgement_of_another[] = DHCP_REPLY(OTHER_MAC, ACK_OPTIONS);
static const char offer[] =
    DHCP_REPLY(GUEST_MAC, "35010236040a0002020104ffffff0003040a00020206040a00020333"
                          "0400015180ff 0*274 ");
static const char endless_lease[] =
    DHCP_REPLY(GUEST_MAC, "35010536040a0002020104ffffff003304ffffffffff 0*286 ");
static const char strange_mask[] =
    DHCP_REPLY(GUEST_MAC, "35010536040a0002020104ff00ff0003040a00020206040a000203"
                          "330400015180ff 0*274 ");
static const char option_too_long[] = DHCP_REPLY(GUEST_MAC, "350105 0*301 36ff0a00");
static const char release[] =
    "52550a0002025254001234560800450001489f4940004011824b0a00020f0a000202"
    "004400430134813c01010600618ee231000100000a00020f 0*12 " GUEST_MAC NAMES_AND_COOKIE
    "35010736040a0002023d0701525400123456ff 0*41 ";

static const char arp_request[] = "ffffffffffff5254001234560806000108000604000152540012"
                                  "34560a00020f0000000000000a000202";
static const char arp_of_another[] = "ffffffffffff525400123456080600010800060400015254"
                                     "00abcdef0a00020f"
                                     "0000000000000a000202";
static const char arp_probe[] = "ffffffffffff525400123456080600010800060400015254001234"
                                "56000000000000000000000a00020f";
static const char arp_in_vlan[] = "ffffffffffff5254001234568100000508060001080006040001"
                                  "5254001234560a00020f"
                                  "0000000000000a000202";

static const char router_advertisement[] =
    "33330000000152560000000286dd6000000000383afffe80 0*13 02ff02 0*13 "
    "018600155e40000708"
    " 0*8 0101525600000002030440c0000151800000384000000000fec0 0*14 ";
static const char duplicate_detection[] =
    "3333ff12345652540012345686dd6000000000203aff 0*16 ff02 0*9 "
    "01ff12345687006c8000000000"
    "fe80000000000000505400fffe1234560e0194efecdac7ae";
static const char detection_of_site_address[] =
    "3333ff12345652540012345686dd6000000000203aff 0*16 ff02 0*9 "
    "01ff1234568700429e00000000"
    "fec0000000000000505400fffe1234560e01e86f220068ab";
static const char router_solicitation[] = "33330000000252540012345686dd6000000000103aff"
                                          "fe80000000000000505400fffe123456ff02 0*13 "
                                          "02850071b5000000000101525400123456";
static const char forwarded_solicitation[] =
    "33330000000252540012345686dd6000000000103afefe80000000000000505400fffe123456ff02 "
    "0*13 "
    "02850071b5000000000101525400123456";

/* "0a0b 0*3 0c" is 0a 0b 00 00 00 0c. */
static GByteArray *bytes_of(const char *text)
{
    GByteArray *bytes = g_byte_array_new();

    while (*text) {
        if (*text == ' ') {
            text++;
        } else if (text[1] == '*') {
            char *after;
            guint64 zeros = g_ascii_strtoull(text + 2, &after, 10);
            g_byte_array_set_size(bytes, bytes->len + (guint)zeros);
            memset(bytes->data + bytes->len - zeros, 0, zeros);
            text = after;
        } else {
            guint8 byte = (guint8)(g_ascii_xdigit_value(text[0]) << 4 |
                                   g_ascii_xdigit_value(text[1]));
            g_byte_array_append(bytes, &byte, 1);
            text += 2;
        }
    }
    return bytes;
}

static OstlerAddressCard guest_card(void)
{
    return (OstlerAddressCard){
        .has_mac = true,
        .mac = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 },
    };
}

/* The finding's line for the card "0", or NULL; caller frees. */
static char *line_of(OstlerAddressCard *card, OstlerAddressDirection direction,
                     const char *text)
{
    g_autoptr(GByteArray) frame = bytes_of(text);
    OstlerAddressFinding finding;

    /* A copy of exactly its size, so that the sanitizer sees a read beyond it. */
    g_autofree uint8_t *exact = g_memdup2(frame->data, frame->len);
    if (!ostler_address_read_frame(card, direction, exact, frame->len, &finding)) {
        return NULL;
    }
    return ostler_address_finding_print(&finding, "0");
}

typedef struct {
    const char *what;
    OstlerAddressDirection direction;
    const char *frame;
    const char *said; /* the end of the line after the mac, or NULL */
} Row;

#define LINE(rest) "{\"nic\":\"0\",\"mac\":\"52:54:00:12:34:56\"," rest "}"

static const Row rows[] = {
    { "an acknowledgement gives address, prefix and lease", OSTLER_ADDRESS_TO_GUEST,
      acknowledgement,
      LINE("\"family\":\"ipv4\",\"address\":\"10.0.2.15\",\"source\":\"dhcp\","
           "\"prefix\":24,\"lease-seconds\":86400") },
    { "a guest cannot acknowledge to itself", OSTLER_ADDRESS_FROM_GUEST,
      acknowledgement, NULL },
    { "another's acknowledgement on the bridge says nothing", OSTLER_ADDRESS_TO_GUEST,
      acknowledgement_of_another, NULL },
    { "an offer is not a lease", OSTLER_ADDRESS_TO_GUEST, offer, NULL },
    { "a lease can be for ever", OSTLER_ADDRESS_TO_GUEST, endless_lease,
      LINE("\"family\":\"ipv4\",\"address\":\"10.0.2.15\",\"source\":\"dhcp\","
           "\"prefix\":24,\"lease-seconds\":9223372036854775807") },
    { "a mask with a hole is no prefix", OSTLER_ADDRESS_TO_GUEST, strange_mask,
      LINE("\"family\":\"ipv4\",\"address\":\"10.0.2.15\",\"source\":\"dhcp\","
           "\"lease-seconds\":86400") },
    { "an option longer than the message spoils it", OSTLER_ADDRESS_TO_GUEST,
      option_too_long, NULL },
    { "a release withdraws", OSTLER_ADDRESS_FROM_GUEST, release,
      LINE("\"family\":\"ipv4\",\"address\":\"10.0.2.15\",\"source\":\"dhcp\","
           "\"withdrawn\":true") },
    { "an ARP request claims its sender's address", OSTLER_ADDRESS_FROM_GUEST,
      arp_request,
      LINE("\"family\":\"ipv4\",\"address\":\"10.0.2.15\",\"source\":\"arp\"") },
    { "an ARP request to the guest claims nothing of its", OSTLER_ADDRESS_TO_GUEST,
      arp_request, NULL },
    { "an ARP request in another's name claims nothing", OSTLER_ADDRESS_FROM_GUEST,
      arp_of_another, NULL },
    { "an ARP probe claims nothing yet", OSTLER_ADDRESS_FROM_GUEST, arp_probe, NULL },
    { "a VLAN tag is looked behind", OSTLER_ADDRESS_FROM_GUEST, arp_in_vlan,
      LINE("\"family\":\"ipv4\",\"address\":\"10.0.2.15\",\"source\":\"arp\"") },
    { "duplicate address detection claims its target", OSTLER_ADDRESS_FROM_GUEST,
      duplicate_detection,
      LINE("\"family\":\"ipv6\",\"address\":\"fe80::5054:ff:fe12:3456\","
           "\"source\":\"nd\"") },
    { "a router solicitation claims its sender's address", OSTLER_ADDRESS_FROM_GUEST,
      router_solicitation,
      LINE("\"family\":\"ipv6\",\"address\":\"fe80::5054:ff:fe12:3456\","
           "\"source\":\"nd\"") },
    { "neighbour discovery that was forwarded says nothing", OSTLER_ADDRESS_FROM_GUEST,
      forwarded_solicitation, NULL },
};

static void frame_says(gconstpointer data)
{
    const Row *row = data;
    OstlerAddressCard card = guest_card();
    g_autofree char *line = line_of(&card, row->direction, row->frame);

    g_assert_cmpstr(line, ==, row->said);
}

/* Whatever is cut off, the decoder reads nothing beyond: the sanitizer watches. */
static void no_frame_is_read_beyond_its_end(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) frame = bytes_of(rows[i].frame);
        for (guint size = 0; size < frame->len; size++) {
            OstlerAddressCard card = guest_card();
            OstlerAddressFinding finding;
            g_autofree uint8_t *cut = g_memdup2(frame->data, size);
            ostler_address_read_frame(&card, rows[i].direction, cut, size, &finding);
        }
    }
}

static void mac_is_learnt_from_what_the_guest_sends(void)
{
    OstlerAddressCard card = { 0 };

    g_autofree char *early = line_of(&card, OSTLER_ADDRESS_TO_GUEST, acknowledgement);
    g_assert_null(early);
    g_autofree char *arp = line_of(&card, OSTLER_ADDRESS_FROM_GUEST, arp_request);
    g_assert_nonnull(arp);
    g_autofree char *ack = line_of(&card, OSTLER_ADDRESS_TO_GUEST, acknowledgement);
    g_assert_nonnull(ack);
}

static void router_prefix_gives_an_address_its_length(void)
{
    OstlerAddressCard card = guest_card();

    for (int i = 0; i < 10; i++) {
        g_autofree char *nothing =
            line_of(&card, OSTLER_ADDRESS_TO_GUEST, router_advertisement);
        g_assert_null(nothing);
    }
    g_assert_cmpuint(card.n_prefixes, ==, 1);
    g_autofree char *line =
        line_of(&card, OSTLER_ADDRESS_FROM_GUEST, detection_of_site_address);
    g_assert_cmpstr(line, ==,
                    LINE("\"family\":\"ipv6\","
                         "\"address\":\"fec0::5054:ff:fe12:3456\","
                         "\"source\":\"nd\",\"prefix\":64"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf("/address/frame/%s", rows[i].what);
        g_test_add_data_func(path, &rows[i], frame_says);
    }
    g_test_add_func("/address/frame/no frame is read beyond its end",
                    no_frame_is_read_beyond_its_end);
    g_test_add_func("/address/frame/the MAC is learnt from what the guest sends",
                    mac_is_learnt_from_what_the_guest_sends);
    g_test_add_func("/address/frame/a router's prefix gives an address its length",
                    router_prefix_gives_an_address_its_length);
    return g_test_run();
}
