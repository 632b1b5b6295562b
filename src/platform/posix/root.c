/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Every path is resolved by openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and
 * RESOLVE_NO_MAGICLINKS, from the root's own descriptor: the kernel does the whole walk
 * under those rules, so there is no moment between a check and a use.  Resolving only
 * ever yields the descriptor of a folder; what is done next names one part relative to
 * it, with system calls that never follow a link in that last part (unlinkat, mkdirat,
 * renameat2, linkat) or are told not to.
 *
 * A new file is an unnamed one (O_TMPFILE), which the kernel forgets when this process
 * dies.  linkat(2) gives it its name; it cannot replace, so to replace it links a hidden
 * name first and renames that over the old file.  Where the file system has no
 * O_TMPFILE (vfat, some FUSE), the file is made under a hidden name from the start.
 * A hidden name that is left over is told from one in use by the flock(2) its writer
 * holds, and is removed by the next listing of its folder.
 */
#include "platform/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "platform/posix/beneath.h"

#define HIDDEN_PREFIX ".ostler-"
#define HIDDEN_SUFFIX ".part"

struct OstlerRootFolder {
    int fd;
    OstlerPosixLoan *loan; /* as its root's */
};

struct OstlerRootListing {
    DIR *dir;
    uint64_t identity; /* of the last name */
    OstlerPosixLoan *loan;
};

struct OstlerRootFile {
    int fd;
    int folder_fd;         /* -1 unless created here */
    OstlerPosixLoan *loan; /* of that folder, or NULL */
    char *hidden;          /* the name it has until it is published, or NULL */
};

static void set_error(GError **error, int why, const char *what, const char *name)
{
    int code = why == EDQUOT ? G_IO_ERROR_NO_SPACE : (int)g_io_error_from_errno(why);
    g_autofree char *shown = g_strescape(name, NULL);

    g_set_error(error, G_IO_ERROR, code, "Cannot %s '%s': %s", what, shown,
                g_strerror(why));
}

static bool check_name(const char *name, GError **error)
{
    size_t size = strlen(name);

    if (size == 0 || size > OSTLER_ROOT_MAX_NAME || strchr(name, '/') ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
                    "A name of %zu bytes is not that of one file", size);
        return false;
    }
    return true;
}

/* ---- what a lender may have to do for us ---- */

static int make_at(OstlerPosixLoan *loan, int fd, const char *name)
{
    const OstlerPosixRequest request = {
        .call = OSTLER_POSIX_MAKE,
        .fd = fd,
        .name = name,
        .mode = 0777,
    };
    return ostler_posix_request(loan, &request);
}

static int remove_at(OstlerPosixLoan *loan, int fd, const char *name, int flags)
{
    const OstlerPosixRequest request = {
        .call = OSTLER_POSIX_REMOVE,
        .fd = fd,
        .name = name,
        .flags = flags,
    };
    return ostler_posix_request(loan, &request);
}

static int rename_at(OstlerPosixLoan *loan, int fd, const char *name, int new_fd,
                     const char *new_name, unsigned flags)
{
    const OstlerPosixRequest request = {
        .call = OSTLER_POSIX_RENAME,
        .fd = fd,
        .name = name,
        .new_fd = new_fd,
        .new_name = new_name,
        .flags = (int)flags,
    };
    return ostler_posix_request(loan, &request);
}

static int link_at(OstlerPosixLoan *loan, int file_fd, int fd, const char *name)
{
    const OstlerPosixRequest request = {
        .call = OSTLER_POSIX_LINK,
        .fd = file_fd,
        .new_fd = fd,
        .new_name = name,
    };
    return ostler_posix_request(loan, &request);
}

/* ---- roots and folders ---- */

OstlerRoot *ostler_root_open(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        set_error(error, errno, "open the folder", path);
        return NULL;
    }

    OstlerRoot *root = g_new0(OstlerRoot, 1);
    root->fd = fd;
    return root;
}

OstlerRoot *ostler_root_borrow(int lender, GError **error)
{
    OstlerRoot *root = g_new0(OstlerRoot, 1);

    root->loan = ostler_posix_loan_new(lender);
    root->fd =
        ostler_posix_open_beneath(root->loan, -1, ".", O_RDONLY | O_DIRECTORY, 0);
    if (root->fd < 0) {
        set_error(error, errno, "open the folder", "that is lent");
        g_clear_pointer(&root, ostler_root_free);
    }
    return root;
}

void ostler_root_free(OstlerRoot *root)
{
    if (root) {
        if (root->fd >= 0) {
            close(root->fd);
        }
        ostler_posix_loan_unref(root->loan);
        g_free(root);
    }
}

bool ostler_root_space(OstlerRoot *root, uint64_t *out_total, uint64_t *out_free,
                       GError **error)
{
    struct statvfs space;

    if (fstatvfs(root->fd, &space) < 0) {
        set_error(error, errno, "measure the space of", ".");
        return false;
    }
    *out_total = (uint64_t)space.f_blocks * space.f_frsize;
    *out_free = (uint64_t)space.f_bavail * space.f_frsize;
    return true;
}

OstlerRootFolder *ostler_root_folder(OstlerRoot *root, const char *path, GError **error)
{
    int fd = ostler_posix_open_beneath(root->loan, root->fd, path,
                                       O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        set_error(error, errno, "open the folder", path);
        return NULL;
    }

    OstlerRootFolder *folder = g_new(OstlerRootFolder, 1);
    folder->fd = fd;
    folder->loan = ostler_posix_loan_ref(root->loan);
    return folder;
}

void ostler_root_folder_free(OstlerRootFolder *folder)
{
    if (folder) {
        close(folder->fd);
        ostler_posix_loan_unref(folder->loan);
        g_free(folder);
    }
}

static OstlerRootKind kind_of_mode(mode_t mode)
{
    return S_ISREG(mode)   ? OSTLER_ROOT_FILE
           : S_ISDIR(mode) ? OSTLER_ROOT_FOLDER
                           : OSTLER_ROOT_OTHER;
}

/* statx(2) rather than stat(2): it alone knows when a file was made. */
static bool stat_at(int fd, const char *name, OstlerRootInfo *out_info)
{
    struct statx st;

    if (statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT,
              STATX_BASIC_STATS | STATX_BTIME, &st) < 0) {
        return false;
    }
    out_info->kind = kind_of_mode(st.stx_mode);
    out_info->size = out_info->kind == OSTLER_ROOT_FILE ? st.stx_size : 0;
    out_info->modified = st.stx_mtime.tv_sec;
    out_info->changed = st.stx_ctime.tv_sec;
    bool has_birth = st.stx_mask & STATX_BTIME;
    out_info->created = has_birth ? st.stx_btime.tv_sec : st.stx_mtime.tv_sec;
    out_info->birth_ns =
        has_birth ? (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec
                  : 0;
    out_info->identity = st.stx_ino;
    out_info->is_protected =
        out_info->kind == OSTLER_ROOT_FILE && !(st.stx_mode & S_IWUSR);
    return true;
}

bool ostler_root_stat(OstlerRootFolder *folder, const char *name,
                      OstlerRootInfo *out_info, GError **error)
{
    if (!check_name(name, error)) {
        return false;
    }
    if (!stat_at(folder->fd, name, out_info)) {
        set_error(error, errno, "look at", name);
        return false;
    }
    return true;
}

bool ostler_root_name_is_reserved(const char *name)
{
    return g_str_has_prefix(name, HIDDEN_PREFIX) &&
           g_str_has_suffix(name, HIDDEN_SUFFIX);
}

OstlerRootListing *ostler_root_list(OstlerRootFolder *folder, GError **error)
{
    int fd = ostler_posix_open_beneath(folder->loan, folder->fd, ".",
                                       O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        set_error(error, errno, "list", ".");
        return NULL;
    }

    OstlerRootListing *listing = g_new0(OstlerRootListing, 1);
    listing->dir = fdopendir(fd);
    listing->loan = ostler_posix_loan_ref(folder->loan);
    return listing;
}

void ostler_root_listing_free(OstlerRootListing *listing)
{
    if (listing) {
        closedir(listing->dir);
        ostler_posix_loan_unref(listing->loan);
        g_free(listing);
    }
}

/* Remove what a killed writer left; a living one holds the lock. */
static void sweep(OstlerPosixLoan *loan, int folder_fd, const char *name)
{
    int fd = ostler_posix_open_beneath(loan, folder_fd, name, O_RDONLY | O_NONBLOCK, 0);

    if (fd >= 0) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            remove_at(loan, folder_fd, name, 0);
        }
        close(fd);
    }
}

static OstlerRootKind kind_of_entry(int fd, const struct dirent *entry)
{
    OstlerRootInfo info;

    switch (entry->d_type) {
    case DT_REG:
        return OSTLER_ROOT_FILE;
    case DT_DIR:
        return OSTLER_ROOT_FOLDER;
    case DT_UNKNOWN: /* some file systems never say */
        return stat_at(fd, entry->d_name, &info) ? info.kind : OSTLER_ROOT_OTHER;
    default:
        return OSTLER_ROOT_OTHER;
    }
}

const char *ostler_root_listing_next(OstlerRootListing *listing,
                                     OstlerRootKind *out_kind)
{
    struct dirent *entry;

    while ((entry = readdir(listing->dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (ostler_root_name_is_reserved(entry->d_name)) {
            sweep(listing->loan, dirfd(listing->dir), entry->d_name);
            continue;
        }
        *out_kind = kind_of_entry(dirfd(listing->dir), entry);
        listing->identity = entry->d_ino;
        return entry->d_name;
    }
    return NULL;
}

uint64_t ostler_root_listing_identity(const OstlerRootListing *listing)
{
    return listing->identity;
}

bool ostler_root_make_folder(OstlerRootFolder *folder, const char *name, GError **error)
{
    if (!check_name(name, error)) {
        return false;
    }
    if (make_at(folder->loan, folder->fd, name) < 0) {
        set_error(error, errno, "make the folder", name);
        return false;
    }
    return true;
}

bool ostler_root_remove(OstlerRootFolder *folder, const char *name, OstlerRootKind kind,
                        GError **error)
{
    if (!check_name(name, error)) {
        return false;
    }
    if (remove_at(folder->loan, folder->fd, name,
                  kind == OSTLER_ROOT_FOLDER ? AT_REMOVEDIR : 0) < 0) {
        set_error(error, errno, "remove", name);
        return false;
    }
    return true;
}

/* Not every file system has RENAME_NOREPLACE; the check before is the next best. */
static int rename_unless_exists(OstlerPosixLoan *loan, int fd, const char *name,
                                int new_fd, const char *new_name)
{
    OstlerRootInfo info;

    if (rename_at(loan, fd, name, new_fd, new_name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -1;
    }
    if (stat_at(new_fd, new_name, &info)) {
        errno = EEXIST;
        return -1;
    }
    return rename_at(loan, fd, name, new_fd, new_name, 0);
}

bool ostler_root_rename(OstlerRootFolder *folder, const char *name,
                        OstlerRootFolder *new_folder, const char *new_name,
                        GError **error)
{
    if (!check_name(name, error) || !check_name(new_name, error)) {
        return false;
    }
    /* No lender could work in both. */
    if (folder->loan != new_folder->loan) {
        set_error(error, EXDEV, "rename", name);
        return false;
    }
    if (rename_unless_exists(folder->loan, folder->fd, name, new_folder->fd, new_name) <
        0) {
        set_error(error, errno, "rename", name);
        return false;
    }
    return true;
}

static void set_times(struct timespec times[2], int64_t modified)
{
    times[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
    times[1] = (struct timespec){ .tv_sec = modified };
}

bool ostler_root_touch(OstlerRootFolder *folder, const char *name, int64_t modified,
                       GError **error)
{
    struct timespec times[2];

    if (!check_name(name, error)) {
        return false;
    }
    set_times(times, modified);
    if (utimensat(folder->fd, name, times, AT_SYMLINK_NOFOLLOW) < 0) {
        set_error(error, errno, "set the time of", name);
        return false;
    }
    return true;
}

static OstlerRootFile *new_file(int fd, int folder_fd, OstlerPosixLoan *loan,
                                char *hidden)
{
    OstlerRootFile *file = g_new(OstlerRootFile, 1);

    file->loan = ostler_posix_loan_ref(loan);
    file->fd = fd;
    file->folder_fd = folder_fd;
    file->hidden = hidden;
    return file;
}

OstlerRootFile *ostler_root_read(OstlerRootFolder *folder, const char *name,
                                 GError **error)
{
    if (!check_name(name, error)) {
        return NULL;
    }

    /* O_NONBLOCK: a pipe somebody put there must not hold us up. */
    int fd = ostler_posix_open_beneath(folder->loan, folder->fd, name,
                                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0) {
        set_error(error, errno, "read", name);
        return NULL;
    }

    OstlerRootInfo info;
    if (!stat_at(fd, "", &info) || info.kind != OSTLER_ROOT_FILE) {
        close(fd);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                    "Cannot read '%s': it is not a file", name);
        return NULL;
    }
    return new_file(fd, -1, NULL, NULL);
}

static char *hidden_name(void)
{
    return g_strdup_printf(HIDDEN_PREFIX "%08x%08x" HIDDEN_SUFFIX, g_random_int(),
                           g_random_int());
}

/* The way of a file system without O_TMPFILE: EOPNOTSUPP, or EISDIR (open(2)). */
static OstlerRootFile *create_hidden(OstlerPosixLoan *loan, int folder_fd,
                                     GError **error)
{
    g_autofree char *name = hidden_name();
    int fd = ostler_posix_open_beneath(loan, folder_fd, name,
                                       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    if (fd < 0) {
        set_error(error, errno, "create a file in", ".");
        close(folder_fd);
        return NULL;
    }

    flock(fd, LOCK_EX | LOCK_NB); /* tells sweep() that its writer lives */
    return new_file(fd, folder_fd, loan, g_steal_pointer(&name));
}

OstlerRootFile *ostler_root_create(OstlerRootFolder *folder, GError **error)
{
    int folder_fd = fcntl(folder->fd, F_DUPFD_CLOEXEC, 3);
    if (folder_fd < 0) {
        set_error(error, errno, "create a file in", ".");
        return NULL;
    }

    int fd = ostler_posix_open_beneath(folder->loan, folder_fd, ".", O_TMPFILE | O_RDWR,
                                       0666);
    if (fd >= 0) {
        return new_file(fd, folder_fd, folder->loan, NULL);
    }
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT) {
        return create_hidden(folder->loan, folder_fd, error);
    }
    set_error(error, errno, "create a file in", ".");
    close(folder_fd);
    return NULL;
}

void ostler_root_file_free(OstlerRootFile *file)
{
    if (!file) {
        return;
    }
    if (file->hidden) {
        remove_at(file->loan, file->folder_fd, file->hidden, 0);
        g_free(file->hidden);
    }
    if (file->folder_fd >= 0) {
        close(file->folder_fd);
    }
    close(file->fd);
    ostler_posix_loan_unref(file->loan);
    g_free(file);
}

bool ostler_root_file_info(OstlerRootFile *file, OstlerRootInfo *out_info,
                           GError **error)
{
    if (!stat_at(file->fd, "", out_info)) {
        set_error(error, errno, "look at", "an open file");
        return false;
    }
    return true;
}

gssize ostler_root_file_read(OstlerRootFile *file, uint64_t offset, void *buffer,
                             size_t size, GError **error)
{
    size_t done = 0;

    while (done < size) {
        ssize_t count =
            pread(file->fd, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            set_error(error, errno, "read", "an open file");
            return -1;
        }
        if (count == 0) {
            break;
        }
        done += (size_t)count;
    }
    return (gssize)done;
}

bool ostler_root_file_write(OstlerRootFile *file, uint64_t offset, const void *buffer,
                            size_t size, GError **error)
{
    size_t done = 0;

    while (done < size) {
        ssize_t count = pwrite(file->fd, (const char *)buffer + done, size - done,
                               (off_t)(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            set_error(error, errno, "write", "an open file");
            return false;
        }
        done += (size_t)count;
    }
    return true;
}

/* copy_file_range(2) is a reflink where the file system has those; where it cannot copy
 * at all (two file systems of different kinds) the bytes go through here. */
static ssize_t copy_some(int from, int to, off_t *at)
{
    char bytes[16384];
    loff_t in = *at;
    loff_t out = *at;
    ssize_t count = copy_file_range(from, &in, to, &out, 1 << 30, 0);

    if (count < 0 &&
        (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
        count = pread(from, bytes, sizeof(bytes), *at);
        count = count > 0 ? pwrite(to, bytes, (size_t)count, *at) : count;
    }
    *at += count > 0 ? count : 0;
    return count;
}

bool ostler_root_file_copy(OstlerRootFile *from, OstlerRootFile *to, GError **error)
{
    off_t at = 0;
    ssize_t count;

    do {
        count = copy_some(from->fd, to->fd, &at);
    } while (count > 0 || (count < 0 && errno == EINTR));
    if (count < 0) {
        set_error(error, errno, "copy", "an open file");
        return false;
    }
    return true;
}

/* Not posix_fallocate(3), which writes zeros where the file system cannot. */
bool ostler_root_file_reserve(OstlerRootFile *file, uint64_t size, GError **error)
{
    int rc;

    do {
        rc = fallocate(file->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0) {
        set_error(error, errno == ENOSYS ? EOPNOTSUPP : errno, "set space aside for",
                  "an open file");
    }
    return rc == 0;
}

bool ostler_root_file_truncate(OstlerRootFile *file, uint64_t size, GError **error)
{
    if (ftruncate(file->fd, (off_t)size) < 0) {
        set_error(error, errno, "change the size of", "an open file");
        return false;
    }
    return true;
}

int ostler_root_file_fd(const OstlerRootFile *file)
{
    return file->fd;
}

bool ostler_root_file_protect(OstlerRootFile *file, bool is_protected, GError **error)
{
    const mode_t writing = S_IWUSR | S_IWGRP | S_IWOTH;
    struct stat st;

    if (fstat(file->fd, &st) < 0 ||
        fchmod(file->fd, (is_protected ? st.st_mode & ~writing : st.st_mode | S_IWUSR) &
                             07777) < 0) {
        set_error(error, errno, "protect", "an open file");
        return false;
    }
    return true;
}

bool ostler_root_file_set_modified(OstlerRootFile *file, int64_t modified,
                                   GError **error)
{
    struct timespec times[2];

    set_times(times, modified);
    if (futimens(file->fd, times) < 0) {
        set_error(error, errno, "set the time of", "an open file");
        return false;
    }
    return true;
}

static bool publish_unnamed(OstlerRootFile *file, const char *name, bool may_replace)
{
    if (link_at(file->loan, file->fd, file->folder_fd, name) == 0) {
        return true;
    }
    if (errno != EEXIST || !may_replace) {
        return false;
    }

    g_autofree char *hidden = hidden_name();
    flock(file->fd, LOCK_EX | LOCK_NB);
    if (link_at(file->loan, file->fd, file->folder_fd, hidden) < 0) {
        return false;
    }
    file->hidden = g_steal_pointer(&hidden);
    return rename_at(file->loan, file->folder_fd, file->hidden, file->folder_fd, name,
                     0) == 0;
}

static bool publish_hidden(const OstlerRootFile *file, const char *name,
                           bool may_replace)
{
    if (may_replace) {
        return rename_at(file->loan, file->folder_fd, file->hidden, file->folder_fd,
                         name, 0) == 0;
    }
    return rename_unless_exists(file->loan, file->folder_fd, file->hidden,
                                file->folder_fd, name) == 0;
}

bool ostler_root_file_publish(OstlerRootFile *file, const char *name, bool may_replace,
                              GError **error)
{
    if (!check_name(name, error)) {
        return false;
    }

    bool is_done = file->hidden ? publish_hidden(file, name, may_replace)
                                : publish_unnamed(file, name, may_replace);
    if (!is_done) {
        set_error(error, errno, "give its name to", name);
        return false;
    }
    g_clear_pointer(&file->hidden, g_free);
    return true;
}
