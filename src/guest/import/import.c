/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * document.c makes a bounded tree of the bytes.  Here it is decided whether the tree is
 * a guest at all, and what the guest is called; then every part (parts.h) takes what it
 * knows, and reader.c turns the rest into rows.  Order matters in three places: the
 * machine comes before the features that append to it, <cpu> before <features> for the
 * same reason, and the boot order after the devices that it names.
 */
#include <string.h>

#include "guest/import/document.h"
#include "guest/import/parts.h"
#include "guest/import/report.h"
#include "guest/value.h"

#define MIB ((uint64_t)1 << 20)

/* --- is it a guest? ------------------------------------------------------------- */

/* Documents of libvirt's that are taken for a domain; NULL why: its inside is one. */
static const struct {
    const char *root;
    const char *why;
} other_documents[] = {
    { "domstatus", "This is libvirt's state of a running domain; import the domain "
                   "itself (virsh dumpxml --inactive)" },
    { "domainsnapshot", "This is a snapshot's description; import the <domain> in it" },
    { "domaincheckpoint", "This is a checkpoint's description, no domain" },
    { "domainbackup", "This is a backup's description, no domain" },
    { "network", "This is a network, no domain" },
    { "pool", "This is a storage pool, no domain" },
    { "volume", "This is a storage volume, no domain" },
    { "capabilities", "These are a host's capabilities, no domain" },
    { "domainCapabilities", "These are a host's capabilities, no domain" },
    { "interface", "This is a host's interface, no domain" },
    { "nwfilter", "This is a network filter, no domain" },
    { "device", "This is a host's device, no domain" },
    { "secret", "This is a secret's description, no domain" },
};

static bool check_root(OstlerImporter *import, xmlNode *root, GError **error)
{
    g_autofree char *name = ostler_import_shorten((const char *)root->name);

    if (strcmp(name, "domain") == 0 && !root->ns) {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(other_documents); i++) {
        if (strcmp(name, other_documents[i].root) == 0) {
            return ostler_import_fail(import, root, OSTLER_IMPORT_ERROR_NOT_DOMAIN,
                                      error, "%s", other_documents[i].why);
        }
    }
    return ostler_import_fail(import, root, OSTLER_IMPORT_ERROR_NOT_DOMAIN, error,
                              "This is a <%s>, no domain", name);
}

/* libvirt's type of a domain and how its processor is run here. */
static const struct {
    const char *type;
    const char *accel; /* NULL: the definition's own choice */
} domain_types[] = {
    { "kvm", NULL },
    { "qemu", "tcg" },
    { "hvf", NULL },
};

static bool read_type(OstlerImporter *import, xmlNode *root, GError **error)
{
    const char *type = ostler_import_take(import, root, "@type");
    g_autofree char *shown = ostler_import_shorten(type ? type : "");

    for (size_t i = 0; i < G_N_ELEMENTS(domain_types); i++) {
        if (strcmp(shown, domain_types[i].type) != 0) {
            continue;
        }
        if (domain_types[i].accel) {
            import->is_emulated = true;
            ostler_import_set(import, root, ostler_import_section(import, "guest"),
                              "accel", domain_types[i].accel);
        }
        return true;
    }
    return ostler_import_fail(import, root, OSTLER_IMPORT_ERROR_UNSUPPORTED, error,
                              "A domain of type '%s' is not run by QEMU", shown);
}

/* libvirt's names of architectures and QEMU's, where they differ. */
static const char *const architectures[][2] = {
    { "i686", "i386" },
    { "armv6l", "arm" },
    { "armv7l", "arm" },
    { "armv7b", "arm" },
    { "ppc64le", "ppc64" },
    { "ppcemb", "ppc" },
    { "parisc", "hppa" },
    { "parisc64", "hppa" },
    { "itanium", "ia64" },
    { "sh4eb", "sh4eb" },
    { "loongarch64", "loongarch64" },
};

static const char *qemu_arch(const char *arch)
{
    for (size_t i = 0; i < G_N_ELEMENTS(architectures); i++) {
        if (strcmp(architectures[i][0], arch) == 0) {
            return architectures[i][1];
        }
    }
    return arch;
}

static bool is_word(const char *text)
{
    return *text &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.") == strlen(text);
}

static bool read_os_type(OstlerImporter *import, xmlNode *root, GError **error)
{
    const char *type = ostler_import_take(import, root, "os/type");
    const char *arch = ostler_import_take(import, root, "os/type/@arch");
    const char *machine = ostler_import_peek(import, root, "os/type/@machine");
    OstlerSection *guest = ostler_import_section(import, "guest");

    if (!type || strcmp(type, "hvm") != 0) {
        return ostler_import_fail(
            import, root, OSTLER_IMPORT_ERROR_UNSUPPORTED, error,
            "Only a whole machine (<os><type>hvm) is run by QEMU");
    }
    if (arch && !is_word(arch)) {
        return ostler_import_fail(import, root, OSTLER_IMPORT_ERROR_VALUE, error,
                                  "This is no architecture's name");
    }
    if (arch) {
        ostler_import_set(import, root, guest, "arch", qemu_arch(arch));
    }
    if (machine && is_word(machine)) {
        ostler_import_carry(import, root, guest, "os/type/@machine", "machine");
    }
    import->arch = ostler_section_get(guest, "arch");
    return true;
}

/* --- memory --------------------------------------------------------------------- */

static uint64_t sum_of_cells(OstlerImporter *import)
{
    uint64_t sum = 0;

    for (OstlerSection *numa = ostler_definition_first(import->definition, "numa");
         numa; numa = ostler_section_next(numa, "numa")) {
        if (!g_uint64_checked_add(&sum, sum, ostler_section_get_size(numa, "memory"))) {
            return G_MAXINT64; /* which the definition refuses */
        }
    }
    return sum;
}

/* virQEMUDomainGetMemoryAlign(): POWER's logical memory blocks, else whole MiB. */
static uint64_t memory_unit(const OstlerImporter *import)
{
    return g_str_equal(import->arch, "ppc64") ? 256 * MIB : MIB;
}

/* As libvirt does: rounded up to whole units, and with NUMA cells their sum. */
static bool read_memory(OstlerImporter *import, xmlNode *root, GError **error)
{
    uint64_t bytes = 0;
    uint64_t current;
    uint64_t cells = sum_of_cells(import);

    if (!ostler_import_take_bytes(import, root, "memory", 1024, &bytes) && cells == 0) {
        return ostler_import_fail(import, root, OSTLER_IMPORT_ERROR_VALUE, error,
                                  "The domain has no <memory>, or it is no size");
    }
    if (ostler_import_first(root, "currentMemory") &&
        ostler_import_take_bytes(import, root, "currentMemory", 1024, &current) &&
        current != bytes) {
        ostler_import_change(import, root, "currentMemory",
                             "The guest starts with all of its memory");
    }

    uint64_t total = cells ? cells : bytes;
    uint64_t unit = memory_unit(import);
    g_autofree char *size = ostler_size_text((total + unit - 1) / unit * unit);
    if (!ostler_section_set(ostler_import_section(import, "guest"), "memory", size,
                            error)) {
        g_prefix_error(error, "%s: ", import->file);
        return false;
    }
    return true;
}

/* --- the rest of <domain> ------------------------------------------------------- */

static const OstlerImportWord reboot_actions[] = {
    { "restart", "restart" },
    { "destroy", "stop" },
    { "preserve", "stop", "The guest's memory is not kept after a reboot" },
    { "rename-restart", "restart", "The guest keeps its name" },
    { NULL },
};

static const OstlerImportWord end_actions[] = {
    { "destroy", "stop" },
    { "restart", "restart" },
    { "preserve", "pause" },
    { "rename-restart", "restart", "The guest keeps its name" },
    { "coredump-destroy", "stop", "No core is dumped" },
    { "coredump-restart", "restart", "No core is dumped" },
    { NULL },
};

static const OstlerImportCarry domain_rows[] = {
    { "title", "title" },
    { "uuid", "uuid" },
    { "on_poweroff", "on-poweroff", end_actions },
    { "on_reboot", "on-reboot", reboot_actions },
    { "on_crash", "on-crash", end_actions },
    { NULL },
};

/* A key is a line: a description of several lines is the key several times. */
static void read_description(OstlerImporter *import, xmlNode *node)
{
    g_auto(GStrv) lines = g_strsplit(ostler_import_take(import, node, ""), "\n", -1);

    for (char **line = lines; *line; line++) {
        if (*g_strstrip(*line)) {
            ostler_import_set(import, node, ostler_import_section(import, "guest"),
                              "description", *line);
        }
    }
}

static void read_devices(OstlerImporter *import, xmlNode *node)
{
    ostler_import_read_parts(import, node, ostler_import_devices);
}

static const OstlerImportPart domain_parts[] = {
    { "description", read_description },
    { "vcpu", ostler_import_vcpu },
    { "iothreads", ostler_import_iothreads },
    { "os", ostler_import_os },
    { "memoryBacking", ostler_import_memory_backing },
    { "sysinfo", ostler_import_sysinfo },
    { "genid", ostler_import_genid },
    { "cpu", ostler_import_cpu },
    { "features", ostler_import_features },
    { "clock", ostler_import_clock },
    { "devices", read_devices },
    { "qemu:commandline", ostler_import_commandline },
    { NULL },
};

/* The GICv2 that Arm's virt has by default serves eight processors (QEMU hw/arm/virt.c);
 * libvirt picks the host's. */
static void read_gic(OstlerImporter *import, xmlNode *root)
{
    const char *machine = ostler_definition_machine(import->definition);
    uint64_t cpus =
        MAX(ostler_definition_get_number(import->definition, "guest", "cpus"),
            ostler_definition_get_number(import->definition, "guest", "cpus-max"));

    if (ostler_import_is_arm(import) && g_str_has_prefix(machine, "virt") && cpus > 8 &&
        !strstr(machine, "gic-version=")) {
        ostler_import_add_machine_option(import, root, "gic-version=max");
    }
}

/* Without <features><acpi/> libvirt switches ACPI off, where the machine has it. */
static void read_acpi(OstlerImporter *import, xmlNode *root)
{
    const char *machine = ostler_definition_machine(import->definition);
    bool has_switch =
        ostler_import_is_x86(import) && !g_str_has_prefix(machine, "isapc");

    if (has_switch && !ostler_import_peek(import, root, "features/acpi")) {
        ostler_import_add_machine_option(import, root, "acpi=off");
    }
}

static bool read_domain(OstlerImporter *import, xmlNode *root, GError **error)
{
    if (!read_type(import, root, error) || !read_os_type(import, root, error)) {
        return false;
    }
    ostler_import_carry_all(import, root, ostler_import_section(import, "guest"),
                            domain_rows);
    ostler_import_read_parts(import, root, domain_parts);
    read_acpi(import, root);
    read_gic(import, root);
    ostler_import_boot_order(import, root);
    return read_memory(import, root, error);
}

/* --- the whole ------------------------------------------------------------------ */

static OstlerDefinition *named_definition(OstlerImporter *import, xmlNode *root,
                                          GError **error)
{
    const char *name = ostler_import_take(import, root, "name");

    if (!name) {
        ostler_import_fail(import, root, OSTLER_IMPORT_ERROR_VALUE, error,
                           "The domain has no <name>");
        return NULL;
    }
    if (!ostler_guest_name_check(name, error)) {
        g_prefix_error(error, "%s: ", import->file);
        return NULL;
    }
    return ostler_definition_new(name);
}

static OstlerDefinition *read_document(OstlerImporter *import, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(import->document);

    if (!check_root(import, root, error)) {
        return NULL;
    }

    g_autoptr(OstlerDefinition) definition = named_definition(import, root, error);
    if (!definition) {
        return NULL;
    }
    import->definition = definition;
    if (!read_domain(import, root, error) ||
        !ostler_import_report_rest(import, error)) {
        return NULL;
    }
    if (!ostler_definition_check(definition, error)) {
        g_prefix_error(error, "%s: ", import->file);
        return NULL;
    }
    return g_steal_pointer(&definition);
}

static void clear_import(OstlerImporter *import)
{
    g_clear_pointer(&import->bootables, g_ptr_array_unref);
    g_ptr_array_unref(import->strings);
    g_hash_table_unref(import->labels);
}

OstlerDefinition *ostler_import_domain(const char *xml, size_t size, const char *file,
                                       OstlerImportReport **out_report, GError **error)
{
    g_autoptr(xmlDoc) document = ostler_import_parse(xml, size, file, error);
    if (!document) {
        return NULL;
    }

    g_autoptr(OstlerImportReport) report = ostler_import_report_new(file);
    OstlerImporter import = {
        .document = document,
        .file = file,
        .report = report,
        .strings = g_ptr_array_new_with_free_func(g_free),
        .labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };

    OstlerDefinition *definition = read_document(&import, error);
    clear_import(&import);
    if (definition) {
        *out_report = g_steal_pointer(&report);
    }
    return definition;
}

OstlerDefinition *ostler_import_file(const char *path, OstlerImportReport **out_report,
                                     GError **error)
{
    size_t size;
    g_autofree char *xml = NULL;

    if (!g_file_get_contents(path, &xml, &size, error)) {
        return NULL;
    }
    return ostler_import_domain(xml, size, path, out_report, error);
}
