/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control-fuzz.c - the control channel's decoder: any line is a request, a message, or
 * refused with an error, and a request that was read is read again as the same
 */
#include "fuzz.h"

#include <string.h>

#include "guest/running/control.h"

static void check_request(const char *line, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerControlRequest) request =
        ostler_control_request_parse(line, size, &error);

    g_assert((request == NULL) == (error != NULL));
    if (!request) {
        return;
    }
    g_autofree char *text = ostler_control_request_text(
        request->id, request->method, json_object_get(request->params));
    g_autoptr(OstlerControlRequest) again =
        ostler_control_request_parse(text, strlen(text), NULL);
    g_assert(again && again->id == request->id);
    g_assert_cmpstr(again->method, ==, request->method);
}

static void check_message(const char *line, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerControlMessage) message =
        ostler_control_message_parse(line, size, &error);

    g_assert((message == NULL) == (error != NULL));
    g_assert(!message || (message->refusal == NULL) != (message->value == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_request((const char *)data, size);
    check_message((const char *)data, size);
    return 0;
}
