/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* <interface>: the card, and the nearest backend that needs neither root nor daemon. */
#include <string.h>

#include "guest/import/parts.h"

#define MAX_FORWARDS 64 /* of one range: each port is a line of the definition */

/* What the card is connected to, by @type. */
typedef void ReadBackend(OstlerImporter *import, xmlNode *nic, OstlerSection *section);

#define BEHIND_HOST                                                                    \
    "The card is behind QEMU's own address translation instead: it reaches out, and "  \
    "is reached by forwards only"

static void read_user(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    const char *backend = ostler_import_peek(import, nic, "backend/@type");

    if (g_strcmp0(backend, "passt") == 0) {
        ostler_import_carry(import, nic, section, "backend/@type", "type");
    }
}

static void become_user(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    ostler_import_change(import, nic, "@type", BEHIND_HOST);
}

static void read_network(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    ostler_import_enter(nic, "source");
    ostler_import_change(import, nic, "source/@network", "Networks are libvirt's. %s",
                         BEHIND_HOST);
}

static void read_bridge(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    if (ostler_import_carry(import, nic, section, "source/@bridge", "bridge")) {
        ostler_import_set(import, nic, section, "type", "bridge");
        ostler_import_change(import, nic, "@type",
                             "qemu-bridge-helper connects it, which the host's "
                             "administrator must have allowed");
    } else {
        become_user(import, nic, section);
    }
}

/* A tap interface that stands ready can be used; making one takes root. */
static void read_ethernet(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    if (g_strcmp0(ostler_import_peek(import, nic, "target/@managed"), "no") == 0 &&
        ostler_import_carry(import, nic, section, "target/@dev", "ifname")) {
        ostler_import_take(import, nic, "target/@managed");
        ostler_import_set(import, nic, section, "type", "tap");
    } else {
        become_user(import, nic, section);
    }
}

static void read_socket(OstlerImporter *import, xmlNode *nic, OstlerSection *section,
                        const char *key)
{
    const char *address = ostler_import_take(import, nic, "source/@address");
    const char *port = ostler_import_take(import, nic, "source/@port");
    g_autofree char *place =
        g_strdup_printf("%s:%s", address ? address : "127.0.0.1", port ? port : "");

    ostler_import_set(import, nic, section, "type", "socket");
    ostler_import_set(import, nic, section, key, place);
}

static void read_server(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    read_socket(import, nic, section, "listen");
}

static void read_client(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    read_socket(import, nic, section, "connect");
}

static bool is_multicast(const char *address)
{
    g_autoptr(GInetAddress) inet =
        g_inet_address_new_from_string(address ? address : "");

    return inet && g_inet_address_get_is_multicast(inet);
}

static void read_mcast(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    if (!is_multicast(ostler_import_peek(import, nic, "source/@address"))) {
        ostler_import_drop(import, nic, "source", "This is no multicast address");
        ostler_import_set(import, nic, section, "type", "none");
        return;
    }
    read_socket(import, nic, section, "mcast");
}

static void read_null(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    ostler_import_set(import, nic, section, "type", "none");
}

static const struct {
    const char *type;
    ReadBackend *read;
} backends[] = {
    { "user", read_user },       { "network", read_network },
    { "bridge", read_bridge },   { "ethernet", read_ethernet },
    { "server", read_server },   { "client", read_client },
    { "mcast", read_mcast },     { "null", read_null },
    { "direct", become_user },   { "udp", become_user },
    { "internal", become_user }, { "vhostuser", become_user },
    { "vdpa", become_user },     { "vds", become_user },
};

static const OstlerImportWord models[] = {
    { "virtio-transitional", "virtio", "The card is of the machine's own virtio kind" },
    { "virtio-non-transitional", "virtio",
      "The card is of the machine's own virtio kind" },
    { "netfront", NULL, "QEMU without Xen has no such card" },
    { NULL },
};

static void read_model(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    const char *model = ostler_import_peek(import, nic, "model/@type");
    static const OstlerImportCarry row[] = { { "model/@type", "model", models },
                                             { NULL } };

    for (const OstlerImportWord *word = models; word->from; word++) {
        if (g_strcmp0(model, word->from) == 0) {
            ostler_import_carry_all(import, nic, section, row);
            return;
        }
    }
    if (model) {
        g_autofree char *lower = g_ascii_strdown(model, -1);
        ostler_import_take(import, nic, "model/@type");
        ostler_import_set(import, nic, section, "model", lower);
    }
}

/* --- forwards ------------------------------------------------------------------- */

typedef struct {
    const char *protocol;
    const char *address; /* or NULL */
    uint64_t start;
    uint64_t end;
    uint64_t to;
} Range;

static bool take_port(OstlerImporter *import, xmlNode *node, const char *step,
                      uint64_t fallback, uint64_t *out_port)
{
    const char *text = ostler_import_take(import, node, step);

    *out_port = fallback;
    return !text || g_ascii_string_to_unsigned(text, 10, 1, 65535, out_port, NULL);
}

static void add_forwards(OstlerImporter *import, xmlNode *node, OstlerSection *section,
                         const Range *range)
{
    bool is_v6 = range->address && strchr(range->address, ':');
    g_autofree char *address =
        range->address
            ? g_strconcat(is_v6 ? "[" : "", range->address, is_v6 ? "]:" : ":", NULL)
            : g_strdup("");

    for (uint64_t port = range->start; port <= range->end; port++) {
        g_autofree char *forward = g_strdup_printf(
            "%s:%s%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, range->protocol, address,
            port, range->to + (port - range->start));

        if (!ostler_import_set(import, node, section, "forward", forward)) {
            return; /* what is wrong with one is wrong with all */
        }
    }
}

static void read_range(OstlerImporter *import, xmlNode *node, OstlerSection *section,
                       Range range)
{
    if (ostler_import_peek(import, node, "@exclude")) {
        ostler_import_drop(import, node, "",
                           "A definition names the ports that are "
                           "forwarded, not those that are not");
        return;
    }
    if (!take_port(import, node, "@start", 0, &range.start) || range.start == 0 ||
        !take_port(import, node, "@end", range.start, &range.end) ||
        !take_port(import, node, "@to", range.start, &range.to) ||
        range.end < range.start) {
        ostler_import_drop(import, node, "", "These are no ports");
        return;
    }
    if (range.end - range.start >= MAX_FORWARDS) {
        ostler_import_drop(import, node, "", "More than %d ports in a range",
                           MAX_FORWARDS);
        return;
    }
    add_forwards(import, node, section, &range);
}

static void read_forward(OstlerImporter *import, xmlNode *node, OstlerSection *section)
{
    Range range = { .protocol = ostler_import_take(import, node, "@proto"),
                    .address = ostler_import_take(import, node, "@address") };

    if (!range.protocol) {
        range.protocol = "tcp";
    }
    for (xmlNode *child = ostler_import_first(node, "range"); child;
         child = ostler_import_next(child)) {
        ostler_import_enter(child, "");
        read_range(import, child, section, range);
    }
}

/* --- the card ------------------------------------------------------------------- */

static void read_backend(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    const char *type = ostler_import_take(import, nic, "@type");

    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (g_strcmp0(type, backends[i].type) == 0) {
            backends[i].read(import, nic, section);
            return;
        }
    }
    ostler_import_change(import, nic, "@type", BEHIND_HOST);
}

static void read_link(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    const char *state = ostler_import_peek(import, nic, "link/@state");

    if (g_strcmp0(state, "down") == 0) {
        ostler_import_set(import, nic, section, "type", "none");
        ostler_import_change(import, nic, "link/@state",
                             "The card has no cable, instead of one without signal");
    } else if (g_strcmp0(state, "up") == 0) {
        ostler_import_take(import, nic, "link/@state");
    }
}

static bool is_mac_taken(OstlerImporter *import, const char *mac)
{
    for (OstlerSection *nic = ostler_definition_first(import->definition, "nic"); nic;
         nic = ostler_section_next(nic, "nic")) {
        const char *other = ostler_section_get(nic, "mac");

        if (other && g_ascii_strcasecmp(other, mac) == 0) {
            return true;
        }
    }
    return false;
}

static void read_mac(OstlerImporter *import, xmlNode *nic, OstlerSection *section)
{
    const char *mac = ostler_import_peek(import, nic, "mac/@address");

    if (mac && is_mac_taken(import, mac)) {
        ostler_import_drop(import, nic, "mac/@address",
                           "Another card has this address");
    } else {
        ostler_import_carry(import, nic, section, "mac/@address", "mac");
    }
}

void ostler_import_interface(OstlerImporter *import, xmlNode *node)
{
    if (g_strcmp0(ostler_import_peek(import, node, "@type"), "hostdev") == 0) {
        ostler_import_hostdev(import, node); /* one of the host's, given whole */
        return;
    }

    g_autofree char *label = g_strdup_printf("%u", import->n_nics++);
    OstlerSection *section = ostler_import_add(import, node, "nic", label);
    if (!section) {
        return;
    }
    read_backend(import, node, section);
    read_link(import, node, section);
    read_model(import, node, section);
    read_mac(import, node, section);
    ostler_import_bootable(import, node, section, "nic");
    for (xmlNode *child = ostler_import_first(node, "portForward"); child;
         child = ostler_import_next(child)) {
        ostler_import_enter(child, "");
        read_forward(import, child, section);
    }
}
