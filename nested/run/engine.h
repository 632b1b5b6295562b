/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * engine.h - what runs a flat: QEMU's TCG, Bochs, KVM
 *
 * Errors:     G_SPAWN_ERROR and G_FILE_ERROR; an engine that is not installed says so
 *             in @out_lack.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "verdict.h"

typedef struct Engine Engine;

const Engine *engine_find(const char *name);
const char *engine_name(const Engine *engine);
/* Names for messages: "tcg, bochs, kvm". */
char *engine_names(void);

/* "7.2.22", or NULL with what is missing in a sentence. */
char *engine_version(const Engine *engine, char **out_lack);

typedef struct {
    const char *flat; /* path */
    const char *cpu;  /* the engine's word for it; NULL: chosen by the flat's name */
    const char *arguments; /* the flat's command line, after its name */
    unsigned stall_s; /* what it may compute without a word; then it counts as hung */
    unsigned n_cpus;
} EngineBoot;

/* Boot @boot once and feed its lines to @reader. */
bool engine_boot(const Engine *engine, const EngineBoot *boot, VerdictReader *reader,
                 GError **error);
