/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operations.h - what session.c's table runs, and the session as operations see it
 *
 * For src/mtp/ alone.  An operation checks its request and answers with a response code;
 * it may add response parameters, and fill the dataset or open the file that becomes the
 * data phase to the initiator.  One with a data phase from the initiator runs when that
 * is over: its bytes are in ->inbox, or went to ->consume as they came.
 *
 * Sources:    MTP 1.1 appendix D; the numbers beside the functions are its.
 */
#pragma once

#include "mtp/session.h"

typedef OstlerMtpCode OstlerMtpOperation(OstlerMtpSession *session,
                                         const OstlerMtpContainer *request);

/* The last thumbnail made: an initiator asks for its bytes and its size in turn. */
typedef struct {
    uint32_t handle; /* 0: there was none yet */
    int64_t modified;
    uint64_t size;
    GBytes *bytes; /* NULL: the image has none */
} OstlerMtpThumb;

/* Take a piece of the data phase; ->consumed bytes of it came before. */
typedef OstlerMtpCode OstlerMtpConsume(OstlerMtpSession *session,
                                       const OstlerMtpContainer *request,
                                       const uint8_t *bytes, size_t size);

struct OstlerMtpSession {
    OstlerMtpStore *store;
    const OstlerMtpDeviceIdentity *identity;
    uint32_t id; /* 0: closed */

    /* the transaction */
    OstlerMtpContainer request;
    OstlerMtpContainer response;
    int row; /* in operations[], or -1 */

    /* its data phase to the initiator: a dataset or a part of a file */
    GByteArray *dataset;
    OstlerRootFile *file;
    unsigned file_storage;
    uint64_t file_offset;
    uint64_t size;
    uint64_t produced;
    OstlerMtpCode producing; /* the first thing that went wrong with it */

    /* its data phase from the initiator */
    GByteArray *inbox;
    uint64_t consumed;
    OstlerMtpCode consuming; /* the first thing that went wrong with it */

    bool has_thumbs;  /* somebody makes them */
    bool wants_thumb; /* of ->file */
    OstlerMtpThumb thumb;

    /* from SendObjectInfo to SendObject */
    OstlerMtpSentInfo sent;
};

void ostler_mtp_session_add_param(OstlerMtpSession *session, uint32_t value);
/* Start the dataset of the data phase to the initiator. */
GByteArray *ostler_mtp_session_dataset(OstlerMtpSession *session);
/* GetDeviceInfo's list, from the table. */
void ostler_mtp_session_put_operations(GByteArray *array);

/* operations-device.c */
OstlerMtpOperation ostler_mtp_op_get_device_info;
OstlerMtpOperation ostler_mtp_op_open_session;
OstlerMtpOperation ostler_mtp_op_close_session;
OstlerMtpOperation ostler_mtp_op_get_storage_ids;
OstlerMtpOperation ostler_mtp_op_get_storage_info;
OstlerMtpOperation ostler_mtp_op_get_device_prop_desc;
OstlerMtpOperation ostler_mtp_op_get_device_prop_value;
OstlerMtpOperation ostler_mtp_op_set_device_prop_value;
OstlerMtpOperation ostler_mtp_op_reset_device_prop_value;
OstlerMtpOperation ostler_mtp_op_format_store;
OstlerMtpOperation ostler_mtp_op_reset_device;

/* operations-read.c */
OstlerMtpOperation ostler_mtp_op_get_num_objects;
OstlerMtpOperation ostler_mtp_op_get_object_handles;
OstlerMtpOperation ostler_mtp_op_get_object_info;
OstlerMtpOperation ostler_mtp_op_get_object;
OstlerMtpOperation ostler_mtp_op_get_thumb;
OstlerMtpOperation ostler_mtp_op_get_partial_object;
OstlerMtpOperation ostler_mtp_op_get_partial_object_64;
OstlerMtpOperation ostler_mtp_op_get_object_props_supported;
OstlerMtpOperation ostler_mtp_op_get_object_prop_desc;
OstlerMtpOperation ostler_mtp_op_get_object_prop_value;
OstlerMtpOperation ostler_mtp_op_get_object_prop_list;
OstlerMtpOperation ostler_mtp_op_get_object_references;

/* operations-write.c */
OstlerMtpOperation ostler_mtp_op_delete_object;
OstlerMtpOperation ostler_mtp_op_send_object_info;
OstlerMtpOperation ostler_mtp_op_send_object;
OstlerMtpOperation ostler_mtp_op_set_object_protection;
OstlerMtpOperation ostler_mtp_op_move_object;
OstlerMtpOperation ostler_mtp_op_copy_object;
OstlerMtpOperation ostler_mtp_op_send_partial_object;
OstlerMtpOperation ostler_mtp_op_truncate_object;
OstlerMtpOperation ostler_mtp_op_begin_edit_object;
OstlerMtpOperation ostler_mtp_op_end_edit_object;
OstlerMtpOperation ostler_mtp_op_set_object_prop_value;
OstlerMtpOperation ostler_mtp_op_set_object_prop_list;
OstlerMtpOperation ostler_mtp_op_send_object_prop_list;
OstlerMtpConsume ostler_mtp_op_consume_object;
OstlerMtpConsume ostler_mtp_op_consume_part;
