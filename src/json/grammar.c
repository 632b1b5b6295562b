/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json/grammar.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static const char too_early[] = "it ends too early";

typedef struct {
    const char *at;
    const char *end;
    const char *why; /* set once, by the first failure; @at then stays there */
    unsigned depth_left;
} Scanner;

static bool fail(Scanner *s, const char *why)
{
    s->why = s->at == s->end ? too_early : why;
    return false;
}

static bool skip(Scanner *s, char wanted)
{
    if (s->at == s->end || *s->at != wanted) {
        return false;
    }
    s->at++;
    return true;
}

/* One character out of @set, if it stands here. */
static bool skip_any(Scanner *s, const char *set)
{
    return s->at < s->end && *s->at != '\0' && strchr(set, *s->at) && skip(s, *s->at);
}

static void skip_blanks(Scanner *s)
{
    while (skip_any(s, " \t\r\n")) {
    }
}

static bool scan_word(Scanner *s, const char *word)
{
    for (; *word; word++) {
        if (!skip(s, *word)) {
            return fail(s, "no JSON value starts like this");
        }
    }
    return true;
}

static bool scan_hex4(Scanner *s)
{
    for (int i = 0; i < 4; i++) {
        if (s->at == s->end || !g_ascii_isxdigit(*s->at)) {
            return fail(s, "\\u wants four hexadecimal digits");
        }
        s->at++;
    }
    return true;
}

static bool scan_escape(Scanner *s)
{
    if (skip(s, 'u')) {
        return scan_hex4(s);
    }
    return skip_any(s, "\"\\/bfnrt") || fail(s, "no such escape");
}

static bool scan_string(Scanner *s)
{
    if (!skip(s, '"')) {
        return fail(s, "a string in double quotes is wanted");
    }
    while (!skip(s, '"')) {
        if (s->at == s->end || (unsigned char)*s->at < 0x20) {
            return fail(s, "a bare control character in a string");
        }
        if (!skip(s, '\\')) {
            s->at++;
        } else if (!scan_escape(s)) {
            return false;
        }
    }
    return true;
}

static bool scan_digits(Scanner *s)
{
    if (s->at == s->end || !g_ascii_isdigit(*s->at)) {
        return fail(s, "a digit is wanted");
    }
    while (s->at < s->end && g_ascii_isdigit(*s->at)) {
        s->at++;
    }
    return true;
}

static bool scan_number(Scanner *s)
{
    skip(s, '-');
    if (!skip(s, '0') && !scan_digits(s)) {
        return false;
    }
    if (skip(s, '.') && !scan_digits(s)) {
        return false;
    }
    if (skip_any(s, "eE")) {
        skip_any(s, "+-");
        return scan_digits(s);
    }
    return true;
}

static bool scan_value(Scanner *s);

static bool scan_member(Scanner *s)
{
    skip_blanks(s);
    if (!scan_string(s)) {
        return false;
    }
    skip_blanks(s);
    return skip(s, ':') ? scan_value(s) : fail(s, "a colon is wanted");
}

/* The rest of an array or object, after its opening bracket. */
static bool scan_list(Scanner *s, bool (*scan_element)(Scanner *), char close)
{
    if (s->depth_left == 0) {
        s->why = "nesting too deep";
        return false;
    }

    skip_blanks(s);
    if (skip(s, close)) {
        return true;
    }
    s->depth_left--;
    do {
        if (!scan_element(s)) {
            return false;
        }
        skip_blanks(s);
    } while (skip(s, ','));
    s->depth_left++;
    return skip(s, close) || fail(s, "a comma or the closing bracket is wanted");
}

static bool scan_bare_value(Scanner *s)
{
    switch (s->at == s->end ? '\0' : *s->at) {
    case '"':
        return scan_string(s);
    case '[':
        s->at++;
        return scan_list(s, scan_value, ']');
    case '{':
        s->at++;
        return scan_list(s, scan_member, '}');
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    case '-':
    case '0' ... '9':
        return scan_number(s);
    default:
        return fail(s, "no JSON value starts like this");
    }
}

static bool scan_value(Scanner *s)
{
    skip_blanks(s);
    if (!scan_bare_value(s)) {
        return false;
    }
    skip_blanks(s);
    return true;
}

const char *ostler_json_grammar_check(const char *text, size_t size, unsigned max_depth,
                                      size_t *out_offset)
{
    Scanner s = { .at = text, .end = text + size, .depth_left = max_depth };
    const char *invalid = NULL;

    if (!g_utf8_validate_len(text, size, &invalid)) {
        s.at = invalid;
        s.why = *invalid == '\0' ? "a NUL byte" : "invalid utf-8";
    } else if (scan_value(&s) && s.at != s.end) {
        s.why = "more text after the value";
    }
    *out_offset = (size_t)(s.at - text);
    return s.why;
}
