/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/lines.h"
#include "wire/reader.h"
#include "wire/writer.h"

#include <glib.h>

static const uint8_t counting[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void fields_are_read_in_either_order(void)
{
    OstlerReader le = ostler_reader_of(counting, sizeof(counting));
    OstlerReader be = le;

    g_assert_cmphex(ostler_reader_u8(&le), ==, 0x01);
    g_assert_cmphex(ostler_reader_le16(&le), ==, 0x0302);
    g_assert_cmphex(ostler_reader_le32(&le), ==, 0x07060504);
    g_assert_cmpuint(ostler_reader_left(&le), ==, 1);
    g_assert_cmphex(ostler_reader_be16(&be), ==, 0x0102);
    g_assert_cmphex(ostler_reader_be32(&be), ==, 0x03040506);
    ostler_reader_skip(&be, 2);
    g_assert_true(ostler_reader_ok(&le) && ostler_reader_ok(&be));

    OstlerReader wide = ostler_reader_of(counting, sizeof(counting));
    g_assert_cmphex(ostler_reader_le64(&wide), ==, 0x0807060504030201);
    wide = ostler_reader_of(counting, sizeof(counting));
    g_assert_cmphex(ostler_reader_be64(&wide), ==, 0x0102030405060708);
}

static void a_reader_fails_once_and_stays_failed(void)
{
    OstlerReader r = ostler_reader_of(counting, 3);

    g_assert_cmphex(ostler_reader_le32(&r), ==, 0);
    g_assert_false(ostler_reader_ok(&r));
    g_assert_cmphex(ostler_reader_u8(&r), ==, 0); /* though a byte is there */
    g_assert_cmpuint(ostler_reader_left(&r), ==, 0);
    g_assert_null(ostler_reader_take(&r, 0));
}

static void no_size_is_too_large_to_be_refused(void)
{
    OstlerReader r = ostler_reader_of(counting, sizeof(counting));

    g_assert_null(ostler_reader_take(&r, SIZE_MAX));
    g_assert_false(ostler_reader_ok(&r));
}

static void nothing_can_be_read_from_nothing(void)
{
    OstlerReader r = ostler_reader_of(NULL, 0);

    ostler_reader_take(&r, 0);
    g_assert_true(ostler_reader_ok(&r));
    ostler_reader_u8(&r);
    g_assert_false(ostler_reader_ok(&r));
}

static void a_sub_reader_ends_where_it_was_told(void)
{
    OstlerReader r = ostler_reader_of(counting, sizeof(counting));
    OstlerReader sub = ostler_reader_sub(&r, 2);

    g_assert_cmphex(ostler_reader_be16(&sub), ==, 0x0102);
    ostler_reader_u8(&sub);
    g_assert_false(ostler_reader_ok(&sub));
    g_assert_true(ostler_reader_ok(&r));
    g_assert_cmphex(ostler_reader_u8(&r), ==, 3);

    sub = ostler_reader_sub(&r, 100);
    g_assert_false(ostler_reader_ok(&sub));
    g_assert_false(ostler_reader_ok(&r));
}

static void fields_are_written_in_either_order(void)
{
    uint8_t buffer[26];
    OstlerWriter w = ostler_writer_of(buffer, sizeof(buffer));
    static const uint8_t expected[] = {
        9, 2, 1, 1, 2, 4, 3, 2, 1, 1, 2, 3, 4, 8, 7, 6, 5, 4, 3, 2, 1, 'x', 'y', 0, 0,
    };

    ostler_writer_u8(&w, 9);
    ostler_writer_le16(&w, 0x0102);
    ostler_writer_be16(&w, 0x0102);
    ostler_writer_le32(&w, 0x01020304);
    ostler_writer_be32(&w, 0x01020304);
    ostler_writer_le64(&w, 0x0102030405060708);
    ostler_writer_bytes(&w, "xy", 2);
    ostler_writer_zeros(&w, 2);
    g_assert_true(ostler_writer_ok(&w));
    g_assert_cmpmem(buffer, (int)ostler_writer_size(&w), expected, sizeof(expected));
}

static void a_full_buffer_is_never_overrun(void)
{
    uint8_t buffer[4] = { 0, 0, 0, 0xaa };
    OstlerWriter w = ostler_writer_of(buffer, 3);

    ostler_writer_le16(&w, 0x0201);
    ostler_writer_be64(&w, 7);
    ostler_writer_u8(&w, 3); /* it would fit, but something is missing before it */
    g_assert_false(ostler_writer_ok(&w));
    g_assert_cmpuint(ostler_writer_size(&w), ==, 2);
    g_assert_cmphex(buffer[2], ==, 0);
    g_assert_cmphex(buffer[3], ==, 0xaa);
}

static void a_length_can_be_filled_in_later(void)
{
    uint8_t buffer[8];
    OstlerWriter w = ostler_writer_of(buffer, sizeof(buffer));
    uint8_t *length = ostler_writer_reserve(&w, 2);

    ostler_writer_bytes(&w, "abc", 3);
    ostler_put_be(length, ostler_writer_size(&w), 2);
    g_assert_cmpmem(buffer, (int)ostler_writer_size(&w), "\0\5abc", 5);
}

/* Feed @text in pieces of @step bytes and gather the lines, joined by "|". */
static char *frame(OstlerLines *lines, const char *text, size_t step)
{
    GString *seen = g_string_new(NULL);
    size_t left = strlen(text);
    char *room;
    size_t size;

    while (left > 0 && (room = ostler_lines_room(lines, &size))) {
        size = MIN(MIN(size, step), left);
        memcpy(room, text, size);
        ostler_lines_add(lines, size);
        text += size;
        left -= size;

        const char *line;
        while ((line = ostler_lines_next(lines, &size))) {
            g_string_append_len(seen, line, (gssize)size);
            g_string_append_c(seen, '|');
        }
    }
    return g_string_free(seen, FALSE);
}

static void lines_come_out_whatever_the_pieces(void)
{
    for (size_t step = 1; step < 16; step++) {
        OstlerLines lines;
        ostler_lines_init(&lines, 8);
        g_autofree char *seen = frame(&lines, "one\n\ntwo\r\n12345678\nrest", step);
        g_assert_cmpstr(seen, ==, "one||two\r|12345678|");
        g_assert_true(ostler_lines_is_partial(&lines));
        g_assert_false(lines.failed);
        ostler_lines_clear(&lines);
    }
}

static void a_line_too_long_fails_for_good(void)
{
    OstlerLines lines;
    size_t size;

    ostler_lines_init(&lines, 8);
    g_autofree char *seen = frame(&lines, "one\n123456789\ntwo\n", 1);
    g_assert_cmpstr(seen, ==, "one|");
    g_assert_true(lines.failed);
    g_assert_null(ostler_lines_room(&lines, &size));
    ostler_lines_clear(&lines);
}

static void room_is_given_back_after_a_long_line(void)
{
    g_autofree char *text = g_strnfill(100000, 'x');
    OstlerLines lines;
    size_t size;

    ostler_lines_init(&lines, 1 << 20);
    text[99999] = '\n';
    g_autofree char *seen = frame(&lines, text, 1000);
    g_assert_cmpuint(strlen(seen), ==, 100000);
    g_assert_cmpuint(lines.capacity, >, 4096);
    g_assert_nonnull(ostler_lines_room(&lines, &size));
    g_assert_cmpuint(lines.capacity, ==, 4096);
    ostler_lines_clear(&lines);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/fields-are-read-in-either-order",
                    fields_are_read_in_either_order);
    g_test_add_func("/wire/a-reader-fails-once-and-stays-failed",
                    a_reader_fails_once_and_stays_failed);
    g_test_add_func("/wire/no-size-is-too-large-to-be-refused",
                    no_size_is_too_large_to_be_refused);
    g_test_add_func("/wire/nothing-can-be-read-from-nothing",
                    nothing_can_be_read_from_nothing);
    g_test_add_func("/wire/a-sub-reader-ends-where-it-was-told",
                    a_sub_reader_ends_where_it_was_told);
    g_test_add_func("/wire/fields-are-written-in-either-order",
                    fields_are_written_in_either_order);
    g_test_add_func("/wire/a-full-buffer-is-never-overrun",
                    a_full_buffer_is_never_overrun);
    g_test_add_func("/wire/a-length-can-be-filled-in-later",
                    a_length_can_be_filled_in_later);
    g_test_add_func("/wire/lines-come-out-whatever-the-pieces",
                    lines_come_out_whatever_the_pieces);
    g_test_add_func("/wire/a-line-too-long-fails-for-good",
                    a_line_too_long_fails_for_good);
    g_test_add_func("/wire/room-is-given-back-after-a-long-line",
                    room_is_given_back_after_a_long_line);
    return g_test_run();
}
