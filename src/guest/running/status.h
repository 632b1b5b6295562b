/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status.h - the record that a keeper keeps of its guest: status.json
 *
 * Written whole at each change of state, so that anybody can list guests without
 * disturbing a keeper, and an adopting keeper knows what it adopts.  The record outlives
 * the guest: it says how the last run ended.  Whether the guest is alive is not in it;
 * ask ostler_run_life() (place.h).
 *
 * Units:      times are microseconds since the epoch, UTC; 0 is never.
 * Ownership:  a status owns its strings.
 * Errors:     G_IO_ERROR; a record that is damaged is G_IO_ERROR_INVALID_DATA.
 */
#pragma once

#include "guest/running/state.h"
#include "platform/process.h"
#include "json/json.h"

/* A program that outlives its keeper: the way out of the card [nic.NIC]. */
typedef struct {
    char *nic;
    OstlerProcessIdentity process;
} OstlerRunPasst;

typedef struct {
    OstlerRunState state;
    OstlerRunReason reason;
    char *why; /* last words on the reason, or NULL */
    OstlerProcessIdentity qemu;
    int keeper_pid;
    int64_t started_at;
    int64_t ended_at;
    char *accel;
    char *console; /* the plan's console socket, or NULL */
    bool ends_with_keeper;
    char **notes;           /* of the plan; NULL for none */
    GArray *passts;         /* OstlerRunPasst */
    json_object *addresses; /* what was known last, a list; or NULL */
} OstlerRunStatus;

OstlerRunStatus *ostler_run_status_new(void);
void ostler_run_status_add_passt(OstlerRunStatus *status, const char *nic,
                                 OstlerProcessIdentity process);
void ostler_run_status_free(OstlerRunStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerRunStatus, ostler_run_status_free)

json_object *ostler_run_status_to_json(const OstlerRunStatus *status);
OstlerRunStatus *ostler_run_status_from_json(json_object *record, GError **error);

bool ostler_run_status_save(const OstlerRunStatus *status, const char *guest,
                            GError **error);
/* NOT_FOUND when the guest has never run here. */
OstlerRunStatus *ostler_run_status_load(const char *guest, GError **error);
