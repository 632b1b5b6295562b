/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/properties.h"

#include "mtp/bytes.h"
#include "mtp/thumbnailer.h"

#define ALL_PROPERTIES 0xffffffffu

/* ---- object properties ---- */

typedef void Put(GByteArray *array, const OstlerMtpEntry *entry);
typedef OstlerMtpCode Set(OstlerMtpStore *store, uint32_t handle, OstlerReader *reader);

static void put_storage(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_bytes_le32(array, ostler_mtp_store_id(entry->object.storage));
}

static void put_format(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_bytes_le16(array, entry->object.format);
}

static void put_protection(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_bytes_le16(array, entry->is_read_only ? 1 : 0);
}

static void put_size(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_bytes_le64(array, entry->file.size);
}

static void put_file_name(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_mtp_put_name(array, entry->object.name);
}

static void put_created(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_mtp_put_date(array, entry->file.created);
}

static void put_modified(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_mtp_put_date(array, entry->file.modified);
}

static void put_parent(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_bytes_le32(array, entry->object.parent);
}

/* The file system's number of the file, which it may give again, and when the file was
 * made, which it then is not: stays through renames, moves, reconnects and restarts. */
static void put_unique_id(GByteArray *array, const OstlerMtpEntry *entry)
{
    ostler_bytes_le64(array, entry->file.identity);
    ostler_bytes_le64(array, entry->file.birth_ns);
}

static OstlerMtpCode set_file_name(OstlerMtpStore *store, uint32_t handle,
                                   OstlerReader *reader)
{
    OstlerMtpString string;

    ostler_mtp_get_string(reader, &string);
    if (!ostler_reader_ok(reader)) {
        return OSTLER_MTP_INVALID_DATASET;
    }
    g_autofree char *name = ostler_mtp_name_to_host(string.units, string.n_units);
    return name ? ostler_mtp_store_rename(store, handle, name)
                : OSTLER_MTP_INVALID_OBJECT_PROP_VALUE;
}

static OstlerMtpCode set_modified(OstlerMtpStore *store, uint32_t handle,
                                  OstlerReader *reader)
{
    OstlerMtpString string;

    ostler_mtp_get_string(reader, &string);
    if (!ostler_reader_ok(reader)) {
        return OSTLER_MTP_INVALID_DATASET;
    }
    int64_t when = ostler_mtp_parse_date(&string);
    return when != 0 ? ostler_mtp_store_touch(store, handle, when)
                     : OSTLER_MTP_INVALID_OBJECT_PROP_VALUE;
}

/* Appendix B, in code order. */
static const struct {
    uint16_t code;
    uint16_t type;
    Put *put;
    Set *set; /* NULL: read-only */
} object_properties[] = {
    { 0xdc01, OSTLER_MTP_UINT32, put_storage, NULL },            /* StorageID */
    { 0xdc02, OSTLER_MTP_UINT16, put_format, NULL },             /* ObjectFormat */
    { 0xdc03, OSTLER_MTP_UINT16, put_protection, NULL },         /* ProtectionStatus */
    { 0xdc04, OSTLER_MTP_UINT64, put_size, NULL },               /* ObjectSize */
    { 0xdc07, OSTLER_MTP_STRING, put_file_name, set_file_name }, /* ObjectFileName */
    { 0xdc08, OSTLER_MTP_STRING, put_created, NULL },            /* DateCreated */
    { 0xdc09, OSTLER_MTP_STRING, put_modified, set_modified },   /* DateModified */
    { 0xdc0b, OSTLER_MTP_UINT32, put_parent, NULL },             /* ParentObject */
    { 0xdc41, OSTLER_MTP_UINT128, put_unique_id, NULL }, /* PersistentUniqueObjectId */
    { 0xdc44, OSTLER_MTP_STRING, put_file_name, set_file_name }, /* Name */
};

/* The row of @code, or -1. */
static int find_object_property(uint32_t code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(object_properties); i++) {
        if (object_properties[i].code == code) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- a thumbnail's ---- */

typedef void PutThumb(GByteArray *array, GBytes *thumb);

static void put_thumb_format(GByteArray *array, GBytes *thumb)
{
    ostler_bytes_le16(array, thumb ? OSTLER_MTP_FORMAT_JFIF : 0);
}

static void put_thumb_size(GByteArray *array, GBytes *thumb)
{
    ostler_bytes_le32(array, thumb ? (uint32_t)g_bytes_get_size(thumb) : 0);
}

static void put_thumb_height(GByteArray *array, GBytes *thumb)
{
    uint32_t width, height = 0;

    if (thumb) {
        ostler_mtp_thumbnail_size(thumb, &width, &height);
    }
    ostler_bytes_le32(array, height);
}

static void put_thumb_width(GByteArray *array, GBytes *thumb)
{
    uint32_t width = 0, height;

    if (thumb) {
        ostler_mtp_thumbnail_size(thumb, &width, &height);
    }
    ostler_bytes_le32(array, width);
}

static void put_thumb_data(GByteArray *array, GBytes *thumb)
{
    gsize size = 0;
    const uint8_t *bytes = thumb ? g_bytes_get_data(thumb, &size) : NULL;

    ostler_bytes_le32(array, (uint32_t)size);
    if (size > 0) {
        g_byte_array_append(array, bytes, (guint)size);
    }
}

/* Appendix B, in code order. */
static const struct {
    uint16_t code;
    uint16_t type;
    PutThumb *put;
} thumb_properties[] = {
    { 0xdc81, OSTLER_MTP_UINT16, put_thumb_format },    /* RepresentativeSampleFormat */
    { 0xdc82, OSTLER_MTP_UINT32, put_thumb_size },      /* ...Size */
    { 0xdc83, OSTLER_MTP_UINT32, put_thumb_height },    /* ...Height */
    { 0xdc84, OSTLER_MTP_UINT32, put_thumb_width },     /* ...Width */
    { 0xdc86, OSTLER_MTP_UINT8_ARRAY, put_thumb_data }, /* ...Data */
};

static int find_thumb_property(uint16_t code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(thumb_properties); i++) {
        if (thumb_properties[i].code == code) {
            return (int)i;
        }
    }
    return -1;
}

bool ostler_mtp_is_thumb_property(uint16_t code)
{
    return find_thumb_property(code) >= 0;
}

void ostler_mtp_put_thumb_property(GByteArray *array, uint16_t code, GBytes *thumb)
{
    thumb_properties[find_thumb_property(code)].put(array, thumb);
}

/* ---- lists and descriptions ---- */

void ostler_mtp_put_object_property_codes(GByteArray *array, bool has_thumbs)
{
    unsigned n_thumb = has_thumbs ? G_N_ELEMENTS(thumb_properties) : 0;

    ostler_bytes_le32(array, G_N_ELEMENTS(object_properties) + n_thumb);
    for (unsigned i = 0; i < G_N_ELEMENTS(object_properties); i++) {
        ostler_bytes_le16(array, object_properties[i].code);
    }
    for (unsigned i = 0; i < n_thumb; i++) {
        ostler_bytes_le16(array, thumb_properties[i].code);
    }
}

/* The default value: nothing, in as many bytes as the type has. */
static void put_default(GByteArray *array, uint16_t type)
{
    static const struct {
        uint16_t type;
        uint8_t size;
    } sizes[] = {
        { OSTLER_MTP_UINT8, 1 },       { OSTLER_MTP_UINT16, 2 },
        { OSTLER_MTP_UINT32, 4 },      { OSTLER_MTP_UINT64, 8 },
        { OSTLER_MTP_UINT128, 16 },    { OSTLER_MTP_STRING, 1 },
        { OSTLER_MTP_UINT8_ARRAY, 4 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        if (sizes[i].type == type) {
            ostler_bytes_zero(array, sizes[i].size);
        }
    }
}

static void put_description(GByteArray *array, uint16_t code, uint16_t type,
                            bool is_settable)
{
    ostler_bytes_le16(array, code);
    ostler_bytes_le16(array, type);
    ostler_bytes_u8(array, is_settable ? 1 : 0);
    put_default(array, type);
    ostler_bytes_le32(array, 0); /* no group */
    ostler_bytes_u8(array, 0);   /* any value */
}

bool ostler_mtp_put_object_property_description(GByteArray *array, uint16_t code)
{
    int row = find_object_property(code);
    int thumb_row = find_thumb_property(code);

    if (row >= 0) {
        put_description(array, code, object_properties[row].type,
                        object_properties[row].set != NULL);
    } else if (thumb_row >= 0) {
        put_description(array, code, thumb_properties[thumb_row].type, false);
    }
    return row >= 0 || thumb_row >= 0;
}

bool ostler_mtp_put_object_property(GByteArray *array, const OstlerMtpEntry *entry,
                                    uint16_t code)
{
    int row = find_object_property(code);

    if (row < 0) {
        return false;
    }
    object_properties[row].put(array, entry);
    return true;
}

unsigned ostler_mtp_put_object_property_elements(GByteArray *array,
                                                 const OstlerMtpEntry *entry,
                                                 uint32_t code)
{
    unsigned n = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(object_properties); i++) {
        if (code == ALL_PROPERTIES || code == object_properties[i].code) {
            ostler_bytes_le32(array, entry->object.handle);
            ostler_bytes_le16(array, object_properties[i].code);
            ostler_bytes_le16(array, object_properties[i].type);
            object_properties[i].put(array, entry);
            n++;
        }
    }
    return n;
}

OstlerMtpCode ostler_mtp_set_object_property(OstlerMtpStore *store, uint32_t handle,
                                             uint16_t code, OstlerReader *reader)
{
    int row = find_object_property(code);

    if (row < 0) {
        return ostler_mtp_is_thumb_property(code) ? OSTLER_MTP_ACCESS_DENIED
                                                  : OSTLER_MTP_INVALID_OBJECT_PROP_CODE;
    }
    return object_properties[row].set
               ? object_properties[row].set(store, handle, reader)
               : OSTLER_MTP_ACCESS_DENIED;
}

/* ---- device properties ---- */

typedef void PutDevice(GByteArray *array, const OstlerMtpDeviceIdentity *device);

static void put_friendly_name(GByteArray *array, const OstlerMtpDeviceIdentity *device)
{
    ostler_mtp_put_string(array, device->friendly_name);
}

/* 0, generic: with 1 Windows shows a camera, with 3 a phone. */
static void put_perceived_type(GByteArray *array, const OstlerMtpDeviceIdentity *device)
{
    ostler_bytes_le32(array, 0);
}

/* Appendix C, and D407 from Windows' MTP device properties. */
static const struct {
    uint16_t code;
    uint16_t type;
    PutDevice *put;
} device_properties[] = {
    { 0xd402, OSTLER_MTP_STRING, put_friendly_name },  /* DeviceFriendlyName */
    { 0xd407, OSTLER_MTP_UINT32, put_perceived_type }, /* PerceivedDeviceType */
};

static int find_device_property(uint16_t code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(device_properties); i++) {
        if (device_properties[i].code == code) {
            return (int)i;
        }
    }
    return -1;
}

void ostler_mtp_put_device_property_codes(GByteArray *array)
{
    ostler_bytes_le32(array, G_N_ELEMENTS(device_properties));
    for (unsigned i = 0; i < G_N_ELEMENTS(device_properties); i++) {
        ostler_bytes_le16(array, device_properties[i].code);
    }
}

bool ostler_mtp_put_device_property_description(GByteArray *array, uint16_t code,
                                                const OstlerMtpDeviceIdentity *device)
{
    int row = find_device_property(code);

    if (row < 0) {
        return false;
    }
    ostler_bytes_le16(array, code);
    ostler_bytes_le16(array, device_properties[row].type);
    ostler_bytes_u8(array, 0);                 /* read-only */
    device_properties[row].put(array, device); /* factory default */
    device_properties[row].put(array, device); /* current value */
    ostler_bytes_u8(array, 0);                 /* any value */
    return true;
}

bool ostler_mtp_put_device_property(GByteArray *array, uint16_t code,
                                    const OstlerMtpDeviceIdentity *device)
{
    int row = find_device_property(code);

    if (row < 0) {
        return false;
    }
    device_properties[row].put(array, device);
    return true;
}
