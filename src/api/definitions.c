/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definitions.c - composing, storing and showing definitions
 */
#include <gio/gio.h>
#include <string.h>

#include "api/api.h"
#include "guest/running/place.h"
#include "guest/store.h"
#include "platform/autostart.h"

/* ---- compose ---- */

static const char *find_name(const OstlerSetting *settings, size_t n_settings)
{
    for (size_t i = 0; i < n_settings; i++) {
        if (strcmp(settings[i].section, "guest") == 0 &&
            strcmp(settings[i].key, "name") == 0) {
            return settings[i].value;
        }
    }
    return NULL;
}

/* "disk.root", found or added. */
static OstlerSection *need_section(OstlerDefinition *definition, const char *title,
                                   GError **error)
{
    g_auto(GStrv) parts = g_strsplit(title, ".", 2);
    const char *kind = parts[0] ? parts[0] : "";
    const char *label = parts[0] ? parts[1] : NULL;
    OstlerSection *section = ostler_definition_find(definition, kind, label);

    return section ? section : ostler_definition_add(definition, kind, label, error);
}

static bool apply(OstlerDefinition *definition, const OstlerSetting *settings,
                  size_t n_settings, GError **error)
{
    for (size_t i = 0; i < n_settings; i++) {
        OstlerSection *section = need_section(definition, settings[i].section, error);
        if (!section ||
            !ostler_section_set(section, settings[i].key, settings[i].value, error)) {
            return false;
        }
    }
    return ostler_definition_check(definition, error);
}

char *ostler_host_compose(OstlerHost *host, const OstlerSetting *settings,
                          size_t n_settings, OstlerError **error)
{
    const char *name = find_name(settings, n_settings);
    GError *why = NULL;

    if (!name) {
        ostler_api_fail(error, OSTLER_ERROR_DEFINITION, "[guest] needs 'name'");
        return NULL;
    }
    if (!ostler_guest_name_check(name, &why)) {
        ostler_api_fail_with(error, why);
        return NULL;
    }
    g_autoptr(OstlerDefinition) definition = ostler_definition_new(name);
    if (!apply(definition, settings, n_settings, &why)) {
        ostler_api_fail_with(error, why);
        return NULL;
    }
    return ostler_definition_text(definition);
}

/* ---- define, check, undefine ---- */

/* Called @name (checked here) whatever the text says, unless that is NULL. */
static OstlerDefinition *parse_definition(const char *text, const char *file,
                                          const char *name, GError **error)
{
    g_autofree char *read = NULL;

    if (name && !ostler_guest_name_check(name, error)) {
        return NULL;
    }
    if (!text && !name) {
        return ostler_definition_load(file, error);
    }
    if (!text && !g_file_get_contents(file, &read, NULL, error)) {
        return NULL;
    }
    text = text ? text : read;
    return ostler_definition_parse_as(text, strlen(text), file, name, error);
}

static OstlerDefinition *read_definition(const char *text, const char *file,
                                         const char *name, OstlerError **error)
{
    GError *why = NULL;
    OstlerDefinition *definition = parse_definition(text, file, name, &why);

    if (!definition) {
        ostler_api_fail_with(error, why);
    }
    return definition;
}

OstlerGuest *ostler_host_define_as(OstlerHost *host, const char *text, const char *file,
                                   const char *name, bool *out_is_new,
                                   OstlerError **error)
{
    GError *why = NULL;
    g_autoptr(OstlerDefinition) definition = read_definition(text, file, name, error);
    if (!definition) {
        return NULL;
    }
    if (!ostler_store_define(definition, out_is_new, &why)) {
        ostler_api_fail_with(error, why);
        return NULL;
    }
    return ostler_api_guest(host, ostler_definition_name(definition));
}

OstlerGuest *ostler_host_define(OstlerHost *host, const char *text, const char *file,
                                OstlerError **error)
{
    return ostler_host_define_as(host, text, file, NULL, NULL, error);
}

bool ostler_host_check(OstlerHost *host, const char *text, const char *file,
                       OstlerError **error)
{
    g_autoptr(OstlerDefinition) definition = read_definition(text, file, NULL, error);

    return definition != NULL;
}

/* A guest that only runs, made by ostler_host_run(), has nothing stored. */
static bool need_stored(const OstlerGuest *guest, OstlerError **error)
{
    return ostler_store_has(guest->name) ||
           ostler_api_fail(error, OSTLER_ERROR_STATE, "'%s' has no stored definition",
                           guest->name);
}

bool ostler_guest_undefine(OstlerGuest *guest, OstlerError **error)
{
    GError *why = NULL;

    if (!need_stored(guest, error)) {
        return false;
    }
    /* First, so that a session never starts what is no more. */
    if (!ostler_autostart_disable(guest->name, &why) ||
        !ostler_store_undefine(guest->name, &why)) {
        return ostler_api_fail_with(error, why);
    }
    ostler_run_forget_handles(guest->name);
    return true;
}

/* ---- showing ---- */

static OstlerDefinition *load_as_started(const OstlerGuest *guest, OstlerError **error)
{
    g_autofree char *path = ostler_run_path(guest->name, "started.guest");

    if (ostler_run_life(guest->name) == OSTLER_RUN_GONE) {
        ostler_api_fail(error, OSTLER_ERROR_STATE, "'%s' is not running", guest->name);
        return NULL;
    }
    return read_definition(NULL, path, NULL, error);
}

/* The bytes on disk, so that one that has become wrong can be seen, and edited. */
static char *stored_text(const OstlerGuest *guest, OstlerError **error)
{
    GError *why = NULL;
    char *text = NULL;

    if (need_stored(guest, error) &&
        !(text = ostler_store_text(guest->name, NULL, &why))) {
        ostler_api_fail_with(error, why);
    }
    return text;
}

static OstlerDefinition *load_stored(const OstlerGuest *guest, OstlerError **error)
{
    GError *why = NULL;
    OstlerDefinition *definition = NULL;

    if (need_stored(guest, error) &&
        !(definition = ostler_store_load(guest->name, &why))) {
        ostler_api_fail_with(error, why);
    }
    return definition;
}

static char *json_text(const OstlerDefinition *definition)
{
    g_autoptr(json_object) object = ostler_definition_json(definition);

    return ostler_json_text(object);
}

char *ostler_guest_definition(OstlerGuest *guest, OstlerDefinitionFormat format,
                              bool as_started, OstlerError **error)
{
    if (format == OSTLER_DEFINITION_TEXT && !as_started) {
        return stored_text(guest, error);
    }
    g_autoptr(OstlerDefinition) definition =
        as_started ? load_as_started(guest, error) : load_stored(guest, error);
    if (!definition) {
        return NULL;
    }
    return format == OSTLER_DEFINITION_JSON ? json_text(definition)
                                            : ostler_definition_text(definition);
}

/* ---- autostart ---- */

/* The command that systemd is to run: this one, if it is ostler itself (a build that is
 * not installed), else the one in PATH.  Caller frees. */
static char *find_ostler(OstlerError **error)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *base = self ? g_path_get_basename(self) : NULL;
    char *program = g_strcmp0(base, "ostler") == 0 ? g_steal_pointer(&self)
                                                   : g_find_program_in_path("ostler");

    if (!program) {
        ostler_api_fail(error, OSTLER_ERROR_FAILED,
                        "The program 'ostler' is not in PATH, so nothing could start "
                        "the guest");
    }
    return program;
}

/* systemd starts programs in another folder than this one.  Caller frees. */
static char *home_variable(const char *home)
{
    g_autofree char *absolute = g_canonicalize_filename(home, NULL);

    return g_strconcat("OSTLER_HOME=", absolute, NULL);
}

static bool enable(const OstlerGuest *guest, const char *program, GError **error)
{
    const char *const start[] = { program, "start", "--", guest->name, NULL };
    const char *const stop[] = { program, "shutdown",  "--wait=60",
                                 "--",    guest->name, NULL };
    const char *home = g_getenv("OSTLER_HOME");
    g_autofree char *variable = home && *home ? home_variable(home) : NULL;
    const char *const environment[] = { variable, NULL };
    const OstlerAutostart what = { guest->name, start, stop, environment };

    return ostler_autostart_enable(&what, error);
}

bool ostler_guest_set_autostart(OstlerGuest *guest, bool on, OstlerError **error)
{
    GError *why = NULL;

    if (!on) {
        return ostler_autostart_disable(guest->name, &why) ||
               ostler_api_fail_with(error, why);
    }
    g_autofree char *program = need_stored(guest, error) ? find_ostler(error) : NULL;
    if (!program) {
        return false;
    }
    return enable(guest, program, &why) || ostler_api_fail_with(error, why);
}
