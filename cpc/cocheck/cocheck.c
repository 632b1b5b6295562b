/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cocheck OBJECT... - find functions without a mark between coroutines
 *
 * The objects, which may be in archives, were compiled with cocheck-clang or cpc-clang.
 */
#include "closure.h"
#include "objects.h"
#include "patch.h"
#include "report.h"

#include <gio/gio.h>

enum { NOTHING_FOUND = 0, FOUND = 1, CANNOT = 2 };

static char *list, *patch;
static gboolean by_type, with_pointers;
static char **objects, **exceptions;

static const GOptionEntry options[] = {
    { "list", 'l', 0, G_OPTION_ARG_STRING, &list,
      "Only names, one a line: coroutine_fn, mixed, bad-call, unguarded or pointer",
      "WHAT" },
    { "patch", 'p', 0, G_OPTION_ARG_FILENAME, &patch,
      "A patch that adds the marks to the sources in FOLDER", "FOLDER" },
    { "except", 'x', 0, G_OPTION_ARG_STRING_ARRAY, &exceptions,
      "NAME is known not to wait: do not look into it", "NAME" },
    { "by-type", 't', 0, G_OPTION_ARG_NONE, &by_type,
      "A pointer of unknown origin may be any function of its type", NULL },
    { "pointers", 0, 0, G_OPTION_ARG_NONE, &with_pointers,
      "Also pointers without a mark through which a coroutine may wait", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &objects, NULL,
      "OBJECT..." },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static void add_rows(const char *rows, void *opaque)
{
    cocheck_graph_add(opaque, rows);
}

static gboolean read_objects(CocheckGraph *graph, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (char **object = objects; *object; object++) {
        /* A linker's command line may name an archive more than once. */
        if (g_hash_table_add(seen, *object) &&
            !cocheck_read_object(*object, add_rows, graph, error)) {
            return FALSE;
        }
    }
    cocheck_graph_link(graph, by_type);
    for (char **name = exceptions; name && *name; name++) {
        if (cocheck_graph_except(graph, *name) == 0) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                        "--except names '%s', which no object has", *name);
            return FALSE;
        }
    }
    cocheck_close(graph);
    return TRUE;
}

static int answer(CocheckGraph *graph)
{
    if (list) {
        if (!cocheck_print_list(graph, list)) {
            g_printerr("cocheck: There is no list '%s', only %s\n", list,
                       cocheck_lists);
            return CANNOT;
        }
        return NOTHING_FOUND;
    }
    if (patch) {
        return cocheck_print_patch(graph, patch) ? NOTHING_FOUND : CANNOT;
    }
    return cocheck_report(graph, with_pointers) > 0 ? FOUND : NOTHING_FOUND;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_summary(
        context,
        "Find functions that run in a coroutine and may have to wait, and are "
        "not marked.\n\nThe exit code is 1 if there are any, 2 for bad usage.");
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("cocheck: %s\n", error->message);
        return CANNOT;
    }
    if (!objects) {
        g_printerr("cocheck: No object is given; see cocheck --help\n");
        return CANNOT;
    }
    CocheckGraph *graph = cocheck_graph_new();
    int status = CANNOT;
    if (read_objects(graph, &error)) {
        status = answer(graph);
    } else {
        g_printerr("cocheck: %s\n", error->message);
    }
    cocheck_graph_free(graph);
    return status;
}
