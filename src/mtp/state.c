/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/state.h"

#include "mtp/bytes.h"
#include "mtp/objects.h"
#include "wire/reader.h"

#include <string.h>

#define FILE_NAME "handles"
#define MAGIC     "OstlerH1"
#define MAX_KEY   900u

/* A held batch is written when it has grown to this. */
#define BATCH_BYTES (64u * 1024)

/* Written anew when it is this much, and this many times as long as when it began. */
#define SLACK_BYTES (UINT64_C(4) << 20)
#define SLACK_TIMES 4

#define MAX_STORAGES 256u

#define SLOT_OF(handle) ((handle) & (OSTLER_MTP_MAX_OBJECTS - 1))

/* The first byte of a body. */
enum {
    STORAGE = 1, /* u32 index, key */
    OBJECT,      /* u32 handle, u32 parent, u32 storage, u8 is a folder, name */
    IDENTITY,    /* u32 handle, u64 identity, u64 birth, u64 seen */
    LISTED,      /* u32 handle, u32 storage */
    GONE,        /* u32 handle */
};

struct OstlerMtpState {
    OstlerRoot *folder;   /* borrowed */
    OstlerRootFile *file; /* NULL: given up */
    uint64_t size;
    uint64_t first_size;
    GByteArray *batch;
    unsigned n_holds;
};

/* FNV-1a, folded: it need not withstand more than a write that was cut off. */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
    uint32_t h = 0x811c9dc5;

    for (size_t i = 0; i < size; i++) {
        h = (h ^ bytes[i]) * 0x01000193;
    }
    return (uint16_t)(h ^ h >> 16);
}

/* ---- reading ---- */

static void free_saved(void *opaque)
{
    OstlerMtpSaved *saved = opaque;

    g_free(saved->name);
    g_free(saved);
}

static OstlerMtpSavedState *saved_state_new(void)
{
    OstlerMtpSavedState *state = g_new0(OstlerMtpSavedState, 1);

    state->storages = g_ptr_array_new_with_free_func(g_free);
    state->listed = g_array_new(FALSE, FALSE, sizeof(unsigned));
    state->objects = g_hash_table_new_full(NULL, NULL, NULL, free_saved);
    state->last_of = g_hash_table_new(NULL, NULL);
    return state;
}

void ostler_mtp_saved_state_free(OstlerMtpSavedState *saved)
{
    if (saved) {
        g_ptr_array_unref(saved->storages);
        g_array_unref(saved->listed);
        g_hash_table_unref(saved->objects);
        g_hash_table_unref(saved->last_of);
        g_free(saved);
    }
}

/* The rest of a body as text; caller frees. */
static char *take_text(OstlerReader *r)
{
    size_t size = ostler_reader_left(r);
    const uint8_t *text = ostler_reader_take(r, size);

    return text && !memchr(text, '\0', size) ? g_strndup((const char *)text, size)
                                             : NULL;
}

static bool is_name(const char *name)
{
    return name && *name && strlen(name) <= OSTLER_ROOT_MAX_NAME &&
           !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static OstlerMtpSaved *find_saved(const OstlerMtpSavedState *state, uint32_t handle)
{
    OstlerMtpSaved *saved =
        g_hash_table_lookup(state->objects, GUINT_TO_POINTER(SLOT_OF(handle)));

    return saved && saved->handle == handle ? saved : NULL;
}

static void forget_listed(const OstlerMtpSavedState *state, unsigned storage)
{
    for (guint i = state->listed->len; i > 0; i--) {
        if (g_array_index(state->listed, unsigned, i - 1) == storage) {
            g_array_remove_index_fast(state->listed, i - 1);
        }
    }
}

/* Another one may have had the number before. */
static void take_storage(OstlerMtpSavedState *state, OstlerReader *r)
{
    uint32_t index = ostler_reader_le32(r);
    g_autofree char *key = take_text(r);

    if (key && index < MAX_STORAGES) {
        forget_listed(state, index);
        if (index >= state->storages->len) {
            g_ptr_array_set_size(state->storages, (gint)index + 1);
        }
        g_free(state->storages->pdata[index]);
        state->storages->pdata[index] = g_steal_pointer(&key);
    }
}

static void take_object(OstlerMtpSavedState *state, OstlerReader *r)
{
    uint32_t handle = ostler_reader_le32(r);
    uint32_t parent = ostler_reader_le32(r);
    uint32_t storage = ostler_reader_le32(r);
    bool is_folder = ostler_reader_u8(r) != 0;
    g_autofree char *name = take_text(r);
    OstlerMtpSaved *saved = find_saved(state, handle);

    if (!is_name(name)) {
        return;
    }
    if (!saved) {
        saved = g_new0(OstlerMtpSaved, 1);
        saved->handle = handle;
        g_hash_table_replace(state->objects, GUINT_TO_POINTER(SLOT_OF(handle)), saved);
        g_hash_table_remove(state->last_of, GUINT_TO_POINTER(SLOT_OF(handle)));
    }
    saved->parent = parent;
    saved->storage = storage;
    saved->is_folder = is_folder;
    g_free(saved->name);
    saved->name = g_steal_pointer(&name);
}

static void take_identity(const OstlerMtpSavedState *state, OstlerReader *r)
{
    OstlerMtpSaved *saved = find_saved(state, ostler_reader_le32(r));
    uint64_t identity = ostler_reader_le64(r);
    uint64_t birth_ns = ostler_reader_le64(r);
    uint64_t seen_ns = ostler_reader_le64(r);

    if (saved && ostler_reader_ok(r)) {
        saved->identity = identity;
        saved->birth_ns = birth_ns;
        saved->seen_ns = seen_ns;
    }
}

static void take_listed(const OstlerMtpSavedState *state, OstlerReader *r)
{
    uint32_t handle = ostler_reader_le32(r);
    unsigned storage = ostler_reader_le32(r);
    OstlerMtpSaved *saved = find_saved(state, handle);

    if (saved) {
        saved->is_listed = true;
    } else if (handle == 0 && ostler_reader_ok(r) && storage < MAX_STORAGES) {
        g_array_append_val(state->listed, storage);
    }
}

static void take_gone(const OstlerMtpSavedState *state, OstlerReader *r)
{
    uint32_t handle = ostler_reader_le32(r);

    if (ostler_reader_ok(r)) {
        g_hash_table_remove(state->objects, GUINT_TO_POINTER(SLOT_OF(handle)));
        g_hash_table_replace(state->last_of, GUINT_TO_POINTER(SLOT_OF(handle)),
                             GUINT_TO_POINTER(handle));
    }
}

static void take_body(OstlerMtpSavedState *state, OstlerReader *body)
{
    switch (ostler_reader_u8(body)) {
    case STORAGE:
        take_storage(state, body);
        break;
    case OBJECT:
        take_object(state, body);
        break;
    case IDENTITY:
        take_identity(state, body);
        break;
    case LISTED:
        take_listed(state, body);
        break;
    case GONE:
        take_gone(state, body);
        break;
    default: /* a later version's */
        break;
    }
}

OstlerMtpSavedState *ostler_mtp_saved_state_parse(const void *bytes, size_t size)
{
    OstlerMtpSavedState *state = saved_state_new();
    OstlerReader r = ostler_reader_of(bytes, size);
    const uint8_t *magic = ostler_reader_take(&r, strlen(MAGIC));

    if (!magic || memcmp(magic, MAGIC, strlen(MAGIC)) != 0) {
        return state;
    }
    while (ostler_reader_left(&r) > 0) {
        uint16_t length = ostler_reader_le16(&r);
        uint16_t sum = ostler_reader_le16(&r);
        const uint8_t *body = ostler_reader_take(&r, length);
        if (!body || checksum(body, length) != sum) {
            break;
        }
        OstlerReader inside = ostler_reader_of(body, length);
        take_body(state, &inside);
    }
    return state;
}

static GBytes *read_whole(OstlerRoot *root)
{
    g_autoptr(OstlerRootFolder) folder = ostler_root_folder(root, "", NULL);
    g_autoptr(OstlerRootFile) file =
        folder ? ostler_root_read(folder, FILE_NAME, NULL) : NULL;
    OstlerRootInfo info;

    if (!file || !ostler_root_file_info(file, &info, NULL) ||
        info.size > OSTLER_MTP_STATE_MAX_BYTES) {
        return NULL;
    }
    g_autofree char *bytes = g_try_malloc(info.size + 1);
    gssize n =
        bytes ? ostler_root_file_read(file, 0, bytes, (size_t)info.size, NULL) : -1;
    return n < 0 ? NULL : g_bytes_new_take(g_steal_pointer(&bytes), (gsize)n);
}

OstlerMtpSavedState *ostler_mtp_saved_state_load(OstlerRoot *folder)
{
    g_autoptr(GBytes) bytes = read_whole(folder);
    gsize size = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    return ostler_mtp_saved_state_parse(data, size);
}

/* ---- writing ---- */

static void give_up(OstlerMtpState *state)
{
    g_autoptr(OstlerRootFolder) folder = ostler_root_folder(state->folder, "", NULL);

    g_clear_pointer(&state->file, ostler_root_file_free);
    if (folder) {
        ostler_root_remove(folder, FILE_NAME, OSTLER_ROOT_FILE, NULL);
    }
}

static void flush(OstlerMtpState *state)
{
    if (state->file && state->batch->len > 0 &&
        !ostler_root_file_write(state->file, state->size, state->batch->data,
                                state->batch->len, NULL)) {
        give_up(state);
    }
    state->size += state->batch->len;
    g_byte_array_set_size(state->batch, 0);
}

/* Begin a record's body; end_record() does the rest. */
static guint begin_record(OstlerMtpState *state, uint8_t type)
{
    guint at = state->batch->len;

    ostler_bytes_le32(state->batch, 0);
    ostler_bytes_u8(state->batch, type);
    return at;
}

static void end_record(OstlerMtpState *state, guint at)
{
    uint8_t *record = state->batch->data + at;
    uint16_t size = (uint16_t)(state->batch->len - at - 4);
    uint16_t sum = checksum(record + 4, size);

    record[0] = (uint8_t)size;
    record[1] = (uint8_t)(size >> 8);
    record[2] = (uint8_t)sum;
    record[3] = (uint8_t)(sum >> 8);
    if (state->n_holds == 0) {
        ostler_mtp_state_hold(state);
        ostler_mtp_state_release(state);
    } else if (state->batch->len >= BATCH_BYTES) {
        flush(state);
    }
}

static void put_text(OstlerMtpState *state, const char *text)
{
    g_byte_array_append(state->batch, (const guint8 *)text,
                        (guint)MIN(strlen(text), MAX_KEY));
}

void ostler_mtp_state_put_storage(OstlerMtpState *state, unsigned storage,
                                  const char *key)
{
    guint at = begin_record(state, STORAGE);

    ostler_bytes_le32(state->batch, storage);
    put_text(state, key);
    end_record(state, at);
}

void ostler_mtp_state_put_object(OstlerMtpState *state, uint32_t handle,
                                 uint32_t parent, unsigned storage, bool is_folder,
                                 const char *name)
{
    guint at = begin_record(state, OBJECT);

    ostler_bytes_le32(state->batch, handle);
    ostler_bytes_le32(state->batch, parent);
    ostler_bytes_le32(state->batch, storage);
    ostler_bytes_u8(state->batch, is_folder ? 1 : 0);
    put_text(state, name);
    end_record(state, at);
}

static void put_identity(OstlerMtpState *state, uint32_t handle, uint64_t identity,
                         uint64_t birth_ns, uint64_t seen_ns)
{
    guint at = begin_record(state, IDENTITY);

    ostler_bytes_le32(state->batch, handle);
    ostler_bytes_le64(state->batch, identity);
    ostler_bytes_le64(state->batch, birth_ns);
    ostler_bytes_le64(state->batch, seen_ns);
    end_record(state, at);
}

void ostler_mtp_state_put_identity(OstlerMtpState *state, uint32_t handle,
                                   uint64_t identity, uint64_t birth_ns)
{
    put_identity(state, handle, identity, birth_ns, (uint64_t)g_get_real_time() * 1000);
}

void ostler_mtp_state_put_listed(OstlerMtpState *state, unsigned storage,
                                 uint32_t handle)
{
    guint at = begin_record(state, LISTED);

    ostler_bytes_le32(state->batch, handle);
    ostler_bytes_le32(state->batch, storage);
    end_record(state, at);
}

void ostler_mtp_state_put_gone(OstlerMtpState *state, uint32_t handle)
{
    guint at = begin_record(state, GONE);

    ostler_bytes_le32(state->batch, handle);
    end_record(state, at);
}

/* ---- the whole of it ---- */

static void put_saved(OstlerMtpState *state, const OstlerMtpSaved *saved)
{
    ostler_mtp_state_put_object(state, saved->handle, saved->parent, saved->storage,
                                saved->is_folder, saved->name);
    if (saved->identity != 0) {
        put_identity(state, saved->handle, saved->identity, saved->birth_ns,
                     saved->seen_ns);
    }
    if (saved->is_listed) {
        ostler_mtp_state_put_listed(state, 0, saved->handle);
    }
}

static void put_everything(OstlerMtpState *state, const OstlerMtpSavedState *saved)
{
    GHashTableIter at;
    void *value;

    g_byte_array_append(state->batch, (const guint8 *)MAGIC, strlen(MAGIC));
    for (guint i = 0; i < saved->storages->len; i++) {
        if (saved->storages->pdata[i]) {
            ostler_mtp_state_put_storage(state, i, saved->storages->pdata[i]);
        }
    }
    for (guint i = 0; i < saved->listed->len; i++) {
        ostler_mtp_state_put_listed(state, g_array_index(saved->listed, unsigned, i),
                                    0);
    }
    g_hash_table_iter_init(&at, saved->objects);
    while (g_hash_table_iter_next(&at, NULL, &value)) {
        put_saved(state, value);
    }
    g_hash_table_iter_init(&at, saved->last_of);
    while (g_hash_table_iter_next(&at, NULL, &value)) {
        ostler_mtp_state_put_gone(state, GPOINTER_TO_UINT(value));
    }
}

/* A file that says what @saved says, in place of the one there was. */
static bool write_anew(OstlerMtpState *state, const OstlerMtpSavedState *saved,
                       GError **error)
{
    g_autoptr(OstlerRootFolder) folder = ostler_root_folder(state->folder, "", error);
    OstlerRootFile *file = folder ? ostler_root_create(folder, error) : NULL;

    g_clear_pointer(&state->file, ostler_root_file_free);
    if (!file) {
        return false;
    }
    state->file = file;
    state->size = 0;
    state->n_holds++;
    put_everything(state, saved);
    flush(state);
    state->n_holds--;
    state->first_size = state->size;
    if (!state->file) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                    "Cannot keep the handles: the file cannot be written");
        return false;
    }
    return ostler_root_file_publish(state->file, FILE_NAME, true, error);
}

void ostler_mtp_state_hold(OstlerMtpState *state)
{
    state->n_holds++;
}

void ostler_mtp_state_release(OstlerMtpState *state)
{
    if (--state->n_holds > 0) {
        return;
    }
    flush(state);
    if (state->file && state->size > state->first_size * SLACK_TIMES + SLACK_BYTES) {
        g_autoptr(OstlerMtpSavedState) saved =
            ostler_mtp_saved_state_load(state->folder);
        if (!write_anew(state, saved, NULL)) {
            give_up(state);
        }
    }
}

OstlerMtpState *ostler_mtp_state_begin(OstlerRoot *folder,
                                       const OstlerMtpSavedState *saved, GError **error)
{
    g_autoptr(OstlerMtpState) state = g_new0(OstlerMtpState, 1);

    state->folder = folder;
    state->batch = g_byte_array_new();
    return write_anew(state, saved, error) ? g_steal_pointer(&state) : NULL;
}

void ostler_mtp_state_free(OstlerMtpState *state)
{
    if (state) {
        ostler_root_file_free(state->file);
        g_byte_array_unref(state->batch);
        g_free(state);
    }
}
