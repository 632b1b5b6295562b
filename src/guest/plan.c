/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The parts below are run in order, and the order is part of the promise: disks and
 * then cards take the lowest places, so that a guest numbers them as the definition
 * does.  Everything is planned twice at most.  First each device gets a PCI slot of its
 * own, which keeps addresses readable and lets a slot be unplugged as a whole; only if
 * the slots run out, the second attempt puts eight functions into each.
 */
#include "guest/planner.h"

#include <string.h>

G_DEFINE_QUARK(ostler - plan - error, ostler_plan_error)

static OstlerPlanPart *const parts[] = {
    ostler_plan_machine,   ostler_plan_boot,     ostler_plan_monitors,
    ostler_plan_serials,   ostler_plan_disks,    ostler_plan_nics,
    ostler_plan_shares,    ostler_plan_inputs,   ostler_plan_screens,
    ostler_plan_parallels, ostler_plan_channels, ostler_plan_extras,
    ostler_plan_qemu,
};

static void clear_socket(void *data)
{
    g_free(((OstlerPlanSocket *)data)->name);
}

static void clear_device(void *data)
{
    OstlerPlanDevice *device = data;

    g_free(device->who);
    g_free(device->type);
    g_free(device->id);
}

static void clear_planner(OstlerPlanner *planner)
{
    g_clear_pointer(&planner->slots, ostler_slots_free);
    g_clear_pointer(&planner->argv, g_ptr_array_unref);
    g_clear_pointer(&planner->sockets, g_array_unref);
    g_clear_pointer(&planner->devices, g_array_unref);
    g_clear_pointer(&planner->notes, g_ptr_array_unref);
    g_clear_pointer(&planner->console, g_free);
}

static bool run_parts(OstlerPlanner *planner, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!parts[i](planner, error)) {
            return false;
        }
    }
    return true;
}

static char **steal_texts(GPtrArray **array)
{
    g_ptr_array_add(*array, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(array), false);
}

static OstlerPlan *finish(OstlerPlanner *planner)
{
    OstlerPlan *plan = g_new0(OstlerPlan, 1);
    gsize n_sockets = 0, n_devices = 0;

    plan->argv = steal_texts(&planner->argv);
    plan->notes = steal_texts(&planner->notes);
    plan->sockets = (OstlerPlanSocket *)g_array_steal(planner->sockets, &n_sockets);
    plan->n_sockets = (unsigned)n_sockets;
    plan->devices = (OstlerPlanDevice *)g_array_steal(planner->devices, &n_devices);
    plan->n_devices = (unsigned)n_devices;
    plan->console = g_steal_pointer(&planner->console);
    return plan;
}

static OstlerPlan *attempt(const OstlerDefinition *definition,
                           const OstlerMachine *machine, const OstlerPlanHost *host,
                           bool pack, GError **error)
{
    OstlerPlanner planner = {
        .definition = definition,
        .machine = machine,
        .host = host,
        .argv = g_ptr_array_new_with_free_func(g_free),
        .sockets = g_array_new(false, false, sizeof(OstlerPlanSocket)),
        .devices = g_array_new(false, false, sizeof(OstlerPlanDevice)),
        .notes = g_ptr_array_new_with_free_func(g_free),
    };
    OstlerPlan *plan = NULL;

    g_array_set_clear_func(planner.sockets, clear_socket);
    g_array_set_clear_func(planner.devices, clear_device);
    planner.slots = ostler_slots_new(
        machine, ostler_definition_get(definition, "guest", "transport"), pack, error);
    if (planner.slots && run_parts(&planner, error)) {
        plan = finish(&planner);
    }
    clear_planner(&planner);
    return plan;
}

OstlerPlan *ostler_plan_new(const OstlerDefinition *definition,
                            const OstlerMachine *machine, const OstlerPlanHost *host,
                            GError **error)
{
    GError *failed = NULL;
    OstlerPlan *plan = attempt(definition, machine, host, false, &failed);

    if (plan ||
        !g_error_matches(failed, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_NO_SLOT)) {
        if (failed) {
            g_propagate_error(error, failed);
        }
        return plan;
    }
    g_clear_error(&failed);
    return attempt(definition, machine, host, true, error);
}

void ostler_plan_free(OstlerPlan *plan)
{
    if (!plan) {
        return;
    }
    for (unsigned i = 0; i < plan->n_sockets; i++) {
        clear_socket(&plan->sockets[i]);
    }
    for (unsigned i = 0; i < plan->n_devices; i++) {
        clear_device(&plan->devices[i]);
    }
    g_free(plan->devices);
    g_free(plan->sockets);
    g_strfreev(plan->argv);
    g_strfreev(plan->notes);
    g_free(plan->console);
    g_free(plan);
}
