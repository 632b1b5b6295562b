/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/operations.h"

/* ---- objects from the initiator ---- */

/* D.2.12: storage 0 leaves the choice to us, a parent of 0xffffffff is the top. */
static void find_destination(const OstlerMtpSession *session,
                             const OstlerMtpContainer *request, uint32_t *out_id,
                             uint32_t *out_parent)
{
    OstlerMtpEntry entry;

    *out_id = request->params[0];
    *out_parent =
        request->params[1] == OSTLER_MTP_ALL ? OSTLER_MTP_ROOT : request->params[1];
    if (*out_id == 0) {
        *out_id = ostler_mtp_store_id(0);
        if (*out_parent != OSTLER_MTP_ROOT &&
            ostler_mtp_store_entry(session->store, *out_parent, &entry) ==
                OSTLER_MTP_OK) {
            *out_id = ostler_mtp_store_id(entry.object.storage);
        }
    }
}

/* Make the folder, or get ready for the file, that ->sent describes. */
static OstlerMtpCode announce(OstlerMtpSession *session,
                              const OstlerMtpContainer *request)
{
    const OstlerMtpSentInfo *sent = &session->sent;
    uint32_t handle = 0;
    uint32_t parent;
    uint32_t id;

    g_autofree char *name =
        ostler_mtp_name_to_host(sent->name.units, sent->name.n_units);
    if (!name) {
        return OSTLER_MTP_INVALID_DATASET;
    }
    find_destination(session, request, &id, &parent);
    OstlerMtpCode code =
        sent->format == OSTLER_MTP_FORMAT_ASSOCIATION
            ? ostler_mtp_store_make_folder(session->store, id, parent, name, &handle)
            : ostler_mtp_store_begin(
                  session->store, id, parent, name,
                  sent->size == OSTLER_MTP_UNKNOWN_SIZE ? 0 : sent->size, &handle);
    if (code == OSTLER_MTP_OK) {
        ostler_mtp_session_add_param(session, id);
        ostler_mtp_session_add_param(session, parent == OSTLER_MTP_ROOT ? OSTLER_MTP_ALL
                                                                        : parent);
        ostler_mtp_session_add_param(session, handle);
    }
    return code;
}

OstlerMtpCode ostler_mtp_op_send_object_info(OstlerMtpSession *session,
                                             const OstlerMtpContainer *request)
{
    OstlerReader reader = ostler_reader_of(session->inbox->data, session->inbox->len);

    ostler_mtp_store_drop(session->store);
    return ostler_mtp_get_object_info(&reader, &session->sent)
               ? announce(session, request)
               : OSTLER_MTP_INVALID_DATASET;
}

/* The bytes went to the store as they came; this is their end. */
OstlerMtpCode ostler_mtp_op_send_object(OstlerMtpSession *session,
                                        const OstlerMtpContainer *request)
{
    bool is_known = session->sent.size != OSTLER_MTP_UNKNOWN_SIZE;

    if (session->consuming != OSTLER_MTP_OK) {
        ostler_mtp_store_drop(session->store);
        return session->consuming;
    }
    OstlerMtpCode code = ostler_mtp_store_check_incoming(session->store);
    if (code != OSTLER_MTP_OK) {
        ostler_mtp_store_drop(session->store);
        return code;
    }
    if (is_known && session->consumed != session->sent.size) {
        ostler_mtp_store_drop(session->store);
        return OSTLER_MTP_INCOMPLETE_TRANSFER;
    }
    return ostler_mtp_store_end(session->store, session->sent.modified);
}

/* D.2.11: a handle of 0xffffffff is every object, and a format may be named then. */
OstlerMtpCode ostler_mtp_op_delete_object(OstlerMtpSession *session,
                                          const OstlerMtpContainer *request)
{
    if (request->params[0] == OSTLER_MTP_ALL) {
        return ostler_mtp_store_delete_all(session->store,
                                           (uint16_t)request->params[1]);
    }
    return request->params[1] == 0
               ? ostler_mtp_store_delete(session->store, request->params[0])
               : OSTLER_MTP_SPECIFICATION_BY_FORMAT_UNSUPPORTED;
}

/* D.2.18: handle, then 0 for no protection or 1 for read-only; MTP's two more states are
 * about rights that a file has not. */
OstlerMtpCode ostler_mtp_op_set_object_protection(OstlerMtpSession *session,
                                                  const OstlerMtpContainer *request)
{
    return request->params[1] <= 1
               ? ostler_mtp_store_protect(session->store, request->params[0],
                                          request->params[1] == 1)
               : OSTLER_MTP_INVALID_PARAMETER;
}

/* ---- moving and copying ---- */

/* D.2.25, D.2.26: handle, storage, parent; a parent of 0 is the storage's top. */
OstlerMtpCode ostler_mtp_op_move_object(OstlerMtpSession *session,
                                        const OstlerMtpContainer *request)
{
    return ostler_mtp_store_move(session->store, request->params[0], request->params[1],
                                 request->params[2]);
}

OstlerMtpCode ostler_mtp_op_copy_object(OstlerMtpSession *session,
                                        const OstlerMtpContainer *request)
{
    uint32_t handle = 0;
    OstlerMtpCode code =
        ostler_mtp_store_copy(session->store, request->params[0], request->params[1],
                              request->params[2], &handle);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_session_add_param(session, handle);
    }
    return code;
}

/* ---- editing in place: Android's MtpServer.cpp, operations 95C2 to 95C5 ---- */

static uint64_t wide(uint32_t low, uint32_t high)
{
    return low | (uint64_t)high << 32;
}

OstlerMtpCode ostler_mtp_op_begin_edit_object(OstlerMtpSession *session,
                                              const OstlerMtpContainer *request)
{
    return ostler_mtp_store_edit(session->store, request->params[0]);
}

/* Handle, offset's low and high half, size; the bytes are in the data phase. */
OstlerMtpCode ostler_mtp_op_send_partial_object(OstlerMtpSession *session,
                                                const OstlerMtpContainer *request)
{
    if (session->consuming != OSTLER_MTP_OK) {
        return session->consuming;
    }
    if (session->consumed != request->params[3]) {
        return OSTLER_MTP_INCOMPLETE_TRANSFER;
    }
    ostler_mtp_session_add_param(session, (uint32_t)session->consumed);
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_op_consume_part(OstlerMtpSession *session,
                                         const OstlerMtpContainer *request,
                                         const uint8_t *bytes, size_t size)
{
    uint64_t offset = wide(request->params[1], request->params[2]) + session->consumed;

    return ostler_mtp_store_edit_write(session->store, request->params[0], offset,
                                       bytes, size);
}

OstlerMtpCode ostler_mtp_op_consume_object(OstlerMtpSession *session,
                                           const OstlerMtpContainer *request,
                                           const uint8_t *bytes, size_t size)
{
    OstlerMtpCode code = ostler_mtp_store_check_incoming(session->store);

    return code == OSTLER_MTP_OK
               ? ostler_mtp_store_add_bytes(session->store, bytes, size)
               : code;
}

OstlerMtpCode ostler_mtp_op_truncate_object(OstlerMtpSession *session,
                                            const OstlerMtpContainer *request)
{
    return ostler_mtp_store_edit_truncate(session->store, request->params[0],
                                          wide(request->params[1], request->params[2]));
}

OstlerMtpCode ostler_mtp_op_end_edit_object(OstlerMtpSession *session,
                                            const OstlerMtpContainer *request)
{
    return ostler_mtp_store_edit_end(session->store, request->params[0]);
}

/* ---- properties ---- */

OstlerMtpCode ostler_mtp_op_set_object_prop_value(OstlerMtpSession *session,
                                                  const OstlerMtpContainer *request)
{
    OstlerReader reader = ostler_reader_of(session->inbox->data, session->inbox->len);

    return ostler_mtp_set_object_property(session->store, request->params[0],
                                          (uint16_t)request->params[1], &reader);
}

/* Appendix E.3: handle, property, type, value, again and again.  The first that fails
 * ends it, and the response names its index. */
OstlerMtpCode ostler_mtp_op_set_object_prop_list(OstlerMtpSession *session,
                                                 const OstlerMtpContainer *request)
{
    OstlerReader reader = ostler_reader_of(session->inbox->data, session->inbox->len);
    uint32_t n = ostler_reader_le32(&reader);
    OstlerMtpCode code = OSTLER_MTP_OK;

    for (uint32_t i = 0; i < n && code == OSTLER_MTP_OK; i++) {
        uint32_t handle = ostler_reader_le32(&reader);
        uint16_t property = ostler_reader_le16(&reader);
        ostler_reader_skip(&reader, 2); /* the type is the property's */
        code = ostler_reader_ok(&reader)
                   ? ostler_mtp_set_object_property(session->store, handle, property,
                                                    &reader)
                   : OSTLER_MTP_INVALID_DATASET;
        if (code != OSTLER_MTP_OK) {
            ostler_mtp_session_add_param(session, i);
        }
    }
    return ostler_reader_ok(&reader) ? code : OSTLER_MTP_INVALID_DATASET;
}

/* Appendix E.4: storage, parent, format, the size's high and low half; name and date
 * are in the list.  What else it says of a new object is skipped. */
OstlerMtpCode ostler_mtp_op_send_object_prop_list(OstlerMtpSession *session,
                                                  const OstlerMtpContainer *request)
{
    OstlerReader reader = ostler_reader_of(session->inbox->data, session->inbox->len);

    ostler_mtp_store_drop(session->store);
    session->sent = (OstlerMtpSentInfo){
        .format = (uint16_t)request->params[2],
        .size = wide(request->params[4], request->params[3]),
    };
    if (!ostler_mtp_get_new_object_properties(&reader, &session->sent)) {
        return OSTLER_MTP_INVALID_DATASET;
    }
    return announce(session, request);
}
