/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addresses.h - what is known of the guest's addresses, as the keeper serves it
 *
 * Holds our ends of the mirrors' sockets, merges the lines of ostler-address into the
 * table of src/address, and adds the host's ports that lead into the guest.
 */
#pragma once

#include "guest/definition.h"

typedef struct KeeperAddresses KeeperAddresses;

/* Frames of one card in one direction, as datagrams. */
typedef struct {
    char *direction; /* "inbound" or "outbound", as ostler-address calls it */
    char *nic;       /* the section's label */
    int fd;          /* our end */
} KeeperMirror;

KeeperAddresses *keeper_addresses_new(void);
void keeper_addresses_free(KeeperAddresses *addresses);

/* @socket is the plan's name, "inbound-LABEL"; @fd is taken over. */
void keeper_addresses_add_mirror(KeeperAddresses *addresses, const char *socket,
                                 int fd);
unsigned keeper_addresses_n_mirrors(const KeeperAddresses *addresses);
const KeeperMirror *keeper_addresses_mirror(const KeeperAddresses *addresses,
                                            unsigned i);

/* Merge one line of ostler-address; whether the list of addresses changed by it. */
bool keeper_addresses_take(KeeperAddresses *addresses, const char *line, size_t size);

/* All that holds now: {"addresses": [...], "is-usable": ...}; the best comes first. */
json_object *keeper_addresses_json(KeeperAddresses *addresses);

/* Take over what a keeper before us knew: the "addresses" of its list, or NULL. */
void keeper_addresses_recall(KeeperAddresses *addresses, json_object *list);

/*
 * The host's ports that lead into the guest, as a list: from QEMU's "info usernet",
 * which is what holds now, for cards of type user; from the definition for passt.
 */
json_object *keeper_addresses_forwards(const OstlerDefinition *definition,
                                       const char *usernet);
