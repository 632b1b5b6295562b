/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes are right over the real path: libusbredirparser at one end, the real ostler-mtp
 * at the other.  responder-test.c has every size up to 70,000; here are one in 61 of them
 * as parts of a file, the borders as whole files, and what is over 32 bits.
 */
#include "usbredir-host.h"

#include <glib/gstdio.h>
#include <string.h>

#define KIB        1024u
#define MIB        (1024u * KIB)
#define GIB        (UINT64_C(1) << 30)
#define N_SIZES    70001u
#define STEP       61u
#define BATCH      (100 * STEP)
#define PACKET     512u
#define HEADER     12u
#define UNKNOWN_32 0xffffffffu

static uint8_t pattern[N_SIZES + 256];

static void set_up(UsbredirHost *host, gconstpointer unused)
{
    host_set_up(host);
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
    for (size_t i = 0; i < sizeof(pattern); i++) {
        pattern[i] = (uint8_t)(i * 131 + (i >> 8));
    }
}

static void tear_down(UsbredirHost *host, gconstpointer unused)
{
    host_tear_down(host);
}

/* What is sent for one size begins where no neighbour's does. */
static const uint8_t *bytes_of(uint32_t size)
{
    return pattern + size % 251;
}

/* ---- containers ---- */

static void send_command(UsbredirHost *host, uint16_t code, const uint32_t params[5])
{
    uint32_t bytes[8] = { sizeof(bytes), 1u | (uint32_t)code << 16, 1 };

    memcpy(bytes + 3, params, 5 * sizeof(*params));
    host_send_out(host, bytes, sizeof(bytes));
}

#define P(...) ((const uint32_t[5]){ __VA_ARGS__ })

typedef struct {
    bool is_split;  /* the header in a transfer of its own */
    bool has_end;   /* an empty packet after a full one, as the specification has it */
    uint32_t piece; /* the most in one transfer; 0 is 16 KiB, as libmtp's are */
} Style;

static void put_header(uint8_t *at, uint16_t code, uint64_t payload)
{
    const uint32_t length =
        payload + HEADER > UNKNOWN_32 ? UNKNOWN_32 : (uint32_t)(payload + HEADER);
    const uint32_t header[3] = { length, 2u | (uint32_t)code << 16, 1 };

    memcpy(at, header, sizeof(header));
}

/* A data phase to the device, all of its transfers behind one another. */
static void send_data(UsbredirHost *host, uint16_t code, const uint8_t *bytes,
                      uint32_t size, Style style)
{
    static uint8_t all[HEADER + 2 * MIB];
    uint32_t total = HEADER + size;
    uint32_t piece = style.piece ? style.piece : 16 * KIB;
    uint64_t id = 0;

    put_header(all, code, size);
    memcpy(all + HEADER, bytes, size);
    for (uint32_t at = 0, n; at < total; at += n) {
        n = at == 0 && style.is_split ? HEADER : MIN(piece, total - at);
        id = host_submit(host, 0x02, all + at, n);
    }
    host_wait_for(host, id);
    g_assert_cmpint(host->status, ==, usb_redir_success);
    uint32_t last = style.is_split ? size : total;
    if (style.has_end && last > 0 && last % PACKET == 0) {
        host_send_out(host, all, 0);
    }
}

/* A data phase from the device in transfers of @wanted: what is in it is compared with
 * @bytes.  It ends with the first transfer that is not full. */
static void receive_data(UsbredirHost *host, const uint8_t *bytes, uint32_t size,
                         uint32_t wanted)
{
    uint32_t at = 0;

    do {
        host_receive_in(host, wanted);
        uint32_t skip = at == 0 ? HEADER : 0;
        uint32_t n = host->got->len - skip;
        if (at == 0) {
            g_assert_cmpuint(host_word(host, 0), ==, size + HEADER);
        }
        g_assert_cmpuint(at + n, <=, size + (at == 0 ? 0 : HEADER));
        g_assert_cmpint(
            memcmp(host->got->data + skip, bytes + (at == 0 ? 0 : at - HEADER), n), ==,
            0);
        at += host->got->len;
    } while (host->got->len == wanted);
    g_assert_cmpuint(at, ==, size + HEADER);
}

/* ---- files ---- */

static void put_file(const UsbredirHost *host, const void *bytes, gssize size)
{
    g_autofree char *path = g_build_filename(host->folder, "file", NULL);

    g_assert_true(g_file_set_contents_full(path, bytes, size, G_FILE_SET_CONTENTS_NONE,
                                           0644, NULL));
}

static uint32_t only_file(UsbredirHost *host)
{
    send_command(host, 0x1007, P(0xffffffff));
    host_receive_in(host, PACKET);
    g_assert_cmpuint(host_word(host, 3), ==, 1);
    uint32_t handle = host_word(host, 4);
    host_expect(host, 0x2001);
    return handle;
}

/* ---- to the host ---- */

static void parts_are_got(UsbredirHost *host, gconstpointer unused)
{
    static const uint32_t wanted[] = { 512, 1024, 16384, 65536, 1 << 20 };

    put_file(host, pattern, sizeof(pattern));
    uint32_t file = only_file(host);
    for (uint32_t size = 0; size < N_SIZES; size += STEP) {
        uint32_t in_pieces = size < 4096 ? size % G_N_ELEMENTS(wanted)
                                         : 2 + size % (G_N_ELEMENTS(wanted) - 2);
        send_command(host, 0x101b, P(file, size % 251, size));
        receive_data(host, bytes_of(size), size, wanted[in_pieces]);
        host_expect(host, 0x2001);
        g_assert_cmpuint(host_word(host, 3), ==, size);
    }
}

/* ---- from the host ---- */

/* All sizes of a batch, one behind the other in one edit. */
static void send_batch(UsbredirHost *host, uint32_t first, Style style)
{
    uint32_t end = MIN(first + BATCH, N_SIZES);
    uint32_t offset = 0;

    uint32_t file = only_file(host);
    send_command(host, 0x95c4, P(file));
    host_expect(host, 0x2001);
    send_command(host, 0x95c3, P(file, 0, 0));
    host_expect(host, 0x2001);
    for (uint32_t size = first; size < end; offset += size, size += STEP) {
        send_command(host, 0x95c2, P(file, offset, 0, size));
        send_data(host, 0x95c2, bytes_of(size), size, style);
        host_expect(host, 0x2001);
        g_assert_cmpuint(host_word(host, 3), ==, size);
    }
    send_command(host, 0x95c5, P(file));
    host_expect(host, 0x2001);
}

static void check_batch(const UsbredirHost *host, uint32_t first)
{
    uint32_t end = MIN(first + BATCH, N_SIZES);
    g_autofree char *path = g_build_filename(host->folder, "file", NULL);
    g_autofree char *bytes = NULL;
    gsize offset = 0;
    gsize n;

    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    for (uint32_t size = first; size < end; offset += size, size += STEP) {
        g_assert_cmpuint(offset + size, <=, n);
        g_assert_cmpint(memcmp(bytes + offset, bytes_of(size), size), ==, 0);
    }
    g_assert_cmpuint(offset, ==, n);
}

static void parts_are_put(UsbredirHost *host, gconstpointer style)
{
    put_file(host, "", 0);
    for (uint32_t first = 0; first < N_SIZES; first += BATCH) {
        send_batch(host, first, *(const Style *)style);
        check_batch(host, first);
    }
}

/* ---- whole files ---- */

/* SendObjectPropList: 64 bits of size, and the name as its one property. */
static void announce(UsbredirHost *host, uint64_t size)
{
    static const uint8_t list[] = {
        1,    0,    0,    0,               /* one element */
        0,    0,    0,    0,               /* for the new object */
        0x07, 0xdc, 0xff, 0xff,            /* ObjectFileName, a string */
        5,    'f',  0,    'i',  0, 'l', 0, /* 4 units and the NUL */
        'e',  0,    0,    0,
    };

    send_command(
        host, 0x9808,
        P(0x00010001, 0xffffffff, 0x3000, (uint32_t)(size >> 32), (uint32_t)size));
    send_data(host, 0x9808, list, sizeof(list), (Style){ .has_end = true });
    host_expect(host, 0x2001);
}

static void borders_are_right(UsbredirHost *host, gconstpointer unused)
{
    static const uint32_t borders[] = { 16 * KIB, 64 * KIB, MIB };
    g_autofree uint8_t *bytes = g_malloc(MIB + 1);

    for (uint32_t i = 0; i < MIB + 1; i++) {
        bytes[i] = (uint8_t)(i * 7 + (i >> 9));
    }
    for (unsigned i = 0; i < 9 * 4 * 2; i++) {
        /* One less, the same and one more; also with the header's 12 bytes. */
        uint32_t size = borders[i % 3] + (i / 3 % 3) - 1 - (i / 36 == 0 ? 0 : HEADER);
        const Style style = {
            .is_split = i / 9 % 2 != 0,
            .has_end = i / 18 % 2 != 0,
            .piece = i % 5 == 0 ? 300 * KIB
                     : i % 2    ? 16 * KIB
                                : MIB,
        };
        g_autofree char *path = g_build_filename(host->folder, "file", NULL);
        g_autofree char *stored = NULL;
        gsize n;
        announce(host, size);
        send_command(host, 0x100d, P(0));
        send_data(host, 0x100d, bytes, size, style);
        host_expect(host, 0x2001);
        g_assert_true(g_file_get_contents(path, &stored, &n, NULL));
        g_assert_cmpmem(stored, (int)n, bytes, (int)size);
        send_command(host, 0x1009, P(only_file(host)));
        receive_data(host, bytes, size, i % 2 ? 16 * KIB : MIB);
        host_expect(host, 0x2001);
    }
}

/* ---- more than 32 bits ---- */

static const uint64_t huge[] = { 4 * GIB - 1, 4 * GIB,     4 * GIB + 1,  8 * GIB - 1,
                                 8 * GIB,     8 * GIB + 1, 4 * GIB - 12, 4 * GIB - 13 };

static char *file_path(const UsbredirHost *host)
{
    return g_build_filename(host->folder, "file", NULL);
}

/* A file of zeros that ends in "end", with hardly a block on the disk. */
static void put_sparse(const UsbredirHost *host, uint64_t size)
{
    g_autofree char *path = file_path(host);
    FILE *file = g_fopen(path, "we");

    g_assert_nonnull(file);
    g_assert_cmpint(fseeko(file, (off_t)size - 3, SEEK_SET), ==, 0);
    g_assert_cmpuint(fwrite("end", 1, 3, file), ==, 3);
    g_assert_cmpint(fclose(file), ==, 0);
}

static void assert_sparse(const UsbredirHost *host, uint64_t size)
{
    g_autofree char *path = file_path(host);
    FILE *file = g_fopen(path, "re");
    GStatBuf about;
    char end[4];

    g_assert_nonnull(file);
    g_assert_cmpint(g_stat(path, &about), ==, 0);
    g_assert_cmpuint((uint64_t)about.st_size, ==, size);
    g_assert_cmpint(fseeko(file, (off_t)size - 4, SEEK_SET), ==, 0);
    g_assert_cmpuint(fread(end, 1, 4, file), ==, 4);
    g_assert_cmpmem(end, 4, "\0end", 4);
    g_assert_cmpint(fclose(file), ==, 0);
}

/* The size that the object's property DC04 says. */
static uint64_t told_size(UsbredirHost *host, uint32_t file)
{
    send_command(host, 0x9803, P(file, 0xdc04));
    host_receive_in(host, PACKET);
    uint64_t size = host_word(host, 3) | (uint64_t)host_word(host, 4) << 32;
    host_expect(host, 0x2001);
    return size;
}

/* The last three bytes of all that came, which may be in two transfers. */
static void keep_end(uint8_t end[3], const GByteArray *got)
{
    guint n = MIN(got->len, 3);

    memmove(end, end + n, 3 - n);
    memcpy(end + 3 - n, got->data + got->len - n, n);
}

static void receive_huge(UsbredirHost *host, uint64_t size)
{
    uint32_t file = only_file(host);
    uint64_t n = 0;
    uint8_t end[3] = { 0 };

    g_assert_cmpuint(told_size(host, file), ==, size);
    send_command(host, 0x1009, P(file));
    do {
        host_receive_in(host, MIB);
        if (n == 0) {
            g_assert_cmphex(host_word(host, 0), ==,
                            MIN(size + HEADER, (uint64_t)UNKNOWN_32));
        }
        n += host->got->len;
        keep_end(end, host->got);
    } while (host->got->len == MIB);
    host_expect(host, 0x2001);
    g_assert_cmpuint(n, ==, size + HEADER);
    g_assert_cmpmem(end, 3, "end", 3);
}

static void send_huge(UsbredirHost *host, uint64_t size, bool is_split)
{
    g_autofree uint8_t *bytes = g_malloc0(MIB);
    uint64_t total = HEADER + size;
    uint32_t n = 0;

    announce(host, size);
    send_command(host, 0x100d, P(0));
    put_header(bytes, 0x100d, size);
    for (uint64_t at = 0; at < total; at += n) {
        n = at == 0 && is_split ? HEADER : (uint32_t)MIN(MIB, total - at);
        if (at > 0) {
            memset(bytes, 0, n);
        }
        for (unsigned i = 0; i < 3; i++) {
            uint64_t place = total - 3 + i;
            if (place >= at && place < at + n) {
                bytes[place - at] = (uint8_t) "end"[i];
            }
        }
        host_send_out(host, bytes, n);
    }
    if (n % PACKET == 0) {
        host_send_out(host, bytes, 0);
    }
    host_expect(host, 0x2001);
}

static void report_huge(uint64_t size)
{
    g_test_message("%" G_GUINT64_FORMAT " bytes took %.0f s", size,
                   g_test_timer_elapsed());
}

static void huge_files_are_got(UsbredirHost *host, gconstpointer unused)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(huge); i++) {
        g_test_timer_start();
        put_sparse(host, huge[i]);
        receive_huge(host, huge[i]);
        report_huge(huge[i]);
    }
}

static void huge_files_are_put(UsbredirHost *host, gconstpointer unused)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(huge); i++) {
        g_autofree char *path = file_path(host);
        g_test_timer_start();
        send_huge(host, huge[i], i % 2 != 0);
        assert_sparse(host, huge[i]);
        g_assert_cmpint(g_remove(path), ==, 0);
        report_huge(huge[i]);
    }
}

#define CASE(name, data, func)                                                         \
    g_test_add("/sizes/" name, UsbredirHost, data, set_up, func, tear_down)

int main(int argc, char **argv)
{
    static const Style plain = { false, true };
    static const Style split = { true, false };

    g_test_init(&argc, &argv, NULL);
    CASE("small/parts-are-got", NULL, parts_are_got);
    CASE("small/parts-are-put", &plain, parts_are_put);
    CASE("small/parts-are-put-after-a-header-alone", &split, parts_are_put);
    CASE("small/borders-are-right", NULL, borders_are_right);
    CASE("huge/files-are-got", NULL, huge_files_are_got);
    CASE("huge/files-are-put", NULL, huge_files_are_put);
    return g_test_run();
}
