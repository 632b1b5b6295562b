/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * session.h - one QMP monitor: commands out, answers and events in
 *
 * Sits on a channel.  One reader coroutine takes lines apart and wakes whoever waits
 * for an answer; commands of several coroutines may be under way at once.
 *
 * Sources:    QEMU docs/interop/qmp-spec.txt.
 * Units:      timeouts in milliseconds, -1 for ever.
 * Ownership:  the session takes its channel over.  Answers belong to the caller.
 * Errors:     OSTLER_QMP_ERROR for what QEMU answered, G_IO_ERROR_TIMED_OUT,
 *             _CLOSED when the monitor is gone, _INVALID_DATA when it spoke nonsense;
 *             after the last two every later command fails at once.
 * Threads:    one main context.
 */
#pragma once

#include "platform/channel.h"
#include "json/json.h"

typedef struct OstlerQmp OstlerQmp;

#define OSTLER_QMP_ERROR ostler_qmp_error_quark()
GQuark ostler_qmp_error_quark(void);
typedef enum {
    OSTLER_QMP_ERROR_GENERIC,           /* "class": "GenericError" and the rest */
    OSTLER_QMP_ERROR_COMMAND_NOT_FOUND, /* "CommandNotFound" */
    OSTLER_QMP_ERROR_DEVICE_NOT_FOUND,  /* "DeviceNotFound" */
} OstlerQmpError;

/*
 * @data is the event's "data" object or NULL; borrowed for the call.  Called from the
 * reader coroutine: it may start coroutines and free the session, it must not wait.
 * Events may come before ostler_qmp_open() has returned.
 */
typedef void OstlerQmpEventFunc(const char *event, json_object *data, void *opaque);
/*
 * The monitor is gone; @why is a sentence.  Called at most once, and only for a session
 * that ostler_qmp_open() has given out and nobody has freed yet.
 */
typedef void OstlerQmpClosedFunc(const GError *why, void *opaque);

typedef struct {
    OstlerQmpEventFunc *event;
    OstlerQmpClosedFunc *closed;
    void *opaque;
} OstlerQmpListener;

/*
 * Read the greeting and negotiate capabilities (oob when offered).  @listener is copied
 * and may be NULL; @channel is taken over, also when this fails.
 */
OstlerQmp *coroutine_fn ostler_qmp_open(OstlerChannel *channel,
                                        const OstlerQmpListener *listener,
                                        int timeout_ms, GError **error);
/* Close and free, from any coroutine or none; waiting commands fail with CLOSED. */
void ostler_qmp_free(OstlerQmp *qmp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerQmp, ostler_qmp_free)

/*
 * Run @command with @arguments (taken over; may be NULL).
 * Returns: the "return" value (caller puts), or NULL.
 */
json_object *coroutine_fn ostler_qmp_execute(OstlerQmp *qmp, const char *command,
                                             json_object *arguments, int timeout_ms,
                                             GError **error);
/* The same out of band: overtakes a command that hangs.  Needs the capability. */
json_object *coroutine_fn ostler_qmp_execute_oob(OstlerQmp *qmp, const char *command,
                                                 json_object *arguments, int timeout_ms,
                                                 GError **error);
/* Hand @fd to QEMU under @name (the getfd command); @fd stays open here. */
bool coroutine_fn ostler_qmp_getfd(OstlerQmp *qmp, const char *name, int fd,
                                   GError **error);

bool ostler_qmp_has_oob(const OstlerQmp *qmp);
/* QEMU's version from the greeting, as major * 10000 + minor * 100 + micro. */
int ostler_qmp_version(const OstlerQmp *qmp);
