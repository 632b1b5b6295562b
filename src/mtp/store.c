/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The table knows what has been listed.  A folder is read when the initiator asks for
 * what is in it, and then compared with the table: names that are new get a handle,
 * names that are gone lose theirs.  Between two listings a file may vanish: asking for it
 * is answered as an invalid handle, but it is not forgotten for that, since it may have
 * been renamed, which the watch tells a moment later (store-host.c).
 *
 * No folder is kept open between operations.  A path is put together from the table and
 * resolved anew, beneath the share, every time: at a few microseconds that is cheap
 * beside a USB round trip, and a folder that was moved out of the share in between is
 * simply not found.
 */
#include "mtp/store.h"

#include "mtp/store-internal.h"

#include <string.h>

/* The system's limit on a path (PATH_MAX less the NUL): deeper is out of reach. */
#define MAX_PATH 4095

OstlerMtpStore *ostler_mtp_store_new(void)
{
    OstlerMtpStore *store = g_new0(OstlerMtpStore, 1);

    store->objects = ostler_mtp_objects_new();
    return store;
}

void ostler_mtp_store_free(OstlerMtpStore *store)
{
    if (!store) {
        return;
    }
    ostler_root_file_free(store->incoming.file);
    for (unsigned i = 0; i < store->n_storages; i++) {
        ostler_root_free(store->storages[i].root);
        g_free(store->storages[i].label);
    }
    ostler_mtp_objects_free(store->objects);
    g_free(store);
}

bool ostler_mtp_store_add(OstlerMtpStore *store, const OstlerMtpShare *share,
                          GError **error)
{
    Storage *storage = &store->storages[store->n_storages];

    if (store->n_storages == OSTLER_MTP_MAX_STORAGES) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "Cannot share '%s': there are %d shares already, and no more fit",
                    share->path, OSTLER_MTP_MAX_STORAGES);
        return false;
    }
    storage->root = ostler_root_open(share->path, error);
    if (!storage->root) {
        return false;
    }
    storage->label = g_strdup(share->label);
    storage->is_read_only = share->is_read_only;
    store->n_storages++;
    return true;
}

/* ---- storages ---- */

unsigned ostler_mtp_store_count(const OstlerMtpStore *store)
{
    return store->n_storages;
}

uint32_t ostler_mtp_store_id(unsigned index)
{
    return (index + 1) << 16 | 1;
}

bool ostler_mtp_store_find(const OstlerMtpStore *store, uint32_t id,
                           unsigned *out_index)
{
    *out_index = (id >> 16) - 1;
    return (id & 0xffff) == 1 && *out_index < store->n_storages;
}

OstlerMtpCode ostler_mtp_store_storage_info(OstlerMtpStore *store, uint32_t id,
                                            OstlerMtpStorageInfo *out_info)
{
    unsigned index;
    uint64_t total = 0;
    uint64_t available = 0;

    if (!ostler_mtp_store_find(store, id, &index)) {
        return OSTLER_MTP_INVALID_STORAGE_ID;
    }
    const Storage *storage = &store->storages[index];
    ostler_root_space(storage->root, &total, &available, NULL);
    *out_info = (OstlerMtpStorageInfo){
        .capacity = total,
        .free_bytes = available,
        .free_objects = 0xffffffff, /* 5.2.2: not used */
        .is_read_only = storage->is_read_only,
        .label = storage->label,
        .volume = "",
    };
    return OSTLER_MTP_OK;
}

/* ---- paths and errors ---- */

/* The file system's refusal as the response that says it best. */
static OstlerMtpCode code_of(const GError *error, OstlerMtpCode otherwise)
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
    };

    g_debug("%s", error->message);
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (g_error_matches(error, G_IO_ERROR, codes[i].why)) {
            return codes[i].code;
        }
    }
    return otherwise;
}

/* "a/b/c" of a folder; NULL when it is out of reach.  Caller frees. */
static char *path_of_folder(const OstlerMtpStore *store, uint32_t handle)
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
    g_autofree char *path = path_of_folder(store, handle);

    if (!path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "Object 0x%x is gone, or too deep", handle);
        return NULL;
    }
    return ostler_root_folder(store->storages[storage].root, path, error);
}

/* The object, and its folder opened; an object whose folder is gone is forgotten. */
static OstlerMtpCode open_parent(OstlerMtpStore *store, uint32_t handle,
                                 OstlerMtpObject *out_object,
                                 OstlerRootFolder **out_folder)
{
    g_autoptr(GError) error = NULL;

    if (!ostler_mtp_objects_get(store->objects, handle, out_object)) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    *out_folder = ostler_mtp_store_open_folder(store, out_object->storage,
                                               out_object->parent, &error);
    return *out_folder ? OSTLER_MTP_OK : code_of(error, OSTLER_MTP_GENERAL_ERROR);
}

static OstlerMtpCode check_writable(const OstlerMtpStore *store, unsigned storage)
{
    return store->storages[storage].is_read_only ? OSTLER_MTP_STORE_READ_ONLY
                                                 : OSTLER_MTP_OK;
}

/* Whether @parent is a folder in the storage @id: where something new may go. */
static OstlerMtpCode check_place(const OstlerMtpStore *store, uint32_t id,
                                 uint32_t parent, unsigned *out_storage)
{
    OstlerMtpObject object;

    if (!ostler_mtp_store_find(store, id, out_storage)) {
        return OSTLER_MTP_INVALID_STORAGE_ID;
    }
    if (parent == OSTLER_MTP_ROOT) {
        return OSTLER_MTP_OK;
    }
    if (!ostler_mtp_objects_get(store->objects, parent, &object) || !object.is_folder ||
        object.storage != *out_storage) {
        return OSTLER_MTP_INVALID_PARENT_OBJECT;
    }
    return OSTLER_MTP_OK;
}

/* ---- listing ---- */

/* The handle of @name, new if need be; a file that became a folder is another object. */
uint32_t ostler_mtp_store_know(OstlerMtpStore *store, unsigned storage, uint32_t parent,
                               const char *name, bool is_folder)
{
    OstlerMtpObject object;
    uint32_t handle = ostler_mtp_objects_find(store->objects, storage, parent, name);

    if (handle != 0 && ostler_mtp_objects_get(store->objects, handle, &object) &&
        object.is_folder == is_folder) {
        return handle;
    }
    ostler_mtp_objects_remove(store->objects, handle);
    return ostler_mtp_objects_add(store->objects, storage, parent, name, is_folder,
                                  is_folder ? OSTLER_MTP_FORMAT_ASSOCIATION
                                            : ostler_mtp_format_of_name(name));
}

OstlerMtpCode ostler_mtp_store_read_folder(OstlerMtpStore *store, unsigned storage,
                                           uint32_t parent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerRootFolder) folder =
        ostler_mtp_store_open_folder(store, storage, parent, &error);
    g_autoptr(OstlerRootListing) listing =
        folder ? ostler_root_list(folder, &error) : NULL;
    OstlerRootKind kind;
    const char *name;

    if (!listing) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
    }
    ostler_mtp_objects_sweep_begin(store->objects, storage, parent);
    ostler_mtp_objects_sweep_mark(store->objects, store->incoming.handle);
    while ((name = ostler_root_listing_next(listing, &kind))) {
        if (kind != OSTLER_ROOT_OTHER) {
            ostler_mtp_objects_sweep_mark(
                store->objects, ostler_mtp_store_know(store, storage, parent, name,
                                                      kind == OSTLER_ROOT_FOLDER));
        }
    }
    ostler_mtp_objects_sweep_end(store->objects, storage, parent, NULL, NULL);
    ostler_mtp_objects_set_listed(store->objects, storage, parent);
    return OSTLER_MTP_OK;
}

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
    OstlerMtpCode code = open_parent(store, handle, &out_entry->object, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (!ostler_root_stat(folder, out_entry->object.name, &out_entry->file, &error)) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
    }
    out_entry->is_read_only = store->storages[out_entry->object.storage].is_read_only;
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_read(OstlerMtpStore *store, uint32_t handle,
                                    OstlerRootFile **out_file, uint64_t *out_size)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(OstlerRootFile) file = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerRootInfo info;
    OstlerMtpCode code = open_parent(store, handle, &object, &folder);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (object.is_folder) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    file = ostler_root_read(folder, object.name, &error);
    if (!file || !ostler_root_file_info(file, &info, &error)) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
    }
    *out_file = g_steal_pointer(&file);
    *out_size = info.size;
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_touch(OstlerMtpStore *store, uint32_t handle,
                                     int64_t modified)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerMtpCode code = open_parent(store, handle, &object, &folder);

    if (code == OSTLER_MTP_OK) {
        code = check_writable(store, object.storage);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (!ostler_root_touch(folder, object.name, modified, &error)) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
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
    OstlerMtpCode code = open_parent(store, handle, &object, &folder);

    if (code == OSTLER_MTP_OK) {
        code = check_writable(store, object.storage);
    }
    if (code != OSTLER_MTP_OK || strcmp(name, object.name) == 0) {
        return code;
    }
    if (!ostler_root_rename(folder, object.name, folder, name, &error)) {
        return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_EXISTS)
                   ? OSTLER_MTP_INVALID_OBJECT_PROP_VALUE
                   : code_of(error, OSTLER_MTP_GENERAL_ERROR);
    }

    /* The new name may be in the table still, of a file that was removed meanwhile. */
    ostler_mtp_objects_remove(
        store->objects,
        ostler_mtp_objects_find(store->objects, object.storage, object.parent, name));
    ostler_mtp_objects_move(store->objects, handle, object.storage, object.parent, name,
                            object.is_folder ? OSTLER_MTP_FORMAT_ASSOCIATION
                                             : ostler_mtp_format_of_name(name));
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
    OstlerMtpCode code = check_place(store, id, parent, &storage);

    if (code == OSTLER_MTP_OK) {
        code = check_writable(store, storage);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    folder = ostler_mtp_store_open_folder(store, storage, parent, &error);
    if (!folder) {
        return code_of(error, OSTLER_MTP_INVALID_PARENT_OBJECT);
    }

    /* One that is there already will do: copying a folder over another merges them. */
    if (!ostler_root_make_folder(folder, name, &error) &&
        !(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_EXISTS) &&
          ostler_root_stat(folder, name, &info, NULL) &&
          info.kind == OSTLER_ROOT_FOLDER)) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
    }
    *out_handle = ostler_mtp_store_know(store, storage, parent, name, true);
    return *out_handle ? OSTLER_MTP_OK : OSTLER_MTP_STORE_FULL;
}

/* ---- deleting ---- */

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
            count_removal(deletion, ostler_root_remove(folder, name, kind, NULL));
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
    Deletion deletion = { .root = store->storages[object->storage].root };
    g_autofree char *path = path_of_folder(store, object->handle);

    if (!path) {
        return OSTLER_MTP_INVALID_OBJECT_HANDLE;
    }
    delete_tree(&deletion, path);
    if (deletion.n_kept == 0) {
        ostler_mtp_objects_remove(store->objects, object->handle);
        return OSTLER_MTP_OK;
    }
    return deletion.n_removed > 0 ? OSTLER_MTP_PARTIAL_DELETION
                                  : OSTLER_MTP_ACCESS_DENIED;
}

OstlerMtpCode ostler_mtp_store_delete(OstlerMtpStore *store, uint32_t handle)
{
    g_autoptr(OstlerRootFolder) folder = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    OstlerMtpCode code = open_parent(store, handle, &object, &folder);

    if (code == OSTLER_MTP_OK) {
        code = check_writable(store, object.storage);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (object.is_folder) {
        return delete_folder(store, &object);
    }
    if (!ostler_root_remove(folder, object.name, OSTLER_ROOT_FILE, &error)) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
    }
    ostler_mtp_objects_remove(store->objects, handle);
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

/* ---- moving and copying ---- */

/* Open where @handle is and where it shall be; both may be written. */
static OstlerMtpCode open_both(OstlerMtpStore *store, uint32_t handle, unsigned storage,
                               uint32_t parent, OstlerMtpObject *out_object,
                               OstlerRootFolder **out_from, OstlerRootFolder **out_to)
{
    g_autoptr(GError) error = NULL;
    OstlerMtpCode code = check_writable(store, storage);

    if (code == OSTLER_MTP_OK) {
        code = open_parent(store, handle, out_object, out_from);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    *out_to = ostler_mtp_store_open_folder(store, storage, parent, &error);
    return *out_to ? OSTLER_MTP_OK : code_of(error, OSTLER_MTP_INVALID_PARENT_OBJECT);
}

OstlerMtpCode ostler_mtp_store_move(OstlerMtpStore *store, uint32_t handle, uint32_t id,
                                    uint32_t parent)
{
    g_autoptr(OstlerRootFolder) from = NULL;
    g_autoptr(OstlerRootFolder) to = NULL;
    g_autoptr(GError) error = NULL;
    OstlerMtpObject object;
    unsigned storage;
    OstlerMtpCode code = check_place(store, id, parent, &storage);

    if (code == OSTLER_MTP_OK) {
        code = open_both(store, handle, storage, parent, &object, &from, &to);
    }
    if (code == OSTLER_MTP_OK) {
        code = check_writable(store, object.storage);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    /* Into itself, or to another file system: the initiator copies and deletes. */
    if (!ostler_root_rename(from, object.name, to, object.name, &error)) {
        return code_of(error, OSTLER_MTP_SPECIFICATION_OF_DESTINATION_UNSUPPORTED);
    }
    ostler_mtp_objects_remove(
        store->objects,
        ostler_mtp_objects_find(store->objects, storage, parent, object.name));
    g_autofree char *name = g_strdup(object.name); /* it goes with the move */
    ostler_mtp_objects_move(store->objects, handle, storage, parent, name,
                            object.format);
    ostler_mtp_store_remember_own(store, handle);
    return OSTLER_MTP_OK;
}

/* A copy of @name in @from, without a name yet in @to. */
static OstlerRootFile *copy_unnamed(OstlerRootFolder *from, const char *name,
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
    OstlerMtpCode code = check_place(store, id, parent, &storage);

    if (code == OSTLER_MTP_OK) {
        code = open_both(store, handle, storage, parent, &object, &from, &to);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (object.is_folder) {
        return OSTLER_MTP_SPECIFICATION_OF_DESTINATION_UNSUPPORTED;
    }
    copy = copy_unnamed(from, object.name, to, &error);
    if (!copy || !ostler_root_file_publish(copy, object.name, false, &error)) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
    }
    g_autofree char *name = g_strdup(object.name);
    *out_handle = ostler_mtp_store_know(store, storage, parent, name, false);
    ostler_mtp_store_remember_own(store, *out_handle);
    return *out_handle ? OSTLER_MTP_OK : OSTLER_MTP_STORE_FULL;
}

/* ---- a file that comes in ---- */

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
    OstlerMtpCode code = check_place(store, id, parent, &storage);

    ostler_mtp_store_drop(store);
    if (code == OSTLER_MTP_OK) {
        code = check_writable(store, storage);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (!has_room(store, storage, size)) {
        return OSTLER_MTP_STORE_FULL;
    }

    folder = ostler_mtp_store_open_folder(store, storage, parent, &error);
    if (!folder) {
        return code_of(error, OSTLER_MTP_INVALID_PARENT_OBJECT);
    }
    file = ostler_root_create(folder, &error);
    if (!file) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
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
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
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
        OstlerMtpCode code = code_of(error, OSTLER_MTP_GENERAL_ERROR);
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
    code = open_parent(store, handle, &object, &folder);
    if (code == OSTLER_MTP_OK) {
        code = check_writable(store, object.storage);
    }
    if (code != OSTLER_MTP_OK) {
        return code;
    }
    copy = copy_unnamed(folder, object.name, folder, &error);
    if (!copy) {
        return code_of(error, OSTLER_MTP_GENERAL_ERROR);
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
               : code_of(error, OSTLER_MTP_GENERAL_ERROR);
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
               : code_of(error, OSTLER_MTP_OBJECT_TOO_LARGE);
}

OstlerMtpCode ostler_mtp_store_edit_end(OstlerMtpStore *store, uint32_t handle)
{
    return is_edited(store, handle) ? ostler_mtp_store_end(store, 0)
                                    : OSTLER_MTP_INVALID_OBJECT_HANDLE;
}
