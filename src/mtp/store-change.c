/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/store-internal.h"

#include <string.h>

OstlerMtpCode ostler_mtp_store_touch(OstlerMtpStore *store, uint32_t handle,
                                     int64_t modified)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerMtpCode code =
        ostler_mtp_store_open_object(store, handle, FOR_WRITING, &object, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (!ostler_root_touch(folder, object.name, modified, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    ostler_mtp_store_remember_own(store, handle);
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_protect(OstlerMtpStore *store, uint32_t handle,
                                       bool is_protected)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(OstlerRootFile) file = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerMtpCode code =
        ostler_mtp_store_open_object(store, handle, FOR_PROTECTING, &object, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (object.is_folder) {
        return OSTLER_MTP_ACCESS_DENIED;
    }
    file = ostler_root_read(folder, object.name, &error);
    if (!file || !ostler_root_file_protect(file, is_protected, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    ostler_mtp_store_remember_own(store, handle);
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_rename(OstlerMtpStore *store, uint32_t handle,
                                      const char *name)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerMtpCode code =
        ostler_mtp_store_open_object(store, handle, FOR_WRITING, &object, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (ostler_mtp_name_is_shown_as(object.name, name)) {
        return OSTLER_MTP_OK;
    }
    name = ostler_mtp_store_actual_name(store, object.storage, object.parent, name);
    if (!ostler_root_rename(folder, object.name, folder, name, &error)) {
        return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_EXISTS)
                   ? OSTLER_MTP_INVALID_OBJECT_PROP_VALUE
                   : ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }

    ostler_mtp_store_rehome(store, handle, object.storage, object.parent, name);
    ostler_mtp_store_remember_own(store, handle);
    return OSTLER_MTP_OK;
}

/* One that is there already will do: copying a folder over another merges them. */
static OstlerMtpCode ensure_folder(OstlerMtpStore *store, unsigned storage,
                                   OstlerRootFolder *folder, const char *name)
{
    g_autoptr(GError) error = NULL;
    OstlerRootInfo info;

    if (ostler_root_stat(folder, name, &info, NULL)) {
        return info.kind == OSTLER_ROOT_FOLDER ? OSTLER_MTP_OK
                                               : OSTLER_MTP_ACCESS_DENIED;
    }
    OstlerMtpCode code = ostler_mtp_store_admit(store, storage, 0, 1);
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    return ostler_root_make_folder(folder, name, &error)
               ? OSTLER_MTP_OK
               : ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
}

OstlerMtpCode ostler_mtp_store_make_folder(OstlerMtpStore *store, uint32_t id,
                                           uint32_t parent, const char *name,
                                           uint32_t *out_handle)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    unsigned storage;
    OstlerMtpCode code =
        ostler_mtp_store_open_place(store, id, parent, &storage, &folder);

    if (code == OSTLER_MTP_OK) {
        name = ostler_mtp_store_actual_name(store, storage, parent, name);
        code = ensure_folder(store, storage, folder, name);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    *out_handle = ostler_mtp_store_know(store, storage, parent, name, true);
    ostler_mtp_store_remember_own(store, *out_handle);
    return *out_handle ? OSTLER_MTP_OK : OSTLER_MTP_STORE_FULL;
}

/* ---- moving and copying ---- */

/* What goes to another storage counts there from now on. */
static OstlerMtpCode admit_move(OstlerMtpStore *store, const OstlerMtpObject *object,
                                unsigned storage)
{
    uint64_t bytes;
    uint64_t objects;

    if (object->storage == storage) {
        return OSTLER_MTP_OK;
    }
    if (object->is_folder) {
        ostler_mtp_store_measure(store, object->storage, object->handle);
    } else {
        OstlerMtpEntry entry;
        ostler_mtp_store_entry(store, object->handle, &entry);
    }
    ostler_mtp_objects_total(store->objects, object->handle, &bytes, &objects);
    return ostler_mtp_store_admit(store, storage, bytes, objects);
}

OstlerMtpCode ostler_mtp_store_move(OstlerMtpStore *store, uint32_t handle, uint32_t id,
                                    uint32_t parent)
{
    g_autoptr(OstlerRootFolder) from = NULL;
    g_autoptr(OstlerRootFolder) to = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    unsigned storage;
    OstlerMtpCode code = ostler_mtp_store_open_place(store, id, parent, &storage, &to);

    if (code == OSTLER_MTP_OK) {
        code = ostler_mtp_store_open_object(store, handle, FOR_WRITING, &object, &from);
    }
    if (code == OSTLER_MTP_OK) {
        code = admit_move(store, &object, storage);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    /* Into itself, or to another file system: the initiator copies and deletes. */
    if (!ostler_root_rename(from, object.name, to, object.name, &error)) {
        return ostler_mtp_store_refusal(
            error, OSTLER_MTP_SPECIFICATION_OF_DESTINATION_UNSUPPORTED);
    }
    ostler_mtp_store_rehome(store, handle, storage, parent, object.name);
    ostler_mtp_store_remember_own(store, handle);
    return OSTLER_MTP_OK;
}

/* Copy @name to a file in @to that has no name there before it is whole. */
static OstlerMtpCode copy_file(OstlerMtpStore *store, OstlerRootFolder *from,
                               const char *name, unsigned storage, OstlerRootFolder *to)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerRootFile) old = ostler_root_read(from, name, &error);
    g_autoptr(OstlerRootFile) copy = old ? ostler_root_create(to, &error) : NULL;
    OstlerRootInfo info;

    if (!copy || !ostler_root_file_info(old, &info, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    OstlerMtpCode code = ostler_mtp_store_admit(store, storage, info.size, 1);
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    return ostler_root_file_copy(old, copy, &error) &&
                   ostler_root_file_publish(copy, name, false, &error)
               ? OSTLER_MTP_OK
               : ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
}

OstlerMtpCode ostler_mtp_store_copy(OstlerMtpStore *store, uint32_t handle, uint32_t id,
                                    uint32_t parent, uint32_t *out_handle)
{
    g_autoptr(OstlerRootFolder) from = NULL;
    g_autoptr(OstlerRootFolder) to = NULL;
    OstlerMtpObject object;
    unsigned storage;
    OstlerMtpCode code = ostler_mtp_store_open_place(store, id, parent, &storage, &to);

    if (code == OSTLER_MTP_OK) {
        code = ostler_mtp_store_open_object(store, handle, FOR_READING, &object, &from);
    }
    if (code == OSTLER_MTP_OK) {
        code = object.is_folder ? OSTLER_MTP_SPECIFICATION_OF_DESTINATION_UNSUPPORTED
                                : copy_file(store, from, object.name, storage, to);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    g_autofree char *name = g_strdup(object.name);
    *out_handle = ostler_mtp_store_know(store, storage, parent, name, false);
    ostler_mtp_store_remember_own(store, *out_handle);
    ostler_mtp_store_space_used(store, storage);
    return *out_handle ? OSTLER_MTP_OK : OSTLER_MTP_STORE_FULL;
}
