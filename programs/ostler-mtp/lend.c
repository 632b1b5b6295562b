/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lend.h"
#include "shares.h"

#include "platform/channel.h"
#include "platform/lender.h"
#include "platform/sandbox.h"
#include "platform/signals.h"
#include "wire/lines.h"
#include "json/json.h"

#include <cpc/glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE 65536u

typedef struct {
    OstlerChannel *channel;
    json_object *request;
    const char *label;
    int fd;         /* goes with the request, or -1 */
    bool must_stay; /* until the other side hangs up */
    bool is_shown;  /* its answer is printed */
    bool is_ending; /* a signal asked for it */
    bool is_done;
    GError *why;
} Errand;

/* The answer, without its newline (caller puts); NULL with *@error. */
static json_object *coroutine_fn read_answer(OstlerChannel *channel, GError **error)
{
    OstlerLines lines;
    const char *line = NULL;
    json_object *answer = NULL;
    char *room;
    size_t size;
    gssize n = 1;

    ostler_lines_init(&lines, MAX_LINE);
    while (!line && n > 0 && (room = ostler_lines_room(&lines, &size))) {
        n = ostler_channel_read(channel, room, size, error);
        if (n > 0) {
            ostler_lines_add(&lines, (size_t)n);
            line = ostler_lines_next(&lines, &size);
        }
    }
    if (line) {
        answer = ostler_json_parse(line, size, error);
    } else if (n >= 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                    "ostler-mtp hung up without an answer");
    }
    ostler_lines_clear(&lines);
    return answer;
}

static bool coroutine_fn ask(Errand *errand)
{
    g_autofree char *text = ostler_json_text(errand->request);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    if (!ostler_channel_write_with_fd(errand->channel, line, strlen(line), errand->fd,
                                      &errand->why)) {
        return false;
    }
    g_autoptr(json_object) answer = read_answer(errand->channel, &errand->why);
    const char *refusal = answer ? ostler_json_find_string(answer, "error") : NULL;
    if (refusal) {
        g_set_error(&errand->why, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", refusal);
    }
    if (answer && !refusal && errand->is_shown) {
        g_autofree char *shown = ostler_json_text(answer);
        puts(shown);
    }
    return answer && !refusal;
}

static void coroutine_fn run(void *opaque)
{
    Errand *errand = opaque;
    char byte;

    errand->is_done = ask(errand);
    if (errand->is_done && errand->must_stay) {
        printf("attached %s\n", errand->label); /* for whoever waits for it */
        fflush(stdout);
        while (ostler_channel_read(errand->channel, &byte, 1, NULL) > 0) {
        }
    }
}

static void end(OstlerSignal signal, void *opaque)
{
    Errand *errand = opaque;

    errand->is_ending = true;
    ostler_channel_close(errand->channel);
}

/* To be asked to end is no failure. */
static bool run_errand(Errand *errand, GError **error)
{
    cpc_run(run, errand);
    json_object_put(errand->request);
    if (errand->why && errand->is_ending) {
        g_clear_error(&errand->why);
        return true;
    }
    if (errand->why) {
        g_propagate_error(error, errand->why);
    }
    return errand->is_done;
}

/* Only the folder that is lent. */
static bool confine(const Share *share, GError **error)
{
    const char *roots[] = { share->path, NULL };
    g_autofree char *missing = NULL;
    const OstlerSandboxConfig config = {
        .needs = OSTLER_SANDBOX_FILES,
        .read_only_roots = share->is_read_only ? roots : NULL,
        .writable_roots = share->is_read_only ? NULL : roots,
    };

    if (!ostler_sandbox_enter(&config, &missing, error)) {
        return false;
    }
    if (missing) {
        g_warning("Not confined as well as could be, continuing: %s", missing);
    }
    return true;
}

bool lend_share(const char *words, const char *socket, GError **error)
{
    Errand errand = { .fd = -1, .must_stay = true };
    g_autoptr(Share) share = share_parse(words, error);
    g_autoptr(OstlerLender) lender =
        share ? ostler_lender_new(share->path, &errand.fd, error) : NULL;
    g_autoptr(OstlerChannel) channel =
        lender ? ostler_channel_connect(socket, error) : NULL;
    g_autoptr(OstlerSignals) signals =
        channel
            ? ostler_signals_watch(OSTLER_SIGNAL_INTERRUPT | OSTLER_SIGNAL_TERMINATE,
                                   end, &errand, error)
            : NULL;
    errand.channel = channel;
    if (!signals || !confine(share, error)) {
        return false;
    }

    json_object *params =
        ostler_json_object("share", json_object_new_string(words), NULL);
    errand.label = share->label;
    errand.request = ostler_json_object("attach", params, NULL);
    bool is_done = run_errand(&errand, error);
    close(errand.fd);
    return is_done;
}

/* An errand that is done with its answer; @params is taken over. */
static bool ask_once(const char *request, json_object *params, bool is_shown,
                     const char *socket, GError **error)
{
    g_autoptr(OstlerChannel) channel = ostler_channel_connect(socket, error);
    Errand errand = { .channel = channel, .fd = -1, .is_shown = is_shown };

    if (!channel) {
        json_object_put(params);
        return false;
    }
    errand.request = ostler_json_object(request, params, NULL);
    return run_errand(&errand, error);
}

bool detach_share(const char *label, const char *socket, GError **error)
{
    return ask_once("detach",
                    ostler_json_object("label", json_object_new_string(label), NULL),
                    false, socket, error);
}

bool list_shares(const char *socket, GError **error)
{
    return ask_once("list", json_object_new_object(), true, socket, error);
}

bool change_share(const char *change, const char *socket, GError **error)
{
    json_object *limits;
    g_autofree char *label = share_parse_change(change, &limits, error);

    return label && ask_once("set",
                             ostler_json_object("label", json_object_new_string(label),
                                                "limits", limits, NULL),
                             false, socket, error);
}
