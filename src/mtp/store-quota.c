/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The table has the size of every object of a storage that is counted, and their sum
 * moves with them, so what the share holds is always at hand.  What is on its way is in
 * the incoming file alone: ->held is its part of the quota, ->cleared what the disk was
 * asked about already.
 *
 * Setting blocks aside and looking at the free space afterwards is what keeps several
 * programs above one reserve: of two that look at the same time each sees the other's
 * blocks gone, so at most both give up.  The other order lets both pass.
 */
#include "mtp/store-internal.h"

/* Smaller files are not worth a system call that sets their blocks aside. */
#define SET_ASIDE_BYTES (UINT64_C(1) << 20)

/* How much is written before the disk is asked again. */
#define CLEAR_BYTES (UINT64_C(1) << 20)

/* A change of the free space is worth an event from this part of the capacity on. */
#define NOTICEABLE_SHARE 100

static bool has_quota(const Storage *storage)
{
    return storage->limits.quota_bytes != 0 || storage->limits.quota_objects != 0;
}

static void ensure_counted(OstlerMtpStore *store, unsigned storage)
{
    if (has_quota(&store->storages[storage]) && !store->storages[storage].is_counted) {
        store->storages[storage].is_counted = true;
        ostler_mtp_store_measure(store, storage, OSTLER_MTP_ROOT);
    }
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* ---- what is left ---- */

static uint64_t used_bytes(const OstlerMtpStore *store, unsigned storage)
{
    const Incoming *incoming = &store->incoming;
    bool is_here = incoming->file && incoming->storage == storage;

    return ostler_mtp_objects_bytes(store->objects, storage) +
           (is_here ? incoming->held : 0);
}

static uint64_t reserve_of(const Storage *storage, uint64_t total)
{
    return storage->limits.has_reserve
               ? storage->limits.reserve_bytes
               : MIN(total / OSTLER_MTP_RESERVE_SHARE, OSTLER_MTP_RESERVE_BYTES);
}

/* What the disk has above the reserve; a disk that cannot tell has enough. */
static uint64_t left_on_disk(const OstlerMtpStore *store, unsigned storage,
                             uint64_t *out_total)
{
    uint64_t available = 0;

    if (!ostler_root_space(store->storages[storage].root, out_total, &available,
                           NULL)) {
        *out_total = 0;
        return G_MAXUINT64;
    }
    return less(available, reserve_of(&store->storages[storage], *out_total));
}

static uint64_t left_in_quota(const OstlerMtpStore *store, unsigned storage)
{
    uint64_t quota = store->storages[storage].limits.quota_bytes;

    return quota == 0 ? G_MAXUINT64 : less(quota, used_bytes(store, storage));
}

static uint64_t left_objects(const OstlerMtpStore *store, unsigned storage)
{
    uint64_t quota = store->storages[storage].limits.quota_objects;

    return quota == 0 ? G_MAXUINT64
                      : less(quota, ostler_mtp_objects_count(store->objects, storage));
}

OstlerMtpCode ostler_mtp_store_admit(OstlerMtpStore *store, unsigned storage,
                                     uint64_t bytes, uint64_t objects)
{
    uint64_t total;

    ensure_counted(store, storage);
    return bytes <= left_in_quota(store, storage) &&
                   objects <= left_objects(store, storage) &&
                   (bytes == 0 || bytes <= left_on_disk(store, storage, &total))
               ? OSTLER_MTP_OK
               : OSTLER_MTP_STORE_FULL;
}

/* ---- the incoming file ---- */

/* Set the blocks of the whole file aside; where that is not to be had, what was admitted
 * a moment ago is all that is known. */
static OstlerMtpCode set_aside(OstlerMtpStore *store, uint64_t size)
{
    Incoming *incoming = &store->incoming;
    g_autoptr(GError) error = NULL;
    uint64_t total;

    if (!ostler_root_file_reserve(incoming->file, size, &error)) {
        return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)
                   ? OSTLER_MTP_OK
                   : ostler_mtp_store_refusal(error, OSTLER_MTP_STORE_FULL);
    }
    if (left_on_disk(store, incoming->storage, &total) == 0) {
        return OSTLER_MTP_STORE_FULL;
    }
    incoming->cleared = size;
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_store_hold(OstlerMtpStore *store, uint64_t size)
{
    Incoming *incoming = &store->incoming;
    bool is_announced = !incoming->is_edit && incoming->size == 0;

    if (size <= incoming->held) {
        return OSTLER_MTP_OK;
    }
    OstlerMtpCode code =
        ostler_mtp_store_admit(store, incoming->storage, size - incoming->held, 0);
    if (code == OSTLER_MTP_OK && is_announced && size >= SET_ASIDE_BYTES) {
        code = set_aside(store, size);
    }
    if (code == OSTLER_MTP_OK) {
        incoming->held = size;
    }
    return code;
}

OstlerMtpCode ostler_mtp_store_clear(OstlerMtpStore *store, uint64_t size)
{
    Incoming *incoming = &store->incoming;
    uint64_t total;

    if (size > incoming->cleared) {
        uint64_t left = left_on_disk(store, incoming->storage, &total);
        if (size > left) {
            return OSTLER_MTP_STORE_FULL;
        }
        incoming->cleared = MIN(left, size + CLEAR_BYTES);
    }
    incoming->cleared -= size;
    return OSTLER_MTP_OK;
}

/* ---- what the guest knows ---- */

static uint64_t free_bytes(OstlerMtpStore *store, unsigned storage, uint64_t *out_total)
{
    uint64_t on_disk = left_on_disk(store, storage, out_total);

    ensure_counted(store, storage);
    return MIN(on_disk, left_in_quota(store, storage));
}

static uint64_t capacity_of(const Storage *storage, uint64_t total)
{
    uint64_t quota = storage->limits.quota_bytes;

    return quota == 0 ? total : MIN(quota, total);
}

OstlerMtpCode ostler_mtp_store_storage_info(OstlerMtpStore *store, uint32_t id,
                                            OstlerMtpStorageInfo *out_info)
{
    unsigned index;
    uint64_t total;

    if (!ostler_mtp_store_find(store, id, &index)) {
        return OSTLER_MTP_INVALID_STORAGE_ID;
    }
    Storage *storage = &store->storages[index];
    storage->told_free = free_bytes(store, index, &total);
    *out_info = (OstlerMtpStorageInfo){
        .capacity = capacity_of(storage, total),
        .free_bytes = storage->told_free,
        /* 5.2.2: 0xffffffff is not used. */
        .free_objects = (uint32_t)MIN(left_objects(store, index), 0xffffffffu),
        .is_read_only = storage->is_read_only,
        .label = storage->label,
        .volume = "",
    };
    return OSTLER_MTP_OK;
}

void ostler_mtp_store_space_used(OstlerMtpStore *store, unsigned storage)
{
    uint64_t total;

    store->storages[storage].told_free = free_bytes(store, storage, &total);
}

void ostler_mtp_store_space_changed(OstlerMtpStore *store, unsigned storage)
{
    Storage *s = &store->storages[storage];
    uint64_t total;
    uint64_t now = free_bytes(store, storage, &total);
    uint64_t change = MAX(now, s->told_free) - MIN(now, s->told_free);

    if (change > capacity_of(s, total) / NOTICEABLE_SHARE) {
        s->told_free = now;
        ostler_mtp_store_tell(store, OSTLER_MTP_STORAGE_INFO_CHANGED,
                              ostler_mtp_store_id(storage));
    }
}

/* ---- what the user says ---- */

void ostler_mtp_store_set_limits(OstlerMtpStore *store, unsigned storage,
                                 const OstlerMtpLimits *limits)
{
    store->storages[storage].limits = *limits;
    if (!has_quota(&store->storages[storage])) {
        store->storages[storage].is_counted = false;
    }
    ostler_mtp_store_space_used(store, storage);
    ostler_mtp_store_tell(store, OSTLER_MTP_STORAGE_INFO_CHANGED,
                          ostler_mtp_store_id(storage));
}

void ostler_mtp_store_get_limits(const OstlerMtpStore *store, unsigned storage,
                                 OstlerMtpLimits *out_limits)
{
    *out_limits = store->storages[storage].limits;
}

void ostler_mtp_store_get_usage(OstlerMtpStore *store, unsigned storage,
                                OstlerMtpUsage *out_usage)
{
    uint64_t total;

    ensure_counted(store, storage);
    bool is_counted = store->storages[storage].is_counted;
    *out_usage = (OstlerMtpUsage){
        .bytes = is_counted ? used_bytes(store, storage) : 0,
        .objects = is_counted ? ostler_mtp_objects_count(store->objects, storage) : 0,
        .free_bytes = free_bytes(store, storage, &total),
    };
}
