/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The table knows what has been listed.  A folder is read when the initiator asks for
 * what is in it, and then compared with the table: names that are new get a handle,
 * names that are gone lose theirs.  Between two listings a file may vanish: asking for it
 * is answered as an invalid handle, but it is not forgotten for that, since it may have
 * been renamed, which the watch tells a moment later (store-host.c).
 *
 * No folder is kept open between operations.  A path is put together from the table and
 * resolved anew, beneath the share, every time: at a few microseconds that is cheap
 * beside a USB round trip, and a folder that was moved out of the share in between is
 * simply not found.
 */
#include "mtp/store.h"

#include "mtp/store-internal.h"

#include <string.h>

OstlerMtpStore *ostler_mtp_store_new(void)
{
    OstlerMtpStore *store = g_new0(OstlerMtpStore, 1);

    store->objects = ostler_mtp_objects_new();
    return store;
}

void ostler_mtp_store_free(OstlerMtpStore *store)
{
    if (!store) {
        return;
    }
    ostler_root_file_free(store->incoming.file);
    for (unsigned i = 0; i < store->n_storages; i++) {
        ostler_root_free(store->storages[i].root);
        g_free(store->storages[i].label);
        g_free(store->storages[i].key);
    }
    ostler_mtp_objects_free(store->objects);
    ostler_mtp_state_free(store->state);
    ostler_root_free(store->state_root);
    g_free(store);
}

bool ostler_mtp_store_add(OstlerMtpStore *store, const OstlerMtpShare *share,
                          GError **error)
{
    Storage *storage = &store->storages[store->n_storages];

    if (store->n_storages == OSTLER_MTP_MAX_STORAGES) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Cannot share '%s': there are %d shares already, and no more fit",
                    share->path, OSTLER_MTP_MAX_STORAGES);
        return false;
    }
    storage->root = ostler_root_open(share->path, error);
    if (!storage->root) {
        return false;
    }
    storage->label = g_strdup(share->label);
    storage->key = g_canonicalize_filename(share->path, NULL);
    storage->is_read_only = share->is_read_only;
    storage->limits = share->limits;
    store->n_storages++;
    return true;
}

/* ---- storages ---- */

unsigned ostler_mtp_store_count(const OstlerMtpStore *store)
{
    return store->n_storages;
}

uint32_t ostler_mtp_store_id(unsigned index)
{
    return (index + 1) << 16 | 1;
}

bool ostler_mtp_store_find(const OstlerMtpStore *store, uint32_t id,
                           unsigned *out_index)
{
    *out_index = (id >> 16) - 1;
    return (id & 0xffff) == 1 && *out_index < store->n_storages;
}

bool ostler_mtp_store_find_label(const OstlerMtpStore *store, const char *label,
                                 unsigned *out_index)
{
    for (unsigned i = 0; i < store->n_storages; i++) {
        if (strcmp(store->storages[i].label, label) == 0) {
            *out_index = i;
            return true;
        }
    }
    return false;
}
