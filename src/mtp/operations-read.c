/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/operations.h"

#include "mtp/bytes.h"
#include "mtp/thumbnailer.h"

#include <string.h>

/* ---- lists ---- */

static gint compare_handles(gconstpointer a, gconstpointer b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/*
 * List in ascending order.  The specification leaves the order open, but libmtp 1.1.20
 * (ptp_object_find_or_insert) keeps its objects in a sorted array and inserts one by
 * one as they were listed: in descending order each of them moves all the others.
 */
static OstlerMtpCode list_in_order(OstlerMtpSession *session, uint32_t id,
                                   uint32_t parent, uint32_t depth, uint16_t format,
                                   GArray *handles)
{
    OstlerMtpCode code =
        ostler_mtp_store_list(session->store, id, parent, depth, format, handles);

    g_array_sort(handles, compare_handles);
    return code;
}

/* D.2.6, D.2.7: a parent of 0 is every object, of 0xffffffff those at the top. */
static OstlerMtpCode list_objects(OstlerMtpSession *session,
                                  const OstlerMtpContainer *request, GArray *handles)
{
    uint32_t parent = request->params[2];
    uint32_t depth = parent == 0 ? OSTLER_MTP_ALL : 1;

    return list_in_order(session, request->params[0],
                         parent == OSTLER_MTP_ALL ? OSTLER_MTP_ROOT : parent, depth,
                         (uint16_t)request->params[1], handles);
}

OstlerMtpCode ostler_mtp_op_get_num_objects(OstlerMtpSession *session,
                                            const OstlerMtpContainer *request)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    OstlerMtpCode code = list_objects(session, request, handles);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_session_add_param(session, handles->len);
    }
    return code;
}

OstlerMtpCode ostler_mtp_op_get_object_handles(OstlerMtpSession *session,
                                               const OstlerMtpContainer *request)
{
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    OstlerMtpCode code = list_objects(session, request, handles);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_put_handles(ostler_mtp_session_dataset(session),
                               (const uint32_t *)handles->data, handles->len);
    }
    return code;
}

/* ---- thumbnails ---- */

static bool has_thumb(const OstlerMtpSession *session, const OstlerMtpEntry *entry)
{
    return session->has_thumbs && ostler_mtp_format_is_image(entry->object.format);
}

static bool is_made(const OstlerMtpSession *session, const OstlerMtpEntry *entry)
{
    return session->thumb.handle == entry->object.handle &&
           session->thumb.modified == entry->file.modified &&
           session->thumb.size == entry->file.size;
}

/* Ask for a thumbnail of @entry; the operation runs again when it is there. */
static OstlerMtpCode want_thumb(OstlerMtpSession *session, const OstlerMtpEntry *entry)
{
    uint64_t size;
    OstlerMtpCode code =
        ostler_mtp_store_read(session->store, entry->object.handle, &session->file,
                              &size, &session->file_storage);

    session->wants_thumb = code == OSTLER_MTP_OK;
    g_clear_pointer(&session->thumb.bytes, g_bytes_unref);
    session->thumb.handle = entry->object.handle;
    session->thumb.modified = entry->file.modified;
    session->thumb.size = entry->file.size;
    return code;
}

/* D.2.10. */
OstlerMtpCode ostler_mtp_op_get_thumb(OstlerMtpSession *session,
                                      const OstlerMtpContainer *request)
{
    OstlerMtpEntry entry;
    gsize size;
    OstlerMtpCode code =
        ostler_mtp_store_entry(session->store, request->params[0], &entry);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (has_thumb(session, &entry) && !is_made(session, &entry)) {
        return want_thumb(session, &entry);
    }
    if (!has_thumb(session, &entry) || !session->thumb.bytes) {
        return OSTLER_MTP_NO_THUMBNAIL_PRESENT;
    }
    const uint8_t *bytes = g_bytes_get_data(session->thumb.bytes, &size);
    g_byte_array_append(ostler_mtp_session_dataset(session), bytes, (guint)size);
    return OSTLER_MTP_OK;
}

static OstlerMtpCode put_thumb_property(OstlerMtpSession *session,
                                        const OstlerMtpEntry *entry, uint16_t property)
{
    if (!has_thumb(session, entry)) {
        return OSTLER_MTP_INVALID_OBJECT_PROP_CODE;
    }
    if (!is_made(session, entry)) {
        return want_thumb(session, entry);
    }
    ostler_mtp_put_thumb_property(ostler_mtp_session_dataset(session), property,
                                  session->thumb.bytes);
    return OSTLER_MTP_OK;
}

/* What ObjectInfo says of it: before it is made, how large it may be.  libgphoto2 asks
 * for none of size 0. */
static uint32_t thumb_size(const OstlerMtpSession *session, const OstlerMtpEntry *entry)
{
    return !has_thumb(session, entry) ? 0
           : !is_made(session, entry) ? OSTLER_MTP_MAX_THUMBNAIL
           : session->thumb.bytes     ? (uint32_t)g_bytes_get_size(session->thumb.bytes)
                                      : 0;
}

/* ---- objects to the initiator ---- */

OstlerMtpCode ostler_mtp_op_get_object_info(OstlerMtpSession *session,
                                            const OstlerMtpContainer *request)
{
    OstlerMtpEntry entry;
    OstlerMtpCode code =
        ostler_mtp_store_entry(session->store, request->params[0], &entry);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    const uint32_t thumb = thumb_size(session, &entry);
    const OstlerMtpObjectInfo info = {
        .thumb_format = thumb > 0 ? OSTLER_MTP_FORMAT_JFIF : 0,
        .thumb_size = thumb,
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
    ostler_mtp_put_object_info(ostler_mtp_session_dataset(session), &info);
    return OSTLER_MTP_OK;
}

/* Make at most @wanted bytes from @offset of an object the data phase. */
static OstlerMtpCode serve_file(OstlerMtpSession *session, uint32_t handle,
                                uint64_t offset, uint64_t wanted)
{
    uint64_t size = 0;
    OstlerMtpCode code = ostler_mtp_store_read(session->store, handle, &session->file,
                                               &size, &session->file_storage);

    if (code == OSTLER_MTP_OK) {
        session->file_offset = MIN(offset, size);
        session->size = MIN(wanted, size - session->file_offset);
    }
    return code;
}

OstlerMtpCode ostler_mtp_op_get_object(OstlerMtpSession *session,
                                       const OstlerMtpContainer *request)
{
    return serve_file(session, request->params[0], 0, G_MAXUINT64);
}

/* D.2.27: the response says how many bytes there were. */
OstlerMtpCode ostler_mtp_op_get_partial_object(OstlerMtpSession *session,
                                               const OstlerMtpContainer *request)
{
    OstlerMtpCode code =
        serve_file(session, request->params[0], request->params[1], request->params[2]);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_session_add_param(session, (uint32_t)session->size);
    }
    return code;
}

/* Android's 64-bit form: handle, offset's low and high half, size. */
OstlerMtpCode ostler_mtp_op_get_partial_object_64(OstlerMtpSession *session,
                                                  const OstlerMtpContainer *request)
{
    uint64_t offset = request->params[1] | (uint64_t)request->params[2] << 32;
    OstlerMtpCode code =
        serve_file(session, request->params[0], offset, request->params[3]);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_session_add_param(session, (uint32_t)session->size);
    }
    return code;
}

static OstlerMtpCode check_object(OstlerMtpSession *session, uint32_t handle)
{
    OstlerMtpEntry entry;

    return ostler_mtp_store_entry(session->store, handle, &entry);
}

/* Folders' files refer to nothing: an empty array. */
OstlerMtpCode ostler_mtp_op_get_object_references(OstlerMtpSession *session,
                                                  const OstlerMtpContainer *request)
{
    OstlerMtpCode code = check_object(session, request->params[0]);

    if (code == OSTLER_MTP_OK) {
        ostler_mtp_put_handles(ostler_mtp_session_dataset(session), NULL, 0);
    }
    return code;
}

/* ---- object properties ---- */

OstlerMtpCode ostler_mtp_op_get_object_props_supported(
    OstlerMtpSession *session, const OstlerMtpContainer *request)
{
    ostler_mtp_put_object_property_codes(
        ostler_mtp_session_dataset(session),
        session->has_thumbs &&
            ostler_mtp_format_is_image((uint16_t)request->params[0]));
    return OSTLER_MTP_OK;
}

OstlerMtpCode ostler_mtp_op_get_object_prop_desc(OstlerMtpSession *session,
                                                 const OstlerMtpContainer *request)
{
    return ostler_mtp_put_object_property_description(
               ostler_mtp_session_dataset(session), (uint16_t)request->params[0])
               ? OSTLER_MTP_OK
               : OSTLER_MTP_INVALID_OBJECT_PROP_CODE;
}

OstlerMtpCode ostler_mtp_op_get_object_prop_value(OstlerMtpSession *session,
                                                  const OstlerMtpContainer *request)
{
    OstlerMtpEntry entry;
    OstlerMtpCode code =
        ostler_mtp_store_entry(session->store, request->params[0], &entry);

    if (code != OSTLER_MTP_OK) {
        return code;
    }
    if (ostler_mtp_is_thumb_property((uint16_t)request->params[1])) {
        return put_thumb_property(session, &entry, (uint16_t)request->params[1]);
    }
    return ostler_mtp_put_object_property(ostler_mtp_session_dataset(session), &entry,
                                          (uint16_t)request->params[1])
               ? OSTLER_MTP_OK
               : OSTLER_MTP_INVALID_OBJECT_PROP_CODE;
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
    return list_in_order(session, OSTLER_MTP_ALL, handle, MAX(depth, 1), format,
                         handles);
}

static OstlerMtpCode put_property_list(OstlerMtpSession *session, const GArray *handles,
                                       uint32_t property)
{
    GByteArray *array = ostler_mtp_session_dataset(session);
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

OstlerMtpCode ostler_mtp_op_get_object_prop_list(OstlerMtpSession *session,
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
