/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/root.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/testing.h"

typedef struct {
    char *outside; /* a folder with "secret" and the root, "share", in it */
    char *share;
    OstlerRoot *root;
} Fixture;

static char *in(const char *folder, const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void put(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = in(folder, name);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void set_up(Fixture *f, gconstpointer unused)
{
    f->outside = g_dir_make_tmp("root-test-XXXXXX", NULL);
    f->share = in(f->outside, "share");
    g_mkdir(f->share, 0700);
    put(f->outside, "secret", "secret");
    put(f->share, "file", "inside");
    f->root = ostler_root_open(f->share, NULL);
    g_assert_nonnull(f->root);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    ostler_root_free(f->root);
    ostler_test_remove(f->outside);
    g_free(f->outside);
    g_free(f->share);
}

static void link_to(const Fixture *f, const char *target, const char *name)
{
    g_autofree char *path = in(f->share, name);

    g_assert_cmpint(symlink(target, path), ==, 0);
}

static void paths_that_leave_the_root_are_refused(Fixture *f, gconstpointer unused)
{
    static const char *const paths[] = { "..", "../share", "/",    "/etc", "a/../..",
                                         "up", "up/share", "self", "etc" };

    link_to(f, "..", "up");
    link_to(f, ".", "self");
    link_to(f, "/etc", "etc");
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ostler_root_folder(f->root, paths[i], &error));
        g_assert_nonnull(error);
    }
}

static void links_are_named_but_never_opened(Fixture *f, gconstpointer unused)
{
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    g_autoptr(GError) error = NULL;
    OstlerRootInfo info;

    link_to(f, "../secret", "out");
    link_to(f, "file", "in");
    g_assert_true(ostler_root_stat(top, "out", &info, NULL));
    g_assert_cmpint(info.kind, ==, OSTLER_ROOT_OTHER);
    g_assert_null(ostler_root_read(top, "out", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_LINKS);
    g_assert_null(ostler_root_read(top, "in", NULL));
}

static void a_pipe_is_not_waited_for(Fixture *f, gconstpointer unused)
{
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    g_autofree char *path = in(f->share, "pipe");
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    g_assert_null(ostler_root_read(top, "pipe", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
}

static void a_name_is_one_part(Fixture *f, gconstpointer unused)
{
    static const char *const names[] = { "", ".", "..", "a/b", "/", "../secret" };
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    g_autofree char *long_name = g_strnfill(OSTLER_ROOT_MAX_NAME + 1, 'x');

    for (size_t i = 0; i <= G_N_ELEMENTS(names); i++) {
        const char *name = i < G_N_ELEMENTS(names) ? names[i] : long_name;
        g_autoptr(GError) error = NULL;
        g_assert_false(ostler_root_make_folder(top, name, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME);
        g_assert_false(ostler_root_remove(top, name, OSTLER_ROOT_FILE, NULL));
        g_assert_null(ostler_root_read(top, name, NULL));
        g_assert_false(ostler_root_rename(top, "file", top, name, NULL));
    }
}

/* The names in the share, but for the fixture's, separated by blanks. */
static char *listed(const Fixture *f)
{
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    g_autoptr(OstlerRootListing) listing = ostler_root_list(top, NULL);
    GString *names = g_string_new(NULL);
    OstlerRootKind kind;
    const char *name;

    while ((name = ostler_root_listing_next(listing, &kind))) {
        if (strcmp(name, "file") != 0) {
            g_string_append_printf(names, "%s ", name);
        }
    }
    return g_string_free(names, FALSE);
}

static char *contents(const Fixture *f, const char *name)
{
    g_autofree char *path = in(f->share, name);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void a_new_file_appears_whole_or_not_at_all(Fixture *f, gconstpointer unused)
{
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    OstlerRootFile *dropped = ostler_root_create(top, NULL);
    g_autoptr(OstlerRootFile) kept = ostler_root_create(top, NULL);

    g_assert_true(ostler_root_file_write(dropped, 0, "lost", 4, NULL));
    g_assert_true(ostler_root_file_write(kept, 0, "whole", 5, NULL));
    g_autofree char *before = listed(f);
    g_assert_cmpstr(before, ==, "");

    ostler_root_file_free(dropped);
    g_assert_true(ostler_root_file_publish(kept, "new", false, NULL));
    g_autofree char *after = listed(f);
    g_autofree char *text = contents(f, "new");
    g_assert_cmpstr(after, ==, "new ");
    g_assert_cmpstr(text, ==, "whole");
}

static void publishing_replaces_only_if_asked_to(Fixture *f, gconstpointer unused)
{
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    g_autoptr(OstlerRootFile) file = ostler_root_create(top, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(ostler_root_file_write(file, 0, "newer", 5, NULL));
    g_assert_false(ostler_root_file_publish(file, "file", false, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_autofree char *old = contents(f, "file");
    g_assert_cmpstr(old, ==, "inside");

    g_assert_true(ostler_root_file_publish(file, "file", true, NULL));
    g_autofree char *text = contents(f, "file");
    g_autofree char *others = listed(f);
    g_assert_cmpstr(text, ==, "newer");
    g_assert_cmpstr(others, ==, "");
}

static void a_replaced_link_is_not_written_through(Fixture *f, gconstpointer unused)
{
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    g_autoptr(OstlerRootFile) file = ostler_root_create(top, NULL);
    g_autofree char *path = in(f->outside, "secret");
    g_autofree char *text = NULL;

    link_to(f, "../secret", "trap");
    g_assert_true(ostler_root_file_write(file, 0, "guest", 5, NULL));
    g_assert_true(ostler_root_file_publish(file, "trap", true, NULL));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "secret");
}

static void what_a_killed_writer_left_is_swept(Fixture *f, gconstpointer unused)
{
    put(f->share, ".ostler-0123456789abcdef.part", "half");
    g_autofree char *names = listed(f);
    g_assert_cmpstr(names, ==, "");
    g_autofree char *left = contents(f, ".ostler-0123456789abcdef.part");
    g_assert_null(left);
}

static void a_rename_never_replaces(Fixture *f, gconstpointer unused)
{
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    g_autoptr(GError) error = NULL;

    put(f->share, "other", "other");
    g_assert_false(ostler_root_rename(top, "file", top, "other", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_assert_true(ostler_root_rename(top, "file", top, "moved", NULL));
    g_autofree char *names = contents(f, "moved");
    g_assert_cmpstr(names, ==, "inside");
}

/*
 * A thread swaps a folder for a link to the outside all the while.  Whatever is read or
 * done by way of it is the inside's: the outside keeps its two names and its secret.
 */
#define N_TRIES 100000

typedef struct {
    const Fixture *fixture;
    gint is_over;
} Mutator;

static gpointer mutate(gpointer opaque)
{
    Mutator *mutator = opaque;
    g_autofree char *folder = in(mutator->fixture->share, "sub");
    g_autofree char *aside = in(mutator->fixture->share, "aside");

    while (!g_atomic_int_get(&mutator->is_over)) {
        g_rename(folder, aside);
        g_assert_cmpint(symlink("..", folder), ==, 0);
        g_thread_yield(); /* on a busy machine the other would see one state for long */
        g_unlink(folder);
        g_rename(aside, folder);
        g_thread_yield();
    }
    return NULL;
}

/* Each try returns whether it was done, which it may only be inside. */
typedef bool Try(OstlerRootFolder *sub, OstlerRootFolder *top);

static bool try_read(OstlerRootFolder *sub, OstlerRootFolder *top)
{
    g_autoptr(OstlerRootFile) file = ostler_root_read(sub, "secret", NULL);
    char text[6];

    if (!file || ostler_root_file_read(file, 0, text, sizeof(text), NULL) != 6) {
        return false;
    }
    g_assert_cmpint(memcmp(text, "inside", 6), ==, 0);
    return true;
}

static bool try_list(OstlerRootFolder *sub, OstlerRootFolder *top)
{
    g_autoptr(OstlerRootListing) listing = ostler_root_list(sub, NULL);
    OstlerRootKind kind;
    const char *name;

    while (listing && (name = ostler_root_listing_next(listing, &kind))) {
        g_assert_cmpstr(name, !=, "share");
    }
    return listing != NULL;
}

static bool try_publish(OstlerRootFolder *sub, OstlerRootFolder *top)
{
    g_autoptr(OstlerRootFile) file = ostler_root_create(sub, NULL);

    return file && ostler_root_file_write(file, 0, "inside", 6, NULL) &&
           ostler_root_file_publish(file, "secret", true, NULL);
}

static bool try_folder(OstlerRootFolder *sub, OstlerRootFolder *top)
{
    return ostler_root_make_folder(sub, "made", NULL) &&
           ostler_root_remove(sub, "made", OSTLER_ROOT_FOLDER, NULL);
}

/* Out and back again, so that the next try finds it. */
static bool try_rename(OstlerRootFolder *sub, OstlerRootFolder *top)
{
    return ostler_root_rename(sub, "secret", top, "moved", NULL) &&
           ostler_root_rename(top, "moved", sub, "secret", NULL);
}

static bool try_remove(OstlerRootFolder *sub, OstlerRootFolder *top)
{
    return ostler_root_remove(sub, "secret", OSTLER_ROOT_FILE, NULL) &&
           try_publish(sub, top);
}

static bool try_touch(OstlerRootFolder *sub, OstlerRootFolder *top)
{
    return ostler_root_touch(sub, "secret", 1, NULL);
}

static void expect_outside_untouched(const Fixture *f)
{
    g_autoptr(GDir) dir = g_dir_open(f->outside, 0, NULL);
    g_autofree char *secret = in(f->outside, "secret");
    g_autofree char *text = NULL;
    GStatBuf about;
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    g_assert_cmpuint(n, ==, 2);
    g_assert_true(g_file_get_contents(secret, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "secret");
    g_assert_cmpint(g_stat(secret, &about), ==, 0);
    g_assert_cmpint(about.st_mtime, !=, 1);
}

static void a_folder_swapped_for_a_link_leads_nowhere(Fixture *f, gconstpointer unused)
{
    static Try *const tries[] = { try_read,   try_list,   try_publish, try_folder,
                                  try_rename, try_remove, try_touch };
    g_autoptr(OstlerRootFolder) top = ostler_root_folder(f->root, "", NULL);
    Mutator mutator = { f, 0 };
    g_autofree char *folder = in(f->share, "sub");
    unsigned n_done[G_N_ELEMENTS(tries)] = { 0 };

    g_mkdir(folder, 0700);
    put(folder, "secret", "inside");
    GThread *thread = g_thread_new("mutator", mutate, &mutator);
    unsigned i;
    for (i = 0; i < N_TRIES || n_done[i % G_N_ELEMENTS(tries)] == 0; i++) {
        unsigned which = i % G_N_ELEMENTS(tries);
        g_autoptr(OstlerRootFolder) sub = ostler_root_folder(f->root, "sub", NULL);
        n_done[which] += sub && tries[which](sub, top);
        if (!sub) {
            g_thread_yield();
        }
    }
    g_atomic_int_set(&mutator.is_over, 1);
    g_thread_join(thread);
    expect_outside_untouched(f);
    for (unsigned which = 0; which < G_N_ELEMENTS(tries); which++) {
        g_test_message("operation %u was done %u times, of %u tries for all", which,
                       n_done[which], i);
    }
}

/* tests/reflink.sh mounts a file system that can share blocks, and names it. */
static void a_copy_shares_its_blocks(void)
{
    const char *path = g_getenv("REFLINK_FOLDER");
    const size_t size = 64u << 20;
    uint64_t total, before, after;

    g_autoptr(OstlerRoot) root = ostler_root_open(path, NULL);
    g_autoptr(OstlerRootFolder) folder = ostler_root_folder(root, "", NULL);
    g_autoptr(OstlerRootFile) old = ostler_root_read(folder, "old", NULL);
    g_autoptr(OstlerRootFile) copy = ostler_root_create(folder, NULL);
    g_autofree char *bytes = g_malloc(size);
    g_autofree char *copied = g_malloc(size);

    g_assert_true(ostler_root_space(root, &total, &before, NULL));
    g_assert_true(ostler_root_file_copy(old, copy, NULL));
    g_assert_true(ostler_root_space(root, &total, &after, NULL));
    g_assert_cmpuint(before, <, after + (size >> 4));
    gssize n = ostler_root_file_read(old, 0, bytes, size, NULL);
    g_assert_cmpint(n, ==, ostler_root_file_read(copy, 0, copied, size, NULL));
    g_assert_cmpint(n, >, (gssize)size - 4096);
    g_assert_cmpint(memcmp(bytes, copied, (size_t)n), ==, 0);
}

#define TEST(name, func)                                                               \
    g_test_add("/root/" name, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("paths-that-leave-the-root-are-refused",
         paths_that_leave_the_root_are_refused);
    TEST("links-are-named-but-never-opened", links_are_named_but_never_opened);
    TEST("a-pipe-is-not-waited-for", a_pipe_is_not_waited_for);
    TEST("a-name-is-one-part", a_name_is_one_part);
    TEST("a-new-file-appears-whole-or-not-at-all",
         a_new_file_appears_whole_or_not_at_all);
    TEST("publishing-replaces-only-if-asked-to", publishing_replaces_only_if_asked_to);
    TEST("a-replaced-link-is-not-written-through",
         a_replaced_link_is_not_written_through);
    TEST("what-a-killed-writer-left-is-swept", what_a_killed_writer_left_is_swept);
    TEST("a-rename-never-replaces", a_rename_never_replaces);
    TEST("a-folder-swapped-for-a-link-leads-nowhere",
         a_folder_swapped_for_a_link_leads_nowhere);
    if (g_getenv("REFLINK_FOLDER")) {
        g_test_add_func("/reflink/a-copy-shares-its-blocks", a_copy_shares_its_blocks);
    }
    return g_test_run();
}
