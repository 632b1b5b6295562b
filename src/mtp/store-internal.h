/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store-internal.h - the store's insides, for store*.c alone
 */
#pragma once

#include "mtp/store.h"

typedef struct {
    OstlerRoot *root;
    char *label;
    bool is_read_only;
} Storage;

typedef struct {
    OstlerRootFile *file; /* NULL: nothing comes in */
    uint32_t handle;
    bool is_new;   /* the handle is for this file alone */
    bool is_edit;  /* of the object that has the handle */
    uint64_t size; /* so far */
} Incoming;

/* An object as the guest left it. */
typedef struct {
    uint32_t handle;
    OstlerRootInfo file;
} Own;

#define N_OWN 64

struct OstlerMtpStore {
    Storage storages[OSTLER_MTP_MAX_STORAGES];
    unsigned n_storages;
    OstlerMtpObjects *objects;
    Incoming incoming;
    Own own[N_OWN]; /* the guest's last changes, to tell them from the host's */
    unsigned n_own;
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
typedef enum { FOR_READING, FOR_WRITING } Access;

/* The object, and the folder it is in, opened (caller frees). */
OstlerMtpCode ostler_mtp_store_open_object(OstlerMtpStore *store, uint32_t handle,
                                           Access access, OstlerMtpObject *out_object,
                                           OstlerRootFolder **out_folder);
/* The folder @parent (0: the top) of the storage @id, where something new may go. */
OstlerMtpCode ostler_mtp_store_open_place(OstlerMtpStore *store, uint32_t id,
                                          uint32_t parent, unsigned *out_storage,
                                          OstlerRootFolder **out_folder);

/* ---- store-list.c ---- */

/* The handle of @name, new if need be; a file that became a folder is another object. */
uint32_t ostler_mtp_store_know(OstlerMtpStore *store, unsigned storage, uint32_t parent,
                               const char *name, bool is_folder);
/* Give a known object another place and name; what the table has there is gone. */
void ostler_mtp_store_rehome(OstlerMtpStore *store, uint32_t handle, unsigned storage,
                             uint32_t parent, const char *name);
/* Compare a folder with the disk; the numbers that changed are told to ->notice. */
OstlerMtpCode ostler_mtp_store_read_folder(OstlerMtpStore *store, unsigned storage,
                                           uint32_t parent);

/* ---- store-change.c, store-host.c ---- */

/* A copy of @name in @from, without a name yet in @to. */
OstlerRootFile *ostler_mtp_store_copy_unnamed(OstlerRootFolder *from, const char *name,
                                              OstlerRootFolder *to, GError **error);
/* The guest has just changed @handle: what the watch says of it is an echo. */
void ostler_mtp_store_remember_own(OstlerMtpStore *store, uint32_t handle);
