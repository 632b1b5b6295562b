/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/transport/usbredir.h"

#include "mtp/bytes.h"
#include "wire/reader.h"

#include <string.h>

#define NARROW_HEAD 12
#define WIDE_HEAD   16

/* Everything but bulk data is small; control data has a 16-bit length. */
#define MAX_SMALL_PACKET (64 + 65536)

#define N_ENDPOINTS  32
#define N_INTERFACES 32

/* usb_redir_type_*, usb_redir_speed_* */
enum { TYPE_CONTROL = 0, TYPE_BULK = 2, TYPE_INTERRUPT = 3, TYPE_NONE = 255 };
enum { SPEED_HIGH = 2 };

/* ---- decoding: one function for each layout ---- */

typedef bool Decode(OstlerReader *reader, OstlerUsbredirPacket *packet);

static bool decode_nothing(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    return true;
}

static bool decode_hello(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    ostler_reader_skip(reader, 64); /* a version for people */
    packet->capabilities = ostler_reader_le32(reader);
    return true;
}

static bool decode_configuration(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    packet->configuration = ostler_reader_u8(reader);
    return true;
}

static bool decode_set_alt(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    packet->interface = ostler_reader_u8(reader);
    packet->alt = ostler_reader_u8(reader);
    return true;
}

static bool decode_get_alt(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    packet->interface = ostler_reader_u8(reader);
    return true;
}

static bool decode_endpoint(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    packet->endpoint = ostler_reader_u8(reader);
    return true;
}

/* Data to the device follows its header; of data to the host only the room is told. */
static bool is_data_right(const OstlerUsbredirPacket *packet, uint32_t length,
                          size_t carried)
{
    return packet->endpoint & 0x80 ? carried == 0 : carried == length;
}

static bool decode_control(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    packet->endpoint = ostler_reader_u8(reader);
    packet->setup.request = ostler_reader_u8(reader);
    packet->setup.request_type = ostler_reader_u8(reader);
    packet->status = ostler_reader_u8(reader);
    packet->setup.value = ostler_reader_le16(reader);
    packet->setup.index = ostler_reader_le16(reader);
    packet->setup.length = ostler_reader_le16(reader);
    return is_data_right(packet, packet->setup.length, ostler_reader_left(reader));
}

static bool decode_bulk(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    packet->endpoint = ostler_reader_u8(reader);
    packet->status = ostler_reader_u8(reader);
    packet->length = ostler_reader_le16(reader);
    packet->stream = ostler_reader_le32(reader);
    packet->length |= (uint32_t)ostler_reader_le16(reader) << 16;
    return is_data_right(packet, packet->length, ostler_reader_left(reader));
}

static bool decode_interrupt(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    packet->endpoint = ostler_reader_u8(reader);
    packet->status = ostler_reader_u8(reader);
    packet->length = ostler_reader_le16(reader);
    return is_data_right(packet, packet->length, ostler_reader_left(reader));
}

static const struct {
    OstlerUsbredirType type;
    Decode *decode;
} layouts[] = {
    { OSTLER_USBREDIR_HELLO, decode_hello },
    { OSTLER_USBREDIR_RESET, decode_nothing },
    { OSTLER_USBREDIR_SET_CONFIGURATION, decode_configuration },
    { OSTLER_USBREDIR_GET_CONFIGURATION, decode_nothing },
    { OSTLER_USBREDIR_SET_ALT_SETTING, decode_set_alt },
    { OSTLER_USBREDIR_GET_ALT_SETTING, decode_get_alt },
    { OSTLER_USBREDIR_START_INTERRUPT_RECEIVING, decode_endpoint },
    { OSTLER_USBREDIR_STOP_INTERRUPT_RECEIVING, decode_endpoint },
    { OSTLER_USBREDIR_CANCEL_DATA_PACKET, decode_nothing },
    { OSTLER_USBREDIR_CONTROL_PACKET, decode_control },
    { OSTLER_USBREDIR_BULK_PACKET, decode_bulk },
    { OSTLER_USBREDIR_INTERRUPT_PACKET, decode_interrupt },
};

static Decode *find_layout(uint32_t type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
        if (layouts[i].type == type) {
            return layouts[i].decode;
        }
    }
    return decode_nothing; /* later versions may say more than we know */
}

static bool decode_body(OstlerReader *reader, OstlerUsbredirPacket *packet)
{
    if (!find_layout(packet->type)(reader, packet) || reader->failed) {
        return false;
    }
    packet->size = ostler_reader_left(reader);
    packet->data = ostler_reader_take(reader, packet->size);
    return true;
}

static size_t longest(uint32_t type)
{
    return type == OSTLER_USBREDIR_BULK_PACKET ? 10 + OSTLER_USB_MAX_TRANSFER
                                               : MAX_SMALL_PACKET;
}

gssize ostler_usbredir_decode(const uint8_t *bytes, size_t size, bool is_hello,
                              OstlerUsbredirPacket *out_packet, size_t *out_needed)
{
    size_t head = is_hello ? NARROW_HEAD : WIDE_HEAD;
    OstlerReader reader = ostler_reader_of(bytes, size);

    *out_packet = (OstlerUsbredirPacket){ .type = ostler_reader_le32(&reader) };
    uint32_t length = ostler_reader_le32(&reader);
    out_packet->id =
        is_hello ? ostler_reader_le32(&reader) : ostler_reader_le64(&reader);
    *out_needed = head;
    if (reader.failed) {
        return 0;
    }

    /* The hello comes first and once. */
    if (length > longest(out_packet->type) ||
        is_hello != (out_packet->type == OSTLER_USBREDIR_HELLO)) {
        return -1;
    }
    *out_needed = head + length;
    if (size < *out_needed) {
        return 0;
    }

    reader = ostler_reader_of(bytes + head, length);
    return decode_body(&reader, out_packet) ? (gssize)*out_needed : -1;
}

/* ---- encoding ---- */

static void encode_hello(const OstlerUsbredirPacket *packet, GByteArray *array)
{
    static const char version[64] = "ostler-mtp";

    g_byte_array_append(array, (const uint8_t *)version, sizeof(version));
    ostler_bytes_le32(array, packet->capabilities);
}

static void encode_configuration_status(const OstlerUsbredirPacket *packet,
                                        GByteArray *array)
{
    ostler_bytes_u8(array, packet->status);
    ostler_bytes_u8(array, packet->configuration);
}

static void encode_alt_status(const OstlerUsbredirPacket *packet, GByteArray *array)
{
    ostler_bytes_u8(array, packet->status);
    ostler_bytes_u8(array, packet->interface);
    ostler_bytes_u8(array, packet->alt);
}

static void encode_interrupt_status(const OstlerUsbredirPacket *packet,
                                    GByteArray *array)
{
    ostler_bytes_u8(array, packet->status);
    ostler_bytes_u8(array, packet->endpoint);
}

static void encode_control(const OstlerUsbredirPacket *packet, GByteArray *array)
{
    ostler_bytes_u8(array, packet->endpoint);
    ostler_bytes_u8(array, packet->setup.request);
    ostler_bytes_u8(array, packet->setup.request_type);
    ostler_bytes_u8(array, packet->status);
    ostler_bytes_le16(array, packet->setup.value);
    ostler_bytes_le16(array, packet->setup.index);
    ostler_bytes_le16(array, packet->setup.length);
}

static void encode_interrupt(const OstlerUsbredirPacket *packet, GByteArray *array)
{
    ostler_bytes_u8(array, packet->endpoint);
    ostler_bytes_u8(array, packet->status);
    ostler_bytes_le16(array, (uint16_t)packet->size);
}

static const struct {
    OstlerUsbredirType type;
    void (*encode)(const OstlerUsbredirPacket *packet, GByteArray *array);
} writers[] = {
    { OSTLER_USBREDIR_HELLO, encode_hello },
    { OSTLER_USBREDIR_CONFIGURATION_STATUS, encode_configuration_status },
    { OSTLER_USBREDIR_ALT_SETTING_STATUS, encode_alt_status },
    { OSTLER_USBREDIR_INTERRUPT_RECEIVING_STATUS, encode_interrupt_status },
    { OSTLER_USBREDIR_CONTROL_PACKET, encode_control },
    { OSTLER_USBREDIR_INTERRUPT_PACKET, encode_interrupt },
};

static void append_head(GByteArray *array, uint32_t type, uint64_t id)
{
    ostler_bytes_le32(array, type);
    ostler_bytes_le32(array, 0); /* the length, when it is known */
    if (type == OSTLER_USBREDIR_HELLO) {
        ostler_bytes_le32(array, (uint32_t)id);
    } else {
        ostler_bytes_le64(array, id);
    }
}

/* Fill in the length of the packet that begins at @start and ends here. */
static void close_packet(GByteArray *array, guint start, size_t head)
{
    uint32_t length = GUINT32_TO_LE(array->len - start - (uint32_t)head);

    memcpy(array->data + start + 4, &length, sizeof(length));
}

void ostler_usbredir_encode(const OstlerUsbredirPacket *packet, GByteArray *array)
{
    guint start = array->len;

    append_head(array, packet->type, packet->id);
    for (size_t i = 0; i < G_N_ELEMENTS(writers); i++) {
        if (writers[i].type == packet->type) {
            writers[i].encode(packet, array);
        }
    }
    if (packet->size > 0) {
        g_byte_array_append(array, packet->data, (guint)packet->size);
    }
    close_packet(array, start,
                 packet->type == OSTLER_USBREDIR_HELLO ? NARROW_HEAD : WIDE_HEAD);
}

static void put_le(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

void ostler_usbredir_encode_bulk_head(const OstlerUsbredirPacket *packet,
                                      size_t carried,
                                      uint8_t out_head[OSTLER_USBREDIR_BULK_HEAD])
{
    put_le(out_head, OSTLER_USBREDIR_BULK_PACKET, 4);
    put_le(out_head + 4, 10 + carried, 4);
    put_le(out_head + 8, packet->id, 8);
    out_head[16] = packet->endpoint;
    out_head[17] = packet->status;
    put_le(out_head + 18, packet->length & 0xffff, 2);
    put_le(out_head + 20, packet->stream, 4);
    put_le(out_head + 24, packet->length >> 16, 2);
}

/* The tables below have a row for each endpoint: 0-15 to the device, 16-31 to us. */
static unsigned slot(uint8_t address)
{
    return (address & 0x0fu) | (address & 0x80u ? 16u : 0u);
}

static void encode_ep_info(GByteArray *array)
{
    uint8_t types[N_ENDPOINTS];
    uint8_t intervals[N_ENDPOINTS] = { 0 };
    uint16_t sizes[N_ENDPOINTS] = { 0 };

    memset(types, TYPE_NONE, sizeof(types));
    types[slot(0x00)] = types[slot(0x80)] = TYPE_CONTROL;
    types[slot(OSTLER_USB_BULK_IN)] = types[slot(OSTLER_USB_BULK_OUT)] = TYPE_BULK;
    types[slot(OSTLER_USB_EVENT_IN)] = TYPE_INTERRUPT;
    intervals[slot(OSTLER_USB_EVENT_IN)] =
        OSTLER_USB_EVENT_INTERVAL; /* QEMU refuses 0 */
    sizes[slot(0x00)] = sizes[slot(0x80)] = 64;
    sizes[slot(OSTLER_USB_BULK_IN)] = OSTLER_USB_MAX_PACKET;
    sizes[slot(OSTLER_USB_BULK_OUT)] = OSTLER_USB_MAX_PACKET;
    sizes[slot(OSTLER_USB_EVENT_IN)] = OSTLER_USB_MAX_EVENT;

    guint start = array->len;
    append_head(array, OSTLER_USBREDIR_EP_INFO, 0);
    g_byte_array_append(array, types, N_ENDPOINTS);
    g_byte_array_append(array, intervals, N_ENDPOINTS);
    ostler_bytes_zero(array, N_ENDPOINTS); /* all belong to interface 0 */
    for (unsigned i = 0; i < N_ENDPOINTS; i++) {
        ostler_bytes_le16(array, sizes[i]);
    }
    close_packet(array, start, WIDE_HEAD);
}

static void encode_interface_info(GByteArray *array)
{
    static const uint8_t still_image[] = { 6, 1, 1 }; /* class, subclass, protocol */
    guint start = array->len;

    append_head(array, OSTLER_USBREDIR_INTERFACE_INFO, 0);
    ostler_bytes_le32(array, 1);
    ostler_bytes_zero(array, N_INTERFACES); /* it is interface 0 */
    for (size_t i = 0; i < sizeof(still_image); i++) {
        ostler_bytes_u8(array, still_image[i]);
        ostler_bytes_zero(array, N_INTERFACES - 1);
    }
    close_packet(array, start, WIDE_HEAD);
}

static void encode_device_connect(const OstlerUsbIdentity *identity, GByteArray *array)
{
    guint start = array->len;

    append_head(array, OSTLER_USBREDIR_DEVICE_CONNECT, 0);
    ostler_bytes_u8(array, SPEED_HIGH);
    ostler_bytes_zero(array, 3); /* the class is the interface's */
    ostler_bytes_le16(array, identity->vendor_id);
    ostler_bytes_le16(array, identity->product_id);
    ostler_bytes_le16(array, identity->version);
    close_packet(array, start, WIDE_HEAD);
}

void ostler_usbredir_encode_description(const OstlerUsbIdentity *identity,
                                        GByteArray *array)
{
    encode_ep_info(array);
    encode_interface_info(array);
    encode_device_connect(identity, array);
}
