/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * net.c - a guest's addresses, and the host's ports that lead to it
 */
#include <string.h>

#include "api/client.h"
#include "platform/clock.h"

struct OstlerGuestNet {
    json_object *answer; /* the texts below are borrowed from it */
    GArray *addresses;
    GArray *forwards;
};

static const char *text_of(json_object *row, const char *key)
{
    const char *text = ostler_json_find_string(row, key);
    return text ? text : "";
}

static OstlerGuestAddress read_address(json_object *row)
{
    return (OstlerGuestAddress){
        .nic = text_of(row, "nic"),
        .mac = text_of(row, "mac"),
        .address = text_of(row, "address"),
        .prefix = (unsigned)ostler_json_find_int(row, "prefix", 0),
        .is_ipv6 = strcmp(text_of(row, "family"), "ipv6") == 0,
        .source = text_of(row, "source"),
        .seen_at = ostler_json_find_int(row, "seen-at", 0),
        .expires_at = ostler_json_find_int(row, "expires-at", 0),
    };
}

static OstlerGuestForward read_forward(json_object *row)
{
    return (OstlerGuestForward){
        .nic = text_of(row, "nic"),
        .protocol = text_of(row, "protocol"),
        .host_address = text_of(row, "host-address"),
        .host_port = (unsigned)ostler_json_find_int(row, "host-port", 0),
        .guest_address = text_of(row, "guest-address"),
        .guest_port = (unsigned)ostler_json_find_int(row, "guest-port", 0),
    };
}

static size_t count(json_object *rows)
{
    return json_object_is_type(rows, json_type_array) ? json_object_array_length(rows)
                                                      : 0;
}

static OstlerGuestNet *net_new(json_object *answer)
{
    OstlerGuestNet *net = g_new0(OstlerGuestNet, 1);
    json_object *addresses = ostler_json_find(answer, "addresses");
    json_object *forwards = ostler_json_find(answer, "forwards");

    net->answer = answer;
    net->addresses = g_array_new(FALSE, FALSE, sizeof(OstlerGuestAddress));
    net->forwards = g_array_new(FALSE, FALSE, sizeof(OstlerGuestForward));
    for (size_t i = 0; i < count(addresses); i++) {
        OstlerGuestAddress address =
            read_address(json_object_array_get_idx(addresses, i));
        g_array_append_val(net->addresses, address);
    }
    for (size_t i = 0; i < count(forwards); i++) {
        OstlerGuestForward forward =
            read_forward(json_object_array_get_idx(forwards, i));
        g_array_append_val(net->forwards, forward);
    }
    return net;
}

void ostler_guest_net_free(OstlerGuestNet *net)
{
    if (!net) {
        return;
    }
    g_array_unref(net->addresses);
    g_array_unref(net->forwards);
    json_object_put(net->answer);
    g_free(net);
}

size_t ostler_guest_net_n_addresses(const OstlerGuestNet *net)
{
    return net->addresses->len;
}

const OstlerGuestAddress *ostler_guest_net_address(const OstlerGuestNet *net, size_t i)
{
    return &g_array_index(net->addresses, OstlerGuestAddress, i);
}

size_t ostler_guest_net_n_forwards(const OstlerGuestNet *net)
{
    return net->forwards->len;
}

const OstlerGuestForward *ostler_guest_net_forward(const OstlerGuestNet *net, size_t i)
{
    return &g_array_index(net->forwards, OstlerGuestForward, i);
}

typedef struct {
    const char *guest;
    bool waits;
    int64_t deadline;
    json_object *answer;
    GError *why;
} Question;

static bool is_answered(const Question *question)
{
    return !question->waits || question->why ||
           ostler_json_find_bool(question->answer, "is-usable", false);
}

/* Subscribed before it asks: no address can come unseen in between. */
static void coroutine_fn run_question(void *opaque)
{
    Question *question = opaque;
    g_autoptr(OstlerApiClient) client =
        ostler_api_connect(question->guest, &question->why);
    g_autoptr(json_object) status =
        client ? ostler_api_ask(client, "subscribe", NULL, &question->why) : NULL;

    while (status && !question->why) {
        g_clear_pointer(&question->answer, json_object_put);
        question->answer = ostler_api_ask(client, "addresses", NULL, &question->why);
        if (is_answered(question)) {
            return;
        }
        g_autoptr(OstlerControlMessage) event =
            ostler_api_next_event(client, question->deadline, &question->why);
    }
}

OstlerGuestNet *ostler_guest_net(OstlerGuest *guest, int timeout_ms,
                                 OstlerError **error)
{
    Question question = {
        .guest = guest->name,
        .waits = timeout_ms != 0,
        .deadline = ostler_clock_deadline(timeout_ms),
    };

    ostler_api_run(guest->host, run_question, &question);
    if (!question.why) {
        return net_new(question.answer);
    }
    json_object_put(question.answer);
    if (g_error_matches(question.why, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_TIMED_OUT)) {
        g_clear_error(&question.why);
        ostler_api_fail(error, OSTLER_ERROR_TIMED_OUT, "'%s' has no address yet",
                        guest->name);
    } else {
        ostler_api_fail_with(error, question.why);
    }
    return NULL;
}
