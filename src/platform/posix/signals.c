/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/signals.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

struct OstlerSignals {
    int fd;
    GSource *source; /* owned */
    sigset_t before; /* the mask to go back to */
    OstlerSignalFunc *func;
    void *opaque; /* borrowed */
};

static const struct {
    OstlerSignal signal;
    int number;
} numbers[] = {
    { OSTLER_SIGNAL_INTERRUPT, SIGINT },
    { OSTLER_SIGNAL_TERMINATE, SIGTERM },
    { OSTLER_SIGNAL_HANGUP, SIGHUP },
    { OSTLER_SIGNAL_RESIZE, SIGWINCH },
};

static sigset_t set_of(unsigned signals)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (signals & numbers[i].signal) {
            sigaddset(&set, numbers[i].number);
        }
    }
    return set;
}

static OstlerSignal signal_of(uint32_t number)
{
    size_t i = 0;

    while ((uint32_t)numbers[i].number != number) {
        i++;
    }
    return numbers[i].signal;
}

/* One at a time: @func may free the watch, and then the source is destroyed. */
static gboolean on_signal(int fd, GIOCondition condition, gpointer data)
{
    OstlerSignals *signals = data;
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) == sizeof(info)) {
        signals->func(signal_of(info.ssi_signo), signals->opaque);
    }
    return G_SOURCE_CONTINUE;
}

OstlerSignals *ostler_signals_watch(unsigned signals, OstlerSignalFunc *func,
                                    void *opaque, GError **error)
{
    sigset_t set = set_of(signals);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    if (fd < 0) {
        ostler_posix_refuse(error, "Cannot watch signals");
        return NULL;
    }

    OstlerSignals *watch = g_new0(OstlerSignals, 1);
    watch->fd = fd;
    watch->func = func;
    watch->opaque = opaque;
    pthread_sigmask(SIG_BLOCK, &set, &watch->before);
    watch->source = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(watch->source, G_SOURCE_FUNC(on_signal), watch, NULL);
    g_source_attach(watch->source, g_main_context_get_thread_default());
    return watch;
}

void ostler_signals_free(OstlerSignals *signals)
{
    if (!signals) {
        return;
    }
    g_source_destroy(signals->source);
    g_source_unref(signals->source);
    close(signals->fd);
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    g_free(signals);
}

void ostler_signals_ignore_broken_pipes(void)
{
    signal(SIGPIPE, SIG_IGN);
}
