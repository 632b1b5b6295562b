/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/store-internal.h"

/* A file that is still coming in is not there yet. */
static bool is_listed(const OstlerMtpStore *store, const OstlerMtpObject *object,
                      uint16_t format)
{
    return (format == 0 || object->format == format) &&
           !(store->incoming.is_new && object->handle == store->incoming.handle);
}

typedef struct {
    uint32_t handle;
    uint32_t depth; /* levels still wanted beneath it */
} Pending;

/* List one folder; folders in it that are wanted as well go to @pending. */
static OstlerMtpCode list_one(OstlerMtpStore *store, unsigned storage,
                              const Pending *what, uint16_t format, GArray *out_handles,
                              GArray *pending)
{
    OstlerMtpCode code = ostler_mtp_store_read_folder(store, storage, what->handle);
    OstlerMtpObject object;

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    for (uint32_t handle =
             ostler_mtp_objects_first(store->objects, storage, what->handle);
         handle != 0; handle = ostler_mtp_objects_next(store->objects, handle)) {
        ostler_mtp_objects_get(store->objects, handle, &object);
        if (is_listed(store, &object, format)) {
            g_array_append_val(out_handles, handle);
        }
        if (object.is_folder && what->depth > 1) {
            const Pending beneath = { handle, what->depth - 1 };
            g_array_append_val(pending, beneath);
        }
    }
    return OSTLER_MTP_OK;
}

static OstlerMtpCode list_storage(OstlerMtpStore *store, unsigned storage,
                                  uint32_t parent, uint32_t depth, uint16_t format,
                                  GArray *out_handles)
{
    g_autoptr(GArray) pending = g_array_new(FALSE, FALSE, sizeof(Pending));
    const Pending top = { parent, depth };
    OstlerMtpCode code = list_one(store, storage, &top, format, out_handles, pending);

    while (code == OSTLER_MTP_OK && pending->len > 0) {
        const Pending next = g_array_index(pending, Pending, pending->len - 1);
        g_array_set_size(pending, pending->len - 1);
        /* One that cannot be read does not spoil the rest. */
        list_one(store, storage, &next, format, out_handles, pending);
    }
    return code;
}

static OstlerMtpCode list_every_storage(OstlerMtpStore *store, uint32_t depth,
                                        uint16_t format, GArray *out_handles)
{
    OstlerMtpCode code = OSTLER_MTP_OK;

    for (unsigned i = 0; i < store->n_storages && code == OSTLER_MTP_OK; i++) {
        if (!store->storages[i].root) {
            continue;
        }
        code = list_storage(store, i, OSTLER_MTP_ROOT, depth, format, out_handles);
    }
    return code;
}

OstlerMtpCode ostler_mtp_store_list(OstlerMtpStore *store, uint32_t id, uint32_t parent,
                                    uint32_t depth, uint16_t format,
                                    GArray *out_handles)
{
    OstlerMtpObject object;
    unsigned storage;

    if (id != OSTLER_MTP_ALL && !ostler_mtp_store_find(store, id, &storage)) {
        return OSTLER_MTP_INVALID_STORAGE_ID;
    }
    if (parent == OSTLER_MTP_ROOT) {
        return id == OSTLER_MTP_ALL
                   ? list_every_storage(store, depth, format, out_handles)
                   : list_storage(store, storage, parent, depth, format, out_handles);
    }
    if (!ostler_mtp_objects_get(store->objects, parent, &object)) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    if (!object.is_folder || (id != OSTLER_MTP_ALL && object.storage != storage)) {
        return OSTLER_MTP_INVALID_PARENT_OBJECT;
    }
    return list_storage(store, object.storage, parent, depth, format, out_handles);
}

/* ---- one object ---- */

OstlerMtpCode ostler_mtp_store_entry(OstlerMtpStore *store, uint32_t handle,
                                     OstlerMtpEntry *out_entry)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpCode code = ostler_mtp_store_open_object(store, handle, FOR_READING,
                                                      &out_entry->object, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (!ostler_root_stat(folder, out_entry->object.name, &out_entry->file, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    ostler_mtp_objects_set_size(store->objects, handle, out_entry->file.size);
    out_entry->is_read_only = out_entry->file.is_protected ||
                              store->storages[out_entry->object.storage].is_read_only;
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_read(OstlerMtpStore *store, uint32_t handle,
                                    OstlerRootFile **out_file, uint64_t *out_size,
                                    unsigned *out_storage)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(OstlerRootFile) file = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerRootInfo info;
    OstlerMtpCode code =
        ostler_mtp_store_open_object(store, handle, FOR_READING, &object, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (object.is_folder) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    file = ostler_root_read(folder, object.name, &error);
    if (!file || !ostler_root_file_info(file, &info, &error)) {
        return ostler_mtp_store_refusal(error, OSTLER_MTP_GENERAL_ERROR);
    }
    *out_file = g_steal_pointer(&file);
    *out_size = info.size;
    *out_storage = object.storage;
    return OSTLER_MTP_OK;
}
