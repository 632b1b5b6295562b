/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * writer.h - put fields together into bytes
 *
 * A writer fills a buffer that it borrows.  It fails once, when the buffer is full, and
 * stays failed: nothing further is written, and one question, ostler_writer_ok(), at the
 * end is enough.
 *
 * Units:      bytes; "le" and "be" as in reader.h.
 * Ownership:  borrows; what reserve returns points into the buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
} OstlerWriter;

static inline OstlerWriter ostler_writer_of(void *buffer, size_t size)
{
    uint8_t *start = (uint8_t *)buffer;

    return (OstlerWriter){ .start = start,
                           .at = start,
                           .end = size ? start + size : start };
}

static inline bool ostler_writer_ok(const OstlerWriter *w)
{
    return !w->failed;
}

/* How many bytes are written. */
static inline size_t ostler_writer_size(const OstlerWriter *w)
{
    return w->at == w->start ? 0 : (size_t)(w->at - w->start);
}

/* How many bytes fit still; 0 once failed. */
static inline size_t ostler_writer_left(const OstlerWriter *w)
{
    return w->failed || w->at == w->end ? 0 : (size_t)(w->end - w->at);
}

/* Leave room for @size bytes and say where, or NULL (and fail) if they don't fit: for a
 * length field that is known only later. */
static inline uint8_t *ostler_writer_reserve(OstlerWriter *w, size_t size)
{
    if (w->failed || size > ostler_writer_left(w)) {
        w->failed = true;
        return NULL;
    }

    uint8_t *room = w->at;
    if (size) {
        w->at += size;
    }
    return room;
}

static inline void ostler_writer_bytes(OstlerWriter *w, const void *data, size_t size)
{
    uint8_t *room = ostler_writer_reserve(w, size);

    if (room && size) {
        memcpy(room, data, size);
    }
}

static inline void ostler_writer_zeros(OstlerWriter *w, size_t size)
{
    uint8_t *room = ostler_writer_reserve(w, size);

    if (room && size) {
        memset(room, 0, size);
    }
}

/* Put @value's low @n_bytes at @room, least or most significant byte first. */
static inline void ostler_put_le(uint8_t *room, uint64_t value, unsigned n_bytes)
{
    for (unsigned i = 0; room && i < n_bytes; i++) {
        room[i] = (uint8_t)(value >> 8 * i);
    }
}

static inline void ostler_put_be(uint8_t *room, uint64_t value, unsigned n_bytes)
{
    for (unsigned i = 0; room && i < n_bytes; i++) {
        room[i] = (uint8_t)(value >> 8 * (n_bytes - 1 - i));
    }
}

static inline void ostler_writer_u8(OstlerWriter *w, uint8_t value)
{
    ostler_put_le(ostler_writer_reserve(w, 1), value, 1);
}

static inline void ostler_writer_le16(OstlerWriter *w, uint16_t value)
{
    ostler_put_le(ostler_writer_reserve(w, 2), value, 2);
}

static inline void ostler_writer_le32(OstlerWriter *w, uint32_t value)
{
    ostler_put_le(ostler_writer_reserve(w, 4), value, 4);
}

static inline void ostler_writer_le64(OstlerWriter *w, uint64_t value)
{
    ostler_put_le(ostler_writer_reserve(w, 8), value, 8);
}

static inline void ostler_writer_be16(OstlerWriter *w, uint16_t value)
{
    ostler_put_be(ostler_writer_reserve(w, 2), value, 2);
}

static inline void ostler_writer_be32(OstlerWriter *w, uint32_t value)
{
    ostler_put_be(ostler_writer_reserve(w, 4), value, 4);
}

static inline void ostler_writer_be64(OstlerWriter *w, uint64_t value)
{
    ostler_put_be(ostler_writer_reserve(w, 8), value, 8);
}
