/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/session.h"

#include "mtp/bytes.h"
#include "mtp/operations.h"

#include <string.h>

/* No dataset from an initiator is larger; what is over it is not kept. */
#define MAX_DATASET (1u << 20)

void ostler_mtp_session_add_param(OstlerMtpSession *session, uint32_t value)
{
    session->response.params[session->response.n_params++] = value;
}

GByteArray *ostler_mtp_session_dataset(OstlerMtpSession *session)
{
    g_byte_array_set_size(session->dataset, 0);
    return session->dataset;
}

/* ---- the table ---- */

/* Everything the responder can do, in code order: GetDeviceInfo's list of operations
 * and the tests are both made from this table. */
static const struct {
    uint16_t code;
    OstlerMtpPhase phase;
    bool is_sessionless; /* allowed before OpenSession */
    OstlerMtpOperation
        *run;         /* at the end of the data phase from the initiator, else before */
    const char *name; /* as in the specification, for the log */
    OstlerMtpConsume *consume; /* takes its data as it comes; NULL: it is collected */
} operations[] = {
    { 0x1001, OSTLER_MTP_DATA_TO_INITIATOR, true, ostler_mtp_op_get_device_info,
      "GetDeviceInfo" },
    { 0x1002, OSTLER_MTP_NO_DATA, true, ostler_mtp_op_open_session, "OpenSession" },
    { 0x1003, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_close_session, "CloseSession" },
    { 0x1004, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_storage_ids,
      "GetStorageIDs" },
    { 0x1005, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_storage_info,
      "GetStorageInfo" },
    { 0x1006, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_get_num_objects,
      "GetNumObjects" },
    { 0x1007, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_object_handles,
      "GetObjectHandles" },
    { 0x1008, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_object_info,
      "GetObjectInfo" },
    { 0x1009, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_object,
      "GetObject" },
    { 0x100a, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_thumb,
      "GetThumb" },
    { 0x100b, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_delete_object, "DeleteObject" },
    { 0x100c, OSTLER_MTP_DATA_FROM_INITIATOR, false, ostler_mtp_op_send_object_info,
      "SendObjectInfo" },
    { 0x100d, OSTLER_MTP_DATA_FROM_INITIATOR, false, ostler_mtp_op_send_object,
      "SendObject", ostler_mtp_op_consume_object },
    { 0x100f, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_format_store, "FormatStore" },
    { 0x1010, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_reset_device, "ResetDevice" },
    { 0x1012, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_set_object_protection,
      "SetObjectProtection" },
    { 0x1014, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_device_prop_desc,
      "GetDevicePropDesc" },
    { 0x1015, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_device_prop_value,
      "GetDevicePropValue" },
    { 0x1016, OSTLER_MTP_DATA_FROM_INITIATOR, false,
      ostler_mtp_op_set_device_prop_value, "SetDevicePropValue" },
    { 0x1017, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_reset_device_prop_value,
      "ResetDevicePropValue" },
    { 0x1019, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_move_object, "MoveObject" },
    { 0x101a, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_copy_object, "CopyObject" },
    { 0x101b, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_partial_object,
      "GetPartialObject" },
    { 0x95c1, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_partial_object_64,
      "GetPartialObject64" },
    { 0x95c2, OSTLER_MTP_DATA_FROM_INITIATOR, false, ostler_mtp_op_send_partial_object,
      "SendPartialObject", ostler_mtp_op_consume_part },
    { 0x95c3, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_truncate_object,
      "TruncateObject" },
    { 0x95c4, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_begin_edit_object,
      "BeginEditObject" },
    { 0x95c5, OSTLER_MTP_NO_DATA, false, ostler_mtp_op_end_edit_object,
      "EndEditObject" },
    { 0x9801, OSTLER_MTP_DATA_TO_INITIATOR, false,
      ostler_mtp_op_get_object_props_supported, "GetObjectPropsSupported" },
    { 0x9802, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_object_prop_desc,
      "GetObjectPropDesc" },
    { 0x9803, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_object_prop_value,
      "GetObjectPropValue" },
    { 0x9804, OSTLER_MTP_DATA_FROM_INITIATOR, false,
      ostler_mtp_op_set_object_prop_value, "SetObjectPropValue" },
    { 0x9805, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_object_prop_list,
      "GetObjectPropList" },
    { 0x9806, OSTLER_MTP_DATA_FROM_INITIATOR, false, ostler_mtp_op_set_object_prop_list,
      "SetObjectPropList" },
    { 0x9808, OSTLER_MTP_DATA_FROM_INITIATOR, false,
      ostler_mtp_op_send_object_prop_list, "SendObjectPropList" },
    { 0x9810, OSTLER_MTP_DATA_TO_INITIATOR, false, ostler_mtp_op_get_object_references,
      "GetObjectReferences" },
};

void ostler_mtp_session_put_operations(GByteArray *array)
{
    ostler_bytes_le32(array, G_N_ELEMENTS(operations));
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++) {
        ostler_bytes_le16(array, operations[i].code);
    }
}

static int find_operation(uint16_t code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++) {
        if (operations[i].code == code) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- a transaction ---- */

OstlerMtpSession *ostler_mtp_session_new(OstlerMtpStore *store,
                                         const OstlerMtpDeviceIdentity *identity)
{
    OstlerMtpSession *session = g_new0(OstlerMtpSession, 1);

    session->store = store;
    session->identity = identity;
    session->row = -1;
    session->producing = OSTLER_MTP_OK;
    session->dataset = g_byte_array_new();
    session->inbox = g_byte_array_new();
    return session;
}

void ostler_mtp_session_free(OstlerMtpSession *session)
{
    if (session) {
        ostler_mtp_session_close(session);
        g_clear_pointer(&session->thumb.bytes, g_bytes_unref);
        g_byte_array_unref(session->dataset);
        g_byte_array_unref(session->inbox);
        g_free(session);
    }
}

static void forget_transaction(OstlerMtpSession *session)
{
    g_clear_pointer(&session->file, ostler_root_file_free);
    g_byte_array_set_size(session->dataset, 0);
    g_byte_array_set_size(session->inbox, 0);
    session->row = -1;
    session->size = session->produced = session->consumed = 0;
    session->wants_thumb = false;
    session->producing = OSTLER_MTP_OK;
    session->consuming = OSTLER_MTP_OK;
}

void ostler_mtp_session_abandon(OstlerMtpSession *session)
{
    ostler_mtp_store_drop(session->store);
    forget_transaction(session);
}

void ostler_mtp_session_close(OstlerMtpSession *session)
{
    session->id = 0;
    ostler_mtp_session_abandon(session);
}

/* Whether the request can be carried out at all. */
static OstlerMtpCode check_request(const OstlerMtpSession *session)
{
    if (session->row < 0) {
        return OSTLER_MTP_OPERATION_NOT_SUPPORTED;
    }
    if (session->id == 0 && !operations[session->row].is_sessionless) {
        return OSTLER_MTP_SESSION_NOT_OPEN;
    }
    return OSTLER_MTP_OK;
}

static OstlerMtpPhase begin_producing(OstlerMtpSession *session)
{
    if (session->response.code != OSTLER_MTP_OK) {
        return OSTLER_MTP_NO_DATA;
    }
    if (session->wants_thumb) {
        return OSTLER_MTP_WANTS_THUMB;
    }
    if (!session->file) {
        session->size = session->dataset->len;
    }
    return OSTLER_MTP_DATA_TO_INITIATOR;
}

OstlerMtpPhase ostler_mtp_session_begin(OstlerMtpSession *session,
                                        const OstlerMtpContainer *request)
{
    if (session->row >= 0) {
        ostler_mtp_session_abandon(session);
    }
    session->request = *request;
    session->response = (OstlerMtpContainer){
        .type = OSTLER_MTP_CONTAINER_RESPONSE,
        .transaction = request->transaction,
    };
    session->row = find_operation(request->code);
    session->response.code = (uint16_t)check_request(session);
    if (session->row < 0) {
        return OSTLER_MTP_NO_DATA;
    }

    OstlerMtpPhase phase = operations[session->row].phase;
    if (phase == OSTLER_MTP_DATA_FROM_INITIATOR) {
        return phase; /* it comes, welcome or not */
    }
    if (session->response.code == OSTLER_MTP_OK) {
        session->response.code =
            (uint16_t)operations[session->row].run(session, &session->request);
    }
    return phase == OSTLER_MTP_DATA_TO_INITIATOR ? begin_producing(session) : phase;
}

void ostler_mtp_session_offer_thumbs(OstlerMtpSession *session)
{
    session->has_thumbs = true;
}

const OstlerRootFile *ostler_mtp_session_image(const OstlerMtpSession *session)
{
    return session->file;
}

/* The operation runs again, and finds what it wanted. */
OstlerMtpPhase ostler_mtp_session_give_thumb(OstlerMtpSession *session, GBytes *thumb)
{
    g_clear_pointer(&session->file, ostler_root_file_free);
    session->wants_thumb = false;
    g_clear_pointer(&session->thumb.bytes, g_bytes_unref);
    session->thumb.bytes = thumb;
    session->response.code =
        (uint16_t)operations[session->row].run(session, &session->request);
    return begin_producing(session);
}

uint64_t ostler_mtp_session_size(const OstlerMtpSession *session)
{
    return session->size;
}

/* Read as much as there is; a file stays open when its storage is taken away, but is not
 * to be read any more. */
static size_t read_file(OstlerMtpSession *session, uint8_t *buffer, size_t size)
{
    if (!ostler_mtp_store_has(session->store, session->file_storage)) {
        session->producing = OSTLER_MTP_STORE_NOT_AVAILABLE;
        return 0;
    }
    gssize count = ostler_root_file_read(
        session->file, session->file_offset + session->produced, buffer, size, NULL);
    return count < 0 ? 0 : (size_t)count;
}

static void produce_from_file(OstlerMtpSession *session, uint8_t *buffer, size_t size)
{
    size_t done = read_file(session, buffer, size);

    if (done < size) {
        memset(buffer + done, 0, size - done);
        if (session->producing == OSTLER_MTP_OK) {
            session->producing = OSTLER_MTP_INCOMPLETE_TRANSFER;
        }
    }
}

void ostler_mtp_session_produce(OstlerMtpSession *session, uint8_t *buffer, size_t size)
{
    if (size == 0) {
        return;
    }
    if (session->file) {
        produce_from_file(session, buffer, size);
    } else {
        memcpy(buffer, session->dataset->data + session->produced, size);
    }
    session->produced += size;
}

void ostler_mtp_session_consume(OstlerMtpSession *session, const uint8_t *bytes,
                                size_t size)
{
    if (session->response.code != OSTLER_MTP_OK ||
        session->consuming != OSTLER_MTP_OK) {
        return;
    }
    if (operations[session->row].consume) {
        session->consuming =
            operations[session->row].consume(session, &session->request, bytes, size);
    } else if (size > MAX_DATASET - session->inbox->len) {
        session->consuming = OSTLER_MTP_INVALID_DATASET;
    } else {
        g_byte_array_append(session->inbox, bytes, (guint)size);
    }
    session->consumed += size;
}

/* The data phase from the initiator is over: now the operation can run. */
static OstlerMtpCode run_with_data(OstlerMtpSession *session, bool is_whole)
{
    if (!is_whole) {
        ostler_mtp_session_abandon(session);
        return OSTLER_MTP_INCOMPLETE_TRANSFER;
    }
    if (session->consuming != OSTLER_MTP_OK && !operations[session->row].consume) {
        return session->consuming;
    }
    return operations[session->row].run(session, &session->request);
}

void ostler_mtp_session_end(OstlerMtpSession *session, bool is_whole,
                            OstlerMtpContainer *out_response)
{
    bool has_inbox = session->row >= 0 &&
                     operations[session->row].phase == OSTLER_MTP_DATA_FROM_INITIATOR;

    if (has_inbox && session->response.code == OSTLER_MTP_OK) {
        session->response.code = (uint16_t)run_with_data(session, is_whole);
    }
    if (session->producing != OSTLER_MTP_OK) {
        session->response.code = (uint16_t)session->producing;
    }
    *out_response = session->response;
    if (session->row >= 0) {
        g_debug("%s: 0x%04x", operations[session->row].name, out_response->code);
    }
    forget_transaction(session);
}

bool ostler_mtp_session_is_open(const OstlerMtpSession *session)
{
    return session->id != 0;
}
