/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A watch tells about everything, the guest's own changes included.  Those are told from
 * the host's by the table: the store brings it up to date before the watch's news comes
 * through the main loop, so news of a name that is there already, or is gone already, is
 * an echo.  Only a change of contents leaves no trace in the table; for that the store
 * keeps what the guest's last changes looked like (size, time, inode), and news of a file
 * that still looks like that is an echo as well.
 *
 * A folder that the guest has not listed is not in its view: what happens there is left
 * out, and the guest meets it when it lists the folder.  Where a quota counts, such news
 * brings the table up to date all the same, and only telling the guest is left out.
 */
#include "mtp/store-internal.h"

#include <string.h>

void ostler_mtp_store_set_notice(OstlerMtpStore *store, OstlerMtpNotice *notice,
                                 void *opaque)
{
    store->notice = notice;
    store->notice_opaque = opaque;
}

void ostler_mtp_store_tell(const OstlerMtpStore *store, uint16_t event, uint32_t param)
{
    if (store->notice) {
        store->notice(event, param, store->notice_opaque);
    }
}

/* ---- echoes ---- */

void ostler_mtp_store_remember_own(OstlerMtpStore *store, uint32_t handle)
{
    Own *own = &store->own[store->n_own++ % N_OWN];
    OstlerMtpEntry entry;

    *own = (Own){ 0 };
    if (ostler_mtp_store_entry(store, handle, &entry) == OSTLER_MTP_OK) {
        *own = (Own){ handle, entry.file };
        ostler_mtp_store_learn_identity(store, handle, entry.file.identity,
                                        entry.file.birth_ns);
    }
}

bool ostler_mtp_store_is_own(const OstlerMtpStore *store, const OstlerMtpEntry *entry)
{
    for (unsigned i = 0; i < N_OWN; i++) {
        const Own *own = &store->own[i];
        if (own->handle == entry->object.handle && own->file.size == entry->file.size &&
            own->file.modified == entry->file.modified &&
            own->file.identity == entry->file.identity) {
            return true;
        }
    }
    return false;
}

/* ---- paths to handles ---- */

/* Where news is from: a folder that the table is true of. */
typedef struct {
    OstlerMtpStore *store;
    unsigned storage;
    uint32_t parent;
    const char *name;
    bool is_visible; /* the guest has listed it */
} Place;

/* Find the place of @path by the table alone; false when nobody asks about it. */
static bool find_place(OstlerMtpStore *store, unsigned storage, const char *path,
                       Place *out_place)
{
    const char *slash;
    uint32_t parent = OSTLER_MTP_ROOT;

    while ((slash = strchr(path, '/'))) {
        g_autofree char *part = g_strndup(path, (gsize)(slash - path));
        parent = ostler_mtp_objects_find(store->objects, storage, parent, part);
        if (parent == 0) {
            return false;
        }
        path = slash + 1;
    }
    *out_place = (Place){
        .store = store,
        .storage = storage,
        .parent = parent,
        .name = path,
        .is_visible = ostler_mtp_objects_is_listed(store->objects, storage, parent),
    };
    return out_place->is_visible || store->storages[storage].is_counted;
}

static uint32_t handle_at(const Place *place)
{
    return ostler_mtp_objects_find(place->store->objects, place->storage, place->parent,
                                   place->name);
}

static void tell_of(const Place *place, uint16_t event, uint32_t handle)
{
    if (place->is_visible) {
        ostler_mtp_store_tell(place->store, event, handle);
    }
}

/* ---- news ---- */

/* Whether there is a file or folder to show: the news may be old, or of a link. */
static bool look(const Place *place, OstlerRootInfo *out_info)
{
    g_autoptr(OstlerRootFolder) folder =
        ostler_mtp_store_open_folder(place->store, place->storage, place->parent, NULL);

    return folder && !ostler_root_name_is_reserved(place->name) &&
           ostler_root_stat(folder, place->name, out_info, NULL) &&
           out_info->kind != OSTLER_ROOT_OTHER;
}

/* What is at a place that the table has; it may be the guest's own doing. */
static void changed_at(const Place *place)
{
    uint32_t handle = handle_at(place);
    OstlerMtpEntry entry;

    if (handle != 0 && handle != place->store->incoming.handle &&
        ostler_mtp_store_entry(place->store, handle, &entry) == OSTLER_MTP_OK &&
        !entry.object.is_folder && !ostler_mtp_store_is_own(place->store, &entry)) {
        tell_of(place, OSTLER_MTP_OBJECT_INFO_CHANGED, handle);
    }
}

/* A folder may have come with something in it. */
static void count_object(const Place *place, uint32_t handle, OstlerRootKind kind)
{
    OstlerMtpEntry entry;

    if (kind == OSTLER_ROOT_FOLDER) {
        ostler_mtp_store_look_again(place->store, place->storage, handle);
    } else {
        ostler_mtp_store_entry(place->store, handle, &entry); /* learns the size */
    }
}

static void created_at(const Place *place)
{
    OstlerRootInfo info;

    if (handle_at(place) != 0) {
        changed_at(place);
        return;
    }
    if (!look(place, &info)) {
        return;
    }
    uint32_t handle =
        ostler_mtp_store_know(place->store, place->storage, place->parent, place->name,
                              info.kind == OSTLER_ROOT_FOLDER);
    ostler_mtp_store_learn_identity(place->store, handle, info.identity, info.birth_ns);
    if (place->store->storages[place->storage].is_counted) {
        count_object(place, handle, info.kind);
    }
    tell_of(place, OSTLER_MTP_OBJECT_ADDED, handle);
}

static void removed_at(const Place *place)
{
    uint32_t handle = handle_at(place);
    OstlerMtpEntry entry;

    /* The news may be old: the name may be there again, the guest's own doing even. */
    if (handle != 0 && handle != place->store->incoming.handle &&
        ostler_mtp_store_entry(place->store, handle, &entry) != OSTLER_MTP_OK) {
        ostler_mtp_objects_remove(place->store->objects, handle);
        tell_of(place, OSTLER_MTP_OBJECT_REMOVED, handle);
    }
}

/* An object that was renamed keeps its handle; for the guest it comes or goes when one
 * of the two places is out of its view. */
static void follow(const Place *from, const Place *to)
{
    uint32_t handle = handle_at(from);

    ostler_mtp_store_rehome(to->store, handle, to->storage, to->parent, to->name);
    if (from->is_visible && !to->is_visible) {
        ostler_mtp_store_tell(to->store, OSTLER_MTP_OBJECT_REMOVED, handle);
    } else {
        tell_of(to,
                from->is_visible ? OSTLER_MTP_OBJECT_INFO_CHANGED
                                 : OSTLER_MTP_OBJECT_ADDED,
                handle);
    }
}

void ostler_mtp_store_host_created(OstlerMtpStore *store, unsigned storage,
                                   const char *path, bool is_folder)
{
    Place place;

    if (find_place(store, storage, path, &place)) {
        created_at(&place);
    }
    ostler_mtp_store_space_changed(store, storage);
}

void ostler_mtp_store_host_removed(OstlerMtpStore *store, unsigned storage,
                                   const char *path)
{
    Place place;

    if (find_place(store, storage, path, &place)) {
        removed_at(&place);
    }
    ostler_mtp_store_space_changed(store, storage);
}

void ostler_mtp_store_host_changed(OstlerMtpStore *store, unsigned storage,
                                   const char *path)
{
    Place place;

    if (find_place(store, storage, path, &place)) {
        changed_at(&place);
    }
    ostler_mtp_store_space_changed(store, storage);
}

void ostler_mtp_store_host_renamed(OstlerMtpStore *store, unsigned storage,
                                   const char *from, const char *path, bool is_folder)
{
    OstlerRootInfo info;
    Place old;
    Place place;
    bool has_old = find_place(store, storage, from, &old) && handle_at(&old) != 0;
    bool has_new = find_place(store, storage, path, &place);

    if (has_old && has_new && handle_at(&place) == 0 && look(&place, &info)) {
        follow(&old, &place);
        return;
    }
    /* Over another file, as editors save: that one keeps its handle. */
    if (has_old) {
        removed_at(&old);
    }
    if (has_new) {
        created_at(&place);
    }
    if (has_new && is_folder && handle_at(&place) != 0) {
        /* It may have come over an empty folder whose handle it has now. */
        ostler_mtp_store_look_again(store, storage, handle_at(&place));
    }
    ostler_mtp_store_space_changed(store, storage);
}
