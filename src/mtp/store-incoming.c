/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/store-internal.h"

void ostler_mtp_store_drop(OstlerMtpStore *store)
{
    Incoming *incoming = &store->incoming;

    if (incoming->is_new) {
        ostler_mtp_objects_remove(store->objects, incoming->handle);
    }
    ostler_root_file_free(incoming->file);
    *incoming = (Incoming){ 0 };
}

bool ostler_mtp_store_has_incoming(const OstlerMtpStore *store)
{
    return store->incoming.file && !store->incoming.is_edit;
}

/* Whether the file system has @size bytes to spare, as far as can be known now. */
static bool has_room(const OstlerMtpStore *store, unsigned storage, uint64_t size)
{
    uint64_t total;
    uint64_t available;

    return !ostler_root_space(store->storages[storage].root, &total, &available,
                              NULL) ||
           size <= available;
}

/* Give the file that will be @name its handle; an old file of that name keeps its own
 * and stays listed.  Anything else of that name is in the way. */
static OstlerMtpCode promise(OstlerMtpStore *store, OstlerRootFolder *folder,
                             unsigned storage, uint32_t parent, const char *name)
{
    Incoming *incoming = &store->incoming;
    OstlerRootInfo info;
    bool is_there = ostler_root_stat(folder, name, &info, NULL);

    if (is_there && info.kind != OSTLER_ROOT_FILE) {
        return OSTLER_MTP_ACCESS_DENIED;
    }
    incoming->handle = ostler_mtp_store_know(store, storage, parent, name, false);
    incoming->is_new = !is_there;
    return incoming->handle ? OSTLER_MTP_OK : OSTLER_MTP_STORE_FULL;
}

OstlerMtpCode ostler_mtp_store_begin(OstlerMtpStore *store, uint32_t id,
                                     uint32_t parent, const char *name, uint64_t size,
                                     uint32_t *out_handle)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(OstlerRootFile) file = NULL;
    g_autoptr(GError) error = NULL;
    unsigned storage;
    OstlerMtpCode code;

    ostler_mtp_store_drop(store);
    code = ostler_mtp_store_open_place(store, id, parent, &storage, &folder);
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (!has_room(store, storage, size)) {
        return OSTLER_MTP_STORE_FULL;
    }
    file = ostler_root_create(folder, &error);
    if (!file) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    code = promise(store, folder, storage, parent, name);
    if (code == OSTLER_MTP_OK) {
        store->incoming.file = g_steal_pointer(&file);
        *out_handle = store->incoming.handle;
    }
    return code;
}

OstlerMtpCode ostler_mtp_store_add_bytes(OstlerMtpStore *store, const void *bytes,
                                         size_t size)
{
    g_autoptr(GError) error = NULL;
    Incoming *incoming = &store->incoming;

    if (!ostler_root_file_write(incoming->file, incoming->size, bytes, size, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    incoming->size += size;
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_end(OstlerMtpStore *store, int64_t modified)
{
    g_autoptr(GError) error = NULL;
    Incoming *incoming = &store->incoming;
    OstlerMtpObject object;

    /* Its folder may have been deleted meanwhile, and the handle with it. */
    if (!ostler_mtp_objects_get(store->objects, incoming->handle, &object)) {
        ostler_mtp_store_drop(store);
        return OSTLER_MTP_INVALID_PARENT_OBJECT;
    }
    if (modified != 0) {
        ostler_root_file_set_modified(incoming->file, modified, NULL);
    }
    if (!ostler_root_file_publish(incoming->file, object.name, true, &error)) {
        OstlerMtpCode code = ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
        ostler_mtp_store_drop(store);
        return code;
    }
    ostler_mtp_store_remember_own(store, incoming->handle);
    incoming->is_new = false;
    ostler_mtp_store_drop(store);
    return OSTLER_MTP_OK;
}

/* ---- a file that is changed in place ---- */

OstlerMtpCode ostler_mtp_store_edit(OstlerMtpStore *store, uint32_t handle)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(OstlerRootFile) copy = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerMtpCode code;

    ostler_mtp_store_drop(store);
    code = ostler_mtp_store_open_object(store, handle, FOR_WRITING, &object, &folder);
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    copy = ostler_mtp_store_copy_unnamed(folder, object.name, folder, &error);
    if (!copy) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    store->incoming = (Incoming){
        .file = g_steal_pointer(&copy),
        .handle = handle,
        .is_edit = true,
    };
    return OSTLER_MTP_OK;
}

static bool is_edited(const OstlerMtpStore *store, uint32_t handle)
{
    return store->incoming.is_edit && store->incoming.handle == handle;
}

OstlerMtpCode ostler_mtp_store_edit_write(OstlerMtpStore *store, uint32_t handle,
                                          uint64_t offset, const void *bytes,
                                          size_t size)
{
    g_autoptr(GError) error = NULL;

    if (!is_edited(store, handle) || offset > G_MAXINT64 - size) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    return ostler_root_file_write(store->incoming.file, offset, bytes, size, &error)
               ? OSTLER_MTP_OK
               : ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
}

OstlerMtpCode ostler_mtp_store_edit_truncate(OstlerMtpStore *store, uint32_t handle,
                                             uint64_t size)
{
    g_autoptr(GError) error = NULL;

    if (!is_edited(store, handle) || size > G_MAXINT64) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    return ostler_root_file_truncate(store->incoming.file, size, &error)
               ? OSTLER_MTP_OK
               : ostler_mtp_store_refusal(error, OSTLER_MTP_OBJECT_TOO_LARGE);
}

OstlerMtpCode ostler_mtp_store_edit_end(OstlerMtpStore *store, uint32_t handle)
{
    return is_edited(store, handle) ? ostler_mtp_store_end(store, 0)
                                    : OSTLER_MTP_INVALID_OBJECT_HANDLE;
}
