/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mtp/objects.h"

#include <string.h>

static void an_object_is_found_by_handle_and_by_name(void)
{
    g_autoptr(OstlerMtpObjects) objects = ostler_mtp_objects_new();
    uint32_t folder = ostler_mtp_objects_add(objects, 2, 0, "folder", true, 0x3001);
    uint32_t file = ostler_mtp_objects_add(objects, 2, folder, "file", false, 0x3000);
    OstlerMtpObject object;

    g_assert_cmpuint(ostler_mtp_objects_find(objects, 2, 0, "folder"), ==, folder);
    g_assert_cmpuint(ostler_mtp_objects_find(objects, 2, folder, "file"), ==, file);
    g_assert_cmpuint(ostler_mtp_objects_find(objects, 2, 0, "file"), ==, 0);
    g_assert_cmpuint(ostler_mtp_objects_find(objects, 1, 0, "folder"), ==, 0);
    g_assert_true(ostler_mtp_objects_get(objects, file, &object));
    g_assert_cmpuint(object.parent, ==, folder);
    g_assert_cmpuint(object.storage, ==, 2);
    g_assert_cmpstr(object.name, ==, "file");
    g_assert_false(ostler_mtp_objects_get(objects, 0, &object));
    g_assert_false(ostler_mtp_objects_get(objects, 0xffffffff, &object));
    g_assert_false(ostler_mtp_objects_get(objects, 1, &object));
    g_assert_false(ostler_mtp_objects_get(objects, file + 1, &object));
}

static void a_folder_takes_along_what_is_in_it(void)
{
    g_autoptr(OstlerMtpObjects) objects = ostler_mtp_objects_new();
    uint32_t top = ostler_mtp_objects_add(objects, 0, 0, "top", true, 0);
    uint32_t sub = ostler_mtp_objects_add(objects, 0, top, "sub", true, 0);
    uint32_t file = ostler_mtp_objects_add(objects, 0, sub, "file", false, 0);
    OstlerMtpObject object;

    ostler_mtp_objects_move(objects, top, 3, 0, "moved", 0);
    g_assert_cmpuint(ostler_mtp_objects_count(objects, 0), ==, 0);
    g_assert_cmpuint(ostler_mtp_objects_count(objects, 3), ==, 3);
    g_assert_true(ostler_mtp_objects_get(objects, file, &object));
    g_assert_cmpuint(object.storage, ==, 3);
    g_assert_cmpuint(ostler_mtp_objects_find(objects, 3, sub, "file"), ==, file);

    ostler_mtp_objects_remove(objects, top);
    g_assert_false(ostler_mtp_objects_get(objects, file, &object));
    g_assert_cmpuint(ostler_mtp_objects_count(objects, 3), ==, 0);
}

static void a_handle_is_not_given_again_soon(void)
{
    g_autoptr(OstlerMtpObjects) objects = ostler_mtp_objects_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (unsigned i = 0; i < 250; i++) {
        uint32_t handle = ostler_mtp_objects_add(objects, 0, 0, "again", false, 0);
        g_assert_true(g_hash_table_add(seen, GUINT_TO_POINTER(handle)));
        ostler_mtp_objects_remove(objects, handle);
    }
}

static void a_sweep_drops_what_was_not_marked(void)
{
    g_autoptr(OstlerMtpObjects) objects = ostler_mtp_objects_new();
    uint32_t kept = ostler_mtp_objects_add(objects, 0, 0, "kept", false, 0);
    uint32_t gone = ostler_mtp_objects_add(objects, 0, 0, "gone", true, 0);
    uint32_t beneath = ostler_mtp_objects_add(objects, 0, gone, "beneath", false, 0);
    OstlerMtpObject object;

    ostler_mtp_objects_sweep_begin(objects, 0, 0);
    ostler_mtp_objects_sweep_mark(objects, kept);
    ostler_mtp_objects_sweep_end(objects, 0, 0, NULL, NULL);
    g_assert_true(ostler_mtp_objects_get(objects, kept, &object));
    g_assert_false(ostler_mtp_objects_get(objects, beneath, &object));
    g_assert_cmpuint(ostler_mtp_objects_first(objects, 0, 0), ==, kept);
    g_assert_cmpuint(ostler_mtp_objects_next(objects, kept), ==, 0);
}

/* Against a plain table of strings: names added, removed and renamed at random. */
static void names_are_found_after_many_changes(void)
{
    g_autoptr(OstlerMtpObjects) objects = ostler_mtp_objects_new();
    uint32_t handles[4000] = { 0 };
    char name[32];

    for (unsigned step = 0; step < 40000; step++) {
        unsigned i = (unsigned)g_test_rand_int_range(0, G_N_ELEMENTS(handles));
        g_snprintf(name, sizeof(name), "name-%u", i);
        g_assert_cmpuint(ostler_mtp_objects_find(objects, 0, 0, name), ==, handles[i]);
        if (handles[i] != 0) {
            ostler_mtp_objects_remove(objects, handles[i]);
            handles[i] = 0;
        } else {
            handles[i] = ostler_mtp_objects_add(objects, 0, 0, name, false, 0);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(handles); i++) {
        g_snprintf(name, sizeof(name), "name-%u", i);
        g_assert_cmpuint(ostler_mtp_objects_find(objects, 0, 0, name), ==, handles[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/objects/an-object-is-found-by-handle-and-by-name",
                    an_object_is_found_by_handle_and_by_name);
    g_test_add_func("/objects/a-folder-takes-along-what-is-in-it",
                    a_folder_takes_along_what_is_in_it);
    g_test_add_func("/objects/a-handle-is-not-given-again-soon",
                    a_handle_is_not_given_again_soon);
    g_test_add_func("/objects/a-sweep-drops-what-was-not-marked",
                    a_sweep_drops_what_was_not_marked);
    g_test_add_func("/objects/names-are-found-after-many-changes",
                    names_are_found_after_many_changes);
    return g_test_run();
}
