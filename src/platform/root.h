/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * root.h - the files beneath one folder, and no others
 *
 * For programs that carry out the wishes of somebody they do not trust: whatever name
 * or sequence of names is asked for, nothing outside of the folder is opened, made,
 * renamed or removed.  Symbolic links are not followed at all, not even those that stay
 * inside, so a link that is swapped in at the wrong moment changes nothing.
 *
 * Names:      a path is relative to the root, its parts separated by '/', "" is the root
 *             itself; a name is one part.  Both are the file system's own bytes; what it
 *             cannot hold as it is (on Windows CON, a:b, a dot at the end), or would
 *             take for another name, is _INVALID_FILENAME, never another file.
 * Units:      bytes; times are seconds since the Unix epoch, UTC.
 * Ownership:  folders, files and listings hold on to the system's handles only, so they
 *             may outlive their root.
 * Errors:     G_IO_ERROR: _NOT_FOUND, _EXISTS, _NOT_EMPTY, _NO_SPACE (a quota counts),
 *             _PERMISSION_DENIED, _READ_ONLY, _INVALID_FILENAME for a name that is not
 *             one part, _TOO_MANY_LINKS for a symbolic link, _NOT_REGULAR_FILE.
 * Threads:    a root may be used from many threads, the rest from one at a time.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct OstlerRoot OstlerRoot;
typedef struct OstlerRootFolder OstlerRootFolder;
typedef struct OstlerRootListing OstlerRootListing;
typedef struct OstlerRootFile OstlerRootFile;

typedef enum {
    OSTLER_ROOT_FILE,
    OSTLER_ROOT_FOLDER,
    OSTLER_ROOT_OTHER, /* links, sockets, devices: can be named, never opened */
} OstlerRootKind;

typedef struct {
    OstlerRootKind kind;
    uint64_t size;     /* 0 unless a file */
    int64_t modified;  /* of the contents */
    int64_t changed;   /* of contents, name or attributes; nobody can set it back */
    int64_t created;   /* as @modified where the file system does not know */
    uint64_t birth_ns; /* when it was made, in nanoseconds; 0: nobody knows */
    uint64_t identity; /* stays through renames: the inode number */
    bool is_protected; /* a file that its owner may not write */
} OstlerRootInfo;

/* A name may be this long, in bytes; the rest is _INVALID_FILENAME. */
#define OSTLER_ROOT_MAX_NAME 255

/* @path must be a folder; what it is a link to counts, it is the user's own word. */
OstlerRoot *ostler_root_open(const char *path, GError **error);
/* The folder that a lender lends (lender.h); takes its end of the connection. */
OstlerRoot *ostler_root_borrow(int lender, GError **error);
void ostler_root_free(OstlerRoot *root); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerRoot, ostler_root_free)

/* What the file system under the root can hold, and what is free for this user. */
bool ostler_root_space(OstlerRoot *root, uint64_t *out_total, uint64_t *out_free,
                       GError **error);

/*
 * Open the folder at @path, to work with the names in it.  Keep it for one operation
 * only: a folder that somebody moves out of the root stays open where it goes.
 */
OstlerRootFolder *ostler_root_folder(OstlerRoot *root, const char *path,
                                     GError **error);
void ostler_root_folder_free(OstlerRootFolder *folder); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerRootFolder, ostler_root_folder_free)

/* What @name is, and of a file how large. */
bool ostler_root_stat(OstlerRootFolder *folder, const char *name,
                      OstlerRootInfo *out_info, GError **error);

/*
 * Read the folder's names in no particular order.  Temporary files of this module are
 * left out, and swept away when their writer is dead.
 */
OstlerRootListing *ostler_root_list(OstlerRootFolder *folder, GError **error);
void ostler_root_listing_free(OstlerRootListing *listing); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerRootListing, ostler_root_listing_free)
/* The next name (borrowed until the next call), or NULL at the end. */
const char *ostler_root_listing_next(OstlerRootListing *listing,
                                     OstlerRootKind *out_kind);
/* The identity of what was named last, as in OstlerRootInfo; 0: a stat must tell. */
uint64_t ostler_root_listing_identity(const OstlerRootListing *listing);

bool ostler_root_make_folder(OstlerRootFolder *folder, const char *name,
                             GError **error);
/* Remove a file, or a folder if it is empty; @kind says which is meant. */
bool ostler_root_remove(OstlerRootFolder *folder, const char *name, OstlerRootKind kind,
                        GError **error);
/* Never replaces: _EXISTS if there is a @new_name already. */
bool ostler_root_rename(OstlerRootFolder *folder, const char *name,
                        OstlerRootFolder *new_folder, const char *new_name,
                        GError **error);
/* Set the time of the last change of contents. */
bool ostler_root_touch(OstlerRootFolder *folder, const char *name, int64_t modified,
                       GError **error);

/* Open for reading; only a regular file is opened, and opening never waits. */
OstlerRootFile *ostler_root_read(OstlerRootFolder *folder, const char *name,
                                 GError **error);
/*
 * A new file in @folder that nobody sees until ostler_root_file_publish(), and that is
 * gone without a trace when it is freed before, or when this process is killed.
 */
OstlerRootFile *ostler_root_create(OstlerRootFolder *folder, GError **error);
void ostler_root_file_free(OstlerRootFile *file); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerRootFile, ostler_root_file_free)

bool ostler_root_file_info(OstlerRootFile *file, OstlerRootInfo *out_info,
                           GError **error);
/* The count, less than @size only at the end of the file; -1 on error. */
gssize ostler_root_file_read(OstlerRootFile *file, uint64_t offset, void *buffer,
                             size_t size, GError **error);
bool ostler_root_file_write(OstlerRootFile *file, uint64_t offset, const void *buffer,
                            size_t size, GError **error);
/* Copy all of @from into @to, which is empty; shares the blocks where it can. */
bool ostler_root_file_copy(OstlerRootFile *from, OstlerRootFile *to, GError **error);
/*
 * Set the blocks aside that @size bytes of a created file need; its size stays.
 * Errors:  _NO_SPACE, and _NOT_SUPPORTED where the file system cannot.
 */
bool ostler_root_file_reserve(OstlerRootFile *file, uint64_t size, GError **error);
bool ostler_root_file_truncate(OstlerRootFile *file, uint64_t size, GError **error);
bool ostler_root_file_set_modified(OstlerRootFile *file, int64_t modified,
                                   GError **error);
/* For handing it to another process; borrowed. */
int ostler_root_file_fd(const OstlerRootFile *file);
/* Take the right to write the file away from all, or give it to its owner. */
bool ostler_root_file_protect(OstlerRootFile *file, bool is_protected, GError **error);
/* Give a created file its name, in one step: readers see the old file or this one. */
bool ostler_root_file_publish(OstlerRootFile *file, const char *name, bool may_replace,
                              GError **error);

/* Whether @name looks like one of this module's temporary files. */
bool ostler_root_name_is_reserved(const char *name);
