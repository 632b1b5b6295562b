/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Every command is a Request: first in @queued, then, once written, in @sent until its
 * answer comes.  A writer coroutine moves requests from the one to the other, so that a
 * QEMU that reads nothing stalls the writer alone, and a command's timeout covers the
 * writing, too.  A reader coroutine takes the stream apart and wakes whoever waits.
 *
 * A request whose caller gave up stays in @sent as abandoned: its late answer is thrown
 * away, and until then it takes up room in QEMU.  That matters because QEMU queues eight
 * commands at most and then stops reading (QEMU monitor/qmp.c, QMP_REQ_QUEUE_LEN_MAX),
 * out-of-band ones included.  So no more than MAX_IN_BAND are ever under way, and an
 * out-of-band command overtakes all others here as it does there.
 *
 * The session ends once, by end_session(): @why is set, all waiting requests fail with
 * it, and the channel is closed.  Coroutines hold references, so it may be freed under
 * any of them, from inside an event's function as well.
 */
#define G_LOG_DOMAIN "ostler-qmp"
#include "qmp/session.h"

#include <cpc/glib.h>
#include <fcntl.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/memory.h"
#include "qmp/message.h"
#include "wire/lines.h"

#define MAX_IN_BAND      6
#define LONG_LINE        (64u << 10) /* as values, some ten times as much */
#define GETFD_TIMEOUT_MS 30000

struct OstlerQmp {
    OstlerChannel *channel; /* owned */
    OstlerQmpListener listener;
    OstlerLines lines;
    GQueue queued; /* of Request, owned: not yet written */
    GQueue sent;   /* of Request, owned: not yet answered */
    unsigned n_in_band;
    int64_t last_id;
    CoEvent work;    /* for the writer */
    CoEvent greeted; /* for ostler_qmp_open() */
    bool has_greeted, is_open;
    bool has_oob;
    int version;
    GError *why; /* set once, when the session is over */
};

typedef struct {
    int64_t id;
    const char *command; /* borrowed from the caller; NULL once abandoned */
    char *text;
    int fd; /* owned, or -1 */
    bool is_oob;
    CoEvent answered;
    json_object *result; /* either this */
    GError *error;       /* or that */
} Request;

G_DEFINE_QUARK(ostler - qmp - error, ostler_qmp_error)

static void request_free(Request *request)
{
    if (request->fd >= 0) {
        close(request->fd);
    }
    g_free(request->text);
    json_object_put(request->result);
    g_clear_error(&request->error);
    g_free(request);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Request, request_free)

static void finish(gpointer data)
{
    OstlerQmp *qmp = data;

    g_queue_clear_full(&qmp->queued, (GDestroyNotify)request_free);
    g_queue_clear_full(&qmp->sent, (GDestroyNotify)request_free);
    ostler_channel_free(qmp->channel);
    ostler_lines_clear(&qmp->lines);
    g_clear_error(&qmp->why);
}

static OstlerQmp *session_ref(OstlerQmp *qmp)
{
    return g_rc_box_acquire(qmp);
}

static void session_unref(OstlerQmp *qmp)
{
    g_rc_box_release_full(qmp, finish);
}

/* --- the end ---------------------------------------------------------------------- */

/* Its caller wakes, finds the answer and frees it; an abandoned one has no caller. */
static void coroutine_mixed_fn answer(Request *request, json_object *result,
                                      GError *error)
{
    request->result = result;
    request->error = error;
    if (request->command) {
        cpc_event_set(&request->answered);
    } else {
        request_free(request);
    }
}

static void coroutine_mixed_fn fail_all(OstlerQmp *qmp, GQueue *requests)
{
    Request *request;

    while ((request = g_queue_pop_head(requests))) {
        answer(request, NULL, g_error_copy(qmp->why));
    }
}

/* Takes @why over.  Outside of a coroutine the woken ones run within this call. */
static void coroutine_mixed_fn end_session(OstlerQmp *qmp, GError *why)
{
    if (qmp->why) {
        g_error_free(why);
        return;
    }
    session_ref(qmp);
    qmp->why = why;
    ostler_channel_close(qmp->channel);
    fail_all(qmp, &qmp->sent);
    fail_all(qmp, &qmp->queued);
    cpc_event_set(&qmp->work);
    cpc_event_set(&qmp->greeted);
    if (qmp->is_open && qmp->listener.closed) {
        qmp->listener.closed(why, qmp->listener.opaque);
    }
    session_unref(qmp);
}

void ostler_qmp_free(OstlerQmp *qmp)
{
    if (!qmp) {
        return;
    }
    qmp->listener = (OstlerQmpListener){ 0 };
    end_session(qmp,
                g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CLOSED,
                                    "The connection to QEMU's monitor was closed"));
    session_unref(qmp);
}

/* --- out -------------------------------------------------------------------------- */

static bool may_send(const OstlerQmp *qmp, const Request *request)
{
    return request->is_oob || qmp->n_in_band < MAX_IN_BAND;
}

/* What is to be written next, now counted as sent; NULL if nothing may be. */
static Request *take_next(OstlerQmp *qmp)
{
    Request *request = g_queue_peek_head(&qmp->queued);

    if (!request || !may_send(qmp, request)) {
        return NULL;
    }
    g_queue_pop_head(&qmp->queued);
    g_queue_push_tail(&qmp->sent, request);
    qmp->n_in_band += !request->is_oob;
    return request;
}

/* The request may be answered and freed as soon as its last byte is out, or its caller
 * give up before: so text and descriptor are taken along. */
static bool coroutine_fn write_request(OstlerQmp *qmp, Request *request, GError **error)
{
    g_autofree char *text = g_steal_pointer(&request->text);
    int fd = request->fd;

    request->fd = -1;
    bool is_written =
        ostler_channel_write_with_fd(qmp->channel, text, strlen(text), fd, error);
    if (fd >= 0) {
        close(fd);
    }
    return is_written;
}

static void coroutine_fn run_writer(void *opaque)
{
    OstlerQmp *qmp = opaque;

    while (!qmp->why) {
        GError *error = NULL;
        Request *request = take_next(qmp);
        if (!request) {
            cpc_event_wait(&qmp->work, -1);
        } else if (!write_request(qmp, request, &error)) {
            error->code = G_IO_ERROR_CLOSED;
            end_session(qmp, error);
        }
    }
    session_unref(qmp);
}

/* --- in --------------------------------------------------------------------------- */

static Request *take_sent(OstlerQmp *qmp, int64_t id)
{
    for (GList *at = qmp->sent.head; at; at = at->next) {
        Request *request = at->data;
        if (request->id == id) {
            g_queue_delete_link(&qmp->sent, at);
            qmp->n_in_band -= !request->is_oob;
            return request;
        }
    }
    return NULL;
}

/* QEMU qapi/error.json; classes that nobody acts on are generic. */
static const struct {
    const char *name;
    OstlerQmpError code;
} classes[] = {
    { "CommandNotFound", OSTLER_QMP_ERROR_COMMAND_NOT_FOUND },
    { "DeviceNotFound", OSTLER_QMP_ERROR_DEVICE_NOT_FOUND },
};

static OstlerQmpError code_of(const char *class)
{
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (strcmp(class, classes[i].name) == 0) {
            return classes[i].code;
        }
    }
    return OSTLER_QMP_ERROR_GENERIC;
}

static GError *refusal_error(const Request *request, const OstlerQmpMessage *message)
{
    return g_error_new(OSTLER_QMP_ERROR, code_of(message->name),
                       "QEMU refuses '%s': %s", request->command, message->text);
}

/* An answer to nothing is QEMU's to a command that it could not even parse. */
static void coroutine_fn handle_answer(OstlerQmp *qmp, const OstlerQmpMessage *message)
{
    Request *request = take_sent(qmp, message->id);

    if (!request) {
        g_debug("dropped an answer to no command: %s",
                json_object_to_json_string(message->line));
        return;
    }
    cpc_event_set(&qmp->work); /* there is room for another one */
    if (!request->command) {
        request_free(request);
    } else if (message->kind == OSTLER_QMP_RETURN) {
        answer(request, json_object_get(message->body), NULL);
    } else {
        answer(request, NULL, refusal_error(request, message));
    }
}

static void coroutine_fn handle_greeting(OstlerQmp *qmp,
                                         const OstlerQmpMessage *message)
{
    qmp->has_greeted = true;
    qmp->version = ostler_qmp_greeting_version(message);
    qmp->has_oob = ostler_qmp_greeting_offers(message, "oob");
    cpc_event_set(&qmp->greeted);
}

static void coroutine_fn handle_event(OstlerQmp *qmp, const OstlerQmpMessage *message)
{
    if (qmp->listener.event) {
        qmp->listener.event(message->name, message->body, qmp->listener.opaque);
    }
}

/* In the order of OstlerQmpKind. */
typedef void coroutine_fn Handler(OstlerQmp *qmp, const OstlerQmpMessage *message);
static Handler *const handlers[] = {
    [OSTLER_QMP_GREETING] = handle_greeting,
    [OSTLER_QMP_RETURN] = handle_answer,
    [OSTLER_QMP_REFUSAL] = handle_answer,
    [OSTLER_QMP_EVENT] = handle_event,
};

/* The greeting comes first, and once. */
static bool coroutine_fn handle_line(OstlerQmp *qmp, const char *line, size_t size,
                                     GError **error)
{
    g_auto(OstlerQmpMessage) message = { 0 };

    if (!ostler_qmp_message_parse(&message, line, size, error)) {
        return false;
    }
    if ((message.kind == OSTLER_QMP_GREETING) == qmp->has_greeted) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    qmp->has_greeted ? "A second greeting"
                                     : "Something else instead of a greeting");
        return false;
    }
    handlers[message.kind](qmp, &message);
    return true;
}

static bool coroutine_fn handle_lines(OstlerQmp *qmp, GError **error)
{
    const char *line;
    size_t size;

    while (!qmp->why && (line = ostler_lines_next(&qmp->lines, &size))) {
        if (size >= LONG_LINE) {
            ostler_memory_give_back_soon();
        }
        if (!handle_line(qmp, line, size, error)) {
            g_prefix_error(error, "QEMU's monitor speaks nonsense: ");
            return false;
        }
    }
    return true;
}

/* Read once; false at the end of the stream, of whatever kind. */
static bool coroutine_fn read_more(OstlerQmp *qmp, GError **error)
{
    size_t size;
    char *room = ostler_lines_room(&qmp->lines, &size);

    if (!room) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "QEMU's monitor sent a line of over %u bytes", OSTLER_QMP_MAX_LINE);
        return false;
    }
    gssize n = ostler_channel_read(qmp->channel, room, size, error);
    if (n < 0) {
        (*error)->code = G_IO_ERROR_CLOSED;
        return false;
    }
    if (n == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED, "QEMU closed its monitor%s",
                    ostler_lines_is_partial(&qmp->lines) ? " in the middle of a message"
                                                         : "");
        return false;
    }
    ostler_lines_add(&qmp->lines, (size_t)n);
    return true;
}

static void coroutine_fn run_reader(void *opaque)
{
    OstlerQmp *qmp = opaque;
    GError *error = NULL;

    while (!qmp->why && read_more(qmp, &error) && handle_lines(qmp, &error)) {
    }
    if (error) {
        end_session(qmp, error);
    }
    session_unref(qmp);
}

/* --- commands --------------------------------------------------------------------- */

static Request *request_new(OstlerQmp *qmp, const char *command, json_object *arguments,
                            bool is_oob)
{
    Request *request = g_new0(Request, 1);

    request->id = ++qmp->last_id;
    request->command = command;
    request->text = ostler_qmp_command_text(command, arguments, request->id, is_oob);
    request->fd = -1;
    request->is_oob = is_oob;
    return request;
}

static void coroutine_fn enqueue(OstlerQmp *qmp, Request *request)
{
    if (request->is_oob) {
        g_queue_push_head(&qmp->queued, request);
    } else {
        g_queue_push_tail(&qmp->queued, request);
    }
    cpc_event_set(&qmp->work);
}

/* Nobody waits for @request any longer; if QEMU has it, its answer still has to come. */
static void abandon(OstlerQmp *qmp, Request *request)
{
    request->command = NULL;
    if (g_queue_remove(&qmp->queued, request)) {
        request_free(request);
    }
}

static void set_timeout_error(const char *command, int timeout_ms, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                "QEMU did not answer '%s' within %.1f s", command, timeout_ms / 1000.0);
}

/* Queue @request (taken over), wait for its answer, and give that out. */
static json_object *coroutine_fn run_request(OstlerQmp *qmp, Request *request,
                                             int timeout_ms, GError **error)
{
    if (qmp->why) {
        request_free(request);
        g_propagate_error(error, g_error_copy(qmp->why));
        return NULL;
    }

    enqueue(qmp, request);
    if (!cpc_event_wait(&request->answered, timeout_ms)) {
        set_timeout_error(request->command, timeout_ms, error);
        abandon(qmp, request);
        return NULL;
    }

    g_autoptr(Request) answered = request;
    if (answered->error) {
        g_propagate_error(error, g_steal_pointer(&answered->error));
        return NULL;
    }
    return g_steal_pointer(&answered->result);
}

json_object *coroutine_fn ostler_qmp_execute(OstlerQmp *qmp, const char *command,
                                             json_object *arguments, int timeout_ms,
                                             GError **error)
{
    return run_request(qmp, request_new(qmp, command, arguments, false), timeout_ms,
                       error);
}

json_object *coroutine_fn ostler_qmp_execute_oob(OstlerQmp *qmp, const char *command,
                                                 json_object *arguments, int timeout_ms,
                                                 GError **error)
{
    if (!qmp->has_oob) {
        json_object_put(arguments);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "This QEMU takes no out-of-band commands, such as '%s'", command);
        return NULL;
    }
    return run_request(qmp, request_new(qmp, command, arguments, true), timeout_ms,
                       error);
}

bool coroutine_fn ostler_qmp_getfd(OstlerQmp *qmp, const char *name, int fd,
                                   GError **error)
{
    json_object *arguments =
        ostler_json_object("fdname", json_object_new_string(name), NULL);
    Request *request = request_new(qmp, "getfd", arguments, false);

    /* A duplicate: the caller may close its own as soon as we have given up waiting. */
    request->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    g_autoptr(json_object) result = run_request(qmp, request, GETFD_TIMEOUT_MS, error);
    return result != NULL;
}

/* --- the beginning ---------------------------------------------------------------- */

static OstlerQmp *coroutine_fn session_new(OstlerChannel *channel,
                                           const OstlerQmpListener *listener)
{
    OstlerQmp *qmp = g_rc_box_new0(OstlerQmp);

    qmp->channel = channel;
    if (listener) {
        qmp->listener = *listener;
    }
    ostler_lines_init(&qmp->lines, OSTLER_QMP_MAX_LINE);
    g_queue_init(&qmp->queued);
    g_queue_init(&qmp->sent);
    cpc_spawn(run_reader, session_ref(qmp));
    cpc_spawn(run_writer, session_ref(qmp));
    return qmp;
}

static bool coroutine_fn wait_for_greeting(OstlerQmp *qmp, int timeout_ms,
                                           GError **error)
{
    if (!cpc_event_wait(&qmp->greeted, timeout_ms)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                    "QEMU's monitor did not greet within %.1f s; somebody else may be "
                    "connected to it",
                    timeout_ms / 1000.0);
        return false;
    }
    return true;
}

static bool coroutine_fn negotiate(OstlerQmp *qmp, int timeout_ms, GError **error)
{
    json_object *arguments = NULL;

    if (qmp->has_oob) {
        json_object *enable = json_object_new_array();
        json_object_array_add(enable, json_object_new_string("oob"));
        arguments = ostler_json_object("enable", enable, NULL);
    }
    g_autoptr(json_object) result =
        ostler_qmp_execute(qmp, "qmp_capabilities", arguments, timeout_ms, error);
    return result != NULL;
}

OstlerQmp *coroutine_fn ostler_qmp_open(OstlerChannel *channel,
                                        const OstlerQmpListener *listener,
                                        int timeout_ms, GError **error)
{
    int64_t deadline = ostler_clock_deadline(timeout_ms);
    g_autoptr(OstlerQmp) qmp = session_new(channel, listener);

    if (!wait_for_greeting(qmp, timeout_ms, error) ||
        !negotiate(qmp, ostler_clock_left(deadline), error)) {
        return NULL;
    }
    if (qmp->why) { /* it has ended since it answered */
        g_propagate_error(error, g_error_copy(qmp->why));
        return NULL;
    }
    qmp->is_open = true;
    return g_steal_pointer(&qmp);
}

bool ostler_qmp_has_oob(const OstlerQmp *qmp)
{
    return qmp->has_oob;
}

int ostler_qmp_version(const OstlerQmp *qmp)
{
    return qmp->version;
}
