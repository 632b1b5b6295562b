/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is taken for a definition is printed as one, which reads back as the same text;
 * what is not is refused with a printable message that names the file. */
#include "fuzz.h"

#include "guest/definition.h"
#include "json/json.h"

#define FILE_NAME "/srv/fuzz.guest"

static void assert_refused_well(const GError *error)
{
    g_assert_true(error->domain == OSTLER_DEFINITION_ERROR);
    g_assert_true(g_str_has_prefix(error->message, FILE_NAME ":"));
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    for (const char *at = error->message; *at; at = g_utf8_next_char(at)) {
        g_assert_false(g_unichar_iscntrl(g_utf8_get_char(at)) && *at != '\t');
    }
}

static void assert_json_is_read_back(const OstlerDefinition *definition)
{
    g_autoptr(json_object) object = ostler_definition_json(definition);
    g_autofree char *text = ostler_json_text(object);
    g_autoptr(json_object) again = ostler_json_parse(text, strlen(text), NULL);

    g_assert_nonnull(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerDefinition) definition =
        ostler_definition_parse((const char *)data, size, FILE_NAME, &error);

    if (!definition) {
        assert_refused_well(error);
        return 0;
    }
    g_assert_no_error(error);
    assert_json_is_read_back(definition);

    g_autofree char *text = ostler_definition_text(definition);
    g_autoptr(OstlerDefinition) again =
        ostler_definition_parse(text, strlen(text), FILE_NAME, &error);
    g_assert_no_error(error);
    g_autofree char *text_again = ostler_definition_text(again);
    g_assert_cmpstr(text, ==, text_again);
    return 0;
}
