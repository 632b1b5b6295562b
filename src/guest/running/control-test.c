/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/control.h"

#include <cpc/glib.h>
#include <stdio.h>
#include <string.h>

#include "guest/running/control-server.h"
#include "platform/channel.h"

static void a_request_is_read_back_as_it_was_written(void)
{
    g_autofree char *line = ostler_control_request_text(
        7, "qmp", ostler_json_object("execute", json_object_new_string("a\nb"), NULL));
    g_autoptr(OstlerControlRequest) request =
        ostler_control_request_parse(line, strlen(line) - 1, NULL);

    g_assert_nonnull(request);
    g_assert_cmpint(request->id, ==, 7);
    g_assert_cmpstr(request->method, ==, "qmp");
    g_assert_cmpstr(ostler_json_find_string(request->params, "execute"), ==, "a\nb");
}

static void what_is_no_request_is_refused(void)
{
    static const char *const lines[] = {
        "",     "null",       "[]",
        "{",    "{\"id\":1}", "{\"method\":1}",
        "{}{}", "\"method\"", "{\"method\":\"x\",\"params\":[]}",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ostler_control_request_parse(lines[i], strlen(lines[i]), &error));
        g_assert_nonnull(error);
    }
}

static void an_error_keeps_its_code_over_the_channel(void)
{
    g_autoptr(GError) error =
        g_error_new(OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE, "'%s' is off", "web");
    g_autofree char *line = ostler_control_error_text(3, error);
    g_autoptr(OstlerControlMessage) message =
        ostler_control_message_parse(line, strlen(line) - 1, NULL);

    g_assert_error(message->refusal, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE);
    g_assert_cmpstr(message->refusal->message, ==, "'web' is off");
    g_assert_null(message->event);
}

/* --- a server and its clients --- */

static json_object *coroutine_fn echo(OstlerControlClient *client, json_object *params,
                                      void *opaque, GError **error)
{
    return json_object_get(params);
}

static json_object *coroutine_fn subscribe(OstlerControlClient *client,
                                           json_object *params, void *opaque,
                                           GError **error)
{
    ostler_control_client_subscribe(client);
    return json_object_new_object();
}

static void coroutine_fn say_raw(OstlerChannel *channel, void *opaque)
{
    ostler_channel_write(channel, "raw", 3, NULL);
    ostler_channel_free(channel);
}

static json_object *coroutine_fn upgrade(OstlerControlClient *client,
                                         json_object *params, void *opaque,
                                         GError **error)
{
    ostler_control_client_upgrade(client, say_raw, NULL);
    return json_object_new_object();
}

static const OstlerControlMethod methods[] = {
    { "echo", echo, "", "", "" },
    { "subscribe", subscribe, "", "", "" },
    { "upgrade", upgrade, "", "", "" },
    { NULL },
};

typedef struct {
    char *folder;
    char *path;
    OstlerControlServer *server;
} Place;

static void place_open(Place *place)
{
    place->folder = g_dir_make_tmp("control-XXXXXX", NULL);
    place->path = g_build_filename(place->folder, "control.sock", NULL);
    OstlerListener *listener = ostler_listener_new(place->path, NULL);
    g_assert_nonnull(listener);
    place->server = ostler_control_server_new(listener, methods, NULL);
}

static void coroutine_fn place_close(Place *place)
{
    ostler_control_server_finish(place->server, 1000);
    ostler_control_server_free(place->server);
    g_assert_cmpint(remove(place->path), ==, 0);
    g_assert_cmpint(remove(place->folder), ==, 0);
    g_free(place->path);
    g_free(place->folder);
}

/* Send @text and read until @wanted has come, or the end. */
static bool coroutine_fn converse(OstlerChannel *channel, const char *text,
                                  const char *wanted)
{
    g_autoptr(GString) said = g_string_new(NULL);
    char buffer[512];
    gssize n;

    ostler_channel_write(channel, text, strlen(text), NULL);
    while (!strstr(said->str, wanted) &&
           (n = ostler_channel_read(channel, buffer, sizeof(buffer), NULL)) > 0) {
        g_string_append_len(said, buffer, n);
    }
    return strstr(said->str, wanted) != NULL;
}

static void coroutine_fn talk(void *unused)
{
    Place place;

    place_open(&place);
    g_autoptr(OstlerChannel) one = ostler_channel_connect(place.path, NULL);
    g_autoptr(OstlerChannel) two = ostler_channel_connect(place.path, NULL);
    g_assert_true(converse(one,
                           "{\"id\":1,\"method\":\"echo\"}\n"
                           "{\"id\":2,\"method\":\"nosuch\"}\n",
                           "\"There is no method 'nosuch'\"}}\n"));
    g_assert_true(converse(one, "nonsense\n", "\"error\""));
    g_assert_true(converse(one, "{\"id\":3,\"method\":\"echo\"}\n", "\"id\":3"));
    g_assert_true(converse(two, "{\"id\":1,\"method\":\"subscribe\"}\n", "\"result\""));
    ostler_control_server_tell(place.server, "state", NULL);
    g_assert_true(converse(two, "", "{\"event\":\"state\",\"data\":{}}\n"));
    g_assert_true(converse(one, "{\"id\":4,\"method\":\"upgrade\"}\n", "}\nraw"));
    place_close(&place);
}

static void requests_are_answered_and_nonsense_is_survived(void)
{
    cpc_run(talk, NULL);
}

static void coroutine_fn say_without_end(void *unused)
{
    Place place;

    place_open(&place);
    g_autoptr(OstlerChannel) channel = ostler_channel_connect(place.path, NULL);
    g_autofree char *much = g_strnfill(1 << 20, 'x');
    bool is_open = true;
    for (unsigned i = 0; is_open && i < 64; i++) {
        is_open = ostler_channel_write(channel, much, 1 << 20, NULL);
    }
    g_assert_false(is_open);
    place_close(&place);
}

static void a_line_without_end_ends_its_client(void)
{
    cpc_run(say_without_end, NULL);
}

static void coroutine_fn never_read(void *unused)
{
    Place place;
    g_autofree char *much = g_strnfill(10000, 'x');

    place_open(&place);
    g_autoptr(OstlerChannel) deaf = ostler_channel_connect(place.path, NULL);
    g_autoptr(OstlerChannel) other = ostler_channel_connect(place.path, NULL);
    g_assert_true(converse(deaf, "{\"method\":\"subscribe\"}\n", "\"result\""));
    for (unsigned i = 0; i < 1000; i++) { /* 10 MB, ten times what is queued */
        ostler_control_server_tell(
            place.server, "state",
            ostler_json_object("text", json_object_new_string(much), NULL));
    }
    g_assert_true(converse(other, "{\"id\":9,\"method\":\"echo\"}\n", "\"id\":9"));
    place_close(&place);
}

static void a_client_that_does_not_read_holds_up_nobody(void)
{
    cpc_run(never_read, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/control/" #name, name)
    TEST(a_request_is_read_back_as_it_was_written);
    TEST(what_is_no_request_is_refused);
    TEST(an_error_keeps_its_code_over_the_channel);
    TEST(requests_are_answered_and_nonsense_is_survived);
    TEST(a_line_without_end_ends_its_client);
    TEST(a_client_that_does_not_read_holds_up_nobody);
    return g_test_run();
}
