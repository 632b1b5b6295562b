/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/client.h"

#include <string.h>
#include <unistd.h>

#include "guest/running/place.h"
#include "platform/channel.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "platform/programs.h"
#include "wire/lines.h"

/* Between claiming its lock and listening a keeper needs well below a millisecond. */
#define LISTEN_TIMEOUT_MS 5000
#define LISTEN_PAUSE_MS   5

#define FOR_EVER (-1) /* a deadline of clock.h */

struct OstlerApiClient {
    OstlerChannel *channel;
    OstlerLines lines;
    GQueue events; /* OstlerControlMessage, that came before an answer */
    int64_t last_id;
};

void ostler_api_run(OstlerHost *host, CoroutineEntry *entry, void *opaque)
{
    g_main_context_push_thread_default(host->context);
    cpc_run(entry, opaque);
    g_main_context_pop_thread_default(host->context);
}

/* --- keepers --- */

static GPtrArray *keeper_argv(const char *program, const char *guest,
                              const char *const *arguments, bool has_definition)
{
    GPtrArray *argv = g_ptr_array_new();

    g_ptr_array_add(argv, (char *)program);
    for (; *arguments; arguments++) {
        g_ptr_array_add(argv, (char *)*arguments);
    }
    g_ptr_array_add(argv, (char *)"--detach");
    g_ptr_array_add(argv, (char *)"--ready-fd=3");
    if (has_definition) {
        g_ptr_array_add(argv, (char *)"--definition-fd=4");
    }
    g_ptr_array_add(argv, (char *)"--");
    g_ptr_array_add(argv, (char *)guest);
    g_ptr_array_add(argv, NULL);
    return argv;
}

/* A session of its own: the guest outlives the terminal and its Ctrl-C.  What is waited
 * for here is the process that the keeper detaches from. */
static bool coroutine_fn start_program(const char *program, const char *guest,
                                       const char *const *arguments, int definition_fd,
                                       int ready_fd, GError **error)
{
    g_autoptr(GPtrArray) argv =
        keeper_argv(program, guest, arguments, definition_fd >= 0);
    const OstlerFdMap fds[] = { { ready_fd, 3 }, { definition_fd, 4 } };
    OstlerProcessConfig config = {
        .argv = (const char *const *)argv->pdata,
        .directory = "/",
        .fds = fds,
        .n_fds = definition_fd >= 0 ? 2 : 1,
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = -1,
        .new_session = true,
    };
    g_autoptr(OstlerProcess) process = ostler_process_start(&config, error);

    return process && ostler_process_wait(process, -1, NULL);
}

static bool coroutine_fn read_some(OstlerChannel *channel, OstlerLines *lines,
                                   GError **error)
{
    size_t size;
    char *room = ostler_lines_room(lines, &size);
    gssize n = room ? ostler_channel_read(channel, room, size, error) : 0;

    if (n > 0) {
        ostler_lines_add(lines, (size_t)n);
        return true;
    }
    if (n == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The keeper is gone");
    }
    return false;
}

/* The value of @message, which is taken over, or its refusal. */
static json_object *value_of(OstlerControlMessage *message, GError **error)
{
    g_autoptr(OstlerControlMessage) owned = message;

    if (!owned) {
        return NULL;
    }
    if (owned->refusal) {
        g_propagate_error(error, g_steal_pointer(&owned->refusal));
        return NULL;
    }
    return g_steal_pointer(&owned->value);
}

static json_object *coroutine_fn read_ready(OstlerChannel *channel, GError **error)
{
    OstlerLines lines;
    const char *line;
    size_t size;
    json_object *status = NULL;

    ostler_lines_init(&lines, OSTLER_CONTROL_MAX_REPLY);
    while (!(line = ostler_lines_next(&lines, &size)) &&
           read_some(channel, &lines, error)) {
    }
    if (line) {
        status = value_of(ostler_control_message_parse(line, size, error), error);
    } else {
        g_prefix_error(error, "The keeper did not say how the start went: ");
    }
    ostler_lines_clear(&lines);
    return status;
}

json_object *coroutine_fn ostler_api_start_keeper(const char *guest,
                                                  const char *const *arguments,
                                                  int definition_fd, GError **error)
{
    g_autofree char *program = ostler_programs_find("ostler-keeper", error);
    int ready_fd;
    g_autoptr(OstlerChannel) channel =
        program ? ostler_channel_pair(&ready_fd, error) : NULL;
    if (!channel) {
        return NULL;
    }

    bool is_started =
        start_program(program, guest, arguments, definition_fd, ready_fd, error);
    close(ready_fd);
    return is_started ? read_ready(channel, error) : NULL;
}

static bool coroutine_fn adopt(const char *guest, GError **error)
{
    static const char *const arguments[] = { "--adopt", NULL };
    g_autoptr(GError) refusal = NULL;
    g_autoptr(json_object) status =
        ostler_api_start_keeper(guest, arguments, -1, &refusal);

    /* Another call may have been faster, or the guest may have ended just now. */
    if (status || g_error_matches(refusal, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&refusal));
    return false;
}

bool coroutine_fn ostler_api_attend(const char *guest, GError **error)
{
    return ostler_run_life(guest) != OSTLER_RUN_ORPHAN || adopt(guest, error);
}

/* --- connection --- */

static OstlerApiClient *client_new(OstlerChannel *channel)
{
    OstlerApiClient *client = g_new0(OstlerApiClient, 1);

    client->channel = channel;
    ostler_lines_init(&client->lines, OSTLER_CONTROL_MAX_REPLY);
    return client;
}

void ostler_api_client_free(OstlerApiClient *client)
{
    if (!client) {
        return;
    }
    g_queue_clear_full(&client->events, (GDestroyNotify)ostler_control_message_free);
    ostler_lines_clear(&client->lines);
    ostler_channel_free(client->channel);
    g_free(client);
}

int ostler_api_client_fd(const OstlerApiClient *client)
{
    return ostler_channel_fd(client->channel);
}

OstlerApiClient *coroutine_fn ostler_api_connect(const char *guest, GError **error)
{
    g_autofree char *path = ostler_run_path(guest, "control.sock");
    int64_t deadline = ostler_clock_deadline(LISTEN_TIMEOUT_MS);

    while (ostler_api_attend(guest, error)) {
        if (ostler_run_life(guest) == OSTLER_RUN_GONE) {
            g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE,
                        "'%s' is not running", guest);
            return NULL;
        }
        bool is_last = ostler_clock_left(deadline) == 0;
        OstlerChannel *channel = ostler_channel_connect(path, is_last ? error : NULL);
        if (channel) {
            return client_new(channel);
        }
        if (is_last) {
            return NULL;
        }
        cpc_sleep_ms(LISTEN_PAUSE_MS); /* it has just begun, or is about to end */
    }
    return NULL;
}

static OstlerControlMessage *parse_next(OstlerApiClient *client, GError **error)
{
    size_t size;
    const char *line = ostler_lines_next(&client->lines, &size);

    return line ? ostler_control_message_parse(line, size, error) : NULL;
}

static OstlerControlMessage *coroutine_fn read_message(OstlerApiClient *client,
                                                       int64_t deadline, GError **error)
{
    for (;;) {
        GError *why = NULL;
        OstlerControlMessage *message = parse_next(client, &why);
        if (why) {
            g_propagate_error(error, why);
            return NULL;
        }
        if (message) {
            return message;
        }
        if (!cpc_wait_fd(ostler_channel_fd(client->channel), G_IO_IN,
                         ostler_clock_left(deadline))) {
            g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_TIMED_OUT,
                        "Nothing came in time");
            return NULL;
        }
        if (!read_some(client->channel, &client->lines, error)) {
            return NULL;
        }
    }
}

static bool coroutine_fn send_request(OstlerApiClient *client, const char *method,
                                      json_object *params, GError **error)
{
    g_autofree char *text =
        ostler_control_request_text(++client->last_id, method, params);

    return ostler_channel_write(client->channel, text, strlen(text), error);
}

json_object *coroutine_fn ostler_api_ask(OstlerApiClient *client, const char *method,
                                         json_object *params, GError **error)
{
    OstlerControlMessage *message;

    if (!send_request(client, method, params, error)) {
        return NULL;
    }
    while ((message = read_message(client, FOR_EVER, error)) && message->event) {
        g_queue_push_tail(&client->events, message);
    }
    return value_of(message, error);
}

json_object *coroutine_fn ostler_api_ask_once(const char *guest, const char *method,
                                              json_object *params, GError **error)
{
    g_autoptr(OstlerApiClient) client = ostler_api_connect(guest, error);
    if (!client) {
        json_object_put(params);
        return NULL;
    }
    return ostler_api_ask(client, method, params, error);
}

OstlerControlMessage *coroutine_fn ostler_api_next_event(OstlerApiClient *client,
                                                         int64_t deadline,
                                                         GError **error)
{
    OstlerControlMessage *message = g_queue_pop_head(&client->events);
    GError *why = NULL;

    if (!message) {
        message = read_message(client, deadline, &why);
    }
    /* Closed, or reset when it went with a request of ours unread. */
    if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_CLOSED) ||
        g_error_matches(why, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED)) {
        g_clear_error(&why);
        why = g_error_new_literal(OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE,
                                  "The guest is off");
    }
    if (why) {
        g_propagate_error(error, why);
    }
    return message;
}

/* Byte by byte: what follows the answer's line is not ours to read. */
static OstlerControlMessage *coroutine_fn read_last_answer(OstlerApiClient *client,
                                                           GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    char byte;
    gssize n;

    while ((n = ostler_channel_read(client->channel, &byte, 1, error)) == 1 &&
           byte != '\n') {
        g_string_append_c(line, byte);
    }
    if (n == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The keeper is gone");
    }
    return n == 1 ? ostler_control_message_parse(line->str, line->len, error) : NULL;
}

int coroutine_fn ostler_api_upgrade(OstlerApiClient *client, const char *method,
                                    json_object *params, GError **error)
{
    g_autoptr(OstlerApiClient) owned = client;
    g_autoptr(json_object) result =
        send_request(client, method, params, error)
            ? value_of(read_last_answer(client, error), error)
            : NULL;

    return result ? ostler_channel_steal_fd(g_steal_pointer(&client->channel)) : -1;
}
