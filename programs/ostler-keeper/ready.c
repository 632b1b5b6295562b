/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ready.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest/running/control.h"

/* Short, and the reader waits for it: one write is enough for a pipe or socket. */
static void say(int fd, char *line)
{
    if (fd >= 0) {
        ssize_t n = write(fd, line, strlen(line));
        (void)n; /* a starter that is gone */
        close(fd);
    }
    g_free(line);
}

/* sd_notify(3): a datagram to the socket that is named in the environment; '@' stands
 * for the NUL of an abstract name. */
static void notify_systemd(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = g_getenv("NOTIFY_SOCKET");
    size_t size = path ? strlen(path) : 0;

    if (size == 0 || size >= sizeof(address.sun_path)) {
        return;
    }
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
        close(fd);
    }
}

void keeper_say_ready(int fd, const OstlerRunStatus *status)
{
    say(fd, ostler_control_result_text(0, ostler_run_status_to_json(status)));
    notify_systemd();
}

void keeper_say_failed(int fd, const GError *why)
{
    say(fd, ostler_control_error_text(0, why));
}
