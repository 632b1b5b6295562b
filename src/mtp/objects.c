/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Objects live in one array of slots; a handle is a slot's number with the slot's
 * generation in the top 8 bits.  Removing an object bumps the generation and puts the
 * slot at the end of a queue of free ones, so a handle comes again only after 256 others
 * have had the slot, and a guest that makes and deletes files for ever does not grow us.
 *
 * The first slots are the storages' roots, so that a folder is always a slot: children
 * hang on it in a doubly linked list.  Names are found through an open-addressing hash
 * of (folder, name) with linear probing; a removal shifts the followers back, so that
 * there are no tombstones to clean up.
 */
#include "mtp/objects.h"

#include <string.h>

#define N_ROOTS   256u /* slots 0..255: roots, by storage; 0 also ends lists */
#define SLOT_MASK (OSTLER_MTP_MAX_OBJECTS - 1)

typedef struct {
    char *name; /* NULL: free */
    uint64_t size;
    uint32_t parent; /* slot */
    uint32_t first;  /* child's slot; of a free slot, the next free one */
    uint32_t next;   /* among the parent's children */
    uint32_t previous;
    uint16_t format;
    uint8_t generation;
    uint8_t storage;
    bool is_folder;
    bool is_marked;
    bool is_listed;
} Slot;

struct OstlerMtpObjects {
    Slot *slots;
    uint32_t n_slots; /* used or free */
    uint32_t capacity;
    uint32_t first_free; /* 0: none */
    uint32_t last_free;
    uint32_t count[N_ROOTS]; /* objects of each storage */
    uint64_t bytes[N_ROOTS]; /* the sum of their sizes */

    OstlerMtpObjectsWatch *watch; /* or NULL */
    void *watch_opaque;

    uint32_t *buckets;  /* slots; 0: empty */
    uint32_t n_buckets; /* a power of two */
    uint32_t n_named;
};

OstlerMtpObjects *ostler_mtp_objects_new(void)
{
    OstlerMtpObjects *objects = g_new0(OstlerMtpObjects, 1);

    objects->capacity = 2 * N_ROOTS;
    objects->slots = g_new0(Slot, objects->capacity);
    objects->n_slots = N_ROOTS + 1; /* one spare: slot N_ROOTS is storage 255's root */
    objects->n_buckets = 1024;
    objects->buckets = g_new0(uint32_t, objects->n_buckets);
    for (unsigned i = 0; i < N_ROOTS; i++) {
        objects->slots[i + 1].is_folder = true;
        objects->slots[i + 1].storage = (uint8_t)i;
    }
    return objects;
}

void ostler_mtp_objects_free(OstlerMtpObjects *objects)
{
    if (!objects) {
        return;
    }
    for (uint32_t i = 0; i < objects->n_slots; i++) {
        g_free(objects->slots[i].name);
    }
    g_free(objects->slots);
    g_free(objects->buckets);
    g_free(objects);
}

unsigned ostler_mtp_objects_count(const OstlerMtpObjects *objects, unsigned storage)
{
    return objects->count[storage];
}

uint64_t ostler_mtp_objects_bytes(const OstlerMtpObjects *objects, unsigned storage)
{
    return objects->bytes[storage];
}

/* ---- handles and slots ---- */

static uint32_t root_slot(unsigned storage)
{
    return storage + 1;
}

static bool is_root(uint32_t slot)
{
    return slot <= N_ROOTS;
}

static uint32_t handle_of(const OstlerMtpObjects *objects, uint32_t slot)
{
    return is_root(slot) ? 0 : (uint32_t)objects->slots[slot].generation << 24 | slot;
}

/* 0 for a handle that is nobody's. */
static uint32_t slot_of(const OstlerMtpObjects *objects, uint32_t handle)
{
    uint32_t slot = handle & SLOT_MASK;

    if (is_root(slot) || slot >= objects->n_slots || !objects->slots[slot].name ||
        objects->slots[slot].generation != handle >> 24) {
        return 0;
    }
    return slot;
}

static uint32_t folder_slot(const OstlerMtpObjects *objects, unsigned storage,
                            uint32_t parent)
{
    return parent == 0 ? root_slot(storage) : slot_of(objects, parent);
}

bool ostler_mtp_objects_get(const OstlerMtpObjects *objects, uint32_t handle,
                            OstlerMtpObject *out_object)
{
    const uint32_t slot = slot_of(objects, handle);
    const Slot *s = &objects->slots[slot];

    if (slot == 0) {
        return false;
    }
    *out_object = (OstlerMtpObject){
        .handle = handle,
        .parent = handle_of(objects, s->parent),
        .storage = s->storage,
        .is_folder = s->is_folder,
        .format = s->format,
        .name = s->name,
        .size = s->size,
    };
    return true;
}

void ostler_mtp_objects_set_size(OstlerMtpObjects *objects, uint32_t handle,
                                 uint64_t size)
{
    uint32_t slot = slot_of(objects, handle);
    Slot *s = &objects->slots[slot];

    if (slot != 0) {
        objects->bytes[s->storage] += size - s->size;
        s->size = size;
    }
}

void ostler_mtp_objects_watch(OstlerMtpObjects *objects, OstlerMtpObjectsWatch *watch,
                              void *opaque)
{
    objects->watch = watch;
    objects->watch_opaque = opaque;
}

static void tell(const OstlerMtpObjects *objects, OstlerMtpObjectsNews news,
                 uint32_t slot)
{
    if (objects->watch) {
        objects->watch(news, objects->slots[slot].storage, handle_of(objects, slot),
                       objects->watch_opaque);
    }
}

/* ---- names: a hash of (folder, name) ---- */

/* FNV-1a, 64 bits, with the folder as the first word. */
static uint32_t hash(uint32_t folder, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u ^ folder;

    h *= 0x100000001b3u;
    for (const uint8_t *at = (const uint8_t *)name; *at; at++) {
        h = (h ^ *at) * 0x100000001b3u;
    }
    return (uint32_t)(h ^ h >> 32);
}

static uint32_t home_of(const OstlerMtpObjects *objects, uint32_t slot)
{
    const Slot *s = &objects->slots[slot];

    return hash(s->parent, s->name) & (objects->n_buckets - 1);
}

/* The bucket that holds @name in @folder, or the empty one where it would go. */
static uint32_t find_bucket(const OstlerMtpObjects *objects, uint32_t folder,
                            const char *name)
{
    uint32_t mask = objects->n_buckets - 1;
    uint32_t at = hash(folder, name) & mask;

    for (; objects->buckets[at] != 0; at = (at + 1) & mask) {
        const Slot *s = &objects->slots[objects->buckets[at]];
        if (s->parent == folder && strcmp(s->name, name) == 0) {
            break;
        }
    }
    return at;
}

static void grow_buckets(OstlerMtpObjects *objects)
{
    g_autofree uint32_t *old = objects->buckets;
    uint32_t n_old = objects->n_buckets;

    objects->n_buckets *= 2;
    objects->buckets = g_new0(uint32_t, objects->n_buckets);
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i] != 0) {
            const Slot *s = &objects->slots[old[i]];
            objects->buckets[find_bucket(objects, s->parent, s->name)] = old[i];
        }
    }
}

static void remember_name(OstlerMtpObjects *objects, uint32_t slot)
{
    const Slot *s = &objects->slots[slot];

    if (++objects->n_named > objects->n_buckets / 4 * 3) {
        grow_buckets(objects);
    }
    objects->buckets[find_bucket(objects, s->parent, s->name)] = slot;
}

static void forget_name(OstlerMtpObjects *objects, uint32_t slot)
{
    const Slot *s = &objects->slots[slot];
    uint32_t mask = objects->n_buckets - 1;
    uint32_t hole = find_bucket(objects, s->parent, s->name);

    /* Shift back whoever would not be found past the hole (Knuth 6.4, algorithm R). */
    for (uint32_t at = (hole + 1) & mask; objects->buckets[at] != 0;
         at = (at + 1) & mask) {
        uint32_t home = home_of(objects, objects->buckets[at]);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            objects->buckets[hole] = objects->buckets[at];
            hole = at;
        }
    }
    objects->buckets[hole] = 0;
    objects->n_named--;
}

uint32_t ostler_mtp_objects_find(const OstlerMtpObjects *objects, unsigned storage,
                                 uint32_t parent, const char *name)
{
    uint32_t folder = folder_slot(objects, storage, parent);
    uint32_t slot = folder ? objects->buckets[find_bucket(objects, folder, name)] : 0;

    return slot ? handle_of(objects, slot) : 0;
}

/* ---- the tree ---- */

static void link_child(OstlerMtpObjects *objects, uint32_t slot, uint32_t parent)
{
    Slot *s = &objects->slots[slot];

    s->parent = parent;
    s->storage = objects->slots[parent].storage;
    s->previous = 0;
    s->next = objects->slots[parent].first;
    if (s->next != 0) {
        objects->slots[s->next].previous = slot;
    }
    objects->slots[parent].first = slot;
}

static void unlink_child(OstlerMtpObjects *objects, uint32_t slot)
{
    const Slot *s = &objects->slots[slot];

    if (s->previous != 0) {
        objects->slots[s->previous].next = s->next;
    } else {
        objects->slots[s->parent].first = s->next;
    }
    if (s->next != 0) {
        objects->slots[s->next].previous = s->previous;
    }
}

/* A slot at the end, or 0 when there are enough. */
static uint32_t append_slot(OstlerMtpObjects *objects)
{
    if (objects->n_slots == OSTLER_MTP_MAX_OBJECTS) {
        return 0;
    }
    if (objects->n_slots == objects->capacity) {
        objects->capacity += objects->capacity / 2;
        objects->slots = g_renew(Slot, objects->slots, objects->capacity);
    }
    objects->slots[objects->n_slots] = (Slot){ 0 };
    return objects->n_slots++;
}

static uint32_t new_slot(OstlerMtpObjects *objects)
{
    uint32_t slot = objects->first_free;

    if (slot != 0) {
        objects->first_free = objects->slots[slot].first;
        return slot;
    }
    return append_slot(objects);
}

static void queue_free_slot(OstlerMtpObjects *objects, uint32_t slot)
{
    if (objects->first_free == 0) {
        objects->first_free = slot;
    } else {
        objects->slots[objects->last_free].first = slot;
    }
    objects->last_free = slot;
}

/* 0xffffffff means "all" in requests: that generation is skipped. */
static uint8_t next_generation(uint32_t generation)
{
    return generation + 1 >= 0xff ? 0 : (uint8_t)(generation + 1);
}

static void free_slot(OstlerMtpObjects *objects, uint32_t slot)
{
    Slot *s = &objects->slots[slot];

    g_free(s->name);
    *s = (Slot){ .generation = next_generation(s->generation) };
    queue_free_slot(objects, slot);
}

static void fill_slot(OstlerMtpObjects *objects, uint32_t slot, uint32_t folder,
                      const char *name, bool is_folder, uint16_t format)
{
    Slot *s = &objects->slots[slot];

    s->name = g_strdup(name);
    s->format = format;
    s->is_folder = is_folder;
    s->size = 0;
    s->first = 0;
    s->is_listed = false;
    link_child(objects, slot, folder);
    remember_name(objects, slot);
    objects->count[s->storage]++;
}

uint32_t ostler_mtp_objects_add(OstlerMtpObjects *objects, unsigned storage,
                                uint32_t parent, const char *name, bool is_folder,
                                uint16_t format)
{
    uint32_t folder = folder_slot(objects, storage, parent);
    uint32_t slot = folder ? new_slot(objects) : 0;

    if (slot == 0) {
        return 0;
    }
    fill_slot(objects, slot, folder, name, is_folder, format);
    tell(objects, OSTLER_MTP_OBJECT_KNOWN, slot);
    return handle_of(objects, slot);
}

/* ---- putting back ---- */

/* Slots are used one after the other, so those of @n_objects are the first ones. */
void ostler_mtp_objects_restore_begin(OstlerMtpObjects *objects, uint32_t n_objects)
{
    while (n_objects-- > 0 && append_slot(objects) != 0) {
    }
}

/* The slot of @handle if it is nobody's. */
static uint32_t claim_slot(const OstlerMtpObjects *objects, uint32_t handle)
{
    uint32_t slot = handle & SLOT_MASK;

    return is_root(slot) || slot >= objects->n_slots || handle >> 24 == 0xff ||
                   objects->slots[slot].name
               ? 0
               : slot;
}

bool ostler_mtp_objects_restore(OstlerMtpObjects *objects, uint32_t handle,
                                unsigned storage, uint32_t parent, const char *name,
                                bool is_folder, uint16_t format)
{
    uint32_t folder = folder_slot(objects, storage, parent);
    uint32_t slot = folder && objects->slots[folder].is_folder &&
                            objects->buckets[find_bucket(objects, folder, name)] == 0
                        ? claim_slot(objects, handle)
                        : 0;

    if (slot == 0) {
        return false;
    }
    objects->slots[slot].generation = (uint8_t)(handle >> 24);
    fill_slot(objects, slot, folder, name, is_folder, format);
    return true;
}

bool ostler_mtp_objects_burn(OstlerMtpObjects *objects, uint32_t handle)
{
    uint32_t slot = claim_slot(objects, handle);

    if (slot != 0) {
        objects->slots[slot].generation = next_generation(handle >> 24);
    }
    return slot != 0;
}

void ostler_mtp_objects_restore_end(OstlerMtpObjects *objects)
{
    for (uint32_t slot = N_ROOTS + 1; slot < objects->n_slots; slot++) {
        if (!objects->slots[slot].name) {
            queue_free_slot(objects, slot);
        }
    }
}

static void drop(OstlerMtpObjects *objects, uint32_t slot)
{
    tell(objects, OSTLER_MTP_OBJECT_GONE, slot);
    objects->count[objects->slots[slot].storage]--;
    objects->bytes[objects->slots[slot].storage] -= objects->slots[slot].size;
    forget_name(objects, slot);
    unlink_child(objects, slot);
    free_slot(objects, slot);
}

/* Leaves first and without recursion: a guest chooses how deep the tree is. */
static void remove_slot(OstlerMtpObjects *objects, uint32_t top)
{
    uint32_t slot = top;

    for (;;) {
        while (objects->slots[slot].first != 0) {
            slot = objects->slots[slot].first;
        }
        uint32_t parent = objects->slots[slot].parent;
        drop(objects, slot);
        if (slot == top) {
            return;
        }
        slot = parent;
    }
}

void ostler_mtp_objects_remove(OstlerMtpObjects *objects, uint32_t handle)
{
    uint32_t slot = slot_of(objects, handle);

    if (slot != 0) {
        remove_slot(objects, slot);
    }
}

/* The slot after @slot in the tree at @top, parents first; 0 at its end. */
static uint32_t next_in_tree(const OstlerMtpObjects *objects, uint32_t top,
                             uint32_t slot)
{
    if (objects->slots[slot].first != 0) {
        return objects->slots[slot].first;
    }
    while (slot != top && objects->slots[slot].next == 0) {
        slot = objects->slots[slot].parent;
    }
    return slot == top ? 0 : objects->slots[slot].next;
}

void ostler_mtp_objects_total(const OstlerMtpObjects *objects, uint32_t handle,
                              uint64_t *out_bytes, uint64_t *out_count)
{
    uint32_t top = slot_of(objects, handle);

    *out_bytes = *out_count = 0;
    for (uint32_t slot = top; slot != 0; slot = next_in_tree(objects, top, slot)) {
        *out_bytes += objects->slots[slot].size;
        ++*out_count;
    }
}

/* A folder that changes its storage takes along what is in it. */
static void recount(OstlerMtpObjects *objects, uint32_t top, uint8_t storage)
{
    for (uint32_t slot = top; slot != 0; slot = next_in_tree(objects, top, slot)) {
        Slot *s = &objects->slots[slot];
        objects->count[s->storage]--;
        objects->count[storage]++;
        objects->bytes[s->storage] -= s->size;
        objects->bytes[storage] += s->size;
        s->storage = storage;
    }
}

void ostler_mtp_objects_move(OstlerMtpObjects *objects, uint32_t handle,
                             unsigned storage, uint32_t parent, const char *name,
                             uint16_t format)
{
    uint32_t slot = slot_of(objects, handle);
    uint32_t folder = folder_slot(objects, storage, parent);

    if (slot == 0 || folder == 0) {
        return;
    }
    forget_name(objects, slot);
    unlink_child(objects, slot);
    recount(objects, slot, objects->slots[folder].storage);
    g_free(objects->slots[slot].name);
    objects->slots[slot].name = g_strdup(name);
    objects->slots[slot].format = format;
    link_child(objects, slot, folder);
    remember_name(objects, slot);
    tell(objects, OSTLER_MTP_OBJECT_KNOWN, slot);
}

uint32_t ostler_mtp_objects_first(const OstlerMtpObjects *objects, unsigned storage,
                                  uint32_t parent)
{
    uint32_t folder = folder_slot(objects, storage, parent);
    uint32_t first = folder ? objects->slots[folder].first : 0;

    return first ? handle_of(objects, first) : 0;
}

uint32_t ostler_mtp_objects_next(const OstlerMtpObjects *objects, uint32_t handle)
{
    uint32_t slot = slot_of(objects, handle);
    uint32_t next = slot ? objects->slots[slot].next : 0;

    return next ? handle_of(objects, next) : 0;
}

/* ---- comparing with the disk ---- */

void ostler_mtp_objects_sweep_begin(OstlerMtpObjects *objects, unsigned storage,
                                    uint32_t parent)
{
    uint32_t folder = folder_slot(objects, storage, parent);

    for (uint32_t slot = folder ? objects->slots[folder].first : 0; slot != 0;
         slot = objects->slots[slot].next) {
        objects->slots[slot].is_marked = false;
    }
}

void ostler_mtp_objects_sweep_mark(OstlerMtpObjects *objects, uint32_t handle)
{
    uint32_t slot = slot_of(objects, handle);

    if (slot != 0) {
        objects->slots[slot].is_marked = true;
    }
}

void ostler_mtp_objects_sweep_end(OstlerMtpObjects *objects, unsigned storage,
                                  uint32_t parent,
                                  void (*dropped)(uint32_t handle, void *opaque),
                                  void *opaque)
{
    uint32_t folder = folder_slot(objects, storage, parent);
    uint32_t next;

    for (uint32_t slot = folder ? objects->slots[folder].first : 0; slot != 0;
         slot = next) {
        next = objects->slots[slot].next;
        if (objects->slots[slot].is_marked) {
            continue;
        }
        if (dropped) {
            dropped(handle_of(objects, slot), opaque);
        }
        remove_slot(objects, slot);
    }
}

void ostler_mtp_objects_set_listed(OstlerMtpObjects *objects, unsigned storage,
                                   uint32_t folder)
{
    uint32_t slot = folder_slot(objects, storage, folder);

    if (slot != 0 && !objects->slots[slot].is_listed) {
        objects->slots[slot].is_listed = true;
        tell(objects, OSTLER_MTP_OBJECT_LISTED, slot);
    }
}

bool ostler_mtp_objects_is_listed(const OstlerMtpObjects *objects, unsigned storage,
                                  uint32_t folder)
{
    uint32_t slot = folder_slot(objects, storage, folder);

    return slot != 0 && objects->slots[slot].is_listed;
}
