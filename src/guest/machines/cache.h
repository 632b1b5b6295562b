/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cache.h - answers of an emulator, kept while its binary stays the same
 *
 * One small JSON file per question under <cache>/machines/.  Its name and its first
 * member carry the binary's identity (path, device, inode, size, mtime) and the
 * question, so an upgraded QEMU is asked again and a clash of names is noticed.
 *
 * Errors:     none: a cache that cannot be read or written only costs time.
 */
#pragma once

#include "json/json.h"

/* The answer (caller puts) or NULL.  @question: "machine:virt,secure=on". */
json_object *ostler_cache_load(const char *emulator, const char *question);
void ostler_cache_store(const char *emulator, const char *question,
                        json_object *answer);
