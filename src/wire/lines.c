/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/lines.h"

#include <stdlib.h>
#include <string.h>

#define SMALL 4096

void ostler_lines_init(OstlerLines *lines, size_t max_line)
{
    *lines = (OstlerLines){ .max_line = max_line };
}

void ostler_lines_clear(OstlerLines *lines)
{
    free(lines->buffer);
    ostler_lines_init(lines, lines->max_line);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The unread bytes go to the front, so that all the free room is in one piece. */
static void move_to_front(OstlerLines *lines)
{
    if (lines->begin == 0) {
        return;
    }
    memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
    lines->end -= lines->begin;
    lines->scanned -= lines->begin;
    lines->begin = 0;
}

static bool resize(OstlerLines *lines, size_t capacity)
{
    char *buffer = realloc(lines->buffer, capacity);

    if (!buffer) {
        return false;
    }
    lines->buffer = buffer;
    lines->capacity = capacity;
    return true;
}

/* Room for at least one more byte; the newline of the longest line has room, too. */
static bool make_room(OstlerLines *lines)
{
    size_t most = lines->max_line + 1;

    if (lines->end == 0 && lines->capacity > SMALL) {
        return resize(lines, SMALL); /* after a long line */
    }
    if (lines->end < lines->capacity) {
        return true;
    }
    if (lines->capacity >= most) {
        return false; /* a line without an end */
    }
    return resize(lines, least(lines->capacity ? 2 * lines->capacity : SMALL, most));
}

char *ostler_lines_room(OstlerLines *lines, size_t *out_size)
{
    if (!lines->failed) {
        move_to_front(lines);
        lines->failed = !make_room(lines);
    }
    if (lines->failed) {
        return NULL;
    }
    *out_size = lines->capacity - lines->end;
    return lines->buffer + lines->end;
}

void ostler_lines_add(OstlerLines *lines, size_t size)
{
    lines->end += size;
}

const char *ostler_lines_next(OstlerLines *lines, size_t *out_size)
{
    size_t unscanned = lines->end - lines->scanned;
    if (unscanned == 0) {
        return NULL;
    }

    const char *newline = memchr(lines->buffer + lines->scanned, '\n', unscanned);
    if (!newline) {
        lines->scanned = lines->end;
        return NULL;
    }

    const char *line = lines->buffer + lines->begin;
    *out_size = (size_t)(newline - line);
    lines->begin = lines->scanned = (size_t)(newline + 1 - lines->buffer);
    return line;
}

bool ostler_lines_is_partial(const OstlerLines *lines)
{
    return lines->end > lines->begin;
}
