/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * running.c - starting, moving and watching one guest
 *
 * Every function is a small structure, a coroutine that fills it in, and a call that
 * runs the coroutine.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "api/client.h"
#include "guest/running/log-file.h"
#include "guest/running/place.h"
#include "guest/running/prepare.h"
#include "guest/running/status.h"
#include "guest/store.h"
#include "platform/autostart.h"
#include "platform/clock.h"
#include "platform/rundir.h"

#define LEAVE_TIMEOUT_MS 5000 /* for a keeper whose guest is off */

/* ---- requests without an answer worth having ---- */

typedef struct {
    const char *guest;
    const char *method;
    json_object *params; /* taken over */
    json_object *result;
    GError *why;
} Call;

static void coroutine_fn make_call(void *opaque)
{
    Call *call = opaque;

    call->result =
        ostler_api_ask_once(call->guest, call->method, call->params, &call->why);
}

/* The answer (caller puts), or NULL and *@error. */
static json_object *ask_by(CoroutineEntry *make, OstlerGuest *guest, const char *method,
                           json_object *params, OstlerError **error)
{
    Call call = { .guest = guest->name, .method = method, .params = params };

    ostler_api_run(guest->host, make, &call);
    if (!call.result) {
        ostler_api_fail_with(error, call.why);
    }
    return call.result;
}

static json_object *ask(OstlerGuest *guest, const char *method, json_object *params,
                        OstlerError **error)
{
    return ask_by(make_call, guest, method, params, error);
}

static bool tell(OstlerGuest *guest, const char *method, OstlerError **error)
{
    g_autoptr(json_object) result = ask(guest, method, NULL, error);
    return result != NULL;
}

bool ostler_guest_shutdown(OstlerGuest *guest, OstlerError **error)
{
    return tell(guest, "shutdown", error);
}

bool ostler_guest_reboot(OstlerGuest *guest, OstlerError **error)
{
    return tell(guest, "reboot", error);
}

bool ostler_guest_reset(OstlerGuest *guest, OstlerError **error)
{
    return tell(guest, "reset", error);
}

bool ostler_guest_suspend(OstlerGuest *guest, OstlerError **error)
{
    return tell(guest, "suspend", error);
}

bool ostler_guest_resume(OstlerGuest *guest, OstlerError **error)
{
    return tell(guest, "resume", error);
}

/* The keeper closes the connection once it has let go of the guest, so that whoever
 * returns from here can start it again, and no longer finds it. */
static void coroutine_fn make_destroy(void *opaque)
{
    Call *call = opaque;
    g_autoptr(OstlerApiClient) client = ostler_api_connect(call->guest, &call->why);

    call->result =
        client ? ostler_api_ask(client, call->method, NULL, &call->why) : NULL;
    if (call->result) {
        int64_t deadline = ostler_clock_deadline(LEAVE_TIMEOUT_MS);
        ostler_control_message_free(ostler_api_next_event(client, deadline, NULL));
    }
}

bool ostler_guest_destroy(OstlerGuest *guest, OstlerError **error)
{
    g_autoptr(json_object) result = ask_by(make_destroy, guest, "destroy", NULL, error);
    return result != NULL;
}

/* ---- start ---- */

typedef struct {
    const char *guest;
    const OstlerStartOptions *options;
    int definition_fd;
    json_object *status;
    GError *why;
} Start;

static void coroutine_fn run_start(void *opaque)
{
    Start *start = opaque;
    const OstlerStartOptions none = { 0 };
    const OstlerStartOptions *options = start->options ? start->options : &none;
    g_autofree char *timeout =
        g_strdup_printf("--start-timeout=%d", options->timeout_ms);
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();

    if (options->is_paused) {
        g_ptr_array_add(arguments, (char *)"--paused");
    }
    if (options->ends_with_keeper) {
        g_ptr_array_add(arguments, (char *)"--end-with-keeper");
    }
    if (options->timeout_ms > 0) {
        g_ptr_array_add(arguments, timeout);
    }
    g_ptr_array_add(arguments, NULL);
    if (ostler_api_attend(start->guest, &start->why)) {
        start->status =
            ostler_api_start_keeper(start->guest, (const char *const *)arguments->pdata,
                                    start->definition_fd, &start->why);
    }
}

/* Notes of the status for the caller, NULL when there are none. */
static char **take_notes(json_object *record)
{
    g_autoptr(OstlerRunStatus) status = ostler_run_status_from_json(record, NULL);

    return status && status->notes && status->notes[0] ? g_steal_pointer(&status->notes)
                                                       : NULL;
}

static bool start_with(OstlerGuest *guest, const OstlerStartOptions *options,
                       int definition_fd, char ***out_notes, OstlerError **error)
{
    Start start = { .guest = guest->name,
                    .options = options,
                    .definition_fd = definition_fd };

    ostler_api_run(guest->host, run_start, &start);
    if (!start.status) {
        g_prefix_error(&start.why, "Cannot start '%s': ", guest->name);
        return ostler_api_fail_with(error, start.why);
    }
    if (out_notes) {
        *out_notes = take_notes(start.status);
    }
    json_object_put(start.status);
    return true;
}

bool ostler_guest_start(OstlerGuest *guest, const OstlerStartOptions *options,
                        char ***out_notes, OstlerError **error)
{
    return start_with(guest, options, -1, out_notes, error);
}

/* An unlinked file with @text, from its start: a definition may exceed a pipe. */
static int text_fd(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp(NULL, &path, error);
    size_t size = strlen(text);

    if (fd < 0) {
        return -1;
    }
    g_unlink(path);
    if (write(fd, text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "Cannot write a temporary file: %s", g_strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static OstlerDefinition *read_definition(const char *text, const char *file,
                                         GError **error)
{
    return text ? ostler_definition_parse(text, strlen(text), file, error)
                : ostler_definition_load(file, error);
}

OstlerGuest *ostler_host_run(OstlerHost *host, const char *text, const char *file,
                             const OstlerStartOptions *options, char ***out_notes,
                             OstlerError **error)
{
    GError *why = NULL;
    g_autoptr(OstlerDefinition) definition = read_definition(text, file, &why);
    g_autofree char *whole = definition ? ostler_definition_text(definition) : NULL;
    int fd = whole ? text_fd(whole, &why) : -1;
    if (fd < 0) {
        ostler_api_fail_with(error, why);
        return NULL;
    }

    g_autoptr(OstlerGuest) guest =
        ostler_api_guest(host, ostler_definition_name(definition));
    bool is_started = start_with(guest, options, fd, out_notes, error);
    close(fd);
    return is_started ? g_steal_pointer(&guest) : NULL;
}

/* ---- plan ---- */

typedef struct {
    const OstlerDefinition *definition;
    const char *rundir;
    OstlerRunPreparation *preparation;
    GError *why;
} Plan;

static void coroutine_fn run_plan(void *opaque)
{
    Plan *plan = opaque;

    plan->preparation = ostler_run_prepare(plan->definition, plan->rundir, &plan->why);
}

char **ostler_guest_plan(OstlerGuest *guest, char ***out_notes, OstlerError **error)
{
    GError *why = NULL;
    g_autoptr(OstlerDefinition) definition = ostler_store_load(guest->name, &why);
    if (!definition) {
        ostler_api_fail_with(error, why);
        return NULL;
    }

    g_autofree char *rundir = ostler_run_path(guest->name, NULL);
    Plan plan = { .definition = definition, .rundir = rundir };
    ostler_api_run(guest->host, run_plan, &plan);
    if (!plan.preparation) {
        ostler_api_fail_with(error, plan.why);
        return NULL;
    }
    g_autoptr(OstlerRunPreparation) preparation = plan.preparation;
    if (out_notes) {
        *out_notes =
            preparation->notes[0] ? g_steal_pointer(&preparation->notes) : NULL;
    }
    return g_steal_pointer(&preparation->plan->argv);
}

/* ---- state ---- */

static void coroutine_fn run_attend(void *opaque)
{
    Call *call = opaque;

    ostler_api_attend(call->guest, &call->why);
}

/* The record of the present or last run, as seen from outside; NULL only on failure. */
static OstlerRunStatus *look(OstlerGuest *guest, OstlerRunLife *out_life,
                             OstlerError **error)
{
    Call call = { .guest = guest->name };

    ostler_api_run(guest->host, run_attend, &call);
    if (call.why) {
        ostler_api_fail_with(error, call.why);
        return NULL;
    }
    *out_life = ostler_run_life(guest->name);
    OstlerRunStatus *status = ostler_run_status_load(guest->name, NULL);
    if (!status) {
        status = ostler_run_status_new();
        status->state =
            *out_life == OSTLER_RUN_GONE ? OSTLER_RUN_SHUT_OFF : OSTLER_RUN_STARTING;
    } else if (*out_life == OSTLER_RUN_GONE && status->state != OSTLER_RUN_SHUT_OFF) {
        status->state = OSTLER_RUN_SHUT_OFF;
        status->reason = OSTLER_RUN_REASON_LOST;
    }
    return status;
}

static OstlerState public_state(const OstlerRunStatus *status)
{
    return ostler_api_state(ostler_run_state_text(status->state));
}

bool ostler_guest_state(OstlerGuest *guest, OstlerState *out_state,
                        OstlerReason *out_reason, OstlerError **error)
{
    OstlerRunLife life;
    g_autoptr(OstlerRunStatus) status = look(guest, &life, error);
    if (!status) {
        return false;
    }
    *out_state = public_state(status);
    if (out_reason) {
        *out_reason = (OstlerReason)status->reason;
    }
    return true;
}

typedef struct {
    const char *guest;
    unsigned states;
    int64_t deadline;
    OstlerState state;
    GError *why;
} Wait;

static bool is_wanted(const Wait *wait)
{
    return wait->states & OSTLER_STATE_MASK(wait->state);
}

static void coroutine_fn follow_states(Wait *wait, OstlerApiClient *client)
{
    while (!is_wanted(wait) && wait->state != OSTLER_STATE_SHUT_OFF) {
        g_autoptr(OstlerControlMessage) event =
            ostler_api_next_event(client, wait->deadline, &wait->why);
        if (!event &&
            g_error_matches(wait->why, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE)) {
            g_clear_error(&wait->why);
            wait->state = OSTLER_STATE_SHUT_OFF;
        } else if (!event) {
            return;
        } else if (strcmp(event->event, "state") == 0) {
            wait->state =
                ostler_api_state(ostler_json_find_string(event->value, "state"));
        }
    }
}

static void coroutine_fn run_wait(void *opaque)
{
    Wait *wait = opaque;
    g_autoptr(OstlerApiClient) client = ostler_api_connect(wait->guest, &wait->why);
    g_autoptr(json_object) status =
        client ? ostler_api_ask(client, "subscribe", NULL, &wait->why) : NULL;

    if (status) {
        wait->state = ostler_api_state(ostler_json_find_string(status, "state"));
        follow_states(wait, client);
        return;
    }
    wait->state = OSTLER_STATE_SHUT_OFF;
    if (ostler_run_life(wait->guest) == OSTLER_RUN_GONE) {
        g_clear_error(&wait->why);
    }
}

bool ostler_guest_wait(OstlerGuest *guest, unsigned states, int timeout_ms,
                       OstlerState *out_state, OstlerError **error)
{
    Wait wait = {
        .guest = guest->name,
        .states = states,
        .deadline = ostler_clock_deadline(timeout_ms),
    };

    ostler_api_run(guest->host, run_wait, &wait);
    if (g_error_matches(wait.why, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_TIMED_OUT)) {
        g_clear_error(&wait.why);
        return ostler_api_fail(error, OSTLER_ERROR_TIMED_OUT, "'%s' is still %s",
                               guest->name, ostler_state_text(wait.state));
    }
    if (wait.why) {
        return ostler_api_fail_with(error, wait.why);
    }
    if (!is_wanted(&wait)) {
        return ostler_api_fail(error, OSTLER_ERROR_STATE, "'%s' is %s", guest->name,
                               ostler_state_text(wait.state));
    }
    if (out_state) {
        *out_state = wait.state;
    }
    return true;
}

/* ---- info ---- */

/* The public structure first, so that a pointer to it is one to the whole. */
typedef struct {
    OstlerGuestInfo info;
    GStringChunk *texts;
} Info;

static const char *keep(Info *whole, const char *text)
{
    return text ? g_string_chunk_insert(whole->texts, text) : NULL;
}

static void fill_from_status(Info *whole, const OstlerRunStatus *status,
                             OstlerRunLife life)
{
    OstlerGuestInfo *info = &whole->info;
    bool is_on = life != OSTLER_RUN_GONE;

    info->state = public_state(status);
    info->reason = (OstlerReason)status->reason;
    info->why = keep(whole, status->why);
    info->ends_with_keeper = status->ends_with_keeper;
    info->accel = is_on ? keep(whole, status->accel) : NULL;
    info->pid = is_on ? status->qemu.pid : 0;
    info->keeper_pid = is_on ? status->keeper_pid : 0;
    info->started_at = is_on ? status->started_at : 0;
    info->ended_at = is_on ? 0 : status->ended_at;
}

static void fill_from_definition(Info *whole, const OstlerDefinition *definition)
{
    OstlerGuestInfo *info = &whole->info;

    info->uuid = keep(whole, ostler_definition_get(definition, "guest", "uuid"));
    info->arch = keep(whole, ostler_definition_get(definition, "guest", "arch"));
    info->machine = keep(whole, ostler_definition_machine(definition));
    info->cpus = (unsigned)ostler_definition_cpus(definition);
    info->memory_bytes = ostler_definition_get_size(definition, "guest", "memory");
}

OstlerDefinition *ostler_api_definition_now(const char *guest, OstlerRunLife life,
                                            GError **error)
{
    g_autofree char *started = ostler_run_path(guest, "started.guest");

    return life == OSTLER_RUN_GONE || !g_file_test(started, G_FILE_TEST_EXISTS)
               ? ostler_store_load(guest, error)
               : ostler_definition_load(started, error);
}

OstlerGuestInfo *ostler_guest_info(OstlerGuest *guest, OstlerError **error)
{
    GError *why = NULL;
    OstlerRunLife life;
    g_autoptr(OstlerRunStatus) status = look(guest, &life, error);
    if (!status) {
        return NULL;
    }
    g_autoptr(OstlerDefinition) definition =
        ostler_api_definition_now(guest->name, life, &why);
    if (!definition) {
        ostler_api_fail_with(error, why);
        return NULL;
    }

    Info *whole = g_new0(Info, 1);
    g_autofree char *directory = ostler_run_path(guest->name, NULL);
    whole->texts = g_string_chunk_new(512);
    whole->info.name = keep(whole, guest->name);
    whole->info.is_defined = ostler_store_has(guest->name);
    whole->info.is_autostarted = ostler_autostart_is_enabled(guest->name);
    whole->info.run_directory = keep(whole, directory);
    fill_from_status(whole, status, life);
    fill_from_definition(whole, definition);
    return &whole->info;
}

void ostler_guest_info_free(OstlerGuestInfo *info)
{
    Info *whole = (Info *)info;

    if (whole) {
        g_string_chunk_free(whole->texts);
        g_free(whole);
    }
}

/* ---- monitor, console, log ---- */

char *ostler_guest_qmp(OstlerGuest *guest, const char *command, int timeout_ms,
                       OstlerError **error)
{
    GError *why = NULL;
    json_object *params = ostler_json_parse(command, strlen(command), &why);
    if (!json_object_is_type(params, json_type_object)) {
        ostler_api_fail(error, OSTLER_ERROR_ARGUMENT, "Not a QMP command: %s",
                        why ? why->message : "it is no JSON object");
        g_clear_error(&why);
        json_object_put(params);
        return NULL;
    }

    json_object_object_add(params, "timeout-ms", json_object_new_int(timeout_ms));
    g_autoptr(json_object) answer = ask(guest, "qmp", params, error);
    return answer ? ostler_json_text(answer) : NULL;
}

typedef struct {
    const char *guest;
    bool replay;
    int fd;
    GError *why;
} Attach;

static void coroutine_fn run_attach(void *opaque)
{
    Attach *attach = opaque;
    OstlerApiClient *client = ostler_api_connect(attach->guest, &attach->why);
    json_object *params =
        ostler_json_object("replay", json_object_new_boolean(attach->replay), NULL);

    if (client) {
        attach->fd = ostler_api_upgrade(client, "console", params, &attach->why);
    } else {
        json_object_put(params);
    }
}

int ostler_guest_console(OstlerGuest *guest, bool replay, OstlerError **error)
{
    Attach attach = { .guest = guest->name, .replay = replay, .fd = -1 };

    ostler_api_run(guest->host, run_attach, &attach);
    if (attach.fd < 0) {
        ostler_api_fail_with(error, attach.why);
    }
    return attach.fd;
}

static const char *const log_files[] = {
    [OSTLER_LOG_KEEPER] = "keeper.log",
    [OSTLER_LOG_QEMU] = "qemu.log",
    [OSTLER_LOG_CONSOLE] = "console.log",
};

char *ostler_guest_log(OstlerGuest *guest, OstlerLog which, size_t *out_size,
                       OstlerError **error)
{
    size_t size;

    if ((unsigned)which >= G_N_ELEMENTS(log_files)) {
        ostler_api_fail(error, OSTLER_ERROR_ARGUMENT, "There is no log %u", which);
        return NULL;
    }
    g_autofree char *path = ostler_run_path(guest->name, log_files[which]);
    char *text = ostler_log_file_read(path, &size);
    if (out_size) {
        *out_size = size;
    }
    return text;
}

/* ---- events ---- */

struct OstlerEvents {
    OstlerHost *host; /* borrowed */
    const char *guest;
    OstlerApiClient *client;
    int64_t deadline;           /* of the call under way */
    OstlerControlMessage *next; /* its result */
    GError *why;
};

static void coroutine_fn run_subscribe(void *opaque)
{
    OstlerEvents *events = opaque;

    events->client = ostler_api_connect(events->guest, &events->why);
    g_autoptr(json_object) status =
        events->client ? ostler_api_ask(events->client, "subscribe", NULL, &events->why)
                       : NULL;
}

OstlerEvents *ostler_guest_events(OstlerGuest *guest, OstlerError **error)
{
    OstlerEvents *events = g_new0(OstlerEvents, 1);

    events->host = guest->host;
    events->guest = guest->name;
    ostler_api_run(guest->host, run_subscribe, events);
    events->guest = NULL;
    if (events->why) {
        ostler_api_fail_with(error, g_steal_pointer(&events->why));
        g_clear_pointer(&events, ostler_events_free);
    }
    return events;
}

void ostler_events_free(OstlerEvents *events)
{
    if (!events) {
        return;
    }
    ostler_api_client_free(events->client);
    g_free(events);
}

int ostler_events_fd(const OstlerEvents *events)
{
    return ostler_api_client_fd(events->client);
}

static void coroutine_fn run_next(void *opaque)
{
    OstlerEvents *events = opaque;

    events->next =
        ostler_api_next_event(events->client, events->deadline, &events->why);
}

char *ostler_events_next(OstlerEvents *events, int timeout_ms, OstlerError **error)
{
    events->deadline = ostler_clock_deadline(timeout_ms);
    ostler_api_run(events->host, run_next, events);
    g_autoptr(OstlerControlMessage) message = g_steal_pointer(&events->next);
    if (!message) {
        ostler_api_fail_with(error, g_steal_pointer(&events->why));
        return NULL;
    }
    return g_strchomp(
        ostler_control_event_text(message->event, json_object_get(message->value)));
}
