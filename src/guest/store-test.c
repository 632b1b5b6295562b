/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/store.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/testing.h"

typedef struct {
    char *home;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->home = g_dir_make_tmp("ostler-store-XXXXXX", NULL);
    g_setenv("OSTLER_HOME", fixture->home, TRUE);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
    ostler_test_remove(fixture->home);
    g_free(fixture->home);
    g_unsetenv("OSTLER_HOME");
}

static void define(const char *name, const char *memory)
{
    g_autoptr(OstlerDefinition) definition = ostler_definition_new(name);
    g_autoptr(GError) error = NULL;
    OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);

    g_assert_true(ostler_section_set(guest, "memory", memory, NULL));
    g_assert_true(ostler_store_define(definition, NULL, &error));
    g_assert_no_error(error);
}

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = ostler_store_path(name);
    g_autofree char *folder = g_path_get_dirname(path);

    g_mkdir_with_parents(folder, 0700);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void no_guest_is_an_empty_list(Fixture *fixture, gconstpointer unused)
{
    g_auto(GStrv) names = ostler_store_list(NULL);

    g_assert_nonnull(names);
    g_assert_null(names[0]);
}

static void what_is_defined_is_listed_and_loads(Fixture *fixture, gconstpointer unused)
{
    define("web", "1G");
    define("Bücherei & Café", "2G");
    define("a b", "3G");

    g_auto(GStrv) names = ostler_store_list(NULL);
    g_autofree char *all = g_strjoinv("|", names);
    g_assert_cmpstr(all, ==, "Bücherei & Café|a b|web");

    g_autoptr(OstlerDefinition) definition = ostler_store_load("a b", NULL);
    g_assert_cmpuint(ostler_definition_get_size(definition, "guest", "memory"), ==,
                     3ull << 30);
}

static void a_second_define_replaces_the_first(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(OstlerDefinition) definition = ostler_definition_new("web");
    bool is_new;

    g_assert_true(ostler_store_define(definition, &is_new, NULL));
    g_assert_true(is_new);
    g_assert_true(ostler_store_define(definition, &is_new, NULL));
    g_assert_false(is_new);
}

static void a_wrong_definition_is_not_stored(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(OstlerDefinition) definition = ostler_definition_new("web");
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(ostler_definition_add(definition, "share", "docs", NULL));
    g_assert_false(ostler_store_define(definition, NULL, &error));
    g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_MISSING);
    g_assert_false(ostler_store_has("web"));
}

static void undefine_leaves_what_is_not_its_own(Fixture *fixture, gconstpointer unused)
{
    define("web", "1G");
    g_autofree char *path = ostler_store_path("web");
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *vars = g_build_filename(folder, "vars.fd", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(vars, "x", 1, NULL));
    g_assert_true(ostler_store_undefine("web", NULL));
    g_assert_false(ostler_store_has("web"));
    g_assert_true(g_file_test(vars, G_FILE_TEST_EXISTS));

    g_assert_false(ostler_store_undefine("web", &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_auto(GStrv) names = ostler_store_list(NULL);
    g_assert_null(names[0]);
}

static void a_name_cannot_lead_out_of_the_folder(Fixture *fixture, gconstpointer unused)
{
    static const char *const bad[] = { "..", "../web", "", "a/b" };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ostler_store_load(bad[i], &error));
        g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_VALUE);
        g_assert_false(ostler_store_undefine(bad[i], NULL));
    }
}

static void a_broken_definition_is_listed_and_says_why(Fixture *fixture,
                                                       gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    write_file("web", "[guest]\nmemroy = 1G\n");
    g_auto(GStrv) names = ostler_store_list(NULL);
    g_assert_cmpstr(names[0], ==, "web");
    g_assert_null(ostler_store_load("web", &error));
    g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_SYNTAX);
    g_assert_nonnull(strstr(error->message, "web/guest.conf:2: Unknown key 'memroy'"));
}

static void a_folder_of_another_name_is_a_wrong_definition(Fixture *fixture,
                                                           gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    write_file("web", "[guest]\nname = mail\n");
    g_assert_null(ostler_store_load("web", &error));
    g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_VALUE);
}

#define TEST(name) g_test_add("/store/" #name, Fixture, NULL, set_up, name, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(no_guest_is_an_empty_list);
    TEST(what_is_defined_is_listed_and_loads);
    TEST(a_second_define_replaces_the_first);
    TEST(a_wrong_definition_is_not_stored);
    TEST(undefine_leaves_what_is_not_its_own);
    TEST(a_name_cannot_lead_out_of_the_folder);
    TEST(a_broken_definition_is_listed_and_says_why);
    TEST(a_folder_of_another_name_is_a_wrong_definition);
    return g_test_run();
}
