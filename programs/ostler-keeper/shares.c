/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Shares are known to the guest by labels, which must differ; a definition's titles and
 * folder names need not.  So each share is given its label once, and keeps it.
 *
 * A guest without a share has no USB device for them either.  The first that is attached
 * plugs the device in, and ostler-mtp starts with that share as its own.  Those after it
 * are lent.  When ostler-mtp dies its lenders end as well.  The next one has all shares for
 * its own, so that their objects keep their handles; unless a share is just being attached
 * or detached: then the lenders are started again, and one that comes too early is started
 * once more by its side (side.h).
 */
#define G_LOG_DOMAIN "ostler-keeper"

#include "shares.h"

#include <string.h>

#include "guest/running/place.h"
#include "guest/store.h"
#include "sides.h"

#define ATTACH_TIMEOUT_MS 10000
/* An ostler-mtp that is being started is not there for the first of its callers. */
#define MAX_FAILURES 4

typedef struct {
    Keeper *keeper;
    char *name;
    char *label;
    OstlerSide *side;
    bool is_attached;
    unsigned n_failures;
    CoEvent settled; /* one of the two */
} Lender;

struct KeeperShares {
    GPtrArray *lenders; /* Lender */
    GHashTable *labels; /* a share's name -> what the guest calls it */
    CoMutex changing;   /* one at a time is attached, detached or listed */
    bool is_changing;   /* it is held */
    json_object *said;  /* the answer to --list, until it is taken */
    CoEvent has_said;
};

static void free_lender(void *opaque)
{
    Lender *lender = opaque;

    g_free(lender->name);
    g_free(lender->label);
    g_free(lender);
}

KeeperShares *keeper_shares_new(void)
{
    KeeperShares *shares = g_new0(KeeperShares, 1);

    shares->lenders = g_ptr_array_new_with_free_func(free_lender);
    shares->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return shares;
}

void keeper_shares_free(KeeperShares *shares)
{
    g_assert(shares->lenders->len == 0);
    g_ptr_array_unref(shares->lenders);
    g_hash_table_unref(shares->labels);
    json_object_put(shares->said);
    g_free(shares);
}

static void coroutine_fn begin_change(Keeper *keeper)
{
    cpc_mutex_lock(&keeper->shares->changing);
    keeper->shares->is_changing = true;
}

static void coroutine_fn end_change(Keeper *keeper)
{
    keeper->shares->is_changing = false;
    cpc_mutex_unlock(&keeper->shares->changing);
}

static Lender *find_lender(const Keeper *keeper, const char *name)
{
    for (guint i = 0; i < keeper->shares->lenders->len; i++) {
        Lender *lender = g_ptr_array_index(keeper->shares->lenders, i);
        if (strcmp(lender->name, name) == 0) {
            return lender;
        }
    }
    return NULL;
}

/* ---- labels and words ---- */

static bool is_label_taken(const KeeperShares *shares, const char *label)
{
    GHashTableIter iter;
    void *taken;

    g_hash_table_iter_init(&iter, shares->labels);
    while (g_hash_table_iter_next(&iter, NULL, &taken)) {
        if (strcmp(taken, label) == 0) {
            return true;
        }
    }
    return false;
}

/* What the guest calls the share: its title, or its folder's name, if no other has it. */
static const char *label_of(const Keeper *keeper, const OstlerSection *share)
{
    KeeperShares *shares = keeper->shares;
    const char *name = ostler_section_label(share);
    const char *label = g_hash_table_lookup(shares->labels, name);

    if (label) {
        return label;
    }
    const char *title = ostler_section_get(share, "title");
    g_autofree char *folder = g_path_get_basename(ostler_section_get(share, "path"));
    const char *wish = title ? title : folder;
    char *given = is_label_taken(shares, wish) ? g_strdup_printf("%s (%s)", wish, name)
                                               : g_strdup(wish);
    g_hash_table_insert(shares->labels, g_strdup(name), given);
    return given;
}

/* The keys of a definition that are words of ostler-mtp as well. */
static const char *const limits[] = { "quota", "quota-objects", "reserve" };

static void append_limits(GString *words, const OstlerSection *share)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (ostler_section_has(share, limits[i])) {
            g_string_append_printf(words, ",%s=%s", limits[i],
                                   ostler_section_get(share, limits[i]));
        }
    }
}

/* What ostler-mtp's --share and --attach want. */
static char *words_of(const Keeper *keeper, const OstlerSection *share)
{
    GString *words = g_string_new(label_of(keeper, share));

    g_string_append_printf(words, "=%s%s", ostler_section_get(share, "path"),
                           ostler_section_get_bool(share, "readonly") ? ",readonly"
                                                                      : "");
    append_limits(words, share);
    return g_string_free(words, FALSE);
}

static char *control_path(const Keeper *keeper)
{
    return ostler_run_path(keeper->config->name, "shares-control.sock");
}

/* ---- ostler-mtp ---- */

/* Whoever else stops lenders meanwhile does not see this one any more. */
static void coroutine_fn stop_lender(Keeper *keeper, Lender *lender)
{
    guint index;

    if (g_ptr_array_find(keeper->shares->lenders, lender, &index)) {
        g_ptr_array_steal_index(keeper->shares->lenders, index);
    }
    ostler_side_stop(lender->side);
    free_lender(lender);
}

void coroutine_fn keeper_stop_lending(Keeper *keeper)
{
    while (keeper->shares->lenders->len > 0) {
        stop_lender(keeper, g_ptr_array_index(keeper->shares->lenders, 0));
    }
}

/* An ostler-mtp that is to be started can have the shares that were lent to the last. */
static void coroutine_fn take_over(Keeper *keeper)
{
    if (!keeper->shares->is_changing) {
        begin_change(keeper);
        keeper_stop_lending(keeper);
        end_change(keeper);
    }
}

/* The guest's QEMU has the device; there may be no share in it just now. */
bool keeper_wants_mtp(const Keeper *keeper)
{
    g_autofree char *path = ostler_run_path(keeper->config->name, "shares.sock");

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

OstlerProcess *coroutine_fn keeper_start_mtp(void *opaque, GError **error)
{
    Keeper *keeper = opaque;
    g_autofree char *path = ostler_run_path(keeper->config->name, "shares.sock");
    g_autoptr(GPtrArray) argv = keeper_argv_new("ostler-mtp");

    take_over(keeper);
    /* It calls QEMU itself: a channel of ours, once freed, would be shut for both. */
    keeper_argv_add(argv, "--connect", g_strdup(path));
    keeper_argv_add(argv, "--control", control_path(keeper));
    keeper_argv_add(argv, "--state",
                    ostler_run_handles_path(keeper->config->name,
                                            ostler_store_has(keeper->config->name)));
    for (OstlerSection *share = ostler_definition_first(keeper->definition, "share");
         share; share = ostler_section_next(share, "share")) {
        if (!find_lender(keeper, ostler_section_label(share))) {
            keeper_argv_add(argv, "--share", words_of(keeper, share));
        }
    }
    return keeper_start_side(keeper, argv, NULL, 0, NULL, error);
}

/* ---- lenders ---- */

/* "attached LABEL": the guest can see the share. */
static void take_word(Keeper *keeper, const char *line, size_t size)
{
    g_autofree char *text = g_strndup(line, size);

    for (guint i = 0; i < keeper->shares->lenders->len; i++) {
        Lender *lender = g_ptr_array_index(keeper->shares->lenders, i);
        if (g_str_has_prefix(text, "attached ") &&
            strcmp(text + strlen("attached "), lender->label) == 0) {
            lender->is_attached = true;
            cpc_event_set(&lender->settled);
        }
    }
}

static OstlerProcess *coroutine_fn start_lender(void *opaque, GError **error)
{
    const Lender *lender = opaque;
    Keeper *keeper = lender->keeper;
    const OstlerSection *share =
        ostler_definition_find(keeper->definition, "share", lender->name);
    g_autoptr(GPtrArray) argv = keeper_argv_new("ostler-mtp");

    if (!share) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "The share is gone");
        return NULL;
    }
    keeper_argv_add(argv, "--attach", words_of(keeper, share));
    keeper_argv_add(argv, "--to", control_path(keeper));
    return keeper_start_side(keeper, argv, NULL, 0, take_word, error);
}

static void report_lender(const char *name, const char *what, void *opaque)
{
    Lender *lender = opaque;

    lender->n_failures++;
    cpc_event_set(&lender->settled);
    keeper_report_side(lender->keeper, name, what);
}

static const OstlerSideOps lender_ops = { start_lender, report_lender };

/* Start a lender for @share and wait until it has done its errand. */
static bool coroutine_fn lend(Keeper *keeper, const OstlerSection *share,
                              GError **error)
{
    Lender *lender = g_new0(Lender, 1);
    g_autofree char *side_name =
        g_strdup_printf("ostler-mtp for '%s'", ostler_section_label(share));

    lender->keeper = keeper;
    lender->name = g_strdup(ostler_section_label(share));
    lender->label = g_strdup(label_of(keeper, share));
    g_ptr_array_add(keeper->shares->lenders, lender);
    lender->side = ostler_side_new(side_name, &lender_ops, lender);
    while (!lender->is_attached && lender->n_failures < MAX_FAILURES &&
           cpc_event_wait(&lender->settled, ATTACH_TIMEOUT_MS)) {
    }
    if (lender->is_attached) {
        return true;
    }
    g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_FAILED,
                "The share '%s' was not attached; 'ostler log' says why", lender->name);
    stop_lender(keeper, lender);
    return false;
}

void keeper_describe_lenders(const Keeper *keeper, json_object *list)
{
    for (guint i = 0; i < keeper->shares->lenders->len; i++) {
        const Lender *lender = g_ptr_array_index(keeper->shares->lenders, i);
        json_object_array_add(list, keeper_describe_side(lender->side));
    }
}

/* ---- the device ---- */

static bool coroutine_fn run_qmp(Keeper *keeper, const char *command,
                                 json_object *arguments, GError **error)
{
    g_autoptr(json_object) answer = keeper_execute(keeper, command, arguments, error);

    return answer != NULL;
}

/* QAPI ChardevSocket; the path is relative to QEMU's working directory, the guest's. */
static json_object *chardev_json(void)
{
    json_object *data =
        ostler_json_object("path", json_object_new_string("shares.sock"), NULL);
    json_object *address =
        ostler_json_object("type", json_object_new_string("unix"), "data", data, NULL);
    json_object *socket =
        ostler_json_object("addr", address, "server", json_object_new_boolean(true),
                           "wait", json_object_new_boolean(false), NULL);
    json_object *backend = ostler_json_object("type", json_object_new_string("socket"),
                                              "data", socket, NULL);

    return ostler_json_object("id", json_object_new_string("shares"), "backend",
                              backend, NULL);
}

static json_object *device_json(const char *driver, const char *id)
{
    return ostler_json_object("driver", json_object_new_string(driver), "id",
                              json_object_new_string(id), NULL);
}

/* A machine without a USB controller may take one where PCI is hot-pluggable. */
static bool coroutine_fn add_device(Keeper *keeper, GError **error)
{
    json_object *device = device_json("usb-redir", "share");

    json_object_object_add(device, "chardev", json_object_new_string("shares"));
    if (run_qmp(keeper, "device_add", json_object_get(device), error)) {
        json_object_put(device);
        return true;
    }
    if (!run_qmp(keeper, "device_add", device_json("qemu-xhci", "share-usb"), NULL)) {
        json_object_put(device);
        return false;
    }
    g_clear_error(error);
    return run_qmp(keeper, "device_add", device, error);
}

static bool coroutine_fn plug_in(Keeper *keeper, GError **error)
{
    if (!run_qmp(keeper, "chardev-add", chardev_json(), error)) {
        return false;
    }
    if (add_device(keeper, error)) {
        return true;
    }
    g_prefix_error(error, "The guest has no place for a USB device: ");
    run_qmp(keeper, "chardev-remove",
            ostler_json_object("id", json_object_new_string("shares"), NULL), NULL);
    return false;
}

/* ---- attach and detach ---- */

static OstlerSection *add_section(Keeper *keeper, const KeeperShare *share,
                                  GError **error)
{
    OstlerSection *section =
        ostler_definition_add(keeper->definition, "share", share->name, error);

    if (!section) {
        return NULL;
    }
    if (!ostler_section_set(section, "path", share->path, error) ||
        (share->title && !ostler_section_set(section, "title", share->title, error)) ||
        (share->is_readonly &&
         !ostler_section_set(section, "readonly", "yes", error))) {
        ostler_definition_remove(keeper->definition, section);
        return NULL;
    }
    return section;
}

static void remove_section(Keeper *keeper, OstlerSection *section)
{
    g_hash_table_remove(keeper->shares->labels, ostler_section_label(section));
    ostler_definition_remove(keeper->definition, section);
}

static bool check_new(const Keeper *keeper, const KeeperShare *share, GError **error)
{
    if (ostler_definition_find(keeper->definition, "share", share->name)) {
        g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE,
                    "'%s' has a share '%s' already", keeper->config->name, share->name);
        return false;
    }
    if (!g_path_is_absolute(share->path) ||
        !g_file_test(share->path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_ARGUMENT,
                    "'%s' is no folder", share->path);
        return false;
    }
    return true;
}

static bool coroutine_fn show(Keeper *keeper, const OstlerSection *section,
                              GError **error)
{
    if (keeper_wants_mtp(keeper)) {
        return lend(keeper, section, error);
    }
    if (!plug_in(keeper, error)) {
        return false;
    }
    keeper_start_sides(keeper);
    return true;
}

static void keep(Keeper *keeper)
{
    g_autoptr(GError) refusal = NULL;

    if (!keeper_keep_definition(keeper, &refusal)) {
        g_warning(
            "Whoever adopts the guest will not know of this change: %s; continuing",
            refusal->message);
    }
}

bool coroutine_fn keeper_attach_share(Keeper *keeper, const KeeperShare *share,
                                      GError **error)
{
    begin_change(keeper);
    OstlerSection *section =
        check_new(keeper, share, error) ? add_section(keeper, share, error) : NULL;
    bool is_shown = section && show(keeper, section, error);
    if (is_shown) {
        keep(keeper);
    } else if (section) {
        remove_section(keeper, section);
    }
    end_change(keeper);
    return is_shown;
}

/* Have an ostler-mtp of its own ask the guest's for something: --detach, --set, --list.
 * The option and its words are @argv. */
static bool coroutine_fn run_errand(Keeper *keeper, GPtrArray *argv,
                                    KeeperLineFunc *take_output, const char *failure,
                                    GError **error)
{
    OstlerProcessEnd end;

    keeper_argv_add(argv, "--to", control_path(keeper));
    g_autoptr(OstlerProcess) errand =
        keeper_start_side(keeper, argv, NULL, 0, take_output, error);
    if (!errand) {
        return false;
    }
    if (!ostler_process_wait(errand, ATTACH_TIMEOUT_MS, &end)) {
        ostler_process_kill(errand);
        end.code = -1;
    }
    if (end.code != 0) {
        g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_FAILED,
                    "The share was not %s; 'ostler log' says why", failure);
    }
    return end.code == 0;
}

/* An errand with an option and its @words, which are taken over. */
static bool coroutine_fn tell(Keeper *keeper, const char *option, char *words,
                              const char *failure, GError **error)
{
    g_autoptr(GPtrArray) argv = keeper_argv_new("ostler-mtp");

    keeper_argv_add(argv, option, words);
    return run_errand(keeper, argv, NULL, failure, error);
}

static OstlerSection *find_share(const Keeper *keeper, const char *name, GError **error)
{
    OstlerSection *section = ostler_definition_find(keeper->definition, "share", name);

    if (!section) {
        g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_STATE,
                    "'%s' has no share '%s'", keeper->config->name, name);
    }
    return section;
}

static bool coroutine_fn detach(Keeper *keeper, const char *name, GError **error)
{
    OstlerSection *section = find_share(keeper, name, error);
    Lender *lender = find_lender(keeper, name);

    if (!section) {
        return false;
    }
    if (lender) {
        stop_lender(keeper, lender);
    } else if (!tell(keeper, "--detach", g_strdup(label_of(keeper, section)),
                     "detached", error)) {
        return false;
    }
    remove_section(keeper, section);
    keep(keeper);
    return true;
}

bool coroutine_fn keeper_detach_share(Keeper *keeper, const char *name, GError **error)
{
    begin_change(keeper);
    bool is_detached = detach(keeper, name, error);
    end_change(keeper);
    return is_detached;
}

/* ---- limits ---- */

static bool set_limits(OstlerSection *section, json_object *settings, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
        const char *value = ostler_json_find_string(settings, limits[i]);
        if (value && !ostler_section_set(section, limits[i], value, error)) {
            ostler_run_error_become(error, OSTLER_RUN_ERROR_ARGUMENT);
            return false;
        }
    }
    return true;
}

/* On a share that is nobody's, so that a wrong value changes nothing. */
static bool check_limits(json_object *settings, GError **error)
{
    g_autoptr(OstlerDefinition) scratch = ostler_definition_new("scratch");
    OstlerSection *section = ostler_definition_add(scratch, "share", "scratch", error);

    return section && set_limits(section, settings, error);
}

static bool coroutine_fn tell_limits(Keeper *keeper, const OstlerSection *section,
                                     GError **error)
{
    GString *words = g_string_new(label_of(keeper, section));

    append_limits(words, section);
    return tell(keeper, "--set", g_string_free(words, FALSE), "changed", error);
}

bool coroutine_fn keeper_set_share(Keeper *keeper, const char *name,
                                   json_object *settings, GError **error)
{
    begin_change(keeper);
    OstlerSection *section = find_share(keeper, name, error);
    bool is_set = section && check_limits(settings, error) &&
                  set_limits(section, settings, error) &&
                  tell_limits(keeper, section, error);
    if (is_set) {
        keep(keeper);
    }
    end_change(keeper);
    return is_set;
}

/* ---- list ---- */

static void take_list(Keeper *keeper, const char *line, size_t size)
{
    json_object_put(keeper->shares->said);
    keeper->shares->said = ostler_json_parse(line, size, NULL);
    cpc_event_set(&keeper->shares->has_said);
}

/* The row of @list for the share that the guest calls @label, or NULL. */
static json_object *find_row(json_object *list, const char *label)
{
    size_t n =
        json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        json_object *row = json_object_array_get_idx(list, i);
        const char *name = ostler_json_find_string(row, "label");
        if (name && strcmp(name, label) == 0) {
            return row;
        }
    }
    return NULL;
}

static json_object *number_of(json_object *row, const char *key)
{
    json_object *value = ostler_json_find(row, key);

    return json_object_is_type(value, json_type_int) ? json_object_get(value) : NULL;
}

/* What ostler-mtp said, in our own words and under the shares' names. */
static json_object *usage_by_name(Keeper *keeper, json_object *list)
{
    json_object *shares = json_object_new_object();

    for (OstlerSection *share = ostler_definition_first(keeper->definition, "share");
         share; share = ostler_section_next(share, "share")) {
        json_object *row = find_row(list, label_of(keeper, share));
        if (row) {
            json_object_object_add(shares, ostler_section_label(share),
                                   ostler_json_object("bytes", number_of(row, "bytes"),
                                                      "objects",
                                                      number_of(row, "objects"), "free",
                                                      number_of(row, "free"), NULL));
        }
    }
    return shares;
}

static json_object *coroutine_fn ask_for_list(Keeper *keeper, GError **error)
{
    g_autoptr(GPtrArray) argv = keeper_argv_new("ostler-mtp");

    g_ptr_array_add(argv, g_strdup("--list"));
    keeper->shares->has_said.is_set = false;
    if (!run_errand(keeper, argv, take_list, "listed", error)) {
        return NULL;
    }
    cpc_event_wait(&keeper->shares->has_said, ATTACH_TIMEOUT_MS);
    return g_steal_pointer(&keeper->shares->said);
}

json_object *coroutine_fn keeper_list_shares(Keeper *keeper, GError **error)
{
    if (!keeper_wants_mtp(keeper)) {
        return json_object_new_object();
    }
    begin_change(keeper);
    g_autoptr(json_object) said = ask_for_list(keeper, error);
    json_object *usage =
        said ? usage_by_name(keeper, ostler_json_find(said, "shares")) : NULL;
    end_change(keeper);
    if (!usage && error && !*error) {
        g_set_error(error, OSTLER_RUN_ERROR, OSTLER_RUN_ERROR_FAILED,
                    "ostler-mtp did not say what shares it has");
    }
    return usage;
}
