/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "peers.h"

#include "mtp/transport/functionfs.h"
#include "mtp/transport/usbip-link.h"
#include "mtp/transport/usbredir-link.h"
#include "platform/channel.h"

#include <cpc/glib.h>
#include <cpc/lock.h>

/* How long to wait before a peer that went away is called again. */
#define RECONNECT_MS 200

/*
 * The guest and QEMU take some 100 us from one transfer's answer to the next transfer.
 * GLib's main loop makes seven system calls to wait for that, a patient read none.
 */
#define PATIENCE_US 1000

/*
 * A QEMU says hello as soon as its guest runs.  One that a guest was migrated to does not,
 * and waits for answers to what the last ostler-mtp was asked: where a connection can be
 * made again it is, which such a QEMU tells its guest as a replug.
 */
#define HELLO_MS 2000

/* Lists of devices are asked for by connections of their own; more wait to be taken. */
#define MAX_CLIENTS 8

struct Peers {
    const PeerOptions *options;
    OstlerUsbDevice *device;
    OstlerMtpResponder *responder;
    OstlerGadget *gadget; /* of --functionfs, or NULL, and its link */
    OstlerFunctionfs *function;
    OstlerListener *listener; /* of --listen and --usbip, or NULL */
    GPtrArray *channels;      /* of OstlerChannel: those at work */
    OstlerChannel *first;     /* of --connect and --fd, made before the sandbox */
    CoEvent freed;            /* one of the channels is done */
    bool is_ending;
};

static gssize coroutine_fn read_channel(void *buffer, size_t size, void *opaque,
                                        GError **error)
{
    return ostler_channel_read(opaque, buffer, size, error);
}

static bool coroutine_fn write_channel(const void *buffer, size_t size, void *opaque,
                                       GError **error)
{
    return ostler_channel_write(opaque, buffer, size, error);
}

static OstlerListener *open_listener(const PeerOptions *options, GError **error)
{
    return options->usbip ? ostler_listener_new_tcp(options->usbip, error)
                          : ostler_listener_new(options->listen, error);
}

static OstlerChannel *call(const PeerOptions *options, GError **error)
{
    return options->fd >= 0 ? ostler_channel_new_fd(options->fd)
                            : ostler_channel_connect(options->connect, error);
}

static bool open_gadget(Peers *peers, GError **error)
{
    g_autoptr(GByteArray) descriptors = ostler_functionfs_descriptors();
    g_autoptr(GByteArray) strings = ostler_functionfs_strings();

    peers->gadget = ostler_gadget_open(peers->options->functionfs, descriptors, strings,
                                       OSTLER_FUNCTIONFS_ENDPOINTS, error);
    if (!peers->gadget) {
        return false;
    }
    peers->function = ostler_functionfs_new(peers->device, peers->gadget);
    return true;
}

static bool open_way(Peers *peers, GError **error)
{
    const PeerOptions *options = peers->options;

    if (options->functionfs) {
        return open_gadget(peers, error);
    }
    if (options->listen || options->usbip) {
        peers->listener = open_listener(options, error);
        return peers->listener != NULL;
    }
    peers->first = call(options, error);
    return peers->first != NULL;
}

Peers *peers_open(const PeerOptions *options, OstlerUsbDevice *device,
                  OstlerMtpResponder *responder, GError **error)
{
    g_autoptr(Peers) peers = g_new0(Peers, 1);

    peers->options = options;
    peers->device = device;
    peers->responder = responder;
    peers->channels = g_ptr_array_new();
    return open_way(peers, error) ? g_steal_pointer(&peers) : NULL;
}

void peers_free(Peers *peers)
{
    if (peers) {
        ostler_functionfs_free(peers->function);
        ostler_gadget_free(peers->gadget);
        ostler_listener_free(peers->listener);
        ostler_channel_free(peers->first);
        g_ptr_array_unref(peers->channels);
        g_free(peers);
    }
}

/* ---- one connection; @channel is taken over ---- */

static void finish(Peers *peers, OstlerChannel *channel, const GError *error)
{
    g_ptr_array_remove_fast(peers->channels, channel);
    ostler_channel_free(channel);
    cpc_event_set(&peers->freed);
    if (error) {
        g_warning("The connection is given up: %s", error->message);
    }
}

typedef struct {
    OstlerChannel *channel;
    guint silence; /* a timer, until something came */
} Qemu;

static gboolean end_silence(void *opaque)
{
    Qemu *qemu = opaque;

    qemu->silence = 0;
    g_debug("QEMU says nothing; it is called again");
    ostler_channel_close(qemu->channel);
    return G_SOURCE_REMOVE;
}

static void stop_waiting(Qemu *qemu)
{
    if (qemu->silence != 0) {
        g_source_remove(qemu->silence);
        qemu->silence = 0;
    }
}

static gssize coroutine_fn read_qemu(void *buffer, size_t size, void *opaque,
                                     GError **error)
{
    Qemu *qemu = opaque;
    gssize n = ostler_channel_read(qemu->channel, buffer, size, error);

    stop_waiting(qemu);
    return n;
}

static bool coroutine_fn write_qemu(const void *buffer, size_t size, void *opaque,
                                    GError **error)
{
    const Qemu *qemu = opaque;

    return ostler_channel_write(qemu->channel, buffer, size, error);
}

/* Serve the QEMU until it is gone; false if it misbehaved. */
static bool coroutine_fn serve_usbredir(Peers *peers, OstlerChannel *channel)
{
    g_autoptr(GError) error = NULL;
    Qemu qemu = { .channel = channel };
    const OstlerUsbredirStream stream = { read_qemu, write_qemu, &qemu };

    g_ptr_array_add(peers->channels, channel);
    ostler_channel_set_patience(channel, PATIENCE_US);
    if (peers->options->must_reconnect || peers->listener) {
        qemu.silence = g_timeout_add(HELLO_MS, end_silence, &qemu);
    }
    bool is_done = ostler_usbredir_serve(peers->device, &stream, &error);
    stop_waiting(&qemu);
    ostler_mtp_responder_unplug(peers->responder);
    finish(peers, channel, error);
    return is_done;
}

typedef struct {
    Peers *peers;
    OstlerChannel *channel;
} Client;

static void coroutine_fn serve_usbip(void *opaque)
{
    g_autofree Client *client = opaque;
    g_autoptr(GError) error = NULL;
    const OstlerUsbipStream stream = { read_channel, write_channel, client->channel };
    bool was_imported;

    ostler_usbip_serve(client->peers->device, &stream, &was_imported, &error);
    if (was_imported) {
        ostler_mtp_responder_unplug(client->peers->responder);
    }
    finish(client->peers, client->channel, error);
}

/* ---- all of them ---- */

static void coroutine_fn take_caller(Peers *peers, OstlerChannel *channel)
{
    if (!peers->options->usbip) {
        serve_usbredir(peers, channel);
        return;
    }
    Client *client = g_new(Client, 1);
    *client = (Client){ peers, channel };
    g_ptr_array_add(peers->channels, channel);
    cpc_spawn(serve_usbip, client);
    while (peers->channels->len >= MAX_CLIENTS) {
        cpc_event_wait(&peers->freed, -1);
    }
}

static bool coroutine_fn serve_callers(Peers *peers)
{
    bool is_well = true;

    while (is_well && !peers->is_ending) {
        g_autoptr(GError) error = NULL;
        OstlerChannel *channel = ostler_listener_accept(peers->listener, &error);
        if (channel) {
            take_caller(peers, channel);
        } else if (!peers->is_ending) {
            g_critical("%s", error->message);
            is_well = false;
        }
    }
    while (peers->channels->len > 0) {
        cpc_event_wait(&peers->freed, -1);
    }
    return is_well;
}

/* The first call was made before the sandbox; the later ones are here. */
static bool coroutine_fn serve_called(Peers *peers)
{
    bool is_done = serve_usbredir(peers, g_steal_pointer(&peers->first));

    while (peers->options->must_reconnect && !peers->is_ending) {
        cpc_sleep_ms(RECONNECT_MS);
        OstlerChannel *channel = call(peers->options, NULL);
        if (channel) {
            is_done = serve_usbredir(peers, channel);
        }
    }
    return is_done || peers->is_ending;
}

static bool coroutine_fn serve_gadget(Peers *peers)
{
    g_autoptr(GError) error = NULL;

    if (!ostler_functionfs_serve(peers->function, &error)) {
        g_critical("%s", error->message);
        return false;
    }
    return true;
}

bool coroutine_fn peers_serve(Peers *peers)
{
    return peers->gadget     ? serve_gadget(peers)
           : peers->listener ? serve_callers(peers)
                             : serve_called(peers);
}

void peers_end(Peers *peers)
{
    peers->is_ending = true;
    if (peers->function) {
        ostler_functionfs_end(peers->function);
    }
    if (peers->listener) {
        ostler_listener_close(peers->listener);
    }
    for (guint i = 0; i < peers->channels->len; i++) {
        ostler_channel_close(g_ptr_array_index(peers->channels, i));
    }
}
