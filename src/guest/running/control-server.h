/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * control-server.h - the keeper's end of the control channel
 *
 * Accepts clients of the same user, reads their requests with control.h, runs the
 * method's row, and sends replies and events.  One coroutine reads for each client and
 * one writes, so that a client that does not read holds up nobody: it is dropped when
 * too much is queued for it.
 *
 * Ownership:  the server takes its listener over and borrows @methods and @opaque.
 * Threads:    one main context.
 */
#pragma once

#include "guest/running/control.h"
#include "platform/channel.h"

typedef struct OstlerControlServer OstlerControlServer;
typedef struct OstlerControlClient OstlerControlClient;

/*
 * Carry the request out.  Returns the result (taken over; NULL with no error set is
 * refused as a bug), or NULL and @error.
 */
typedef json_object *coroutine_fn OstlerControlMethodFunc(OstlerControlClient *client,
                                                          json_object *params,
                                                          void *opaque, GError **error);

typedef struct {
    const char *name;
    OstlerControlMethodFunc *run;
    const char *params; /* in words, for docs/control-protocol.md; "" for none */
    const char *result;
    const char *help;
} OstlerControlMethod;

/* @methods ends with a NULL name. */
OstlerControlServer *ostler_control_server_new(OstlerListener *listener,
                                               const OstlerControlMethod *methods,
                                               void *opaque);

/* Send an event to every client that subscribed; @data is taken over. */
void coroutine_mixed_fn ostler_control_server_tell(OstlerControlServer *server,
                                                   const char *event,
                                                   json_object *data);

/*
 * Take no new client, wait up to @timeout_ms for running requests and unsent lines, and
 * close what is left.  Afterwards the server may be freed.
 */
void coroutine_fn ostler_control_server_finish(OstlerControlServer *server,
                                               int timeout_ms);
void ostler_control_server_free(OstlerControlServer *server);

/* For methods: events go to @client from now on. */
void ostler_control_client_subscribe(OstlerControlClient *client);

/*
 * For methods: after the reply to this request, the channel carries raw bytes and
 * belongs to @upgraded, which runs in a coroutine and frees it.
 */
typedef void coroutine_fn OstlerControlUpgradeFunc(OstlerChannel *channel,
                                                   void *opaque);
void ostler_control_client_upgrade(OstlerControlClient *client,
                                   OstlerControlUpgradeFunc *upgraded, void *opaque);
