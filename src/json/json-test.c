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
    g_autofree char *deep = g_strnfill(OSTLER_JSON_MAX_DEPTH + 1, '[');

    assert_refused("", "too early");
    assert_refused("{\"a\": ", "too early");
    assert_refused("{} {}", "more text");
    assert_refused("{'a': 1}", "byte 1");
    assert_refused("\"\xff\"", "utf");
    assert_refused(deep, "nesting");
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
    g_test_add_func("/json/a-member-of-the-wrong-type-is-absent",
                    a_member_of_the_wrong_type_is_absent);
    return g_test_run();
}
