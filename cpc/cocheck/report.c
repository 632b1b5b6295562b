/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include "closure.h"

#include <string.h>

/* A longer way is cut in its middle. */
#define MAX_STEPS 12

static const char *mark_name(const CocheckFunction *function)
{
    static const char *const names[] = {
        [COCHECK_UNMARKED] = "",
        [COCHECK_COROUTINE] = " (coroutine_fn)",
        [COCHECK_MIXED] = " (coroutine_mixed_fn)",
        [COCHECK_START] = " (coroutine_start_fn)",
    };

    return names[function->mark];
}

/* "field struct.BlockDriver 7" as people say it. */
static char *place_name(const CocheckPlace *place)
{
    g_auto(GStrv) words = g_strsplit(place->name, " ", 3);

    if (strcmp(words[0], "field") == 0) {
        const char *number = strrchr(place->name, ' ');
        g_autofree char *type =
            g_strndup(place->name + strlen("field "),
                      (gsize)(number - place->name) - strlen("field "));
        return g_strdup_printf(
            "field number%s of %s", number,
            g_str_has_prefix(type, "struct.") ? type + strlen("struct.") : type);
    }
    if (strcmp(words[0], "parameter") == 0) {
        return g_strdup_printf("parameter %d of '%s'", atoi(words[2]) + 1, words[1]);
    }
    return g_strdup_printf("%s '%s'", words[0], place->name + strlen(words[0]) + 1);
}

static void add_call(GString *line, const CocheckCall *call)
{
    g_string_append_printf(line, " calls ");
    if (call->to) {
        g_string_append_printf(line, "'%s'%s", call->to->name, mark_name(call->to));
    }
    if (call->through) {
        g_autofree char *name = place_name(call->through);
        g_string_append_printf(line, "%s%s%s", call->to ? " through " : "", name,
                               call->is_marked ? ", a coroutine_fn pointer" : "");
    }
    g_string_append_printf(line, " (%s:%u)", call->from->file, call->line);
}

/* --- ways ------------------------------------------------------------------------------ */

static void print_reached(const CocheckFunction *function)
{
    g_autoptr(GPtrArray) steps = g_ptr_array_new();

    for (const CocheckCall *call = function->reached_by; call;
         call = call->from->reached_by) {
        g_ptr_array_insert(steps, 0, (gpointer)call);
    }
    for (guint i = 0; i < steps->len && i < MAX_STEPS; i++) {
        const CocheckCall *call = steps->pdata[i];
        g_autoptr(GString) line = g_string_new(NULL);
        add_call(line, call);
        g_print("  %s '%s'%s%s\n", i == 0 ? "reached:" : "        ", call->from->name,
                mark_name(call->from), line->str);
    }
}

static void print_waits(const CocheckFunction *function)
{
    const CocheckCall *call = function->waits_by;

    for (unsigned i = 0; call && i < MAX_STEPS; i++) {
        g_autoptr(GString) line = g_string_new(NULL);
        add_call(line, call);
        g_print("  %s '%s'%s%s\n", i == 0 ? "waits:  " : "        ", call->from->name,
                mark_name(call->from), line->str);
        call = call->to ? call->to->waits_by : NULL;
    }
}

static void print_entry(const CocheckFunction *function)
{
    if (function->entry_of) {
        g_autofree char *name = place_name(function->entry_of);
        g_print("  reached: it is given to %s, which takes a coroutine_fn\n", name);
    }
}

static void print_ordinary(const CocheckFunction *function)
{
    const CocheckCall *call = function->ordinary_by;

    if (call) {
        g_autoptr(GString) line = g_string_new(NULL);
        add_call(line, call);
        g_print("  ordinary: '%s'%s%s\n", call->from->name, mark_name(call->from),
                line->str);
    } else {
        g_print("  ordinary: its address is taken\n");
    }
}

static void print_asking(const CocheckFunction *function)
{
    const CocheckCall *call = cocheck_coroutine_call(function, COCHECK_CALL_ORDINARY);

    if (call) {
        g_print("           and ask in_coroutine() before the call at line %u\n",
                call->line);
    }
}

/* --- findings -------------------------------------------------------------------------- */

static void print_head(const CocheckFunction *function, const char *what)
{
    g_print("%s:%u: '%s' %s\n", function->file, function->line, function->name, what);
}

static void print_needs_coroutine(const CocheckFunction *function)
{
    print_head(function, "runs in a coroutine and may have to wait");
    print_entry(function);
    print_reached(function);
    print_waits(function);
    g_print("  fix:     mark it coroutine_fn\n");
}

static void print_needs_mixed(const CocheckFunction *function)
{
    print_head(function,
               "may have to wait in a coroutine, and runs outside of one too");
    print_reached(function);
    print_waits(function);
    print_ordinary(function);
    g_print("  fix:     mark it coroutine_mixed_fn\n");
    print_asking(function);
}

static void print_bad_call(const CocheckFunction *function)
{
    const CocheckCall *call = cocheck_coroutine_call(function, COCHECK_CALL_ORDINARY);
    g_autoptr(GString) line = g_string_new(NULL);

    print_head(function, "is ordinary and calls a coroutine_fn");
    add_call(line, call);
    g_print("  calls:   '%s'%s\n", function->name, line->str);
    g_print("  fix:     start a coroutine for it, ask in_coroutine() and mark it "
            "coroutine_mixed_fn, or mark it coroutine_fn\n");
}

static void print_unguarded(const CocheckFunction *function)
{
    const CocheckCall *call = cocheck_coroutine_call(function, COCHECK_CALL_ORDINARY);
    g_autoptr(GString) line = g_string_new(NULL);

    print_head(function,
               "is coroutine_mixed_fn and calls a coroutine_fn without asking");
    add_call(line, call);
    g_print("  calls:   '%s'%s\n", function->name, line->str);
    g_print("  fix:     ask in_coroutine() first\n");
}

static void (*const printers[])(const CocheckFunction *function) = {
    [COCHECK_NEEDS_COROUTINE] = print_needs_coroutine,
    [COCHECK_NEEDS_MIXED] = print_needs_mixed,
    [COCHECK_BAD_CALL] = print_bad_call,
    [COCHECK_UNGUARDED] = print_unguarded,
};

static void print_pointer(const CocheckPlace *place, const CocheckFunction *function,
                          const CocheckCall *call, const char *what, const char *fix)
{
    g_autofree char *name = place_name(place);

    g_print("%s:%u: %s %s\n", call->from->file, call->line, name, what);
    g_print("  holds:   '%s'%s (%s:%u)\n", function->name, mark_name(function),
            function->file, function->line);
    g_print("  called:  by '%s'%s\n", call->from->name, mark_name(call->from));
    g_print("  fix:     %s\n", fix);
}

static unsigned report_pointers(GPtrArray *places, gboolean with_mixed)
{
    unsigned n = 0;

    for (guint i = 0; i < places->len; i++) {
        const CocheckPlace *place = places->pdata[i];
        const CocheckCall *call;
        const CocheckFunction *function = cocheck_lost_mark(place, &call);
        if (function) {
            print_pointer(place, function, call, "has lost its mark",
                          "mark the pointer's type coroutine_fn");
            n++;
        } else if (with_mixed && (function = cocheck_waits_through(place, &call))) {
            print_pointer(place, function, call, "may have to wait in a coroutine",
                          "mark the pointer, or call what it holds by name");
            n++;
        }
    }
    return n;
}

/* --- in order, each once ----------------------------------------------------------------- */

static int by_place(gconstpointer a, gconstpointer b)
{
    const CocheckFunction *left = *(const CocheckFunction *const *)a;
    const CocheckFunction *right = *(const CocheckFunction *const *)b;
    int order = g_strcmp0(left->file, right->file);

    order = order ? order : (int)left->line - (int)right->line;
    return order ? order : strcmp(left->name, right->name);
}

static gboolean is_same(const CocheckFunction *a, const CocheckFunction *b)
{
    return a && strcmp(a->name, b->name) == 0 && g_strcmp0(a->file, b->file) == 0 &&
           a->line == b->line;
}

unsigned cocheck_report(CocheckGraph *graph, gboolean with_pointers)
{
    GPtrArray *functions = cocheck_graph_functions(graph);
    const CocheckFunction *last = NULL;
    unsigned n = 0;

    g_ptr_array_sort(functions, by_place);
    for (guint i = 0; i < functions->len; i++) {
        const CocheckFunction *function = functions->pdata[i];
        CocheckVerdict verdict = cocheck_judge(function);
        /* An inline function is in every unit that includes it. */
        if (verdict != COCHECK_FINE && !is_same(last, function)) {
            printers[verdict](function);
            last = function;
            n++;
        }
    }
    return n + report_pointers(cocheck_graph_places(graph), with_pointers);
}

/* --- lists --------------------------------------------------------------------------------- */

const char cocheck_lists[] = "coroutine_fn, mixed, bad-call, unguarded or pointer";

static const struct {
    const char *name;
    CocheckVerdict verdict;
} lists[] = {
    { "coroutine_fn", COCHECK_NEEDS_COROUTINE },
    { "mixed", COCHECK_NEEDS_MIXED },
    { "bad-call", COCHECK_BAD_CALL },
    { "unguarded", COCHECK_UNGUARDED },
};

static void add_functions(GPtrArray *names, CocheckGraph *graph, CocheckVerdict verdict)
{
    GPtrArray *functions = cocheck_graph_functions(graph);

    for (guint i = 0; i < functions->len; i++) {
        CocheckFunction *function = functions->pdata[i];
        if (cocheck_judge(function) == verdict) {
            g_ptr_array_add(names, function->name);
        }
    }
}

static void add_pointers(GPtrArray *names, CocheckGraph *graph)
{
    GPtrArray *places = cocheck_graph_places(graph);

    for (guint i = 0; i < places->len; i++) {
        CocheckPlace *place = places->pdata[i];
        const CocheckCall *call;
        if (cocheck_lost_mark(place, &call) || cocheck_waits_through(place, &call)) {
            g_ptr_array_add(names, place->name);
        }
    }
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

gboolean cocheck_print_list(CocheckGraph *graph, const char *what)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    gboolean is_known = strcmp(what, "pointer") == 0;

    if (is_known) {
        add_pointers(names, graph);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (strcmp(what, lists[i].name) == 0) {
            add_functions(names, graph, lists[i].verdict);
            is_known = TRUE;
        }
    }
    g_ptr_array_sort(names, by_name);
    const char *last = NULL;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        if (!last || strcmp(last, name) != 0) {
            g_print("%s\n", name);
        }
        last = name;
    }
    return is_known;
}
