/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/posix/address.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

static bool fits(const char *path)
{
    return strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

static void set_path(OstlerPosixAddress *address, const char *path)
{
    *address = (OstlerPosixAddress){ .sun.sun_family = AF_UNIX, .via = -1 };
    g_assert(fits(path));
    memcpy(address->sun.sun_path, path, strlen(path) + 1);
    address->length =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
}

static int open_via(const char *path, int flags, GError **error)
{
    int fd = open(path, flags | O_PATH | O_CLOEXEC);

    if (fd < 0) {
        ostler_posix_refuse(error, "Cannot reach '%s'", path);
    }
    return fd;
}

bool ostler_posix_address_of(OstlerPosixAddress *address, const char *path,
                             GError **error)
{
    if (fits(path)) {
        set_path(address, path);
        return true;
    }

    int fd = open_via(path, 0, error);
    if (fd < 0) {
        return false;
    }
    g_autofree char *through = g_strdup_printf("/proc/self/fd/%d", fd);
    set_path(address, through);
    address->via = fd;
    return true;
}

bool ostler_posix_address_in(OstlerPosixAddress *address, const char *directory,
                             const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    if (fits(path)) {
        set_path(address, path);
        return true;
    }

    int fd = open_via(directory, O_DIRECTORY, error);
    if (fd < 0) {
        return false;
    }
    g_autofree char *through = g_strdup_printf("/proc/self/fd/%d/%s", fd, name);
    set_path(address, through);
    address->via = fd;
    return true;
}

void ostler_posix_address_clear(OstlerPosixAddress *address)
{
    if (address->via >= 0) {
        close(address->via);
        address->via = -1;
    }
}
