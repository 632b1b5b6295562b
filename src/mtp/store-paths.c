/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/store-internal.h"

#include <string.h>

/* The system's limit on a path (PATH_MAX less the NUL): deeper is out of reach. */
#define MAX_PATH 4095

OstlerMtpCode ostler_mtp_store_refusal(const GError *error, OstlerMtpCode otherwise)
{
    static const struct {
        int why;
        OstlerMtpCode code;
    } codes[] = {
        { G_IO_ERROR_NOT_FOUND, OSTLER_MTP_INVALID_OBJECT_HANDLE },
        { G_IO_ERROR_NOT_DIRECTORY, OSTLER_MTP_INVALID_OBJECT_HANDLE },
        { G_IO_ERROR_NO_SPACE, OSTLER_MTP_STORE_FULL },
        { G_IO_ERROR_READ_ONLY, OSTLER_MTP_STORE_READ_ONLY },
        { G_IO_ERROR_PERMISSION_DENIED, OSTLER_MTP_ACCESS_DENIED },
        { G_IO_ERROR_TOO_MANY_LINKS, OSTLER_MTP_ACCESS_DENIED },
        { G_IO_ERROR_NOT_REGULAR_FILE, OSTLER_MTP_ACCESS_DENIED },
        { G_IO_ERROR_EXISTS, OSTLER_MTP_ACCESS_DENIED },
        { G_IO_ERROR_INVALID_FILENAME, OSTLER_MTP_INVALID_DATASET },
        { G_IO_ERROR_FILENAME_TOO_LONG, OSTLER_MTP_INVALID_DATASET },
    };

    g_debug("%s", error->message);
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (g_error_matches(error, G_IO_ERROR, codes[i].why)) {
            return codes[i].code;
        }
    }
    return otherwise;
}

char *ostler_mtp_store_path(const OstlerMtpStore *store, uint32_t handle)
{
    GString *path = g_string_new(NULL);
    OstlerMtpObject object;

    while (handle != OSTLER_MTP_ROOT) {
        if (!ostler_mtp_objects_get(store->objects, handle, &object) ||
            path->len > MAX_PATH) {
            g_string_free(path, TRUE);
            return NULL;
        }
        if (path->len > 0) {
            g_string_prepend_c(path, '/');
        }
        g_string_prepend(path, object.name);
        handle = object.parent;
    }
    return g_string_free(path, FALSE);
}

OstlerRootFolder *ostler_mtp_store_open_folder(const OstlerMtpStore *store,
                                               unsigned storage, uint32_t handle,
                                               GError **error)
{
    g_autofree char *path = ostler_mtp_store_path(store, handle);

    if (!path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "Object 0x%x is gone, or too deep", handle);
        return NULL;
    }
    return ostler_root_folder(store->storages[storage].root, path, error);
}

/* Only names of the greatest length with a '~' can be of one that was shortened. */
static bool may_be_shortened(const char *name)
{
    uint16_t units[OSTLER_MTP_MAX_STRING];

    return strchr(name, '~') &&
           ostler_mtp_name_to_guest(name, units) >= OSTLER_MTP_MAX_STRING - 1;
}

const char *ostler_mtp_store_actual_name(const OstlerMtpStore *store, unsigned storage,
                                         uint32_t parent, const char *name)
{
    OstlerMtpObject object;

    if (!may_be_shortened(name)) {
        return name;
    }
    for (uint32_t handle = ostler_mtp_objects_first(store->objects, storage, parent);
         handle != 0; handle = ostler_mtp_objects_next(store->objects, handle)) {
        if (ostler_mtp_objects_get(store->objects, handle, &object) &&
            strcmp(object.name, name) != 0 &&
            ostler_mtp_name_is_shown_as(object.name, name)) {
            return object.name;
        }
    }
    return name;
}

static OstlerMtpCode check_access(const OstlerMtpStore *store, unsigned storage,
                                  Access access)
{
    return access != FOR_READING && store->storages[storage].is_read_only
               ? OSTLER_MTP_STORE_READ_ONLY
               : OSTLER_MTP_OK;
}

static bool is_protected(OstlerRootFolder *folder, const char *name)
{
    OstlerRootInfo info;

    return ostler_root_stat(folder, name, &info, NULL) && info.is_protected;
}

OstlerMtpCode ostler_mtp_store_open_object(OstlerMtpStore *store, uint32_t handle,
                                           Access access, OstlerMtpObject *out_object,
                                           OstlerRootFolder **out_folder)
{
    g_autoptr(GError) error = NULL;

    if (!ostler_mtp_objects_get(store->objects, handle, out_object)) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    OstlerMtpCode code = check_access(store, out_object->storage, access);
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    *out_folder = ostler_mtp_store_open_folder(store, out_object->storage,
                                               out_object->parent, &error);
    if (!*out_folder) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    return access == FOR_WRITING && is_protected(*out_folder, out_object->name)
               ? OSTLER_MTP_OBJECT_WRITE_PROTECTED
               : OSTLER_MTP_OK;
}

static bool is_folder_in(const OstlerMtpStore *store, unsigned storage, uint32_t handle)
{
    OstlerMtpObject object;

    return handle == OSTLER_MTP_ROOT ||
           (ostler_mtp_objects_get(store->objects, handle, &object) &&
            object.is_folder && object.storage == storage);
}

OstlerMtpCode ostler_mtp_store_open_place(OstlerMtpStore *store, uint32_t id,
                                          uint32_t parent, unsigned *out_storage,
                                          OstlerRootFolder **out_folder)
{
    g_autoptr(GError) error = NULL;

    if (!ostler_mtp_store_find(store, id, out_storage)) {
        return OSTLER_MTP_INVALID_STORAGE_ID;
    }
    if (!is_folder_in(store, *out_storage, parent)) {
        return OSTLER_MTP_INVALID_PARENT_OBJECT;
    }
    OstlerMtpCode code = check_access(store, *out_storage, FOR_WRITING);
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    *out_folder = ostler_mtp_store_open_folder(store, *out_storage, parent, &error);
    return *out_folder
               ? OSTLER_MTP_OK
               : ostler_mtp_store_refusal(error, OSTLER_MTP_INVALID_PARENT_OBJECT);
}
