/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/keyfile.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static OstlerSlice trim(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) {
        at++;
    }
    while (end > at && is_blank(end[-1])) {
        end--;
    }
    return (OstlerSlice){ at, (size_t)(end - at) };
}

/* A terminal would act on these when a message quotes the line: C0, DEL, and C1, which
 * is 0x80 to 0x9f after 0xc2 in UTF-8. */
static bool has_control_character(OstlerSlice line)
{
    unsigned char last = 0;

    for (size_t i = 0; i < line.size; i++) {
        unsigned char c = (unsigned char)line.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f ||
            (last == 0xc2 && c >= 0x80 && c < 0xa0)) {
            return true;
        }
        last = c;
    }
    return false;
}

static void bad(OstlerKeyfileToken *token, const char *why)
{
    token->type = OSTLER_KEYFILE_BAD;
    token->why = why;
}

static void read_section(OstlerKeyfileToken *token, OstlerSlice line)
{
    const char *end = line.at + line.size - 1;

    if (line.size < 2 || *end != ']') {
        bad(token, "A section's line ends with ']'");
        return;
    }

    token->type = OSTLER_KEYFILE_SECTION;
    token->name = trim(line.at + 1, end);
    const char *dot = memchr(token->name.at, '.', token->name.size);
    if (dot) {
        const char *name_end = token->name.at + token->name.size;
        token->name.size = (size_t)(dot - token->name.at);
        token->label = (OstlerSlice){ dot + 1, (size_t)(name_end - dot - 1) };
        if (token->label.size == 0) {
            bad(token, "A label is missing after the '.'");
        }
    }
    if (token->name.size == 0) {
        bad(token, "A section needs a name between '[' and ']'");
    }
}

static void read_key(OstlerKeyfileToken *token, OstlerSlice line)
{
    const char *equals = memchr(line.at, '=', line.size);

    if (!equals) {
        bad(token, "A line is '[section]', 'key = value' or '# comment'");
        return;
    }

    token->type = OSTLER_KEYFILE_KEY;
    token->name = trim(line.at, equals);
    token->value = trim(equals + 1, line.at + line.size);
    if (token->name.size == 0) {
        bad(token, "A key is missing before the '='");
    }
}

static void read_line(OstlerKeyfileToken *token, OstlerSlice line)
{
    if (has_control_character(line)) {
        bad(token, "A control character");
    } else if (line.size == 0) {
        token->type = OSTLER_KEYFILE_BLANK;
    } else if (line.at[0] == '#' || line.at[0] == ';') {
        token->type = OSTLER_KEYFILE_COMMENT;
        token->value = line;
    } else if (line.at[0] == '[') {
        read_section(token, line);
    } else {
        read_key(token, line);
    }
}

void ostler_keyfile_reader_init(OstlerKeyfileReader *reader, const char *text,
                                size_t size)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf"; /* Windows editors write it */
    size_t skip = 0;

    if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        skip = 3;
    }
    *reader = (OstlerKeyfileReader){ .at = text + skip, .end = text + size };
}

bool ostler_keyfile_next(OstlerKeyfileReader *reader, OstlerKeyfileToken *token)
{
    if (reader->at == reader->end) {
        return false;
    }

    const char *start = reader->at;
    const char *newline = memchr(start, '\n', (size_t)(reader->end - start));
    const char *end = newline ? newline : reader->end;
    reader->at = newline ? newline + 1 : reader->end;
    if (end > start && end[-1] == '\r') {
        end--;
    }

    *token = (OstlerKeyfileToken){ .line = ++reader->line };
    read_line(token, trim(start, end));
    return true;
}
