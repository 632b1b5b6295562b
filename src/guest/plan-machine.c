/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan-machine.c - the machine itself: accelerator, processors, memory, clock */
#include "guest/planner.h"

#include <string.h>

#define KVM_CPU "host"

static void add_name(OstlerPlanner *planner)
{
    GString *name = g_string_new("guest=");

    ostler_option_escape(name, ostler_definition_name(planner->definition));
    ostler_plan_take(planner, "-name", name);
}

/*
 * QEMU's own seccomp filter.  Helpers (qemu-bridge-helper, passt) are started with
 * fork, which spawn=deny forbids.
 */
static void add_sandbox(OstlerPlanner *planner)
{
    bool spawns = false;

    for (const OstlerSection *nic = ostler_definition_first(planner->definition, "nic");
         nic; nic = ostler_section_next(nic, "nic")) {
        spawns |= ostler_plan_needs_helper(nic);
    }
    ostler_plan_add(
        planner, "-sandbox",
        "on,obsolete=deny,elevateprivileges=%s,spawn=%s,resourcecontrol=deny",
        spawns ? "allow" : "deny", spawns ? "allow" : "deny");
}

/* mem-merge and the RAM's backend are properties of the machine. */
static void add_machine(OstlerPlanner *planner)
{
    GString *machine = g_string_new(planner->machine->name);

    if (!ostler_definition_get_bool(planner->definition, "memory-backing", "merge") &&
        ostler_definition_find(planner->definition, "memory-backing", NULL)) {
        g_string_append(machine, ",mem-merge=off");
    }
    ostler_plan_take(planner, "-machine", machine);
    ostler_plan_add(planner, "-accel", "%s", planner->host->accel);
}

static const char *choose_cpu(const OstlerPlanner *planner)
{
    const char *wish = ostler_definition_get(planner->definition, "guest", "cpu");

    if (wish) {
        return wish;
    }
    if (strcmp(planner->host->accel, "kvm") == 0 && planner->machine->default_cpu) {
        return KVM_CPU;
    }
    return planner->machine->preferred_cpu;
}

/* Processor features are QEMU's own commas, not to be doubled. */
static void add_cpu(OstlerPlanner *planner)
{
    const char *cpu = choose_cpu(planner);

    if (cpu) {
        ostler_plan_add(planner, "-cpu", "%s", cpu);
    }
}

static bool add_smp(OstlerPlanner *planner, GError **error)
{
    static const char *const keys[] = { "sockets", "dies", "cores", "threads" };
    const OstlerSection *guest =
        ostler_definition_find(planner->definition, "guest", NULL);
    uint64_t cpus = ostler_definition_cpus(planner->definition);
    uint64_t most = MAX(cpus, ostler_section_get_number(guest, "cpus-max"));
    bool is_asked = ostler_section_has(guest, "cpus") || cpus > 1 || most > 1;

    /* A board with a fixed number of processors refuses to be told another one. */
    if (!is_asked) {
        return true;
    }
    if (planner->machine->max_cpus && most > planner->machine->max_cpus) {
        return ostler_plan_unsupported(
            error, "The machine '%s' has at most %u processors, not %" G_GUINT64_FORMAT,
            planner->machine->name, planner->machine->max_cpus, most);
    }

    GString *smp = g_string_new(NULL);
    g_string_append_printf(smp, "%" G_GUINT64_FORMAT, cpus);
    if (most > cpus) {
        ostler_option_number(smp, "maxcpus", most);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (ostler_section_has(guest, keys[i])) {
            ostler_option_number(smp, keys[i],
                                 ostler_section_get_number(guest, keys[i]));
        }
    }
    ostler_plan_take(planner, "-smp", smp);
    return true;
}

/* The guest's memory in bytes: as asked for, or what suits the machine. */
static bool choose_memory(OstlerPlanner *planner, uint64_t *out_size, GError **error)
{
    const OstlerSection *guest =
        ostler_definition_find(planner->definition, "guest", NULL);
    const OstlerMachine *machine = planner->machine;

    if (!ostler_section_has(guest, "memory")) {
        *out_size = machine->memory_refusal ? machine->default_memory : machine->memory;
        return true;
    }
    *out_size = ostler_section_get_size(guest, "memory");
    if (machine->memory_refusal && *out_size != machine->default_memory) {
        return ostler_plan_unsupported(
            error,
            "The machine '%s' takes no memory of another size "
            "than its own: %s",
            machine->name, machine->memory_refusal);
    }
    return true;
}

static void add_size(GString *options, const char *key, uint64_t bytes)
{
    if (bytes % (1u << 20) == 0) {
        g_string_append_printf(options, ",%s=%" G_GUINT64_FORMAT "M", key, bytes >> 20);
    } else {
        g_string_append_printf(options, ",%s=%" G_GUINT64_FORMAT "B", key, bytes);
    }
}

/* A file is a backend of its own; huge pages without one are a memfd. */
static const char *backend_type(const OstlerSection *backing)
{
    if (ostler_section_has(backing, "file")) {
        return "memory-backend-file";
    }
    if (ostler_section_get_bool(backing, "hugepages") ||
        ostler_section_get_bool(backing, "shared")) {
        return "memory-backend-memfd";
    }
    return "memory-backend-ram";
}

static void add_backend(OstlerPlanner *planner, const char *id, uint64_t bytes)
{
    const OstlerSection *backing =
        ostler_definition_find(planner->definition, "memory-backing", NULL);
    GString *object =
        g_string_new(backing ? backend_type(backing) : "memory-backend-ram");

    ostler_option(object, "id", id);
    add_size(object, "size", bytes);
    if (backing && ostler_section_has(backing, "file")) {
        ostler_option(object, "mem-path", ostler_section_get(backing, "file"));
    } else if (backing && ostler_section_get_bool(backing, "hugepages")) {
        g_string_append(object, ",hugetlb=on");
        if (ostler_section_has(backing, "hugepage-size")) {
            add_size(object, "hugetlbsize",
                     ostler_section_get_size(backing, "hugepage-size"));
        }
    }
    if (backing && ostler_section_get_bool(backing, "shared")) {
        g_string_append(object, ",share=on");
    }
    if (backing && ostler_section_get_bool(backing, "prealloc")) {
        g_string_append(object, ",prealloc=on");
    }
    ostler_plan_take(planner, "-object", object);
}

/* 0-3,8 -> ",cpus=0-3,cpus=8" */
static void add_node_cpus(GString *node, const char *ranges)
{
    g_auto(GStrv) parts = g_strsplit(ranges, ",", -1);

    for (char **part = parts; *part; part++) {
        ostler_option(node, "cpus", g_strstrip(*part));
    }
}

/* iothread1, iothread2...: what [disk] iothread = N names. */
static void add_iothreads(OstlerPlanner *planner)
{
    uint64_t n =
        ostler_definition_get_number(planner->definition, "guest", "iothreads");

    for (uint64_t i = 1; i <= n; i++) {
        ostler_plan_add(planner, "-object", "iothread,id=iothread%" G_GUINT64_FORMAT,
                        i);
    }
}

static void add_nodes(OstlerPlanner *planner)
{
    unsigned id = 0;

    for (const OstlerSection *numa =
             ostler_definition_first(planner->definition, "numa");
         numa; numa = ostler_section_next(numa, "numa"), id++) {
        GString *node = g_string_new(NULL);
        g_string_append_printf(node, "node,nodeid=%u", id);
        if (ostler_section_has(numa, "cpus")) {
            add_node_cpus(node, ostler_section_get(numa, "cpus"));
        }
        if (ostler_section_has(numa, "memory")) {
            g_autofree char *backend = g_strdup_printf("ram%u", id);
            add_backend(planner, backend, ostler_section_get_size(numa, "memory"));
            ostler_option(node, "memdev", backend);
        }
        ostler_plan_take(planner, "-numa", node);
    }
}

static bool nodes_have_memory(const OstlerPlanner *planner)
{
    const OstlerSection *numa = ostler_definition_first(planner->definition, "numa");
    return numa && ostler_section_has(numa, "memory");
}

static bool add_memory(OstlerPlanner *planner, GError **error)
{
    uint64_t bytes = 0;
    if (!choose_memory(planner, &bytes, error)) {
        return false;
    }

    if (!planner->machine->memory_refusal) {
        GString *memory = g_string_new("");
        add_size(memory, "size", bytes);
        g_string_erase(memory, 0, 1);
        ostler_plan_take(planner, "-m", memory);
    }
    if (nodes_have_memory(planner)) {
        add_nodes(planner);
        return true;
    }
    if (ostler_definition_find(planner->definition, "memory-backing", NULL)) {
        add_backend(planner, "ram", bytes);
        ostler_plan_add(planner, "-machine", "memory-backend=ram");
    }
    add_nodes(planner);
    return true;
}

/* What on-reboot, on-poweroff and on-crash leave to QEMU; a restart is the keeper's. */
static void add_actions(OstlerPlanner *planner)
{
    const OstlerDefinition *definition = planner->definition;
    bool stops =
        strcmp(ostler_definition_get(definition, "guest", "on-reboot"), "stop") == 0;
    bool pauses =
        strcmp(ostler_definition_get(definition, "guest", "on-poweroff"), "pause") == 0;
    bool crash_pauses =
        strcmp(ostler_definition_get(definition, "guest", "on-crash"), "pause") == 0;

    ostler_plan_add(planner, "-action", "reboot=%s,shutdown=%s,panic=%s",
                    stops ? "shutdown" : "reset", pauses ? "pause" : "poweroff",
                    crash_pauses ? "pause" : "shutdown");
}

bool ostler_plan_machine(OstlerPlanner *planner, GError **error)
{
    const OstlerDefinition *definition = planner->definition;
    const char *uuid = ostler_definition_get(definition, "guest", "uuid");

    g_ptr_array_add(planner->argv, g_strdup(planner->machine->emulator));
    add_name(planner);
    g_ptr_array_add(planner->argv, g_strdup("-no-user-config"));
    g_ptr_array_add(planner->argv, g_strdup("-nodefaults"));
    if (planner->host->paused) {
        g_ptr_array_add(planner->argv, g_strdup("-S"));
    }
    if (planner->machine->has_sandbox) {
        add_sandbox(planner);
    }
    add_machine(planner);
    add_cpu(planner);
    if (!add_smp(planner, error) || !add_memory(planner, error)) {
        return false;
    }
    if (uuid) {
        ostler_plan_add(planner, "-uuid", "%s", uuid);
    }
    ostler_plan_add(planner, "-rtc", "base=%s",
                    ostler_definition_get(definition, "guest", "clock"));
    if (ostler_definition_get_bool(definition, "memory-backing", "locked")) {
        ostler_plan_add(planner, "-overcommit", "mem-lock=on");
    }
    add_actions(planner);
    add_iothreads(planner);
    return true;
}
