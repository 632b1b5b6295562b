/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * not-needed.h - what a domain says and a guest here does well without, and why
 *
 * A table: the reason is what the user reads.  Whatever would change what the guest
 * sees, or what it may do, does not belong here.
 */
#pragma once

#include <libxml/tree.h>

/* "/domain/devices/disk/@snapshot": without indexes, for looking up; caller frees. */
char *ostler_import_plain_path(const xmlNode *element, const xmlAttr *attribute);

/* The reason, or NULL if @path with @value is not excused. */
const char *ostler_import_not_needed(const char *path, const char *value);
