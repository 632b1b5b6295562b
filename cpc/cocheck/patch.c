/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * Objects know where a function is defined but not where it is declared, so the sources
 * are read: at file scope, a name that is followed by a parenthesis and preceded by a
 * word or a star is a declaration, whatever stands around it.  The mark goes before the
 * name, which is where it means the function and not what it returns.
 *
 * No line is added or removed; so old and new text are compared line by line.
 */
#include "patch.h"

#include "closure.h"

#include <gio/gio.h>
#include <string.h>

#define CONTEXT      3
#define MAX_IF_DEPTH 64

typedef struct {
    const CocheckFunction *function;
    const char *mark;
    gboolean is_done;
} Wanted;

typedef struct {
    GHashTable *wanted; /* name -> GPtrArray of Wanted */
    gboolean is_fine;
} Patch;

/* --- what is wanted ------------------------------------------------------------------- */

static void free_list(void *list)
{
    g_ptr_array_unref(list);
}

static void want(GHashTable *wanted, const CocheckFunction *function, const char *mark)
{
    GPtrArray *list = g_hash_table_lookup(wanted, function->name);
    Wanted *one = g_new0(Wanted, 1);

    if (!list) {
        list = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(wanted, function->name, list);
    }
    one->function = function;
    one->mark = mark;
    g_ptr_array_add(list, one);
}

static GHashTable *all_wanted(CocheckGraph *graph)
{
    GHashTable *wanted =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_list);
    GPtrArray *functions = cocheck_graph_functions(graph);

    for (guint i = 0; i < functions->len; i++) {
        const CocheckFunction *function = functions->pdata[i];
        CocheckVerdict verdict = cocheck_judge(function);
        if (verdict == COCHECK_NEEDS_COROUTINE) {
            want(wanted, function, "coroutine_fn ");
        } else if (verdict == COCHECK_NEEDS_MIXED) {
            want(wanted, function, "coroutine_mixed_fn ");
        }
    }
    return wanted;
}

/* Objects know a file as the compiler was given it, from another folder perhaps. */
static gboolean is_same_file(const char *path, const char *compiled)
{
    while (g_str_has_prefix(compiled, "../") || g_str_has_prefix(compiled, "./")) {
        compiled = strchr(compiled, '/') + 1;
    }
    if (g_path_is_absolute(compiled)) {
        g_autofree char *canonical = g_canonicalize_filename(path, NULL);
        return strcmp(canonical, compiled) == 0;
    }
    gsize length = strlen(path), n = strlen(compiled);
    return length >= n && strcmp(path + length - n, compiled) == 0 &&
           (length == n || path[length - n - 1] == '/');
}

static Wanted *find_wanted(const Patch *patch, const char *name, const char *path)
{
    GPtrArray *list = g_hash_table_lookup(patch->wanted, name);

    for (guint i = 0; list && i < list->len; i++) {
        Wanted *one = list->pdata[i];
        if (!one->function->is_local || is_same_file(path, one->function->file)) {
            return one;
        }
    }
    return NULL;
}

/* --- reading C ------------------------------------------------------------------------- */

typedef struct {
    const Patch *patch;
    const char *path;
    const char *at;
    const char *copied; /* up to here the text is in @out */
    GString *out;
    int depth;                       /* of braces and parentheses */
    int depths[MAX_IF_DEPTH], n_ifs; /* each branch of an #if begins as the first did */
    const char *last;                /* word or character before, or NULL */
    gsize last_length;
} Scanner;

static gboolean is_word(char c)
{
    return g_ascii_isalnum(c) || c == '_';
}

static void skip_comment(Scanner *s)
{
    const char *end = s->at[1] == '/' ? strchr(s->at, '\n') : strstr(s->at + 2, "*/");

    s->at = !end ? s->at + strlen(s->at) : s->at[1] == '/' ? end : end + 2;
}

static void skip_quoted(Scanner *s)
{
    char quote = *s->at++;

    while (*s->at && *s->at != quote && *s->at != '\n') {
        s->at += s->at[0] == '\\' && s->at[1] ? 2 : 1;
    }
    s->at += *s->at == quote;
}

static void follow_condition(Scanner *s, const char *directive)
{
    if (g_str_has_prefix(directive, "if")) {
        if (s->n_ifs < MAX_IF_DEPTH) {
            s->depths[s->n_ifs] = s->depth;
        }
        s->n_ifs++;
    } else if (g_str_has_prefix(directive, "el") && s->n_ifs > 0 &&
               s->n_ifs <= MAX_IF_DEPTH) {
        s->depth = s->depths[s->n_ifs - 1];
    } else if (g_str_has_prefix(directive, "endif") && s->n_ifs > 0) {
        s->n_ifs--;
    }
}

static void skip_directive(Scanner *s)
{
    const char *directive = s->at + 1;

    directive += strspn(directive, " \t");
    follow_condition(s, directive);
    while (*s->at && *s->at != '\n') {
        if (g_str_has_prefix(s->at, "/*")) {
            skip_comment(s);
        } else {
            s->at += s->at[0] == '\\' && s->at[1] ? 2 : 1;
        }
    }
}

static gboolean is_last(const Scanner *s, const char *word)
{
    return s->last && s->last_length == strlen(word) &&
           memcmp(s->last, word, s->last_length) == 0;
}

/* "int f(" and "int *f(", but not "= f(" or "f(" at the beginning of a macro's use. */
static gboolean is_declared_here(const Scanner *s, const char *end)
{
    const char *next = end + strspn(end, " \t\n");

    return s->depth == 0 && *next == '(' && s->last &&
           (is_word(*s->last) || *s->last == '*') && !is_last(s, "coroutine_fn") &&
           !is_last(s, "coroutine_mixed_fn");
}

static void take_word(Scanner *s)
{
    const char *begin = s->at;

    while (is_word(*s->at)) {
        s->at++;
    }
    if (is_declared_here(s, s->at)) {
        g_autofree char *name = g_strndup(begin, (gsize)(s->at - begin));
        Wanted *wanted = find_wanted(s->patch, name, s->path);
        if (wanted) {
            g_string_append_len(s->out, s->copied, begin - s->copied);
            g_string_append(s->out, wanted->mark);
            s->copied = begin;
            wanted->is_done = TRUE;
        }
    }
    s->last = begin;
    s->last_length = (gsize)(s->at - begin);
}

static void take_character(Scanner *s)
{
    if (strchr("{(", *s->at)) {
        s->depth++;
    } else if (strchr("})", *s->at) && s->depth > 0) {
        s->depth--;
    }
    if (!g_ascii_isspace(*s->at)) {
        s->last = s->at;
        s->last_length = 1;
    }
    s->at++;
}

static gboolean begins_line(const Scanner *s, const char *text)
{
    const char *at = s->at;

    while (at > text && (at[-1] == ' ' || at[-1] == '\t')) {
        at--;
    }
    return at == text || at[-1] == '\n';
}

/* @text with the marks (caller frees). */
static char *add_marks(const Patch *patch, const char *path, const char *text)
{
    Scanner s = { .patch = patch,
                  .path = path,
                  .at = text,
                  .copied = text,
                  .out = g_string_new(NULL) };

    while (*s.at) {
        if (s.at[0] == '/' && (s.at[1] == '/' || s.at[1] == '*')) {
            skip_comment(&s);
        } else if (*s.at == '"' || *s.at == '\'') {
            skip_quoted(&s);
        } else if (*s.at == '#' && begins_line(&s, text)) {
            skip_directive(&s);
        } else if (is_word(*s.at)) {
            take_word(&s);
        } else {
            take_character(&s);
        }
    }
    g_string_append(s.out, s.copied);
    return g_string_free(s.out, FALSE);
}

/* --- the diff -------------------------------------------------------------------------- */

static gboolean is_changed(char **old, char **new, gsize line)
{
    return strcmp(old[line], new[line]) != 0;
}

/* One past the last line of the hunk that begins with the change at @first. */
static gsize end_of_hunk(char **old, char **new, gsize first, gsize n)
{
    gsize last = first;

    for (gsize i = first; i < n && i <= last + 2 * CONTEXT; i++) {
        if (is_changed(old, new, i)) {
            last = i;
        }
    }
    return MIN(last + 1 + CONTEXT, n);
}

static void print_hunk(char **old, char **new, gsize begin, gsize end)
{
    g_print("@@ -%zu,%zu +%zu,%zu @@\n", begin + 1, end - begin, begin + 1,
            end - begin);
    for (gsize i = begin; i < end; i++) {
        if (is_changed(old, new, i)) {
            g_print("-%s\n+%s\n", old[i], new[i]);
        } else {
            g_print(" %s\n", old[i]);
        }
    }
}

static void print_diff(const char *path, const char *old_text, const char *new_text)
{
    g_auto(GStrv) old = g_strsplit(old_text, "\n", -1);
    g_auto(GStrv) new = g_strsplit(new_text, "\n", -1);
    gsize n = g_strv_length(old);

    /* The last "line" is what follows the last newline: nothing. */
    n -= n > 0 && *old[n - 1] == '\0';
    g_print("--- a/%s\n+++ b/%s\n", path, path);
    for (gsize i = 0; i < n;) {
        if (!is_changed(old, new, i)) {
            i++;
            continue;
        }
        gsize end = end_of_hunk(old, new, i, n);
        print_hunk(old, new, i > CONTEXT ? i - CONTEXT : 0, end);
        i = end;
    }
}

/* --- files ----------------------------------------------------------------------------- */

static void patch_file(Patch *patch, const char *folder, const char *relative)
{
    g_autofree char *path = g_build_filename(folder, relative, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error)) {
        g_printerr("cocheck: %s\n", error->message);
        patch->is_fine = FALSE;
        return;
    }
    g_autofree char *marked = add_marks(patch, relative, text);
    if (strcmp(text, marked) != 0) {
        print_diff(relative, text, marked);
    }
}

static gboolean is_source(const char *name)
{
    return g_str_has_suffix(name, ".c") || g_str_has_suffix(name, ".h") ||
           g_str_has_suffix(name, ".inc");
}

static void patch_folder(Patch *patch, const char *folder, const char *relative)
{
    g_autofree char *path = g_build_filename(folder, relative, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
    const char *name;

    if (!dir) {
        g_printerr("cocheck: %s\n", error->message);
        patch->is_fine = FALSE;
        return;
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *inner =
            *relative ? g_build_filename(relative, name, NULL) : g_strdup(name);
        g_autofree char *inner_path = g_build_filename(folder, inner, NULL);
        if (g_file_test(inner_path, G_FILE_TEST_IS_SYMLINK) || *name == '.') {
            continue;
        }
        if (g_file_test(inner_path, G_FILE_TEST_IS_DIR)) {
            patch_folder(patch, folder, inner);
        } else if (is_source(name)) {
            patch_file(patch, folder, inner);
        }
    }
}

static void name_the_rest(const Patch *patch)
{
    GHashTableIter at;
    void *key, *value;

    g_hash_table_iter_init(&at, patch->wanted);
    while (g_hash_table_iter_next(&at, &key, &value)) {
        const GPtrArray *list = value;
        const Wanted *one = list->pdata[0];
        if (!one->is_done) {
            g_printerr(
                "cocheck: '%s' (%s:%u) is not in the sources: made by a macro or a "
                "generator? It needs %s\n",
                one->function->name, one->function->file, one->function->line,
                one->mark);
        }
    }
}

gboolean cocheck_print_patch(CocheckGraph *graph, const char *folder)
{
    Patch patch = { all_wanted(graph), TRUE };

    patch_folder(&patch, folder, "");
    name_the_rest(&patch);
    g_hash_table_unref(patch.wanted);
    return patch.is_fine;
}
