/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reader.h - take bytes apart into fields
 *
 * A reader walks over bytes that it borrows.  It fails once, when more is asked for than
 * there is, and stays failed: every later read answers 0 or NULL.  So a decoder is a
 * straight line of reads with a single question, ostler_reader_ok(), at its end.
 *
 * Units:      bytes.  "le" is least significant byte first (USB, MTP), "be" is network
 *             order.
 * Ownership:  borrows; what take and sub return points into the same bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} OstlerReader;

static inline OstlerReader ostler_reader_of(const void *data, size_t size)
{
    const uint8_t *start = (const uint8_t *)data;

    /* NULL + 0 is undefined in C, and an empty message may well be NULL. */
    return (OstlerReader){ .at = start, .end = size ? start + size : start };
}

static inline bool ostler_reader_ok(const OstlerReader *r)
{
    return !r->failed;
}

/* How many bytes are left; 0 once failed. */
static inline size_t ostler_reader_left(const OstlerReader *r)
{
    return r->failed || r->at == r->end ? 0 : (size_t)(r->end - r->at);
}

/* Fail on purpose: a field was there and its value is nonsense. */
static inline void ostler_reader_fail(OstlerReader *r)
{
    r->failed = true;
}

/* Borrow the next @size bytes, or NULL (and fail) if fewer are left.  Of 0 bytes the
 * pointer means nothing, and may be NULL. */
static inline const uint8_t *ostler_reader_take(OstlerReader *r, size_t size)
{
    if (r->failed || size > ostler_reader_left(r)) {
        r->failed = true;
        return NULL;
    }

    const uint8_t *taken = r->at;
    if (size) {
        r->at += size;
    }
    return taken;
}

static inline void ostler_reader_skip(OstlerReader *r, size_t size)
{
    (void)ostler_reader_take(r, size);
}

/* A reader of the next @size bytes alone, failed if there are fewer. */
static inline OstlerReader ostler_reader_sub(OstlerReader *r, size_t size)
{
    const uint8_t *start = ostler_reader_take(r, size);
    OstlerReader sub = ostler_reader_of(start, r->failed ? 0 : size);

    sub.failed = r->failed;
    return sub;
}

static inline uint8_t ostler_reader_u8(OstlerReader *r)
{
    const uint8_t *byte = ostler_reader_take(r, 1);

    return byte ? *byte : 0;
}

static inline uint64_t ostler_reader_le(OstlerReader *r, unsigned n_bytes)
{
    const uint8_t *bytes = ostler_reader_take(r, n_bytes);
    uint64_t value = 0;

    for (unsigned i = n_bytes; bytes && i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    return value;
}

static inline uint64_t ostler_reader_be(OstlerReader *r, unsigned n_bytes)
{
    const uint8_t *bytes = ostler_reader_take(r, n_bytes);
    uint64_t value = 0;

    for (unsigned i = 0; bytes && i < n_bytes; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static inline uint16_t ostler_reader_le16(OstlerReader *r)
{
    return (uint16_t)ostler_reader_le(r, 2);
}

static inline uint32_t ostler_reader_le32(OstlerReader *r)
{
    return (uint32_t)ostler_reader_le(r, 4);
}

static inline uint64_t ostler_reader_le64(OstlerReader *r)
{
    return ostler_reader_le(r, 8);
}

static inline uint16_t ostler_reader_be16(OstlerReader *r)
{
    return (uint16_t)ostler_reader_be(r, 2);
}

static inline uint32_t ostler_reader_be32(OstlerReader *r)
{
    return (uint32_t)ostler_reader_be(r, 4);
}

static inline uint64_t ostler_reader_be64(OstlerReader *r)
{
    return ostler_reader_be(r, 8);
}
