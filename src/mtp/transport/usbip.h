/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usbip.h - the messages of USB/IP, bytes to fields and back
 *
 * First a client asks for the list of devices, or to import one; after an import the
 * connection carries USB requests (URBs).  No I/O here: usbip-link.h has the conversation.
 *
 * Sources:    Linux, Documentation/usb/usbip_protocol.rst, version 1.1.1.
 * Units:      bytes; all numbers are big-endian.
 */
#pragma once

#include "mtp/usb-device.h"

#define OSTLER_USBIP_PORT 3240

/* The one device that is exported. */
#define OSTLER_USBIP_BUS_ID "1-1"

#define OSTLER_USBIP_REQUEST_SIZE 8
#define OSTLER_USBIP_BUS_ID_SIZE  32
#define OSTLER_USBIP_COMMAND_SIZE 48 /* at most OSTLER_USB_HEADROOM, answers as well */

typedef enum {
    OSTLER_USBIP_REQ_IMPORT = 0x8003,
    OSTLER_USBIP_REQ_DEVLIST = 0x8005,
} OstlerUsbipRequest;

/* The status of an import's answer. */
typedef enum {
    OSTLER_USBIP_IMPORTED = 0,
    OSTLER_USBIP_NO_DEVICE = 1,
    OSTLER_USBIP_BUSY = 2,
} OstlerUsbipImport;

typedef enum {
    OSTLER_USBIP_SUBMIT = 1,
    OSTLER_USBIP_UNLINK = 2,
} OstlerUsbipCommandCode;

/* Results are negative numbers of Linux's asm-generic/errno.h. */
typedef enum {
    OSTLER_USBIP_DONE = 0,
    OSTLER_USBIP_STALLED = -32,   /* EPIPE */
    OSTLER_USBIP_UNLINKED = -104, /* ECONNRESET */
    OSTLER_USBIP_SHORT = -121,    /* EREMOTEIO: of a request that allowed none */
} OstlerUsbipResult;

/* A request that lets no IN transfer be short: Linux, include/linux/usb.h. */
#define OSTLER_USBIP_SHORT_NOT_OK 0x0001u

typedef struct {
    OstlerUsbipCommandCode code;
    uint32_t sequence;
    uint8_t endpoint; /* with bit 7 for the direction */
    uint32_t flags;
    uint32_t length; /* wanted, or of the data that follow */
    OstlerUsbSetup setup;
    uint32_t unlinked; /* UNLINK: the sequence number of a SUBMIT */
} OstlerUsbipCommand;

/* The code of a request's head; false for what is of another version, or unknown. */
bool ostler_usbip_decode_request(const uint8_t bytes[OSTLER_USBIP_REQUEST_SIZE],
                                 OstlerUsbipRequest *out_request);
/* False for what no host sends to this device, and for lengths over its limit. */
bool ostler_usbip_decode_command(const uint8_t bytes[OSTLER_USBIP_COMMAND_SIZE],
                                 OstlerUsbipCommand *out_command);

/* Append the answer to a request. */
void ostler_usbip_encode_devices(const OstlerUsbIdentity *identity, GByteArray *array);
void ostler_usbip_encode_import(const OstlerUsbIdentity *identity,
                                OstlerUsbipImport status, GByteArray *array);

/* The head of what answers a SUBMIT; of an IN transfer @actual bytes follow. */
void ostler_usbip_encode_submitted(uint32_t sequence, OstlerUsbipResult result,
                                   uint32_t actual,
                                   uint8_t out_head[OSTLER_USBIP_COMMAND_SIZE]);
void ostler_usbip_encode_unlinked(uint32_t sequence, OstlerUsbipResult result,
                                  uint8_t out_head[OSTLER_USBIP_COMMAND_SIZE]);
