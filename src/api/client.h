/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client.h - libostler's end of the control channel, and starting keepers
 *
 * Everything here runs in a coroutine; ostler_api_run() is how a call of the library
 * gets into one.  Each host has a main context of its own, so that nothing else of the
 * program runs inside of a call.
 *
 * Errors:     OSTLER_RUN_ERROR with the keeper's code, or G_IO_ERROR.
 */
#pragma once

#include <cpc/glib.h>

#include "api/api.h"
#include "guest/definition.h"
#include "guest/running/control.h"
#include "guest/running/place.h"

typedef struct OstlerApiClient OstlerApiClient;

/* Run @entry(@opaque) to its end on the host's own main context. */
void ostler_api_run(OstlerHost *host, CoroutineEntry *entry, void *opaque);

/*
 * Connect to the guest's keeper.  An orphaned guest gets a new keeper first; STATE when
 * it is not running.
 */
OstlerApiClient *coroutine_fn ostler_api_connect(const char *guest, GError **error);
void ostler_api_client_free(OstlerApiClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerApiClient, ostler_api_client_free)

/* Ask and wait for the answer (caller puts); events that come first are kept. */
json_object *coroutine_fn ostler_api_ask(OstlerApiClient *client, const char *method,
                                         json_object *params, GError **error);

/*
 * The next event, until @deadline (platform/clock.h).  NULL with TIMED_OUT, or with STATE
 * when the keeper has gone: the guest is off.
 */
OstlerControlMessage *coroutine_fn ostler_api_next_event(OstlerApiClient *client,
                                                         int64_t deadline,
                                                         GError **error);

/* The client's descriptor, borrowed. */
int ostler_api_client_fd(const OstlerApiClient *client);

/* Ask for @method, after which the connection is raw: its descriptor, or -1.  Frees
 * the client. */
int coroutine_fn ostler_api_upgrade(OstlerApiClient *client, const char *method,
                                    json_object *params, GError **error);

/* Connect, ask once, close. */
json_object *coroutine_fn ostler_api_ask_once(const char *guest, const char *method,
                                              json_object *params, GError **error);

/* The definition of a running guest with what has changed since its start; of one that is
 * off, the stored one. */
OstlerDefinition *ostler_api_definition_now(const char *guest, OstlerRunLife life,
                                            GError **error);

/*
 * Start a keeper with @arguments (NULL-terminated, after the guest's name) and wait until
 * it says how it went: the guest's status, or NULL.  @definition_fd is handed over as
 * --definition-fd, unless it is -1.
 */
json_object *coroutine_fn ostler_api_start_keeper(const char *guest,
                                                  const char *const *arguments,
                                                  int definition_fd, GError **error);

/* Make sure that a keeper is there if the guest runs.  False on failure only. */
bool coroutine_fn ostler_api_attend(const char *guest, GError **error);
