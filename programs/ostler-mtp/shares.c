/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shares.h"

#include "guest/value.h"
#include "platform/watch.h"

#include <string.h>

void share_free(Share *share)
{
    if (share) {
        g_free(share->label);
        g_free(share->path);
        g_free(share);
    }
}

/* ---- words ---- */

static bool take_readonly(Share *share, const char *value)
{
    share->is_read_only = true;
    return value == NULL;
}

static bool take_quota(Share *share, const char *value)
{
    return value && ostler_size_parse(value, &share->limits.quota_bytes);
}

static bool take_quota_objects(Share *share, const char *value)
{
    return value && g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64,
                                               &share->limits.quota_objects, NULL);
}

static bool take_reserve(Share *share, const char *value)
{
    share->limits.has_reserve = g_strcmp0(value, "default") != 0;
    share->limits.reserve_bytes = 0;
    return !share->limits.has_reserve ||
           (value && ostler_size_parse(value, &share->limits.reserve_bytes));
}

static const struct {
    const char *name;
    bool (*take)(Share *share, const char *value);
    const char *wanted;
} words[] = {
    { "readonly", take_readonly, "stands alone" },
    { "quota", take_quota, "is a size, like 2G" },
    { "quota-objects", take_quota_objects, "is a number" },
    { "reserve", take_reserve, "is a size, like 500M, or default" },
};

/* The row of the word "NAME" or "NAME=VALUE", or -1; *out_value is NULL without one. */
static int find_word(const char *text, const char **out_value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t size = strlen(words[i].name);
        if (strncmp(text, words[i].name, size) == 0 &&
            (text[size] == '\0' || text[size] == '=')) {
            *out_value = text[size] == '=' ? text + size + 1 : NULL;
            return (int)i;
        }
    }
    return -1;
}

/* Take the words off the path's end, for as long as there are any. */
static bool take_words(Share *share, GError **error)
{
    const char *value;
    char *comma;
    int row;

    while ((comma = strrchr(share->path, ',')) &&
           (row = find_word(comma + 1, &value)) >= 0) {
        if (!words[row].take(share, value)) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "'%s' is not understood: '%s' %s", comma + 1, words[row].name,
                        words[row].wanted);
            return false;
        }
        *comma = '\0';
    }
    return true;
}

Share *share_parse(const char *text, GError **error)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text || equals[1] == '\0') {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "'%s' is not a share: LABEL=PATH or LABEL=PATH,readonly is wanted",
                    text);
        return NULL;
    }
    g_autoptr(Share) share = g_new0(Share, 1);
    share->label = g_utf8_make_valid(text, equals - text);
    share->path = g_strdup(equals + 1);
    return take_words(share, error) ? g_steal_pointer(&share) : NULL;
}

static json_object *limits_json(const OstlerMtpLimits *limits)
{
    json_object *reserve = limits->has_reserve
                               ? json_object_new_int64((int64_t)limits->reserve_bytes)
                               : NULL;

    return ostler_json_object(
        "quota", json_object_new_int64((int64_t)limits->quota_bytes), "quota-objects",
        json_object_new_int64((int64_t)limits->quota_objects), "reserve", reserve,
        NULL);
}

static uint64_t find_number(json_object *json, const char *key, uint64_t fallback)
{
    return (uint64_t)MAX(ostler_json_find_int(json, key, (int64_t)fallback), 0);
}

/* A reserve of null is the default one. */
void limits_change(OstlerMtpLimits *limits, json_object *json)
{
    limits->quota_bytes = find_number(json, "quota", limits->quota_bytes);
    limits->quota_objects = find_number(json, "quota-objects", limits->quota_objects);
    if (json_object_object_get_ex(json, "reserve", NULL)) {
        limits->has_reserve = ostler_json_find(json, "reserve") != NULL;
        limits->reserve_bytes = find_number(json, "reserve", 0);
    }
}

char *share_parse_change(const char *text, json_object **out_limits, GError **error)
{
    const OstlerMtpLimits unnamed = { G_MAXUINT64, G_MAXUINT64, G_MAXUINT64, false };
    g_autoptr(Share) share = g_new0(Share, 1);

    share->path = g_strdup(text);
    share->limits = unnamed;
    if (!take_words(share, error)) {
        return NULL;
    }
    if (share->is_read_only) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "'readonly' cannot be changed while the share is there");
        return NULL;
    }
    *out_limits = limits_json(&share->limits);
    if (share->limits.quota_bytes == G_MAXUINT64) {
        json_object_object_del(*out_limits, "quota");
    }
    if (share->limits.quota_objects == G_MAXUINT64) {
        json_object_object_del(*out_limits, "quota-objects");
    }
    if (share->limits.reserve_bytes == G_MAXUINT64) {
        json_object_object_del(*out_limits, "reserve");
    }
    return g_steal_pointer(&share->path);
}

GPtrArray *shares_parse(char **texts, GError **error)
{
    g_autoptr(GPtrArray) shares =
        g_ptr_array_new_with_free_func((GDestroyNotify)share_free);

    for (char **text = texts; text && *text; text++) {
        Share *share = share_parse(*text, error);
        if (!share) {
            return NULL;
        }
        g_ptr_array_add(shares, share);
    }
    return g_steal_pointer(&shares);
}

char *shares_make_serial(const GPtrArray *shares)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    for (guint i = 0; i < shares->len; i++) {
        const Share *share = g_ptr_array_index(shares, i);
        g_autofree char *path = g_canonicalize_filename(share->path, NULL);
        g_checksum_update(checksum, (const guchar *)share->label, -1);
        g_checksum_update(checksum, (const guchar *)"", 1);
        g_checksum_update(checksum, (const guchar *)path, -1);
        g_checksum_update(checksum, (const guchar *)"", 1);
    }
    return g_ascii_strup(g_checksum_get_string(checksum), 16);
}

/* ---- what the host does ---- */

typedef struct {
    OstlerMtpStore *store;
    unsigned storage;
    OstlerWatch *watch; /* NULL: the folder cannot be watched */
} Watched;

struct Shares {
    OstlerMtpStore *store;
    Watched *watched[OSTLER_MTP_MAX_STORAGES]; /* NULL where there is no storage */
};

static void pass_on(const OstlerWatchEvent *event, void *opaque)
{
    const Watched *w = opaque;

    switch (event->kind) {
    case OSTLER_WATCH_CREATED:
        ostler_mtp_store_host_created(w->store, w->storage, event->name,
                                      event->is_folder);
        break;
    case OSTLER_WATCH_REMOVED:
        ostler_mtp_store_host_removed(w->store, w->storage, event->name);
        break;
    case OSTLER_WATCH_CHANGED:
        ostler_mtp_store_host_changed(w->store, w->storage, event->name);
        break;
    case OSTLER_WATCH_RENAMED:
        ostler_mtp_store_host_renamed(w->store, w->storage, event->from, event->name,
                                      event->is_folder);
        break;
    case OSTLER_WATCH_OVERFLOW:
        ostler_mtp_store_host_rescan(w->store, w->storage, event->since);
        break;
    case OSTLER_WATCH_LOST:
        g_warning("The guest will not hear of changes in '%s' of '%s', continuing: %s",
                  event->name, ostler_mtp_store_label(w->store, w->storage),
                  event->error->message);
        break;
    }
}

static void watch(Shares *shares, unsigned storage)
{
    g_autoptr(GError) error = NULL;
    Watched *watched = g_new0(Watched, 1);

    watched->store = shares->store;
    watched->storage = storage;
    watched->watch = ostler_watch_new_root(
        ostler_mtp_store_root(shares->store, storage), pass_on, watched, &error);
    if (!watched->watch) {
        g_warning("The guest will not hear of changes in '%s', continuing: %s",
                  ostler_mtp_store_label(shares->store, storage), error->message);
    }
    shares->watched[storage] = watched;
}

static void unwatch(Shares *shares, unsigned storage)
{
    Watched *watched = g_steal_pointer(&shares->watched[storage]);

    if (watched) {
        ostler_watch_free(watched->watch);
        g_free(watched);
    }
}

/* ---- the store's shares ---- */

Shares *shares_new(OstlerMtpStore *store)
{
    Shares *shares = g_new0(Shares, 1);

    shares->store = store;
    return shares;
}

void shares_free(Shares *shares)
{
    if (!shares) {
        return;
    }
    for (unsigned i = 0; i < OSTLER_MTP_MAX_STORAGES; i++) {
        unwatch(shares, i);
    }
    g_free(shares);
}

OstlerMtpStore *shares_store(const Shares *shares)
{
    return shares->store;
}

bool shares_open(Shares *shares, const GPtrArray *list, GError **error)
{
    for (guint i = 0; i < list->len; i++) {
        const Share *share = g_ptr_array_index(list, i);
        const OstlerMtpShare added = { share->label, share->path, share->is_read_only,
                                       share->limits };
        if (!ostler_mtp_store_add(shares->store, &added, error)) {
            return false;
        }
        watch(shares, i);
    }
    return true;
}

int shares_find(const Shares *shares, const char *label)
{
    for (unsigned i = 0; i < ostler_mtp_store_count(shares->store); i++) {
        if (ostler_mtp_store_has(shares->store, i) &&
            strcmp(ostler_mtp_store_label(shares->store, i), label) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool shares_attach(Shares *shares, OstlerRoot *root, const Share *share,
                   unsigned *out_storage, GError **error)
{
    const OstlerMtpShare added = { share->label, share->path, share->is_read_only,
                                   share->limits };

    if (!ostler_mtp_store_attach(shares->store, root, &added, out_storage, error)) {
        return false;
    }
    watch(shares, *out_storage);
    return true;
}

void shares_detach(Shares *shares, unsigned storage)
{
    unwatch(shares, storage);
    ostler_mtp_store_detach(shares->store, storage);
}
