/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * methods.c - what a client of the control channel can ask of a keeper
 *
 * The table at the end is the whole of it: dispatch, "methods", and the table in
 * docs/control-protocol.md come from its rows.
 */
#include "keeper.h"

#include <string.h>

#include "addresses.h"
#include "shares.h"
#include "sides.h"

#define MAX_QMP_TIMEOUT_MS (60 * 60 * 1000)

static json_object *coroutine_fn get_status(OstlerControlClient *client,
                                            json_object *params, void *opaque,
                                            GError **error)
{
    Keeper *keeper = opaque;
    json_object *status = ostler_run_status_to_json(keeper->status);

    json_object_object_add(status, "sides", keeper_describe_sides(keeper));
    return status;
}

static json_object *coroutine_fn subscribe(OstlerControlClient *client,
                                           json_object *params, void *opaque,
                                           GError **error)
{
    ostler_control_client_subscribe(client);
    return get_status(client, params, opaque, error);
}

/* The requests that only feed the state table differ in one word. */
static json_object *coroutine_fn ask(void *opaque, OstlerRunEvent request,
                                     GError **error)
{
    return keeper_ask(opaque, request, error) ? json_object_new_object() : NULL;
}

static json_object *coroutine_fn shutdown_guest(OstlerControlClient *client,
                                                json_object *params, void *opaque,
                                                GError **error)
{
    return ask(opaque, OSTLER_RUN_ASK_SHUTDOWN, error);
}

static json_object *coroutine_fn reboot(OstlerControlClient *client,
                                        json_object *params, void *opaque,
                                        GError **error)
{
    return ask(opaque, OSTLER_RUN_ASK_REBOOT, error);
}

static json_object *coroutine_fn reset(OstlerControlClient *client, json_object *params,
                                       void *opaque, GError **error)
{
    return ask(opaque, OSTLER_RUN_ASK_RESET, error);
}

static json_object *coroutine_fn suspend(OstlerControlClient *client,
                                         json_object *params, void *opaque,
                                         GError **error)
{
    return ask(opaque, OSTLER_RUN_ASK_SUSPEND, error);
}

static json_object *coroutine_fn resume(OstlerControlClient *client,
                                        json_object *params, void *opaque,
                                        GError **error)
{
    return ask(opaque, OSTLER_RUN_ASK_RESUME, error);
}

static json_object *coroutine_fn destroy(OstlerControlClient *client,
                                         json_object *params, void *opaque,
                                         GError **error)
{
    Keeper *keeper = opaque;

    if (!keeper_ask(keeper, OSTLER_RUN_ASK_DESTROY, error)) {
        return NULL;
    }
    while (!keeper->is_cleared) {
        cpc_queue_wait(&keeper->changed, NULL);
    }
    return json_object_new_object();
}

static json_object *coroutine_fn get_definition(OstlerControlClient *client,
                                                json_object *params, void *opaque,
                                                GError **error)
{
    Keeper *keeper = opaque;
    g_autofree char *text = ostler_definition_text(keeper->definition);

    return ostler_json_object("text", json_object_new_string(text), "json",
                              ostler_definition_json(keeper->definition), NULL);
}

/* --- network --- */

/* What slirp forwards: QEMU has it as a table for people only (hmp_info_usernet). */
static char *coroutine_fn ask_usernet(Keeper *keeper)
{
    g_autoptr(json_object) answer =
        keeper_execute(keeper, "human-monitor-command",
                       ostler_json_object("command-line",
                                          json_object_new_string("info usernet"), NULL),
                       NULL);

    return g_strdup(json_object_is_type(answer, json_type_string)
                        ? json_object_get_string(answer)
                        : "");
}

static json_object *coroutine_fn get_addresses(OstlerControlClient *client,
                                               json_object *params, void *opaque,
                                               GError **error)
{
    Keeper *keeper = opaque;
    json_object *known = keeper_addresses_json(keeper->addresses);
    g_autofree char *usernet = ask_usernet(keeper);

    json_object_object_add(known, "forwards",
                           keeper_addresses_forwards(keeper->definition, usernet));
    return known;
}

/* --- shares --- */

static json_object *coroutine_fn attach_share(OstlerControlClient *client,
                                              json_object *params, void *opaque,
                                              GError **error)
{
    KeeperShare share = {
        .name = ostler_json_need_string(params, "name", error),
        .title = ostler_json_find_string(params, "title"),
        .is_readonly = ostler_json_find_bool(params, "readonly", false),
    };

    share.path = share.name ? ostler_json_need_string(params, "path", error) : NULL;
    if (!share.path) {
        ostler_run_error_become(error, OSTLER_RUN_ERROR_ARGUMENT);
        return NULL;
    }
    return keeper_attach_share(opaque, &share, error) ? json_object_new_object() : NULL;
}

/* The "name" of the share that is meant. */
static const char *need_name(json_object *params, GError **error)
{
    const char *name = ostler_json_need_string(params, "name", error);

    if (!name) {
        ostler_run_error_become(error, OSTLER_RUN_ERROR_ARGUMENT);
    }
    return name;
}

static json_object *coroutine_fn detach_share(OstlerControlClient *client,
                                              json_object *params, void *opaque,
                                              GError **error)
{
    const char *name = need_name(params, error);

    if (!name) {
        return NULL;
    }
    return keeper_detach_share(opaque, name, error) ? json_object_new_object() : NULL;
}

static json_object *coroutine_fn set_share(OstlerControlClient *client,
                                           json_object *params, void *opaque,
                                           GError **error)
{
    const char *name = need_name(params, error);

    if (!name) {
        return NULL;
    }
    return keeper_set_share(opaque, name, params, error) ? json_object_new_object()
                                                         : NULL;
}

static json_object *coroutine_fn list_shares(OstlerControlClient *client,
                                             json_object *params, void *opaque,
                                             GError **error)
{
    return keeper_list_shares(opaque, error);
}

/* --- monitor and console --- */

/* What QEMU said, without the words that the session puts before it. */
static const char *own_words(const GError *refusal, const char *command)
{
    g_autofree char *prefix = g_strdup_printf("QEMU refuses '%s': ", command);
    bool is_prefixed = g_str_has_prefix(refusal->message, prefix);

    return refusal->message + (is_prefixed ? strlen(prefix) : 0);
}

/* QEMU's refusal is an answer like another: the client sees it as QEMU put it. */
static json_object *refusal_json(const GError *refusal, const char *command)
{
    static const char *const classes[] = {
        [OSTLER_QMP_ERROR_GENERIC] = "GenericError",
        [OSTLER_QMP_ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
        [OSTLER_QMP_ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
    };
    json_object *inner = ostler_json_object(
        "class", json_object_new_string(classes[refusal->code]), "desc",
        json_object_new_string(own_words(refusal, command)), NULL);

    return ostler_json_object("error", inner, NULL);
}

static json_object *answer_json(const char *command, json_object *answer,
                                GError *refusal, GError **error)
{
    if (answer) {
        return ostler_json_object("return", answer, NULL);
    }
    if (refusal->domain == OSTLER_QMP_ERROR) {
        json_object *reply = refusal_json(refusal, command);
        g_error_free(refusal);
        return reply;
    }
    g_propagate_error(error, refusal);
    return NULL;
}

static json_object *coroutine_fn run_qmp(OstlerControlClient *client,
                                         json_object *params, void *opaque,
                                         GError **error)
{
    Keeper *keeper = opaque;
    const char *command = ostler_json_need_string(params, "execute", error);
    json_object *arguments = ostler_json_find(params, "arguments");
    int64_t timeout_ms = ostler_json_find_int(params, "timeout-ms", -1);
    GError *refusal = NULL;

    if (!command) {
        ostler_run_error_become(error, OSTLER_RUN_ERROR_ARGUMENT);
        return NULL;
    }
    if (!keeper->qmp) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
                    "QEMU's monitor does not answer");
        return NULL;
    }
    json_object *answer = ostler_qmp_execute(
        keeper->qmp, command, arguments ? json_object_get(arguments) : NULL,
        (int)CLAMP(timeout_ms, -1, MAX_QMP_TIMEOUT_MS), &refusal);
    return answer_json(command, answer, refusal, error);
}

typedef struct {
    OstlerChannel *channel;
    bool replay;
} Attachment;

static void coroutine_fn serve_console(Keeper *keeper, void *data)
{
    Attachment *attachment = data;

    ostler_run_console_serve(keeper->console, attachment->channel, attachment->replay);
    g_free(attachment);
}

static void coroutine_fn attach(Keeper *keeper, OstlerChannel *channel, bool replay)
{
    Attachment *attachment = g_new(Attachment, 1);

    *attachment = (Attachment){ .channel = channel, .replay = replay };
    keeper_spawn(keeper, serve_console, attachment);
}

static void coroutine_fn attach_with_replay(OstlerChannel *channel, void *opaque)
{
    attach(opaque, channel, true);
}

static void coroutine_fn attach_from_now(OstlerChannel *channel, void *opaque)
{
    attach(opaque, channel, false);
}

static json_object *coroutine_fn open_console(OstlerControlClient *client,
                                              json_object *params, void *opaque,
                                              GError **error)
{
    Keeper *keeper = opaque;

    bool replay = ostler_json_find_bool(params, "replay", true);

    if (!keeper->console || !keeper->status->console) {
        g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE,
                    "'%s' has no console: none of its serial ports is of that type",
                    keeper->config->name);
        return NULL;
    }
    ostler_control_client_upgrade(client, replay ? attach_with_replay : attach_from_now,
                                  keeper);
    return json_object_new_object();
}

static json_object *coroutine_fn list_methods(OstlerControlClient *client,
                                              json_object *params, void *opaque,
                                              GError **error)
{
    json_object *list = json_object_new_array();

    for (const OstlerControlMethod *row = keeper_methods; row->name; row++) {
        json_object_array_add(
            list, ostler_json_object("name", json_object_new_string(row->name),
                                     "params", json_object_new_string(row->params),
                                     "result", json_object_new_string(row->result),
                                     "help", json_object_new_string(row->help), NULL));
    }
    return ostler_json_object("methods", list, NULL);
}

const OstlerControlMethod keeper_methods[] = {
    { "status", get_status, "", "the record of status.json, and \"sides\"",
      "How the guest is, and the programs beside it." },
    { "subscribe", subscribe, "", "as \"status\"",
      "Send this client events from now on; the answer is the state before the "
      "first." },
    { "shutdown", shutdown_guest, "", "",
      "Press the power button. The guest decides what follows." },
    { "reboot", reboot, "", "",
      "Press the power button, and start the guest again when it is off." },
    { "reset", reset, "", "", "Reset the machine at once, like its reset button." },
    { "destroy", destroy, "", "",
      "End QEMU at once. Answers when the guest can be started again." },
    { "suspend", suspend, "", "", "Stop the guest's processors." },
    { "resume", resume, "", "", "Let a stopped guest go on." },
    { "definition", get_definition, "", "\"text\", \"json\"",
      "The definition that the guest was started with, with the shares it has now." },
    { "addresses", get_addresses, "", "\"addresses\", \"forwards\"",
      "What is known of the guest's network addresses, and the host's ports that lead "
      "to it." },
    { "attach-share", attach_share,
      "\"name\", \"path\" (absolute), \"title\", \"readonly\"", "",
      "Show the guest one folder more. Answers when the guest can see it." },
    { "detach-share", detach_share, "\"name\"", "",
      "Take a shared folder away; what is under way in it ends with an error." },
    { "shares", list_shares, "",
      "by share \"bytes\", \"objects\" (null without a quota), \"free\"",
      "What is in the shares that the guest sees, and what it may still add." },
    { "share-set", set_share,
      "\"name\", \"quota\", \"quota-objects\", \"reserve\" (as texts; what is left "
      "out stays)",
      "",
      "Change how much a guest may fill a shared folder with; it is told at once." },
    { "qmp", run_qmp, "\"execute\", \"arguments\", \"timeout-ms\"",
      "\"return\" or \"error\", as QEMU answered", "Run a command of QEMU's monitor." },
    { "console", open_console, "\"replay\": whether kept output comes first (true)", "",
      "Attach to the serial console: after the answer the connection carries its raw "
      "bytes." },
    { "methods", list_methods, "", "\"methods\"", "This table." },
    { NULL },
};
