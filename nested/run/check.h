/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - can this host be trusted to run nested guests? in a user's words
 *
 * Looks at the processor, KVM's settings and what the kernel says of the processor's
 * holes, and runs the rulebook on KVM if that can be done at all.
 *
 * Units:    the whole takes at most a minute, also where every rule hangs.
 */
#pragma once

#include "session.h"

typedef enum {
    CHECK_TRUSTED, /* nothing speaks against it */
    CHECK_NOT,     /* something does */
    CHECK_UNKNOWN, /* it could not be tried here */
} CheckAnswer;

typedef struct {
    const char *root;  /* "/", or where a test keeps another host's /proc, /sys, /dev */
    const char *flats; /* the folder */
    bool is_json;
} CheckConfig;

/* Print what was found and what follows from it. */
CheckAnswer check_host(const CheckConfig *config, GError **error);
