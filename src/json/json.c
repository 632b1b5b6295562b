/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json/json.h"

#include <stdarg.h>

static json_object *fail(const char *why, size_t offset, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Bad JSON at byte %zu: %s",
                offset, why);
    return NULL;
}

static bool is_blank(const char *text, size_t size)
{
    return strspn(text, " \t\r\n") >= size;
}

json_object *ostler_json_parse(const char *text, size_t size, GError **error)
{
    if (size > OSTLER_JSON_MAX_BYTES) {
        return fail("longer than any value may be", OSTLER_JSON_MAX_BYTES, error);
    }

    /* The terminator makes json-c finish a bare number at the end of the text. */
    g_autofree char *copy = g_strndup(text, size);
    if (strlen(copy) != size) {
        return fail("a NUL byte", strlen(copy), error);
    }

    struct json_tokener *tokener = json_tokener_new_ex(OSTLER_JSON_MAX_DEPTH);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
                                        JSON_TOKENER_ALLOW_TRAILING_CHARS |
                                        JSON_TOKENER_VALIDATE_UTF8);
    json_object *value = json_tokener_parse_ex(tokener, copy, (int)size + 1);
    enum json_tokener_error code = json_tokener_get_error(tokener);
    size_t end = MIN(json_tokener_get_parse_end(tokener), size);
    json_tokener_free(tokener);

    if (code == json_tokener_continue || code == json_tokener_error_parse_eof) {
        return fail("it ends too early", end, error);
    }
    if (code != json_tokener_success) {
        return fail(json_tokener_error_desc(code), end, error);
    }
    if (!is_blank(copy + end, size - end)) {
        json_object_put(value);
        return fail("more text after the value", end, error);
    }
    if (!value) {
        return fail("null is no value here", 0, error);
    }
    return value;
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

    return json_object_is_type(member, json_type_string)
               ? json_object_get_string(member)
               : NULL;
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
