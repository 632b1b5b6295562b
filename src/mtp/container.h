/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * container.h - MTP's containers in USB transfers: where each begins and ends
 *
 * A transaction is a command container, perhaps a data container, and a response
 * container, each in transfers of its own that end with a short packet.  Of data, only
 * the 12 bytes of the header are ever held here; the payload passes by as spans.
 *
 * Sources:    Still Image Capture Device class 1.0 chapter 7; MTP 1.1 appendix H for
 *             lengths that 32 bits do not hold.
 * Units:      bytes.
 * Errors:     a container that makes no sense is false, for the caller to answer.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OSTLER_MTP_HEADER     12
#define OSTLER_MTP_MAX_PARAMS 5

/* The length field of a container whose end only a short packet tells. */
#define OSTLER_MTP_UNKNOWN_LENGTH 0xffffffffu

typedef enum {
    OSTLER_MTP_CONTAINER_COMMAND = 1,
    OSTLER_MTP_CONTAINER_DATA = 2,
    OSTLER_MTP_CONTAINER_RESPONSE = 3,
    OSTLER_MTP_CONTAINER_EVENT = 4,
} OstlerMtpContainerType;

/* An operation request, a response or an event: a code and its parameters. */
typedef struct {
    uint16_t type;
    uint16_t code;
    uint32_t transaction;
    uint32_t params[OSTLER_MTP_MAX_PARAMS]; /* 0 where none was sent */
    unsigned n_params;
} OstlerMtpContainer;

/* Decode a whole command, response or event. */
bool ostler_mtp_container_decode(const uint8_t *bytes, size_t size,
                                 OstlerMtpContainer *out_container);
/* Encode into @out; returns the size, at most 32. */
size_t ostler_mtp_container_encode(const OstlerMtpContainer *container,
                                   uint8_t out[32]);

/* Write the header of a data container that @payload bytes follow. */
void ostler_mtp_data_header(uint16_t code, uint32_t transaction, uint64_t payload,
                            uint8_t out[OSTLER_MTP_HEADER]);

/*
 * The data phase from the initiator, transfer by transfer.  Zero-initialise, then call
 * ostler_mtp_inbound_feed() with each transfer until ->is_ended.
 */
typedef struct {
    uint8_t header[OSTLER_MTP_HEADER];
    uint64_t received; /* with the header */
    uint64_t length;   /* with the header; G_MAXUINT64 until a short packet tells */
    uint16_t code;
    uint32_t transaction;
    bool is_ended;
    bool is_broken; /* no data container, or it ended early: is_ended as well */
} OstlerMtpInbound;

/*
 * Take one transfer; @is_short says that a short packet ended it.  An initiator may
 * send the header in a transfer of its own or together with the payload.
 * Returns: the payload's bytes in it, *out_size of them (may be 0).
 */
const uint8_t *ostler_mtp_inbound_feed(OstlerMtpInbound *inbound, const uint8_t *bytes,
                                       size_t size, bool is_short, size_t *out_size);
