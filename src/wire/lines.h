/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lines.h - messages that end in a newline, out of a stream that comes in pieces
 *
 * Used by qmp/ and by the control channel.  The caller names the longest line; a peer
 * that exceeds it makes the framer fail, and it stays failed.  Room grows with what
 * arrives, not with the limit, and is given back after a long line.
 *
 *     while (read into ostler_lines_room(), tell ostler_lines_add()) {
 *         while ((line = ostler_lines_next(lines, &size))) { ... }
 *     }
 *
 * Units:      bytes.  A line's size leaves out its newline; a carriage return before it
 *             (QEMU sends one) stays.
 * Ownership:  the framer owns its room; a line is borrowed until the next call of
 *             ostler_lines_room().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *buffer; /* owned */
    size_t capacity;
    size_t begin;   /* where the next line starts */
    size_t scanned; /* no newline between begin and here */
    size_t end;     /* of what has arrived */
    size_t max_line;
    bool failed;
} OstlerLines;

/* A framer that takes lines of up to @max_line bytes. */
void ostler_lines_init(OstlerLines *lines, size_t max_line);
void ostler_lines_clear(OstlerLines *lines);

/* Where to put the next bytes, and in *@out_size how many fit: at least one.
 * NULL once a line is too long (or memory short). */
char *ostler_lines_room(OstlerLines *lines, size_t *out_size);

/* @size bytes were put there. */
void ostler_lines_add(OstlerLines *lines, size_t size);

/* The next whole line, or NULL if there is none yet.  Not terminated. */
const char *ostler_lines_next(OstlerLines *lines, size_t *out_size);

/* Whether part of a line has arrived: at the stream's end, something was cut off. */
bool ostler_lines_is_partial(const OstlerLines *lines);
