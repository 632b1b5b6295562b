/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/firmware.h"
#include "json/json.h"

#include <string.h>

#define FOLDERS "/etc/qemu/firmware", "/usr/share/qemu/firmware"

void ostler_firmware_free(OstlerFirmware *firmware)
{
    if (firmware) {
        g_free(firmware->code);
        g_free(firmware->vars);
        g_free(firmware);
    }
}

static bool array_has(json_object *array, const char *text)
{
    size_t n = json_object_is_type(array, json_type_array)
                   ? json_object_array_length(array)
                   : 0;

    for (size_t i = 0; i < n; i++) {
        const char *item = json_object_get_string(json_object_array_get_idx(array, i));
        if (item && strcmp(item, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool any_pattern_fits(json_object *patterns, const char *machine)
{
    size_t n = json_object_is_type(patterns, json_type_array)
                   ? json_object_array_length(patterns)
                   : 0;

    for (size_t i = 0; i < n; i++) {
        const char *pattern =
            json_object_get_string(json_object_array_get_idx(patterns, i));
        if (pattern && g_pattern_match_simple(pattern, machine)) {
            return true;
        }
    }
    return false;
}

static bool is_for_machine(json_object *descriptor, const char *arch,
                           const char *machine)
{
    json_object *targets = ostler_json_find(descriptor, "targets");
    size_t n = json_object_is_type(targets, json_type_array)
                   ? json_object_array_length(targets)
                   : 0;

    for (size_t i = 0; i < n; i++) {
        json_object *target = json_object_array_get_idx(targets, i);
        if (g_strcmp0(ostler_json_find_string(target, "architecture"), arch) == 0 &&
            any_pattern_fits(ostler_json_find(target, "machines"), machine)) {
            return true;
        }
    }
    return false;
}

/* Secure Boot needs SMM and enrolled keys: not what "efi" alone asks for. */
static bool is_plain_efi(json_object *descriptor)
{
    static const char *const unwanted[] = { "secure-boot", "requires-smm",
                                            "enrolled-keys" };
    json_object *features = ostler_json_find(descriptor, "features");

    for (unsigned i = 0; i < G_N_ELEMENTS(unwanted); i++) {
        if (array_has(features, unwanted[i])) {
            return false;
        }
    }
    return array_has(ostler_json_find(descriptor, "interface-types"), "uefi");
}

static OstlerFirmware *read_flash(json_object *descriptor)
{
    json_object *mapping = ostler_json_find(descriptor, "mapping");
    const char *code =
        ostler_json_find_string(ostler_json_find(mapping, "executable"), "filename");
    const char *vars = ostler_json_find_string(
        ostler_json_find(mapping, "nvram-template"), "filename");
    if (g_strcmp0(ostler_json_find_string(mapping, "device"), "flash") != 0 || !code) {
        return NULL;
    }

    OstlerFirmware *firmware = g_new0(OstlerFirmware, 1);
    firmware->code = g_strdup(code);
    firmware->vars = g_strdup(vars);
    return firmware;
}

static OstlerFirmware *read_descriptor(const char *path, const char *arch,
                                       const char *machine)
{
    g_autofree char *text = NULL;
    gsize size = 0;
    g_autoptr(json_object) descriptor = g_file_get_contents(path, &text, &size, NULL)
                                            ? ostler_json_parse(text, size, NULL)
                                            : NULL;

    if (!descriptor || !is_plain_efi(descriptor) ||
        !is_for_machine(descriptor, arch, machine)) {
        return NULL;
    }
    return read_flash(descriptor);
}

/* File name -> path; the folder that comes first hides the others' files. */
static void add_folder(GHashTable *paths, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".json") && !g_hash_table_contains(paths, name)) {
            g_hash_table_insert(paths, g_strdup(name),
                                g_build_filename(folder, name, NULL));
        }
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

OstlerFirmware *ostler_firmware_find_in(const char *const *folders, const char *arch,
                                        const char *machine)
{
    g_autoptr(GHashTable) paths =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (; *folders; folders++) {
        add_folder(paths, *folders);
    }

    unsigned n = 0;
    g_autofree gpointer *names = g_hash_table_get_keys_as_array(paths, &n);
    if (n > 0) {
        qsort(names, n, sizeof(*names), by_name);
    }
    OstlerFirmware *firmware = NULL;
    for (unsigned i = 0; i < n && !firmware; i++) {
        firmware = read_descriptor(g_hash_table_lookup(paths, names[i]), arch, machine);
    }
    return firmware;
}

OstlerFirmware *ostler_firmware_find(const char *arch, const char *machine)
{
    static const char *const folders[] = { FOLDERS, NULL };
    return ostler_firmware_find_in(folders, arch, machine);
}
