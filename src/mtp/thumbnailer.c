/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/thumbnailer.h"

#include "wire/reader.h"

struct OstlerMtpThumbnailer {
    OstlerChannel *channel; /* NULL after it broke its word */
};

OstlerMtpThumbnailer *ostler_mtp_thumbnailer_new(OstlerChannel *channel)
{
    OstlerMtpThumbnailer *thumbnailer = g_new0(OstlerMtpThumbnailer, 1);

    thumbnailer->channel = channel;
    return thumbnailer;
}

void ostler_mtp_thumbnailer_free(OstlerMtpThumbnailer *thumbnailer)
{
    if (thumbnailer) {
        ostler_channel_free(thumbnailer->channel);
        g_free(thumbnailer);
    }
}

void ostler_mtp_thumbnailer_close(OstlerMtpThumbnailer *thumbnailer)
{
    if (thumbnailer->channel) {
        ostler_channel_close(thumbnailer->channel);
    }
}

static bool coroutine_fn read_all(OstlerChannel *channel, uint8_t *buffer, size_t size)
{
    while (size > 0) {
        gssize n = ostler_channel_read(channel, buffer, size, NULL);
        if (n <= 0) {
            return false;
        }
        buffer += n;
        size -= (size_t)n;
    }
    return true;
}

/* false if the other process is not to be trusted any more; *out_bytes may be NULL. */
static bool coroutine_fn read_answer(OstlerChannel *channel, GBytes **out_bytes)
{
    uint8_t head[4];

    if (!read_all(channel, head, sizeof(head))) {
        return false;
    }
    OstlerReader reader = ostler_reader_of(head, sizeof(head));
    uint32_t size = ostler_reader_le32(&reader);
    if (size > OSTLER_MTP_MAX_THUMBNAIL) {
        return false;
    }
    g_autofree uint8_t *bytes = g_malloc(size + 1);
    if (!read_all(channel, bytes, size)) {
        return false;
    }
    *out_bytes = size > 0 ? g_bytes_new_take(g_steal_pointer(&bytes), size) : NULL;
    return true;
}

GBytes *coroutine_fn ostler_mtp_thumbnailer_make(OstlerMtpThumbnailer *thumbnailer,
                                                 const OstlerRootFile *file)
{
    GBytes *bytes = NULL;

    if (!thumbnailer->channel) {
        return NULL;
    }
    if (!ostler_channel_write_with_fd(thumbnailer->channel, "T", 1,
                                      ostler_root_file_fd(file), NULL) ||
        !read_answer(thumbnailer->channel, &bytes)) {
        g_debug("the thumbnailer is gone");
        g_clear_pointer(&thumbnailer->channel, ostler_channel_free);
    }
    return bytes;
}

/* Markers (T.81 table B.1): frames but the differential ones, DHT, JPG and DAC. */
static bool is_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
           marker != 0xcc;
}

void ostler_mtp_thumbnail_size(GBytes *bytes, uint32_t *out_width, uint32_t *out_height)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    OstlerReader reader = ostler_reader_of(data, size);

    *out_width = *out_height = 0;
    ostler_reader_skip(&reader, 2); /* start of image */
    while (ostler_reader_u8(&reader) == 0xff) {
        uint8_t marker = ostler_reader_u8(&reader);
        size_t length = ostler_reader_be16(&reader);
        if (is_frame(marker)) {
            ostler_reader_skip(&reader, 1); /* bits of a sample */
            uint32_t height = ostler_reader_be16(&reader);
            uint32_t width = ostler_reader_be16(&reader);
            *out_width = ostler_reader_ok(&reader) ? width : 0;
            *out_height = ostler_reader_ok(&reader) ? height : 0;
            return;
        }
        ostler_reader_skip(&reader, length < 2 ? SIZE_MAX : length - 2);
    }
}
