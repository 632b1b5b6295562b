/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usbredir.h - packets of the USB redirection protocol, bytes to fields and back
 *
 * Only what a device behind QEMU's usb-redir receives and sends.  No socket, no state:
 * transport/usbredir-link.c holds the conversation.
 *
 * Sources:    usb-redirection-protocol.md 0.7; numbers as in usbredirproto.h.
 * Units:      bytes; everything is little-endian on the wire.
 * Ownership:  a decoded packet points into the bytes it was decoded from.
 * Errors:     a packet that breaks the protocol is -1: the stream cannot go on.
 */
#pragma once

#include "mtp/usb-device.h"

typedef enum {
    OSTLER_USBREDIR_HELLO = 0,
    OSTLER_USBREDIR_DEVICE_CONNECT = 1,
    OSTLER_USBREDIR_DEVICE_DISCONNECT = 2,
    OSTLER_USBREDIR_RESET = 3,
    OSTLER_USBREDIR_INTERFACE_INFO = 4,
    OSTLER_USBREDIR_EP_INFO = 5,
    OSTLER_USBREDIR_SET_CONFIGURATION = 6,
    OSTLER_USBREDIR_GET_CONFIGURATION = 7,
    OSTLER_USBREDIR_CONFIGURATION_STATUS = 8,
    OSTLER_USBREDIR_SET_ALT_SETTING = 9,
    OSTLER_USBREDIR_GET_ALT_SETTING = 10,
    OSTLER_USBREDIR_ALT_SETTING_STATUS = 11,
    OSTLER_USBREDIR_START_INTERRUPT_RECEIVING = 15,
    OSTLER_USBREDIR_STOP_INTERRUPT_RECEIVING = 16,
    OSTLER_USBREDIR_INTERRUPT_RECEIVING_STATUS = 17,
    OSTLER_USBREDIR_CANCEL_DATA_PACKET = 21,
    OSTLER_USBREDIR_CONTROL_PACKET = 100,
    OSTLER_USBREDIR_BULK_PACKET = 101,
    OSTLER_USBREDIR_INTERRUPT_PACKET = 103,
} OstlerUsbredirType;

/* usb_redir_success and on. */
typedef enum {
    OSTLER_USBREDIR_SUCCESS = 0,
    OSTLER_USBREDIR_CANCELLED = 1,
    OSTLER_USBREDIR_INVALID = 2,
    OSTLER_USBREDIR_STALL = 4,
} OstlerUsbredirStatus;

/* Bits of the hello packet's capabilities. */
enum {
    OSTLER_USBREDIR_CAP_DEVICE_VERSION = 1u << 1,
    OSTLER_USBREDIR_CAP_MAX_PACKET_SIZE = 1u << 4,
    OSTLER_USBREDIR_CAP_WIDE_IDS = 1u << 5,
    OSTLER_USBREDIR_CAP_WIDE_BULK = 1u << 6,
};

/* What both sides must have: it fixes the layouts below, and QEMU has all of it
 * since 1.5 (it refuses a peer on xHCI without the last three). */
#define OSTLER_USBREDIR_CAPS                                                           \
    (OSTLER_USBREDIR_CAP_DEVICE_VERSION | OSTLER_USBREDIR_CAP_MAX_PACKET_SIZE |        \
     OSTLER_USBREDIR_CAP_WIDE_IDS | OSTLER_USBREDIR_CAP_WIDE_BULK)

/* Header and bulk header together; at most OSTLER_USB_HEADROOM. */
#define OSTLER_USBREDIR_BULK_HEAD (16 + 10)

typedef struct {
    uint32_t type; /* OstlerUsbredirType, or one that is skipped */
    uint64_t id;
    uint32_t capabilities; /* hello */
    uint8_t configuration; /* set_configuration, configuration_status */
    uint8_t interface;     /* set_, get_alt_setting, alt_setting_status */
    uint8_t alt;
    uint8_t endpoint; /* data and interrupt packets */
    uint8_t status;
    OstlerUsbSetup setup; /* control */
    uint32_t length;      /* bulk, interrupt: bytes wanted or carried */
    uint32_t stream;      /* bulk */
    const uint8_t *data;  /* what follows the type's own header */
    size_t size;
} OstlerUsbredirPacket;

/*
 * Take the first packet off @bytes; hello has narrow ids, all others wide ones.
 * Returns: the packet's size, 0 when more bytes are needed (@out_needed in all), or -1.
 */
gssize ostler_usbredir_decode(const uint8_t *bytes, size_t size, bool is_hello,
                              OstlerUsbredirPacket *out_packet, size_t *out_needed);

/* Append @packet with its @data to @array; the length fields are worked out. */
void ostler_usbredir_encode(const OstlerUsbredirPacket *packet, GByteArray *array);

/* Write the head of a bulk packet that @carried bytes follow. */
void ostler_usbredir_encode_bulk_head(const OstlerUsbredirPacket *packet,
                                      size_t carried,
                                      uint8_t out_head[OSTLER_USBREDIR_BULK_HEAD]);

/* The two packets that describe our endpoints and interface, and device_connect. */
void ostler_usbredir_encode_description(const OstlerUsbIdentity *identity,
                                        GByteArray *array);
