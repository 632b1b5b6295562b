/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <stdbool.h>
#include <string.h>

/* More is no photograph; a decoder may need 4 bytes for each pixel. */
#define MAX_PIXELS (128 << 20)
#define MAX_BYTES  (256 << 20)

#define PIECE 65536

/* By their first bytes: names lie, and gdk-pixbuf's own guess reads a database. */
static const struct {
    const char *start;
    size_t n_start;
    const char *type; /* gdk-pixbuf's word */
} kinds[] = {
    { "\xff\xd8\xff", 3, "jpeg" }, { "\x89PNG\r\n\x1a\n", 8, "png" },
    { "GIF8", 4, "gif" },          { "BM", 2, "bmp" },
    { "II*\0", 4, "tiff" },        { "MM\0*", 4, "tiff" },
};

void image_prepare(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GdkPixbufLoader) loader =
            gdk_pixbuf_loader_new_with_type(kinds[i].type, NULL);
        if (loader) {
            gdk_pixbuf_loader_close(loader, NULL);
        }
    }
}

static const char *type_of(const guchar *bytes, size_t size)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (size >= kinds[i].n_start &&
            memcmp(bytes, kinds[i].start, kinds[i].n_start) == 0) {
            return kinds[i].type;
        }
    }
    return NULL;
}

/* The header is read: say how large the pixels shall become, 0 for none. */
static void choose_size(GdkPixbufLoader *loader, int width, int height, gpointer unused)
{
    int longest = MAX(width, height);

    if (width <= 0 || height <= 0 || (gint64)width * height > MAX_PIXELS) {
        gdk_pixbuf_loader_set_size(loader, 0, 0);
    } else if (longest > IMAGE_BOX) {
        gdk_pixbuf_loader_set_size(loader,
                                   MAX(1, (int)((gint64)width * IMAGE_BOX / longest)),
                                   MAX(1, (int)((gint64)height * IMAGE_BOX / longest)));
    }
}

static void refuse(GError **error, const char *why)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "There is no thumbnail: the file %s", why);
}

/* Feed all of @file, of which @size bytes are in @piece already. */
static bool feed(GdkPixbufLoader *loader, FILE *file, guchar *piece, size_t size,
                 GError **error)
{
    for (guint64 total = 0; size > 0; size = fread(piece, 1, PIECE, file)) {
        total += size;
        if (total > MAX_BYTES) {
            refuse(error, "is too long");
            return false;
        }
        if (!gdk_pixbuf_loader_write(loader, piece, size, error)) {
            return false;
        }
    }
    return true;
}

static GdkPixbuf *decode(FILE *file, GError **error)
{
    guchar piece[PIECE];
    size_t size = fread(piece, 1, sizeof(piece), file);
    const char *type = type_of(piece, size);

    if (!type) {
        refuse(error, "is no image of a known kind");
        return NULL;
    }
    g_autoptr(GdkPixbufLoader) loader = gdk_pixbuf_loader_new_with_type(type, error);
    if (!loader) {
        return NULL;
    }
    g_signal_connect(loader, "size-prepared", G_CALLBACK(choose_size), NULL);
    if (!feed(loader, file, piece, size, error)) {
        gdk_pixbuf_loader_close(loader, NULL);
        return NULL;
    }
    if (!gdk_pixbuf_loader_close(loader, error)) {
        return NULL;
    }
    GdkPixbuf *pixels = gdk_pixbuf_loader_get_pixbuf(loader);
    if (!pixels) {
        refuse(error, "has no pixels, or too many");
        return NULL;
    }
    return gdk_pixbuf_apply_embedded_orientation(pixels);
}

/* JPEG knows no transparency: what shows through is white. */
static GdkPixbuf *flatten(GdkPixbuf *pixels)
{
    return gdk_pixbuf_get_has_alpha(pixels)
               ? gdk_pixbuf_composite_color_simple(pixels, gdk_pixbuf_get_width(pixels),
                                                   gdk_pixbuf_get_height(pixels),
                                                   GDK_INTERP_NEAREST, 255, 8, 0xffffff,
                                                   0xffffff)
               : g_object_ref(pixels);
}

GBytes *image_to_thumbnail(FILE *file, GError **error)
{
    g_autoptr(GdkPixbuf) decoded = decode(file, error);
    g_autoptr(GdkPixbuf) pixels = decoded ? flatten(decoded) : NULL;
    char *bytes;
    gsize size;

    if (!pixels || !gdk_pixbuf_save_to_buffer(pixels, &bytes, &size, "jpeg", error,
                                              "quality", "80", NULL)) {
        return NULL;
    }
    return g_bytes_new_take(bytes, size);
}
