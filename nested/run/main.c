/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ostler-nested - run the rulebook of nested virtualization, or any kvm-unit-tests flat
 *
 * Exit status: 0 nothing unexpected, 1 something was, 2 the command line is wrong,
 * 77 no engine for it is installed.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "known.h"
#include "report.h"
#include "rule.h"
#include "session.h"

#define EXIT_USAGE      2
#define EXIT_NO_ENGINE  77
#define DEFAULT_STALL_S 60

typedef struct {
    char *engine;
    char *cpu;
    char *flats; /* where svm.flat and vmx.flat are */
    char *known; /* where the lists of known failures are */
    char *mutation;
    char *state; /* of the fuzzer: numbers of changes */
    char *junit;
    char *html;
    gboolean tap;
    gboolean verbose;
    gboolean json; /* check's answer */
    char *root;    /* of the host that check looks at */
    gboolean cve;  /* only the rules that a CVE made necessary */
    int stall_s;
    gint64 seed, count;
} Options;

static Options options = { .stall_s = DEFAULT_STALL_S, .seed = 1, .count = 100000 };

typedef struct {
    const char *engine, *flat;
    const char *cpu; /* NULL: the engine's choice for the flat */
} Pair;

/* What a rulebook runs on when nothing else is asked for. */
static const Pair pairs[] = {
    { "tcg", "svm", NULL },
    { "bochs", "svm", NULL },
    { "bochs", "vmx", NULL },
    /* Of Bochs' models the first with monitor trap flag. */
    { "bochs", "vmx", "tigerlake" },
};

/* KVM runs what the host's CPU is; the flat skips what it is not. */
static const Pair kvm_pairs[] = {
    { "kvm", "svm", NULL },
    { "kvm", "vmx", NULL },
};

typedef struct {
    GPtrArray *runs;  /* Run */
    GPtrArray *rules; /* Rule */
    GPtrArray *lists; /* Known: causes are borrowed from them */
} Book;

static void book_clear(Book *book)
{
    g_ptr_array_unref(book->runs);
    g_ptr_array_unref(book->rules);
    g_ptr_array_unref(book->lists);
}

static int refuse(GError *error)
{
    g_printerr("ostler-nested: %s\n", error->message);
    g_error_free(error);
    return EXIT_FAILURE;
}

static bool is_ours(const char *flat)
{
    return !g_str_has_suffix(flat, ".flat");
}

static bool is_rulebook(const char *word)
{
    return strcmp(word, "svm") == 0 || strcmp(word, "vmx") == 0;
}

static char *flat_path(const char *flat)
{
    g_autofree char *file = g_strconcat(flat, ".flat", NULL);

    return is_ours(flat) ? g_build_filename(options.flats, file, NULL) : g_strdup(flat);
}

static bool apply_known(Book *book, const Run *run, const char *engine,
                        const char *version, GError **error)
{
    g_autofree char *path = g_build_filename(options.known, engine, NULL);
    Known *known = known_load(path, version, error);

    if (!known) {
        return false;
    }
    g_ptr_array_add(book->lists, known);
    known_apply(known, run->verdicts);
    return true;
}

static gboolean has_id(gconstpointer rule, gconstpointer other)
{
    return strcmp(((const Rule *)rule)->id, ((const Rule *)other)->id) == 0;
}

/* A foreign flat has no list: what it ran is all there is to know. */
static bool add_foreign_rules(Book *book, const Run *run)
{
    for (unsigned i = 0; i < run->verdicts->len; i++) {
        const Verdict *verdict = run->verdicts->pdata[i];
        g_ptr_array_add(book->rules, rule_of_foreign(verdict->rule));
    }
    return true;
}

/* Those of @config's flat, unless an earlier run has brought them. */
static bool add_rules(Book *book, const SessionConfig *config, GError **error)
{
    GPtrArray *rules = session_list(config, error);

    if (!rules) {
        return false;
    }
    bool is_new = rules->len && !g_ptr_array_find_with_equal_func(
                                    book->rules, rules->pdata[0], has_id, NULL);
    if (is_new) {
        g_ptr_array_extend_and_steal(book->rules, rules);
    } else {
        g_ptr_array_unref(rules);
    }
    return true;
}

/* "2.7", or "2.7/tigerlake" when that model was asked for: known failures have it too. */
static char *version_of(const char *version, const char *cpu)
{
    return cpu ? g_strdup_printf("%s/%s", version, cpu) : g_strdup(version);
}

static char *reproducer(const Pair *pair, const char *cpu)
{
    return g_strdup_printf("ostler-nested run --engine %s%s%s %s %%s", pair->engine,
                           cpu ? " --cpu " : "", cpu ? cpu : "", pair->flat);
}

/* Run @pair and add what came out; a missing engine adds nothing. */
static bool add_run(Book *book, const Pair *pair, const char *const *choices,
                    GError **error)
{
    const Engine *engine = engine_find(pair->engine);
    const char *cpu = options.cpu ? options.cpu : pair->cpu;
    g_autofree char *path = flat_path(pair->flat);
    g_autofree char *lack = NULL;
    g_autofree char *number = engine_version(engine, &lack);
    SessionConfig config = { engine,           path,    cpu,
                             options.mutation, choices, (unsigned)options.stall_s,
                             options.cve };
    unsigned n_boots;

    if (!number) {
        g_printerr("%s on %s: not run, %s\n", pair->flat, pair->engine, lack);
        return true;
    }

    GPtrArray *verdicts = session_run(&config, &n_boots, error);
    if (!verdicts) {
        return false;
    }
    g_autofree char *version = version_of(number, cpu);
    Run *run = run_new();
    g_ptr_array_unref(run->verdicts);
    run->verdicts = verdicts;
    run->title = g_strdup_printf("%s on %s %s", pair->flat, pair->engine, version);
    run->command = reproducer(pair, cpu);
    g_ptr_array_add(book->runs, run);

    bool is_known_wanted = is_ours(pair->flat) && !options.mutation;
    return (!is_known_wanted || apply_known(book, run, pair->engine, version, error)) &&
           (!options.html || (is_ours(pair->flat) ? add_rules(book, &config, error)
                                                  : add_foreign_rules(book, run)));
}

static bool is_wanted(const Pair *pair, const char *flat)
{
    return (!options.engine || strcmp(options.engine, pair->engine) == 0) &&
           (!flat || strcmp(flat, pair->flat) == 0) && (!options.cpu || !pair->cpu);
}

static bool run_pairs(Book *book, const char *flat, const char *const *choices,
                      GError **error)
{
    bool is_kvm = options.engine && strcmp(options.engine, "kvm") == 0;
    const Pair *from = is_kvm ? kvm_pairs : pairs;
    unsigned n_pairs = is_kvm ? G_N_ELEMENTS(kvm_pairs) : G_N_ELEMENTS(pairs);
    bool is_any = false;

    for (unsigned i = 0; i < n_pairs; i++) {
        if (!is_wanted(&from[i], flat)) {
            continue;
        }
        is_any = true;
        if (!add_run(book, &from[i], choices, error)) {
            return false;
        }
    }
    if (is_any) {
        return true;
    }
    /* A flat of somebody else's, or one of ours where it has nothing to say. */
    const Pair asked = { options.engine ? options.engine : "tcg", flat ? flat : "svm",
                         NULL };
    return add_run(book, &asked, choices, error);
}

static bool write_report(const char *path, const Book *book, bool is_html,
                         GError **error)
{
    g_autofree char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (is_html) {
        report_html(to, book->runs, book->rules);
    } else {
        report_junit(to, book->runs);
    }
    fclose(to);
    return g_file_set_contents(path, text, (gssize)size, error);
}

static int print_book(const Book *book)
{
    unsigned n_news = 0;
    g_autoptr(GError) error = NULL;

    if (options.tap) {
        report_tap(stdout, book->runs);
    }
    for (unsigned r = 0; r < book->runs->len; r++) {
        const Run *run = book->runs->pdata[r];
        Counts counts = report_count(run->verdicts);
        n_news += counts.failed + counts.unexpected;
        if (!options.tap) {
            report_text(stdout, run, options.verbose);
        }
    }
    if ((options.junit && !write_report(options.junit, book, false, &error)) ||
        (options.html && !write_report(options.html, book, true, &error))) {
        return refuse(g_steal_pointer(&error));
    }
    return n_news ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* run [FLAT] [RULE...] */
static int command_run(char **words)
{
    Book book = { g_ptr_array_new_with_free_func(run_free),
                  g_ptr_array_new_with_free_func(rule_free),
                  g_ptr_array_new_with_free_func((GDestroyNotify)known_free) };
    GError *error = NULL;
    const char *flat = NULL;

    if (*words && (is_rulebook(*words) || !is_ours(*words))) {
        flat = *words++;
    }
    int status =
        run_pairs(&book, flat, *words ? (const char *const *)words : NULL, &error)
            ? print_book(&book)
            : refuse(error);
    if (status == EXIT_SUCCESS && book.runs->len == 0) {
        status = EXIT_NO_ENGINE;
    }
    book_clear(&book);
    return status;
}

/* Under each mutation every rule that ran must fail; says the proportion that did. */
static bool mutate(const char *mutation, const char *const *choices, GError **error)
{
    Book book = { g_ptr_array_new_with_free_func(run_free),
                  g_ptr_array_new_with_free_func(rule_free),
                  g_ptr_array_new_with_free_func((GDestroyNotify)known_free) };
    bool is_caught = true;

    options.mutation = (char *)mutation;
    bool is_run = run_pairs(&book, NULL, choices, error);
    for (unsigned r = 0; is_run && r < book.runs->len; r++) {
        const Run *run = book.runs->pdata[r];
        Counts counts = report_count(run->verdicts);
        unsigned n_run = run->verdicts->len - counts.skipped;
        printf("%s, %s: %u of %u rules caught it (%.1f %%)\n", run->title, mutation,
               counts.failed, n_run, n_run ? 100.0 * counts.failed / n_run : 0);
        for (unsigned i = 0; i < run->verdicts->len; i++) {
            const Verdict *verdict = run->verdicts->pdata[i];
            if (verdict->kind == VERDICT_PASS) {
                printf("  cannot fail: %s\n", verdict->rule);
                is_caught = false;
            }
        }
    }
    book_clear(&book);
    return is_run && is_caught;
}

static int command_mutate(char **words)
{
    const char *const *choices = *words ? (const char *const *)words : NULL;
    GError *error = NULL;
    bool is_caught = mutate("setup", choices, &error);

    is_caught = !error && mutate("expectation", choices, &error) && is_caught;
    if (error) {
        return refuse(error);
    }
    return is_caught ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A line each: "id<tab>cites<tab>says<tab>confirmed<tab>boot<tab>cve". */
static bool list_flat(const char *flat, const char *const *choices,
                      unsigned *n_unconfirmed, unsigned *n_rules, GError **error)
{
    g_autofree char *path = flat_path(flat);
    SessionConfig config = { .engine = engine_find("tcg"),
                             .flat = path,
                             .cpu = options.cpu,
                             .choices = choices,
                             .stall_s = (unsigned)options.stall_s,
                             .is_cve = options.cve };
    g_autoptr(GPtrArray) rules = session_list(&config, error);

    for (unsigned i = 0; rules && i < rules->len; i++) {
        const Rule *rule = rules->pdata[i];
        printf("%s\t%s\t%s\t%s\t%s\t%s\n", rule->id, rule->cites, rule->says,
               rule->is_confirmed ? "confirmed" : "unconfirmed", rule->boot, rule->cve);
        *n_unconfirmed += !rule->is_confirmed;
        ++*n_rules;
    }
    return rules != NULL;
}

/* list [svm|vmx] [RULE...]: and a count after "#". */
static int command_list(char **words)
{
    static const char *const flats[] = { "svm", "vmx" };
    const char *asked = *words && is_rulebook(*words) ? *words++ : NULL;
    const char *const *choices = *words ? (const char *const *)words : NULL;
    unsigned n_unconfirmed = 0, n_rules = 0;
    GError *error = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(flats); i++) {
        if (asked && strcmp(asked, flats[i]) != 0) {
            continue;
        }
        if (!list_flat(flats[i], choices, &n_unconfirmed, &n_rules, &error)) {
            return refuse(error);
        }
    }
    printf("# %u rules, %u of them with a citation that is not confirmed\n", n_rules,
           n_unconfirmed);
    return EXIT_SUCCESS;
}

/* Fuzz on @pair and add what it found; a missing engine adds nothing. */
static bool add_fuzz(GPtrArray *runs, GPtrArray *lists, const Pair *pair,
                     GError **error)
{
    const Engine *engine = engine_find(pair->engine);
    const char *cpu = options.cpu ? options.cpu : pair->cpu;
    g_autofree char *path = flat_path(pair->flat);
    g_autofree char *lack = NULL;
    g_autofree char *number = engine_version(engine, &lack);
    FuzzConfig config = { engine,
                          path,
                          cpu,
                          pair->flat,
                          options.state,
                          (uint64_t)options.seed,
                          (uint64_t)options.count,
                          (unsigned)options.stall_s };

    if (!number) {
        g_printerr("%s on %s: not run, %s\n", pair->flat, pair->engine, lack);
        return true;
    }
    g_autofree char *version = version_of(number, cpu);
    g_autofree char *known_path = g_build_filename(options.known, pair->engine, NULL);
    Known *known = known_load(known_path, version, error);
    if (!known) {
        return false;
    }
    g_ptr_array_add(lists, known);
    FuzzRun *run = fuzz_run(&config, error);
    if (!run) {
        return false;
    }
    run->title = g_strdup_printf("%s on %s %s", pair->flat, pair->engine, version);
    run->command =
        g_strdup_printf("ostler-nested --engine %s%s%s fuzz %s --state", pair->engine,
                        cpu ? " --cpu " : "", cpu ? cpu : "", pair->flat);
    fuzz_apply_known(run, known);
    g_ptr_array_add(runs, run);
    return true;
}

/* fuzz [FLAT]: the same states on every engine, and what they and the model disagree
 * about.  A disagreement that is not known yet is a failure. */
static int command_fuzz(char **words)
{
    const char *flat = *words ? *words : "svm";
    bool is_kvm = options.engine && strcmp(options.engine, "kvm") == 0;
    const Pair *from = is_kvm ? kvm_pairs : pairs;
    unsigned n_pairs = is_kvm ? G_N_ELEMENTS(kvm_pairs) : G_N_ELEMENTS(pairs);
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func(fuzz_run_free);
    g_autoptr(GPtrArray) lists =
        g_ptr_array_new_with_free_func((GDestroyNotify)known_free);
    GError *error = NULL;

    for (unsigned i = 0; i < n_pairs; i++) {
        if (is_wanted(&from[i], flat) && !add_fuzz(runs, lists, &from[i], &error)) {
            return refuse(error);
        }
    }
    if (runs->len == 0) {
        return EXIT_NO_ENGINE;
    }
    return fuzz_vote(stdout, runs) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Entries as kvm-unit-tests' x86/unittests.cfg has them; its runner skips what the
 * accelerator or the CPU cannot do, and the flats skip the rest. */
static int command_unittests_cfg(char **words)
{
    static const struct {
        const char *name, *flat, *cpu, *append;
        unsigned n_cpus;
    } entries[] = {
        { "svm", "svm", "max,+svm", "", 1 },
        { "svm_smp", "svm", "max,+svm", " -append boot=smp", 2 },
        { "vmx", "vmx", "max,+vmx", "", 1 },
        { "vmx_smp", "vmx", "max,+vmx", " -append boot=smp", 2 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(entries); i++) {
        printf("[ostler_%s]\nfile = %s.flat\nsmp = %u\n"
               "extra_params = -cpu %s -m 256%s\n"
               "arch = x86_64\ngroups = ostler nested\ntimeout = 120\n\n",
               entries[i].name, entries[i].flat, entries[i].n_cpus, entries[i].cpu,
               entries[i].append);
    }
    return EXIT_SUCCESS;
}

static int command_check(char **words)
{
    static const int codes[] = { [CHECK_TRUSTED] = EXIT_SUCCESS,
                                 [CHECK_NOT] = EXIT_FAILURE,
                                 [CHECK_UNKNOWN] = EXIT_NO_ENGINE };
    const CheckConfig config = { options.root ? options.root : "/", options.flats,
                                 options.json };
    GError *error = NULL;
    CheckAnswer answer = check_host(&config, &error);

    return error ? refuse(error) : codes[answer];
}

static const struct {
    const char *name;
    int (*run)(char **words);
    const char *arguments, *help;
} commands[] = {
    { "run", command_run, "[svm|vmx|FILE.flat] [RULE...]",
      "a verdict per rule; RULE is an id or its beginning" },
    { "mutate", command_mutate, "[RULE...]",
      "show that every rule can fail: leave its change out, turn its expectation "
      "round" },
    { "fuzz", command_fuzz, "[svm|vmx]",
      "vote on random states: the model of the manual, and each engine" },
    { "list", command_list, "[svm|vmx] [RULE...]",
      "every rule with its place in the manual" },
    { "check", command_check, "", "can this host be trusted to run nested guests?" },
    { "unittests-cfg", command_unittests_cfg, "",
      "kvm-unit-tests' entries for our flats" },
};

static char *summary(void)
{
    GString *text = g_string_new("Commands:\n");

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_string_append_printf(text, "  %-13s %-30s %s\n", commands[i].name,
                               commands[i].arguments, commands[i].help);
    }
    return g_string_free(text, FALSE);
}

static bool parse(int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        { "engine", 'e', 0, G_OPTION_ARG_STRING, &options.engine,
          "tcg, bochs or kvm (default: all but kvm)", "NAME" },
        { "cpu", 0, 0, G_OPTION_ARG_STRING, &options.cpu, "the engine's CPU model",
          "MODEL" },
        { "flats", 0, 0, G_OPTION_ARG_FILENAME, &options.flats,
          "where svm.flat and vmx.flat are", "FOLDER" },
        { "known", 0, 0, G_OPTION_ARG_FILENAME, &options.known,
          "where the lists of known failures are", "FOLDER" },
        { "mutate", 0, 0, G_OPTION_ARG_STRING, &options.mutation,
          "break the rules on purpose: setup or expectation", "HOW" },
        { "tap", 0, 0, G_OPTION_ARG_NONE, &options.tap, "print TAP", NULL },
        { "junit", 0, 0, G_OPTION_ARG_FILENAME, &options.junit, "write JUnit XML",
          "FILE" },
        { "html", 0, 0, G_OPTION_ARG_FILENAME, &options.html,
          "write a matrix of rules and engines", "FILE" },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options.verbose,
          "print what passed as well", NULL },
        { "cve", 0, 0, G_OPTION_ARG_NONE, &options.cve,
          "only rules with the shape of a known CVE", NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &options.json,
          "check: answer with one JSON value", NULL },
        { "root", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &options.root,
          "check: the host whose /proc, /sys and /dev are below FOLDER", "FOLDER" },
        { "stall", 0, 0, G_OPTION_ARG_INT, &options.stall_s,
          "seconds of silence that count as a hang (60)", "N" },
        { "seed", 0, 0, G_OPTION_ARG_INT64, &options.seed,
          "which states to fuzz with (1)", "N" },
        { "count", 0, 0, G_OPTION_ARG_INT64, &options.count,
          "how many states to fuzz with (100000)", "N" },
        { "state", 0, 0, G_OPTION_ARG_STRING, &options.state,
          "fuzz with this state alone, by the numbers of its changes", "N,N" },
        { NULL },
    };
    g_autofree char *commands_help = summary();
    g_autoptr(GOptionContext) context = g_option_context_new("COMMAND ...");

    g_option_context_set_summary(context, commands_help);
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, error);
}

/* Installed, from this program's own folder; @built otherwise. */
static char *find_folder(const char *from_bin, const char *built)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
    g_autofree char *installed =
        folder ? g_build_filename(folder, from_bin, NULL) : NULL;

    return installed && g_file_test(installed, G_FILE_TEST_IS_DIR)
               ? g_steal_pointer(&installed)
               : g_strdup(built);
}

int main(int argc, char **argv)
{
    GError *error = NULL;

    if (!parse(&argc, &argv, &error)) {
        refuse(error);
        return EXIT_USAGE;
    }
    if (options.engine && !engine_find(options.engine)) {
        g_autofree char *names = engine_names();
        g_printerr("ostler-nested: no engine '%s'; there are %s\n", options.engine,
                   names);
        return EXIT_USAGE;
    }
    if (!options.flats) {
        options.flats = find_folder(OSTLER_FLATS_FROM_BIN, OSTLER_FLATS_DIR);
    }
    if (!options.known) {
        options.known = find_folder(OSTLER_KNOWN_FROM_BIN, OSTLER_KNOWN_DIR);
    }
    for (unsigned i = 0; argc > 1 && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argv + 2);
        }
    }
    g_printerr("ostler-nested: %s; see --help\n",
               argc > 1 ? "no such command" : "a command is missing");
    return EXIT_USAGE;
}
