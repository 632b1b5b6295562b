/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bytes.h - little-endian fields appended to a growing array
 *
 * wire/ writes into buffers of a known size; what MTP sends has none until it is built.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

static inline void ostler_bytes_u8(GByteArray *array, uint8_t value)
{
    g_byte_array_append(array, &value, 1);
}

static inline void ostler_bytes_le16(GByteArray *array, uint16_t value)
{
    const uint16_t le = GUINT16_TO_LE(value);
    g_byte_array_append(array, (const uint8_t *)&le, sizeof(le));
}

static inline void ostler_bytes_le32(GByteArray *array, uint32_t value)
{
    const uint32_t le = GUINT32_TO_LE(value);
    g_byte_array_append(array, (const uint8_t *)&le, sizeof(le));
}

static inline void ostler_bytes_le64(GByteArray *array, uint64_t value)
{
    const uint64_t le = GUINT64_TO_LE(value);
    g_byte_array_append(array, (const uint8_t *)&le, sizeof(le));
}

/* @count bytes of 0. */
static inline void ostler_bytes_zero(GByteArray *array, guint count)
{
    g_byte_array_set_size(array, array->len + count);
    memset(array->data + array->len - count, 0, count);
}
