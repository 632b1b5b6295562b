/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/operations.h"

#include "mtp/bytes.h"

/* ---- device and session ---- */

/* D.2.1, dataset 5.1.1 table 8. */
OstlerMtpCode ostler_mtp_op_get_device_info(OstlerMtpSession *session,
                                            const OstlerMtpContainer *request)
{
    const OstlerMtpDeviceIdentity *identity = session->identity;
    GByteArray *array = ostler_mtp_session_dataset(session);
    static const uint16_t events[] = {
        OSTLER_MTP_OBJECT_ADDED,        OSTLER_MTP_OBJECT_REMOVED,
        OSTLER_MTP_STORE_ADDED,         OSTLER_MTP_STORE_REMOVED,
        OSTLER_MTP_OBJECT_INFO_CHANGED, OSTLER_MTP_STORAGE_INFO_CHANGED,
        OSTLER_MTP_UNREPORTED_STATUS,
    };
    unsigned n_formats;
    const uint16_t *formats = ostler_mtp_formats(&n_formats);

    ostler_bytes_le16(array, 100); /* version 1.00 of the standard */
    ostler_bytes_le32(array, 6);   /* vendor extension: Microsoft, that is MTP */
    ostler_bytes_le16(array, 100);
    ostler_mtp_put_string(array, "microsoft.com: 1.0;");
    ostler_bytes_le16(array, 0); /* functional mode: standard */
    ostler_mtp_session_put_operations(array);
    ostler_mtp_put_codes(array, events, G_N_ELEMENTS(events));
    ostler_mtp_put_device_property_codes(array);
    ostler_mtp_put_codes(array, NULL, 0); /* capture formats: this is no camera */
    ostler_mtp_put_codes(array, formats, n_formats);
    ostler_mtp_put_string(array, identity->manufacturer);
    ostler_mtp_put_string(array, identity->model);
    ostler_mtp_put_string(array, identity->version);
    ostler_mtp_put_string(array, identity->serial);
    return OSTLER_MTP_OK;
}

/* D.2.2: id 0 is reserved, and a second open names the session already open so that
 * the initiator can close it. */
OstlerMtpCode ostler_mtp_op_open_session(OstlerMtpSession *session,
                                         const OstlerMtpContainer *request)
{
    if (session->id != 0) {
        ostler_mtp_session_add_param(session, session->id);
        return OSTLER_MTP_SESSION_ALREADY_OPEN;
    }
    if (request->params[0] == 0) {
        return OSTLER_MTP_INVALID_PARAMETER;
    }
    session->id = request->params[0];
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_op_close_session(OstlerMtpSession *session,
                                          const OstlerMtpContainer *request)
{
    ostler_mtp_session_close(session);
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_op_get_device_prop_desc(OstlerMtpSession *session,
                                                 const OstlerMtpContainer *request)
{
    return ostler_mtp_put_device_property_description(
               ostler_mtp_session_dataset(session), (uint16_t)request->params[0],
               session->identity)
               ? OSTLER_MTP_OK
               : OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED;
}

OstlerMtpCode ostler_mtp_op_get_device_prop_value(OstlerMtpSession *session,
                                                  const OstlerMtpContainer *request)
{
    return ostler_mtp_put_device_property(ostler_mtp_session_dataset(session),
                                          (uint16_t)request->params[0],
                                          session->identity)
               ? OSTLER_MTP_OK
               : OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED;
}

/* ---- storages and lists ---- */

OstlerMtpCode ostler_mtp_op_get_storage_ids(OstlerMtpSession *session,
                                            const OstlerMtpContainer *request)
{
    GByteArray *array = ostler_mtp_session_dataset(session);
    uint32_t ids[OSTLER_MTP_MAX_STORAGES];
    unsigned n = 0;

    for (unsigned i = 0; i < ostler_mtp_store_count(session->store); i++) {
        if (ostler_mtp_store_has(session->store, i)) {
            ids[n++] = ostler_mtp_store_id(i);
        }
    }
    ostler_mtp_put_handles(array, ids, n);
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_op_get_storage_info(OstlerMtpSession *session,
                                             const OstlerMtpContainer *request)
{
    OstlerMtpStorageInfo info;
    OstlerMtpCode code =
        ostler_mtp_store_storage_info(session->store, request->params[0], &info);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_put_storage_info(ostler_mtp_session_dataset(session), &info);
    }
    return code;
}

/* ---- what is refused, in the specification's words ---- */

/* D.2.15: nobody formats a folder of the host. */
OstlerMtpCode ostler_mtp_op_format_store(OstlerMtpSession *session,
                                         const OstlerMtpContainer *request)
{
    unsigned index;

    return ostler_mtp_store_find(session->store, request->params[0], &index)
               ? OSTLER_MTP_ACCESS_DENIED
               : OSTLER_MTP_INVALID_STORAGE_ID;
}

/* D.2.16: as after plugging in. */
OstlerMtpCode ostler_mtp_op_reset_device(OstlerMtpSession *session,
                                         const OstlerMtpContainer *request)
{
    ostler_mtp_session_close(session);
    return OSTLER_MTP_OK;
}

static bool has_device_property(OstlerMtpSession *session, uint32_t code)
{
    return ostler_mtp_put_device_property(ostler_mtp_session_dataset(session),
                                          (uint16_t)code, session->identity);
}

/* All device properties are read-only. */
OstlerMtpCode ostler_mtp_op_set_device_prop_value(OstlerMtpSession *session,
                                                  const OstlerMtpContainer *request)
{
    return has_device_property(session, request->params[0])
               ? OSTLER_MTP_ACCESS_DENIED
               : OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED;
}

/* And so they have their default values always; 0xffffffff is all of them. */
OstlerMtpCode ostler_mtp_op_reset_device_prop_value(OstlerMtpSession *session,
                                                    const OstlerMtpContainer *request)
{
    return request->params[0] == OSTLER_MTP_ALL ||
                   has_device_property(session, request->params[0])
               ? OSTLER_MTP_OK
               : OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED;
}
