/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

/* All that a global name is in the units: several programs may define main(). */
typedef struct {
    GPtrArray *strong;
    GPtrArray *weak;
    CocheckFunction *unknown; /* stands for a definition if there is none */
    CocheckMark mark;         /* of any declaration */
} Name;

typedef struct {
    Name *name; /* of a call by name, to be resolved */
    CocheckCall *call;
} PendingCall;

typedef struct {
    Name *name;
    CocheckPlace *place;
} PendingAddress;

struct CocheckGraph {
    GHashTable *units; /* texts seen: an object may be in an archive as well */
    GHashTable *names;
    GHashTable *places;
    GPtrArray *functions;
    GPtrArray *all_places;
    GPtrArray *all_calls;
    GArray *pending_calls;
    GArray *pending_addresses;
};

/* One unit while it is read. */
typedef struct {
    CocheckGraph *graph;
    char *source;
    GHashTable *locals; /* name -> CocheckFunction */
    CocheckFunction *current;
    unsigned number;
} Unit;

static void free_name(void *data)
{
    Name *name = data;

    g_ptr_array_unref(name->strong);
    g_ptr_array_unref(name->weak);
    g_free(name);
}

static void free_function(void *data)
{
    CocheckFunction *function = data;

    g_ptr_array_unref(function->calls);
    g_ptr_array_unref(function->callers);
    g_free(function->name);
    g_free(function->file);
    g_free(function->type);
    g_free(function);
}

static void free_place(void *data)
{
    CocheckPlace *place = data;

    g_ptr_array_unref(place->functions);
    g_ptr_array_unref(place->calls);
    g_ptr_array_unref(place->copies);
    g_free(place->name);
    g_free(place);
}

CocheckGraph *cocheck_graph_new(void)
{
    CocheckGraph *graph = g_new0(CocheckGraph, 1);

    graph->units = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    graph->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_name);
    graph->places = g_hash_table_new(g_str_hash, g_str_equal);
    graph->functions = g_ptr_array_new_with_free_func(free_function);
    graph->all_places = g_ptr_array_new_with_free_func(free_place);
    graph->all_calls = g_ptr_array_new_with_free_func(g_free);
    graph->pending_calls = g_array_new(FALSE, FALSE, sizeof(PendingCall));
    graph->pending_addresses = g_array_new(FALSE, FALSE, sizeof(PendingAddress));
    return graph;
}

void cocheck_graph_free(CocheckGraph *graph)
{
    g_hash_table_unref(graph->units);
    g_hash_table_unref(graph->names);
    g_hash_table_unref(graph->places);
    g_ptr_array_unref(graph->functions);
    g_ptr_array_unref(graph->all_places);
    g_ptr_array_unref(graph->all_calls);
    g_array_unref(graph->pending_calls);
    g_array_unref(graph->pending_addresses);
    g_free(graph);
}

GPtrArray *cocheck_graph_functions(CocheckGraph *graph)
{
    return graph->functions;
}

GPtrArray *cocheck_graph_places(CocheckGraph *graph)
{
    return graph->all_places;
}

/* --- names ------------------------------------------------------------------------------- */

static CocheckFunction *add_function(CocheckGraph *graph, const char *name)
{
    CocheckFunction *function = g_new0(CocheckFunction, 1);

    function->name = g_strdup(name);
    function->calls = g_ptr_array_new();
    function->callers = g_ptr_array_new();
    g_ptr_array_add(graph->functions, function);
    return function;
}

static Name *find_name(CocheckGraph *graph, const char *text)
{
    Name *name = g_hash_table_lookup(graph->names, text);

    if (!name) {
        name = g_new0(Name, 1);
        name->strong = g_ptr_array_new();
        name->weak = g_ptr_array_new();
        g_hash_table_insert(graph->names, g_strdup(text), name);
    }
    return name;
}

static CocheckPlace *find_place(CocheckGraph *graph, const char *text)
{
    CocheckPlace *place = g_hash_table_lookup(graph->places, text);

    if (!place) {
        place = g_new0(CocheckPlace, 1);
        place->name = g_strdup(text);
        place->functions = g_ptr_array_new();
        place->calls = g_ptr_array_new();
        place->copies = g_ptr_array_new();
        g_hash_table_insert(graph->places, place->name, place);
        g_ptr_array_add(graph->all_places, place);
    }
    return place;
}

static CocheckFunction *find_local(const Unit *unit, const char *name)
{
    CocheckFunction *function = g_hash_table_lookup(unit->locals, name);

    return function && function->is_local ? function : NULL;
}

/* A static function's parameters are its unit's. */
static CocheckPlace *find_place_in(const Unit *unit, const char *text)
{
    if (g_str_has_prefix(text, "parameter ")) {
        const char *name = text + strlen("parameter ");
        g_autofree char *function = g_strndup(name, strcspn(name, " "));
        if (find_local(unit, function)) {
            g_autofree char *own =
                g_strdup_printf("%s in %s#%u", text, unit->source, unit->number);
            return find_place(unit->graph, own);
        }
    }
    return find_place(unit->graph, text);
}

/* --- rows ---------------------------------------------------------------------------------- */

static CocheckMark mark_called(const char *word)
{
    return strcmp(word, "coroutine") == 0 ? COCHECK_COROUTINE
           : strcmp(word, "mixed") == 0   ? COCHECK_MIXED
           : strcmp(word, "start") == 0   ? COCHECK_START
                                          : COCHECK_UNMARKED;
}

static unsigned context_called(const char *word)
{
    return strcmp(word, "coroutine") == 0 ? COCHECK_CALL_IN_COROUTINE
           : strcmp(word, "ordinary") == 0
               ? COCHECK_CALL_ORDINARY
               : COCHECK_CALL_IN_COROUTINE | COCHECK_CALL_ORDINARY;
}

static unsigned number_in(const char *word)
{
    return (unsigned)strtoul(word, NULL, 10);
}

static void note_mark(Name *name, CocheckMark mark)
{
    if (mark != COCHECK_UNMARKED) {
        name->mark = mark;
    }
}

/* NAME LINKAGE MARK FILE LINE TYPE */
static void define(Unit *unit, char **words)
{
    CocheckFunction *function = add_function(unit->graph, words[1]);

    function->mark = mark_called(words[3]);
    function->file = g_strdup(words[4]);
    function->line = number_in(words[5]);
    function->type = g_strdup(words[6]);
    function->is_local = strcmp(words[2], "local") == 0;
    g_hash_table_insert(unit->locals, function->name, function);
    if (!function->is_local) {
        Name *name = find_name(unit->graph, words[1]);
        note_mark(name, function->mark);
        g_ptr_array_add(strcmp(words[2], "weak") == 0 ? name->weak : name->strong,
                        function);
    }
}

static void enter_function(Unit *unit, char **words)
{
    unit->current = g_hash_table_lookup(unit->locals, words[1]);
}

static void declare(Unit *unit, char **words)
{
    note_mark(find_name(unit->graph, words[1]), mark_called(words[2]));
}

static CocheckCall *new_call(Unit *unit, const char *context, const char *line)
{
    CocheckCall *call = g_new0(CocheckCall, 1);

    call->from = unit->current;
    call->context = context_called(context);
    call->line = number_in(line);
    g_ptr_array_add(unit->graph->all_calls, call);
    return call;
}

static void attach(CocheckCall *call)
{
    g_ptr_array_add(call->from->calls, call);
    if (call->to) {
        g_ptr_array_add(call->to->callers, call);
    }
}

/* NAME CONTEXT LINE */
static void add_call(Unit *unit, char **words)
{
    CocheckCall *call = new_call(unit, words[2], words[3]);

    call->to = find_local(unit, words[1]);
    if (call->to) {
        attach(call);
        return;
    }
    PendingCall pending = { find_name(unit->graph, words[1]), call };
    g_array_append_val(unit->graph->pending_calls, pending);
}

/* PLACE MARK CONTEXT LINE */
static void add_pointer(Unit *unit, char **words)
{
    CocheckCall *call = new_call(unit, words[3], words[4]);

    call->through = find_place_in(unit, words[1]);
    call->is_marked = mark_called(words[2]) == COCHECK_COROUTINE;
    call->is_mixed = mark_called(words[2]) == COCHECK_MIXED;
    g_ptr_array_add(call->through->calls, call);
}

/* NAME PLACE LINE */
static void add_address(Unit *unit, char **words)
{
    CocheckPlace *place = find_place_in(unit, words[2]);
    CocheckFunction *local = find_local(unit, words[1]);

    if (local) {
        g_ptr_array_add(place->functions, local);
        return;
    }
    PendingAddress pending = { find_name(unit->graph, words[1]), place };
    g_array_append_val(unit->graph->pending_addresses, pending);
}

/* PLACE PLACE */
static void add_copy(Unit *unit, char **words)
{
    CocheckPlace *from = find_place_in(unit, words[1]);
    CocheckPlace *to = find_place_in(unit, words[2]);

    if (from != to && !g_ptr_array_find(from->copies, to, NULL)) {
        g_ptr_array_add(from->copies, to);
    }
}

/* NAME TARGET */
static void add_alias(Unit *unit, char **words)
{
    CocheckFunction *target = g_hash_table_lookup(unit->locals, words[2]);

    if (target) {
        g_ptr_array_add(find_name(unit->graph, words[1])->strong, target);
    }
}

static const struct {
    const char *word;
    unsigned n_words;
    void (*take)(Unit *unit, char **words);
    gboolean is_first; /* definitions are known before anything that uses them */
} rows_known[] = {
    { "function", 7, define, TRUE },      { "function", 7, enter_function, FALSE },
    { "declared", 3, declare, FALSE },    { "call", 4, add_call, FALSE },
    { "pointer", 5, add_pointer, FALSE }, { "taken", 4, add_address, FALSE },
    { "alias", 3, add_alias, FALSE },     { "copied", 3, add_copy, FALSE },
};

static void take_row(Unit *unit, char **words, gboolean is_first)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows_known); i++) {
        if (rows_known[i].is_first == is_first &&
            strcmp(words[0], rows_known[i].word) == 0 &&
            g_strv_length(words) == rows_known[i].n_words) {
            rows_known[i].take(unit, words);
        }
    }
}

static void add_unit(CocheckGraph *graph, const char *text)
{
    static unsigned n_units;
    Unit unit = { graph, g_strndup(text, strcspn(text, "\n")),
                  g_hash_table_new(g_str_hash, g_str_equal), NULL, n_units++ };
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (int is_first = TRUE; is_first >= FALSE; is_first--) {
        for (char **line = lines; *line; line++) {
            g_auto(GStrv) words = g_strsplit(*line, "\t", -1);
            if (words[0]) {
                take_row(&unit, words, is_first);
            }
        }
    }
    g_hash_table_unref(unit.locals);
    g_free(unit.source);
}

/* Linked with "ld -r", several units stand in one section. */
void cocheck_graph_add(CocheckGraph *graph, const char *rows)
{
    static const char beginning[] = "unit\t";

    for (const char *at = rows; at && *at;) {
        const char *next = strstr(at + 1, "\nunit\t");
        g_autofree char *text =
            next ? g_strndup(at, (gsize)(next + 1 - at)) : g_strdup(at);
        if (g_str_has_prefix(text, beginning) &&
            g_hash_table_add(graph->units, g_strdup(text))) {
            add_unit(graph, text + strlen(beginning));
        }
        at = next ? next + 1 : NULL;
    }
}

/* --- linking --------------------------------------------------------------------------- */

static const GPtrArray *meant_by(CocheckGraph *graph, const char *text, Name *name)
{
    if (name->strong->len > 0) {
        return name->strong;
    }
    if (name->weak->len == 0) {
        name->unknown = add_function(graph, text);
        g_ptr_array_add(name->weak, name->unknown);
    }
    return name->weak;
}

static void link_names(CocheckGraph *graph)
{
    GHashTableIter at;
    void *key, *value;

    g_hash_table_iter_init(&at, graph->names);
    while (g_hash_table_iter_next(&at, &key, &value)) {
        Name *name = value;
        const GPtrArray *meant = meant_by(graph, key, name);
        for (guint i = 0; i < meant->len; i++) {
            CocheckFunction *function = meant->pdata[i];
            if (function->mark == COCHECK_UNMARKED) {
                function->mark = name->mark;
            }
        }
    }
}

static const GPtrArray *targets_of(const Name *name)
{
    return name->strong->len > 0 ? name->strong : name->weak;
}

static void link_call(CocheckGraph *graph, CocheckCall *call, CocheckFunction *to)
{
    CocheckCall *linked = g_memdup2(call, sizeof(*call));

    linked->to = to;
    g_ptr_array_add(graph->all_calls, linked);
    attach(linked);
}

static void link_calls_by_name(CocheckGraph *graph)
{
    for (guint i = 0; i < graph->pending_calls->len; i++) {
        PendingCall *pending = &g_array_index(graph->pending_calls, PendingCall, i);
        const GPtrArray *targets = targets_of(pending->name);
        for (guint j = 0; j < targets->len; j++) {
            link_call(graph, pending->call, targets->pdata[j]);
        }
    }
}

static void link_addresses(CocheckGraph *graph)
{
    for (guint i = 0; i < graph->pending_addresses->len; i++) {
        PendingAddress *pending =
            &g_array_index(graph->pending_addresses, PendingAddress, i);
        const GPtrArray *targets = targets_of(pending->name);
        for (guint j = 0; j < targets->len; j++) {
            g_ptr_array_add(pending->place->functions, targets->pdata[j]);
        }
    }
}

/* What @from holds, @to holds as well; whether that is news. */
static gboolean copy_functions(const CocheckPlace *from, CocheckPlace *to)
{
    gboolean is_new = FALSE;

    for (guint i = 0; i < from->functions->len; i++) {
        if (!g_ptr_array_find(to->functions, from->functions->pdata[i], NULL)) {
            g_ptr_array_add(to->functions, from->functions->pdata[i]);
            is_new = TRUE;
        }
    }
    return is_new;
}

static void link_copies(CocheckGraph *graph)
{
    g_autoptr(GPtrArray) queue = g_ptr_array_new();

    for (guint i = 0; i < graph->all_places->len; i++) {
        g_ptr_array_add(queue, graph->all_places->pdata[i]);
    }
    for (guint at = 0; at < queue->len; at++) {
        const CocheckPlace *from = queue->pdata[at];
        for (guint i = 0; i < from->copies->len; i++) {
            if (copy_functions(from, from->copies->pdata[i])) {
                g_ptr_array_add(queue, from->copies->pdata[i]);
            }
        }
    }
}

/* Who is given a function to run it as a coroutine. */
static gboolean is_for_entries(const char *place)
{
    static const char *const ends[] = { "coroutine_create 0", "cpc_create 0",
                                        "cpc_spawn 0", "cpc_run 0" };

    if (!g_str_has_prefix(place, "parameter ")) {
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (g_str_has_suffix(place, ends[i])) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean has_marked_call(const CocheckPlace *place)
{
    for (guint i = 0; i < place->calls->len; i++) {
        const CocheckCall *call = place->calls->pdata[i];
        if (call->is_marked) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean is_vague(const CocheckPlace *place)
{
    return g_str_has_prefix(place->name, "type ");
}

/* Each function that is kept there may be what each call through it calls. */
static void link_function(CocheckGraph *graph, CocheckPlace *place,
                          CocheckFunction *function)
{
    gboolean is_for_coroutines =
        is_for_entries(place->name) || (!is_vague(place) && has_marked_call(place));

    if (is_for_coroutines) {
        function->entry_of = place;
    } else if (strcmp(place->name, "local") != 0 &&
               (is_vague(place) || place->calls->len + place->copies->len == 0)) {
        function->is_shown = TRUE;
    }
    for (guint i = 0; i < place->calls->len; i++) {
        link_call(graph, place->calls->pdata[i], function);
    }
}

static void link_place(CocheckGraph *graph, CocheckPlace *place, gboolean by_type)
{
    gboolean is_known = place->functions->len > 0 && (by_type || !is_vague(place));

    for (guint i = 0; i < place->functions->len; i++) {
        if (is_known) {
            link_function(graph, place, place->functions->pdata[i]);
        } else {
            ((CocheckFunction *)place->functions->pdata[i])->is_shown = TRUE;
        }
    }
    for (guint i = 0; !is_known && i < place->calls->len; i++) {
        CocheckCall *call = place->calls->pdata[i];
        if (call->is_marked) {
            link_call(graph, call, NULL);
        }
    }
}

/* What is called through a pointer of unknown origin: all that have its type. */
static void add_by_type(CocheckGraph *graph)
{
    g_autoptr(GPtrArray) taken = g_ptr_array_new();
    guint n = graph->all_places->len;

    for (guint i = 0; i < n; i++) {
        const CocheckPlace *place = graph->all_places->pdata[i];
        for (guint j = 0; j < place->functions->len; j++) {
            g_ptr_array_add(taken, place->functions->pdata[j]);
        }
    }
    for (guint j = 0; j < taken->len; j++) {
        CocheckFunction *function = taken->pdata[j];
        if (function->type) {
            g_autofree char *name = g_strdup_printf("type %s", function->type);
            CocheckPlace *place = find_place(graph, name);
            if (!g_ptr_array_find(place->functions, function, NULL)) {
                g_ptr_array_add(place->functions, function);
            }
        }
    }
}

void cocheck_graph_link(CocheckGraph *graph, gboolean by_type)
{
    link_names(graph);
    link_calls_by_name(graph);
    link_addresses(graph);
    link_copies(graph);
    if (by_type) {
        add_by_type(graph);
    }
    for (guint i = 0; i < graph->all_places->len; i++) {
        link_place(graph, graph->all_places->pdata[i], by_type);
    }
}

unsigned cocheck_graph_except(CocheckGraph *graph, const char *name)
{
    unsigned n = 0;

    for (guint i = 0; i < graph->functions->len; i++) {
        CocheckFunction *function = graph->functions->pdata[i];
        if (strcmp(function->name, name) == 0) {
            function->is_excepted = TRUE;
            n++;
        }
    }
    return n;
}
