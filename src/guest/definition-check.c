/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition-check.c - what is wrong only when the whole definition is looked at
 *
 * Rules that tie keys together are rows here.  Whether the machine can do what is asked
 * is plan.c's question, not this file's.
 */
#include <string.h>

#include "guest/definition-private.h"

#define MISSING OSTLER_DEFINITION_ERROR_MISSING
#define VALUE   OSTLER_DEFINITION_ERROR_VALUE

static unsigned line_of(const OstlerSection *section, const char *key)
{
    const OstlerEntry *entry = ostler_section_entry(section, key);

    return entry ? entry->line : section->line;
}

static bool check_required(const OstlerSection *section, GError **error)
{
    for (const OstlerKeyRow *row = section->row->keys; row->name; row++) {
        if (row->is_required && !ostler_section_has(section, row->name)) {
            g_autofree char *title = ostler_section_title(section);
            return ostler_definition_fail(section->definition, section->line, MISSING,
                                          error, "%s needs '%s'", title, row->name);
        }
    }
    return true;
}

/* One of two keys, and not both, unless @key is one of @words. */
static const struct {
    const char *kind;
    const char *one;
    const char *other;
    const char *unless;
    const char *const words[3];
} alternatives[] = {
    { "disk", "file", "url", "device", { "cdrom", "floppy" } },
    { "hostdev", "pci", "usb" },
};

static bool check_alternatives(const OstlerSection *section, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(alternatives); i++) {
        const char *one = alternatives[i].one;
        const char *other = alternatives[i].other;
        if (strcmp(alternatives[i].kind, section->row->kind) != 0) {
            continue;
        }
        g_autofree char *title = ostler_section_title(section);
        bool has_one = ostler_section_has(section, one);
        bool has_other = ostler_section_has(section, other);
        if (has_one && has_other) {
            return ostler_definition_fail(
                section->definition, line_of(section, other), VALUE, error,
                "%s has both '%s' and '%s'; one is enough", title, one, other);
        }
        if (has_one || has_other) {
            continue;
        }
        const char *unless = alternatives[i].unless;
        if (!unless || !g_strv_contains(alternatives[i].words,
                                        ostler_section_get(section, unless))) {
            return ostler_definition_fail(section->definition, section->line, MISSING,
                                          error, "%s needs '%s' or '%s'", title, one,
                                          other);
        }
    }
    return true;
}

/* @key makes sense only if @needs is set, to one of @words if there are any. */
static const struct {
    const char *kind;
    const char *key;
    const char *needs;
    const char *const words[6];
} dependencies[] = {
    { "guest", "initrd", "kernel" },
    { "guest", "append", "kernel" },
    { "guest", "firmware-vars", "firmware" },
    { "nic", "forward", "type", { "user", "passt" } },
    { "nic", "restrict", "type", { "user" } },
    { "nic", "ifname", "type", { "tap" } },
    { "nic", "bridge", "type", { "bridge", "tap" } },
    { "nic", "listen", "type", { "socket" } },
    { "nic", "connect", "type", { "socket" } },
    { "nic", "mcast", "type", { "socket" } },
    { "serial", "path", "type", { "socket", "file", "device", "pipe" } },
    { "serial", "listen", "type", { "tcp" } },
    { "serial", "connect", "type", { "tcp" } },
    { "parallel", "path", "type", { "socket", "file", "device", "pipe" } },
    { "parallel", "listen", "type", { "tcp" } },
    { "parallel", "connect", "type", { "tcp" } },
    { "channel", "path", "type", { "socket", "file", "device", "pipe" } },
    { "channel", "listen", "type", { "tcp" } },
    { "channel", "connect", "type", { "tcp" } },
    { "display", "port", "type", { "vnc", "spice" } },
};

static bool check_dependencies(const OstlerSection *section, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dependencies); i++) {
        const char *key = dependencies[i].key;
        const char *needs = dependencies[i].needs;
        const char *const *words = dependencies[i].words;
        if (strcmp(dependencies[i].kind, section->row->kind) != 0 ||
            !ostler_section_has(section, key)) {
            continue;
        }
        const char *value = ostler_section_get(section, needs);
        if (words[0] ? g_strv_contains(words, value) : value != NULL) {
            continue;
        }
        g_autofree char *title = ostler_section_title(section);
        g_autofree char *all = g_strjoinv(" or ", (char **)words);
        return ostler_definition_fail(section->definition, line_of(section, key), VALUE,
                                      error, "'%s' in %s needs '%s%s%s'", key, title,
                                      needs, words[0] ? " = " : "", all);
    }
    return true;
}

/* A section whose @key is @word must have one of @needs. */
static const struct {
    const char *kind;
    const char *key;
    const char *word;
    const char *const needs[4];
} obligations[] = {
    { "nic", "type", "tap", { "ifname", "bridge" } },
    { "nic", "type", "bridge", { "bridge" } },
    { "nic", "type", "socket", { "listen", "connect", "mcast" } },
    { "serial", "type", "file", { "path" } },
    { "serial", "type", "device", { "path" } },
    { "serial", "type", "pipe", { "path" } },
    { "serial", "type", "tcp", { "listen", "connect" } },
    { "parallel", "type", "file", { "path" } },
    { "parallel", "type", "device", { "path" } },
    { "parallel", "type", "pipe", { "path" } },
    { "parallel", "type", "tcp", { "listen", "connect" } },
    { "channel", "type", "file", { "path" } },
    { "channel", "type", "device", { "path" } },
    { "channel", "type", "pipe", { "path" } },
    { "channel", "type", "tcp", { "listen", "connect" } },
    { "tpm", "type", "passthrough", { "path" } },
};

static bool has_any(const OstlerSection *section, const char *const *keys)
{
    for (; *keys; keys++) {
        if (ostler_section_has(section, *keys)) {
            return true;
        }
    }
    return false;
}

static bool check_obligations(const OstlerSection *section, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(obligations); i++) {
        if (strcmp(obligations[i].kind, section->row->kind) != 0 ||
            strcmp(ostler_section_get(section, obligations[i].key),
                   obligations[i].word) != 0 ||
            has_any(section, obligations[i].needs)) {
            continue;
        }
        g_autofree char *title = ostler_section_title(section);
        g_autofree char *all = g_strjoinv("' or '", (char **)obligations[i].needs);
        return ostler_definition_fail(section->definition,
                                      line_of(section, obligations[i].key), MISSING,
                                      error, "%s with '%s = %s' needs '%s'", title,
                                      obligations[i].key, obligations[i].word, all);
    }
    return true;
}

static OstlerSection *find_named(const OstlerDefinition *definition, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, ".", 2);

    return ostler_definition_find(definition, parts[0], parts[1]);
}

static bool check_boot_entry(const OstlerSection *guest, const OstlerEntry *entry,
                             GError **error)
{
    const OstlerSection *target = find_named(guest->definition, entry->value);

    if (!target) {
        return ostler_definition_fail(guest->definition, entry->line, VALUE, error,
                                      "'boot' names [%s], which there is none of",
                                      entry->value);
    }
    if (!target->row->can_boot) {
        return ostler_definition_fail(guest->definition, entry->line, VALUE, error,
                                      "'boot' names [%s], which nothing boots from",
                                      entry->value);
    }
    return true;
}

static bool check_boot(const OstlerSection *guest, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < guest->entries->len; i++) {
        const OstlerEntry *entry = guest->entries->pdata[i];
        if (strcmp(entry->row->name, "boot") != 0) {
            continue;
        }
        if (!check_boot_entry(guest, entry, error)) {
            return false;
        }
        if (!g_hash_table_add(seen, entry->value)) {
            return ostler_definition_fail(guest->definition, entry->line, VALUE, error,
                                          "'boot' names [%s] twice", entry->value);
        }
    }
    return true;
}

/* Sockets times dies times cores times threads, or 0 if they leave some open. */
static uint64_t topology_product(const OstlerSection *guest)
{
    static const char *const factors[] = { "sockets", "cores", "threads" };
    uint64_t dies = ostler_section_get_number(guest, "dies");
    uint64_t product = dies ? dies : 1;

    for (size_t i = 0; i < G_N_ELEMENTS(factors); i++) {
        product *= ostler_section_get_number(guest, factors[i]);
    }
    return product;
}

uint64_t ostler_definition_cpus(const OstlerDefinition *definition)
{
    const OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);
    uint64_t cpus = ostler_section_get_number(guest, "cpus");
    uint64_t product = topology_product(guest);

    return cpus ? cpus : product ? product : 1;
}

static bool check_topology(const OstlerSection *guest, GError **error)
{
    uint64_t cpus = ostler_definition_cpus(guest->definition);
    uint64_t maximum = ostler_section_get_number(guest, "cpus-max");
    uint64_t product = topology_product(guest);
    uint64_t room = maximum ? maximum : cpus;

    if (cpus > room) {
        return ostler_definition_fail(
            guest->definition, line_of(guest, "cpus-max"), VALUE, error,
            "'cpus-max' is less than the %" G_GUINT64_FORMAT " of 'cpus'", cpus);
    }
    if (product != 0 && product != room) {
        return ostler_definition_fail(
            guest->definition, line_of(guest, maximum ? "cpus-max" : "cpus"), VALUE,
            error,
            "'%s' is %" G_GUINT64_FORMAT ", but sockets, cores and threads make "
            "%" G_GUINT64_FORMAT,
            maximum ? "cpus-max" : "cpus", room, product);
    }
    return true;
}

/* Two cards of one address on one network make both fail at times. */
static bool check_macs(const OstlerDefinition *definition, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (OstlerSection *nic = ostler_definition_first(definition, "nic"); nic;
         nic = ostler_section_next(nic, "nic")) {
        const char *mac = ostler_section_get(nic, "mac");
        if (mac && !g_hash_table_add(seen, (char *)mac)) {
            return ostler_definition_fail(definition, line_of(nic, "mac"), VALUE, error,
                                          "Two cards have the address %s", mac);
        }
    }
    return true;
}

static bool check_section(const OstlerSection *section, GError **error)
{
    return check_required(section, error) && check_alternatives(section, error) &&
           check_dependencies(section, error) && check_obligations(section, error);
}

bool ostler_definition_check(const OstlerDefinition *definition, GError **error)
{
    const OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);

    if (!guest) {
        return ostler_definition_fail(definition, 0, MISSING, error,
                                      "A [guest] section with a 'name' is missing");
    }
    for (unsigned i = 0; i < definition->sections->len; i++) {
        if (!check_section(definition->sections->pdata[i], error)) {
            return false;
        }
    }
    return check_boot(guest, error) && check_topology(guest, error) &&
           check_macs(definition, error);
}
