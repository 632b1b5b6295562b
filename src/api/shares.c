/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shares.c - folders that come, change and go, in a running guest and its definition */
#include "api/client.h"
#include "guest/running/place.h"
#include "guest/store.h"
#include "platform/rundir.h"

typedef struct {
    const char *guest;
    const char *method;
    json_object *params; /* taken over */
    GError *why;
} Request;

static void coroutine_fn make_request(void *opaque)
{
    Request *request = opaque;
    g_autoptr(json_object) result = ostler_api_ask_once(request->guest, request->method,
                                                        request->params, &request->why);
}

static bool change_live(OstlerGuest *guest, const char *method, json_object *params,
                        OstlerError **error)
{
    Request request = { .guest = guest->name, .method = method, .params = params };

    ostler_api_run(guest->host, make_request, &request);
    return !request.why || ostler_api_fail_with(error, request.why);
}

/* What is meant when nothing is said. */
static unsigned flags_of(const OstlerGuest *guest, unsigned flags)
{
    return flags != 0                                        ? flags
           : ostler_run_life(guest->name) == OSTLER_RUN_GONE ? OSTLER_CHANGE_CONFIG
                                                             : OSTLER_CHANGE_LIVE;
}

static bool store(const OstlerDefinition *definition, OstlerError **error)
{
    GError *why = NULL;

    return ostler_store_define(definition, NULL, &why) ||
           ostler_api_fail_with(error, why);
}

static OstlerDefinition *load(const OstlerGuest *guest, OstlerError **error)
{
    GError *why = NULL;
    OstlerDefinition *definition = ostler_store_load(guest->name, &why);

    if (!definition) {
        ostler_api_fail_with(error, why);
    }
    return definition;
}

/* The share @name of @definition, the stored one; NULL if there is none. */
static OstlerSection *find_share(OstlerDefinition *definition, const OstlerGuest *guest,
                                 const char *name, OstlerError **error)
{
    OstlerSection *section = ostler_definition_find(definition, "share", name);

    if (!section) {
        ostler_api_fail(error, OSTLER_ERROR_STATE,
                        "The definition of '%s' has no share '%s'", guest->name, name);
    }
    return section;
}

/* ---- attach ---- */

static json_object *share_json(const OstlerShare *share)
{
    json_object *params =
        ostler_json_object("name", json_object_new_string(share->name), "path",
                           json_object_new_string(share->path), "readonly",
                           json_object_new_boolean(share->is_read_only), NULL);

    if (share->title) {
        json_object_object_add(params, "title", json_object_new_string(share->title));
    }
    return params;
}

static bool fill_section(OstlerSection *section, const OstlerShare *share,
                         GError **error)
{
    return ostler_section_set(section, "path", share->path, error) &&
           (!share->title ||
            ostler_section_set(section, "title", share->title, error)) &&
           (!share->is_read_only ||
            ostler_section_set(section, "readonly", "yes", error));
}

/* The stored definition with @share in it; NULL if there cannot be one. */
static OstlerDefinition *with_share(OstlerGuest *guest, const OstlerShare *share,
                                    OstlerError **error)
{
    g_autoptr(OstlerDefinition) definition = load(guest, error);
    GError *why = NULL;

    if (!definition) {
        return NULL;
    }
    if (ostler_definition_find(definition, "share", share->name)) {
        ostler_api_fail(error, OSTLER_ERROR_STATE,
                        "The definition of '%s' has a share '%s' already", guest->name,
                        share->name);
        return NULL;
    }
    OstlerSection *section =
        ostler_definition_add(definition, "share", share->name, &why);
    if (!section || !fill_section(section, share, &why)) {
        ostler_api_fail_with(error, why);
        return NULL;
    }
    return g_steal_pointer(&definition);
}

bool ostler_guest_attach_share(OstlerGuest *guest, const OstlerShare *share,
                               unsigned flags, OstlerError **error)
{
    g_autofree char *path = g_canonicalize_filename(share->path, NULL);
    const OstlerShare whole = { share->name, path, share->title, share->is_read_only };
    g_autoptr(OstlerDefinition) definition = NULL;

    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return ostler_api_fail(error, OSTLER_ERROR_ARGUMENT, "'%s' is no folder",
                               share->path);
    }
    flags = flags_of(guest, flags);
    if (flags & OSTLER_CHANGE_CONFIG) {
        definition = with_share(guest, &whole, error);
        if (!definition) {
            return false;
        }
    }
    if ((flags & OSTLER_CHANGE_LIVE) &&
        !change_live(guest, "attach-share", share_json(&whole), error)) {
        return false;
    }
    return !definition || store(definition, error);
}

/* ---- detach ---- */

static OstlerDefinition *without_share(OstlerGuest *guest, const char *name,
                                       OstlerError **error)
{
    g_autoptr(OstlerDefinition) definition = load(guest, error);
    OstlerSection *section =
        definition ? find_share(definition, guest, name, error) : NULL;

    if (!section) {
        return NULL;
    }
    ostler_definition_remove(definition, section);
    return g_steal_pointer(&definition);
}

bool ostler_guest_detach_share(OstlerGuest *guest, const char *name, unsigned flags,
                               OstlerError **error)
{
    g_autoptr(OstlerDefinition) definition = NULL;

    flags = flags_of(guest, flags);
    if (flags & OSTLER_CHANGE_CONFIG) {
        definition = without_share(guest, name, error);
        if (!definition) {
            return false;
        }
    }
    if (flags & OSTLER_CHANGE_LIVE) {
        json_object *params =
            ostler_json_object("name", json_object_new_string(name), NULL);
        if (!change_live(guest, "detach-share", params, error)) {
            return false;
        }
    }
    return !definition || store(definition, error);
}

/* ---- limits ---- */

static bool is_limit(const char *key)
{
    static const char *const keys[] = { "quota", "quota-objects", "reserve", NULL };

    return g_strv_contains(keys, key);
}

static bool check_limits(const OstlerSetting *settings, size_t n_settings,
                         OstlerError **error)
{
    for (size_t i = 0; i < n_settings; i++) {
        if (!is_limit(settings[i].key)) {
            return ostler_api_fail(error, OSTLER_ERROR_ARGUMENT,
                                   "'%s' of a share cannot be changed: quota, "
                                   "quota-objects and reserve can",
                                   settings[i].key);
        }
    }
    return true;
}

/* The stored definition with the share's settings changed. */
static OstlerDefinition *with_limits(OstlerGuest *guest, const char *name,
                                     const OstlerSetting *settings, size_t n_settings,
                                     OstlerError **error)
{
    g_autoptr(OstlerDefinition) definition = load(guest, error);
    OstlerSection *section =
        definition ? find_share(definition, guest, name, error) : NULL;

    if (!section) {
        return NULL;
    }
    for (size_t i = 0; i < n_settings; i++) {
        GError *why = NULL;
        if (!ostler_section_set(section, settings[i].key, settings[i].value, &why)) {
            ostler_run_error_become(&why, OSTLER_RUN_ERROR_ARGUMENT);
            ostler_api_fail_with(error, why);
            return NULL;
        }
    }
    return g_steal_pointer(&definition);
}

bool ostler_guest_set_share(OstlerGuest *guest, const char *name,
                            const OstlerSetting *settings, size_t n_settings,
                            unsigned flags, OstlerError **error)
{
    g_autoptr(OstlerDefinition) definition = NULL;

    if (!check_limits(settings, n_settings, error)) {
        return false;
    }
    flags = flags_of(guest, flags);
    if (flags & OSTLER_CHANGE_CONFIG) {
        definition = with_limits(guest, name, settings, n_settings, error);
        if (!definition) {
            return false;
        }
    }
    if (flags & OSTLER_CHANGE_LIVE) {
        json_object *params =
            ostler_json_object("name", json_object_new_string(name), NULL);
        for (size_t i = 0; i < n_settings; i++) {
            json_object_object_add(params, settings[i].key,
                                   json_object_new_string(settings[i].value));
        }
        if (!change_live(guest, "share-set", params, error)) {
            return false;
        }
    }
    return !definition || store(definition, error);
}

/* ---- list ---- */

struct OstlerGuestShares {
    OstlerDefinition *definition; /* the texts below are borrowed from it */
    GArray *infos;
};

typedef struct {
    const char *guest;
    json_object *usage;
    GError *why;
} Question;

static void coroutine_fn ask_usage(void *opaque)
{
    Question *question = opaque;

    question->usage =
        ostler_api_ask_once(question->guest, "shares", NULL, &question->why);
}

/* What a share's row of @usage says; no row, and a null, are -1. */
static int64_t usage_of(json_object *usage, const char *share, const char *key)
{
    json_object *value = ostler_json_find(ostler_json_find(usage, share), key);

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value)
                                                     : -1;
}

static OstlerShareInfo read_share(const OstlerSection *section, json_object *usage)
{
    const char *name = ostler_section_label(section);

    return (OstlerShareInfo){
        .share = { .name = name,
                   .path = ostler_section_get(section, "path"),
                   .title = ostler_section_get(section, "title"),
                   .is_read_only = ostler_section_get_bool(section, "readonly") },
        .quota_bytes = ostler_section_get_size(section, "quota"),
        .quota_objects = (uint64_t)ostler_section_get_number(section, "quota-objects"),
        .used_bytes = usage_of(usage, name, "bytes"),
        .used_objects = usage_of(usage, name, "objects"),
        .free_bytes = usage_of(usage, name, "free"),
    };
}

OstlerGuestShares *ostler_guest_shares(OstlerGuest *guest, bool is_counted,
                                       OstlerError **error)
{
    GError *why = NULL;
    OstlerRunLife life = ostler_run_life(guest->name);
    Question question = { .guest = guest->name };
    g_autoptr(OstlerDefinition) definition =
        ostler_api_definition_now(guest->name, life, &why);

    if (definition && is_counted && life != OSTLER_RUN_GONE) {
        ostler_api_run(guest->host, ask_usage, &question);
        why = question.why;
    }
    if (why) {
        ostler_api_fail_with(error, why);
        return NULL;
    }
    OstlerGuestShares *shares = g_new(OstlerGuestShares, 1);
    shares->infos = g_array_new(FALSE, FALSE, sizeof(OstlerShareInfo));
    for (OstlerSection *section = ostler_definition_first(definition, "share"); section;
         section = ostler_section_next(section, "share")) {
        OstlerShareInfo info = read_share(section, question.usage);
        g_array_append_val(shares->infos, info);
    }
    shares->definition = g_steal_pointer(&definition);
    json_object_put(question.usage);
    return shares;
}

size_t ostler_guest_shares_size(const OstlerGuestShares *shares)
{
    return shares->infos->len;
}

const OstlerShareInfo *ostler_guest_share(const OstlerGuestShares *shares, size_t i)
{
    return &g_array_index(shares->infos, OstlerShareInfo, i);
}

void ostler_guest_shares_free(OstlerGuestShares *shares)
{
    if (shares) {
        ostler_definition_free(shares->definition);
        g_array_unref(shares->infos);
        g_free(shares);
    }
}
