/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The table tells of each change, and the journal has it before the initiator can.  At
 * the next start the journal's objects are put back with their handles, folders first.
 * Then each folder that had been listed is compared with the disk.  A name that is still
 * there keeps its handle, whatever file it names by now, as it would have without a
 * restart.  A name that is gone and one that is new are taken for a rename if their
 * files have one identity and were made at one time.  A listing does not say when a file
 * was made; then it must have been before the listing: the system gives an identity again,
 * but never to two files at once.
 */
#include "mtp/store-internal.h"

/* A folder that was renamed shows its own renamed files only in the round after. */
#define MAX_ROUNDS 16

/* How far a file system's clock may be behind ours (a tick; 100 Hz is the slowest). */
#define CLOCK_SLACK_NS UINT64_C(20000000)

void ostler_mtp_store_hold_state(OstlerMtpStore *store)
{
    if (store->state) {
        ostler_mtp_state_hold(store->state);
    }
}

void ostler_mtp_store_release_state(OstlerMtpStore *store)
{
    if (store->state) {
        ostler_mtp_state_release(store->state);
    }
}

void ostler_mtp_store_note_storage(OstlerMtpStore *store, unsigned storage)
{
    if (store->state) {
        ostler_mtp_state_put_storage(store->state, storage,
                                     store->storages[storage].key);
    }
}

void ostler_mtp_store_learn_identity(OstlerMtpStore *store, uint32_t handle,
                                     uint64_t identity, uint64_t birth_ns)
{
    if (store->state && handle != 0) {
        ostler_mtp_state_put_identity(store->state, handle, identity, birth_ns);
    }
}

static void write_down(OstlerMtpObjectsNews news, unsigned storage, uint32_t handle,
                       void *opaque)
{
    const OstlerMtpStore *store = opaque;
    OstlerMtpObject object;

    switch (news) {
    case OSTLER_MTP_OBJECT_KNOWN:
        if (ostler_mtp_objects_get(store->objects, handle, &object)) {
            ostler_mtp_state_put_object(store->state, handle, object.parent, storage,
                                        object.is_folder, object.name);
        }
        break;
    case OSTLER_MTP_OBJECT_LISTED:
        ostler_mtp_state_put_listed(store->state, storage, handle);
        break;
    case OSTLER_MTP_OBJECT_GONE:
        ostler_mtp_state_put_gone(store->state, handle);
        break;
    }
}

/* ---- putting back ---- */

typedef struct {
    OstlerMtpStore *store;
    OstlerMtpSavedState *saved;
    GHashTable *inside; /* parent's handle -> GPtrArray of OstlerMtpSaved */
    GPtrArray *restored;
} Restoration;

/* The storage that has the number @index in what was saved, or -1. */
static int find_storage(const Restoration *r, unsigned index)
{
    const char *key =
        index < r->saved->storages->len ? r->saved->storages->pdata[index] : NULL;

    for (unsigned i = 0; key && i < r->store->n_storages; i++) {
        if (g_strcmp0(r->store->storages[i].key, key) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void sort_by_parent(Restoration *r)
{
    GHashTableIter at;
    void *value;

    g_hash_table_iter_init(&at, r->saved->objects);
    while (g_hash_table_iter_next(&at, NULL, &value)) {
        OstlerMtpSaved *saved = value;
        GPtrArray *list =
            g_hash_table_lookup(r->inside, GUINT_TO_POINTER(saved->parent));
        if (!list) {
            list = g_ptr_array_new();
            g_hash_table_insert(r->inside, GUINT_TO_POINTER(saved->parent), list);
        }
        g_ptr_array_add(list, saved);
    }
}

static bool restore_one(Restoration *r, OstlerMtpSaved *saved)
{
    int storage = saved->parent == 0 ? find_storage(r, saved->storage) : 0;

    if (storage < 0 || !ostler_mtp_objects_restore(
                           r->store->objects, saved->handle, (unsigned)storage,
                           saved->parent, saved->name, saved->is_folder,
                           ostler_mtp_store_format(saved->name, saved->is_folder))) {
        return false;
    }
    saved->storage = (unsigned)storage;
    if (saved->is_folder && saved->is_listed) {
        ostler_mtp_objects_set_listed(r->store->objects, 0, saved->handle);
    }
    g_ptr_array_add(r->restored, saved);
    return true;
}

/* From the storages' tops down; what cannot be reached is left out. */
static void restore_all(Restoration *r)
{
    uint32_t parent = OSTLER_MTP_ROOT;

    for (guint next = 0;; next++) {
        const GPtrArray *list =
            g_hash_table_lookup(r->inside, GUINT_TO_POINTER(parent));
        for (guint i = 0; list && i < list->len; i++) {
            restore_one(r, list->pdata[i]);
        }
        if (next == r->restored->len) {
            return;
        }
        parent = ((const OstlerMtpSaved *)r->restored->pdata[next])->handle;
    }
}

/* The rest keeps its slots from being used soon. */
static void burn_the_rest(Restoration *r)
{
    GHashTableIter at;
    OstlerMtpObject object;
    void *value;

    g_hash_table_iter_init(&at, r->saved->objects);
    while (g_hash_table_iter_next(&at, NULL, &value)) {
        uint32_t handle = ((const OstlerMtpSaved *)value)->handle;
        if (!ostler_mtp_objects_get(r->store->objects, handle, &object)) {
            g_hash_table_replace(r->saved->last_of, GUINT_TO_POINTER(handle & 0xffffff),
                                 GUINT_TO_POINTER(handle));
            g_hash_table_iter_remove(&at);
        }
    }
    g_hash_table_iter_init(&at, r->saved->last_of);
    while (g_hash_table_iter_next(&at, NULL, &value)) {
        ostler_mtp_objects_burn(r->store->objects, GPOINTER_TO_UINT(value));
    }
    ostler_mtp_objects_restore_end(r->store->objects);
}

/* What was saved, with the numbers that the storages have now. */
static void renumber(Restoration *r)
{
    g_autoptr(GArray) listed = g_steal_pointer(&r->saved->listed);

    r->saved->listed = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (guint i = 0; i < listed->len; i++) {
        int storage = find_storage(r, g_array_index(listed, unsigned, i));
        if (storage >= 0) {
            g_array_append_val(r->saved->listed, storage);
            ostler_mtp_objects_set_listed(r->store->objects, (unsigned)storage, 0);
        }
    }
    g_ptr_array_set_size(r->saved->storages, 0);
    for (unsigned i = 0; i < r->store->n_storages; i++) {
        g_ptr_array_add(r->saved->storages, g_strdup(r->store->storages[i].key));
    }
}

/* ---- what was renamed meanwhile ---- */

/* A name on the disk that the table does not have. */
typedef struct {
    unsigned storage;
    uint32_t parent;
    char *name;
    bool is_folder;
    uint64_t identity;
} Found;

typedef struct {
    OstlerMtpStore *store;
    GHashTable *seen; /* of handles that are where they were */
    GArray *found;    /* of Found */
    GHashTable *lost; /* &saved->identity -> OstlerMtpSaved */
} Search;

static void clear_found(void *opaque)
{
    g_free(((Found *)opaque)->name);
}

static void search_folder(Search *s, unsigned storage, uint32_t parent)
{
    g_autoptr(OstlerRootFolder) folder =
        ostler_mtp_store_open_folder(s->store, storage, parent, NULL);
    g_autoptr(OstlerRootListing) listing =
        folder ? ostler_root_list(folder, NULL) : NULL;
    OstlerRootKind kind;
    const char *name;

    while (listing && (name = ostler_root_listing_next(listing, &kind))) {
        uint32_t handle =
            ostler_mtp_objects_find(s->store->objects, storage, parent, name);
        if (handle != 0) {
            g_hash_table_add(s->seen, GUINT_TO_POINTER(handle));
        } else if (kind != OSTLER_ROOT_OTHER) {
            const Found found = {
                .storage = storage,
                .parent = parent,
                .name = g_strdup(name),
                .is_folder = kind == OSTLER_ROOT_FOLDER,
                .identity = ostler_root_listing_identity(listing),
            };
            g_array_append_val(s->found, found);
        }
    }
}

static bool is_as_old(const OstlerRootInfo *info, const OstlerMtpSaved *saved)
{
    if (info->birth_ns == 0) {
        return false;
    }
    return saved->birth_ns != 0 ? info->birth_ns == saved->birth_ns
                                : info->birth_ns + CLOCK_SLACK_NS < saved->seen_ns;
}

/* Whether what was found is the file that was lost, and not a later one. */
static bool is_same(const Search *s, const Found *found, const OstlerMtpSaved *saved)
{
    g_autoptr(OstlerRootFolder) folder =
        ostler_mtp_store_open_folder(s->store, found->storage, found->parent, NULL);
    OstlerRootInfo info;

    return folder && saved->is_folder == found->is_folder &&
           ostler_root_stat(folder, found->name, &info, NULL) &&
           info.identity == saved->identity && is_as_old(&info, saved);
}

static unsigned match(const Search *s)
{
    unsigned n_matched = 0;

    for (guint i = 0; i < s->found->len; i++) {
        const Found *found = &g_array_index(s->found, Found, i);
        const OstlerMtpSaved *saved = g_hash_table_lookup(s->lost, &found->identity);
        if (saved && is_same(s, found, saved)) {
            ostler_mtp_store_rehome(s->store, saved->handle, found->storage,
                                    found->parent, found->name);
            g_hash_table_remove(s->lost, &found->identity);
            n_matched++;
        }
    }
    return n_matched;
}

/* One look at all that was listed; how many were found elsewhere. */
static unsigned find_renamed(OstlerMtpStore *store, const GPtrArray *restored)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) lost = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
    Search search = { store, seen, found, lost };

    g_array_set_clear_func(found, clear_found);
    for (unsigned i = 0; i < store->n_storages; i++) {
        if (ostler_mtp_objects_is_listed(store->objects, i, OSTLER_MTP_ROOT)) {
            search_folder(&search, i, OSTLER_MTP_ROOT);
        }
    }
    for (guint i = 0; i < restored->len; i++) {
        const OstlerMtpSaved *saved = restored->pdata[i];
        OstlerMtpObject object;
        if (saved->is_listed &&
            ostler_mtp_objects_get(store->objects, saved->handle, &object)) {
            search_folder(&search, object.storage, saved->handle);
        }
    }
    for (guint i = 0; i < restored->len; i++) {
        OstlerMtpSaved *saved = restored->pdata[i];
        OstlerMtpEntry entry;
        if (saved->identity != 0 &&
            !g_hash_table_contains(seen, GUINT_TO_POINTER(saved->handle)) &&
            ostler_mtp_store_entry(store, saved->handle, &entry) != OSTLER_MTP_OK) {
            g_hash_table_insert(lost, &saved->identity, saved);
        }
    }
    return match(&search);
}

static void catch_up(OstlerMtpStore *store, const GPtrArray *restored)
{
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        if (find_renamed(store, restored) == 0) {
            break;
        }
    }
    for (unsigned i = 0; i < store->n_storages; i++) {
        ostler_mtp_store_look_again(store, i, OSTLER_MTP_ROOT);
    }
}

bool ostler_mtp_store_keep_state(OstlerMtpStore *store, OstlerRoot *folder,
                                 GError **error)
{
    g_autoptr(OstlerMtpSavedState) saved = ostler_mtp_saved_state_load(folder);
    g_autoptr(GHashTable) inside =
        g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GPtrArray) restored = g_ptr_array_new();
    Restoration r = { store, saved, inside, restored };

    store->state_root = folder;
    ostler_mtp_objects_restore_begin(store->objects,
                                     g_hash_table_size(saved->objects) +
                                         g_hash_table_size(saved->last_of));
    sort_by_parent(&r);
    restore_all(&r);
    burn_the_rest(&r);
    renumber(&r);
    store->state = ostler_mtp_state_begin(folder, saved, error);
    if (!store->state) {
        return false;
    }
    ostler_mtp_objects_watch(store->objects, write_down, store);
    catch_up(store, restored);
    return true;
}
