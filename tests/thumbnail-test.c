/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ostler-thumbnail makes thumbnails of good images, survives all others, and the process
 * that reads an image is confined.
 */
#include "mtp/thumbnailer.h"
#include "platform/process.h"

#include <cpc/glib.h>
#include <fcntl.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char *path;
    OstlerRoot *root;
    OstlerProcess *helper;
    OstlerChannel *channel;
    OstlerMtpThumbnailer *thumbnailer;
} Fixture;

static void set_up(Fixture *f, gconstpointer run)
{
    const char *const argv[] = { g_getenv("OSTLER_THUMBNAIL"), "--serve", "3", NULL };
    int socket;

    f->path = g_dir_make_tmp("thumbnail-test-XXXXXX", NULL);
    f->root = ostler_root_open(f->path, NULL);
    f->channel = ostler_channel_pair(&socket, NULL);
    f->thumbnailer = ostler_mtp_thumbnailer_new(f->channel);
    const OstlerFdMap fds[] = { { socket, 3 } };
    const OstlerProcessConfig config = {
        .argv = argv,
        .fds = fds,
        .n_fds = 1,
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = -1,
        .die_with_parent = true,
    };
    f->helper = ostler_process_start(&config, NULL);
    g_assert_nonnull(f->helper);
    close(socket);
}

static void tear_down(Fixture *f, gconstpointer run)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->path);

    ostler_mtp_thumbnailer_free(f->thumbnailer);
    ostler_process_free(f->helper);
    ostler_root_free(f->root);
    g_assert_cmpint(system(command), ==, 0);
    g_free(f->path);
}

static char *path_of(const Fixture *f, const char *name)
{
    return g_build_filename(f->path, name, NULL);
}

/* An image with something to see in it, as a file of @type. */
static void put_image(const Fixture *f, const char *name, const char *type, int width,
                      int height)
{
    g_autofree char *path = path_of(f, name);
    g_autoptr(GdkPixbuf) pixels =
        gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, width, height);
    guchar *bytes = gdk_pixbuf_get_pixels(pixels);

    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width * 3; x++) {
            bytes[y * gdk_pixbuf_get_rowstride(pixels) + x] = (guchar)(x * y / 7);
        }
    }
    g_assert_true(gdk_pixbuf_save(pixels, path, type, NULL, NULL));
}

/* gdk-pixbuf writes no GIF.  Codes are 8 bits wide and stand for a pixel each, as long as
 * the table is cleared before it has 256 entries (GIF89a, appendix F). */
static GByteArray *gif_of(uint16_t width, uint16_t height)
{
    const uint8_t head[] = {
        'G',
        'I',
        'F',
        '8',
        '9',
        'a',
        (uint8_t)width,
        (uint8_t)(width >> 8),
        (uint8_t)height,
        (uint8_t)(height >> 8),
        0xf6,
        0,
        0, /* 128 colours follow */
    };
    const uint8_t image[] = {
        0x2c, 0, 0, 0, 0, head[6], head[7], head[8], head[9], 0, 7, /* bits a pixel */
    };
    enum { CLEAR = 128, END = 129, A_BLOCK = 101 };
    GByteArray *bytes = g_byte_array_new();

    g_byte_array_append(bytes, head, sizeof(head));
    for (unsigned i = 0; i < 128 * 3; i++) {
        g_byte_array_append(bytes, &(uint8_t){ (uint8_t)(i * 5) }, 1);
    }
    g_byte_array_append(bytes, image, sizeof(image));
    for (unsigned left = (unsigned)width * height, n; left > 0; left -= n) {
        uint8_t block[1 + A_BLOCK] = { 0, CLEAR };
        n = MIN(left, A_BLOCK - 1);
        block[0] = (uint8_t)(1 + n);
        for (unsigned i = 0; i < n; i++) {
            block[2 + i] = (uint8_t)((left - i) * 7 % 128);
        }
        g_byte_array_append(bytes, block, 2 + n);
    }
    g_byte_array_append(bytes, (const uint8_t[]){ 1, END, 0, ';' }, 4);
    return bytes;
}

static void put_bytes(const Fixture *f, const char *name, const char *bytes,
                      size_t size)
{
    g_autofree char *path = path_of(f, name);

    g_assert_true(g_file_set_contents_full(path, bytes, (gssize)size,
                                           G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

static GBytes *coroutine_fn thumbnail_of(Fixture *f, const char *name)
{
    g_autoptr(OstlerRootFolder) folder = ostler_root_folder(f->root, "", NULL);
    g_autoptr(OstlerRootFile) file = ostler_root_read(folder, name, NULL);

    g_assert_nonnull(file);
    return ostler_mtp_thumbnailer_make(f->thumbnailer, file);
}

static void coroutine_fn expect_size(Fixture *f, const char *name, uint32_t width,
                                     uint32_t height)
{
    g_autoptr(GBytes) thumbnail = thumbnail_of(f, name);
    uint32_t got_width, got_height;

    g_test_message("%s", name);
    g_assert_nonnull(thumbnail);
    ostler_mtp_thumbnail_size(thumbnail, &got_width, &got_height);
    g_assert_cmpuint(got_width, ==, width);
    g_assert_cmpuint(got_height, ==, height);
}

static void coroutine_fn expect_none(Fixture *f, const char *name)
{
    g_autoptr(GBytes) thumbnail = thumbnail_of(f, name);

    g_assert_null(thumbnail);
}

static void coroutine_fn every_kind_becomes_a_small_jpeg(void *opaque)
{
    static const char *const types[] = { "jpeg", "png", "bmp", "tiff" };
    Fixture *f = opaque;

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        put_image(f, types[i], types[i], 640, 480);
        expect_size(f, types[i], 160, 120);
    }
    g_autoptr(GByteArray) gif = gif_of(640, 480);
    put_bytes(f, "gif", (const char *)gif->data, gif->len);
    expect_size(f, "gif", 160, 120);
    put_image(f, "upright", "jpeg", 300, 1200);
    expect_size(f, "upright", 40, 160);
    put_image(f, "small", "png", 20, 10);
    expect_size(f, "small", 20, 10);
    put_image(f, "line", "png", 3000, 1);
    expect_size(f, "line", 160, 1);
}

static void coroutine_fn what_is_no_image_has_none(void *opaque)
{
    static const char zeros[100000];
    Fixture *f = opaque;

    put_bytes(f, "empty", "", 0);
    put_bytes(f, "text", "BM, it says, and is none", 24);
    put_bytes(f, "zeros", zeros, sizeof(zeros));
    put_bytes(f, "start", "\xff\xd8\xff", 3);
    expect_none(f, "empty");
    expect_none(f, "text");
    expect_none(f, "zeros");
    expect_none(f, "start");
    put_image(f, "good", "png", 320, 320);
    expect_size(f, "good", 160, 160);
}

/* A bitmap's header has the width at 18 and the height at 22. */
static void coroutine_fn an_image_too_large_has_none(void *opaque)
{
    Fixture *f = opaque;
    g_autofree char *path = path_of(f, "bomb");
    g_autofree char *bytes = NULL;
    gsize size;

    put_image(f, "bomb", "bmp", 64, 64);
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    memcpy(bytes + 18, "\x00\x00\x02\x00\x00\x00\x02\x00", 8); /* 131072 x 131072 */
    put_bytes(f, "bomb", bytes, size);
    expect_none(f, "bomb");
    put_image(f, "good", "png", 320, 320);
    expect_size(f, "good", 160, 160);
}

static void coroutine_fn damaged_images_do_no_harm(void *opaque)
{
    static const char *const types[] = { "jpeg", "png", "bmp", "tiff" };
    Fixture *f = opaque;

    for (unsigned i = 0; i < 80; i++) {
        const char *type = types[i % G_N_ELEMENTS(types)];
        g_autofree char *path = path_of(f, "damaged");
        g_autofree char *bytes = NULL;
        gsize size;
        put_image(f, "damaged", type, 50, 40);
        g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
        for (unsigned n = 0; n < 1 + i / 8; n++) {
            bytes[g_test_rand_int_range(8, (gint32)size)] ^=
                (char)(1 << g_test_rand_int_range(0, 8));
        }
        put_bytes(f, "damaged", bytes, i % 3 == 0 ? size * i / 80 : size);
        GBytes *thumbnail = thumbnail_of(f, "damaged");
        g_clear_pointer(&thumbnail, g_bytes_unref);
    }
    put_image(f, "good", "png", 320, 320);
    expect_size(f, "good", 160, 160);
}

/* The pid of the process that @pid has started, or 0. */
static int child_of(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", pid, pid);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? atoi(text) : 0;
}

static bool is_confined(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) &&
           strstr(text, "\nSeccomp:\t2") && strstr(text, "\nNoNewPrivs:\t1");
}

/* An image that does not end, from a pipe: while it is waited for the process can be
 * looked at, and in the end there is none. */
static void coroutine_fn an_endless_image_is_given_up(void *opaque)
{
    Fixture *f = opaque;
    int helper = ostler_process_identity(f->helper).pid;
    int ends[2];
    char answer[4];

    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(write(ends[1], "\xff\xd8\xff", 3), ==, 3);
    gint64 start = g_get_monotonic_time();
    g_assert_true(ostler_channel_write_with_fd(f->channel, "T", 1, ends[0], NULL));
    while (!is_confined(child_of(helper))) {
        g_assert_cmpint(g_get_monotonic_time() - start, <, 30 * G_USEC_PER_SEC);
        cpc_sleep_ms(5);
    }
    g_assert_cmpint(ostler_channel_read(f->channel, answer, sizeof(answer), NULL), ==,
                    4);
    g_assert_cmpmem(answer, 4, "\0\0\0\0", 4);
    g_assert_cmpint(g_get_monotonic_time() - start, >, G_USEC_PER_SEC);
    close(ends[0]);
    close(ends[1]);
}

static void run(Fixture *f, gconstpointer test)
{
    cpc_run(*(CoroutineEntry *const *)test, f);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        CoroutineEntry *test;
    } tests[] = {
        { "/thumbnail/every-kind-becomes-a-small-jpeg",
          every_kind_becomes_a_small_jpeg },
        { "/thumbnail/what-is-no-image-has-none", what_is_no_image_has_none },
        { "/thumbnail/an-image-too-large-has-none", an_image_too_large_has_none },
        { "/thumbnail/damaged-images-do-no-harm", damaged_images_do_no_harm },
        { "/thumbnail/an-endless-image-is-given-up", an_endless_image_is_given_up },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, Fixture, &tests[i].test, set_up, run, tear_down);
    }
    return g_test_run();
}
