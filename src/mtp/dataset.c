/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/dataset.h"

#include "mtp/bytes.h"

#include <string.h>

/* ---- strings and dates: MTP 1.1 3.2.3, 3.2.5 ---- */

void ostler_mtp_put_units(GByteArray *array, const uint16_t *units, unsigned n)
{
    if (n == 0) {
        ostler_bytes_u8(array, 0); /* an empty string has no NUL either */
        return;
    }
    ostler_bytes_u8(array, (uint8_t)(n + 1));
    for (unsigned i = 0; i < n; i++) {
        ostler_bytes_le16(array, units[i]);
    }
    ostler_bytes_le16(array, 0);
}

void ostler_mtp_put_name(GByteArray *array, const char *name)
{
    uint16_t units[OSTLER_MTP_MAX_STRING];
    unsigned n = ostler_mtp_name_to_guest(name, units);

    ostler_mtp_put_units(array, units, n);
}

/* A label may hold what a file's name may not, but becomes units the same way. */
void ostler_mtp_put_string(GByteArray *array, const char *utf8)
{
    ostler_mtp_put_name(array, utf8);
}

void ostler_mtp_get_string(OstlerReader *reader, OstlerMtpString *out_string)
{
    unsigned n = ostler_reader_u8(reader);

    out_string->n_units = 0;
    for (unsigned i = 0; i < n; i++) {
        uint16_t unit = ostler_reader_le16(reader);
        if (i + 1 < n || unit != 0) { /* some initiators leave out the NUL */
            out_string->units[out_string->n_units++] = unit;
        }
    }
}

/* Read once: later the process is shut off from /etc/localtime. */
static GTimeZone *zone(void)
{
    static GTimeZone *local;

    if (g_once_init_enter(&local)) {
        g_once_init_leave(&local, g_time_zone_new_local());
    }
    return local;
}

void ostler_mtp_dates_prepare(void)
{
    zone();
}

void ostler_mtp_put_date(GByteArray *array, int64_t when)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(when);
    g_autoptr(GDateTime) local = utc ? g_date_time_to_timezone(utc, zone()) : NULL;
    g_autofree char *text = local ? g_date_time_format(local, "%Y%m%dT%H%M%S") : NULL;

    ostler_mtp_put_string(array, text ? text : "");
}

static bool get_number(const char *text, unsigned n_digits, int *out)
{
    *out = 0;
    for (unsigned i = 0; i < n_digits; i++) {
        if (!g_ascii_isdigit(text[i])) {
            return false;
        }
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

/* "Z", "+0200", or nothing for the device's own zone; tenths of seconds are skipped. */
static GTimeZone *zone_of_suffix(const char *suffix)
{
    if (*suffix == '.') {
        suffix++;
        while (g_ascii_isdigit(*suffix)) {
            suffix++;
        }
    }
    return *suffix ? g_time_zone_new_identifier(suffix) : g_time_zone_ref(zone());
}

int64_t ostler_mtp_parse_date(const OstlerMtpString *string)
{
    char text[32] = "";
    int year, month, day, hour, minute, second;

    if (string->n_units < 15 || string->n_units >= sizeof(text)) {
        return 0;
    }
    for (unsigned i = 0; i < string->n_units; i++) {
        text[i] = string->units[i] < 0x80 ? (char)string->units[i] : '?';
    }
    if (!get_number(text, 4, &year) || !get_number(text + 4, 2, &month) ||
        !get_number(text + 6, 2, &day) || text[8] != 'T' ||
        !get_number(text + 9, 2, &hour) || !get_number(text + 11, 2, &minute) ||
        !get_number(text + 13, 2, &second)) {
        return 0;
    }

    g_autoptr(GTimeZone) there = zone_of_suffix(text + 15);
    g_autoptr(GDateTime) date =
        there ? g_date_time_new(there, year, month, day, hour, minute, second) : NULL;
    return date ? g_date_time_to_unix(date) : 0;
}

/* ---- arrays ---- */

void ostler_mtp_put_codes(GByteArray *array, const uint16_t *codes, unsigned n)
{
    ostler_bytes_le32(array, n);
    for (unsigned i = 0; i < n; i++) {
        ostler_bytes_le16(array, codes[i]);
    }
}

void ostler_mtp_put_handles(GByteArray *array, const uint32_t *handles, unsigned n)
{
    ostler_bytes_le32(array, n);
    for (unsigned i = 0; i < n; i++) {
        ostler_bytes_le32(array, handles[i]);
    }
}

/* ---- datasets ---- */

/* Table 14.  Fixed RAM, a hierarchical file system. */
void ostler_mtp_put_storage_info(GByteArray *array, const OstlerMtpStorageInfo *info)
{
    ostler_bytes_le16(array, 0x0003);
    ostler_bytes_le16(array, 0x0002);
    ostler_bytes_le16(array, info->is_read_only ? 0x0001 : 0x0000);
    ostler_bytes_le64(array, info->capacity);
    ostler_bytes_le64(array, info->free_bytes);
    ostler_bytes_le32(array, info->free_objects);
    ostler_mtp_put_string(array, info->label);
    ostler_mtp_put_string(array, info->volume);
}

/* Table 18.  No thumbnail, no image: their fields are 0. */
void ostler_mtp_put_object_info(GByteArray *array, const OstlerMtpObjectInfo *info)
{
    ostler_bytes_le32(array, info->storage);
    ostler_bytes_le16(array, info->format);
    ostler_bytes_le16(array, info->protection);
    ostler_bytes_le32(array, (uint32_t)MIN(info->size, 0xffffffffu));
    ostler_bytes_le16(array, info->thumb_format);
    ostler_bytes_le32(array, info->thumb_size);
    ostler_bytes_zero(array, 4 * 2); /* its width, height: when it is made */
    ostler_bytes_zero(array, 4 * 3); /* image: width, height, depth */
    ostler_bytes_le32(array, info->parent);
    ostler_bytes_le16(array, info->association);
    ostler_bytes_zero(array, 4 + 4); /* association's description, sequence number */
    ostler_mtp_put_name(array, info->name);
    ostler_mtp_put_date(array, info->created);
    ostler_mtp_put_date(array, info->modified);
    ostler_mtp_put_string(array, ""); /* keywords */
}

bool ostler_mtp_get_object_info(OstlerReader *reader, OstlerMtpSentInfo *out_info)
{
    OstlerMtpString date = { 0 };

    *out_info = (OstlerMtpSentInfo){ 0 };
    ostler_reader_skip(reader, 4); /* storage: the request's parameter counts */
    out_info->format = ostler_reader_le16(reader);
    ostler_reader_skip(reader, 2); /* protection: a new object has none */
    uint32_t size = ostler_reader_le32(reader);
    out_info->size = size == 0xffffffff ? OSTLER_MTP_UNKNOWN_SIZE : size;
    ostler_reader_skip(reader, 14 + 12 + 4); /* thumbnail, image, parent */
    ostler_reader_skip(reader, 2 + 4 + 4);   /* association, sequence number */
    ostler_mtp_get_string(reader, &out_info->name);
    if (reader->failed) {
        return false;
    }

    /* The dates are often left out altogether. */
    ostler_mtp_get_string(reader, &date);
    ostler_mtp_get_string(reader, &date);
    out_info->modified = reader->failed ? 0 : ostler_mtp_parse_date(&date);
    return true;
}

bool ostler_mtp_skip_value(OstlerReader *reader, uint16_t type)
{
    static const uint8_t sizes[] = { 1, 1, 2, 2, 4, 4, 8, 8, 16, 16 }; /* 5.3.1 */
    bool is_array = type >= 0x4001 && type <= 0x400a;
    unsigned index = (type & 0x0fffu) - 1;
    OstlerMtpString string;

    if (type == OSTLER_MTP_STRING) {
        ostler_mtp_get_string(reader, &string);
    } else if ((type & 0xf000) != 0 && !is_array) {
        ostler_reader_fail(reader);
    } else if (index >= G_N_ELEMENTS(sizes)) {
        ostler_reader_fail(reader);
    } else {
        uint64_t n = is_array ? ostler_reader_le32(reader) : 1;
        ostler_reader_skip(reader, (size_t)(n * sizes[index]));
    }
    return ostler_reader_ok(reader);
}

bool ostler_mtp_get_new_object_properties(OstlerReader *reader, OstlerMtpSentInfo *info)
{
    uint32_t n = ostler_reader_le32(reader);
    OstlerMtpString date;

    for (uint32_t i = 0; i < n && ostler_reader_ok(reader); i++) {
        ostler_reader_skip(reader, 4); /* the handle is 0: there is none yet */
        uint16_t property = ostler_reader_le16(reader);
        uint16_t type = ostler_reader_le16(reader);
        if (property == 0xdc07 && type == OSTLER_MTP_STRING) {
            ostler_mtp_get_string(reader, &info->name);
        } else if (property == 0xdc09 && type == OSTLER_MTP_STRING) {
            ostler_mtp_get_string(reader, &date);
            info->modified =
                ostler_reader_ok(reader) ? ostler_mtp_parse_date(&date) : 0;
        } else {
            ostler_mtp_skip_value(reader, type);
        }
    }
    return ostler_reader_ok(reader);
}

/* ---- formats ---- */

/* Appendix A, by the extensions that Windows and libmtp go by. */
static const struct {
    const char *extension;
    uint16_t format;
} extensions[] = {
    { "txt", 0x3004 },  { "htm", 0x3005 },  { "html", 0x3005 }, { "aif", 0x3007 },
    { "aiff", 0x3007 }, { "wav", 0x3008 },  { "mp3", 0x3009 },  { "avi", 0x300a },
    { "mpg", 0x300b },  { "mpeg", 0x300b }, { "asf", 0x300c },  { "jpg", 0x3801 },
    { "jpeg", 0x3801 }, { "bmp", 0x3804 },  { "gif", 0x3807 },  { "png", 0x380b },
    { "tif", 0x380d },  { "tiff", 0x380d }, { "wma", 0xb901 },  { "ogg", 0xb902 },
    { "oga", 0xb902 },  { "aac", 0xb903 },  { "flac", 0xb906 }, { "wmv", 0xb981 },
    { "mp4", 0xb982 },  { "m4v", 0xb982 },  { "3gp", 0xb984 },  { "m3u", 0xba11 },
    { "xml", 0xba82 },  { "doc", 0xba83 },  { "mht", 0xba84 },  { "xls", 0xba85 },
    { "ppt", 0xba86 },
};

uint16_t ostler_mtp_format_of_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < G_N_ELEMENTS(extensions); i++) {
        if (g_ascii_strcasecmp(dot + 1, extensions[i].extension) == 0) {
            return extensions[i].format;
        }
    }
    return OSTLER_MTP_FORMAT_UNDEFINED;
}

bool ostler_mtp_format_is_image(uint16_t format)
{
    static const uint16_t images[] = {
        0x3801, 0x3804, 0x3807, 0x380b, 0x380d, /* EXIF/JPEG, BMP, GIF, PNG, TIFF */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
        if (images[i] == format) {
            return true;
        }
    }
    return false;
}

const uint16_t *ostler_mtp_formats(unsigned *out_n)
{
    static uint16_t formats[G_N_ELEMENTS(extensions) + 2];
    static unsigned n;

    if (n == 0) {
        formats[n++] = OSTLER_MTP_FORMAT_UNDEFINED;
        formats[n++] = OSTLER_MTP_FORMAT_ASSOCIATION;
        for (size_t i = 0; i < G_N_ELEMENTS(extensions); i++) {
            if (extensions[i].format !=
                formats[n - 1]) { /* equal ones are neighbours */
                formats[n++] = extensions[i].format;
            }
        }
    }
    *out_n = n;
    return formats;
}
