/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Below <domain>, but for the devices and the processor: memory, os, clock, ... */
#include <string.h>

#include "guest/import/parts.h"

#define KIB 1024u

bool ostler_import_is_x86(const OstlerImporter *import)
{
    return g_str_equal(import->arch, "x86_64") || g_str_equal(import->arch, "i386");
}

bool ostler_import_is_arm(const OstlerImporter *import)
{
    return g_str_equal(import->arch, "arm") || g_str_equal(import->arch, "aarch64");
}

void ostler_import_read_parts(OstlerImporter *import, xmlNode *node,
                              const OstlerImportPart *parts)
{
    for (; parts->name; parts++) {
        for (xmlNode *child = ostler_import_first(node, parts->name); child;
             child = ostler_import_next(child)) {
            ostler_import_enter(child, "");
            parts->read(import, child);
        }
    }
}

void ostler_import_add_machine_option(OstlerImporter *import, xmlNode *node,
                                      const char *option)
{
    g_autofree char *machine =
        g_strdup_printf("%s,%s", ostler_definition_machine(import->definition), option);

    ostler_import_set(import, node, ostler_import_section(import, "guest"), "machine",
                      machine);
}

void ostler_import_add_argument(OstlerImporter *import, xmlNode *node, const char *name,
                                const char *value)
{
    OstlerSection *qemu = ostler_import_section(import, "qemu");

    if (ostler_import_set(import, node, qemu, "argument", name) && value) {
        ostler_import_set(import, node, qemu, "argument", value);
    }
}

/* --- memory --------------------------------------------------------------------- */

static const OstlerImportCarry backing_rows[] = {
    { "locked", "locked", .present = "yes" },
    { "nosharepages", "merge", .present = "no" },
    { NULL },
};

static const OstlerImportWord source_types[] = {
    /* memfd is what QEMU makes of shared memory without a file. */
    { "anonymous", NULL },
    { "memfd", "yes" },
    { NULL },
};

static const OstlerImportCarry source_rows[] = {
    { "source/@type", "shared", source_types },
    { NULL },
};

static const OstlerImportWord access_modes[] = {
    { "shared", "yes" },
    { "private", "no" },
    { NULL },
};

static const OstlerImportWord allocation_modes[] = {
    { "immediate", "yes" },
    { "ondemand", "no" },
    { NULL },
};

static const OstlerImportCarry mode_rows[] = {
    { "access/@mode", "shared", access_modes },
    { "allocation/@mode", "prealloc", allocation_modes },
    { NULL },
};

/* One size for all: a definition does not give each node its own. */
static void read_hugepages(OstlerImporter *import, xmlNode *hugepages,
                           OstlerSection *section)
{
    uint64_t bytes;
    xmlNode *page = ostler_import_enter(hugepages, "page");

    ostler_import_set(import, hugepages, section, "hugepages", "yes");
    if (page && ostler_import_take_bytes(import, page, "@size", KIB, &bytes)) {
        if (bytes == 0 || (bytes & (bytes - 1)) != 0) {
            ostler_import_drop(import, page, "", "Pages come in powers of two");
            return;
        }
        ostler_import_set_bytes(import, page, section, "hugepage-size", bytes);
    }
}

void ostler_import_memory_backing(OstlerImporter *import, xmlNode *node)
{
    OstlerSection *section = ostler_import_section(import, "memory-backing");
    xmlNode *hugepages = ostler_import_enter(node, "hugepages");
    const char *type = ostler_import_peek(import, node, "source/@type");

    if (hugepages) {
        read_hugepages(import, hugepages, section);
    }
    if (g_strcmp0(type, "file") == 0) {
        ostler_import_change(
            import, node, "source/@type",
            "Memory that others can map is memory without a file here");
    } else {
        ostler_import_carry_all(import, node, section, source_rows);
    }
    ostler_import_carry_all(import, node, section, backing_rows);
    ostler_import_carry_all(import, node, section, mode_rows);
}

/* --- processors and threads ----------------------------------------------------- */

void ostler_import_vcpu(OstlerImporter *import, xmlNode *node)
{
    OstlerSection *guest = ostler_import_section(import, "guest");

    if (ostler_import_peek(import, node, "@current")) {
        ostler_import_carry(import, node, guest, "@current", "cpus");
        ostler_import_carry(import, node, guest, "", "cpus-max");
    } else {
        ostler_import_carry(import, node, guest, "", "cpus");
    }
}

void ostler_import_iothreads(OstlerImporter *import, xmlNode *node)
{
    ostler_import_carry(import, node, ostler_import_section(import, "guest"), "",
                        "iothreads");
}

/* --- os: firmware and direct boot ----------------------------------------------- */

static const OstlerImportCarry kernel_rows[] = {
    { "kernel", "kernel" },
    { "initrd", "initrd" },
    { "cmdline", "append" },
    { "dtb", "dtb" },
    { NULL },
};

static const OstlerImportWord yes_no[] = {
    { "yes", "yes" },
    { "no", "no" },
    { NULL },
};

static const OstlerImportCarry menu_rows[] = {
    { "bootmenu/@enable", "boot-menu", yes_no },
    { NULL },
};

static const OstlerImportCarry firmware_rows[] = {
    { "@firmware", "firmware" },
    { "loader", "firmware" },
    { "nvram", "firmware-vars" },
    { NULL },
};

/* Whether the loader keeps variables decides how it is mapped: as flash or as ROM. */
static void read_firmware(OstlerImporter *import, xmlNode *os, OstlerSection *guest)
{
    const char *type = ostler_import_peek(import, os, "loader/@type");
    const char *template = ostler_import_take(import, os, "nvram/@template");
    const char *nvram = ostler_import_peek(import, os, "nvram");

    if (g_strcmp0(ostler_import_peek(import, os, "loader/@readonly"), "yes") == 0) {
        ostler_import_take(import, os, "loader/@readonly");
    }
    if (g_strcmp0(type, "pflash") == 0 || g_strcmp0(type, "rom") == 0) {
        ostler_import_take(import, os, "loader/@type");
    }
    if (nvram && *nvram == '\0') {
        ostler_import_enter(os, "nvram");
    } else {
        ostler_import_carry(import, os, guest, "nvram", "firmware-vars");
    }
    if (g_strcmp0(type, "pflash") == 0 && (!nvram || *nvram == '\0')) {
        ostler_import_change(import, os, "loader",
                             "Without a file for its variables the firmware is mapped "
                             "as ROM; name one as firmware-vars");
    }
    if (template) {
        ostler_import_change(
            import, os, "nvram/@template",
            "The variables' file must be there: if it is not, copy the template to it");
    }
    ostler_import_carry_all(import, os, guest, firmware_rows);
}

static const OstlerImportWord smbios_modes[] = {
    { "sysinfo", "" },
    { "emulate", "" },
    { NULL },
};

static void read_smbios_mode(OstlerImporter *import, xmlNode *os)
{
    const char *mode = ostler_import_peek(import, os, "smbios/@mode");

    for (const OstlerImportWord *word = smbios_modes; word->from; word++) {
        if (g_strcmp0(mode, word->from) == 0) {
            ostler_import_take(import, os, "smbios/@mode");
        }
    }
}

void ostler_import_os(OstlerImporter *import, xmlNode *node)
{
    OstlerSection *guest = ostler_import_section(import, "guest");

    ostler_import_carry_all(import, node, guest, kernel_rows);
    ostler_import_carry_all(import, node, guest, menu_rows);
    read_firmware(import, node, guest);
    read_smbios_mode(import, node);
}

/* --- clock ---------------------------------------------------------------------- */

static const OstlerImportWord clock_offsets[] = {
    { "utc", "utc" },
    { "localtime", "localtime" },
    { "timezone", "localtime", "The clock shows the host's own time zone" },
    { "variable", "utc", "The clock starts with the host's time each time" },
    { "absolute", "utc", "The clock starts with the host's time" },
    { NULL },
};

static const OstlerImportCarry clock_rows[] = {
    { "@offset", "clock", clock_offsets },
    { NULL },
};

/* Timers that are there or not: the option that says so. */
static const struct {
    const char *timer;
    const char *present;
    bool is_of_machine; /* else of the processor */
    const char *option;
} timers[] = {
    { "hpet", "no", true, "hpet=off" },
    { "hpet", "yes", true, "hpet=on" },
    { "kvmclock", "no", false, "kvmclock=off" },
    { "kvmclock", "yes", false, "kvmclock=on" },
    { "hypervclock", "yes", false, "hv-time=on" },
    { "hypervclock", "no", false, "hv-time=off" },
};

static void read_timer(OstlerImporter *import, xmlNode *timer)
{
    const char *name = ostler_import_peek(import, timer, "@name");
    const char *present = ostler_import_peek(import, timer, "@present");

    for (size_t i = 0; i < G_N_ELEMENTS(timers); i++) {
        if (ostler_import_is_x86(import) && g_strcmp0(name, timers[i].timer) == 0 &&
            g_strcmp0(present, timers[i].present) == 0) {
            ostler_import_take(import, timer, "@name");
            ostler_import_take(import, timer, "@present");
            (timers[i].is_of_machine
                 ? ostler_import_add_machine_option
                 : ostler_import_add_cpu_option)(import, timer, timers[i].option);
        }
    }
}

static const OstlerImportPart clock_parts[] = {
    { "timer", read_timer },
    { NULL },
};

void ostler_import_clock(OstlerImporter *import, xmlNode *node)
{
    OstlerSection *guest = ostler_import_section(import, "guest");

    ostler_import_carry_all(import, node, guest, clock_rows);
    for (xmlNode *timer = ostler_import_first(node, "timer"); timer;
         timer = ostler_import_next(timer)) {
        clock_parts->read(import, timer);
    }
}

/* --- sysinfo -------------------------------------------------------------------- */

/* virDomainSysinfoParseXML() and qemuBuildSmbios*Str(): libvirt's names of the fields
 * and QEMU's, qemu-options.hx "-smbios". */
static const struct {
    const char *table;
    const char *entry;
    const char *type;
    const char *field;
} smbios[] = {
    { "bios", "vendor", "0", "vendor" },
    { "bios", "version", "0", "version" },
    { "bios", "date", "0", "date" },
    { "bios", "release", "0", "release" },
    { "system", "manufacturer", "1", "manufacturer" },
    { "system", "product", "1", "product" },
    { "system", "version", "1", "version" },
    { "system", "serial", "1", "serial" },
    { "system", "uuid", "1", "uuid" },
    { "system", "sku", "1", "sku" },
    { "system", "family", "1", "family" },
    { "baseBoard", "manufacturer", "2", "manufacturer" },
    { "baseBoard", "product", "2", "product" },
    { "baseBoard", "version", "2", "version" },
    { "baseBoard", "serial", "2", "serial" },
    { "baseBoard", "asset", "2", "asset" },
    { "baseBoard", "location", "2", "location" },
    { "chassis", "manufacturer", "3", "manufacturer" },
    { "chassis", "version", "3", "version" },
    { "chassis", "serial", "3", "serial" },
    { "chassis", "asset", "3", "asset" },
    { "chassis", "sku", "3", "sku" },
};

/* A comma ends a field unless it is doubled (QEMU util/qemu-option.c). */
static void append_field(GString *option, const char *field, const char *value)
{
    g_autofree char *escaped = NULL;
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    escaped = g_strjoinv(",,", parts);
    g_string_append_printf(option, ",%s=%s", field, escaped);
}

static void read_smbios_entry(OstlerImporter *import, const xmlNode *table,
                              xmlNode *entry, GString *option)
{
    const char *name = ostler_import_peek(import, entry, "@name");

    for (size_t i = 0; i < G_N_ELEMENTS(smbios); i++) {
        if (g_str_equal(smbios[i].table, table->name) &&
            g_strcmp0(name, smbios[i].entry) == 0) {
            if (option->len == 0) {
                g_string_printf(option, "type=%s", smbios[i].type);
            }
            ostler_import_take(import, entry, "@name");
            append_field(option, smbios[i].field,
                         ostler_import_take(import, entry, ""));
        }
    }
}

static void read_smbios_table(OstlerImporter *import, xmlNode *table)
{
    g_autoptr(GString) option = g_string_new(NULL);

    for (xmlNode *entry = ostler_import_first(table, "entry"); entry;
         entry = ostler_import_next(entry)) {
        read_smbios_entry(import, table, entry, option);
    }
    if (option->len > 0) {
        ostler_import_add_argument(import, table, "-smbios", option->str);
    }
}

static void read_oem_strings(OstlerImporter *import, xmlNode *table)
{
    g_autoptr(GString) option = g_string_new("type=11");

    for (xmlNode *entry = ostler_import_first(table, "entry"); entry;
         entry = ostler_import_next(entry)) {
        append_field(option, "value", ostler_import_take(import, entry, ""));
    }
    ostler_import_add_argument(import, table, "-smbios", option->str);
}

/* QEMU docs/specs/fw_cfg.rst: names of users' own begin with "opt/". */
static void read_fw_cfg_entry(OstlerImporter *import, xmlNode *entry)
{
    g_autoptr(GString) option = g_string_new(NULL);
    const char *name = ostler_import_take(import, entry, "@name");
    const char *file = ostler_import_take(import, entry, "@file");
    const char *text = ostler_import_take(import, entry, "");

    if (!name || (!file && *text == '\0')) {
        ostler_import_drop(import, entry, "", "An entry has a name and a value");
        return;
    }
    g_string_printf(option, "name=%s", name);
    append_field(option, file ? "file" : "string", file ? file : text);
    ostler_import_add_argument(import, entry, "-fw_cfg", option->str);
}

static const OstlerImportPart smbios_parts[] = {
    { "bios", read_smbios_table },      { "system", read_smbios_table },
    { "baseBoard", read_smbios_table }, { "chassis", read_smbios_table },
    { "oemStrings", read_oem_strings }, { NULL },
};

static const OstlerImportPart fw_cfg_parts[] = {
    { "entry", read_fw_cfg_entry },
    { NULL },
};

/* libvirt uses the tables only if <os><smbios mode='sysinfo'/> says so. */
static bool are_tables_used(OstlerImporter *import, xmlNode *sysinfo)
{
    const char *mode = ostler_import_peek(import, sysinfo->parent, "os/smbios/@mode");

    return g_strcmp0(mode, "sysinfo") == 0;
}

void ostler_import_sysinfo(OstlerImporter *import, xmlNode *node)
{
    const char *type = ostler_import_peek(import, node, "@type");

    if (g_strcmp0(type, "fwcfg") == 0) {
        ostler_import_take(import, node, "@type");
        ostler_import_read_parts(import, node, fw_cfg_parts);
    } else if (g_strcmp0(type, "smbios") != 0) {
        ostler_import_drop(import, node, "", "QEMU knows no such table");
    } else if (!are_tables_used(import, node)) {
        ostler_import_drop(import, node, "",
                           "Without <os><smbios mode='sysinfo'/> the "
                           "guest does not see it under libvirt either");
    } else {
        ostler_import_take(import, node, "@type");
        ostler_import_read_parts(import, node, smbios_parts);
    }
}

/* QEMU docs/specs/vmgenid.txt */
void ostler_import_genid(OstlerImporter *import, xmlNode *node)
{
    const char *guid = ostler_import_peek(import, node, "");

    if (!ostler_import_is_x86(import) || strchr(guid, ',')) {
        return;
    }
    ostler_import_take(import, node, "");

    g_autofree char *device = g_strdup_printf("vmgenid,guid=%s", *guid ? guid : "auto");
    ostler_import_add_argument(import, node, "-device", device);
}

/* --- qemu:commandline ----------------------------------------------------------- */

static void read_argument(OstlerImporter *import, xmlNode *node)
{
    const char *value = ostler_import_take(import, node, "@value");

    if (value) {
        ostler_import_add_argument(import, node, value, NULL);
    }
}

static void read_environment(OstlerImporter *import, xmlNode *node)
{
    const char *name = ostler_import_take(import, node, "@name");
    const char *value = ostler_import_take(import, node, "@value");

    if (!name) {
        return;
    }

    g_autofree char *pair = g_strdup_printf("%s=%s", name, value ? value : "");
    ostler_import_set(import, node, ostler_import_section(import, "qemu"),
                      "environment", pair);
}

static const OstlerImportPart commandline_parts[] = {
    { "qemu:arg", read_argument },
    { "qemu:env", read_environment },
    { NULL },
};

void ostler_import_commandline(OstlerImporter *import, xmlNode *node)
{
    ostler_import_read_parts(import, node, commandline_parts);
}
