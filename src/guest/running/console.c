/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The ring of the last 64 KiB is scrollback and every client's send buffer at once.
 * Positions count all bytes since the start; a client is nothing but its own position,
 * and its writer sends from the ring until it has caught up.  A client is dropped before
 * the bytes at its position are overwritten, so a write that waits in the middle of a
 * piece of the ring can never go on with other bytes than it began with.
 *
 * The line's reader gives way after each piece, or it would fill the ring several times
 * before a prompt client had a chance.
 */
#define G_LOG_DOMAIN "ostler-guest"

#include "guest/running/console.h"

#include <cpc/glib.h>
#include <cpc/lock.h>
#include <stdint.h>
#include <string.h>

#define PIECE_BYTES 4096u

typedef struct {
    OstlerRunConsole *console;
    OstlerChannel *channel;
    uint64_t position; /* of the next byte to send */
    uint64_t last;     /* where to stop sending */
    bool is_leaving;   /* sends no more */
    bool has_writer;
    CoEvent has_output; /* for the writer */
    CoEvent is_written; /* for the reader: the writer is gone */
} Client;

struct OstlerRunConsole {
    uint8_t kept[OSTLER_CONSOLE_KEPT_BYTES];
    uint64_t end;        /* position after the newest byte */
    OstlerChannel *line; /* the guest's end, or NULL */
    OstlerLogFile *log;
    CoMutex is_typing;  /* held by whose input is being written to the line */
    GPtrArray *clients; /* references */
    bool has_reader;
    bool has_ended;      /* no more output will come */
    CoEvent has_changed; /* for who waits in finish() */
};

static void client_clear(gpointer data)
{
    Client *client = data;

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

/* Whoever is woken may leave, so walk over references. */
static GPtrArray *clients_now(const OstlerRunConsole *console)
{
    GPtrArray *clients = g_ptr_array_copy(console->clients, client_ref, NULL);

    g_ptr_array_set_free_func(clients, client_unref);
    return clients;
}

static void coroutine_mixed_fn wake_clients(OstlerRunConsole *console)
{
    g_autoptr(GPtrArray) clients = clients_now(console);

    for (guint i = 0; i < clients->len; i++) {
        cpc_event_set(&((Client *)clients->pdata[i])->has_output);
    }
}

/* Drop whoever has not yet been sent what the next @size bytes will overwrite. */
static void drop_laggards(OstlerRunConsole *console, size_t size)
{
    for (guint i = 0; i < console->clients->len; i++) {
        Client *client = console->clients->pdata[i];

        if (console->end + size - client->position > OSTLER_CONSOLE_KEPT_BYTES) {
            g_debug("A console client that does not read was dropped");
            client->is_leaving = true;
            ostler_channel_close(client->channel);
        }
    }
}

static void keep(OstlerRunConsole *console, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        console->kept[console->end++ % OSTLER_CONSOLE_KEPT_BYTES] = bytes[i];
    }
}

void ostler_run_console_recall(OstlerRunConsole *console, const void *bytes,
                               size_t size)
{
    keep(console, bytes, size);
}

static void coroutine_mixed_fn put_out(OstlerRunConsole *console, const uint8_t *bytes,
                                       size_t size)
{
    drop_laggards(console, size);
    keep(console, bytes, size);
    if (console->log) {
        ostler_log_file_append(console->log, bytes, size);
    }
    wake_clients(console);
}

static void coroutine_fn read_line(void *opaque)
{
    OstlerRunConsole *console = opaque;
    uint8_t piece[PIECE_BYTES];
    gssize n;

    while ((n = ostler_channel_read(console->line, piece, sizeof(piece), NULL)) > 0) {
        put_out(console, piece, (size_t)n);
        if (console->clients->len > 0) {
            cpc_sleep_ms(0);
        }
    }
    console->has_reader = false;
    console->has_ended = true;
    wake_clients(console);
    cpc_event_set(&console->has_changed);
}

OstlerRunConsole *ostler_run_console_new(OstlerLogFile *log)
{
    OstlerRunConsole *console = g_new0(OstlerRunConsole, 1);

    console->log = log;
    console->clients = g_ptr_array_new_with_free_func(client_unref);
    return console;
}

void coroutine_mixed_fn ostler_run_console_connect(OstlerRunConsole *console,
                                                   OstlerChannel *line)
{
    g_assert(!console->line);
    console->line = line;
    console->has_reader = true;
    cpc_spawn(read_line, console);
}

/* Send the next piece of the ring that lies in one run of memory. */
static bool coroutine_fn send_piece(Client *client)
{
    OstlerRunConsole *console = client->console;
    size_t start = client->position % OSTLER_CONSOLE_KEPT_BYTES;
    size_t size = (size_t)MIN(console->end - client->position,
                              (uint64_t)(OSTLER_CONSOLE_KEPT_BYTES - start));

    size = MIN(size, PIECE_BYTES);
    if (!ostler_channel_write(client->channel, console->kept + start, size, NULL)) {
        return false;
    }
    client->position += size;
    return true;
}

static void coroutine_fn write_to_client(void *opaque)
{
    Client *client = opaque;
    OstlerRunConsole *console = client->console;
    bool is_open = true;

    while (is_open && !client->is_leaving) {
        if (client->position >= client->last) {
            is_open = false;
        } else if (client->position < console->end) {
            is_open = send_piece(client);
        } else if (console->has_ended) {
            is_open = false;
        } else {
            cpc_event_wait(&client->has_output, -1);
        }
    }
    ostler_channel_close(client->channel); /* so that the reader ends, too */
    client->has_writer = false;
    cpc_event_set(&client->is_written);
    client_unref(client);
}

static bool coroutine_fn type_in(OstlerRunConsole *console, const char *bytes,
                                 size_t size)
{
    cpc_mutex_lock(&console->is_typing);
    bool is_typed = console->line && !console->has_ended &&
                    ostler_channel_write(console->line, bytes, size, NULL);
    cpc_mutex_unlock(&console->is_typing);
    return is_typed;
}

static void coroutine_fn read_from_client(Client *client)
{
    char piece[256];
    gssize n;

    while ((n = ostler_channel_read(client->channel, piece, sizeof(piece), NULL)) > 0 &&
           type_in(client->console, piece, (size_t)n)) {
    }
}

static uint64_t first_kept(const OstlerRunConsole *console)
{
    return console->end > OSTLER_CONSOLE_KEPT_BYTES
               ? console->end - OSTLER_CONSOLE_KEPT_BYTES
               : 0;
}

void coroutine_fn ostler_run_console_serve(OstlerRunConsole *console,
                                           OstlerChannel *channel, bool replay)
{
    Client *client = g_rc_box_new0(Client);

    client->console = console;
    client->channel = channel;
    client->position = replay ? first_kept(console) : console->end;
    client->last = UINT64_MAX;
    client->has_writer = true;
    g_ptr_array_add(console->clients, client);
    cpc_spawn(write_to_client, client_ref(client, NULL));

    read_from_client(client);
    client->last = console->end;
    cpc_event_set(&client->has_output);
    while (client->has_writer) {
        cpc_event_wait(&client->is_written, -1);
    }
    g_ptr_array_remove_fast(console->clients, client);
    cpc_event_set(&console->has_changed);
}

static void close_all(OstlerRunConsole *console)
{
    for (guint i = 0; i < console->clients->len; i++) {
        Client *client = console->clients->pdata[i];

        client->is_leaving = true;
        ostler_channel_close(client->channel);
    }
}

void coroutine_fn ostler_run_console_finish(OstlerRunConsole *console, int timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + timeout_ms * 1000LL;
    gint64 left_us;

    while ((console->has_reader || console->clients->len > 0) &&
           (left_us = deadline - g_get_monotonic_time()) > 0) {
        cpc_event_wait(&console->has_changed, (int)(left_us / 1000) + 1);
    }

    if (console->line) {
        ostler_channel_close(console->line);
    }
    console->has_ended = true;
    close_all(console);
    while (console->has_reader || console->clients->len > 0) {
        cpc_event_wait(&console->has_changed, -1);
    }
}

void ostler_run_console_free(OstlerRunConsole *console)
{
    if (!console) {
        return;
    }
    g_assert(!console->has_reader && console->clients->len == 0);
    ostler_channel_free(console->line);
    ostler_log_file_free(console->log);
    g_ptr_array_unref(console->clients);
    g_free(console);
}
