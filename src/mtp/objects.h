/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * objects.h - the object table: handles to names in a tree, and back
 *
 * Knows what has been seen of the shares, and does no file system work: store.c keeps
 * it true.  A handle stays an object's for as long as the object is known, through
 * renames and moves, and is not given to another one soon after.
 *
 * Sources:    MTP 1.1 3.4.1 (object handles: unique, constant within a session).
 * Units:      about 100 bytes for an object with a name of 24; 16 million at most.
 * Ownership:  names are the table's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define OSTLER_MTP_MAX_OBJECTS (1u << 24)

typedef struct {
    uint32_t handle;
    uint32_t parent;  /* a handle; 0: at the top of its storage */
    unsigned storage; /* the store's index */
    bool is_folder;
    uint16_t format;
    const char *name; /* borrowed until the object is renamed or removed */
    uint64_t size;    /* as ostler_mtp_objects_set_size() said, 0 until then */
} OstlerMtpObject;

typedef struct OstlerMtpObjects OstlerMtpObjects;

OstlerMtpObjects *ostler_mtp_objects_new(void);
void ostler_mtp_objects_free(OstlerMtpObjects *objects); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMtpObjects, ostler_mtp_objects_free)

unsigned ostler_mtp_objects_count(const OstlerMtpObjects *objects, unsigned storage);
/* The sum of the sizes that ostler_mtp_objects_set_size() was told. */
uint64_t ostler_mtp_objects_bytes(const OstlerMtpObjects *objects, unsigned storage);
void ostler_mtp_objects_set_size(OstlerMtpObjects *objects, uint32_t handle,
                                 uint64_t size);
/* The same of one object and all that is beneath it, and their number. */
void ostler_mtp_objects_total(const OstlerMtpObjects *objects, uint32_t handle,
                              uint64_t *out_bytes, uint64_t *out_count);

/* Find by handle; false if there is no such object. */
bool ostler_mtp_objects_get(const OstlerMtpObjects *objects, uint32_t handle,
                            OstlerMtpObject *out_object);
/* Find @name in a folder (@parent 0: the top of @storage): its handle, or 0. */
uint32_t ostler_mtp_objects_find(const OstlerMtpObjects *objects, unsigned storage,
                                 uint32_t parent, const char *name);

/* Add @name, which must not be there; its handle, or 0 when the table is full. */
uint32_t ostler_mtp_objects_add(OstlerMtpObjects *objects, unsigned storage,
                                uint32_t parent, const char *name, bool is_folder,
                                uint16_t format);
/* Forget the object and all that is beneath it. */
void ostler_mtp_objects_remove(OstlerMtpObjects *objects, uint32_t handle);
/* Give it another place and name, where there is none yet; its handle stays. */
void ostler_mtp_objects_move(OstlerMtpObjects *objects, uint32_t handle,
                             unsigned storage, uint32_t parent, const char *name,
                             uint16_t format);

/* The first object in a folder, and the one after @handle; 0 at the end. */
uint32_t ostler_mtp_objects_first(const OstlerMtpObjects *objects, unsigned storage,
                                  uint32_t parent);
uint32_t ostler_mtp_objects_next(const OstlerMtpObjects *objects, uint32_t handle);

/* ---- a table that outlives its program ---- */

typedef enum {
    OSTLER_MTP_OBJECT_KNOWN,  /* added, or in another place */
    OSTLER_MTP_OBJECT_LISTED, /* a folder; handle 0: the top of @storage */
    OSTLER_MTP_OBJECT_GONE,
} OstlerMtpObjectsNews;

/* Called after each such change, NULL for nobody; a folder that goes takes its objects
 * along, each with a call of its own. */
typedef void OstlerMtpObjectsWatch(OstlerMtpObjectsNews news, unsigned storage,
                                   uint32_t handle, void *opaque);
void ostler_mtp_objects_watch(OstlerMtpObjects *objects, OstlerMtpObjectsWatch *watch,
                              void *opaque);

/*
 * Into a table that is new: room for @n_objects, present and past ones; then put each back
 * with the handle that it had, its folder first, or have its slot count as used; then the
 * end, before anything is added.  False for a handle that cannot be, or is taken.
 */
void ostler_mtp_objects_restore_begin(OstlerMtpObjects *objects, uint32_t n_objects);
bool ostler_mtp_objects_restore(OstlerMtpObjects *objects, uint32_t handle,
                                unsigned storage, uint32_t parent, const char *name,
                                bool is_folder, uint16_t format);
bool ostler_mtp_objects_burn(OstlerMtpObjects *objects, uint32_t handle);
void ostler_mtp_objects_restore_end(OstlerMtpObjects *objects);

/*
 * Compare with what is on disk: begin, mark each that is still there, then drop the
 * rest, calling @dropped (may be NULL) with each handle before it goes.
 */
void ostler_mtp_objects_sweep_begin(OstlerMtpObjects *objects, unsigned storage,
                                    uint32_t parent);
void ostler_mtp_objects_sweep_mark(OstlerMtpObjects *objects, uint32_t handle);
void ostler_mtp_objects_sweep_end(OstlerMtpObjects *objects, unsigned storage,
                                  uint32_t parent,
                                  void (*dropped)(uint32_t handle, void *opaque),
                                  void *opaque);

/* A folder (0: the top of @storage) whose objects have all been added once. */
void ostler_mtp_objects_set_listed(OstlerMtpObjects *objects, unsigned storage,
                                   uint32_t folder);
bool ostler_mtp_objects_is_listed(const OstlerMtpObjects *objects, unsigned storage,
                                  uint32_t folder);
