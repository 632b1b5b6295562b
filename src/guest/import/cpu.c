/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* <cpu>, <features>: what ends in QEMU's processor model and machine options. */
#include <string.h>

#include "guest/import/parts.h"

/* "max" is the host's processor under KVM and all that QEMU can emulate without, so
 * that the same definition starts on both. */
#define BEST_MODEL "max"

#define MIB ((uint64_t)1 << 20)

void ostler_import_add_cpu_option(OstlerImporter *import, xmlNode *node,
                                  const char *option)
{
    OstlerSection *guest = ostler_import_section(import, "guest");
    const char *model = ostler_section_get(guest, "cpu");
    g_autofree char *cpu = g_strdup_printf("%s,%s", model ? model : BEST_MODEL, option);

    ostler_import_set(import, node, guest, "cpu", cpu);
}

/* --- cpu ------------------------------------------------------------------------ */

static const struct {
    const char *policy;
    bool is_wanted;
    const char *why;
} policies[] = {
    { "require", true, NULL },
    { "force", true, NULL },
    { "optional", true, "The guest is not refused where the host lacks it" },
    { "disable", false, NULL },
    { "forbid", false, "It is switched off; a host that has it is not refused" },
};

/* A name goes into QEMU's option as it is: nothing that could begin another. */
static bool is_name(const char *text)
{
    return *text &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.") == strlen(text);
}

/* Words of libvirt's cpu_map/x86_features.xml that no QEMU has a switch for: each of the
 * 212 was tried with QEMU 7.2's -cpu. */
static const char *const x86_without_switch[] = { "cmt",       "cvt16", "mbm_local",
                                                  "mbm_total", "ospke", "osxsave",
                                                  "pconfig",   NULL };

/* QEMU docs/system/arm/cpu-features.rst: the few that Arm's processors have. */
static const char *const arm_prefixes[] = { "aarch64", "pmu",  "sve", "pauth",
                                            "kvm-",    "lpa2", "sme", NULL };

static bool has_switch(const OstlerImporter *import, const char *name)
{
    if (ostler_import_is_x86(import)) {
        return !g_strv_contains(x86_without_switch, name);
    }
    if (!ostler_import_is_arm(import)) {
        return true;
    }
    for (const char *const *prefix = arm_prefixes; *prefix; prefix++) {
        if (g_str_has_prefix(name, *prefix)) {
            return true;
        }
    }
    return false;
}

static void add_feature(OstlerImporter *import, xmlNode *node, const char *name,
                        bool is_wanted)
{
    g_autofree char *option = g_strdup_printf("%s=%s", name, is_wanted ? "on" : "off");

    ostler_import_add_cpu_option(import, node, option);
}

static void read_feature(OstlerImporter *import, xmlNode *feature)
{
    const char *name = ostler_import_take(import, feature, "@name");
    const char *policy = ostler_import_take(import, feature, "@policy");

    if (name && !has_switch(import, name)) {
        ostler_import_drop(import, feature, "", "QEMU has no such switch");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        if (name && is_name(name) &&
            strcmp(policies[i].policy, policy ? policy : "require") == 0) {
            add_feature(import, feature, name, policies[i].is_wanted);
            if (policies[i].why) {
                ostler_import_change(import, feature, "", "%s", policies[i].why);
            }
            return;
        }
    }
    ostler_import_drop(import, feature, "", "This is no processor feature's setting");
}

/* The five of libvirt's x86 models that QEMU 7.2 has not. */
static const OstlerImportWord foreign_models[] = {
    { "cpu64-rhel5", "qemu64", "QEMU has no such model" },
    { "cpu64-rhel6", "qemu64", "QEMU has no such model" },
    { "pentiumpro", "pentium2", "QEMU has no such model" },
    { "Icelake-Client", "max", "QEMU has this model no longer" },
    { "Icelake-Client-noTSX", "max", "QEMU has this model no longer" },
    { NULL },
};

static void carry_model(OstlerImporter *import, xmlNode *cpu, const char *model)
{
    static const OstlerImportCarry row[] = { { "model", "cpu", foreign_models },
                                             { NULL } };
    OstlerSection *guest = ostler_import_section(import, "guest");

    for (const OstlerImportWord *word = foreign_models; word->from; word++) {
        if (strcmp(word->from, model) == 0) {
            ostler_import_carry_all(import, cpu, guest, row);
            return;
        }
    }
    ostler_import_carry(import, cpu, guest, "model", "cpu");
}

static void read_model(OstlerImporter *import, xmlNode *cpu)
{
    const char *mode = ostler_import_take(import, cpu, "@mode");
    const char *model = ostler_import_peek(import, cpu, "model");

    if (!mode || strcmp(mode, "custom") == 0) {
        if (model && is_name(model)) {
            carry_model(import, cpu, model);
        }
    } else if (strcmp(mode, "host-model") == 0) {
        ostler_import_change(import, cpu, "@mode",
                             "The processor is the best that the accelerator has");
        ostler_import_take(import, cpu, "model");
    } else if (strcmp(mode, "host-passthrough") != 0 && strcmp(mode, "maximum") != 0) {
        ostler_import_drop(import, cpu, "@mode", "QEMU has no such mode");
    }
}

static const OstlerImportCarry topology_rows[] = {
    { "topology/@sockets", "sockets" },
    { "topology/@cores", "cores" },
    { "topology/@threads", "threads" },
    { NULL },
};

/* The rest of <cpu> that is a word of QEMU's own. */
static const struct {
    const char *step;
    const char *value;
    const char *option;
} cpu_options[] = {
    { "cache/@mode", "passthrough", "host-cache-info=on" },
    { "@migratable", "on", "migratable=on" },
    { "@migratable", "off", "migratable=off" },
};

static void read_cpu_options(OstlerImporter *import, xmlNode *cpu)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cpu_options); i++) {
        const char *value = ostler_import_peek(import, cpu, cpu_options[i].step);

        if (ostler_import_is_x86(import) &&
            g_strcmp0(value, cpu_options[i].value) == 0) {
            ostler_import_take(import, cpu, cpu_options[i].step);
            ostler_import_add_cpu_option(import, cpu, cpu_options[i].option);
        }
    }
}

static void read_topology(OstlerImporter *import, xmlNode *cpu)
{
    OstlerSection *guest = ostler_import_section(import, "guest");
    const char *dies = ostler_import_take(import, cpu, "topology/@dies");

    ostler_import_carry_all(import, cpu, guest, topology_rows);
    /* Most machines know no dies and refuse the word, even for one. */
    if (dies && strcmp(dies, "1") != 0) {
        ostler_import_carry(import, cpu, guest, "topology/@dies", "dies");
    }
}

static const OstlerImportPart feature_parts[] = {
    { "feature", read_feature },
    { NULL },
};

/* --- numa ----------------------------------------------------------------------- */

static void read_cell(OstlerImporter *import, xmlNode *cell)
{
    uint64_t bytes;
    const char *id = ostler_import_take(import, cell, "@id");
    OstlerSection *numa = ostler_import_add(import, cell, "numa", id ? id : "node");

    if (!numa) {
        return;
    }
    if (ostler_import_peek(import, cell, "@cpus")) {
        ostler_import_carry(import, cell, numa, "@cpus", "cpus");
    }
    if (ostler_import_take_bytes(import, cell, "@memory", 1024, &bytes)) {
        /* libvirt rounds each cell, and QEMU wants their sum to be the memory. */
        ostler_import_set_bytes(import, cell, numa, "memory",
                                (bytes + MIB - 1) / MIB * MIB);
    }
}

static const OstlerImportPart numa_parts[] = {
    { "cell", read_cell },
    { NULL },
};

void ostler_import_cpu(OstlerImporter *import, xmlNode *node)
{
    xmlNode *numa = ostler_import_enter(node, "numa");

    read_model(import, node);
    read_topology(import, node);
    ostler_import_read_parts(import, node, feature_parts);
    read_cpu_options(import, node);
    if (numa) {
        ostler_import_read_parts(import, numa, numa_parts);
    }
}

/* --- features ------------------------------------------------------------------- */

typedef enum { MACHINE, CPU } Owner;

/* libvirt docs/formatdomain.rst "Hypervisor features"; QEMU docs/system/i386/hyperv.rst.
 * @value NULL: the element's being there is enough.  @needs: where the option exists. */
static const struct {
    const char *step;
    const char *value;
    Owner owner;
    const char *option;
    bool is_x86_only;
} features[] = {
    { "smm/@state", "on", MACHINE, "smm=on", true },
    { "smm/@state", "off", MACHINE, "smm=off", true },
    { "vmport/@state", "on", MACHINE, "vmport=on", true },
    { "vmport/@state", "off", MACHINE, "vmport=off", true },
    { "gic/@version", "2", MACHINE, "gic-version=2", false },
    { "gic/@version", "3", MACHINE, "gic-version=3", false },
    { "gic/@version", "host", MACHINE, "gic-version=max", false },
    { "pmu/@state", "on", CPU, "pmu=on", false },
    { "pmu/@state", "off", CPU, "pmu=off", false },
    { "kvm/hidden/@state", "on", CPU, "kvm=off", true },
    { "kvm/hidden/@state", "off", CPU, "kvm=on", true },
    { "pvspinlock/@state", "on", CPU, "kvm-pv-unhalt=on", true },
    { "pvspinlock/@state", "off", CPU, "kvm-pv-unhalt=off", true },
    { "apic/@eoi", "on", CPU, "kvm-pv-eoi=on", true },
    { "apic/@eoi", "off", CPU, "kvm-pv-eoi=off", true },
    { "hyperv/@mode", "passthrough", CPU, "hv-passthrough=on", true },
    { "hyperv/relaxed/@state", "on", CPU, "hv-relaxed=on", true },
    { "hyperv/vapic/@state", "on", CPU, "hv-vapic=on", true },
    { "hyperv/vpindex/@state", "on", CPU, "hv-vpindex=on", true },
    { "hyperv/runtime/@state", "on", CPU, "hv-runtime=on", true },
    { "hyperv/synic/@state", "on", CPU, "hv-synic=on", true },
    { "hyperv/stimer/@state", "on", CPU, "hv-stimer=on", true },
    { "hyperv/stimer/direct/@state", "on", CPU, "hv-stimer-direct=on", true },
    { "hyperv/reset/@state", "on", CPU, "hv-reset=on", true },
    { "hyperv/frequencies/@state", "on", CPU, "hv-frequencies=on", true },
    { "hyperv/reenlightenment/@state", "on", CPU, "hv-reenlightenment=on", true },
    { "hyperv/tlbflush/@state", "on", CPU, "hv-tlbflush=on", true },
    { "hyperv/ipi/@state", "on", CPU, "hv-ipi=on", true },
    { "hyperv/evmcs/@state", "on", CPU, "hv-evmcs=on", true },
    { "hyperv/avic/@state", "on", CPU, "hv-avic=on", true },
};

/* Off is what a Hyper-V word is when it is not there. */
static void take_if_off(OstlerImporter *import, xmlNode *hyperv)
{
    for (xmlNode *child = hyperv->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE &&
            g_strcmp0(ostler_import_peek(import, child, "@state"), "off") == 0) {
            ostler_import_take(import, child, "@state");
        }
    }
}

static const char *value_if_on(OstlerImporter *import, xmlNode *hyperv,
                               const char *name, const char *attribute)
{
    xmlNode *child = ostler_import_first(hyperv, name);
    bool is_on =
        child && g_strcmp0(ostler_import_peek(import, child, "@state"), "on") == 0;

    return is_on ? ostler_import_peek(import, child, attribute) : NULL;
}

static void read_hyperv_values(OstlerImporter *import, xmlNode *hyperv)
{
    const char *retries = value_if_on(import, hyperv, "spinlocks", "@retries");
    const char *vendor = value_if_on(import, hyperv, "vendor_id", "@value");

    if (retries && is_name(retries)) {
        g_autofree char *option = g_strdup_printf("hv-spinlocks=%s", retries);
        ostler_import_take(import, hyperv, "spinlocks/@state");
        ostler_import_take(import, hyperv, "spinlocks/@retries");
        ostler_import_add_cpu_option(import, hyperv, option);
    }
    /* It goes into a list of QEMU's: its comma ends a value, blanks do not. */
    if (vendor && *vendor && !strpbrk(vendor, ",=")) {
        g_autofree char *option = g_strdup_printf("hv-vendor-id=%s", vendor);
        ostler_import_take(import, hyperv, "vendor_id/@state");
        ostler_import_take(import, hyperv, "vendor_id/@value");
        ostler_import_add_cpu_option(import, hyperv, option);
    }
    take_if_off(import, hyperv);
}

static void read_option(OstlerImporter *import, xmlNode *node, size_t i)
{
    const char *value = ostler_import_peek(import, node, features[i].step);

    if (g_strcmp0(value, features[i].value) != 0 ||
        (features[i].is_x86_only && !ostler_import_is_x86(import))) {
        return;
    }
    ostler_import_take(import, node, features[i].step);
    if (features[i].owner == MACHINE) {
        ostler_import_add_machine_option(import, node, features[i].option);
    } else {
        ostler_import_add_cpu_option(import, node, features[i].option);
    }
}

/* QEMU 7.2 target/i386/kvm/hyperv-proto.h: they are KVM's to offer. */
static bool drop_hyperv_without_kvm(OstlerImporter *import, xmlNode *node)
{
    if (!ostler_import_first(node, "hyperv") || !import->is_emulated) {
        return false;
    }
    ostler_import_drop(import, node, "hyperv",
                       "QEMU offers Hyper-V's interfaces with KVM only");
    return true;
}

void ostler_import_features(OstlerImporter *import, xmlNode *node)
{
    bool has_hyperv =
        !drop_hyperv_without_kvm(import, node) && ostler_import_first(node, "hyperv");

    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        if (has_hyperv || !g_str_has_prefix(features[i].step, "hyperv")) {
            read_option(import, node, i);
        }
    }
    if (has_hyperv) {
        read_hyperv_values(import, ostler_import_enter(node, "hyperv"));
    }
    ostler_import_enter(node, "acpi");
    ostler_import_enter(node, "apic");
    if (ostler_import_first(node, "vmcoreinfo")) {
        ostler_import_enter(node, "vmcoreinfo");
        ostler_import_add_argument(import, node, "-device", "vmcoreinfo");
    }
}
