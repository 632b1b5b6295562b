/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "words.h"

#include <cpc/glib.h>

#include "platform/channel.h"

#define LAST_BYTES 2048u

struct KeeperWords {
    OstlerChannel *channel;
    OstlerLogFile *log;
    GString *last;
    bool has_reader;
    GQueue waiting; /* of CoEvent, in the frames of those who wait for the end */
};

static void words_clear(gpointer data)
{
    KeeperWords *words = data;

    ostler_channel_free(words->channel);
    ostler_log_file_free(words->log);
    g_string_free(words->last, TRUE);
}

static void remember(KeeperWords *words, const char *text, size_t size)
{
    g_string_append_len(words->last, text, (gssize)size);
    if (words->last->len > LAST_BYTES) {
        g_string_erase(words->last, 0, (gssize)(words->last->len - LAST_BYTES));
    }
}

static void coroutine_fn read_words(void *opaque)
{
    KeeperWords *words = opaque;
    char buffer[1024];
    gssize n;

    while ((n = ostler_channel_read(words->channel, buffer, sizeof(buffer), NULL)) >
           0) {
        ostler_log_file_append(words->log, buffer, (size_t)n);
        remember(words, buffer, (size_t)n);
    }
    words->has_reader = false;
    /* Those woken run when this coroutine stops, so the list stands still. */
    for (GList *at = words->waiting.head; at; at = at->next) {
        cpc_event_set(at->data);
    }
    g_rc_box_release_full(words, words_clear);
}

KeeperWords *coroutine_mixed_fn keeper_words_new(OstlerLogFile *log, int *out_fd,
                                                 GError **error)
{
    KeeperWords *words = g_rc_box_new0(KeeperWords);

    words->log = log;
    words->last = g_string_new(NULL);
    words->channel = ostler_channel_pair(out_fd, error);
    if (!words->channel) {
        g_rc_box_release_full(words, words_clear);
        return NULL;
    }
    words->has_reader = true;
    cpc_spawn(read_words, g_rc_box_acquire(words));
    return words;
}

void keeper_words_free(KeeperWords *words)
{
    if (words) {
        ostler_channel_close(words->channel);
        g_rc_box_release_full(words, words_clear);
    }
}

void coroutine_fn keeper_words_wait(KeeperWords *words, int timeout_ms)
{
    CoEvent has_ended = { 0 };

    if (!words->has_reader) {
        return;
    }
    /* A start that failed and the one who watches QEMU ask for the same last words. */
    g_queue_push_tail(&words->waiting, &has_ended);
    cpc_event_wait(&has_ended, timeout_ms);
    g_queue_remove(&words->waiting, &has_ended);
}

const char *keeper_words_last(KeeperWords *words)
{
    g_strchomp(words->last->str);
    g_string_set_size(words->last, strlen(words->last->str));
    return words->last->str;
}
