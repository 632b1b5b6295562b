/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/control.h"

static json_object *parse_object(const char *line, size_t size, GError **error)
{
    json_object *value = ostler_json_parse(line, size, error);

    if (value && !json_object_is_type(value, json_type_object)) {
        g_clear_pointer(&value, json_object_put);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Not a JSON object");
    }
    return value;
}

/* The object at @key; a new empty one when it is absent, NULL when it is none. */
static json_object *take_object(json_object *whole, const char *key, GError **error)
{
    json_object *member = NULL;

    if (!json_object_object_get_ex(whole, key, &member)) {
        return json_object_new_object();
    }
    if (!json_object_is_type(member, json_type_object)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "'%s' is not an object",
                    key);
        return NULL;
    }
    return json_object_get(member);
}

void ostler_control_request_free(OstlerControlRequest *request)
{
    if (!request) {
        return;
    }
    g_free(request->method);
    json_object_put(request->params);
    g_free(request);
}

OstlerControlRequest *ostler_control_request_parse(const char *line, size_t size,
                                                   GError **error)
{
    g_autoptr(json_object) whole = parse_object(line, size, error);
    const char *method = whole ? ostler_json_need_string(whole, "method", error) : NULL;
    if (!method) {
        return NULL;
    }

    g_autoptr(OstlerControlRequest) request = g_new0(OstlerControlRequest, 1);
    request->id = ostler_json_find_int(whole, "id", 0);
    request->method = g_strdup(method);
    request->params = take_object(whole, "params", error);
    return request->params ? g_steal_pointer(&request) : NULL;
}

void ostler_control_message_free(OstlerControlMessage *message)
{
    if (!message) {
        return;
    }
    g_free(message->event);
    g_clear_error(&message->refusal);
    json_object_put(message->value);
    g_free(message);
}

/* A code that a later keeper may have and we do not is a plain failure. */
static GError *read_refusal(json_object *error)
{
    int64_t code = ostler_json_find_int(error, "code", OSTLER_RUN_ERROR_FAILED);
    const char *text = ostler_json_find_string(error, "message");

    if (code < OSTLER_RUN_ERROR_FAILED || code > OSTLER_RUN_ERROR_TIMED_OUT) {
        code = OSTLER_RUN_ERROR_FAILED;
    }
    return g_error_new_literal(OSTLER_RUN_ERROR, (int)code,
                               text ? text : "The keeper refused without a reason");
}

OstlerControlMessage *ostler_control_message_parse(const char *line, size_t size,
                                                   GError **error)
{
    g_autoptr(json_object) whole = parse_object(line, size, error);
    if (!whole) {
        return NULL;
    }

    g_autoptr(OstlerControlMessage) message = g_new0(OstlerControlMessage, 1);
    json_object *refusal = ostler_json_find(whole, "error");
    message->event = g_strdup(ostler_json_find_string(whole, "event"));
    message->id = ostler_json_find_int(whole, "id", 0);
    if (!message->event && refusal) {
        message->refusal = read_refusal(refusal);
        return g_steal_pointer(&message);
    }
    message->value = take_object(whole, message->event ? "data" : "result", error);
    return message->value ? g_steal_pointer(&message) : NULL;
}

static char *line_of(json_object *message)
{
    g_autoptr(json_object) whole = message;
    g_autofree char *text = ostler_json_text(whole);

    return g_strconcat(text, "\n", NULL);
}

static json_object *or_empty(json_object *value)
{
    return value ? value : json_object_new_object();
}

char *ostler_control_request_text(int64_t id, const char *method, json_object *params)
{
    return line_of(ostler_json_object("id", json_object_new_int64(id), "method",
                                      json_object_new_string(method), "params",
                                      or_empty(params), NULL));
}

char *ostler_control_result_text(int64_t id, json_object *result)
{
    return line_of(ostler_json_object("id", json_object_new_int64(id), "result",
                                      or_empty(result), NULL));
}

char *ostler_control_error_text(int64_t id, const GError *error)
{
    json_object *refusal = ostler_json_object(
        "code", json_object_new_int((int)ostler_run_error_code(error)), "message",
        json_object_new_string(error->message), NULL);

    return line_of(
        ostler_json_object("id", json_object_new_int64(id), "error", refusal, NULL));
}

char *ostler_control_event_text(const char *event, json_object *data)
{
    return line_of(ostler_json_object("event", json_object_new_string(event), "data",
                                      or_empty(data), NULL));
}
