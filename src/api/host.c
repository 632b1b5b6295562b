/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host.c - which guests there are
 *
 * Who is defined is known by the store's folders, and who runs by the locks in the run
 * directories; the record there says the rest.  No definition is read and no keeper is
 * asked, so a thousand guests take milliseconds, and a keeper that hangs hides nothing.
 */
#include <gio/gio.h>
#include <string.h>

#include "api/api.h"
#include "base/nearest.h"
#include "guest/running/place.h"
#include "guest/running/status.h"
#include "guest/store.h"
#include "platform/autostart.h"

const char *ostler_version(void)
{
    return OSTLER_VERSION;
}

OstlerHost *ostler_host_open(OstlerError **error)
{
    OstlerHost *host = g_new0(OstlerHost, 1);

    host->context = g_main_context_new();
    return host;
}

void ostler_host_free(OstlerHost *host)
{
    if (!host) {
        return;
    }
    g_main_context_unref(host->context);
    g_free(host);
}

OstlerGuest *ostler_api_guest(OstlerHost *host, const char *name)
{
    OstlerGuest *guest = g_new0(OstlerGuest, 1);

    guest->host = host;
    guest->name = g_strdup(name);
    return guest;
}

const char *ostler_guest_name(const OstlerGuest *guest)
{
    return guest->name;
}

void ostler_guest_free(OstlerGuest *guest)
{
    if (!guest) {
        return;
    }
    g_free(guest->name);
    g_free(guest);
}

static bool exists(const char *name)
{
    return ostler_guest_name_check(name, NULL) &&
           (ostler_store_has(name) || ostler_run_life(name) != OSTLER_RUN_GONE);
}

OstlerGuest *ostler_host_find(OstlerHost *host, const char *name, OstlerError **error)
{
    if (exists(name)) {
        return ostler_api_guest(host, name);
    }

    g_auto(GStrv) names = ostler_store_list(NULL);
    const char *nearest =
        names ? ostler_nearest(name, (const char *const *)names) : NULL;
    ostler_api_fail(error, OSTLER_ERROR_NO_GUEST,
                    nearest ? "No guest is named '%s'; did you mean '%s'?"
                            : "No guest is named '%s'",
                    name, nearest);
    return NULL;
}

/* ---- states ---- */

static const char *const state_texts[OSTLER_N_STATES] = {
    [OSTLER_STATE_SHUT_OFF] = "shut off", [OSTLER_STATE_STARTING] = "starting",
    [OSTLER_STATE_RUNNING] = "running",   [OSTLER_STATE_PAUSED] = "paused",
    [OSTLER_STATE_CRASHED] = "crashed",   [OSTLER_STATE_IN_SHUTDOWN] = "in shutdown",
};

G_STATIC_ASSERT((int)OSTLER_N_REASONS == (int)OSTLER_RUN_N_REASONS);

const char *ostler_state_text(OstlerState state)
{
    return (unsigned)state < OSTLER_N_STATES ? state_texts[state] : "unknown";
}

const char *ostler_reason_text(OstlerReason reason)
{
    return (unsigned)reason < OSTLER_N_REASONS
               ? ostler_run_reason_text((OstlerRunReason)reason)
               : "unknown";
}

OstlerState ostler_api_state(const char *text)
{
    for (unsigned state = 0; text && state < OSTLER_N_STATES; state++) {
        if (strcmp(state_texts[state], text) == 0) {
            return state;
        }
    }
    return OSTLER_STATE_STARTING; /* on, and we cannot say more */
}

OstlerReason ostler_api_reason(const char *text)
{
    return (OstlerReason)ostler_run_reason_find(text);
}

/* ---- the list ---- */

struct OstlerGuestList {
    GArray *entries; /* of OstlerGuestEntry */
    GStringChunk *names;
};

void ostler_guest_list_free(OstlerGuestList *list)
{
    if (!list) {
        return;
    }
    g_array_unref(list->entries);
    g_string_chunk_free(list->names);
    g_free(list);
}

size_t ostler_guest_list_size(const OstlerGuestList *list)
{
    return list->entries->len;
}

const OstlerGuestEntry *ostler_guest_list_at(const OstlerGuestList *list, size_t i)
{
    return &g_array_index(list->entries, OstlerGuestEntry, i);
}

/* What the record of @entry's present or last run says. */
static void read_status(OstlerGuestEntry *entry, OstlerRunLife life)
{
    g_autoptr(OstlerRunStatus) status = ostler_run_status_load(entry->name, NULL);
    bool has_ended = status && status->state == OSTLER_RUN_SHUT_OFF;

    if (has_ended || life == OSTLER_RUN_GONE) { /* a keeper ends after its guest */
        entry->reason = has_ended ? (OstlerReason)status->reason
                        : status  ? OSTLER_REASON_LOST
                                  : OSTLER_REASON_UNKNOWN;
        return;
    }
    entry->state = status ? ostler_api_state(ostler_run_state_text(status->state))
                          : OSTLER_STATE_STARTING;
    entry->reason = status ? (OstlerReason)status->reason : OSTLER_REASON_UNKNOWN;
    entry->pid = status ? status->qemu.pid : 0;
    entry->started_at = status ? status->started_at : 0;
}

static void add_defined(GHashTable *entries, char **names)
{
    for (char **name = names; *name; name++) {
        OstlerGuestEntry *entry = g_new0(OstlerGuestEntry, 1);
        entry->name = *name;
        entry->is_defined = true;
        g_hash_table_insert(entries, *name, entry);
    }
}

/* Those that run without a definition, and the states of the others. */
static void add_running(GHashTable *entries, char **names)
{
    for (char **name = names; *name; name++) {
        OstlerGuestEntry *entry = g_hash_table_lookup(entries, *name);
        OstlerRunLife life = ostler_run_life(*name);
        if (!entry && life == OSTLER_RUN_GONE) {
            continue;
        }
        if (!entry) {
            entry = g_new0(OstlerGuestEntry, 1);
            entry->name = *name;
            g_hash_table_insert(entries, *name, entry);
        }
        read_status(entry, life);
        if (!entry->is_defined && entry->state == OSTLER_STATE_SHUT_OFF) {
            g_hash_table_remove(entries, *name);
        }
    }
}

static void add_autostarts(GHashTable *entries)
{
    g_auto(GStrv) names = ostler_autostart_list();

    for (char **name = names; *name; name++) {
        OstlerGuestEntry *entry = g_hash_table_lookup(entries, *name);
        if (entry) {
            entry->is_autostarted = true;
        }
    }
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
    const OstlerGuestEntry *left = a;
    const OstlerGuestEntry *right = b;

    return strcmp(left->name, right->name);
}

static OstlerGuestList *make_list(GHashTable *entries, unsigned flags)
{
    OstlerGuestList *list = g_new0(OstlerGuestList, 1);
    GHashTableIter iter;
    gpointer value;

    list->names = g_string_chunk_new(4096);
    list->entries = g_array_new(FALSE, FALSE, sizeof(OstlerGuestEntry));
    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        OstlerGuestEntry entry = *(OstlerGuestEntry *)value;
        bool is_off = entry.state == OSTLER_STATE_SHUT_OFF;
        if (flags & (is_off ? OSTLER_LIST_INACTIVE : OSTLER_LIST_ACTIVE)) {
            entry.name = g_string_chunk_insert(list->names, entry.name);
            g_array_append_val(list->entries, entry);
        }
    }
    g_array_sort(list->entries, compare_entries);
    return list;
}

OstlerGuestList *ostler_host_list(OstlerHost *host, unsigned flags, OstlerError **error)
{
    GError *why = NULL;
    g_auto(GStrv) defined = ostler_store_list(&why);
    if (!defined) {
        ostler_api_fail_with(error, why);
        return NULL;
    }

    g_auto(GStrv) run = ostler_run_names();
    g_autoptr(GHashTable) entries =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    add_defined(entries, defined);
    add_running(entries, run);
    add_autostarts(entries);
    return make_list(entries, flags);
}
