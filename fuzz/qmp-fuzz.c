/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A monitor's stream, in pieces whose size the first byte chooses: the framer finds the
 * lines that are there, and what is taken for a message has all that its kind promises.
 */
#include "fuzz.h"

#include "qmp/message.h"
#include "wire/lines.h"

#define MAX_LINE 512

static void check_message(const char *line, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_auto(OstlerQmpMessage) message = { 0 };

    if (!ostler_qmp_message_parse(&message, line, size, &error)) {
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
        return;
    }
    g_assert_no_error(error);
    switch (message.kind) {
    case OSTLER_QMP_GREETING:
        g_assert_cmpint(ostler_qmp_greeting_version(&message), >=, 0);
        ostler_qmp_greeting_offers(&message, "oob");
        break;
    case OSTLER_QMP_RETURN:
        g_assert_nonnull(message.body);
        break;
    case OSTLER_QMP_REFUSAL:
        g_assert_true(message.name && message.text);
        break;
    case OSTLER_QMP_EVENT:
        g_assert_nonnull(message.name);
        break;
    }
}

/* Each line that comes out must be the next one of the @size bytes at @data. */
static void check_lines(OstlerLines *lines, const uint8_t **data, size_t *size)
{
    const char *line;
    size_t line_size;

    while ((line = ostler_lines_next(lines, &line_size))) {
        g_assert_cmpuint(line_size, <=, MAX_LINE);
        g_assert_cmpuint(line_size, <, *size);
        g_assert_cmpint(memcmp(line, *data, line_size), ==, 0);
        g_assert_cmpint((*data)[line_size], ==, '\n');
        *data += line_size + 1;
        *size -= line_size + 1;
        check_message(line, line_size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t step = size ? 1 + *data : 1, room_size;
    const uint8_t *seen = data;
    size_t unseen = size;
    OstlerLines lines;
    char *room;

    ostler_lines_init(&lines, MAX_LINE);
    while (size > 0 && (room = ostler_lines_room(&lines, &room_size))) {
        size_t n = MIN(MIN(step, room_size), size);
        memcpy(room, data, n);
        ostler_lines_add(&lines, n);
        data += n;
        size -= n;
        check_lines(&lines, &seen, &unseen);
    }
    /* All lines were seen, unless one was too long. */
    g_assert_true(lines.failed || !memchr(seen, '\n', unseen));
    ostler_lines_clear(&lines);
    return 0;
}
