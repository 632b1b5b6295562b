/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/names.h"

#include "platform/root.h"

#include <string.h>

#define RAW_BYTE  0xf000u /* + the byte */
#define MAX_UNITS 512     /* a file's name has at most 255 bytes, so fewer units */

#define MARK_UNITS 13 /* '~' and 12 hexadecimal digits */

/* An extension longer than this is taken for a part of the name. */
#define MAX_EXTENSION 16

static bool is_raw_byte(gunichar c)
{
    return c >= RAW_BYTE + 0x80 && c <= RAW_BYTE + 0xff;
}

static unsigned put_character(uint16_t *at, gunichar c)
{
    if (c < 0x10000) {
        at[0] = (uint16_t)c;
        return 1;
    }
    at[0] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
    at[1] = (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff));
    return 2;
}

static unsigned to_units(const char *name, uint16_t *out)
{
    unsigned n = 0;

    while (*name && n + 2 <= MAX_UNITS) {
        gunichar c = g_utf8_get_char_validated(name, -1);
        /* Not UTF-8, or the beginning of it at the end; and a character that stands for
         * a byte is taken for its three bytes, or it would come back as that one. */
        if (c >= (gunichar)-2 || is_raw_byte(c)) {
            out[n++] = (uint16_t)(RAW_BYTE + (uint8_t)*name++);
        } else {
            n += put_character(out + n, c);
            name = g_utf8_next_char(name);
        }
    }
    return n;
}

static bool is_second_half(uint16_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* How many units the extension has, its dot included; 0 when there is none. */
static unsigned extension(const uint16_t *units, unsigned n)
{
    for (unsigned size = 1; size <= MAX_EXTENSION && size < n; size++) {
        if (units[n - size] == '.') {
            return size;
        }
    }
    return 0;
}

/* What stands for the part left out: '~' and a digest of the whole name. */
static void put_mark(uint16_t *at, const char *name)
{
    g_autofree char *digest =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);

    at[0] = '~';
    for (unsigned i = 1; i < MARK_UNITS; i++) {
        at[i] = (uint8_t)digest[i - 1];
    }
}

unsigned ostler_mtp_name_to_guest(const char *name,
                                  uint16_t out_units[OSTLER_MTP_MAX_STRING])
{
    uint16_t units[MAX_UNITS];
    unsigned n = to_units(name, units);

    if (n <= OSTLER_MTP_MAX_STRING) {
        memcpy(out_units, units, n * sizeof(*units));
        return n;
    }

    unsigned tail = extension(units, n);
    unsigned head = OSTLER_MTP_MAX_STRING - tail - MARK_UNITS;
    if (is_second_half(units[head])) {
        head--; /* a pair is left out whole */
    }
    memcpy(out_units, units, head * sizeof(*units));
    put_mark(out_units + head, name);
    memcpy(out_units + head + MARK_UNITS, units + n - tail, tail * sizeof(*units));
    return head + MARK_UNITS + tail;
}

bool ostler_mtp_name_is_shown_as(const char *name, const char *shown)
{
    uint16_t units[OSTLER_MTP_MAX_STRING];
    uint16_t wanted[OSTLER_MTP_MAX_STRING];
    unsigned n = ostler_mtp_name_to_guest(name, units);

    return n == ostler_mtp_name_to_guest(shown, wanted) &&
           memcmp(units, wanted, n * sizeof(*units)) == 0;
}

/* The character at @units, and how many units it takes; 0 units: half a pair. */
static gunichar get_character(const uint16_t *units, unsigned n, unsigned *out_taken)
{
    *out_taken = 1;
    if (units[0] < 0xd800 || units[0] > 0xdfff) {
        return units[0];
    }
    if (units[0] > 0xdbff || n < 2 || !is_second_half(units[1])) {
        *out_taken = 0;
        return 0;
    }
    *out_taken = 2;
    return 0x10000u + ((units[0] - 0xd800u) << 10) + (units[1] - 0xdc00u);
}

static bool append_units(GString *name, const uint16_t *units, unsigned n)
{
    unsigned taken;

    for (unsigned i = 0; i < n; i += taken) {
        gunichar c = get_character(units + i, n - i, &taken);
        if (taken == 0 || c == 0 || c == '/') {
            return false;
        }
        if (is_raw_byte(c)) {
            g_string_append_c(name, (char)(c - RAW_BYTE));
        } else {
            g_string_append_unichar(name, c);
        }
    }
    return true;
}

static bool is_file_name(const GString *name)
{
    return name->len > 0 && name->len <= OSTLER_ROOT_MAX_NAME &&
           strcmp(name->str, ".") != 0 && strcmp(name->str, "..") != 0 &&
           !ostler_root_name_is_reserved(name->str);
}

/* Bytes one by one may make up a character that would be shown as itself: then two names
 * of the guest's would be one file. */
static bool comes_back(const char *name, const uint16_t *units, unsigned n_units)
{
    uint16_t again[OSTLER_MTP_MAX_STRING];

    return n_units <= OSTLER_MTP_MAX_STRING &&
           ostler_mtp_name_to_guest(name, again) == n_units &&
           memcmp(again, units, n_units * sizeof(*units)) == 0;
}

char *ostler_mtp_name_to_host(const uint16_t *units, unsigned n_units)
{
    GString *name = g_string_new(NULL);

    if (!append_units(name, units, n_units) || !is_file_name(name) ||
        !comes_back(name->str, units, n_units)) {
        g_string_free(name, TRUE);
        return NULL;
    }
    return g_string_free(name, FALSE);
}
