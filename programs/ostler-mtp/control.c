/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A share that was attached lives as long as the connection that attached it: whoever
 * ends, or is killed, takes the share along, and there is no list to keep in step.  So
 * its coroutine waits for the end of its connection, and detaching a share that came
 * this way closes that.
 */
#include "control.h"

#include "platform/channel.h"
#include "wire/lines.h"
#include "json/json.h"

#include <cpc/glib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE 65536u

struct Control {
    OstlerListener *listener;
    Shares *shares;
    GPtrArray *callers; /* of Caller */
    bool is_running;
    bool is_ending;
    CoEvent changed; /* ->callers, or ->is_running */
};

typedef struct {
    Control *control;
    OstlerChannel *channel;
    int lender;  /* came with the request, or -1 */
    int storage; /* attached by this caller, or -1 */
} Caller;

typedef json_object *Answer(Caller *caller, json_object *params, GError **error);

static json_object *storage_json(unsigned storage)
{
    g_autofree char *id = g_strdup_printf("0x%08x", ostler_mtp_store_id(storage));

    return json_object_new_string(id);
}

/* ---- requests ---- */

static json_object *attach(Caller *caller, json_object *params, GError **error)
{
    Shares *shares = caller->control->shares;
    const char *words = ostler_json_need_string(params, "share", error);
    g_autoptr(Share) share = words ? share_parse(words, error) : NULL;
    unsigned storage;

    if (!share) {
        return NULL;
    }
    if (caller->lender < 0 || caller->storage >= 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "A share is attached by its lender, one by each connection");
        return NULL;
    }
    if (shares_find(shares, share->label) >= 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "There is a share '%s' already", share->label);
        return NULL;
    }
    OstlerRoot *root = ostler_root_borrow(caller->lender, error);
    caller->lender = -1;
    if (!root || !shares_attach(shares, root, share, &storage, error)) {
        return NULL;
    }
    caller->storage = (int)storage;
    return ostler_json_object("storage", storage_json(storage), NULL);
}

static Caller *find_lender(const Control *control, int storage)
{
    for (guint i = 0; i < control->callers->len; i++) {
        Caller *caller = g_ptr_array_index(control->callers, i);
        if (caller->storage == storage) {
            return caller;
        }
    }
    return NULL;
}

static int find_share(const Shares *shares, json_object *params)
{
    const char *label = ostler_json_find_string(params, "label");
    const char *id = ostler_json_find_string(params, "storage");
    unsigned index;

    if (label) {
        return shares_find(shares, label);
    }
    return id && ostler_mtp_store_find(shares_store(shares),
                                       (uint32_t)g_ascii_strtoull(id, NULL, 0), &index)
               ? (int)index
               : -1;
}

static json_object *detach(Caller *caller, json_object *params, GError **error)
{
    Control *control = caller->control;
    int storage = find_share(control->shares, params);

    if (storage < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "There is no share of that name");
        return NULL;
    }
    Caller *lender = find_lender(control, storage);
    shares_detach(control->shares, (unsigned)storage);
    if (lender) {
        lender->storage = -1;
        ostler_channel_close(lender->channel);
    }
    return json_object_new_object();
}

/* What is in a share is counted for a quota only. */
static json_object *usage_json(const Caller *caller, unsigned storage)
{
    OstlerMtpStore *store = shares_store(caller->control->shares);
    OstlerMtpLimits limits;
    OstlerMtpUsage usage;

    ostler_mtp_store_get_limits(store, storage, &limits);
    ostler_mtp_store_get_usage(store, storage, &usage);
    bool is_counted = limits.quota_bytes != 0 || limits.quota_objects != 0;
    return ostler_json_object(
        "bytes", is_counted ? json_object_new_int64((int64_t)usage.bytes) : NULL,
        "objects", is_counted ? json_object_new_int64((int64_t)usage.objects) : NULL,
        "free", json_object_new_int64((int64_t)MIN(usage.free_bytes, G_MAXINT64)),
        NULL);
}

static json_object *set(Caller *caller, json_object *params, GError **error)
{
    Shares *shares = caller->control->shares;
    int storage = find_share(shares, params);
    OstlerMtpLimits limits;

    if (storage < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "There is no share of that name");
        return NULL;
    }
    ostler_mtp_store_get_limits(shares_store(shares), (unsigned)storage, &limits);
    limits_change(&limits, ostler_json_find(params, "limits"));
    ostler_mtp_store_set_limits(shares_store(shares), (unsigned)storage, &limits);
    return usage_json(caller, (unsigned)storage);
}

static json_object *list(Caller *caller, json_object *params, GError **error)
{
    const OstlerMtpStore *store = shares_store(caller->control->shares);
    json_object *array = json_object_new_array();

    for (unsigned i = 0; i < ostler_mtp_store_count(store); i++) {
        if (ostler_mtp_store_has(store, i)) {
            json_object *share = usage_json(caller, i);
            json_object_object_add(
                share, "label",
                json_object_new_string(ostler_mtp_store_label(store, i)));
            json_object_object_add(share, "storage", storage_json(i));
            json_object_array_add(array, share);
        }
    }
    return ostler_json_object("shares", array, NULL);
}

static const struct {
    const char *name;
    Answer *answer;
} requests[] = {
    { "attach", attach },
    { "detach", detach },
    { "set", set },
    { "list", list },
};

static json_object *answer_request(Caller *caller, json_object *request, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        json_object *params = ostler_json_find(request, requests[i].name);
        if (params) {
            return requests[i].answer(caller, params, error);
        }
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "The request is none of \"attach\", \"detach\", \"set\" and \"list\"");
    return NULL;
}

/* ---- callers ---- */

static bool coroutine_fn serve_line(Caller *caller, const char *line, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) request = ostler_json_parse(line, size, &error);
    g_autoptr(json_object) answer =
        request ? answer_request(caller, request, &error) : NULL;

    if (!answer) {
        answer =
            ostler_json_object("error", json_object_new_string(error->message), NULL);
    }
    g_autofree char *text = ostler_json_text(answer);
    g_autofree char *whole = g_strconcat(text, "\n", NULL);
    return ostler_channel_write(caller->channel, whole, strlen(whole), NULL);
}

static gssize coroutine_fn read_more(Caller *caller, OstlerLines *lines)
{
    size_t size;
    char *room = ostler_lines_room(lines, &size);
    int fd;

    if (!room) {
        return -1;
    }
    gssize n = ostler_channel_read_with_fd(caller->channel, room, size, &fd, NULL);
    if (fd >= 0) {
        if (caller->lender >= 0) {
            close(caller->lender);
        }
        caller->lender = fd;
    }
    return n;
}

static void coroutine_fn converse(Caller *caller)
{
    OstlerLines lines;
    const char *line;
    size_t size;
    gssize n;
    bool is_well = true;

    ostler_lines_init(&lines, MAX_LINE);
    while (is_well && (n = read_more(caller, &lines)) > 0) {
        ostler_lines_add(&lines, (size_t)n);
        while (is_well && (line = ostler_lines_next(&lines, &size))) {
            is_well = serve_line(caller, line, size);
        }
    }
    ostler_lines_clear(&lines);
}

static void coroutine_fn serve_caller(void *opaque)
{
    Caller *caller = opaque;
    Control *control = caller->control;

    if (ostler_channel_peer_is_self(caller->channel)) {
        converse(caller);
    }
    /* At the end all go, and it is not for the journal of handles to forget them. */
    if (caller->storage >= 0 && !control->is_ending) {
        shares_detach(control->shares, (unsigned)caller->storage);
    }
    if (caller->lender >= 0) {
        close(caller->lender);
    }
    ostler_channel_free(caller->channel);
    g_ptr_array_remove_fast(control->callers, caller);
    g_free(caller);
    cpc_event_set(&control->changed);
}

/* ---- */

Control *control_new(const char *path, Shares *shares, GError **error)
{
    OstlerListener *listener = ostler_listener_new(path, error);

    if (!listener) {
        return NULL;
    }
    Control *control = g_new0(Control, 1);
    control->listener = listener;
    control->shares = shares;
    control->callers = g_ptr_array_new();
    return control;
}

void control_free(Control *control)
{
    if (control) {
        ostler_listener_free(control->listener);
        g_ptr_array_unref(control->callers);
        g_free(control);
    }
}

void coroutine_fn control_run(Control *control)
{
    OstlerChannel *channel;

    control->is_running = true;
    while ((channel = ostler_listener_accept(control->listener, NULL))) {
        Caller *caller = g_new(Caller, 1);
        *caller = (Caller){ control, channel, -1, -1 };
        g_ptr_array_add(control->callers, caller);
        cpc_spawn(serve_caller, caller);
    }
    control->is_running = false;
    cpc_event_set(&control->changed);
}

void coroutine_fn control_end(Control *control)
{
    control->is_ending = true;
    ostler_listener_close(control->listener);
    for (guint i = 0; i < control->callers->len; i++) {
        const Caller *caller = g_ptr_array_index(control->callers, i);
        ostler_channel_close(caller->channel);
    }
    while (control->is_running || control->callers->len > 0) {
        cpc_event_wait(&control->changed, -1);
    }
}
