/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/transport/usbip.h"

#include "wire/reader.h"
#include "wire/writer.h"

#include <string.h>

#define VERSION      0x0111
#define REP_IMPORT   0x0003
#define REP_DEVLIST  0x0005
#define RET_SUBMIT   3
#define RET_UNLINK   4
#define SPEED_HIGH   3 /* Linux, include/uapi/linux/usb/ch9.h */
#define DEVICE_SIZE  312
#define MAX_ENDPOINT 15

bool ostler_usbip_decode_request(const uint8_t bytes[OSTLER_USBIP_REQUEST_SIZE],
                                 OstlerUsbipRequest *out_request)
{
    OstlerReader reader = ostler_reader_of(bytes, OSTLER_USBIP_REQUEST_SIZE);
    uint32_t version = ostler_reader_be16(&reader);
    uint32_t code = ostler_reader_be16(&reader);

    *out_request = code;
    return version == VERSION &&
           (code == OSTLER_USBIP_REQ_IMPORT || code == OSTLER_USBIP_REQ_DEVLIST);
}

static OstlerUsbSetup decode_setup(OstlerReader *reader)
{
    OstlerUsbSetup setup;

    setup.request_type = ostler_reader_u8(reader);
    setup.request = ostler_reader_u8(reader);
    setup.value = ostler_reader_le16(reader); /* as on the bus: USB 2.0 9.3 */
    setup.index = ostler_reader_le16(reader);
    setup.length = ostler_reader_le16(reader);
    return setup;
}

/* Table "USBIP_CMD_SUBMIT". */
static bool decode_submit(OstlerReader *reader, OstlerUsbipCommand *command)
{
    command->flags = ostler_reader_be32(reader);
    command->length = ostler_reader_be32(reader);
    ostler_reader_skip(reader, 4); /* start frame */
    uint32_t n_packets = ostler_reader_be32(reader);
    ostler_reader_skip(reader, 4); /* interval */
    command->setup = decode_setup(reader);
    /* Packets are isochronous; "none" is written both ways. */
    return (n_packets == 0 || n_packets == 0xffffffff) &&
           command->length <= OSTLER_USB_MAX_TRANSFER;
}

bool ostler_usbip_decode_command(const uint8_t bytes[OSTLER_USBIP_COMMAND_SIZE],
                                 OstlerUsbipCommand *out_command)
{
    OstlerReader reader = ostler_reader_of(bytes, OSTLER_USBIP_COMMAND_SIZE);

    *out_command = (OstlerUsbipCommand){ .code = ostler_reader_be32(&reader) };
    out_command->sequence = ostler_reader_be32(&reader);
    ostler_reader_skip(&reader, 4); /* device: there is one */
    uint32_t is_in = ostler_reader_be32(&reader);
    uint32_t endpoint = ostler_reader_be32(&reader);
    if (is_in > 1 || endpoint > MAX_ENDPOINT) {
        return false;
    }
    out_command->endpoint = (uint8_t)(endpoint | is_in << 7);
    switch (out_command->code) {
    case OSTLER_USBIP_SUBMIT:
        return decode_submit(&reader, out_command);
    case OSTLER_USBIP_UNLINK:
        out_command->unlinked = ostler_reader_be32(&reader);
        return true;
    }
    return false;
}

/* ---- answers ---- */

static void put(GByteArray *array, uint32_t value, unsigned n_bytes)
{
    uint8_t bytes[4];

    ostler_put_be(bytes, value, n_bytes);
    g_byte_array_append(array, bytes, n_bytes);
}

static void put_text(GByteArray *array, const char *text, guint size)
{
    guint start = array->len;

    g_byte_array_set_size(array, start + size);
    memset(array->data + start, 0, size);
    memcpy(array->data + start, text, MIN(strlen(text), size - 1));
}

static void put_head(GByteArray *array, uint16_t code, uint32_t status)
{
    put(array, VERSION, 2);
    put(array, code, 2);
    put(array, status, 4);
}

/* What both answers say of a device: its interface's class is not among it. */
static void put_device(GByteArray *array, const OstlerUsbIdentity *identity)
{
    guint start = array->len;

    put_text(array, "/sys/devices/ostler/usb1/" OSTLER_USBIP_BUS_ID, 256);
    put_text(array, OSTLER_USBIP_BUS_ID, OSTLER_USBIP_BUS_ID_SIZE);
    put(array, 1, 4); /* bus */
    put(array, 1, 4); /* device on it */
    put(array, SPEED_HIGH, 4);
    put(array, identity->vendor_id, 2);
    put(array, identity->product_id, 2);
    put(array, identity->version, 2);
    put(array, 0, 3); /* class, subclass, protocol: the interface says */
    put(array, 0, 1); /* configuration: none yet */
    put(array, 1, 1); /* configurations */
    put(array, 1, 1); /* interfaces */
    g_assert(array->len - start == DEVICE_SIZE);
}

void ostler_usbip_encode_devices(const OstlerUsbIdentity *identity, GByteArray *array)
{
    static const uint8_t still_image[] = { 6, 1, 1, 0 };

    put_head(array, REP_DEVLIST, 0);
    put(array, 1, 4);
    put_device(array, identity);
    g_byte_array_append(array, still_image, sizeof(still_image));
}

void ostler_usbip_encode_import(const OstlerUsbIdentity *identity,
                                OstlerUsbipImport status, GByteArray *array)
{
    put_head(array, REP_IMPORT, status);
    if (status == OSTLER_USBIP_IMPORTED) {
        put_device(array, identity);
    }
}

static void encode_answer(uint32_t code, uint32_t sequence, OstlerUsbipResult result,
                          uint32_t actual, uint8_t out_head[OSTLER_USBIP_COMMAND_SIZE])
{
    OstlerWriter writer = ostler_writer_of(out_head, OSTLER_USBIP_COMMAND_SIZE);

    memset(out_head, 0, OSTLER_USBIP_COMMAND_SIZE);
    ostler_writer_be32(&writer, code);
    ostler_writer_be32(&writer, sequence);
    ostler_writer_be32(&writer, 0); /* device, direction, endpoint: not in answers */
    ostler_writer_be32(&writer, 0);
    ostler_writer_be32(&writer, 0);
    ostler_writer_be32(&writer, (uint32_t)result);
    ostler_writer_be32(&writer, actual);
}

void ostler_usbip_encode_submitted(uint32_t sequence, OstlerUsbipResult result,
                                   uint32_t actual,
                                   uint8_t out_head[OSTLER_USBIP_COMMAND_SIZE])
{
    encode_answer(RET_SUBMIT, sequence, result, actual, out_head);
}

void ostler_usbip_encode_unlinked(uint32_t sequence, OstlerUsbipResult result,
                                  uint8_t out_head[OSTLER_USBIP_COMMAND_SIZE])
{
    encode_answer(RET_UNLINK, sequence, result, 0, out_head);
}
