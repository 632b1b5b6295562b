/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that the guest and two programs of the host write at the same time is at any
 * moment one writer's whole file, and nothing lies beside it.
 */
#include "usbredir-host.h"

#include <glib/gstdio.h>
#include <string.h>

#define N_ROUNDS 300u
#define N_BYTES  40000u
#define HEADER   12u

#define NAME "new"

typedef struct {
    const UsbredirHost *host;
    char letter;
    unsigned n_written;
    int is_over; /* atomic */
    GThread *thread;
} Writer;

/* A writer's files are of its letter alone, and of a size of its own. */
static uint32_t size_of(char letter)
{
    return N_BYTES + (uint32_t)letter;
}

static void set_up(UsbredirHost *host, gconstpointer unused)
{
    host_set_up(host);
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
}

static void tear_down(UsbredirHost *host, gconstpointer unused)
{
    host_tear_down(host);
}

/* ---- the host's writers ---- */

/* Made beside the share and put in place at once, as editors do it. */
static void write_one(const Writer *writer)
{
    g_autofree char *beside =
        g_strdup_printf("%s-%c", writer->host->folder, writer->letter);
    g_autofree char *path = g_build_filename(writer->host->folder, NAME, NULL);
    g_autofree char *bytes = g_malloc(size_of(writer->letter));

    memset(bytes, writer->letter, size_of(writer->letter));
    g_assert_true(g_file_set_contents_full(beside, bytes, size_of(writer->letter),
                                           G_FILE_SET_CONTENTS_NONE, 0644, NULL));
    g_assert_cmpint(g_rename(beside, path), ==, 0);
}

static void *write_on(void *opaque)
{
    Writer *writer = opaque;

    while (!g_atomic_int_get(&writer->is_over)) {
        write_one(writer);
        writer->n_written++;
        g_usleep(200);
    }
    return NULL;
}

static void start_writer(Writer *writer, const UsbredirHost *host, char letter)
{
    *writer = (Writer){ .host = host, .letter = letter };
    write_one(writer);
    writer->thread = g_thread_new("writer", write_on, writer);
}

static void end_writer(Writer *writer)
{
    g_atomic_int_set(&writer->is_over, 1);
    g_thread_join(writer->thread);
    g_test_message("%c: %u files", writer->letter, writer->n_written);
    g_assert_cmpuint(writer->n_written, >, 0);
}

/* ---- the guest ---- */

static void send_container(UsbredirHost *host, uint16_t code, uint8_t *bytes,
                           uint32_t size)
{
    const uint32_t header[3] = { size, 2u | (uint32_t)code << 16, 1 };
    uint32_t n;

    memcpy(bytes, header, sizeof(header));
    for (uint32_t at = 0; at < size; at += n) {
        n = MIN(16384u, size - at);
        host_send_out(host, bytes + at, n);
    }
}

static void announce(UsbredirHost *host)
{
    static const uint8_t name[] = { 4, 'n', 0, 'e', 0, 'w', 0, 0, 0 };
    uint8_t info[HEADER + 52 + sizeof(name) + 3] = { 0 };
    uint32_t size = size_of('g');

    info[HEADER + 5] = 0x30; /* format 0x3000 */
    memcpy(info + HEADER + 8, &size, sizeof(size));
    memcpy(info + HEADER + 52, name, sizeof(name));
    host_send_command(host, 0x100c, 0, 0xffffffff, 0);
    send_container(host, 0x100c, info, sizeof(info));
    host_expect(host, 0x2001);
}

static void send_file(UsbredirHost *host)
{
    static uint8_t bytes[HEADER + N_BYTES + 'g'];

    announce(host);
    memset(bytes, 'g', sizeof(bytes));
    host_send_command(host, 0x100d, 0, 0, 0);
    send_container(host, 0x100d, bytes, sizeof(bytes));
    host_expect(host, 0x2001);
}

static void check_whole(const uint8_t *bytes, gsize size)
{
    g_assert_cmpuint(size, >, 0);
    g_assert_true(strchr("abg", (char)bytes[0]) != NULL);
    g_assert_cmpuint(size, ==, size_of((char)bytes[0]));
    for (gsize i = 1; i < size; i++) {
        g_assert_cmpint(bytes[i], ==, bytes[0]);
    }
}

/* It may have been replaced since it was listed, but is whole. */
static void read_file(UsbredirHost *host)
{
    g_autoptr(GByteArray) file = g_byte_array_new();

    host_send_command(host, 0x1007, 0xffffffff, 0, 0);
    host_receive_in(host, 512);
    g_assert_cmpuint(host_word(host, 3), ==, 1);
    uint32_t handle = host_word(host, 4);
    host_expect(host, 0x2001);
    host_send_command(host, 0x1009, handle, 0, 0);
    do {
        host_receive_in(host, 16384);
        g_byte_array_append(file, host->got->data, host->got->len);
    } while (host->got->len == 16384);
    host_expect(host, 0x2001);
    check_whole(file->data + HEADER, file->len - HEADER);
}

static void assert_alone(const UsbredirHost *host)
{
    g_autoptr(GDir) dir = g_dir_open(host->folder, 0, NULL);

    g_assert_cmpstr(g_dir_read_name(dir), ==, NAME);
    g_assert_null(g_dir_read_name(dir));
}

/* ---- claims ---- */

static void every_file_is_one_writers(UsbredirHost *host, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(host->folder, NAME, NULL);
    unsigned n_guests = 0;
    Writer a, b;

    start_writer(&a, host, 'a');
    start_writer(&b, host, 'b');
    for (unsigned i = 0; i < N_ROUNDS; i++) {
        g_autofree char *bytes = NULL;
        gsize size;
        send_file(host);
        g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
        check_whole((const uint8_t *)bytes, size);
        n_guests += bytes[0] == 'g';
        read_file(host);
    }
    end_writer(&a);
    end_writer(&b);
    assert_alone(host);
    g_test_message("the guest's own was found %u times of %u", n_guests, N_ROUNDS);

    /* The last to write has the file. */
    g_autofree char *last = NULL;
    send_file(host);
    g_assert_true(g_file_get_contents(path, &last, NULL, NULL));
    g_assert_cmpint(last[0], ==, 'g');
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/writers/every-file-is-one-writers", UsbredirHost, NULL, set_up,
               every_file_is_one_writers, tear_down);
    return g_test_run();
}
