/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * error.h - what went wrong with a guest, as far as callers act on it
 *
 * These codes cross the control channel as numbers, become OstlerErrorCode in the public
 * API and exit codes of the ostler command.
 */
#pragma once

#include <gio/gio.h>

#define OSTLER_RUN_ERROR ostler_run_error_quark()
GQuark ostler_run_error_quark(void);

typedef enum {
    OSTLER_RUN_ERROR_FAILED = 1,
    OSTLER_RUN_ERROR_ARGUMENT = 2,   /* the request makes no sense */
    OSTLER_RUN_ERROR_NO_GUEST = 3,   /* no guest of that name */
    OSTLER_RUN_ERROR_STATE = 4,      /* the guest's state does not allow it */
    OSTLER_RUN_ERROR_DEFINITION = 5, /* the definition is wrong or does not fit */
    OSTLER_RUN_ERROR_TIMED_OUT = 6,
} OstlerRunError;

/* The code that stands for @error, which may be of any domain. */
OstlerRunError ostler_run_error_code(const GError *error);

/* Give *@error, if any, this code: for errors whose domain only the caller knows. */
void ostler_run_error_become(GError **error, OstlerRunError code);
