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

OstlerMtpCode ostler_mtp_store_rename(OstlerMtpStore *store, uint32_t handle,
                                      const char *name)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerMtpCode code =
        ostler_mtp_store_open_object(store, handle, FOR_WRITING, &object, &folder);

    if (code != OSTLER_MTP_OK || strcmp(name, object.name) == 0) {
        return code;
    }
    if (!ostler_root_rename(folder, object.name, folder, name, &error)) {
        return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_EXISTS)
                   ? OSTLER_MTP_INVALID_OBJECT_PROP_VALUE
                   : ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }

    ostler_mtp_store_rehome(store, handle, object.storage, object.parent, name);
    ostler_mtp_store_remember_own(store, handle);
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_make_folder(OstlerMtpStore *store, uint32_t id,
                                           uint32_t parent, const char *name,
                                           uint32_t *out_handle)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(GError) error = NULL;
    OstlerRootInfo info;
    unsigned storage;
    OstlerMtpCode code =
        ostler_mtp_store_open_place(store, id, parent, &storage, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }

    /* One that is there already will do: copying a folder over another merges them. */
    if (!ostler_root_make_folder(folder, name, &error) &&
        !(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_EXISTS) &&
          ostler_root_stat(folder, name, &info, NULL) &&
          info.kind == OSTLER_ROOT_FOLDER)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    *out_handle = ostler_mtp_store_know(store, storage, parent, name, true);
    return *out_handle ? OSTLER_MTP_OK : OSTLER_MTP_STORE_FULL;
}

/* ---- moving and copying ---- */

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

OstlerRootFile *ostler_mtp_store_copy_unnamed(OstlerRootFolder *from, const char *name,
                                              OstlerRootFolder *to, GError **error)
{
    g_autoptr(OstlerRootFile) source = ostler_root_read(from, name, error);
    g_autoptr(OstlerRootFile) copy = source ? ostler_root_create(to, error) : NULL;

    if (!copy || !ostler_root_file_copy(source, copy, error)) {
        return NULL;
    }
    return g_steal_pointer(&copy);
}

OstlerMtpCode ostler_mtp_store_copy(OstlerMtpStore *store, uint32_t handle, uint32_t id,
                                    uint32_t parent, uint32_t *out_handle)
{
    g_autoptr(OstlerRootFolder) from = NULL;
    g_autoptr(OstlerRootFolder) to = NULL;
    g_autoptr(OstlerRootFile) copy = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    unsigned storage;
    OstlerMtpCode code = ostler_mtp_store_open_place(store, id, parent, &storage, &to);

    if (code == OSTLER_MTP_OK) {
        code = ostler_mtp_store_open_object(store, handle, FOR_READING, &object, &from);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (object.is_folder) {
        return OSTLER_MTP_SPECIFICATION_OF_DESTINATION_UNSUPPORTED;
    }
    copy = ostler_mtp_store_copy_unnamed(from, object.name, to, &error);
    if (!copy || !ostler_root_file_publish(copy, object.name, false, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    g_autofree char *name = g_strdup(object.name);
    *out_handle = ostler_mtp_store_know(store, storage, parent, name, false);
    ostler_mtp_store_remember_own(store, *out_handle);
    return *out_handle ? OSTLER_MTP_OK : OSTLER_MTP_STORE_FULL;
}
