/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store.h - shared folders as MTP storages
 *
 * Keeps the object table true to the folders, and does to the folders what the session
 * asks; everything goes through platform/root.h, so nothing outside of a share can be
 * reached, whatever names the initiator sends.
 *
 * Storages:   one for each share, in the order they were added; 0x00010001 is the first
 *             (MTP 1.1 5.2.1: physical number in the high half, logical in the low).
 *             Shares may come and go while the initiator looks; a number that was left
 *             is the last to be given again.
 * Listed:     files and folders.  Symbolic links, sockets, pipes and devices are not.
 * Units:      bytes; seconds since the epoch, UTC.
 * Errors:     response codes; GError only where the user's own words are wrong.
 * Threads:    one main context.
 */
#pragma once

#include "mtp/codes.h"
#include "mtp/dataset.h"
#include "mtp/objects.h"
#include "platform/root.h"

#define OSTLER_MTP_MAX_STORAGES 64

/* How much of the host a guest may fill; 0 is no limit. */
typedef struct {
    uint64_t quota_bytes;   /* of all files in the share together */
    uint64_t quota_objects; /* files and folders in the share together */
    uint64_t reserve_bytes; /* what stays free on the file system, whoever fills it */
    bool has_reserve; /* false: OSTLER_MTP_RESERVE_SHARE or _BYTES of it, the less */
} OstlerMtpLimits;

#define OSTLER_MTP_RESERVE_SHARE 20 /* a twentieth, 5 % */
#define OSTLER_MTP_RESERVE_BYTES (UINT64_C(1) << 30)

typedef struct {
    const char *label; /* what the guest shows; UTF-8 */
    const char *path;
    bool is_read_only;
    OstlerMtpLimits limits;
} OstlerMtpShare;

/* An object and what its file says just now. */
typedef struct {
    OstlerMtpObject object;
    OstlerRootInfo file;
    bool is_read_only;
} OstlerMtpEntry;

typedef struct OstlerMtpStore OstlerMtpStore;

OstlerMtpStore *ostler_mtp_store_new(void);
void ostler_mtp_store_free(OstlerMtpStore *store); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMtpStore, ostler_mtp_store_free)
bool ostler_mtp_store_add(OstlerMtpStore *store, const OstlerMtpShare *share,
                          GError **error);
/*
 * Add a share whose folder is open already: @root (taken over, on failure as well) instead
 * of @share->path.  The initiator is told.  *out_storage is the storage's index.
 */
bool ostler_mtp_store_attach(OstlerMtpStore *store, OstlerRoot *root,
                             const OstlerMtpShare *share, unsigned *out_storage,
                             GError **error);
/* Take a share away: its handles are gone, what was coming in is dropped, and the
 * initiator is told. */
void ostler_mtp_store_detach(OstlerMtpStore *store, unsigned storage);

/* Indexes are below this; there may be none with an index. */
unsigned ostler_mtp_store_count(const OstlerMtpStore *store);
bool ostler_mtp_store_has(const OstlerMtpStore *store, unsigned storage);
const char *ostler_mtp_store_label(const OstlerMtpStore *store, unsigned storage);
OstlerRoot *ostler_mtp_store_root(const OstlerMtpStore *store, unsigned storage);
/* The id of the storage with index @index, and back: false for an id that is none. */
uint32_t ostler_mtp_store_id(unsigned index);
bool ostler_mtp_store_find(const OstlerMtpStore *store, uint32_t id,
                           unsigned *out_index);
OstlerMtpCode ostler_mtp_store_storage_info(OstlerMtpStore *store, uint32_t id,
                                            OstlerMtpStorageInfo *out_info);

/* ---- handles that outlive the program ---- */

/*
 * Keep the object table's journal (state.h) in the folder @folder, which is taken over
 * and must lie in no share; what it says already is put back first.  To be called once,
 * after the shares were added and before anything is listed.  A share is known again by
 * its path.  An object keeps its handle if it is still where it was, and if it was
 * renamed meanwhile, within the folders that had been listed and where the file system
 * tells when a file was made.  Handles of what is gone are not given again soon.
 */
bool ostler_mtp_store_keep_state(OstlerMtpStore *store, OstlerRoot *folder,
                                 GError **error);

/* ---- quota ---- */

/*
 * What counts is the share as it is, whoever filled it: the sizes of its files, holes
 * included, and the number of its files and folders.  It is counted whole when a limit
 * is first asked about, and kept true from then on: by what the guest does, by what the
 * watch tells of the host (a file that is being written counts when its writer closes
 * it), and by every listing of a folder, which looks again at each file in it.  A
 * storage without quota is never counted.
 *
 * Counted beside it is what is on its way: a file that comes in, with the size that was
 * announced, from its announcement on; a file that is edited, with the size of the copy,
 * beside the old one until it takes its place.  An announced file of 1 MiB or more has
 * its blocks set aside at once, so that others who fill the disk meanwhile do not end
 * its transfer; smaller ones and edits ask again as they grow.
 *
 * The reserve is asked of the file system itself (statvfs), before and during a
 * transfer.  Two programs that share one folder do not know of each other's transfers,
 * so they may exceed a quota together by what they have under way.  The reserve they may
 * not: each sets its blocks aside first and looks then.
 */
typedef struct {
    uint64_t bytes; /* both with what is on its way, and 0 without a quota */
    uint64_t objects;
    uint64_t free_bytes; /* as the guest is told */
} OstlerMtpUsage;

/* The limits of the storage with index @storage from now on; the guest is told.  What
 * is over a new quota stays. */
void ostler_mtp_store_set_limits(OstlerMtpStore *store, unsigned storage,
                                 const OstlerMtpLimits *limits);
void ostler_mtp_store_get_limits(const OstlerMtpStore *store, unsigned storage,
                                 OstlerMtpLimits *out_limits);
/* Counts first if need be: about two microseconds an object. */
void ostler_mtp_store_get_usage(OstlerMtpStore *store, unsigned storage,
                                OstlerMtpUsage *out_usage);

/*
 * Append to @out_handles (of uint32_t) what is in @parent (0: at the top), @depth
 * levels of it (1: the folder itself; 0xffffffff: all), of @format (0: any).  @id may
 * be OSTLER_MTP_ALL.  Reads the folders first.
 */
OstlerMtpCode ostler_mtp_store_list(OstlerMtpStore *store, uint32_t id, uint32_t parent,
                                    uint32_t depth, uint16_t format,
                                    GArray *out_handles);
OstlerMtpCode ostler_mtp_store_entry(OstlerMtpStore *store, uint32_t handle,
                                     OstlerMtpEntry *out_entry);
/* Open a file for reading (caller frees); *out_storage is where it lies. */
OstlerMtpCode ostler_mtp_store_read(OstlerMtpStore *store, uint32_t handle,
                                    OstlerRootFile **out_file, uint64_t *out_size,
                                    unsigned *out_storage);

OstlerMtpCode ostler_mtp_store_make_folder(OstlerMtpStore *store, uint32_t id,
                                           uint32_t parent, const char *name,
                                           uint32_t *out_handle);
/* Delete a file, or a folder with everything in it. */
OstlerMtpCode ostler_mtp_store_delete(OstlerMtpStore *store, uint32_t handle);
OstlerMtpCode ostler_mtp_store_rename(OstlerMtpStore *store, uint32_t handle,
                                      const char *name);
/* Every file of @format (0: all objects) in every storage that may be written. */
OstlerMtpCode ostler_mtp_store_delete_all(OstlerMtpStore *store, uint16_t format);
/* Move to the folder @parent (0: the top) of storage @id; handles stay. */
OstlerMtpCode ostler_mtp_store_move(OstlerMtpStore *store, uint32_t handle, uint32_t id,
                                    uint32_t parent);
/* Copy a file there. */
OstlerMtpCode ostler_mtp_store_copy(OstlerMtpStore *store, uint32_t handle, uint32_t id,
                                    uint32_t parent, uint32_t *out_handle);
/* Protect a file from changes by the guest, or allow them again. */
OstlerMtpCode ostler_mtp_store_protect(OstlerMtpStore *store, uint32_t handle,
                                       bool is_protected);
OstlerMtpCode ostler_mtp_store_touch(OstlerMtpStore *store, uint32_t handle,
                                     int64_t modified);

/*
 * A file that comes in: begin gives it a handle, add appends to it, and it appears
 * whole, at once, with end; an old file of that name stays until then and its handle
 * is the one given.  There is one at a time: begin drops one that was not ended.
 * @modified is 0 for now.
 */
OstlerMtpCode ostler_mtp_store_begin(OstlerMtpStore *store, uint32_t id,
                                     uint32_t parent, const char *name, uint64_t size,
                                     uint32_t *out_handle);
OstlerMtpCode ostler_mtp_store_add_bytes(OstlerMtpStore *store, const void *bytes,
                                         size_t size);
OstlerMtpCode ostler_mtp_store_end(OstlerMtpStore *store, int64_t modified);
void ostler_mtp_store_drop(OstlerMtpStore *store);
/* Whether a file is coming in, not an edit: else the response that says why not. */
OstlerMtpCode ostler_mtp_store_check_incoming(const OstlerMtpStore *store);

/*
 * A file that is changed in place: edit makes a copy, the next three work on that, and
 * end puts it in the old one's place.  An edit is the one incoming file as well, and
 * ostler_mtp_store_drop() undoes it.
 */
OstlerMtpCode ostler_mtp_store_edit(OstlerMtpStore *store, uint32_t handle);
OstlerMtpCode ostler_mtp_store_edit_write(OstlerMtpStore *store, uint32_t handle,
                                          uint64_t offset, const void *bytes,
                                          size_t size);
OstlerMtpCode ostler_mtp_store_edit_truncate(OstlerMtpStore *store, uint32_t handle,
                                             uint64_t size);
OstlerMtpCode ostler_mtp_store_edit_end(OstlerMtpStore *store, uint32_t handle);

/* ---- what the host does ---- */

/* MTP 1.1 appendix G: an event and its one parameter, a handle or a storage. */
#define OSTLER_MTP_OBJECT_ADDED         0x4002
#define OSTLER_MTP_OBJECT_REMOVED       0x4003
#define OSTLER_MTP_STORE_ADDED          0x4004
#define OSTLER_MTP_STORE_REMOVED        0x4005
#define OSTLER_MTP_OBJECT_INFO_CHANGED  0x4007
#define OSTLER_MTP_STORAGE_INFO_CHANGED 0x400c
#define OSTLER_MTP_UNREPORTED_STATUS    0x400e /* without one: events were dropped */

/* Called for each change that the guest did not make itself, in folders it has listed,
 * and for shares that come and go. */
typedef void OstlerMtpNotice(uint16_t event, uint32_t param, void *opaque);
void ostler_mtp_store_set_notice(OstlerMtpStore *store, OstlerMtpNotice *notice,
                                 void *opaque);

/*
 * What a watch on the folder of the storage with index @storage saw; paths are relative
 * to it.  What is known already, or nobody has asked about, has no effect.
 */
void ostler_mtp_store_host_created(OstlerMtpStore *store, unsigned storage,
                                   const char *path, bool is_folder);
void ostler_mtp_store_host_removed(OstlerMtpStore *store, unsigned storage,
                                   const char *path);
void ostler_mtp_store_host_changed(OstlerMtpStore *store, unsigned storage,
                                   const char *path);
void ostler_mtp_store_host_renamed(OstlerMtpStore *store, unsigned storage,
                                   const char *from, const char *path, bool is_folder);
/* Anything may have changed since @since (seconds since the Unix epoch): compare every
 * folder that was listed. */
void ostler_mtp_store_host_rescan(OstlerMtpStore *store, unsigned storage,
                                  int64_t since);
