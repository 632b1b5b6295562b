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

/* An index that is free, the one that was left longest ago; or -1. */
static int find_place(OstlerMtpStore *store)
{
    if (store->n_storages < OSTLER_MTP_MAX_STORAGES) {
        return (int)store->n_storages++;
    }
    for (unsigned i = 0; i < OSTLER_MTP_MAX_STORAGES; i++) {
        unsigned index = (store->next_storage + i) % OSTLER_MTP_MAX_STORAGES;
        if (!store->storages[index].root) {
            store->next_storage = index + 1;
            return (int)index;
        }
    }
    return -1;
}

/* @root is taken over. */
static int put_storage(OstlerMtpStore *store, OstlerRoot *root,
                       const OstlerMtpShare *share, GError **error)
{
    int index = find_place(store);

    if (index < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Cannot share '%s': there are %d shares already, and no more fit",
                    share->path, OSTLER_MTP_MAX_STORAGES);
        ostler_root_free(root);
        return -1;
    }
    store->storages[index] = (Storage){
        .root = root,
        .label = g_strdup(share->label),
        .key = share->path ? g_canonicalize_filename(share->path, NULL) : NULL,
        .is_read_only = share->is_read_only,
        .limits = share->limits,
    };
    ostler_mtp_store_note_storage(store, (unsigned)index);
    return index;
}

bool ostler_mtp_store_add(OstlerMtpStore *store, const OstlerMtpShare *share,
                          GError **error)
{
    OstlerRoot *root = ostler_root_open(share->path, error);

    return root && put_storage(store, root, share, error) >= 0;
}

bool ostler_mtp_store_attach(OstlerMtpStore *store, OstlerRoot *root,
                             const OstlerMtpShare *share, unsigned *out_storage,
                             GError **error)
{
    int index = put_storage(store, root, share, error);

    if (index < 0) {
        return false;
    }
    *out_storage = (unsigned)index;
    ostler_mtp_store_tell(store, OSTLER_MTP_STORE_ADDED,
                          ostler_mtp_store_id(*out_storage));
    return true;
}

/* What comes in to a storage that goes is dropped, and its sender is told why. */
static void lose_incoming(OstlerMtpStore *store, unsigned storage)
{
    OstlerMtpObject object;

    if (ostler_mtp_objects_get(store->objects, store->incoming.handle, &object) &&
        object.storage == storage) {
        ostler_mtp_store_drop(store);
        store->incoming.is_lost = true;
    }
}

void ostler_mtp_store_detach(OstlerMtpStore *store, unsigned storage)
{
    Storage *left = &store->storages[storage];
    uint32_t handle;

    lose_incoming(store, storage);
    ostler_mtp_store_hold_state(store);
    while ((handle = ostler_mtp_objects_first(store->objects, storage,
                                              OSTLER_MTP_ROOT)) != 0) {
        ostler_mtp_objects_remove(store->objects, handle);
    }
    ostler_mtp_store_release_state(store);
    ostler_root_free(left->root);
    g_free(left->label);
    g_free(left->key);
    *left = (Storage){ 0 };
    ostler_mtp_store_tell(store, OSTLER_MTP_STORE_REMOVED,
                          ostler_mtp_store_id(storage));
}

/* ---- storages ---- */

unsigned ostler_mtp_store_count(const OstlerMtpStore *store)
{
    return store->n_storages;
}

bool ostler_mtp_store_has(const OstlerMtpStore *store, unsigned storage)
{
    return storage < store->n_storages && store->storages[storage].root;
}

const char *ostler_mtp_store_label(const OstlerMtpStore *store, unsigned storage)
{
    return store->storages[storage].label;
}

OstlerRoot *ostler_mtp_store_root(const OstlerMtpStore *store, unsigned storage)
{
    return store->storages[storage].root;
}

uint32_t ostler_mtp_store_id(unsigned index)
{
    return (index + 1) << 16 | 1;
}

bool ostler_mtp_store_find(const OstlerMtpStore *store, uint32_t id,
                           unsigned *out_index)
{
    *out_index = (id >> 16) - 1;
    return (id & 0xffff) == 1 && ostler_mtp_store_has(store, *out_index);
}
