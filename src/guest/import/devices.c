/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* <devices>: who reads which, and those that are a table of a few words each. */
#include <string.h>

#include "guest/import/parts.h"

/* A definition has one of these; a second is named. */
static OstlerSection *only_section(OstlerImporter *import, xmlNode *node,
                                   const char *kind)
{
    if (ostler_definition_find(import->definition, kind, NULL)) {
        ostler_import_drop(import, node, "", "A definition has one [%s]", kind);
        return NULL;
    }
    return ostler_import_section(import, kind);
}

/* --- screen and sound ----------------------------------------------------------- */

static const OstlerImportWord displays[] = {
    { "vnc", "vnc" }, { "spice", "spice" }, { "sdl", "sdl" }, { "dbus", "dbus" },
    { NULL },
};

/* -1 is libvirt's word for any port. */
static void read_port(OstlerImporter *import, xmlNode *graphics, OstlerSection *display)
{
    const char *port = ostler_import_peek(import, graphics, "@port");
    const char *automatic = ostler_import_take(import, graphics, "@autoport");

    if (!port || strcmp(port, "-1") == 0 || g_strcmp0(automatic, "yes") == 0) {
        ostler_import_take(import, graphics, "@port");
    } else {
        ostler_import_carry(import, graphics, display, "@port", "port");
    }
}

static void read_listen(OstlerImporter *import, xmlNode *graphics,
                        OstlerSection *display)
{
    const char *address = ostler_import_take(import, graphics, "@listen");
    xmlNode *listen = ostler_import_first(graphics, "listen");

    if (listen &&
        g_strcmp0(ostler_import_peek(import, listen, "@type"), "address") == 0) {
        ostler_import_take(import, listen, "@type");
        const char *inner = ostler_import_take(import, listen, "@address");
        address = inner ? inner : address;
    }
    if (address) {
        ostler_import_set(import, graphics, display, "address", address);
    }
}

static void read_graphics(OstlerImporter *import, xmlNode *node)
{
    static const OstlerImportCarry rows[] = { { "@type", "type", displays }, { NULL } };
    const char *type = ostler_import_peek(import, node, "@type");

    if (g_strcmp0(type, "vnc") != 0 && g_strcmp0(type, "spice") != 0 &&
        g_strcmp0(type, "sdl") != 0 && g_strcmp0(type, "dbus") != 0) {
        ostler_import_drop(import, node, "", "A definition has no such display");
        return;
    }

    OstlerSection *display = only_section(import, node, "display");
    if (!display) {
        return;
    }
    ostler_import_carry_all(import, node, display, rows);
    if (strcmp(type, "vnc") == 0 || strcmp(type, "spice") == 0) {
        read_port(import, node, display);
        read_listen(import, node, display);
    }
}

static const OstlerImportWord video_models[] = {
    { "vga", "std" },
    { "cirrus", "cirrus" },
    { "vmvga", "vmware" },
    { "qxl", "qxl" },
    { "virtio", "virtio" },
    { "bochs", "bochs" },
    { "ramfb", "ramfb" },
    { "none", "none" },
    { "gop", "std", "QEMU has no such card" },
    { "vbox", "std", "QEMU has no such card" },
    { "xen", "std", "QEMU has no such card" },
    { NULL },
};

static void read_video(OstlerImporter *import, xmlNode *node)
{
    static const OstlerImportCarry rows[] = { { "model/@type", "model", video_models },
                                              { NULL } };
    OstlerSection *video = only_section(import, node, "video");

    if (video) {
        ostler_import_carry_all(import, node, video, rows);
    }
}

static const OstlerImportWord sound_models[] = {
    { "ich6", "hda" },  { "ich9", "ich9" }, { "ac97", "ac97" }, { "es1370", "es1370" },
    { "sb16", "sb16" }, { "usb", "usb" },   { NULL },
};

static void read_sound(OstlerImporter *import, xmlNode *node)
{
    static const OstlerImportCarry rows[] = { { "@model", "model", sound_models },
                                              { NULL } };

    if (g_strcmp0(ostler_import_peek(import, node, "@model"), "pcspk") == 0) {
        ostler_import_drop(import, node, "", "A definition has no PC speaker");
        return;
    }

    OstlerSection *sound = only_section(import, node, "sound");
    if (sound) {
        ostler_import_carry_all(import, node, sound, rows);
    }
}

static void read_audio(OstlerImporter *import, xmlNode *node)
{
    if (g_strcmp0(ostler_import_peek(import, node, "@type"), "none") == 0) {
        ostler_import_excuse(import, node, "", "What nobody plays needs no word");
    } else {
        ostler_import_drop(import, node, "",
                           "Where the host plays the guest's sound is "
                           "not in a definition");
    }
}

/* --- input ---------------------------------------------------------------------- */

static void read_input(OstlerImporter *import, xmlNode *node)
{
    const char *type = ostler_import_peek(import, node, "@type");
    const char *bus = ostler_import_peek(import, node, "@bus");

    if (g_strcmp0(bus, "ps2") == 0) {
        ostler_import_excuse(import, node, "",
                             "The machine has its own where it has "
                             "a place for it");
        return;
    }
    if (g_strcmp0(type, "keyboard") != 0 && g_strcmp0(type, "mouse") != 0 &&
        g_strcmp0(type, "tablet") != 0) {
        ostler_import_drop(import, node, "", "A definition has no such input device");
        return;
    }

    OstlerSection *input = ostler_import_add(import, node, "input", type);
    if (input) {
        ostler_import_carry(import, node, input, "@type", "type");
        ostler_import_carry(import, node, input, "@bus", "bus");
    }
}

/* Transitional or not: the machine's own kind of virtio is what there is. */
static void take_virtio_model(OstlerImporter *import, xmlNode *node)
{
    const char *model = ostler_import_peek(import, node, "@model");

    if (model && strcmp(model, "virtio") != 0) {
        ostler_import_change(import, node, "@model",
                             "The device is of the machine's own virtio kind");
    } else {
        ostler_import_take(import, node, "@model");
    }
}

/* --- rng, tpm, watchdog, panic, balloon, vsock ---------------------------------- */

static const OstlerImportCarry rate_rows[] = {
    { "rate/@bytes", "max-bytes" },
    { "rate/@period", "period-ms" },
    { NULL },
};

static void read_rng(OstlerImporter *import, xmlNode *node)
{
    const char *backend = ostler_import_peek(import, node, "backend/@model");
    const char *source = ostler_import_peek(import, node, "backend");

    if (g_strcmp0(backend, "random") != 0 && g_strcmp0(backend, "builtin") != 0) {
        ostler_import_drop(import, node, "",
                           "A definition has no such source of "
                           "randomness");
        return;
    }

    g_autofree char *label =
        g_strdup_printf("%u", ostler_definition_count(import->definition, "rng"));
    OstlerSection *rng = ostler_import_add(import, node, "rng", label);
    if (!rng) {
        return;
    }
    ostler_import_take(import, node, "backend/@model");
    take_virtio_model(import, node);
    if (*source) {
        ostler_import_carry(import, node, rng, "backend", "source");
    }
    ostler_import_carry_all(import, node, rng, rate_rows);
}

static const OstlerImportWord tpm_models[] = {
    { "tpm-tis", "tis" },
    { "tpm-crb", "crb" },
    { "tpm-spapr", "spapr" },
    { NULL },
};

static const OstlerImportCarry tpm_rows[] = {
    { "@model", "model", tpm_models },
    { "backend/@type", "type" },
    { "backend/device/@path", "path" },
    { NULL },
};

static void read_tpm(OstlerImporter *import, xmlNode *node)
{
    const char *backend = ostler_import_peek(import, node, "backend/@type");

    if (g_strcmp0(backend, "passthrough") != 0) {
        ostler_import_drop(import, node, "",
                           "libvirt starts the swtpm that it talks to; "
                           "start one and name its socket in [tpm]");
        return;
    }

    OstlerSection *tpm = only_section(import, node, "tpm");
    if (tpm) {
        ostler_import_carry_all(import, node, tpm, tpm_rows);
    }
}

static const OstlerImportWord watchdog_actions[] = {
    { "reset", "reset" },
    { "shutdown", "shutdown" },
    { "poweroff", "poweroff" },
    { "pause", "pause" },
    { "none", "none" },
    { "inject-nmi", "inject-nmi" },
    { "dump", "pause", "The guest is paused; its memory is not dumped" },
    { NULL },
};

static const OstlerImportCarry watchdog_rows[] = {
    { "@model", "model" },
    { "@action", "action", watchdog_actions },
    { NULL },
};

static void read_watchdog(OstlerImporter *import, xmlNode *node)
{
    OstlerSection *watchdog = only_section(import, node, "watchdog");

    if (watchdog) {
        ostler_import_carry_all(import, node, watchdog, watchdog_rows);
    }
}

static const OstlerImportWord panic_models[] = {
    { "isa", "isa" },
    { "pvpanic", "pci" },
    { NULL },
};

static void read_panic(OstlerImporter *import, xmlNode *node)
{
    static const OstlerImportCarry rows[] = { { "@model", "model", panic_models },
                                              { NULL } };
    const char *model = ostler_import_peek(import, node, "@model");

    if (g_strcmp0(model, "pseries") == 0 || g_strcmp0(model, "s390") == 0) {
        ostler_import_excuse(import, node, "", "The machine has it in itself");
    } else if (g_strcmp0(model, "hyperv") == 0 && ostler_import_is_x86(import)) {
        ostler_import_take(import, node, "@model");
        ostler_import_add_cpu_option(import, node, "hv-crash=on");
    } else {
        OstlerSection *panic = only_section(import, node, "panic");
        if (panic) {
            ostler_import_carry_all(import, node, panic, rows);
        }
    }
}

static const OstlerImportWord on_off[] = {
    { "on", "yes" },
    { "off", "no" },
    { NULL },
};

static const OstlerImportCarry balloon_rows[] = {
    { "@autodeflate", "deflate-on-oom", on_off },
    { "@freePageReporting", "free-page-reporting", on_off },
    { NULL },
};

static void read_balloon(OstlerImporter *import, xmlNode *node)
{
    const char *model = ostler_import_peek(import, node, "@model");

    if (g_strcmp0(model, "none") == 0) {
        ostler_import_take(import, node, "@model");
        return;
    }
    if (g_strcmp0(model, "xen") == 0) {
        ostler_import_drop(import, node, "", "QEMU without Xen has no such balloon");
        return;
    }

    OstlerSection *balloon = only_section(import, node, "balloon");
    if (balloon) {
        take_virtio_model(import, node);
        ostler_import_carry_all(import, node, balloon, balloon_rows);
    }
}

static void read_vsock(OstlerImporter *import, xmlNode *node)
{
    OstlerSection *vsock = only_section(import, node, "vsock");

    if (!vsock) {
        return;
    }
    take_virtio_model(import, node);
    if (g_strcmp0(ostler_import_take(import, node, "cid/@auto"), "yes") == 0) {
        ostler_import_take(import, node, "cid/@address");
    } else {
        ostler_import_carry(import, node, vsock, "cid/@address", "cid");
    }
}

/* --- filesystem ----------------------------------------------------------------- */

static const OstlerImportWord access_modes[] = {
    { "mapped", "mapped-xattr" },
    { "passthrough", "passthrough" },
    { "squash", "none" },
    { NULL },
};

static const OstlerImportCarry filesystem_rows[] = {
    { "source/@dir", "path" },
    { "target/@dir", "tag" },
    { "@accessmode", "security", access_modes },
    { "readonly", "readonly", .present = "yes" },
    { NULL },
};

static void read_filesystem_driver(OstlerImporter *import, xmlNode *node)
{
    const char *driver = ostler_import_peek(import, node, "driver/@type");

    if (g_strcmp0(driver, "path") == 0) {
        ostler_import_take(import, node, "driver/@type");
    } else if (driver) {
        ostler_import_change(import, node, "driver/@type",
                             "The folder is shared by 9p: the guest mounts it with "
                             "-t 9p -o trans=virtio");
    }
}

static void read_filesystem(OstlerImporter *import, xmlNode *node)
{
    const char *type = ostler_import_take(import, node, "@type");
    const char *tag = ostler_import_peek(import, node, "target/@dir");

    if (g_strcmp0(type ? type : "mount", "mount") != 0 ||
        !ostler_import_peek(import, node, "source/@dir")) {
        ostler_import_drop(import, node, "",
                           "A definition shares folders of the host, "
                           "nothing else");
        return;
    }

    OstlerSection *filesystem =
        ostler_import_add(import, node, "filesystem", tag ? tag : "folder");
    if (filesystem) {
        ostler_import_carry_all(import, node, filesystem, filesystem_rows);
        read_filesystem_driver(import, node);
    }
}

/* --- devices of the host -------------------------------------------------------- */

/* libvirt writes 0x06, 6 or 06. */
static unsigned take_number(OstlerImporter *import, xmlNode *node, const char *step,
                            unsigned *out_is_bad)
{
    uint64_t number = 0;
    const char *text = ostler_import_take(import, node, step);
    bool is_hex = text && g_str_has_prefix(text, "0x");

    if (text && !g_ascii_string_to_unsigned(is_hex ? text + 2 : text, is_hex ? 16 : 10,
                                            0, UINT16_MAX, &number, NULL)) {
        (*out_is_bad)++;
    }
    return (unsigned)number;
}

static char *pci_address(OstlerImporter *import, xmlNode *node)
{
    unsigned bad = 0;
    unsigned domain = take_number(import, node, "source/address/@domain", &bad);
    unsigned bus = take_number(import, node, "source/address/@bus", &bad);
    unsigned slot = take_number(import, node, "source/address/@slot", &bad);
    unsigned function = take_number(import, node, "source/address/@function", &bad);

    return bad ? NULL
               : g_strdup_printf("%04x:%02x:%02x.%x", domain, bus, slot, function);
}

static char *usb_address(OstlerImporter *import, xmlNode *node)
{
    unsigned bad = 0;

    if (ostler_import_peek(import, node, "source/vendor/@id")) {
        unsigned vendor = take_number(import, node, "source/vendor/@id", &bad);
        unsigned product = take_number(import, node, "source/product/@id", &bad);
        return bad ? NULL : g_strdup_printf("%04x:%04x", vendor, product);
    }

    unsigned bus = take_number(import, node, "source/address/@bus", &bad);
    unsigned device = take_number(import, node, "source/address/@device", &bad);
    return bad ? NULL : g_strdup_printf("%u.%u", bus, device);
}

static const struct {
    const char *type;
    const char *key;
    char *(*address)(OstlerImporter *import, xmlNode *node);
} host_devices[] = {
    { "pci", "pci", pci_address },
    { "usb", "usb", usb_address },
};

static const char *host_device_type(OstlerImporter *import, xmlNode *node)
{
    const char *inner = ostler_import_peek(import, node, "source/address/@type");

    return strcmp((const char *)node->name, "interface") == 0
               ? inner
               : ostler_import_peek(import, node, "@type");
}

static void read_host_device(OstlerImporter *import, xmlNode *node, size_t i)
{
    g_autofree char *address = host_devices[i].address(import, node);
    g_autofree char *label =
        g_strdup_printf("%u", ostler_definition_count(import->definition, "hostdev"));
    OstlerSection *hostdev =
        address ? ostler_import_add(import, node, "hostdev", label) : NULL;

    if (!hostdev) {
        ostler_import_drop(import, node, "", "This is no address of a device");
        return;
    }
    ostler_import_take(import, node, "@mode");
    ostler_import_take(import, node, "@type");
    ostler_import_take(import, node, "source/address/@type");
    if (ostler_import_first(node, "driver")) {
        ostler_import_enter(node, "driver"); /* vfio is excused, another is not */
    }
    ostler_import_set(import, node, hostdev, host_devices[i].key, address);
    ostler_import_bootable(import, node, hostdev, "hostdev");
}

void ostler_import_hostdev(OstlerImporter *import, xmlNode *node)
{
    const char *type = host_device_type(import, node);

    for (size_t i = 0; i < G_N_ELEMENTS(host_devices); i++) {
        if (g_strcmp0(type, host_devices[i].type) == 0) {
            read_host_device(import, node, i);
            return;
        }
    }
    ostler_import_drop(import, node, "",
                       "A definition gives PCI and USB devices of the "
                       "host to the guest, nothing else");
}

/* --- controllers and the emulator ----------------------------------------------- */

/* Of the controllers only those whose driver the guest must have are a choice. */
static void read_controller(OstlerImporter *import, xmlNode *node)
{
    const char *type = ostler_import_take(import, node, "@type");
    const char *model = ostler_import_peek(import, node, "@model");

    if (g_strcmp0(type, "scsi") == 0 && model && strcmp(model, "virtio-scsi") != 0 &&
        strcmp(model, "auto") != 0) {
        ostler_import_change(import, node, "@model",
                             "SCSI disks are on the machine's best controller: "
                             "virtio-scsi where there is PCI or virtio-mmio");
        return;
    }
    ostler_import_excuse(import, node, "",
                         "Buses and bridges are planned from what the "
                         "devices need");
}

/* The emulators that distributions install: qemu-system-ARCH finds them here. */
static bool is_usual_emulator(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);

    return g_str_has_prefix(name, "qemu-system-") || strcmp(name, "qemu") == 0 ||
           strcmp(name, "kvm") == 0 || strcmp(name, "qemu-kvm") == 0 ||
           strcmp(name, "kvm-spice") == 0;
}

static void read_emulator(OstlerImporter *import, xmlNode *node)
{
    const char *path = ostler_import_peek(import, node, "");

    if (is_usual_emulator(path)) {
        ostler_import_excuse(import, node, "",
                             "The emulator is found by the guest's "
                             "architecture");
    } else {
        ostler_import_carry(import, node, ostler_import_section(import, "guest"), "",
                            "emulator");
    }
}

const OstlerImportPart ostler_import_devices[] = {
    { "emulator", read_emulator },
    { "disk", ostler_import_disk },
    { "interface", ostler_import_interface },
    { "serial", ostler_import_serial },
    { "console", ostler_import_console },
    { "parallel", ostler_import_parallel },
    { "channel", ostler_import_channel },
    { "graphics", read_graphics },
    { "video", read_video },
    { "sound", read_sound },
    { "audio", read_audio },
    { "input", read_input },
    { "rng", read_rng },
    { "tpm", read_tpm },
    { "watchdog", read_watchdog },
    { "panic", read_panic },
    { "memballoon", read_balloon },
    { "vsock", read_vsock },
    { "filesystem", read_filesystem },
    { "hostdev", ostler_import_hostdev },
    { "controller", read_controller },
    { NULL },
};
