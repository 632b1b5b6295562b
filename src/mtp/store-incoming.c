/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/store-internal.h"

#include <string.h>

void ostler_mtp_store_drop(OstlerMtpStore *store)
{
    Incoming *incoming = &store->incoming;

    if (incoming->is_new) {
        ostler_mtp_objects_remove(store->objects, incoming->handle);
    }
    ostler_root_file_free(incoming->file);
    *incoming = (Incoming){ 0 };
}

OstlerMtpCode ostler_mtp_store_check_incoming(const OstlerMtpStore *store)
{
    const Incoming *incoming = &store->incoming;

    return incoming->is_lost                      ? OSTLER_MTP_STORE_NOT_AVAILABLE
           : incoming->file && !incoming->is_edit ? OSTLER_MTP_OK
                                                  : OSTLER_MTP_NO_VALID_OBJECT_INFO;
}

/* Whether a file may be called @name there; *out_is_new is false for an old one, which
 * keeps its handle and stays listed.  Anything else of that name is in the way. */
static OstlerMtpCode check_name(OstlerRootFolder *folder, const char *name,
                                bool *out_is_new)
{
    OstlerRootInfo info;

    *out_is_new = !ostler_root_stat(folder, name, &info, NULL);
    return *out_is_new                     ? OSTLER_MTP_OK
           : info.kind != OSTLER_ROOT_FILE ? OSTLER_MTP_ACCESS_DENIED
           : info.is_protected             ? OSTLER_MTP_OBJECT_WRITE_PROTECTED
                                           : OSTLER_MTP_OK;
}

/* Make the incoming file in @folder; what fails here is undone by a drop. */
static OstlerMtpCode open_incoming(OstlerMtpStore *store, unsigned storage,
                                   uint32_t parent, OstlerRootFolder *folder,
                                   const char *name, uint64_t size)
{
    Incoming *incoming = &store->incoming;
    g_autoptr(GError) error = NULL;
    bool is_new;
    OstlerMtpCode code = check_name(folder, name, &is_new);

    if (code == OSTLER_MTP_OK) {
        code = ostler_mtp_store_admit(store, storage, 0, is_new ? 1 : 0);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    incoming->storage = storage;
    incoming->file = ostler_root_create(folder, &error);
    if (!incoming->file) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    code = ostler_mtp_store_hold(store, size);
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    incoming->handle = ostler_mtp_store_know(store, storage, parent, name, false);
    incoming->is_new = is_new;
    return incoming->handle ? OSTLER_MTP_OK : OSTLER_MTP_STORE_FULL;
}

OstlerMtpCode ostler_mtp_store_begin(OstlerMtpStore *store, uint32_t id,
                                     uint32_t parent, const char *name, uint64_t size,
                                     uint32_t *out_handle)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    unsigned storage;

    ostler_mtp_store_drop(store);
    OstlerMtpCode code =
        ostler_mtp_store_open_place(store, id, parent, &storage, &folder);
    if (code == OSTLER_MTP_OK) {
        name = ostler_mtp_store_actual_name(store, storage, parent, name);
        code = open_incoming(store, storage, parent, folder, name, size);
    }
    if (code != OSTLER_MTP_OK) {
        ostler_mtp_store_drop(store);
        return code;
    }
    *out_handle = store->incoming.handle;
    return OSTLER_MTP_OK;
}

/* Write where there is leave to: of the quota for a longer file, of the disk for any. */
static OstlerMtpCode write_incoming(OstlerMtpStore *store, uint64_t offset,
                                    const void *bytes, size_t size)
{
    g_autoptr(GError) error = NULL;
    OstlerMtpCode code = ostler_mtp_store_hold(store, offset + size);

    if (code == OSTLER_MTP_OK) {
        code = ostler_mtp_store_clear(store, size);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    return ostler_root_file_write(store->incoming.file, offset, bytes, size, &error)
               ? OSTLER_MTP_OK
               : ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return size > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Zeros are left out, as holes or as blocks set aside; publish() sees to the size. */
OstlerMtpCode ostler_mtp_store_add_bytes(OstlerMtpStore *store, const void *bytes,
                                         size_t size)
{
    Incoming *incoming = &store->incoming;
    OstlerMtpCode code = is_zero(bytes, size)
                             ? ostler_mtp_store_hold(store, incoming->size + size)
                             : write_incoming(store, incoming->size, bytes, size);

    if (code == OSTLER_MTP_OK) {
        incoming->size += size;
    }
    return code;
}

/* Give the incoming file its name. */
static OstlerMtpCode publish(OstlerMtpStore *store, int64_t modified)
{
    g_autoptr(GError) error = NULL;
    Incoming *incoming = &store->incoming;
    OstlerMtpObject object;

    /* Its folder may have been deleted meanwhile, and the handle with it. */
    if (!ostler_mtp_objects_get(store->objects, incoming->handle, &object)) {
        return OSTLER_MTP_INVALID_PARENT_OBJECT;
    }
    if (!incoming->is_edit &&
        !ostler_root_file_truncate(incoming->file, incoming->size, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    if (modified != 0) {
        ostler_root_file_set_modified(incoming->file, modified, NULL);
    }
    if (!ostler_root_file_publish(incoming->file, object.name, true, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    incoming->is_new = false;
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_end(OstlerMtpStore *store, int64_t modified)
{
    const uint32_t handle = store->incoming.handle;
    const unsigned storage = store->incoming.storage;
    OstlerMtpCode code = publish(store, modified);

    ostler_mtp_store_drop(store);
    if (code == OSTLER_MTP_OK) {
        ostler_mtp_store_remember_own(store, handle);
        ostler_mtp_store_space_used(store, storage);
    }
    return code;
}

/* ---- a file that is changed in place ---- */

/* Copy the file at @name into the incoming one. */
static OstlerMtpCode open_edit(OstlerMtpStore *store, OstlerRootFolder *folder,
                               const OstlerMtpObject *object)
{
    Incoming *incoming = &store->incoming;
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerRootFile) old = ostler_root_read(folder, object->name, &error);
    OstlerRootInfo info;

    if (!old || !ostler_root_file_info(old, &info, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    incoming->storage = object->storage;
    incoming->handle = object->handle;
    incoming->is_edit = true;
    incoming->file = ostler_root_create(folder, &error);
    if (!incoming->file) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    OstlerMtpCode code = ostler_mtp_store_hold(store, info.size);
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    return ostler_root_file_copy(old, incoming->file, &error)
               ? OSTLER_MTP_OK
               : ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
}

OstlerMtpCode ostler_mtp_store_edit(OstlerMtpStore *store, uint32_t handle)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    OstlerMtpObject object;

    ostler_mtp_store_drop(store);
    OstlerMtpCode code =
        ostler_mtp_store_open_object(store, handle, FOR_WRITING, &object, &folder);
    if (code == OSTLER_MTP_OK) {
        code = open_edit(store, folder, &object);
    }
    if (code != OSTLER_MTP_OK) {
        ostler_mtp_store_drop(store);
    }
    return code;
}

static bool is_edited(const OstlerMtpStore *store, uint32_t handle)
{
    return store->incoming.is_edit && store->incoming.handle == handle;
}

OstlerMtpCode ostler_mtp_store_edit_write(OstlerMtpStore *store, uint32_t handle,
                                          uint64_t offset, const void *bytes,
                                          size_t size)
{
    if (!is_edited(store, handle) || offset > G_MAXINT64 - size) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    return write_incoming(store, offset, bytes, size);
}

OstlerMtpCode ostler_mtp_store_edit_truncate(OstlerMtpStore *store, uint32_t handle,
                                             uint64_t size)
{
    g_autoptr(GError) error = NULL;

    if (!is_edited(store, handle) || size > G_MAXINT64) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    OstlerMtpCode code = ostler_mtp_store_hold(store, size);
    if (code != OSTLER_MTP_OK) {
        return code;
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
