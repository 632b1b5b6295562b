/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A client is two coroutines.  The reader takes one request after another, and the next
 * only when everything for this client has been sent: a client that asks without
 * reading therefore holds up itself alone.  The writer sends what lies in the outbox,
 * where replies and events keep their order.  Events come whether the client reads or
 * not, so the outbox has a limit, and who reaches it is dropped.
 *
 * The reader lives longest: at its end it sees the writer out, hands an upgraded channel
 * on, and lets the client go.  Whoever walks over the clients and may wake one of them
 * walks over references, since a woken client may end at once.
 */
#define G_LOG_DOMAIN "ostler-guest"

#include "guest/running/control-server.h"

#include <cpc/glib.h>
#include <string.h>

#include "wire/lines.h"

#define MAX_CLIENTS      64
#define MAX_OUTBOX_BYTES (1u << 20) /* some thousand events */

struct OstlerControlServer {
    OstlerListener *listener;
    const OstlerControlMethod *methods; /* borrowed */
    void *opaque;                       /* borrowed */
    GPtrArray *clients;                 /* references, no order */
    bool is_accepting;
    CoEvent has_changed; /* for who waits in finish() */
};

struct OstlerControlClient {
    OstlerControlServer *server;
    OstlerChannel *channel;
    OstlerLines lines;
    GQueue outbox; /* of char *, the one being sent included */
    size_t outbox_bytes;
    CoEvent has_mail; /* for the writer */
    CoEvent is_sent;  /* for the reader: the outbox is empty, or the writer gone */
    bool is_running;  /* a request */
    bool is_leaving;  /* the reader has read its last */
    bool has_writer;
    bool is_subscribed;
    OstlerControlUpgradeFunc *upgraded; /* once set, the last request was read */
    void *upgrade_opaque;
};

static void client_clear(gpointer data)
{
    OstlerControlClient *client = data;

    g_queue_clear_full(&client->outbox, g_free);
    ostler_lines_clear(&client->lines);
    ostler_channel_free(client->channel);
}

static void client_unref(gpointer client)
{
    g_rc_box_release_full(client, client_clear);
}

static gpointer client_ref(gconstpointer client, gpointer unused)
{
    return g_rc_box_acquire((gpointer)client);
}

static bool client_is_idle(const OstlerControlClient *client)
{
    return !client->is_running && client->outbox.length == 0;
}

/* Takes @line over. */
static void coroutine_mixed_fn post(OstlerControlClient *client, char *line)
{
    client->outbox_bytes += strlen(line);
    g_queue_push_tail(&client->outbox, line);
    cpc_event_set(&client->has_mail);
}

static void coroutine_mixed_fn tell_outbox_is_empty(OstlerControlClient *client)
{
    cpc_event_set(&client->is_sent);
    cpc_event_set(&client->server->has_changed);
}

static bool coroutine_fn send_first(OstlerControlClient *client)
{
    const char *line = g_queue_peek_head(&client->outbox);
    size_t size = strlen(line);
    bool is_sent = ostler_channel_write(client->channel, line, size, NULL);

    g_free(g_queue_pop_head(&client->outbox));
    client->outbox_bytes -= size;
    return is_sent;
}

static void coroutine_fn write_outbox(void *opaque)
{
    OstlerControlClient *client = opaque;
    bool is_open = true;

    while (is_open && (client->outbox.length > 0 || !client->is_leaving)) {
        if (client->outbox.length > 0) {
            is_open = send_first(client);
        } else {
            tell_outbox_is_empty(client);
            cpc_event_wait(&client->has_mail, -1);
        }
    }
    if (!is_open) {
        ostler_channel_close(client->channel); /* so that the reader ends, too */
    }
    client->has_writer = false;
    tell_outbox_is_empty(client);
    client_unref(client);
}

static void coroutine_fn wait_until_sent(OstlerControlClient *client)
{
    while (client->has_writer && client->outbox.length > 0) {
        cpc_event_wait(&client->is_sent, -1);
    }
}

static const OstlerControlMethod *find_method(const OstlerControlServer *server,
                                              const char *name)
{
    for (const OstlerControlMethod *row = server->methods; row->name; row++) {
        if (strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

static json_object *coroutine_fn run_method(OstlerControlClient *client,
                                            const OstlerControlRequest *request,
                                            GError **error)
{
    OstlerControlServer *server = client->server;
    const OstlerControlMethod *method = find_method(server, request->method);

    if (!method) {
        g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_ARGUMENT,
                    "There is no method '%s'", request->method);
        return NULL;
    }
    return method->run(client, request->params, server->opaque, error);
}

static char *coroutine_fn answer(OstlerControlClient *client, const char *line,
                                 size_t size)
{
    g_autoptr(GError) refusal = NULL;
    g_autoptr(OstlerControlRequest) request =
        ostler_control_request_parse(line, size, &refusal);
    json_object *result = request ? run_method(client, request, &refusal) : NULL;
    int64_t id = request ? request->id : 0;

    g_assert(result || refusal);
    return result ? ostler_control_result_text(id, result)
                  : ostler_control_error_text(id, refusal);
}

static void coroutine_fn serve_lines(OstlerControlClient *client)
{
    const char *line;
    size_t size;

    while (!client->upgraded && (line = ostler_lines_next(&client->lines, &size))) {
        client->is_running = true;
        post(client, answer(client, line, size));
        client->is_running = false;
        wait_until_sent(client);
    }
}

static bool coroutine_fn read_some(OstlerControlClient *client)
{
    size_t size;
    char *room = ostler_lines_room(&client->lines, &size);
    gssize n = room ? ostler_channel_read(client->channel, room, size, NULL) : 0;

    if (n <= 0) {
        return false;
    }
    ostler_lines_add(&client->lines, (size_t)n);
    return true;
}

/* Until the client leaves, says something without end, or wants raw bytes. */
static void coroutine_fn read_requests(OstlerControlClient *client)
{
    while (!client->upgraded && read_some(client)) {
        serve_lines(client);
    }
}

static void coroutine_fn see_writer_out(OstlerControlClient *client)
{
    client->is_leaving = true;
    cpc_event_set(&client->has_mail);
    while (client->has_writer) {
        cpc_event_wait(&client->is_sent, -1);
    }
}

static void coroutine_fn serve_client(void *opaque)
{
    OstlerControlClient *client = opaque;
    OstlerControlServer *server = client->server;

    read_requests(client);
    see_writer_out(client);

    OstlerControlUpgradeFunc *upgraded = client->upgraded;
    void *upgrade_opaque = client->upgrade_opaque;
    OstlerChannel *channel = upgraded ? g_steal_pointer(&client->channel) : NULL;
    g_ptr_array_remove_fast(server->clients, client); /* often the last reference */
    cpc_event_set(&server->has_changed);
    if (upgraded) {
        upgraded(channel, upgrade_opaque);
    }
}

static void coroutine_fn welcome(OstlerControlServer *server, OstlerChannel *channel)
{
    if (server->clients->len >= MAX_CLIENTS || !ostler_channel_peer_is_self(channel)) {
        g_debug("A control client was turned away");
        ostler_channel_free(channel);
        return;
    }

    OstlerControlClient *client = g_rc_box_new0(OstlerControlClient);
    client->server = server;
    client->channel = channel;
    ostler_lines_init(&client->lines, OSTLER_CONTROL_MAX_REQUEST);
    client->has_writer = true;
    g_ptr_array_add(server->clients, client);
    cpc_spawn(write_outbox, client_ref(client, NULL));
    cpc_spawn(serve_client, client);
}

static void coroutine_fn accept_clients(void *opaque)
{
    OstlerControlServer *server = opaque;
    OstlerChannel *channel;

    while ((channel = ostler_listener_accept(server->listener, NULL))) {
        welcome(server, channel);
    }
    server->is_accepting = false;
    cpc_event_set(&server->has_changed);
}

OstlerControlServer *ostler_control_server_new(OstlerListener *listener,
                                               const OstlerControlMethod *methods,
                                               void *opaque)
{
    OstlerControlServer *server = g_new0(OstlerControlServer, 1);

    server->listener = listener;
    server->methods = methods;
    server->opaque = opaque;
    server->clients = g_ptr_array_new_with_free_func(client_unref);
    server->is_accepting = true;
    cpc_spawn(accept_clients, server);
    return server;
}

void coroutine_mixed_fn ostler_control_server_tell(OstlerControlServer *server,
                                                   const char *event, json_object *data)
{
    g_autofree char *line = ostler_control_event_text(event, data);
    g_autoptr(GPtrArray) clients = g_ptr_array_copy(server->clients, client_ref, NULL);

    g_ptr_array_set_free_func(clients, client_unref);
    for (guint i = 0; i < clients->len; i++) {
        OstlerControlClient *client = clients->pdata[i];

        if (client->outbox_bytes > MAX_OUTBOX_BYTES) {
            g_debug("A control client that does not read was dropped");
            ostler_channel_close(client->channel);
        } else if (client->is_subscribed && client->has_writer && !client->upgraded) {
            post(client, g_strdup(line));
        }
    }
}

static bool is_quiet(const OstlerControlServer *server)
{
    for (guint i = 0; i < server->clients->len; i++) {
        if (!client_is_idle(server->clients->pdata[i])) {
            return false;
        }
    }
    return true;
}

static void close_all(OstlerControlServer *server)
{
    for (guint i = 0; i < server->clients->len; i++) {
        OstlerControlClient *client = server->clients->pdata[i];

        ostler_channel_close(client->channel);
    }
}

void coroutine_fn ostler_control_server_finish(OstlerControlServer *server,
                                               int timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + timeout_ms * 1000LL;
    gint64 left_us;

    ostler_listener_close(server->listener);
    while (!is_quiet(server) && (left_us = deadline - g_get_monotonic_time()) > 0) {
        cpc_event_wait(&server->has_changed, (int)(left_us / 1000) + 1);
    }

    close_all(server);
    while (server->is_accepting || server->clients->len > 0) {
        cpc_event_wait(&server->has_changed, -1);
    }
}

void ostler_control_server_free(OstlerControlServer *server)
{
    if (!server) {
        return;
    }
    g_assert(!server->is_accepting && server->clients->len == 0);
    ostler_listener_free(server->listener);
    g_ptr_array_unref(server->clients);
    g_free(server);
}

void ostler_control_client_subscribe(OstlerControlClient *client)
{
    client->is_subscribed = true;
}

void ostler_control_client_upgrade(OstlerControlClient *client,
                                   OstlerControlUpgradeFunc *upgraded, void *opaque)
{
    client->upgraded = upgraded;
    client->upgrade_opaque = opaque;
}
