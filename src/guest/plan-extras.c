/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan-extras.c - randomness, TPM, watchdog, folders, balloon, host devices, [qemu] */
#include "guest/planner.h"

#include <string.h>

static bool add_rng(OstlerPlanner *planner, const OstlerSection *rng, GError **error)
{
    g_autofree char *id = ostler_plan_id(rng);
    g_autofree char *who = ostler_plan_who(rng);
    g_autoptr(GString) options = g_string_new(NULL);
    GString *object = g_string_new("rng-random");

    g_string_append_printf(object, ",id=%s-source", id);
    ostler_option(object, "filename", ostler_section_get(rng, "source"));
    ostler_plan_take(planner, "-object", object);

    g_string_append_printf(options, ",rng=%s-source", id);
    if (ostler_section_has(rng, "max-bytes")) {
        ostler_option_number(options, "max-bytes",
                             ostler_section_get_number(rng, "max-bytes"));
        ostler_option_number(options, "period",
                             ostler_section_get_number(rng, "period-ms"));
    }
    return ostler_plan_virtio(planner, "virtio-rng", id, options->str, who, error);
}

/* PCs have the TIS at a fixed address, Arm's platform bus takes it as a device. */
static const char *choose_tpm(const OstlerPlanner *planner, const char *model)
{
    static const struct {
        const char *model;
        const char *device;
    } tpms[] = {
        { "crb", "tpm-crb" },
        { "tis", "tpm-tis" },
        { "tis", "tpm-tis-device" },
        { "spapr", "tpm-spapr" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(tpms); i++) {
        if ((strcmp(model, "auto") == 0 || strcmp(model, tpms[i].model) == 0) &&
            ostler_machine_has_device(planner->machine, tpms[i].device)) {
            return tpms[i].device;
        }
    }
    return NULL;
}

static bool add_tpm(OstlerPlanner *planner, const OstlerSection *tpm, GError **error)
{
    const char *device = choose_tpm(planner, ostler_section_get(tpm, "model"));
    const char *path = ostler_section_get(tpm, "path");
    bool is_emulated = strcmp(ostler_section_get(tpm, "type"), "emulator") == 0;

    if (!device) {
        return ostler_plan_unsupported(error, "'%s' has no TPM for [tpm]",
                                       planner->machine->emulator);
    }
    if (is_emulated && !path) {
        return ostler_plan_unsupported(error, "[tpm] needs the path of swtpm's control "
                                              "socket");
    }
    if (is_emulated) {
        GString *chardev = g_string_new("socket,id=tpm-control");
        ostler_option(chardev, "path", path);
        ostler_plan_take(planner, "-chardev", chardev);
        ostler_plan_add(planner, "-tpmdev",
                        "emulator,id=tpm-backend,chardev=tpm-control");
    } else {
        GString *backend = g_string_new("passthrough,id=tpm-backend");
        ostler_option(backend, "path", path ? path : "/dev/tpm0");
        ostler_plan_take(planner, "-tpmdev", backend);
    }
    ostler_plan_add(planner, "-device", "%s,id=tpm,tpmdev=tpm-backend", device);
    return true;
}

static bool has_isa(const OstlerPlanner *planner)
{
    static const char *const isa[] = { "ISA", NULL };
    return ostler_machine_find_bus(planner->machine, isa) != NULL;
}

static bool attach_watchdog(OstlerPlanner *planner, const char *model, GError **error)
{
    static const char *const who = "[watchdog]";
    bool is_auto = strcmp(model, "auto") == 0;

    if (strcmp(model, "itco") == 0) {
        /* ICH9's own; the pin strap would keep it from resetting the machine. */
        ostler_plan_add(planner, "-global", "ICH9-LPC.noreboot=off");
        return ostler_machine_has_onboard(planner->machine, "ICH9-LPC") ||
               ostler_plan_unsupported(error, "The machine '%s' has no iTCO watchdog",
                                       planner->machine->name);
    }
    if (strcmp(model, "i6300esb") == 0 ||
        (is_auto && ostler_slots_has_pci(planner->slots))) {
        return ostler_plan_pci(planner, "i6300esb", "watchdog", "", who, error);
    }
    if ((is_auto || strcmp(model, "ib700") == 0) && has_isa(planner)) {
        ostler_plan_add(planner, "-device", "ib700,id=watchdog");
        return ostler_plan_need_device(planner, "ib700", who, error);
    }
    return ostler_plan_unsupported(
        error, "The machine '%s' has no place for a watchdog", planner->machine->name);
}

static bool add_watchdog(OstlerPlanner *planner, const OstlerSection *watchdog,
                         GError **error)
{
    ostler_plan_add(planner, "-action", "watchdog=%s",
                    ostler_section_get(watchdog, "action"));
    return attach_watchdog(planner, ostler_section_get(watchdog, "model"), error);
}

static bool add_filesystem(OstlerPlanner *planner, const OstlerSection *filesystem,
                           GError **error)
{
    const char *tag = ostler_section_get(filesystem, "tag");
    g_autofree char *id = ostler_plan_id(filesystem);
    g_autofree char *who = ostler_plan_who(filesystem);
    g_autoptr(GString) options = g_string_new(NULL);
    GString *fsdev = g_string_new("local");

    g_string_append_printf(fsdev, ",id=%s-folder,multidevs=remap", id);
    ostler_option(fsdev, "path", ostler_section_get(filesystem, "path"));
    ostler_option(fsdev, "security_model", ostler_section_get(filesystem, "security"));
    if (ostler_section_get_bool(filesystem, "readonly")) {
        g_string_append(fsdev, ",readonly=on");
    }
    ostler_plan_take(planner, "-fsdev", fsdev);

    g_string_append_printf(options, ",fsdev=%s-folder", id);
    ostler_option(options, "mount_tag", tag ? tag : ostler_section_label(filesystem));
    return ostler_plan_virtio(planner, "virtio-9p", id, options->str, who, error);
}

static bool add_balloon(OstlerPlanner *planner, const OstlerSection *balloon,
                        GError **error)
{
    g_autoptr(GString) options = g_string_new(NULL);

    if (ostler_section_get_bool(balloon, "deflate-on-oom")) {
        g_string_append(options, ",deflate-on-oom=on");
    }
    if (ostler_section_get_bool(balloon, "free-page-reporting")) {
        g_string_append(options, ",free-page-reporting=on");
    }
    return ostler_plan_virtio(planner, "virtio-balloon", "balloon", options->str,
                              "[balloon]", error);
}

/* A context id that stays the same for a guest; two guests rarely share one, and QEMU
 * refuses the second to start. */
static uint32_t make_cid(const OstlerPlanner *planner)
{
    return 3 + g_str_hash(ostler_definition_name(planner->definition)) % 0x7fffffff;
}

static bool add_vsock(OstlerPlanner *planner, const OstlerSection *vsock,
                      GError **error)
{
    uint64_t cid = ostler_section_get_number(vsock, "cid");
    g_autofree char *options =
        g_strdup_printf(",guest-cid=%" G_GUINT64_FORMAT, cid ? cid : make_cid(planner));

    return ostler_plan_virtio(planner, "vhost-vsock", "vsock", options, "[vsock]",
                              error);
}

static bool add_panic(OstlerPlanner *planner, const OstlerSection *panic,
                      GError **error)
{
    const char *model = ostler_section_get(panic, "model");
    bool is_isa =
        strcmp(model, "isa") == 0 || (strcmp(model, "auto") == 0 && has_isa(planner));

    if (!is_isa) {
        return ostler_plan_pci(planner, "pvpanic-pci", "panic", "", "[panic]", error);
    }
    if (!has_isa(planner)) {
        return ostler_plan_unsupported(error, "The machine '%s' has no ISA for [panic]",
                                       planner->machine->name);
    }
    ostler_plan_add(planner, "-device", "pvpanic,id=panic");
    return ostler_plan_need_device(planner, "pvpanic", "[panic]", error);
}

static bool add_pci_hostdev(OstlerPlanner *planner, const OstlerSection *hostdev,
                            const char *id, const char *who, GError **error)
{
    g_autoptr(GString) options = g_string_new(NULL);
    unsigned boot = ostler_plan_boot_index(planner, hostdev);

    ostler_option(options, "host", ostler_section_get(hostdev, "pci"));
    if (boot) {
        ostler_option_number(options, "bootindex", boot);
    }
    return ostler_plan_pci(planner, "vfio-pci", id, options->str, who, error);
}

/* VENDOR:PRODUCT in hexadecimal, or BUS.DEVICE in decimal. */
static bool add_usb_hostdev(OstlerPlanner *planner, const OstlerSection *hostdev,
                            const char *id, const char *who, GError **error)
{
    const char *usb = ostler_section_get(hostdev, "usb");
    bool is_by_id = strchr(usb, ':') != NULL;
    g_auto(GStrv) parts = g_strsplit(usb, is_by_id ? ":" : ".", 2);
    g_autoptr(GString) options = g_string_new(NULL);

    if (is_by_id) {
        g_string_append_printf(options, ",vendorid=0x%s,productid=0x%s", parts[0],
                               parts[1]);
    } else {
        g_string_append_printf(options, ",hostbus=%s,hostaddr=%s", parts[0], parts[1]);
    }
    return ostler_plan_usb(planner, "usb-host", id, options->str, who, error);
}

static bool add_hostdev(OstlerPlanner *planner, const OstlerSection *hostdev,
                        GError **error)
{
    g_autofree char *id = ostler_plan_id(hostdev);
    g_autofree char *who = ostler_plan_who(hostdev);

    if (ostler_section_has(hostdev, "pci")) {
        return add_pci_hostdev(planner, hostdev, id, who, error);
    }
    if (ostler_section_has(hostdev, "usb")) {
        return add_usb_hostdev(planner, hostdev, id, who, error);
    }
    return ostler_plan_unsupported(error, "%s names neither a pci nor a usb device",
                                   who);
}

/* Kinds of sections that need nothing but a function to add one. */
static const struct {
    const char *kind;
    bool (*add)(OstlerPlanner *planner, const OstlerSection *section, GError **error);
} extras[] = {
    { "rng", add_rng },           { "tpm", add_tpm },
    { "watchdog", add_watchdog }, { "filesystem", add_filesystem },
    { "balloon", add_balloon },   { "vsock", add_vsock },
    { "panic", add_panic },       { "hostdev", add_hostdev },
};

bool ostler_plan_extras(OstlerPlanner *planner, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(extras); i++) {
        const char *kind = extras[i].kind;
        for (const OstlerSection *section =
                 ostler_definition_first(planner->definition, kind);
             section; section = ostler_section_next(section, kind)) {
            if (!extras[i].add(planner, section, error)) {
                return false;
            }
        }
    }
    return true;
}

/* Last, so that it can override what stands before. */
bool ostler_plan_qemu(OstlerPlanner *planner, GError **error)
{
    const OstlerSection *qemu =
        ostler_definition_find(planner->definition, "qemu", NULL);
    if (!qemu) {
        return true;
    }

    g_autofree const char **arguments = ostler_section_get_list(qemu, "argument");
    for (const char **argument = arguments; argument && *argument; argument++) {
        g_ptr_array_add(planner->argv, g_strdup(*argument));
    }
    return true;
}
