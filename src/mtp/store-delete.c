/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/store-internal.h"

typedef struct {
    OstlerRoot *root;
    GPtrArray *folders; /* of char *: paths still to be emptied, or removed if so */
    unsigned n_removed;
    unsigned n_kept;
} Deletion;

static bool count_removal(Deletion *deletion, bool is_removed)
{
    if (is_removed) {
        deletion->n_removed++;
    } else {
        deletion->n_kept++;
    }
    return is_removed;
}

static bool remove_file(OstlerRootFolder *folder, const char *name, OstlerRootKind kind)
{
    OstlerRootInfo info;

    return ostler_root_stat(folder, name, &info, NULL) && !info.is_protected &&
           ostler_root_remove(folder, name, kind, NULL);
}

/* Remove what is in @path except folders, which are put on the list. */
static void empty_folder(Deletion *deletion, const char *path)
{
    g_autoptr(OstlerRootFolder) folder = ostler_root_folder(deletion->root, path, NULL);
    g_autoptr(OstlerRootListing) listing =
        folder ? ostler_root_list(folder, NULL) : NULL;
    OstlerRootKind kind;
    const char *name;

    while (listing && (name = ostler_root_listing_next(listing, &kind))) {
        if (kind == OSTLER_ROOT_FOLDER) {
            g_ptr_array_add(deletion->folders, g_strdup_printf("%s/%s", path, name));
        } else {
            count_removal(deletion, remove_file(folder, name, kind));
        }
    }
}

static bool remove_empty(Deletion *deletion, const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(OstlerRootFolder) folder =
        ostler_root_folder(deletion->root, parent, NULL);

    return count_removal(
        deletion, folder && ostler_root_remove(folder, name, OSTLER_ROOT_FOLDER, NULL));
}

/*
 * Delete the tree at @path without recursion, for its depth is not ours to choose: each
 * folder is emptied when it is met first, which puts those in it behind it, and removed
 * from the back to the front at the end.
 */
static void delete_tree(Deletion *deletion, const char *path)
{
    deletion->folders = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(deletion->folders, g_strdup(path));
    for (guint i = 0; i < deletion->folders->len; i++) {
        empty_folder(deletion, g_ptr_array_index(deletion->folders, i));
    }
    for (guint i = deletion->folders->len; i > 0; i--) {
        remove_empty(deletion, g_ptr_array_index(deletion->folders, i - 1));
    }
    g_ptr_array_unref(deletion->folders);
}

static OstlerMtpCode delete_folder(OstlerMtpStore *store, const OstlerMtpObject *object)
{
    const unsigned storage = object->storage;
    Deletion deletion = { .root = store->storages[storage].root };
    g_autofree char *path = ostler_mtp_store_path(store, object->handle);

    if (!path) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    delete_tree(&deletion, path);
    if (deletion.n_kept == 0) {
        ostler_mtp_store_hold_state(store);
        ostler_mtp_objects_remove(store->objects, object->handle);
        ostler_mtp_store_release_state(store);
        ostler_mtp_store_space_used(store, storage);
        return OSTLER_MTP_OK;
    }
    if (store->storages[storage].is_counted) {
        ostler_mtp_store_measure(store, storage, object->handle);
    }
    return deletion.n_removed > 0 ? OSTLER_MTP_PARTIAL_DELETION
                                  : OSTLER_MTP_ACCESS_DENIED;
}

OstlerMtpCode ostler_mtp_store_delete(OstlerMtpStore *store, uint32_t handle)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerMtpCode code =
        ostler_mtp_store_open_object(store, handle, FOR_WRITING, &object, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (object.is_folder) {
        return delete_folder(store, &object);
    }
    if (!ostler_root_remove(folder, object.name, OSTLER_ROOT_FILE, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    ostler_mtp_objects_remove(store->objects, handle);
    ostler_mtp_store_space_used(store, object.storage);
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_delete_all(OstlerMtpStore *store, uint16_t format)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    unsigned n_deleted = 0;
    unsigned n_kept = 0;

    /* Without a format the folders at the top take along what is in them. */
    ostler_mtp_store_list(store, OSTLER_MTP_ALL, OSTLER_MTP_ROOT,
                          format == 0 ? 1 : OSTLER_MTP_ALL, format, handles);
    for (guint i = 0; i < handles->len; i++) {
        OstlerMtpCode code =
            ostler_mtp_store_delete(store, g_array_index(handles, uint32_t, i));
        if (code == OSTLER_MTP_OK) {
            n_deleted++;
        } else if (code != OSTLER_MTP_INVALID_OBJECT_HANDLE) {
            n_kept++;
        }
    }
    return n_kept == 0     ? OSTLER_MTP_OK
           : n_deleted > 0 ? OSTLER_MTP_PARTIAL_DELETION
                           : OSTLER_MTP_OBJECT_WRITE_PROTECTED;
}
