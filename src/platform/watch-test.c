/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/watch.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/testing.h"

typedef struct {
    char *path;
    OstlerWatch *watch;
    GPtrArray *log; /* "created a/b", in order */
} Rig;

static void log_event(const OstlerWatchEvent *event, void *opaque)
{
    static const char *const verbs[] = { "created", "removed",  "changed",
                                         "renamed", "overflow", "lost" };
    Rig *rig = opaque;

    g_ptr_array_add(rig->log, g_strdup_printf("%s %s%s%s", verbs[event->kind],
                                              event->from ? event->from : "",
                                              event->from ? " to " : "",
                                              event->name ? event->name : ""));
}

static char *in_rig(const Rig *rig, const char *name)
{
    return g_build_filename(rig->path, name, NULL);
}

static void make_folder(const Rig *rig, const char *name)
{
    g_autofree char *path = in_rig(rig, name);

    g_assert_no_errno(g_mkdir(path, 0700));
}

static void write_file(const Rig *rig, const char *name)
{
    g_autofree char *path = in_rig(rig, name);

    g_assert_true(
        g_file_set_contents_full(path, "x", 1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void rename_in(const Rig *rig, const char *from, const char *to)
{
    g_autofree char *old = in_rig(rig, from);
    g_autofree char *new = in_rig(rig, to);

    g_assert_no_errno(g_rename(old, new));
}

static void watch_it(Rig *rig)
{
    rig->watch = ostler_watch_new(rig->path, log_event, rig, NULL);
    g_assert_nonnull(rig->watch);
}

static void set_up(Rig *rig, const void *data)
{
    rig->path = g_dir_make_tmp("ostler-watch-XXXXXX", NULL);
    rig->log = g_ptr_array_new_with_free_func(g_free);
    make_folder(rig, "old");
    make_folder(rig, "old/er");
    watch_it(rig);
}

static void tear_down(Rig *rig, const void *data)
{
    ostler_watch_free(rig->watch);
    ostler_test_remove(rig->path);
    g_ptr_array_unref(rig->log);
    g_free(rig->path);
}

static bool is_logged(const Rig *rig, const char *line)
{
    return g_ptr_array_find_with_equal_func(rig->log, line, g_str_equal, NULL);
}

static void wait_for(const Rig *rig, const char *line)
{
    while (!is_logged(rig, line)) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void what_was_there_is_not_news(Rig *rig, const void *data)
{
    write_file(rig, "new");
    wait_for(rig, "created new");
    g_assert_false(is_logged(rig, "created old"));
    g_assert_cmpuint(ostler_watch_n_folders(rig->watch), ==, 3);
}

static void a_change_deep_in_the_tree_is_told(Rig *rig, const void *data)
{
    write_file(rig, "old/er/file");
    wait_for(rig, "created old/er/file");
    wait_for(rig, "changed old/er/file");
}

static void a_new_folder_is_watched_with_all_it_holds(Rig *rig, const void *data)
{
    make_folder(rig, "new");
    make_folder(rig, "new/er");
    write_file(rig, "new/er/first");
    wait_for(rig, "created new/er/first");
    write_file(rig, "new/er/second");
    wait_for(rig, "created new/er/second");
}

static void a_renamed_folder_keeps_its_watches(Rig *rig, const void *data)
{
    rename_in(rig, "old", "moved");
    wait_for(rig, "renamed old to moved");
    write_file(rig, "moved/er/file");
    wait_for(rig, "created moved/er/file");
    g_assert_false(is_logged(rig, "removed old"));
}

static void a_folder_that_leaves_is_removed_and_unwatched(Rig *rig, const void *data)
{
    g_autofree char *outside = g_strconcat(rig->path, ".outside", NULL);
    g_autofree char *inside = in_rig(rig, "old");
    g_autofree char *child = g_build_filename(outside, "er", NULL);

    g_assert_no_errno(g_rename(inside, outside));
    wait_for(rig, "removed old");
    g_assert_cmpuint(ostler_watch_n_folders(rig->watch), ==, 1);
    g_assert_no_errno(g_rmdir(child));
    g_assert_no_errno(g_rmdir(outside));
}

static void a_link_to_a_folder_is_not_entered(Rig *rig, const void *data)
{
    g_autofree char *link = in_rig(rig, "link");

    g_assert_no_errno(symlink("/etc", link));
    wait_for(rig, "created link");
    g_assert_cmpuint(ostler_watch_n_folders(rig->watch), ==, 3);
}

static void a_folder_put_over_another_takes_its_place(Rig *rig, const void *data)
{
    make_folder(rig, "empty");
    wait_for(rig, "created empty");
    rename_in(rig, "old", "empty");
    wait_for(rig, "renamed old to empty");
    write_file(rig, "empty/er/file");
    wait_for(rig, "created empty/er/file");
    g_assert_cmpuint(ostler_watch_n_folders(rig->watch), ==, 3);
}

/* How many events the kernel keeps for a reader who does not read. */
static unsigned queue_limit(void)
{
    g_autofree char *text = NULL;

    g_file_get_contents("/proc/sys/fs/inotify/max_queued_events", &text, NULL, NULL);
    return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : 0;
}

static void after_an_overflow_the_watch_goes_on(Rig *rig, const void *data)
{
    unsigned limit = queue_limit();
    g_autofree char *path = in_rig(rig, "old/flood");

    if (limit == 0 || limit > 200000) {
        g_test_skip("the event queue is too long to be filled here");
        return;
    }
    /* Each turn is at least three events: created, closed after writing, removed. */
    for (unsigned i = 0; i < limit / 3 + 1; i++) {
        write_file(rig, "old/flood");
        g_unlink(path);
    }
    make_folder(rig, "unseen");
    wait_for(rig, "overflow ");
    write_file(rig, "unseen/file");
    wait_for(rig, "created unseen/file");
}

static void a_missing_folder_is_an_error(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ostler_watch_new("/nowhere/at/all", log_event, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

#define ADD(name, func) g_test_add("/watch/" name, Rig, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("what-was-there-is-not-news", what_was_there_is_not_news);
    ADD("a-change-deep-in-the-tree-is-told", a_change_deep_in_the_tree_is_told);
    ADD("a-new-folder-is-watched", a_new_folder_is_watched_with_all_it_holds);
    ADD("a-renamed-folder-keeps-its-watches", a_renamed_folder_keeps_its_watches);
    ADD("a-folder-that-leaves-is-removed",
        a_folder_that_leaves_is_removed_and_unwatched);
    ADD("a-link-is-not-entered", a_link_to_a_folder_is_not_entered);
    ADD("a-folder-put-over-another", a_folder_put_over_another_takes_its_place);
    ADD("after-an-overflow-the-watch-goes-on", after_an_overflow_the_watch_goes_on);
    g_test_add_func("/watch/a-missing-folder-is-an-error",
                    a_missing_folder_is_an_error);
    return g_test_run();
}
