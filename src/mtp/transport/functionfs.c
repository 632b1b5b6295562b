/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/transport/functionfs.h"

#include "mtp/bytes.h"
#include "wire/reader.h"

#include <string.h>

#define DESCRIPTORS_MAGIC 3 /* FUNCTIONFS_DESCRIPTORS_MAGIC_V2 */
#define STRINGS_MAGIC     2

enum { HAS_FULL = 1, HAS_HIGH = 2, HAS_SUPER = 4, HAS_MICROSOFT = 8 };

enum { INTERFACE = 4, ENDPOINT = 5, COMPANION = 48 };
enum { BULK = 2, INTERRUPT = 3 };

/* USB 2.0 5.8.3, USB 3.2 9.6.6; an interval is a power of two of microframes from high
 * speed on, and milliseconds before. */
static const struct {
    uint16_t packet;
    uint8_t interval;
    bool has_companions;
} speeds[] = {
    { 64, 4, false },
    { OSTLER_USB_MAX_PACKET, 6, false },
    { 1024, 6, true },
};

/* USB 2.0 table 9-12; 6/1/1 is Still Image. */
static void put_interface(GByteArray *array)
{
    static const uint8_t descriptor[] = {
        9, INTERFACE, 0, 0, OSTLER_FUNCTIONFS_ENDPOINTS, 6, 1, 1, 1,
    };
    g_byte_array_append(array, descriptor, sizeof(descriptor));
}

static void put_endpoint(GByteArray *array, uint8_t address, uint8_t kind,
                         uint16_t packet, uint8_t interval)
{
    ostler_bytes_u8(array, 7);
    ostler_bytes_u8(array, ENDPOINT);
    ostler_bytes_u8(array, address);
    ostler_bytes_u8(array, kind);
    ostler_bytes_le16(array, packet);
    ostler_bytes_u8(array, interval);
}

/* No bursts, no streams; of a periodic endpoint how much comes in an interval. */
static void put_companion(GByteArray *array, uint16_t per_interval)
{
    ostler_bytes_u8(array, 6);
    ostler_bytes_u8(array, COMPANION);
    ostler_bytes_u8(array, 0);
    ostler_bytes_u8(array, 0);
    ostler_bytes_le16(array, per_interval);
}

static void put_speed(GByteArray *array, unsigned i)
{
    static const uint8_t bulk[] = { OSTLER_USB_BULK_IN, OSTLER_USB_BULK_OUT };

    put_interface(array);
    for (unsigned j = 0; j < G_N_ELEMENTS(bulk); j++) {
        put_endpoint(array, bulk[j], BULK, speeds[i].packet, 0);
        if (speeds[i].has_companions) {
            put_companion(array, 0);
        }
    }
    put_endpoint(array, OSTLER_USB_EVENT_IN, INTERRUPT, OSTLER_USB_MAX_EVENT,
                 speeds[i].interval);
    if (speeds[i].has_companions) {
        put_companion(array, OSTLER_USB_MAX_EVENT);
    }
}

/* Microsoft OS Descriptors 1.0, "Extended Compat ID", in FunctionFS's form. */
static void put_microsoft(GByteArray *array)
{
    static const uint8_t compatible[24] = { 0, 1, 'M', 'T', 'P' };

    ostler_bytes_u8(array, 0); /* interface */
    ostler_bytes_le32(array, 10 + 1 + sizeof(compatible) - 1);
    ostler_bytes_le16(array, 1); /* version */
    ostler_bytes_le16(array, 4); /* extended compatible ids */
    ostler_bytes_u8(array, 1);   /* one of them */
    ostler_bytes_u8(array, 0);
    g_byte_array_append(array, compatible, sizeof(compatible));
}

static void put_length(GByteArray *array)
{
    const uint32_t length = GUINT32_TO_LE(array->len);

    memcpy(array->data + 4, &length, sizeof(length));
}

GByteArray *ostler_functionfs_descriptors(void)
{
    GByteArray *array = g_byte_array_new();

    ostler_bytes_le32(array, DESCRIPTORS_MAGIC);
    ostler_bytes_le32(array, 0); /* the length, when it is known */
    ostler_bytes_le32(array, HAS_FULL | HAS_HIGH | HAS_SUPER | HAS_MICROSOFT);
    for (unsigned i = 0; i < G_N_ELEMENTS(speeds); i++) {
        unsigned n = 1 + OSTLER_FUNCTIONFS_ENDPOINTS;
        ostler_bytes_le32(
            array, speeds[i].has_companions ? n + OSTLER_FUNCTIONFS_ENDPOINTS : n);
    }
    ostler_bytes_le32(array, 1); /* Microsoft's */
    for (unsigned i = 0; i < G_N_ELEMENTS(speeds); i++) {
        put_speed(array, i);
    }
    put_microsoft(array);
    put_length(array);
    return array;
}

/* One string, the interface's, in US English: by it hosts tell MTP from PTP. */
GByteArray *ostler_functionfs_strings(void)
{
    static const uint8_t text[] = "MTP";
    GByteArray *array = g_byte_array_new();

    ostler_bytes_le32(array, STRINGS_MAGIC);
    ostler_bytes_le32(array, 0);
    ostler_bytes_le32(array, 1); /* strings */
    ostler_bytes_le32(array, 1); /* languages */
    ostler_bytes_le16(array, 0x0409);
    g_byte_array_append(array, text, sizeof(text));
    put_length(array);
    return array;
}

OstlerFunctionfsEvent ostler_functionfs_decode(
    const uint8_t bytes[OSTLER_GADGET_EVENT_SIZE], OstlerUsbSetup *out_setup)
{
    OstlerReader reader = ostler_reader_of(bytes, OSTLER_GADGET_EVENT_SIZE);

    out_setup->request_type = ostler_reader_u8(&reader);
    out_setup->request = ostler_reader_u8(&reader);
    out_setup->value = ostler_reader_le16(&reader);
    out_setup->index = ostler_reader_le16(&reader);
    out_setup->length = ostler_reader_le16(&reader);
    return ostler_reader_u8(&reader);
}
