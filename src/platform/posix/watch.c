/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/beneath.h"

/*
 * Theory of operation
 *
 * inotify watches one folder, not a tree, so the tree is mirrored here: a node for
 * each watched folder, found by watch descriptor when an event comes and by its parents
 * when a name is needed.  Only folders have nodes; a file costs nothing.
 *
 * A new folder is watched first and listed second.  What was made in between is then
 * seen twice, by the listing and by the event; the other order would miss it.
 *
 * inotify reports a rename as two events with one cookie.  They are put into the queue
 * one right after the other, but other events may come between, and a rename out of
 * the tree has no second one.  A first half therefore waits in `moves` until its
 * second half comes or MOVE_GRACE_MS has gone by.
 *
 * Folders are opened from the root's descriptor with RESOLVE_BENEATH and without
 * following links, and watched through /proc/self/fd, so that a folder swapped for a
 * link between listing and watching leads nowhere.
 */

#define MOVE_GRACE_MS 20
#define READ_BYTES    (64 * 1024)

/* CLOSE_WRITE rather than MODIFY: a writer's every block is not a change of the file
 * that anybody could act on. */
#define WANTED                                                                         \
    (IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM |              \
     IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK)

typedef struct Folder Folder;
struct Folder {
    int wd;               /* -1 while it is not watched */
    char *name;           /* in its parent; without one, as seen from the root */
    Folder *parent;       /* NULL: the root, or a folder between two places */
    GHashTable *children; /* name -> Folder; NULL when it has none */
};

/* The first half of a rename. */
typedef struct {
    uint32_t cookie;
    char *name; /* relative to the root */
    bool is_folder;
    Folder *folder; /* the moved folder's node, or NULL */
} Move;

struct OstlerWatch {
    int root_fd;
    OstlerPosixLoan *loan; /* NULL: our own rights */
    int inotify_fd;
    OstlerWatchFunc *func;
    void *opaque;
    Folder *root;
    GHashTable *by_wd; /* wd -> Folder */
    GQueue moves;
    GSource *readable;
    GSource *grace;     /* while moves is not empty */
    int64_t in_step_at; /* when the queue was last seen empty */
};

static char *path_of(const Folder *folder, const char *name)
{
    GString *path = g_string_new(name);

    for (; folder; folder = folder->parent) {
        if (path->len > 0 && *folder->name) {
            g_string_prepend_c(path, '/');
        }
        g_string_prepend(path, folder->name);
    }
    return g_string_free(path, FALSE);
}

static void tell(OstlerWatch *watch, OstlerWatchKind kind, const char *name,
                 bool is_folder)
{
    OstlerWatchEvent event = { .kind = kind, .name = name, .is_folder = is_folder };

    watch->func(&event, watch->opaque);
}

static int64_t seconds_now(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

static void tell_lost(OstlerWatch *watch, const Folder *folder, const GError *why)
{
    g_autofree char *path = path_of(folder, "");
    OstlerWatchEvent event = {
        .kind = OSTLER_WATCH_LOST, .name = path, .is_folder = true, .error = why
    };

    watch->func(&event, watch->opaque);
}

/* The tree of nodes */

static void hook(Folder *folder, Folder *parent, const char *name)
{
    folder->name = g_strdup(name);
    folder->parent = parent;
    if (!parent) {
        return;
    }
    if (!parent->children) {
        parent->children = g_hash_table_new(g_str_hash, g_str_equal);
    }
    g_hash_table_insert(parent->children, folder->name, folder);
}

static void unhook(Folder *folder)
{
    if (folder->parent) {
        g_hash_table_remove(folder->parent->children, folder->name);
        folder->parent = NULL;
    }
    g_clear_pointer(&folder->name, g_free);
}

static Folder *add_node(Folder *parent, const char *name)
{
    Folder *folder = g_new0(Folder, 1);

    folder->wd = -1;
    hook(folder, parent, name);
    return folder;
}

static Folder *find_child(const Folder *parent, const char *name)
{
    return parent->children ? g_hash_table_lookup(parent->children, name) : NULL;
}

static void push_children(const Folder *folder, GQueue *todo)
{
    GHashTableIter children;
    void *child;

    if (!folder->children) {
        return;
    }
    g_hash_table_iter_init(&children, folder->children);
    while (g_hash_table_iter_next(&children, NULL, &child)) {
        g_queue_push_tail(todo, child);
    }
}

static void unwatch(OstlerWatch *watch, const Folder *folder)
{
    if (g_hash_table_lookup(watch->by_wd, GINT_TO_POINTER(folder->wd)) == folder) {
        g_hash_table_remove(watch->by_wd, GINT_TO_POINTER(folder->wd));
        inotify_rm_watch(watch->inotify_fd, folder->wd); /* gone already if deleted */
    }
}

/* Forget @top and all beneath.  A queue, since trees may be deeper than our stack. */
static void drop_tree(OstlerWatch *watch, Folder *top)
{
    GQueue todo = G_QUEUE_INIT;
    Folder *folder;

    unhook(top);
    g_queue_push_tail(&todo, top);
    while ((folder = g_queue_pop_head(&todo))) {
        push_children(folder, &todo);
        unwatch(watch, folder);
        g_clear_pointer(&folder->children, g_hash_table_unref);
        g_free(folder->name);
        g_free(folder);
    }
}

static void move_node(OstlerWatch *watch, Folder *folder, Folder *parent,
                      const char *name)
{
    Folder *replaced = find_child(parent, name);

    if (replaced && replaced != folder) {
        drop_tree(watch, replaced);
    }
    unhook(folder);
    hook(folder, parent, name);
}

/* Watching and listing */

static bool fail_errno(GError **error, const char *path)
{
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                "Cannot watch '%s': %s", path,
                errno == ENOSPC ? "the limit fs.inotify.max_user_watches is reached"
                                : g_strerror(errno));
    return false;
}

static bool watch_folder(OstlerWatch *watch, Folder *folder, int fd, const char *path,
                         GError **error)
{
    char magic[sizeof "/proc/self/fd/" + 11];

    g_snprintf(magic, sizeof magic, "/proc/self/fd/%d", fd);
    int wd = inotify_add_watch(watch->inotify_fd, magic, WANTED);
    if (wd < 0) {
        return fail_errno(error, path);
    }

    /* A folder that moved while nobody looked answers with the number it had. */
    Folder *before = g_hash_table_lookup(watch->by_wd, GINT_TO_POINTER(wd));
    folder->wd = wd;
    g_hash_table_insert(watch->by_wd, GINT_TO_POINTER(wd), folder);
    if (before && before != folder) {
        drop_tree(watch, before);
    }
    return true;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool entry_is_folder(int folder_fd, const struct dirent *entry)
{
    struct stat about;

    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type == DT_DIR;
    }
    return fstatat(folder_fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(about.st_mode);
}

/* Nodes for @folder's folders go to @found; @announce tells of every entry. */
static void list_folder(OstlerWatch *watch, Folder *folder, DIR *listing, bool announce,
                        GQueue *found)
{
    struct dirent *entry;

    while ((entry = readdir(listing))) {
        if (is_dots(entry->d_name)) {
            continue;
        }
        bool is_folder = entry_is_folder(dirfd(listing), entry);
        if (is_folder && !find_child(folder, entry->d_name)) {
            g_queue_push_tail(found, add_node(folder, entry->d_name));
        }
        if (announce) {
            g_autofree char *path = path_of(folder, entry->d_name);
            tell(watch, OSTLER_WATCH_CREATED, path, is_folder);
        }
    }
}

/* Watch one folder and put those within into @found. */
static bool enter_folder(OstlerWatch *watch, Folder *folder, bool announce,
                         GQueue *found, GError **error)
{
    g_autofree char *path = path_of(folder, "");
    int fd = ostler_posix_open_beneath(watch->loan, watch->root_fd, path,
                                       O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0) {
        return fail_errno(error, path);
    }
    if (!watch_folder(watch, folder, fd, path, error)) {
        close(fd);
        return false;
    }

    DIR *listing = fdopendir(fd);
    list_folder(watch, folder, listing, announce, found);
    closedir(listing);
    return true;
}

/* Watch @top and all beneath; what cannot be watched is told, and the rest goes on. */
static void enter_tree(OstlerWatch *watch, Folder *top, bool announce)
{
    GQueue todo = G_QUEUE_INIT;
    Folder *folder;

    g_queue_push_tail(&todo, top);
    while ((folder = g_queue_pop_head(&todo))) {
        g_autoptr(GError) why = NULL;
        if (enter_folder(watch, folder, announce, &todo, &why)) {
            continue;
        }
        /* What is gone again will be told as removed. */
        if (!g_error_matches(why, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
            tell_lost(watch, folder, why);
        }
        if (folder != watch->root) {
            drop_tree(watch, folder);
        }
    }
}

/* Renames */

static void free_move(Move *move)
{
    g_free(move->name);
    g_free(move);
}

static void stop_grace(OstlerWatch *watch)
{
    if (watch->grace) {
        g_source_destroy(watch->grace);
        g_clear_pointer(&watch->grace, g_source_unref);
    }
}

/* No second half came: they left the tree. */
static gboolean end_grace(void *opaque)
{
    OstlerWatch *watch = opaque;
    Move *move;

    stop_grace(watch);
    while ((move = g_queue_pop_head(&watch->moves))) {
        if (move->folder) {
            drop_tree(watch, move->folder);
        }
        tell(watch, OSTLER_WATCH_REMOVED, move->name, move->is_folder);
        free_move(move);
    }
    return G_SOURCE_REMOVE;
}

static void start_grace(OstlerWatch *watch)
{
    if (!watch->grace) {
        watch->grace = g_timeout_source_new(MOVE_GRACE_MS);
        g_source_set_callback(watch->grace, end_grace, watch, NULL);
        g_source_attach(watch->grace, g_main_context_get_thread_default());
    }
}

/* The node is out of the tree until its other half comes, so that its old place can be
 * taken or removed meanwhile; what happens in it is told under its old name. */
static void moved_from(OstlerWatch *watch, Folder *parent,
                       const struct inotify_event *event)
{
    Move *move = g_new(Move, 1);

    move->cookie = event->cookie;
    move->name = path_of(parent, event->name);
    move->is_folder = event->mask & IN_ISDIR;
    move->folder = move->is_folder ? find_child(parent, event->name) : NULL;
    if (move->folder) {
        unhook(move->folder);
        hook(move->folder, NULL, move->name);
    }
    g_queue_push_tail(&watch->moves, move);
    start_grace(watch);
}

static Move *take_move(OstlerWatch *watch, uint32_t cookie)
{
    for (GList *link = watch->moves.head; link; link = link->next) {
        Move *move = link->data;
        if (move->cookie == cookie) {
            g_queue_delete_link(&watch->moves, link);
            return move;
        }
    }
    return NULL;
}

static void created(OstlerWatch *watch, Folder *parent, const char *name,
                    bool is_folder)
{
    g_autofree char *path = path_of(parent, name);

    tell(watch, OSTLER_WATCH_CREATED, path, is_folder);
    if (is_folder && !find_child(parent, name)) {
        enter_tree(watch, add_node(parent, name), true);
    }
}

static void moved_to(OstlerWatch *watch, Folder *parent,
                     const struct inotify_event *event)
{
    Move *move = take_move(watch, event->cookie);

    if (!move) {
        created(watch, parent, event->name, event->mask & IN_ISDIR);
        return;
    }
    if (move->folder) {
        move_node(watch, move->folder, parent, event->name);
    }

    g_autofree char *path = path_of(parent, event->name);
    OstlerWatchEvent renamed = { .kind = OSTLER_WATCH_RENAMED,
                                 .name = path,
                                 .from = move->name,
                                 .is_folder = move->is_folder };
    watch->func(&renamed, watch->opaque);
    free_move(move);
}

/* Events */

static void removed(OstlerWatch *watch, Folder *parent,
                    const struct inotify_event *event)
{
    bool is_folder = event->mask & IN_ISDIR;
    g_autofree char *path = path_of(parent, event->name);
    Folder *folder = is_folder ? find_child(parent, event->name) : NULL;

    if (folder) {
        drop_tree(watch, folder);
    }
    tell(watch, OSTLER_WATCH_REMOVED, path, is_folder);
}

static void changed(OstlerWatch *watch, Folder *parent,
                    const struct inotify_event *event)
{
    g_autofree char *path = path_of(parent, event->name);

    tell(watch, OSTLER_WATCH_CHANGED, path, event->mask & IN_ISDIR);
}

/* Folders may have come and gone unseen: start the mirror anew. */
static void overflowed(OstlerWatch *watch)
{
    end_grace(watch);
    drop_tree(watch, watch->root);
    watch->root = add_node(NULL, "");
    enter_tree(watch, watch->root, false);
    OstlerWatchEvent event = { .kind = OSTLER_WATCH_OVERFLOW,
                               .since = watch->in_step_at };
    watch->func(&event, watch->opaque);
}

static void take_event(OstlerWatch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        overflowed(watch);
        return;
    }

    Folder *folder = g_hash_table_lookup(watch->by_wd, GINT_TO_POINTER(event->wd));
    if (!folder || event->len == 0) {
        return; /* of a folder already dropped, or about the folder itself */
    }
    if (event->mask & IN_MOVED_FROM) {
        moved_from(watch, folder, event);
    } else if (event->mask & IN_MOVED_TO) {
        moved_to(watch, folder, event);
    } else if (event->mask & IN_CREATE) {
        created(watch, folder, event->name, event->mask & IN_ISDIR);
    } else if (event->mask & IN_DELETE) {
        removed(watch, folder, event);
    } else if (event->mask & (IN_CLOSE_WRITE | IN_ATTRIB)) {
        changed(watch, folder, event);
    }
}

static gboolean read_events(int fd, GIOCondition condition, void *opaque)
{
    OstlerWatch *watch = opaque;
    g_autofree char *buffer = g_malloc(READ_BYTES); /* aligned as malloc aligns */
    int64_t asked_at = seconds_now();
    ssize_t size;

    while ((size = read(fd, buffer, READ_BYTES)) > 0) {
        for (char *at = buffer; at < buffer + size;) {
            const struct inotify_event *event = (const void *)at;
            at += sizeof *event + event->len;
            take_event(watch, event);
        }
        asked_at = seconds_now();
    }
    watch->in_step_at = asked_at;
    return G_SOURCE_CONTINUE;
}

/* @fd (taken over) is the root; @shown names it in messages. */
static OstlerWatch *watch_fd(int fd, OstlerPosixLoan *loan, const char *shown,
                             OstlerWatchFunc *func, void *opaque, GError **error)
{
    g_autoptr(OstlerWatch) watch = g_new0(OstlerWatch, 1);

    watch->func = func;
    watch->opaque = opaque;
    watch->in_step_at = seconds_now();
    watch->by_wd = g_hash_table_new(NULL, NULL);
    watch->root = add_node(NULL, "");
    watch->root_fd = fd;
    watch->loan = ostler_posix_loan_ref(loan);
    watch->inotify_fd = fd < 0 ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->inotify_fd < 0) {
        fail_errno(error, shown);
        return NULL;
    }

    enter_tree(watch, watch->root, false);

    watch->readable = g_unix_fd_source_new(watch->inotify_fd, G_IO_IN);
    g_source_set_callback(watch->readable, G_SOURCE_FUNC(read_events), watch, NULL);
    g_source_attach(watch->readable, g_main_context_get_thread_default());
    return g_steal_pointer(&watch);
}

OstlerWatch *ostler_watch_new(const char *path, OstlerWatchFunc *func, void *opaque,
                              GError **error)
{
    return watch_fd(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), NULL, path, func,
                    opaque, error);
}

OstlerWatch *ostler_watch_new_root(OstlerRoot *root, OstlerWatchFunc *func,
                                   void *opaque, GError **error)
{
    return watch_fd(fcntl(root->fd, F_DUPFD_CLOEXEC, 3), root->loan, ".", func, opaque,
                    error);
}

void ostler_watch_free(OstlerWatch *watch)
{
    Move *move;

    if (!watch) {
        return;
    }
    if (watch->readable) {
        g_source_destroy(watch->readable);
        g_source_unref(watch->readable);
    }
    stop_grace(watch);
    while ((move = g_queue_pop_head(&watch->moves))) {
        if (move->folder) {
            drop_tree(watch, move->folder);
        }
        free_move(move);
    }
    drop_tree(watch, watch->root);
    g_hash_table_unref(watch->by_wd);
    if (watch->inotify_fd >= 0) {
        close(watch->inotify_fd);
    }
    if (watch->root_fd >= 0) {
        close(watch->root_fd);
    }
    ostler_posix_loan_unref(watch->loan);
    g_free(watch);
}

unsigned ostler_watch_n_folders(const OstlerWatch *watch)
{
    return g_hash_table_size(watch->by_wd);
}
