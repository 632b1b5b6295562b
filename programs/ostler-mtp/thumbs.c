/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "thumbs.h"

#include "platform/process.h"
#include "platform/programs.h"

#include <glib/gstdio.h>

/* The number that ostler-thumbnail sees its socket under. */
#define SOCKET "3"

static bool start(const char *program, int socket, GError **error)
{
    const char *const argv[] = { program, "--serve", SOCKET, NULL };
    const OstlerFdMap fds[] = { { socket, 3 } };
    const OstlerProcessConfig config = {
        .argv = argv,
        .fds = fds,
        .n_fds = G_N_ELEMENTS(fds),
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = -1,
        .die_with_parent = true,
    };
    g_autoptr(OstlerProcess) process = ostler_process_start(&config, error);

    return process != NULL;
}

OstlerMtpThumbnailer *thumbs_start(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *program = ostler_programs_find("ostler-thumbnail", &error);
    int socket = -1;
    g_autoptr(OstlerChannel) channel =
        program ? ostler_channel_pair(&socket, &error) : NULL;
    bool is_started = channel && start(program, socket, &error);

    if (socket >= 0) {
        g_close(socket, NULL);
    }
    if (!is_started) {
        g_debug("there will be no thumbnails: %s", error->message);
        return NULL;
    }
    return ostler_mtp_thumbnailer_new(g_steal_pointer(&channel));
}
