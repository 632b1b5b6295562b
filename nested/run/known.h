/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * known.h - failures that are an engine's, per version, with their cause
 *
 * A file per engine, known/ENGINE, of lines
 *     VERSION<tab>RULE<tab>CAUSE
 * where VERSION matches itself and what begins with it ("7.2" is 7.2.22 too).  A rule
 * listed for the running version that passes is an error: the list must stay true.
 */
#pragma once

#include <glib.h>

typedef struct Known Known;

/* No file at @path is an empty list; a malformed line is an error with its number. */
Known *known_load(const char *path, const char *version, GError **error);
void known_free(Known *known);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Known, known_free)

/* Of a rule, or of what the fuzzer found; NULL: not in the list. */
const char *known_cause(const Known *known, const char *rule);

/* Set cause and is_unexpected_pass in @verdicts (of Verdict). */
void known_apply(const Known *known, GPtrArray *verdicts);
