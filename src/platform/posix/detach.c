/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/process.h"

#include <fcntl.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

/* Whoever reads the starter's output to its end (ssh, a pipe) must not wait for us. */
static void leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null >= 0 && fd <= 2; fd++) {
        dup2(null, fd);
    }
    if (null > 2) {
        close(null);
    }
}

bool ostler_process_detach(GError **error)
{
    pid_t pid = fork();

    if (pid > 0) {
        _exit(0);
    }
    if (pid < 0) {
        return ostler_posix_refuse(error, "Cannot go into the background");
    }
    leave_terminal();
    return true;
}
