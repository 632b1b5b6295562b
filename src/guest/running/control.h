/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * control.h - the words of the control channel: requests, replies, events
 *
 * One JSON object a line.  The client sends requests, the keeper answers each, in
 * order, and sends events in between once they were subscribed to:
 *
 *     {"id": 1, "method": "suspend", "params": {}}
 *     {"id": 1, "result": {}}
 *     {"id": 1, "error": {"code": 4, "message": "'web' is not running"}}
 *     {"event": "state", "data": {"state": "paused", "reason": "user"}}
 *
 * This header is the codec alone: bytes to values and back, no socket.  The methods are
 * in the keeper's table; docs/control-protocol.md is made from it.
 *
 * Ownership:  parsed values own what they point to.
 * Errors:     G_IO_ERROR_INVALID_DATA: the peer spoke nonsense.  An error in a reply
 *             is OSTLER_RUN_ERROR with the code that the keeper sent.
 */
#pragma once

#include "guest/running/error.h"
#include "json/json.h"

/* A definition, the longest thing in a request, may have 1 MiB, and JSON escapes it. */
#define OSTLER_CONTROL_MAX_REQUEST (4u << 20)
#define OSTLER_CONTROL_MAX_REPLY   OSTLER_JSON_MAX_BYTES

typedef struct {
    int64_t id;
    char *method;
    json_object *params; /* an object; never NULL */
} OstlerControlRequest;

OstlerControlRequest *ostler_control_request_parse(const char *line, size_t size,
                                                   GError **error);
void ostler_control_request_free(OstlerControlRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerControlRequest, ostler_control_request_free)

typedef struct {
    char *event;        /* NULL: a reply */
    int64_t id;         /* of a reply; 0 for a request that could not be read */
    GError *refusal;    /* of a reply, or NULL */
    json_object *value; /* the result, or the event's data; an object or NULL */
} OstlerControlMessage;

OstlerControlMessage *ostler_control_message_parse(const char *line, size_t size,
                                                   GError **error);
void ostler_control_message_free(OstlerControlMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerControlMessage, ostler_control_message_free)

/* Lines with their newline; caller frees.  @params, @result, @data are taken over and
 * may be NULL for an empty object. */
char *ostler_control_request_text(int64_t id, const char *method, json_object *params);
char *ostler_control_result_text(int64_t id, json_object *result);
char *ostler_control_error_text(int64_t id, const GError *error);
char *ostler_control_event_text(const char *event, json_object *data);
