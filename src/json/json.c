/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json/json.h"

#include <stdarg.h>

#include "json/grammar.h"

static json_object *fail(const char *why, size_t offset, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Bad JSON at byte %zu: %s",
                offset, why);
    return NULL;
}

/* json-c's own view of text that is known to be JSON. */
static json_object *build(const char *text, GError **error)
{
    struct json_tokener *tokener = json_tokener_new_ex(OSTLER_JSON_MAX_DEPTH + 1);
    json_object *value = json_tokener_parse_ex(tokener, text, -1);
    enum json_tokener_error code = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);

    json_tokener_free(tokener);
    if (code != json_tokener_success) {
        json_object_put(value);
        return fail(json_tokener_error_desc(code), end, error);
    }
    return value ? value : fail("null is no value here", 0, error);
}

json_object *ostler_json_parse(const char *text, size_t size, GError **error)
{
    if (size > OSTLER_JSON_MAX_BYTES) {
        return fail("longer than any value may be", OSTLER_JSON_MAX_BYTES, error);
    }

    size_t offset = 0;
    const char *why =
        ostler_json_grammar_check(text, size, OSTLER_JSON_MAX_DEPTH, &offset);
    if (why) {
        return fail(why, offset, error);
    }

    /* json-c knows that a bare number is over only by the terminator. */
    g_autofree char *terminated = g_strndup(text, size);
    return build(terminated, error);
}

char *ostler_json_text(json_object *value)
{
    return g_strdup(json_object_to_json_string_ext(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

json_object *ostler_json_object(const char *key, ...)
{
    json_object *object = json_object_new_object();
    va_list pairs;

    va_start(pairs, key);
    for (; key; key = va_arg(pairs, const char *)) {
        json_object_object_add(object, key, va_arg(pairs, json_object *));
    }
    va_end(pairs);
    return object;
}

json_object *ostler_json_find(json_object *object, const char *key)
{
    json_object *member = NULL;

    if (json_object_is_type(object, json_type_object)) {
        json_object_object_get_ex(object, key, &member);
    }
    return member;
}

const char *ostler_json_find_string(json_object *object, const char *key)
{
    json_object *member = ostler_json_find(object, key);

    if (!json_object_is_type(member, json_type_string)) {
        return NULL;
    }

    /* "\u0000" is good JSON, but a C string that hides its rest is a trap. */
    const char *text = json_object_get_string(member);
    return strlen(text) == (size_t)json_object_get_string_len(member) ? text : NULL;
}

int64_t ostler_json_find_int(json_object *object, const char *key, int64_t fallback)
{
    json_object *member = ostler_json_find(object, key);

    return json_object_is_type(member, json_type_int) ? json_object_get_int64(member)
                                                      : fallback;
}

bool ostler_json_find_bool(json_object *object, const char *key, bool fallback)
{
    json_object *member = ostler_json_find(object, key);

    return json_object_is_type(member, json_type_boolean)
               ? json_object_get_boolean(member)
               : fallback;
}

const char *ostler_json_need_string(json_object *object, const char *key,
                                    GError **error)
{
    const char *text = ostler_json_find_string(object, key);

    if (!text) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "A string '%s' is missing", key);
    }
    return text;
}
