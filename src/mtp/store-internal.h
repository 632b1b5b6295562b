/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store-internal.h - the store's insides, for store*.c alone
 */
#pragma once

#include "mtp/state.h"
#include "mtp/store.h"

typedef struct {
    OstlerRoot *root; /* NULL: there is no storage with this index */
    char *label;
    char *key; /* the same after a restart */
    bool is_read_only;
    OstlerMtpLimits limits;
    bool is_counted;    /* all that is in it is in the table, with sizes */
    uint64_t told_free; /* what the guest knows of the free bytes */
} Storage;

typedef struct {
    OstlerRootFile *file; /* NULL: nothing comes in */
    uint32_t handle;
    bool is_new;   /* the handle is for this file alone */
    bool is_edit;  /* of the object that has the handle */
    bool is_lost;  /* the storage was taken away from under it */
    uint64_t size; /* so far */
    unsigned storage;
    uint64_t held;    /* bytes of the quota: as announced, or as far as it has grown */
    uint64_t cleared; /* bytes that may be written before the disk is asked again */
} Incoming;

/* An object as the guest left it. */
typedef struct {
    uint32_t handle;
    OstlerRootInfo file;
} Own;

#define N_OWN 64

struct OstlerMtpStore {
    Storage storages[OSTLER_MTP_MAX_STORAGES];
    unsigned n_storages;   /* indexes given so far */
    unsigned next_storage; /* to try when all were given once */
    OstlerMtpObjects *objects;
    Incoming incoming;
    Own own[N_OWN]; /* the guest's last changes, to tell them from the host's */
    unsigned n_own;
    OstlerRoot *state_root;  /* or NULL */
    OstlerMtpState *state;   /* or NULL */
    OstlerMtpNotice *notice; /* or NULL */
    void *notice_opaque;
};

/* ---- store-paths.c ---- */

/* The file system's refusal as the response that says it best. */
OstlerMtpCode ostler_mtp_store_refusal(const GError *error, OstlerMtpCode otherwise);
/* "a/b/c" of a folder; NULL when it is out of reach.  Caller frees. */
char *ostler_mtp_store_path(const OstlerMtpStore *store, uint32_t handle);
OstlerRootFolder *ostler_mtp_store_open_folder(const OstlerMtpStore *store,
                                               unsigned storage, uint32_t handle,
                                               GError **error);
/* The name of the file that the guest calls @name: another one if it was shortened.
 * Borrowed from @name or the table. */
const char *ostler_mtp_store_actual_name(const OstlerMtpStore *store, unsigned storage,
                                         uint32_t parent, const char *name);

/* To change an object, its storage must be writable and the object not protected. */
typedef enum { FOR_READING, FOR_WRITING, FOR_PROTECTING } Access;

/* The object, and the folder it is in, opened (caller frees). */
OstlerMtpCode ostler_mtp_store_open_object(OstlerMtpStore *store, uint32_t handle,
                                           Access access, OstlerMtpObject *out_object,
                                           OstlerRootFolder **out_folder);
/* The folder @parent (0: the top) of the storage @id, where something new may go. */
OstlerMtpCode ostler_mtp_store_open_place(OstlerMtpStore *store, uint32_t id,
                                          uint32_t parent, unsigned *out_storage,
                                          OstlerRootFolder **out_folder);

/* ---- store-compare.c ---- */

uint16_t ostler_mtp_store_format(const char *name, bool is_folder);
/* The handle of @name, new if need be; a file that became a folder is another object. */
uint32_t ostler_mtp_store_know(OstlerMtpStore *store, unsigned storage, uint32_t parent,
                               const char *name, bool is_folder);
/* Give a known object another place and name; what the table has there is gone. */
void ostler_mtp_store_rehome(OstlerMtpStore *store, uint32_t handle, unsigned storage,
                             uint32_t parent, const char *name);
/* Compare a folder with the disk; from now on the guest is told what changes in it. */
OstlerMtpCode ostler_mtp_store_read_folder(OstlerMtpStore *store, unsigned storage,
                                           uint32_t parent);
/* Compare all that is beneath @top, sizes included. */
void ostler_mtp_store_measure(OstlerMtpStore *store, unsigned storage, uint32_t top);

/* Compare what is listed or counted from @top down, and tell of the difference. */
void ostler_mtp_store_look_again(OstlerMtpStore *store, unsigned storage, uint32_t top);

/* ---- store-state.c ---- */

/* What is put between these is written in one go; without a state they do nothing. */
void ostler_mtp_store_hold_state(OstlerMtpStore *store);
void ostler_mtp_store_release_state(OstlerMtpStore *store);
/* The storage is another share's now. */
void ostler_mtp_store_note_storage(OstlerMtpStore *store, unsigned storage);
/* By this the object's file is found again when it was renamed behind our back; a
 * @birth_ns of 0 is not known. */
void ostler_mtp_store_learn_identity(OstlerMtpStore *store, uint32_t handle,
                                     uint64_t identity, uint64_t birth_ns);

/* ---- store-quota.c ---- */

/* Whether @bytes and @objects more fit into the storage: OK or Store_Full. */
OstlerMtpCode ostler_mtp_store_admit(OstlerMtpStore *store, unsigned storage,
                                     uint64_t bytes, uint64_t objects);
/* The incoming file is to be @size bytes in all: hold what it lacks. */
OstlerMtpCode ostler_mtp_store_hold(OstlerMtpStore *store, uint64_t size);
/* @size bytes are about to be written to it. */
OstlerMtpCode ostler_mtp_store_clear(OstlerMtpStore *store, uint64_t size);
/* The guest, or else the host, has done something to the storage. */
void ostler_mtp_store_space_used(OstlerMtpStore *store, unsigned storage);
void ostler_mtp_store_space_changed(OstlerMtpStore *store, unsigned storage);

/* ---- store-host.c ---- */

void ostler_mtp_store_tell(const OstlerMtpStore *store, uint16_t event, uint32_t param);

/* The guest has just changed @handle: what the watch says of it is an echo. */
void ostler_mtp_store_remember_own(OstlerMtpStore *store, uint32_t handle);
/* Whether the object is as the guest left it. */
bool ostler_mtp_store_is_own(const OstlerMtpStore *store, const OstlerMtpEntry *entry);
