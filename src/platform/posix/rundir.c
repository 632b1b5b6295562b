/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

/* The XDG Base Directory Specification 0.8: a relative path there is to be ignored. */
static const char *find_absolute(const char *variable)
{
    const char *path = g_getenv(variable);

    return path && g_path_is_absolute(path) ? path : NULL;
}

/* Read from the environment each time: tests and libostler's callers may change it. */
static char *dir_of(const char *in_home, const char *xdg_variable, const char *fallback)
{
    const char *home = g_getenv("OSTLER_HOME");
    if (home && *home) {
        g_autofree char *absolute = g_canonicalize_filename(home, NULL);
        return g_build_filename(absolute, in_home, NULL);
    }

    const char *base = find_absolute(xdg_variable);
    return base ? g_build_filename(base, "ostler", NULL)
                : g_build_filename(g_get_home_dir(), fallback, "ostler", NULL);
}

char *ostler_dir_config(void)
{
    return dir_of("config", "XDG_CONFIG_HOME", ".config");
}

char *ostler_dir_cache(void)
{
    return dir_of("cache", "XDG_CACHE_HOME", ".cache");
}

char *ostler_dir_state(void)
{
    return dir_of("state", "XDG_STATE_HOME", ".local/state");
}

char *ostler_dir_run(void)
{
    const char *home = g_getenv("OSTLER_HOME");

    if ((home && *home) || find_absolute("XDG_RUNTIME_DIR")) {
        return dir_of("run", "XDG_RUNTIME_DIR", NULL);
    }
    return g_strdup_printf("/tmp/ostler-%u", (unsigned)geteuid());
}

static bool refuse_owner(const char *path, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                "'%s' belongs to another user", path);
    return false;
}

/*
 * In a directory where anybody may create names, such as /tmp, a name may be a trap that
 * another user has laid: there, each step must be ours or root's, links included.
 */
static bool check_step(const char *parent, const char *path, GError **error)
{
    struct stat above, step;

    if (stat(parent, &above) < 0 || lstat(path, &step) < 0) {
        return ostler_posix_refuse(error, "Cannot look at '%s'", path);
    }
    if ((above.st_mode & S_IWOTH) && step.st_uid != geteuid() && step.st_uid != 0) {
        return refuse_owner(path, error);
    }
    return true;
}

static bool make_step(const char *path, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);

    if (strcmp(parent, path) == 0) { /* "/" */
        return true;
    }
    if (!make_step(parent, error)) {
        return false;
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST) {
        struct stat step;
        /* A read-only system says EROFS of a directory that is there all right. */
        if (stat(path, &step) < 0 || !S_ISDIR(step.st_mode)) {
            return ostler_posix_refuse(error, "Cannot create '%s'", path);
        }
    }
    return check_step(parent, path, error);
}

static bool check_ours(const char *path, GError **error)
{
    struct stat made;

    if (stat(path, &made) < 0) {
        return ostler_posix_refuse(error, "Cannot look at '%s'", path);
    }
    if (!S_ISDIR(made.st_mode)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY, "'%s' is no directory",
                    path);
        return false;
    }
    if (made.st_uid != geteuid()) {
        return refuse_owner(path, error);
    }
    if (made.st_mode & (S_IWGRP | S_IWOTH)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                    "'%s' can be written by other users (its mode is %04o)", path,
                    (unsigned)made.st_mode & 07777);
        return false;
    }
    return true;
}

bool ostler_dir_ensure(const char *path, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);

    return make_step(absolute, error) && check_ours(absolute, error);
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return true;
}

/* Everything is tried even after a failure, so that no step leaves something behind. */
static bool fill_and_close(int fd, const char *data, size_t size)
{
    bool is_written = write_all(fd, data, size) && fsync(fd) == 0;
    int why = errno;
    bool is_closed = close(fd) == 0;

    if (!is_written) {
        errno = why;
    }
    return is_written && is_closed;
}

/* The rename itself outlives a power cut only when the directory is flushed, too. */
static bool flush_parent(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_flushed = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);

    if (fd >= 0) {
        close(fd);
    }
    return is_flushed;
}

bool ostler_file_replace(const char *path, const char *data, size_t size,
                         GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *temporary = g_build_filename(parent, ".ostler-XXXXXX", NULL);
    int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        return ostler_posix_refuse(error, "Cannot write '%s'", path);
    }
    if (!fill_and_close(fd, data, size) || rename(temporary, path) < 0) {
        ostler_posix_refuse(error, "Cannot write '%s'", path);
        unlink(temporary);
        return false;
    }
    return flush_parent(path) || ostler_posix_refuse(error, "Cannot flush '%s'", path);
}
