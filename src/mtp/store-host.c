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
 * out, and the guest meets it when it lists the folder.
 */
#include "mtp/store-internal.h"

#include <string.h>

void ostler_mtp_store_set_notice(OstlerMtpStore *store, OstlerMtpNotice *notice,
                                 void *opaque)
{
    store->notice = notice;
    store->notice_opaque = opaque;
}

static void tell(const OstlerMtpStore *store, uint16_t event, uint32_t param)
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
    }
}

static bool is_own(const OstlerMtpStore *store, const OstlerMtpEntry *entry)
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

/*
 * Find the folder that @path lies in, by the table alone; *out_name is the last part.
 * False for one that the guest does not know, or has not listed.
 */
static bool find_folder(const OstlerMtpStore *store, unsigned storage, const char *path,
                        uint32_t *out_parent, const char **out_name)
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
    *out_parent = parent;
    *out_name = path;
    return ostler_mtp_objects_is_listed(store->objects, storage, parent);
}

static uint32_t find_path(const OstlerMtpStore *store, unsigned storage,
                          const char *path)
{
    const char *name;
    uint32_t parent;

    return find_folder(store, storage, path, &parent, &name)
               ? ostler_mtp_objects_find(store->objects, storage, parent, name)
               : 0;
}

/* ---- news ---- */

static void forget(OstlerMtpStore *store, uint32_t handle)
{
    ostler_mtp_objects_remove(store->objects, handle);
    tell(store, OSTLER_MTP_OBJECT_REMOVED, handle);
}

/* Whether there is a file or folder to show: the news may be old, or of a link. */
static bool look(const OstlerMtpStore *store, unsigned storage, uint32_t parent,
                 const char *name, OstlerRootKind *out_kind)
{
    g_autoptr(OstlerRootFolder) folder =
        ostler_mtp_store_open_folder(store, storage, parent, NULL);
    OstlerRootInfo info;

    if (!folder || ostler_root_name_is_reserved(name) ||
        !ostler_root_stat(folder, name, &info, NULL)) {
        return false;
    }
    *out_kind = info.kind;
    return info.kind != OSTLER_ROOT_OTHER;
}

void ostler_mtp_store_host_created(OstlerMtpStore *store, unsigned storage,
                                   const char *path, bool is_folder)
{
    OstlerRootKind kind;
    const char *name;
    uint32_t parent;

    if (!find_folder(store, storage, path, &parent, &name)) {
        return;
    }
    if (ostler_mtp_objects_find(store->objects, storage, parent, name) != 0) {
        ostler_mtp_store_host_changed(store, storage, path);
        return;
    }
    if (look(store, storage, parent, name, &kind)) {
        uint32_t handle = ostler_mtp_store_know(store, storage, parent, name,
                                                kind == OSTLER_ROOT_FOLDER);
        tell(store, OSTLER_MTP_OBJECT_ADDED, handle);
    }
}

void ostler_mtp_store_host_removed(OstlerMtpStore *store, unsigned storage,
                                   const char *path)
{
    uint32_t handle = find_path(store, storage, path);
    OstlerMtpEntry entry;

    /* The news may be old: the name may be there again, the guest's own doing even. */
    if (handle != 0 && handle != store->incoming.handle &&
        ostler_mtp_store_entry(store, handle, &entry) != OSTLER_MTP_OK) {
        forget(store, handle);
    }
}

void ostler_mtp_store_host_changed(OstlerMtpStore *store, unsigned storage,
                                   const char *path)
{
    uint32_t handle = find_path(store, storage, path);
    OstlerMtpEntry entry;

    if (handle != 0 && handle != store->incoming.handle &&
        ostler_mtp_store_entry(store, handle, &entry) == OSTLER_MTP_OK &&
        !entry.object.is_folder && !is_own(store, &entry)) {
        tell(store, OSTLER_MTP_OBJECT_INFO_CHANGED, handle);
    }
}

void ostler_mtp_store_host_renamed(OstlerMtpStore *store, unsigned storage,
                                   const char *from, const char *path, bool is_folder)
{
    uint32_t old = find_path(store, storage, from);
    OstlerRootKind kind;
    const char *name;
    uint32_t parent;

    if (old == 0) {
        ostler_mtp_store_host_created(store, storage, path, is_folder);
        return;
    }
    /* Over another file, as editors save: that one keeps its handle. */
    if (!find_folder(store, storage, path, &parent, &name) ||
        ostler_mtp_objects_find(store->objects, storage, parent, name) != 0 ||
        !look(store, storage, parent, name, &kind)) {
        ostler_mtp_store_host_removed(store, storage, from);
        ostler_mtp_store_host_changed(store, storage, path);
        return;
    }
    ostler_mtp_store_rehome(store, old, storage, parent, name);
    tell(store, OSTLER_MTP_OBJECT_INFO_CHANGED, old);
}

/* ---- rescan ---- */

static void append_listed(const OstlerMtpStore *store, unsigned storage,
                          uint32_t folder, GArray *folders)
{
    if (ostler_mtp_objects_is_listed(store->objects, storage, folder)) {
        g_array_append_val(folders, folder);
    }
}

static GArray *children(const OstlerMtpStore *store, unsigned storage, uint32_t folder)
{
    GArray *handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    for (uint32_t handle = ostler_mtp_objects_first(store->objects, storage, folder);
         handle != 0; handle = ostler_mtp_objects_next(store->objects, handle)) {
        g_array_append_val(handles, handle);
    }
    return handles;
}

/* Compare one folder with the disk and tell of the difference. */
static void rescan_folder(OstlerMtpStore *store, unsigned storage, uint32_t folder)
{
    g_autoptr(GHashTable) before = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) old = children(store, storage, folder);
    OstlerMtpObject object;

    for (guint i = 0; i < old->len; i++) {
        g_hash_table_add(before, GUINT_TO_POINTER(g_array_index(old, uint32_t, i)));
    }
    ostler_mtp_store_read_folder(store, storage, folder);
    g_autoptr(GArray) now = children(store, storage, folder);
    for (guint i = 0; i < old->len; i++) {
        uint32_t handle = g_array_index(old, uint32_t, i);
        if (!ostler_mtp_objects_get(store->objects, handle, &object)) {
            tell(store, OSTLER_MTP_OBJECT_REMOVED, handle);
        }
    }
    for (guint i = 0; i < now->len; i++) {
        uint32_t handle = g_array_index(now, uint32_t, i);
        bool is_old = g_hash_table_contains(before, GUINT_TO_POINTER(handle));
        tell(store, is_old ? OSTLER_MTP_OBJECT_INFO_CHANGED : OSTLER_MTP_OBJECT_ADDED,
             handle);
    }
}

void ostler_mtp_store_host_rescan(OstlerMtpStore *store, unsigned storage)
{
    g_autoptr(GArray) folders = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    append_listed(store, storage, OSTLER_MTP_ROOT, folders);
    for (guint i = 0; i < folders->len; i++) {
        uint32_t folder = g_array_index(folders, uint32_t, i);
        rescan_folder(store, storage, folder);
        g_autoptr(GArray) inside = children(store, storage, folder);
        for (guint j = 0; j < inside->len; j++) {
            append_listed(store, storage, g_array_index(inside, uint32_t, j), folders);
        }
    }
}
