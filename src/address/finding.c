/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address/finding.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const source_names[] = {
    "agent", "dhcp", "lease", "nd", "arp", "neighbour", "neighbour-stale",
};
static_assert(G_N_ELEMENTS(source_names) == OSTLER_ADDRESS_N_SOURCES,
              "a name for every source");

const char *ostler_address_source_name(OstlerAddressSource source)
{
    return source_names[source];
}

void ostler_address_mac_text(const OstlerAddressFinding *finding, char *text,
                             size_t size)
{
    const uint8_t *mac = finding->mac;

    snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}

void ostler_address_text(const OstlerAddressFinding *finding, char *text, size_t size)
{
    inet_ntop(finding->is_ipv6 ? AF_INET6 : AF_INET, finding->address, text,
              (socklen_t)size);
}

char *ostler_address_finding_print(const OstlerAddressFinding *finding, const char *nic)
{
    char mac[OSTLER_ADDRESS_TEXT], address[OSTLER_ADDRESS_TEXT];

    ostler_address_mac_text(finding, mac, sizeof mac);
    ostler_address_text(finding, address, sizeof address);

    g_autoptr(json_object) object = ostler_json_object(
        "nic", json_object_new_string(nic), "mac", json_object_new_string(mac),
        "family", json_object_new_string(finding->is_ipv6 ? "ipv6" : "ipv4"), "address",
        json_object_new_string(address), "source",
        json_object_new_string(ostler_address_source_name(finding->source)), NULL);
    if (finding->prefix) {
        json_object_object_add(object, "prefix",
                               json_object_new_int((int)finding->prefix));
    }
    if (finding->lease_seconds != OSTLER_ADDRESS_NO_LEASE) {
        json_object_object_add(object, "lease-seconds",
                               json_object_new_int64(finding->lease_seconds));
    }
    if (finding->is_withdrawn) {
        json_object_object_add(object, "withdrawn", json_object_new_boolean(true));
    }
    return ostler_json_text(object);
}

static bool parse_mac(const char *text, uint8_t *mac)
{
    char rest;

    return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1],
                  &mac[2], &mac[3], &mac[4], &mac[5], &rest) == 6;
}

static bool parse_source(const char *text, OstlerAddressSource *source)
{
    for (unsigned i = 0; i < OSTLER_ADDRESS_N_SOURCES; i++) {
        if (strcmp(source_names[i], text) == 0) {
            *source = (OstlerAddressSource)i;
            return true;
        }
    }
    return false;
}

/* The numbers of a line, each within what its field can be. */
static bool parse_numbers(json_object *object, OstlerAddressFinding *finding)
{
    int64_t prefix = ostler_json_find_int(object, "prefix", 0);
    int64_t lease =
        ostler_json_find_int(object, "lease-seconds", OSTLER_ADDRESS_NO_LEASE);

    if (prefix < 0 || prefix > (finding->is_ipv6 ? 128 : 32) ||
        lease < OSTLER_ADDRESS_NO_LEASE ||
        (lease > UINT32_MAX && lease != OSTLER_ADDRESS_FOR_EVER)) {
        return false;
    }
    finding->prefix = (unsigned)prefix;
    finding->lease_seconds = lease;
    return true;
}

bool ostler_address_finding_parse(const char *line, size_t size,
                                  OstlerAddressFinding *out_finding, char **out_nic,
                                  GError **error)
{
    g_autoptr(json_object) object = ostler_json_parse(line, size, error);
    if (!object) {
        return false;
    }
    const char *nic = ostler_json_need_string(object, "nic", error);
    const char *mac = nic ? ostler_json_need_string(object, "mac", error) : NULL;
    const char *family = mac ? ostler_json_need_string(object, "family", error) : NULL;
    const char *address =
        family ? ostler_json_need_string(object, "address", error) : NULL;
    const char *source =
        address ? ostler_json_need_string(object, "source", error) : NULL;
    if (!source) {
        return false;
    }

    OstlerAddressFinding finding = {
        .is_ipv6 = strcmp(family, "ipv6") == 0,
        .is_withdrawn = ostler_json_find_bool(object, "withdrawn", false),
    };
    if (!parse_mac(mac, finding.mac) ||
        inet_pton(finding.is_ipv6 ? AF_INET6 : AF_INET, address, finding.address) !=
            1 ||
        !parse_source(source, &finding.source) || !parse_numbers(object, &finding)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "A finding about card '%s' does not make sense", nic);
        return false;
    }
    *out_finding = finding;
    *out_nic = g_strdup(nic);
    return true;
}
