/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * session.h - all rules of a flat on an engine, through crashes and hangs
 *
 * One boot runs all rules but those that the flat puts off: the ones for two processors
 * share a second boot, and each of the rest has its own.  When a rule takes the engine
 * down, resets it or hangs it, that rule gets the verdict and the next boot goes on after
 * it.
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
    bool is_cve;      /* of these, the rules about a CVE */
    unsigned limit_s; /* no boot begins after this long; 0: for ever */
} SessionConfig;

/* The verdicts (caller unrefs) in the order of the rules, or NULL. */
GPtrArray *session_run(const SessionConfig *config, unsigned *out_boots,
                       GError **error);

/* A Rule for each that @config chooses of its flat (caller unrefs). */
GPtrArray *session_list(const SessionConfig *config, GError **error);
