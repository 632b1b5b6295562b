/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The claim is an open-file-description lock (F_OFD_SETLK, fcntl_locking(2)): it belongs
 * to the description, not to the process, so that a child that inherits the descriptor
 * holds on to it, two claims within one process exclude each other, and the last close
 * releases it, crash included.  flock(2) shares all of this but cannot be looked at
 * without being taken, and an onlooker that takes it for an instant makes an honest
 * claim fail; F_OFD_GETLK only looks.
 *
 * A file can be unlinked between the open and the lock.  Such a lock would guard a file
 * that nobody else can find, so the claim is made again until the locked file is the one
 * at the path.
 */
#include "platform/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

struct OstlerLock {
    int fd;
};

static bool try_lock(int fd, const char *path, GError **error)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
        return true;
    }
    if (errno == EAGAIN || errno == EACCES) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "'%s' is held by another process", path);
        return false;
    }
    return ostler_posix_refuse(error, "Cannot lock '%s'", path);
}

static bool is_still_at(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

OstlerLock *ostler_lock_claim(const char *path, GError **error)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
            ostler_posix_refuse(error, "Cannot open '%s'", path);
            return NULL;
        }

        g_autoptr(OstlerLock) lock = g_new(OstlerLock, 1);
        lock->fd = fd;
        if (!try_lock(fd, path, error)) {
            return NULL;
        }
        if (is_still_at(fd, path)) {
            return g_steal_pointer(&lock);
        }
    }
}

/* Only a close: an explicit unlock would take the claim from a child as well. */
void ostler_lock_free(OstlerLock *lock)
{
    if (!lock) {
        return;
    }
    close(lock->fd);
    g_free(lock);
}

int ostler_lock_fd(const OstlerLock *lock)
{
    return lock->fd;
}

bool ostler_lock_is_held(const char *path)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        return false;
    }
    bool is_held = fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    close(fd);
    return is_held;
}
