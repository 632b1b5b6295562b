/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Boot order: per device, or by class.
 *
 * libvirt has two ways that exclude each other: <boot order='N'/> in a device, and
 * <os><boot dev='CLASS'/>, which stands for the first device of its class.  Both come
 * down to a list of sections in the definition.
 */
#include <string.h>

#include "guest/import/parts.h"

#define NO_ORDER UINT64_MAX

typedef struct {
    char *section;     /* "disk.vda" */
    const char *class; /* borrowed: "disk", "cdrom", "floppy", "nic" */
    uint64_t order;
} Bootable;

static void free_bootable(void *data)
{
    Bootable *bootable = data;

    g_free(bootable->section);
    g_free(bootable);
}

void ostler_import_bootable(OstlerImporter *import, xmlNode *node,
                            const OstlerSection *section, const char *class)
{
    uint64_t order = NO_ORDER;
    const char *text = ostler_import_take(import, node, "boot/@order");

    if (!import->bootables) {
        import->bootables = g_ptr_array_new_with_free_func(free_bootable);
    }
    if (text && !g_ascii_string_to_unsigned(text, 10, 1, INT32_MAX, &order, NULL)) {
        ostler_import_drop(import, node, "boot/@order", "This is no place in an order");
    }

    Bootable *bootable = g_new(Bootable, 1);
    *bootable = (Bootable){
        .section = g_strdup_printf("%s.%s", ostler_section_kind(section),
                                   ostler_section_label(section)),
        .class = class,
        .order = order,
    };
    g_ptr_array_add(import->bootables, bootable);
}

static const struct {
    const char *device;
    const char *class;
} classes[] = {
    { "hd", "disk" },
    { "cdrom", "cdrom" },
    { "fd", "floppy" },
    { "network", "nic" },
};

static const char *class_of(const char *device)
{
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (strcmp(classes[i].device, device) == 0) {
            return classes[i].class;
        }
    }
    return NULL;
}

static const Bootable *first_of(const OstlerImporter *import, const char *class)
{
    for (unsigned i = 0; class && import->bootables && i < import->bootables->len;
         i++) {
        const Bootable *bootable = g_ptr_array_index(import->bootables, i);

        if (strcmp(bootable->class, class) == 0) {
            return bootable;
        }
    }
    return NULL;
}

static bool is_named(OstlerImporter *import, const char *name)
{
    g_autofree const char **names =
        ostler_section_get_list(ostler_import_section(import, "guest"), "boot");

    return names && g_strv_contains(names, name);
}

static void read_os_boot(OstlerImporter *import, xmlNode *boot)
{
    const char *device = ostler_import_take(import, boot, "@dev");
    const char *class = device ? class_of(device) : NULL;
    const Bootable *bootable = first_of(import, class);

    if (bootable && is_named(import, bootable->section)) {
        ostler_import_excuse(import, boot, "", "It stands in the order already");
    } else if (bootable) {
        ostler_import_set(import, boot, ostler_import_section(import, "guest"), "boot",
                          bootable->section);
    } else {
        ostler_import_excuse(import, boot, "", "The domain has no such device");
    }
}

static int by_order(const void *a, const void *b)
{
    const Bootable *left = *(Bootable *const *)a;
    const Bootable *right = *(Bootable *const *)b;

    return left->order < right->order ? -1 : left->order > right->order;
}

static void set_device_order(OstlerImporter *import, xmlNode *domain)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy(import->bootables, NULL, NULL);

    g_ptr_array_set_free_func(sorted, NULL);
    g_ptr_array_sort(sorted, by_order);
    for (unsigned i = 0; i < sorted->len; i++) {
        const Bootable *bootable = g_ptr_array_index(sorted, i);

        if (bootable->order != NO_ORDER) {
            ostler_import_set(import, domain, ostler_import_section(import, "guest"),
                              "boot", bootable->section);
        }
    }
}

void ostler_import_boot_order(OstlerImporter *import, xmlNode *domain)
{
    xmlNode *os = ostler_import_enter(domain, "os");

    if (import->bootables) {
        set_device_order(import, domain);
    }
    for (xmlNode *boot = os ? ostler_import_first(os, "boot") : NULL; boot;
         boot = ostler_import_next(boot)) {
        ostler_import_enter(boot, "");
        read_os_boot(import, boot);
    }
    g_clear_pointer(&import->bootables, g_ptr_array_unref);
}
