/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/names.h"

#include <string.h>

static void assert_round_trip(const char *name, unsigned n_units)
{
    uint16_t units[OSTLER_MTP_MAX_STRING];
    unsigned n = ostler_mtp_name_to_guest(name, units);
    g_autofree char *again = ostler_mtp_name_to_host(units, n);

    g_assert_cmpuint(n, ==, n_units);
    g_assert_cmpstr(again, ==, name);
}

static void every_name_on_disk_comes_back_as_it_was(void)
{
    assert_round_trip("a", 1);
    assert_round_trip("h\303\251.txt", 6);            /* two bytes */
    assert_round_trip("\346\227\245\346\234\254", 2); /* three */
    assert_round_trip("\360\237\230\200.png", 6);     /* a surrogate pair */
    assert_round_trip("\377", 1);                     /* no UTF-8 at all */
    assert_round_trip("a\303", 2);                    /* cut short */
    assert_round_trip("\355\240\200", 3);             /* a half as UTF-8 */
    assert_round_trip("\357\202\200", 3);             /* U+F080 itself, as its bytes */
    assert_round_trip("con", 3);
    assert_round_trip("NUL.txt", 7);
    assert_round_trip("...", 3);
    assert_round_trip("dot.", 4);
    assert_round_trip("space ", 6);
    assert_round_trip(" a:b*?\"<>|\\ ", 12);
    assert_round_trip("\001\n\t\033[31m\177", 9);
    assert_round_trip("\357\277\277\357\273\277", 2); /* U+FFFF, U+FEFF */
}

static void a_byte_that_is_not_utf8_is_a_private_character(void)
{
    uint16_t units[OSTLER_MTP_MAX_STRING];

    g_assert_cmpuint(ostler_mtp_name_to_guest("x\351y", units), ==, 3);
    g_assert_cmphex(units[1], ==, 0xf0e9);
}

static void a_name_too_long_keeps_its_extension(void)
{
    g_autofree char *stem = g_strnfill(255 - 5, 'n');
    g_autofree char *name = g_strconcat(stem, ".jpeg", NULL);
    uint16_t units[OSTLER_MTP_MAX_STRING];
    unsigned n = ostler_mtp_name_to_guest(name, units);

    g_assert_cmpuint(n, ==, OSTLER_MTP_MAX_STRING);
    g_assert_cmphex(units[n - 18], ==, '~');
    g_assert_cmphex(units[n - 5], ==, '.');
    g_assert_cmphex(units[n - 1], ==, 'g');
}

/* 254 units is the longest that is shown whole; what differs in the part left out, or was
 * named as the other is shown, looks different. */
static void no_two_names_look_the_same(void)
{
    static const char *const ends[] = { "a.txt", "b.txt", "a.tx", "abc.d", "abcde" };
    g_autoptr(GHashTable) shown = g_hash_table_new_full(
        g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    uint16_t units[OSTLER_MTP_MAX_STRING];

    for (unsigned size = 252; size <= 255; size++) {
        for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
            g_autofree char *stem = g_strnfill(size - strlen(ends[i]), 'n');
            g_autofree char *name = g_strconcat(stem, ends[i], NULL);
            unsigned n = ostler_mtp_name_to_guest(name, units);
            g_assert_cmpuint(n, ==, MIN(size, 254));
            g_assert_true(g_hash_table_add(shown, g_bytes_new(units, 2 * n)));
            g_autofree char *host = ostler_mtp_name_to_host(units, n);
            g_assert_true(ostler_mtp_name_is_shown_as(name, host));
            g_assert_true((strcmp(host, name) == 0) == (size <= 254));
        }
    }
}

static void what_would_come_back_as_another_name_is_refused(void)
{
    static const uint16_t units[] = { 0xf0c3, 0xf0a9 }; /* the bytes of U+00E9 */
    static const uint16_t half[] = { 0xf0c3, 'x' };

    g_assert_null(ostler_mtp_name_to_host(units, 2));
    g_autofree char *name = ostler_mtp_name_to_host(half, 2);
    g_assert_cmpstr(name, ==, "\303x");
}

static void names_that_are_not_one_file_are_refused(void)
{
    static const struct {
        unsigned n;
        uint16_t units[4];
    } names[] = {
        { 0, { 0 } },
        { 1, { '.' } },
        { 2, { '.', '.' } },
        { 3, { 'a', '/', 'b' } },
        { 1, { '/' } },
        { 3, { 'a', 0, 'b' } },
        { 1, { 0xd800 } },         /* first half at the end */
        { 2, { 0xd800, 'a' } },    /* and before something else */
        { 2, { 0xdc00, 0xd800 } }, /* the wrong way round */
        { 3, { 0xd83d, 0xde00, 0xde00 } },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_null(ostler_mtp_name_to_host(names[i].units, names[i].n));
    }
}

static void a_name_of_over_255_bytes_is_refused(void)
{
    uint16_t units[OSTLER_MTP_MAX_STRING];

    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        units[i] = 0x65e5; /* three bytes each */
    }
    g_autofree char *fits = ostler_mtp_name_to_host(units, 85);
    g_assert_cmpuint(strlen(fits), ==, 255);
    g_assert_null(ostler_mtp_name_to_host(units, 86));
}

static void our_temporary_names_are_refused(void)
{
    uint16_t units[OSTLER_MTP_MAX_STRING];
    unsigned n = ostler_mtp_name_to_guest(".ostler-00.part", units);

    g_assert_null(ostler_mtp_name_to_host(units, n));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/names/every-name-on-disk-comes-back-as-it-was",
                    every_name_on_disk_comes_back_as_it_was);
    g_test_add_func("/names/a-byte-that-is-not-utf8-is-a-private-character",
                    a_byte_that_is_not_utf8_is_a_private_character);
    g_test_add_func("/names/a-name-too-long-keeps-its-extension",
                    a_name_too_long_keeps_its_extension);
    g_test_add_func("/names/no-two-names-look-the-same", no_two_names_look_the_same);
    g_test_add_func("/names/what-would-come-back-as-another-name-is-refused",
                    what_would_come_back_as_another_name_is_refused);
    g_test_add_func("/names/names-that-are-not-one-file-are-refused",
                    names_that_are_not_one_file_are_refused);
    g_test_add_func("/names/a-name-of-over-255-bytes-is-refused",
                    a_name_of_over_255_bytes_is_refused);
    g_test_add_func("/names/our-temporary-names-are-refused",
                    our_temporary_names_are_refused);
    return g_test_run();
}
