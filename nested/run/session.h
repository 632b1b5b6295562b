/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * session.h - all rules of a flat on an engine, through crashes and hangs
 *
 * One boot runs all rules.  When a rule takes the engine down or hangs it, that rule
 * gets the verdict and the next boot goes on after it.
 */
#pragma once

#include "engine.h"

typedef struct {
    const Engine *engine;
    const char *flat;
    const char *cpu;            /* or NULL */
    const char *mutation;       /* "setup", "expectation", or NULL */
    const char *const *choices; /* rule ids or their beginnings; NULL: all */
    unsigned stall_s;
} SessionConfig;

/* The verdicts (caller unrefs) in the order of the rules, or NULL. */
GPtrArray *session_run(const SessionConfig *config, unsigned *out_boots,
                       GError **error);

/* "id\tcites\tsays\tconfirmed" of every rule of @config's flat (caller unrefs). */
GPtrArray *session_list(const SessionConfig *config, GError **error);
