/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * api.h - what the files of libostler share; not installed
 *
 * Inside, errors are GErrors as everywhere; only on the way out do they become an
 * OstlerError.
 */
#pragma once

#include <glib.h>
#include <ostler/ostler.h>

struct OstlerHost {
    GMainContext *context; /* calls run here; all state is on disk and in the keepers */
};

struct OstlerGuest {
    OstlerHost *host; /* borrowed */
    char *name;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerGuest, ostler_guest_free)

/* Set *@error; false and NULL for return. */
bool ostler_api_fail(OstlerError **error, OstlerErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Turn @why (taken over) into *@error, its code by its domain; false. */
bool ostler_api_fail_with(OstlerError **error, GError *why);

/* A handle, without asking whether there is such a guest. */
OstlerGuest *ostler_api_guest(OstlerHost *host, const char *name);

/* The public twin of a state or reason that a status record has. */
OstlerState ostler_api_state(const char *text);
OstlerReason ostler_api_reason(const char *text);
