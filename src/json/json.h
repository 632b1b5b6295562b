/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json.h - json-c, bounded and with GError
 *
 * Values are json-c's own; this adds what peers make necessary: a size and depth limit
 * on parsing, whole-document strictness, and getters that say what was wrong.
 *
 * Ownership:  as json-c: json_object_put() drops a reference; g_autoptr(json_object).
 * Errors:     G_IO_ERROR_INVALID_DATA.
 */
#pragma once

#include <gio/gio.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_object, json_object_put)

#define OSTLER_JSON_MAX_DEPTH 256 /* a chain of 100 disk images nests that deep */
#define OSTLER_JSON_MAX_BYTES (64u << 20) /* QEMU's longest answers are about 2 MB */

/* Parse exactly one value; trailing bytes other than white space are an error. */
json_object *ostler_json_parse(const char *text, size_t size, GError **error);

/* One line, no trailing newline; caller frees. */
char *ostler_json_text(json_object *value);

/* Build an object from pairs: key, value, ..., NULL; takes the values over. */
json_object *ostler_json_object(const char *key, ...) G_GNUC_NULL_TERMINATED;

/* Members by name and type.  "find" answers NULL / the fallback when absent or of
 * another type; "need" makes that an error that names the key. */
json_object *ostler_json_find(json_object *object, const char *key); /* borrowed */
const char *ostler_json_find_string(json_object *object, const char *key);
int64_t ostler_json_find_int(json_object *object, const char *key, int64_t fallback);
bool ostler_json_find_bool(json_object *object, const char *key, bool fallback);
const char *ostler_json_need_string(json_object *object, const char *key,
                                    GError **error);
