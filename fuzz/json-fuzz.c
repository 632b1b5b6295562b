/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is taken for JSON is written as JSON, and reads back as the same text. */
#include "fuzz.h"

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) value = ostler_json_parse((const char *)data, size, &error);

    if (!value) {
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
        return 0;
    }
    g_assert_no_error(error);

    g_autofree char *text = ostler_json_text(value);
    g_autoptr(json_object) again = ostler_json_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    g_autofree char *text_again = ostler_json_text(again);
    g_assert_cmpstr(text, ==, text_again);
    return 0;
}
