/* SPDX-License-Identifier: GPL-2.0-or-later */
#define G_LOG_DOMAIN "ostler-keeper"

#include "addresses.h"

#include <string.h>
#include <unistd.h>

#include "address/table.h"

#define SECOND_US G_GINT64_CONSTANT(1000000)

struct KeeperAddresses {
    GArray *mirrors; /* KeeperMirror */
    OstlerAddressTable *table;
};

static void mirror_clear(gpointer data)
{
    KeeperMirror *mirror = data;

    g_free(mirror->direction);
    g_free(mirror->nic);
    close(mirror->fd);
}

KeeperAddresses *keeper_addresses_new(void)
{
    KeeperAddresses *addresses = g_new(KeeperAddresses, 1);

    addresses->mirrors = g_array_new(FALSE, FALSE, sizeof(KeeperMirror));
    g_array_set_clear_func(addresses->mirrors, mirror_clear);
    addresses->table = ostler_address_table_new();
    return addresses;
}

void keeper_addresses_free(KeeperAddresses *addresses)
{
    g_array_unref(addresses->mirrors);
    ostler_address_table_free(addresses->table);
    g_free(addresses);
}

void keeper_addresses_add_mirror(KeeperAddresses *addresses, const char *socket, int fd)
{
    const char *dash = strchr(socket, '-');
    KeeperMirror mirror = {
        .direction = g_strndup(socket, (gsize)(dash - socket)),
        .nic = g_strdup(dash + 1),
        .fd = fd,
    };

    g_array_append_val(addresses->mirrors, mirror);
}

unsigned keeper_addresses_n_mirrors(const KeeperAddresses *addresses)
{
    return addresses->mirrors->len;
}

const KeeperMirror *keeper_addresses_mirror(const KeeperAddresses *addresses,
                                            unsigned i)
{
    return &g_array_index(addresses->mirrors, KeeperMirror, i);
}

static int64_t now_seconds(void)
{
    return g_get_real_time() / SECOND_US;
}

static bool take_finding(KeeperAddresses *addresses, const char *line, size_t size,
                         int64_t when)
{
    g_autoptr(GError) refusal = NULL;
    g_autofree char *nic = NULL;
    OstlerAddressFinding finding;

    if (!ostler_address_finding_parse(line, size, &finding, &nic, &refusal)) {
        g_debug("A line of ostler-address was not understood: %s", refusal->message);
        return false;
    }
    return ostler_address_table_add(addresses->table, nic, &finding, when);
}

bool keeper_addresses_take(KeeperAddresses *addresses, const char *line, size_t size)
{
    return take_finding(addresses, line, size, now_seconds());
}

static json_object *entry_json(const OstlerAddressEntry *entry)
{
    return ostler_json_object(
        "nic", json_object_new_string(entry->nic), "mac",
        json_object_new_string(entry->mac), "family",
        json_object_new_string(entry->is_ipv6 ? "ipv6" : "ipv4"), "address",
        json_object_new_string(entry->address), "prefix",
        json_object_new_int64(entry->prefix), "source",
        json_object_new_string(ostler_address_source_name(entry->source)), "seen-at",
        json_object_new_int64(entry->seen_at * SECOND_US), "expires-at",
        json_object_new_int64(entry->expires_at * SECOND_US), NULL);
}

json_object *keeper_addresses_json(KeeperAddresses *addresses)
{
    int64_t now = now_seconds();
    g_autofree const OstlerAddressEntry **entries =
        ostler_address_table_list(addresses->table, now);
    json_object *list = json_object_new_array();

    for (unsigned i = 0; entries[i]; i++) {
        json_object_array_add(list, entry_json(entries[i]));
    }
    bool is_usable = ostler_address_table_is_usable(addresses->table, now);
    return ostler_json_object("addresses", list, "is-usable",
                              json_object_new_boolean(is_usable), NULL);
}

/* A finding that would have made @entry (entry_json()) when it was last seen. */
static json_object *finding_of(json_object *entry, int64_t seen_at)
{
    static const char *const same[] = { "nic",     "mac",    "family",
                                        "address", "prefix", "source" };
    int64_t expires_at = ostler_json_find_int(entry, "expires-at", 0) / SECOND_US;
    json_object *finding = json_object_new_object();

    for (unsigned i = 0; i < G_N_ELEMENTS(same); i++) {
        json_object_object_add(finding, same[i],
                               json_object_get(ostler_json_find(entry, same[i])));
    }
    if (expires_at > seen_at) {
        json_object_object_add(finding, "lease-seconds",
                               json_object_new_int64(expires_at - seen_at));
    }
    return finding;
}

void keeper_addresses_recall(KeeperAddresses *addresses, json_object *list)
{
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        int64_t seen_at = ostler_json_find_int(entry, "seen-at", 0) / SECOND_US;
        g_autoptr(json_object) finding = finding_of(entry, seen_at);
        g_autofree char *line = ostler_json_text(finding);
        take_finding(addresses, line, strlen(line), seen_at);
    }
}

/* --- the host's ports --- */

static json_object *forward_json(const char *nic, const char *protocol,
                                 const char *host, const char *host_port,
                                 const char *guest, const char *guest_port)
{
    return ostler_json_object(
        "nic", json_object_new_string(nic), "protocol",
        json_object_new_string(protocol), "host-address", json_object_new_string(host),
        "host-port", json_object_new_int64(g_ascii_strtoll(host_port, NULL, 10)),
        "guest-address", json_object_new_string(guest), "guest-port",
        json_object_new_int64(g_ascii_strtoll(guest_port, NULL, 10)), NULL);
}

/* The card whose backend is "net<i>" in the plan: the i-th of the definition. */
static const char *nic_of_hub_line(const OstlerDefinition *definition, const char *line)
{
    const char *open = strchr(line, '(');
    const char *digits = open ? strpbrk(open, "0123456789") : NULL;
    guint64 i = digits ? g_ascii_strtoull(digits, NULL, 10) : 0;
    OstlerSection *nic = ostler_definition_first(definition, "nic");

    while (nic && i-- > 0) {
        nic = ostler_section_next(nic, "nic");
    }
    return nic ? ostler_section_label(nic) : "";
}

/*
 * A line of libslirp's slirp_connection_info(), words apart by blanks:
 *     TCP[HOST_FORWARD]   8       127.0.0.1 22555       10.0.2.15    22     0     0
 */
static json_object *read_forward(const char *nic, const char *line)
{
    g_autoptr(GRegex) words = g_regex_new("\\s+", 0, 0, NULL);
    g_autofree char *trimmed = g_strstrip(g_strdup(line));
    g_auto(GStrv) word = g_regex_split(words, trimmed, 0);
    bool is_forward = g_strv_length(word) >= 6 && strstr(word[0], "[HOST_FORWARD]");
    const char *protocol = g_str_has_prefix(trimmed, "UDP") ? "udp" : "tcp";

    if (!is_forward) {
        return NULL;
    }
    return forward_json(nic, protocol, strcmp(word[2], "*") == 0 ? "" : word[2],
                        word[3], word[4], word[5]);
}

static void add_usernet(json_object *list, const OstlerDefinition *definition,
                        const char *usernet)
{
    g_auto(GStrv) lines = g_strsplit(usernet, "\n", -1);
    const char *nic = "";

    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "Hub ")) {
            nic = nic_of_hub_line(definition, *line);
            continue;
        }
        json_object *forward = read_forward(nic, *line);
        if (forward) {
            json_object_array_add(list, forward);
        }
    }
}

/* PROTOCOL:[ADDRESS:]HOSTPORT:GUESTPORT, an IPv6 address in brackets. */
static json_object *parse_forward(const char *nic, const char *text)
{
    const char *guest_port = strrchr(text, ':') + 1;
    g_autofree char *head = g_strndup(text, (gsize)(guest_port - 1 - text));
    char *host_port = strrchr(head, ':') + 1;

    host_port[-1] = '\0';
    char *address = strchr(head, ':');
    if (address) {
        *address++ = '\0';
    }
    return forward_json(nic, head, address ? address : "", host_port, "", guest_port);
}

static void add_passt(json_object *list, OstlerSection *nic)
{
    g_autofree const char **forwards = ostler_section_get_list(nic, "forward");

    for (unsigned i = 0; forwards[i]; i++) {
        json_object_array_add(list,
                              parse_forward(ostler_section_label(nic), forwards[i]));
    }
}

json_object *keeper_addresses_forwards(const OstlerDefinition *definition,
                                       const char *usernet)
{
    json_object *list = json_object_new_array();

    add_usernet(list, definition, usernet);
    for (OstlerSection *nic = ostler_definition_first(definition, "nic"); nic;
         nic = ostler_section_next(nic, "nic")) {
        if (strcmp(ostler_section_get(nic, "type"), "passt") == 0) {
            add_passt(list, nic);
        }
    }
    return list;
}
