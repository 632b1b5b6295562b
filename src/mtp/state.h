/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.h - the object table's journal: handles that outlive the program
 *
 * One file, "handles", in a folder that is no share.  It begins with all that was known
 * when it was written and goes on with each change, in one write before the initiator
 * hears of it, so that it is true at whatever moment the program is killed.  When it has
 * grown to several times what it says it is written anew, and takes its own place at
 * once.  A power cut may lose its end, and with it the latest handles; nothing else.
 *
 * Format:     8 bytes "OstlerH1", then records: size of the body and a checksum over it,
 *             16 bits each, and the body, little-endian; see state.c.
 * Bounds:     a file of over OSTLER_MTP_STATE_MAX_BYTES, a record that does not add up,
 *             a name that is none: reading ends there, or leaves that out.
 * Ownership:  what was saved belongs to its reader.
 * Errors:     G_IO_ERROR.  A journal that cannot be written on is removed: one that is
 *             not true is worse than none.
 * Threads:    one main context.
 */
#pragma once

#include "platform/root.h"

#include <gio/gio.h>

#define OSTLER_MTP_STATE_MAX_BYTES (UINT32_C(1) << 30)

/* An object as it was. */
typedef struct {
    uint32_t handle;
    uint32_t parent;  /* a handle; 0: at the top of @storage */
    unsigned storage; /* an index of ->storages; of objects at the top only */
    bool is_folder;
    bool is_listed;
    uint64_t identity; /* of its file (root.h); 0: not known */
    uint64_t birth_ns; /* when that was made; 0: not known */
    uint64_t seen_ns;  /* when that was known; both since the epoch */
    char *name;
} OstlerMtpSaved;

typedef struct {
    GPtrArray *storages; /* of char *: their keys; NULL where there is none */
    GArray *listed;      /* of unsigned: storages whose top was listed */
    GHashTable *objects; /* slot -> OstlerMtpSaved */
    GHashTable *last_of; /* free slot -> the handle that it was last */
} OstlerMtpSavedState;

void ostler_mtp_saved_state_free(OstlerMtpSavedState *saved); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMtpSavedState, ostler_mtp_saved_state_free)

/* What a journal's bytes say; never fails, but may say little. */
OstlerMtpSavedState *ostler_mtp_saved_state_parse(const void *bytes, size_t size);
/* What the journal in @folder says; an empty state if there is none. */
OstlerMtpSavedState *ostler_mtp_saved_state_load(OstlerRoot *folder);

typedef struct OstlerMtpState OstlerMtpState;

/* Begin a journal in @folder (borrowed, must outlive it) that says what @saved says. */
OstlerMtpState *ostler_mtp_state_begin(OstlerRoot *folder,
                                       const OstlerMtpSavedState *saved,
                                       GError **error);
void ostler_mtp_state_free(OstlerMtpState *state); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMtpState, ostler_mtp_state_free)

/* What is put between hold and release is written in one go; they nest. */
void ostler_mtp_state_hold(OstlerMtpState *state);
void ostler_mtp_state_release(OstlerMtpState *state);

void ostler_mtp_state_put_storage(OstlerMtpState *state, unsigned storage,
                                  const char *key);
void ostler_mtp_state_put_object(OstlerMtpState *state, uint32_t handle,
                                 uint32_t parent, unsigned storage, bool is_folder,
                                 const char *name);
void ostler_mtp_state_put_identity(OstlerMtpState *state, uint32_t handle,
                                   uint64_t identity, uint64_t birth_ns);
/* @handle 0: the top of @storage. */
void ostler_mtp_state_put_listed(OstlerMtpState *state, unsigned storage,
                                 uint32_t handle);
void ostler_mtp_state_put_gone(OstlerMtpState *state, uint32_t handle);
