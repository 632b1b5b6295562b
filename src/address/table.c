/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address/table.h"

#include <string.h>

struct OstlerAddressTable {
    GPtrArray *entries;
};

static void free_entry(void *entry)
{
    g_free(((OstlerAddressEntry *)entry)->nic);
    g_free(entry);
}

OstlerAddressTable *ostler_address_table_new(void)
{
    OstlerAddressTable *table = g_new0(OstlerAddressTable, 1);

    table->entries = g_ptr_array_new_with_free_func(free_entry);
    return table;
}

void ostler_address_table_free(OstlerAddressTable *table)
{
    if (!table) {
        return;
    }
    g_ptr_array_unref(table->entries);
    g_free(table);
}

static bool is_link_local(const OstlerAddressFinding *finding)
{
    const uint8_t *a = finding->address;

    return finding->is_ipv6 ? a[0] == 0xfe && (a[1] & 0xc0) == 0x80
                            : a[0] == 169 && a[1] == 254; /* RFC 4291 2.5.6, RFC 3927 */
}

static int64_t expiry_of(const OstlerAddressFinding *finding, int64_t now)
{
    switch (finding->source) {
    case OSTLER_ADDRESS_AGENT:
        return 0;
    case OSTLER_ADDRESS_DHCP:
    case OSTLER_ADDRESS_LEASE:
        if (finding->lease_seconds < 0 || finding->lease_seconds > INT64_MAX - now) {
            return 0;
        }
        return now + finding->lease_seconds;
    default:
        return now + OSTLER_ADDRESS_CLAIM_SECONDS;
    }
}

static OstlerAddressEntry *entry_of(const OstlerAddressFinding *finding,
                                    const char *nic, int64_t now)
{
    OstlerAddressEntry *entry = g_new0(OstlerAddressEntry, 1);

    entry->nic = g_strdup(nic);
    ostler_address_mac_text(finding, entry->mac, sizeof entry->mac);
    ostler_address_text(finding, entry->address, sizeof entry->address);
    entry->prefix = finding->prefix;
    entry->is_ipv6 = finding->is_ipv6;
    entry->is_link_local = is_link_local(finding);
    entry->source = finding->source;
    entry->seen_at = now;
    entry->expires_at = expiry_of(finding, now);
    return entry;
}

static bool is_over(const OstlerAddressEntry *entry, int64_t now)
{
    return entry->expires_at && entry->expires_at <= now;
}

static bool same_card(const OstlerAddressEntry *a, const OstlerAddressEntry *b)
{
    return strcmp(a->nic, b->nic) == 0 && strcmp(a->mac, b->mac) == 0;
}

static bool same_address(const OstlerAddressEntry *a, const OstlerAddressEntry *b)
{
    return same_card(a, b) && strcmp(a->address, b->address) == 0;
}

static OstlerAddressEntry *find_same(OstlerAddressTable *table,
                                     const OstlerAddressEntry *wanted)
{
    for (guint i = 0; i < table->entries->len; i++) {
        OstlerAddressEntry *entry = g_ptr_array_index(table->entries, i);
        if (same_address(entry, wanted)) {
            return entry;
        }
    }
    return NULL;
}

/* RFC 2131 3.1: a client has one address of a server's; the new one ends the old. */
static bool drop_former_leases(OstlerAddressTable *table,
                               const OstlerAddressEntry *entry)
{
    bool dropped = false;

    for (guint i = table->entries->len; i-- > 0;) {
        const OstlerAddressEntry *old = g_ptr_array_index(table->entries, i);
        if (old->source == OSTLER_ADDRESS_DHCP && same_card(old, entry) &&
            old->is_ipv6 == entry->is_ipv6 && !same_address(old, entry)) {
            g_ptr_array_remove_index(table->entries, i);
            dropped = true;
        }
    }
    return dropped;
}

/* The first to go when there is no room: the least trustworthy, then the oldest. */
static bool goes_before(const OstlerAddressEntry *a, const OstlerAddressEntry *b)
{
    return a->source != b->source ? a->source > b->source : a->seen_at < b->seen_at;
}

static void make_room(OstlerAddressTable *table)
{
    while (table->entries->len >= OSTLER_ADDRESS_MAX_ENTRIES) {
        guint first = 0;
        for (guint i = 1; i < table->entries->len; i++) {
            if (goes_before(g_ptr_array_index(table->entries, i),
                            g_ptr_array_index(table->entries, first))) {
                first = i;
            }
        }
        g_ptr_array_remove_index(table->entries, first);
    }
}

/* @news is about an address that is known: keep the better source's word. */
static bool freshen(OstlerAddressEntry *entry, const OstlerAddressEntry *news,
                    int64_t now)
{
    bool is_better = news->source <= entry->source || is_over(entry, now);
    bool changed = is_better && (news->source != entry->source ||
                                 (news->prefix && news->prefix != entry->prefix));

    entry->seen_at = now;
    if (is_better) {
        entry->source = news->source;
        entry->expires_at = news->expires_at;
    }
    if (news->prefix && (is_better || !entry->prefix)) {
        entry->prefix = news->prefix;
    }
    return changed;
}

/* A guest may give back what it was leased, and not what it never had. */
static bool withdraw(OstlerAddressTable *table, const OstlerAddressEntry *news)
{
    OstlerAddressEntry *entry = find_same(table, news);

    return entry && g_ptr_array_remove(table->entries, entry);
}

bool ostler_address_table_add(OstlerAddressTable *table, const char *nic,
                              const OstlerAddressFinding *finding, int64_t now)
{
    OstlerAddressEntry *news = entry_of(finding, nic, now);
    bool changed = ostler_address_table_expire(table, now);

    if (finding->is_withdrawn) {
        changed |= withdraw(table, news);
        free_entry(news);
        return changed;
    }
    if (finding->source == OSTLER_ADDRESS_DHCP) {
        changed |= drop_former_leases(table, news);
    }
    OstlerAddressEntry *known = find_same(table, news);
    if (known) {
        changed |= freshen(known, news, now);
        free_entry(news);
        return changed;
    }
    make_room(table);
    g_ptr_array_add(table->entries, news);
    return true;
}

bool ostler_address_table_expire(OstlerAddressTable *table, int64_t now)
{
    bool dropped = false;

    for (guint i = table->entries->len; i-- > 0;) {
        if (is_over(g_ptr_array_index(table->entries, i), now)) {
            g_ptr_array_remove_index(table->entries, i);
            dropped = true;
        }
    }
    return dropped;
}

static int by_use(const void *left, const void *right)
{
    const OstlerAddressEntry *a = *(const OstlerAddressEntry *const *)left;
    const OstlerAddressEntry *b = *(const OstlerAddressEntry *const *)right;
    int by_nic = strcmp(a->nic, b->nic);

    if (a->is_link_local != b->is_link_local) {
        return a->is_link_local - b->is_link_local;
    }
    if (by_nic != 0) {
        return by_nic;
    }
    if (a->is_ipv6 != b->is_ipv6) {
        return a->is_ipv6 - b->is_ipv6;
    }
    if (a->source != b->source) {
        return (int)a->source - (int)b->source;
    }
    return strcmp(a->address, b->address);
}

const OstlerAddressEntry **ostler_address_table_list(OstlerAddressTable *table,
                                                     int64_t now)
{
    ostler_address_table_expire(table, now);

    guint n = table->entries->len;
    const OstlerAddressEntry **list = g_new0(const OstlerAddressEntry *, n + 1);
    for (guint i = 0; i < n; i++) {
        list[i] = g_ptr_array_index(table->entries, i);
    }
    qsort(list, n, sizeof *list, by_use);
    return list;
}

bool ostler_address_table_is_usable(OstlerAddressTable *table, int64_t now)
{
    g_autofree const OstlerAddressEntry **list = ostler_address_table_list(table, now);

    return list[0] && !list[0]->is_link_local;
}
