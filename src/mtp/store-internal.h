/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store-internal.h - the store's insides, for store.c and store-host.c alone
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

OstlerRootFolder *ostler_mtp_store_open_folder(const OstlerMtpStore *store,
                                               unsigned storage, uint32_t handle,
                                               GError **error);
uint32_t ostler_mtp_store_know(OstlerMtpStore *store, unsigned storage, uint32_t parent,
                               const char *name, bool is_folder);
/* Compare a folder with the disk; the numbers that changed are told to ->notice. */
OstlerMtpCode ostler_mtp_store_read_folder(OstlerMtpStore *store, unsigned storage,
                                           uint32_t parent);
/* The guest has just changed @handle: what the watch says of it is an echo. */
void ostler_mtp_store_remember_own(OstlerMtpStore *store, uint32_t handle);
