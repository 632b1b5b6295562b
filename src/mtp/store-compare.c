/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store-compare.c - the table beside the disk: what is new, what is gone, how large it is
 */
#include "mtp/store-internal.h"

uint16_t ostler_mtp_store_format(const char *name, bool is_folder)
{
    return is_folder ? OSTLER_MTP_FORMAT_ASSOCIATION : ostler_mtp_format_of_name(name);
}

/* The handle of @name if it is of the kind that is meant; *out_other of another kind. */
static uint32_t find_kind(const OstlerMtpStore *store, unsigned storage,
                          uint32_t parent, const char *name, bool is_folder,
                          uint32_t *out_other)
{
    OstlerMtpObject object;
    uint32_t handle = ostler_mtp_objects_find(store->objects, storage, parent, name);
    bool is_meant = handle != 0 &&
                    ostler_mtp_objects_get(store->objects, handle, &object) &&
                    object.is_folder == is_folder;

    *out_other = is_meant ? 0 : handle;
    return is_meant ? handle : 0;
}

static uint32_t add_object(OstlerMtpStore *store, unsigned storage, uint32_t parent,
                           const char *name, bool is_folder)
{
    return ostler_mtp_objects_add(store->objects, storage, parent, name, is_folder,
                                  ostler_mtp_store_format(name, is_folder));
}

uint32_t ostler_mtp_store_know(OstlerMtpStore *store, unsigned storage, uint32_t parent,
                               const char *name, bool is_folder)
{
    uint32_t other;
    uint32_t handle = find_kind(store, storage, parent, name, is_folder, &other);

    ostler_mtp_objects_remove(store->objects, other);
    return handle ? handle : add_object(store, storage, parent, name, is_folder);
}

void ostler_mtp_store_rehome(OstlerMtpStore *store, uint32_t handle, unsigned storage,
                             uint32_t parent, const char *name)
{
    g_autofree char *kept = g_strdup(name); /* it may be the object's own */
    OstlerMtpObject object;

    ostler_mtp_objects_remove(
        store->objects, ostler_mtp_objects_find(store->objects, storage, parent, kept));
    if (ostler_mtp_objects_get(store->objects, handle, &object)) {
        ostler_mtp_objects_move(store->objects, handle, storage, parent, kept,
                                ostler_mtp_store_format(kept, object.is_folder));
    }
}

/* ---- one folder ---- */

typedef enum {
    TELL_NOTHING,    /* the guest is about to get the list */
    TELL_DIFFERENCE, /* what is new and what is gone */
    TELL_CHANGES,    /* and which files changed since @since */
} Telling;

typedef struct {
    OstlerMtpStore *store;
    unsigned storage;
    uint32_t parent;
    bool counts; /* sizes are wanted */
    Telling telling;
    int64_t since;
    GArray *new_folders; /* of handles; NULL when nobody asks */
} Comparison;

static void tell_gone(uint32_t handle, void *opaque)
{
    const Comparison *c = opaque;

    if (c->telling != TELL_NOTHING) {
        ostler_mtp_store_tell(c->store, OSTLER_MTP_OBJECT_REMOVED, handle);
    }
}

/* File systems keep time by the tick, which is late by less than this. */
#define TICK_S 1

static void tell_new(const Comparison *c, uint32_t handle)
{
    if (c->telling != TELL_NOTHING) {
        ostler_mtp_store_tell(c->store, OSTLER_MTP_OBJECT_ADDED, handle);
    }
}

/* Of a file that was there before, the system knows when anything last changed. */
static void tell_old(const Comparison *c, uint32_t handle)
{
    OstlerMtpEntry entry;

    if (c->telling == TELL_CHANGES &&
        ostler_mtp_store_entry(c->store, handle, &entry) == OSTLER_MTP_OK &&
        !entry.object.is_folder && entry.file.changed >= c->since - TICK_S &&
        !ostler_mtp_store_is_own(c->store, &entry)) {
        ostler_mtp_store_tell(c->store, OSTLER_MTP_OBJECT_INFO_CHANGED, handle);
    }
}

/* One name of the listing. */
static void meet(Comparison *c, OstlerRootFolder *folder, const char *name,
                 bool is_folder, uint64_t identity)
{
    OstlerMtpObjects *objects = c->store->objects;
    OstlerRootInfo info;
    uint32_t other;
    uint32_t handle =
        find_kind(c->store, c->storage, c->parent, name, is_folder, &other);
    bool is_new = handle == 0;

    if (other != 0) {
        tell_gone(other, c);
        ostler_mtp_objects_remove(objects, other);
    }
    if (is_new) {
        handle = add_object(c->store, c->storage, c->parent, name, is_folder);
        ostler_mtp_store_learn_identity(c->store, handle, identity, 0);
    }
    ostler_mtp_objects_sweep_mark(objects, handle);
    if (c->counts && !is_folder && ostler_root_stat(folder, name, &info, NULL)) {
        ostler_mtp_objects_set_size(objects, handle, info.size);
    }
    if (c->new_folders && is_new && is_folder) {
        g_array_append_val(c->new_folders, handle);
    }
    if (is_new) {
        tell_new(c, handle);
    } else {
        tell_old(c, handle);
    }
}

static OstlerMtpCode compare(Comparison *c)
{
    OstlerMtpObjects *objects = c->store->objects;
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerRootFolder) folder =
        ostler_mtp_store_open_folder(c->store, c->storage, c->parent, &error);
    g_autoptr(OstlerRootListing) listing =
        folder ? ostler_root_list(folder, &error) : NULL;
    OstlerRootKind kind;
    const char *name;

    if (!listing) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    ostler_mtp_store_hold_state(c->store);
    ostler_mtp_objects_sweep_begin(objects, c->storage, c->parent);
    ostler_mtp_objects_sweep_mark(objects, c->store->incoming.handle);
    while ((name = ostler_root_listing_next(listing, &kind))) {
        if (kind != OSTLER_ROOT_OTHER) {
            meet(c, folder, name, kind == OSTLER_ROOT_FOLDER,
                 ostler_root_listing_identity(listing));
        }
    }
    ostler_mtp_objects_sweep_end(objects, c->storage, c->parent, tell_gone, c);
    ostler_mtp_store_release_state(c->store);
    return OSTLER_MTP_OK;
}

/* ---- trees ---- */

static void append_folders(const OstlerMtpStore *store, unsigned storage,
                           uint32_t parent, GArray *folders)
{
    OstlerMtpObject object;

    for (uint32_t handle = ostler_mtp_objects_first(store->objects, storage, parent);
         handle != 0; handle = ostler_mtp_objects_next(store->objects, handle)) {
        if (ostler_mtp_objects_get(store->objects, handle, &object) &&
            object.is_folder) {
            g_array_append_val(folders, handle);
        }
    }
}

/*
 * Compare every folder from @top down that was listed, and where sizes are wanted the
 * others too.  A list instead of recursion: how deep a tree is, is not ours to choose.
 */
static void compare_tree(OstlerMtpStore *store, unsigned storage, uint32_t top,
                         bool counts, Telling telling, int64_t since)
{
    g_autoptr(GArray) folders = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    g_array_append_val(folders, top);
    while (folders->len > 0) {
        uint32_t folder = g_array_index(folders, uint32_t, folders->len - 1);
        bool is_listed = ostler_mtp_objects_is_listed(store->objects, storage, folder);
        Comparison c = {
            .store = store,
            .storage = storage,
            .parent = folder,
            .counts = counts,
            .telling = is_listed ? telling : TELL_NOTHING,
            .since = since,
        };
        g_array_set_size(folders, folders->len - 1);
        if (is_listed || counts) {
            compare(&c);
            append_folders(store, storage, folder, folders);
        }
    }
}

void ostler_mtp_store_measure(OstlerMtpStore *store, unsigned storage, uint32_t top)
{
    compare_tree(store, storage, top, true, TELL_DIFFERENCE, 0);
}

void ostler_mtp_store_look_again(OstlerMtpStore *store, unsigned storage, uint32_t top)
{
    compare_tree(store, storage, top, store->storages[storage].is_counted,
                 TELL_DIFFERENCE, 0);
}

void ostler_mtp_store_host_rescan(OstlerMtpStore *store, unsigned storage,
                                  int64_t since)
{
    compare_tree(store, storage, OSTLER_MTP_ROOT, store->storages[storage].is_counted,
                 TELL_CHANGES, since);
    ostler_mtp_store_space_changed(store, storage);
}

OstlerMtpCode ostler_mtp_store_read_folder(OstlerMtpStore *store, unsigned storage,
                                           uint32_t parent)
{
    g_autoptr(GArray) new_folders = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    bool counts = store->storages[storage].is_counted;
    Comparison c = {
        .store = store,
        .storage = storage,
        .parent = parent,
        .counts = counts,
        .new_folders = counts ? new_folders : NULL,
    };
    OstlerMtpCode code = compare(&c);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_objects_set_listed(store->objects, storage, parent);
    }
    for (guint i = 0; i < new_folders->len; i++) {
        ostler_mtp_store_measure(store, storage,
                                 g_array_index(new_folders, uint32_t, i));
    }
    return code;
}
