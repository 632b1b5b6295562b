/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json/json.h"

static void assert_refused(const char *text, const char *why)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_json_parse(text, strlen(text), &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    if (!strstr(error->message, why)) {
        g_error("'%s' was refused with: %s", text, error->message);
    }
}

static void one_whole_value_is_read(void)
{
    static const char text[] = " {\"a\": 1, \"b\": [true, \"x\"]} \n";
    g_autoptr(json_object) value = ostler_json_parse(text, strlen(text), NULL);
    g_autofree char *again = ostler_json_text(value);

    g_assert_cmpint(ostler_json_find_int(value, "a", 0), ==, 1);
    g_assert_cmpstr(again, ==, "{\"a\":1,\"b\":[true,\"x\"]}");
}

static void what_is_not_one_value_is_refused(void)
{
    static const struct {
        const char *text;
        const char *why;
    } refusals[] = {
        { "", "too early" },
        { "  ", "too early" },
        { "{\"a\": ", "too early" },
        { "\"abc", "too early" },
        { "\"abc\\", "too early" },
        { "[1,", "too early" },
        { "tru", "too early" },
        { "-", "too early" },
        { "{} {}", "more text" },
        { "1 x", "more text" },
        { "{'a': 1}", "byte 1" },
        { "{\"a\" 1}", "colon" },
        { "[1 2]", "comma" },
        { "[1,]", "byte 3" },
        { "{\"a\":1,}", "double quotes" },
        { "NaN", "byte 0" },
        { "[-Infinity]", "digit" },
        { "True", "byte 0" },
        { "01", "more text" },
        { "1.", "too early" },
        { "[1e]", "digit" },
        { "+1", "byte 0" },
        { "[\"\\x\"]", "escape" },
        { "\"\\u12g4\"", "four hexadecimal" },
        { "\"a\nb\"", "control" },
        { "/* c */ 1", "byte 0" },
        { "\"\xff\"", "utf" },
        { "\"\xc0\x80\"", "utf" },
        { "null", "null" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        assert_refused(refusals[i].text, refusals[i].why);
    }
}

static void nesting_is_bounded(void)
{
    g_autofree char *open = g_strnfill(OSTLER_JSON_MAX_DEPTH, '[');
    g_autofree char *close = g_strnfill(OSTLER_JSON_MAX_DEPTH, ']');
    g_autofree char *deep = g_strconcat(open, close, NULL);
    g_autofree char *deeper = g_strconcat("[", deep, "]", NULL);
    g_autoptr(json_object) value = ostler_json_parse(deep, strlen(deep), NULL);

    g_assert_nonnull(value);
    assert_refused(deeper, "nesting");
}

static void the_size_is_believed_not_a_terminator(void)
{
    static const char text[] = "12\0 3";
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) value = ostler_json_parse(text, 1, NULL);

    g_assert_cmpint(json_object_get_int(value), ==, 1);
    g_assert_null(ostler_json_parse(text, sizeof(text) - 1, &error));
    g_assert_nonnull(strstr(error->message, "byte 2: a NUL byte"));
}

static void every_kind_of_value_is_read(void)
{
    static const char *const texts[] = {
        "0",  "-0.5", "1e9",  "-12", "true", "\"\\u00e9\\ud83d\\ude00\"",
        "[]", "{}",   "[{}]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_object) value =
            ostler_json_parse(texts[i], strlen(texts[i]), &error);
        g_assert_no_error(error);
        g_assert_nonnull(value);
    }
}

static void a_string_with_a_nul_inside_is_no_c_string(void)
{
    static const char text[] = "{\"a\": \"x\\u0000y\"}";
    g_autoptr(json_object) value = ostler_json_parse(text, strlen(text), NULL);

    g_assert_nonnull(value);
    g_assert_null(ostler_json_find_string(value, "a"));
}

static void a_member_of_the_wrong_type_is_absent(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) value = ostler_json_object(
        "n", json_object_new_int(3), "s", json_object_new_string("three"), NULL);

    g_assert_null(ostler_json_find_string(value, "n"));
    g_assert_cmpint(ostler_json_find_int(value, "s", -1), ==, -1);
    g_assert_cmpstr(ostler_json_need_string(value, "s", &error), ==, "three");
    g_assert_null(ostler_json_need_string(value, "n", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/one-whole-value-is-read", one_whole_value_is_read);
    g_test_add_func("/json/what-is-not-one-value-is-refused",
                    what_is_not_one_value_is_refused);
    g_test_add_func("/json/nesting-is-bounded", nesting_is_bounded);
    g_test_add_func("/json/the-size-is-believed-not-a-terminator",
                    the_size_is_believed_not_a_terminator);
    g_test_add_func("/json/every-kind-of-value-is-read", every_kind_of_value_is_read);
    g_test_add_func("/json/a-string-with-a-nul-inside-is-no-c-string",
                    a_string_with_a_nul_inside_is_no_c_string);
    g_test_add_func("/json/a-member-of-the-wrong-type-is-absent",
                    a_member_of_the_wrong_type_is_absent);
    return g_test_run();
}
