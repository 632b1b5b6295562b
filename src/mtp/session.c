/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/session.h"

#include "mtp/bytes.h"

#include <string.h>

/* No dataset from an initiator is larger; what is over it is not kept. */
#define MAX_DATASET (1u << 20)

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
    uint64_t file_offset;
    uint64_t size;
    uint64_t produced;
    bool has_shrunk;

    /* its data phase from the initiator */
    GByteArray *inbox;
    uint64_t consumed;
    OstlerMtpCode consuming; /* the first thing that went wrong with it */

    /* from SendObjectInfo to SendObject */
    OstlerMtpSentInfo sent;
};

typedef OstlerMtpCode Operation(OstlerMtpSession *session,
                                const OstlerMtpContainer *request);

static void add_param(OstlerMtpSession *session, uint32_t value)
{
    session->response.params[session->response.n_params++] = value;
}

/* Start the dataset of the data phase to the initiator. */
static GByteArray *dataset(OstlerMtpSession *session)
{
    g_byte_array_set_size(session->dataset, 0);
    return session->dataset;
}

/* ---- device and session ---- */

static void put_operation_codes(GByteArray *array);

/* D.2.1, dataset 5.1.1 table 8. */
static OstlerMtpCode get_device_info(OstlerMtpSession *session,
                                     const OstlerMtpContainer *request)
{
    const OstlerMtpDeviceIdentity *identity = session->identity;
    GByteArray *array = dataset(session);
    unsigned n_formats;
    const uint16_t *formats = ostler_mtp_formats(&n_formats);

    ostler_bytes_le16(array, 100); /* version 1.00 of the standard */
    ostler_bytes_le32(array, 6);   /* vendor extension: Microsoft, that is MTP */
    ostler_bytes_le16(array, 100);
    ostler_mtp_put_string(array, "microsoft.com: 1.0;");
    ostler_bytes_le16(array, 0); /* functional mode: standard */
    put_operation_codes(array);
    ostler_mtp_put_codes(array, NULL, 0); /* events */
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
static OstlerMtpCode open_session(OstlerMtpSession *session,
                                  const OstlerMtpContainer *request)
{
    if (session->id != 0) {
        add_param(session, session->id);
        return OSTLER_MTP_SESSION_ALREADY_OPEN;
    }
    if (request->params[0] == 0) {
        return OSTLER_MTP_INVALID_PARAMETER;
    }
    session->id = request->params[0];
    return OSTLER_MTP_OK;
}

static OstlerMtpCode close_session(OstlerMtpSession *session,
                                   const OstlerMtpContainer *request)
{
    ostler_mtp_session_close(session);
    return OSTLER_MTP_OK;
}

static OstlerMtpCode get_device_prop_desc(OstlerMtpSession *session,
                                          const OstlerMtpContainer *request)
{
    return ostler_mtp_put_device_property_description(
               dataset(session), (uint16_t)request->params[0], session->identity)
               ? OSTLER_MTP_OK
               : OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED;
}

static OstlerMtpCode get_device_prop_value(OstlerMtpSession *session,
                                           const OstlerMtpContainer *request)
{
    return ostler_mtp_put_device_property(
               dataset(session), (uint16_t)request->params[0], session->identity)
               ? OSTLER_MTP_OK
               : OSTLER_MTP_DEVICE_PROP_NOT_SUPPORTED;
}

/* ---- storages and lists ---- */

static OstlerMtpCode get_storage_ids(OstlerMtpSession *session,
                                     const OstlerMtpContainer *request)
{
    GByteArray *array = dataset(session);
    unsigned n = ostler_mtp_store_count(session->store);

    ostler_bytes_le32(array, n);
    for (unsigned i = 0; i < n; i++) {
        ostler_bytes_le32(array, ostler_mtp_store_id(i));
    }
    return OSTLER_MTP_OK;
}

static OstlerMtpCode get_storage_info(OstlerMtpSession *session,
                                      const OstlerMtpContainer *request)
{
    OstlerMtpStorageInfo info;
    OstlerMtpCode code =
        ostler_mtp_store_storage_info(session->store, request->params[0], &info);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_put_storage_info(dataset(session), &info);
    }
    return code;
}

/* D.2.6, D.2.7: a parent of 0 is every object, of 0xffffffff those at the top. */
static OstlerMtpCode list_objects(OstlerMtpSession *session,
                                  const OstlerMtpContainer *request, GArray *handles)
{
    uint32_t parent = request->params[2];
    uint32_t depth = parent == 0 ? OSTLER_MTP_ALL : 1;

    return ostler_mtp_store_list(session->store, request->params[0],
                                 parent == OSTLER_MTP_ALL ? OSTLER_MTP_ROOT : parent,
                                 depth, (uint16_t)request->params[1], handles);
}

static OstlerMtpCode get_num_objects(OstlerMtpSession *session,
                                     const OstlerMtpContainer *request)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    OstlerMtpCode code = list_objects(session, request, handles);

    if (code == OSTLER_MTP_OK) {
        add_param(session, handles->len);
    }
    return code;
}

static OstlerMtpCode get_object_handles(OstlerMtpSession *session,
                                        const OstlerMtpContainer *request)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    OstlerMtpCode code = list_objects(session, request, handles);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_put_handles(dataset(session), (const uint32_t *)handles->data,
                               handles->len);
    }
    return code;
}

/* ---- objects to the initiator ---- */

static OstlerMtpCode get_object_info(OstlerMtpSession *session,
                                     const OstlerMtpContainer *request)
{
    OstlerMtpEntry entry;
    OstlerMtpCode code =
        ostler_mtp_store_entry(session->store, request->params[0], &entry);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    const OstlerMtpObjectInfo info = {
        .storage = ostler_mtp_store_id(entry.object.storage),
        .format = entry.object.format,
        .protection = entry.is_read_only ? 1 : 0,
        .size = entry.file.size,
        .association = entry.object.is_folder ? 1 : 0,
        .parent = entry.object.parent,
        .created = entry.file.created,
        .modified = entry.file.modified,
        .name = entry.object.name,
    };
    ostler_mtp_put_object_info(dataset(session), &info);
    return OSTLER_MTP_OK;
}

/* Make at most @wanted bytes from @offset of an object the data phase. */
static OstlerMtpCode serve_file(OstlerMtpSession *session, uint32_t handle,
                                uint64_t offset, uint64_t wanted)
{
    uint64_t size = 0;
    OstlerMtpCode code =
        ostler_mtp_store_read(session->store, handle, &session->file, &size);

    if (code == OSTLER_MTP_OK) {
        session->file_offset = MIN(offset, size);
        session->size = MIN(wanted, size - session->file_offset);
    }
    return code;
}

static OstlerMtpCode get_object(OstlerMtpSession *session,
                                const OstlerMtpContainer *request)
{
    return serve_file(session, request->params[0], 0, G_MAXUINT64);
}

/* D.2.27: the response says how many bytes there were. */
static OstlerMtpCode get_partial_object(OstlerMtpSession *session,
                                        const OstlerMtpContainer *request)
{
    OstlerMtpCode code =
        serve_file(session, request->params[0], request->params[1], request->params[2]);

    if (code == OSTLER_MTP_OK) {
        add_param(session, (uint32_t)session->size);
    }
    return code;
}

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

static OstlerMtpCode send_object_info(OstlerMtpSession *session,
                                      const OstlerMtpContainer *request)
{
    OstlerReader reader = ostler_reader_of(session->inbox->data, session->inbox->len);
    OstlerMtpSentInfo *sent = &session->sent;
    uint32_t handle = 0;
    uint32_t parent;
    uint32_t id;

    ostler_mtp_store_drop(session->store);
    if (!ostler_mtp_get_object_info(&reader, sent)) {
        return OSTLER_MTP_INVALID_DATASET;
    }
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
                  sent->size == OSTLER_MTP_UNKNOWN_LENGTH ? 0 : sent->size, &handle);
    if (code == OSTLER_MTP_OK) {
        add_param(session, id);
        add_param(session, parent == OSTLER_MTP_ROOT ? OSTLER_MTP_ALL : parent);
        add_param(session, handle);
    }
    return code;
}

/* The bytes went to the store as they came; this is their end. */
static OstlerMtpCode send_object(OstlerMtpSession *session,
                                 const OstlerMtpContainer *request)
{
    bool is_known = session->sent.size != OSTLER_MTP_UNKNOWN_LENGTH;

    if (session->consuming != OSTLER_MTP_OK) {
        ostler_mtp_store_drop(session->store);
        return session->consuming;
    }
    if (!ostler_mtp_store_has_incoming(session->store)) {
        return OSTLER_MTP_NO_VALID_OBJECT_INFO;
    }
    if (is_known && session->consumed != session->sent.size) {
        ostler_mtp_store_drop(session->store);
        return OSTLER_MTP_INCOMPLETE_TRANSFER;
    }
    return ostler_mtp_store_end(session->store, session->sent.modified);
}

/* D.2.11: a handle of 0xffffffff is every object, and a format may be named then. */
static OstlerMtpCode delete_object(OstlerMtpSession *session,
                                   const OstlerMtpContainer *request)
{
    if (request->params[0] == OSTLER_MTP_ALL) {
        return OSTLER_MTP_PARAMETER_NOT_SUPPORTED;
    }
    return ostler_mtp_store_delete(session->store, request->params[0]);
}

/* ---- object properties ---- */

static OstlerMtpCode get_object_props_supported(OstlerMtpSession *session,
                                                const OstlerMtpContainer *request)
{
    ostler_mtp_put_object_property_codes(dataset(session));
    return OSTLER_MTP_OK;
}

static OstlerMtpCode get_object_prop_desc(OstlerMtpSession *session,
                                          const OstlerMtpContainer *request)
{
    return ostler_mtp_put_object_property_description(dataset(session),
                                                      (uint16_t)request->params[0])
               ? OSTLER_MTP_OK
               : OSTLER_MTP_INVALID_OBJECT_PROP_CODE;
}

static OstlerMtpCode get_object_prop_value(OstlerMtpSession *session,
                                           const OstlerMtpContainer *request)
{
    OstlerMtpEntry entry;
    OstlerMtpCode code =
        ostler_mtp_store_entry(session->store, request->params[0], &entry);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    return ostler_mtp_put_object_property(dataset(session), &entry,
                                          (uint16_t)request->params[1])
               ? OSTLER_MTP_OK
               : OSTLER_MTP_INVALID_OBJECT_PROP_CODE;
}

static OstlerMtpCode set_object_prop_value(OstlerMtpSession *session,
                                           const OstlerMtpContainer *request)
{
    OstlerReader reader = ostler_reader_of(session->inbox->data, session->inbox->len);

    return ostler_mtp_set_object_property(session->store, request->params[0],
                                          (uint16_t)request->params[1], &reader);
}

/* Appendix E.2: which objects a property list is about.  As with Android, a depth of 1
 * or more is what is beneath the object, without the object itself. */
static OstlerMtpCode list_for_properties(OstlerMtpSession *session,
                                         const OstlerMtpContainer *request,
                                         GArray *handles)
{
    uint32_t handle = request->params[0];
    uint32_t depth = request->params[4];
    uint16_t format = (uint16_t)request->params[1];

    if (handle == OSTLER_MTP_ALL) {
        handle = OSTLER_MTP_ROOT;
        depth = OSTLER_MTP_ALL;
    }
    if (depth == 0 && handle != OSTLER_MTP_ROOT) {
        g_array_append_val(handles, handle);
        return OSTLER_MTP_OK;
    }
    return ostler_mtp_store_list(session->store, OSTLER_MTP_ALL, handle, MAX(depth, 1),
                                 format, handles);
}

static OstlerMtpCode put_property_list(OstlerMtpSession *session, const GArray *handles,
                                       uint32_t property)
{
    GByteArray *array = dataset(session);
    OstlerMtpEntry entry;
    uint32_t n = 0;

    ostler_bytes_le32(array, 0); /* the number of elements, when it is known */
    for (guint i = 0; i < handles->len; i++) {
        uint32_t handle = g_array_index(handles, uint32_t, i);
        OstlerMtpCode code = ostler_mtp_store_entry(session->store, handle, &entry);
        if (code == OSTLER_MTP_OK) {
            n += ostler_mtp_put_object_property_elements(array, &entry, property);
        } else if (handles->len == 1) {
            return code; /* of many, one may vanish meanwhile; the one asked for not */
        }
    }
    n = GUINT32_TO_LE(n);
    memcpy(array->data, &n, sizeof(n));
    return OSTLER_MTP_OK;
}

static OstlerMtpCode get_object_prop_list(OstlerMtpSession *session,
                                          const OstlerMtpContainer *request)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t property = request->params[2];

    if (property == 0) {
        return request->params[3] == 0 ? OSTLER_MTP_PARAMETER_NOT_SUPPORTED
                                       : OSTLER_MTP_GROUP_NOT_SUPPORTED;
    }
    OstlerMtpCode code = list_for_properties(session, request, handles);
    return code == OSTLER_MTP_OK ? put_property_list(session, handles, property) : code;
}

/* ---- the table ---- */

/* Everything the responder can do, in code order: GetDeviceInfo's list of operations
 * and the tests are both made from this table. */
static const struct {
    uint16_t code;
    OstlerMtpPhase phase;
    bool is_sessionless; /* allowed before OpenSession */
    Operation *run;   /* at the end of the data phase from the initiator, else before */
    const char *name; /* as in the specification, for the log */
} operations[] = {
    { 0x1001, OSTLER_MTP_DATA_TO_INITIATOR, true, get_device_info, "GetDeviceInfo" },
    { 0x1002, OSTLER_MTP_NO_DATA, true, open_session, "OpenSession" },
    { 0x1003, OSTLER_MTP_NO_DATA, false, close_session, "CloseSession" },
    { 0x1004, OSTLER_MTP_DATA_TO_INITIATOR, false, get_storage_ids, "GetStorageIDs" },
    { 0x1005, OSTLER_MTP_DATA_TO_INITIATOR, false, get_storage_info, "GetStorageInfo" },
    { 0x1006, OSTLER_MTP_NO_DATA, false, get_num_objects, "GetNumObjects" },
    { 0x1007, OSTLER_MTP_DATA_TO_INITIATOR, false, get_object_handles,
      "GetObjectHandles" },
    { 0x1008, OSTLER_MTP_DATA_TO_INITIATOR, false, get_object_info, "GetObjectInfo" },
    { 0x1009, OSTLER_MTP_DATA_TO_INITIATOR, false, get_object, "GetObject" },
    { 0x100b, OSTLER_MTP_NO_DATA, false, delete_object, "DeleteObject" },
    { 0x100c, OSTLER_MTP_DATA_FROM_INITIATOR, false, send_object_info,
      "SendObjectInfo" },
    { 0x100d, OSTLER_MTP_DATA_FROM_INITIATOR, false, send_object, "SendObject" },
    { 0x1014, OSTLER_MTP_DATA_TO_INITIATOR, false, get_device_prop_desc,
      "GetDevicePropDesc" },
    { 0x1015, OSTLER_MTP_DATA_TO_INITIATOR, false, get_device_prop_value,
      "GetDevicePropValue" },
    { 0x101b, OSTLER_MTP_DATA_TO_INITIATOR, false, get_partial_object,
      "GetPartialObject" },
    { 0x9801, OSTLER_MTP_DATA_TO_INITIATOR, false, get_object_props_supported,
      "GetObjectPropsSupported" },
    { 0x9802, OSTLER_MTP_DATA_TO_INITIATOR, false, get_object_prop_desc,
      "GetObjectPropDesc" },
    { 0x9803, OSTLER_MTP_DATA_TO_INITIATOR, false, get_object_prop_value,
      "GetObjectPropValue" },
    { 0x9804, OSTLER_MTP_DATA_FROM_INITIATOR, false, set_object_prop_value,
      "SetObjectPropValue" },
    { 0x9805, OSTLER_MTP_DATA_TO_INITIATOR, false, get_object_prop_list,
      "GetObjectPropList" },
};

static void put_operation_codes(GByteArray *array)
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
    session->dataset = g_byte_array_new();
    session->inbox = g_byte_array_new();
    return session;
}

void ostler_mtp_session_free(OstlerMtpSession *session)
{
    if (session) {
        ostler_mtp_session_close(session);
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
    session->has_shrunk = false;
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

uint64_t ostler_mtp_session_size(const OstlerMtpSession *session)
{
    return session->size;
}

static void produce_from_file(OstlerMtpSession *session, uint8_t *buffer, size_t size)
{
    gssize count = ostler_root_file_read(
        session->file, session->file_offset + session->produced, buffer, size, NULL);
    size_t done = count < 0 ? 0 : (size_t)count;

    if (done < size) {
        session->has_shrunk = true;
        memset(buffer + done, 0, size - done);
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
    session->consumed += size;
    if (session->response.code != OSTLER_MTP_OK ||
        session->consuming != OSTLER_MTP_OK) {
        return;
    }
    if (operations[session->row].run == send_object) {
        session->consuming =
            ostler_mtp_store_has_incoming(session->store)
                ? ostler_mtp_store_add_bytes(session->store, bytes, size)
                : OSTLER_MTP_NO_VALID_OBJECT_INFO;
    } else if (size > MAX_DATASET - session->inbox->len) {
        session->consuming = OSTLER_MTP_INVALID_DATASET;
    } else {
        g_byte_array_append(session->inbox, bytes, (guint)size);
    }
}

/* The data phase from the initiator is over: now the operation can run. */
static OstlerMtpCode run_with_data(OstlerMtpSession *session, bool is_whole)
{
    if (!is_whole) {
        ostler_mtp_session_abandon(session);
        return OSTLER_MTP_INCOMPLETE_TRANSFER;
    }
    if (session->consuming != OSTLER_MTP_OK &&
        operations[session->row].run != send_object) {
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
    if (session->has_shrunk) {
        session->response.code = OSTLER_MTP_INCOMPLETE_TRANSFER;
    }
    *out_response = session->response;
    if (session->row >= 0) {
        g_debug("%s: 0x%04x", operations[session->row].name, out_response->code);
    }
    forget_transaction(session);
}
