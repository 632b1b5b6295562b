/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keyfile.h - the lines of a key file, one token each, with their numbers
 *
 * The lower half of definition.c: it knows brackets and equals signs, not what they
 * may say.  GKeyFile reads the same syntax but forgets the line of every key, and a
 * message without a line number is of no use in a file of fifty.
 *
 * Ownership:  tokens borrow from the text, which is not NUL-terminated and may hold
 *             any bytes.
 * Errors:     a line that is none of the four kinds is an OSTLER_KEYFILE_BAD token with
 *             a sentence in @why; reading may go on behind it.
 * Threads:    no state but the reader's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *at;
    size_t size;
} OstlerSlice;

typedef enum {
    OSTLER_KEYFILE_SECTION, /* [name] or [name.label] */
    OSTLER_KEYFILE_KEY,     /* name = value */
    OSTLER_KEYFILE_COMMENT, /* # or ; and the rest of the line, in @value */
    OSTLER_KEYFILE_BLANK,
    OSTLER_KEYFILE_BAD,
} OstlerKeyfileTokenType;

typedef struct {
    OstlerKeyfileTokenType type;
    unsigned line; /* from 1 */
    OstlerSlice name;
    OstlerSlice label; /* size 0: none */
    OstlerSlice value;
    const char *why;
} OstlerKeyfileToken;

typedef struct {
    const char *at;
    const char *end;
    unsigned line; /* of the line read last */
} OstlerKeyfileReader;

void ostler_keyfile_reader_init(OstlerKeyfileReader *reader, const char *text,
                                size_t size);
/* The next line, or false at the end. */
bool ostler_keyfile_next(OstlerKeyfileReader *reader, OstlerKeyfileToken *token);
