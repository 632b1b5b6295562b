/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A disk is two things to QEMU: a block node, and the device that shows it.  Where the
 * device is a part of the board (SD slots, flash chips) only -drive reaches it; so does
 * a URL, whose parts -blockdev would want taken to pieces, and snapshot=on.  All others
 * are -blockdev nodes named disk0, disk1... (labels may be longer than the 31 bytes a
 * node's name may have).
 *
 * "auto" walks a list of buses, best first, and takes the first that the machine offers.
 */
#include "guest/planner.h"

#include <string.h>

#define MAX_SCSI_ID 255 /* QEMU hw/scsi/virtio-scsi.c, VIRTIO_SCSI_MAX_TARGET */

typedef struct {
    const OstlerSection *section;
    char *id;   /* "disk-root" */
    char *node; /* "disk0" */
    char *who;  /* "[disk.root]" */
    bool is_cdrom;
    bool has_medium;
} Disk;

static void clear_disk(Disk *disk)
{
    g_free(disk->id);
    g_free(disk->node);
    g_free(disk->who);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Disk, clear_disk)

static const char *format_of(const Disk *disk)
{
    static const struct {
        const char *suffix;
        const char *format;
    } suffixes[] = {
        { ".qcow2", "qcow2" }, { ".qcow", "qcow" }, { ".vmdk", "vmdk" },
        { ".vdi", "vdi" },     { ".vhdx", "vhdx" }, { ".vhd", "vpc" },
        { ".qed", "qed" },     { ".dmg", "dmg" },
    };
    const char *format = ostler_section_get(disk->section, "format");
    const char *file = ostler_section_get(disk->section, "file");

    for (unsigned i = 0; !format && file && i < G_N_ELEMENTS(suffixes); i++) {
        if (g_str_has_suffix(file, suffixes[i].suffix)) {
            format = suffixes[i].format;
        }
    }
    return format ? format : "raw";
}

static bool has_cache(const Disk *disk, const char *mode)
{
    return strcmp(ostler_section_get(disk->section, "cache"), mode) == 0;
}

static bool is_readonly(const Disk *disk)
{
    return disk->is_cdrom || ostler_section_get_bool(disk->section, "readonly");
}

/* QEMU's protocol drivers for what lies under /dev differ from those for files. */
static const char *file_driver(const char *file)
{
    if (g_str_has_prefix(file, "/dev/sr") || g_str_has_prefix(file, "/dev/cdrom")) {
        return "host_cdrom";
    }
    return g_str_has_prefix(file, "/dev/") ? "host_device" : "file";
}

static void add_blockdev(OstlerPlanner *planner, const Disk *disk)
{
    const OstlerSection *section = disk->section;
    const char *file = ostler_section_get(section, "file");
    GString *node = g_string_new("driver=");

    g_string_append(node, format_of(disk));
    ostler_option(node, "node-name", disk->node);
    if (is_readonly(disk)) {
        g_string_append(node, ",read-only=on");
    }
    if (has_cache(disk, "none") || has_cache(disk, "directsync")) {
        g_string_append(node, ",cache.direct=on");
    }
    if (has_cache(disk, "unsafe")) {
        g_string_append(node, ",cache.no-flush=on");
    }
    ostler_option(node, "discard", ostler_section_get(section, "discard"));
    if (ostler_section_has(section, "detect-zeroes")) {
        ostler_option(node, "detect-zeroes",
                      ostler_section_get(section, "detect-zeroes"));
    }
    ostler_option(node, "file.driver", file_driver(file));
    ostler_option(node, "file.filename", file);
    if (ostler_section_has(section, "io")) {
        ostler_option(node, "file.aio", ostler_section_get(section, "io"));
    }
    if (ostler_section_get_bool(section, "share")) {
        g_string_append(node, ",file.locking=off");
    }
    ostler_plan_take(planner, "-blockdev", node);
}

/* @interface: "if=none,id=disk0", "if=sd,index=0". */
static void add_drive(OstlerPlanner *planner, const Disk *disk, const char *interface)
{
    static const struct {
        const char *key;
        const char *option;
    } copied[] = {
        { "cache", "cache" },
        { "discard", "discard" },
        { "detect-zeroes", "detect-zeroes" },
        { "io", "aio" },
    };
    const OstlerSection *section = disk->section;
    const char *file = ostler_section_get(section, "file");
    GString *drive = g_string_new(interface);

    ostler_option(drive, "format", format_of(disk));
    if (is_readonly(disk)) {
        g_string_append(drive, ",readonly=on");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(copied); i++) {
        const char *value = ostler_section_get(section, copied[i].key);
        if (value) {
            ostler_option(drive, copied[i].option, value);
        }
    }
    if (ostler_section_get_bool(section, "snapshot")) {
        g_string_append(drive, ",snapshot=on");
    }
    ostler_option(drive, "file", file ? file : ostler_section_get(section, "url"));
    ostler_plan_take(planner, "-drive", drive);
}

static void add_backend(OstlerPlanner *planner, const Disk *disk)
{
    if (!disk->has_medium) {
        return;
    }
    if (ostler_section_has(disk->section, "url") ||
        ostler_section_get_bool(disk->section, "snapshot")) {
        g_autofree char *interface = g_strdup_printf("if=none,id=%s", disk->node);
        add_drive(planner, disk, interface);
    } else {
        add_blockdev(planner, disk);
    }
}

/* What all disk devices understand; the caller frees. */
static GString *device_options(const OstlerPlanner *planner, const Disk *disk)
{
    const OstlerSection *section = disk->section;
    GString *options = g_string_new(NULL);
    unsigned boot = ostler_plan_boot_index(planner, section);

    if (disk->has_medium) {
        ostler_option(options, "drive", disk->node);
    }
    if (boot) {
        ostler_option_number(options, "bootindex", boot);
    }
    if (ostler_section_get_bool(section, "share")) {
        g_string_append(options, ",share-rw=on");
    }
    if (has_cache(disk, "writethrough") || has_cache(disk, "directsync")) {
        g_string_append(options, ",write-cache=off");
    }
    if (ostler_section_has(section, "block-size")) {
        uint64_t size = ostler_section_get_size(section, "block-size");
        ostler_option_number(options, "logical_block_size", size);
        ostler_option_number(options, "physical_block_size", size);
    }
    return options;
}

static void add_serial(GString *options, const Disk *disk)
{
    if (ostler_section_has(disk->section, "serial")) {
        ostler_option(options, "serial", ostler_section_get(disk->section, "serial"));
    }
}

/* ATA and SCSI disks have world-wide names; given with or without 0x. */
static void add_wwn(GString *options, const Disk *disk)
{
    const char *wwn = ostler_section_get(disk->section, "wwn");

    if (wwn) {
        g_string_append_printf(options, ",wwn=%s%s",
                               g_str_has_prefix(wwn, "0x") ? "" : "0x", wwn);
    }
}

static bool no_room(const Disk *disk, unsigned n, const char *places, GError **error)
{
    g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_NO_SLOT,
                "%s does not fit: the machine has %u %s", disk->who, n, places);
    return false;
}

static bool attach_virtio(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    g_autoptr(GString) options = device_options(planner, disk);

    add_serial(options, disk);
    if (ostler_section_has(disk->section, "iothread")) {
        g_string_append_printf(options, ",iothread=iothread%" G_GUINT64_FORMAT,
                               ostler_section_get_number(disk->section, "iothread"));
    }
    return ostler_plan_virtio(planner, "virtio-blk", disk->id, options->str, disk->who,
                              error);
}

/* The controller comes with the first disk that needs it. */
static bool need_scsi(OstlerPlanner *planner, GError **error)
{
    static const char *const controller = "the SCSI controller";

    if (planner->n_scsi > 0) {
        return true;
    }
    if (ostler_plan_has_virtio(planner)) {
        planner->max_scsi_id = MAX_SCSI_ID;
        return ostler_plan_virtio(planner, "virtio-scsi", "scsi", "", controller,
                                  error);
    }
    planner->max_scsi_id = 6; /* SCSI-2: eight ids, and 7 is the host adapter's */
    return ostler_plan_pci(planner, "lsi53c895a", "scsi", "", controller, error);
}

static bool attach_scsi(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    const char *type = disk->is_cdrom ? "scsi-cd" : "scsi-hd";

    if (!need_scsi(planner, error) ||
        !ostler_plan_need_device(planner, type, disk->who, error)) {
        return false;
    }
    if (planner->n_scsi > planner->max_scsi_id) {
        return no_room(disk, planner->max_scsi_id + 1, "SCSI targets", error);
    }

    g_autoptr(GString) options = device_options(planner, disk);
    GString *device = g_string_new(type);
    add_serial(options, disk);
    add_wwn(options, disk);
    ostler_option(device, "id", disk->id);
    g_string_append(device, options->str);
    g_string_append_printf(device, ",bus=scsi.0,channel=0,scsi-id=%u,lun=0",
                           planner->n_scsi++);
    ostler_plan_take(planner, "-device", device);
    ostler_plan_became(planner, disk->who, type, disk->id);
    return true;
}

static bool attach_ide(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    const char *type = disk->is_cdrom ? "ide-cd" : "ide-hd";

    if (!ostler_slots_has_ide(planner->slots)) {
        if (!ostler_plan_pci(planner, "ich9-ahci", "sata", "", "the SATA controller",
                             error)) {
            return false;
        }
        ostler_slots_add_ide(planner->slots, "sata.", 6);
    }
    if (!ostler_plan_need_device(planner, type, disk->who, error)) {
        return false;
    }

    g_autoptr(GString) options = device_options(planner, disk);
    g_autoptr(GString) device = g_string_new(type);
    add_serial(options, disk);
    add_wwn(options, disk);
    ostler_option(device, "id", disk->id);
    g_string_append(device, options->str);
    if (!ostler_slots_take_ide(planner->slots, device, disk->who, error)) {
        return false;
    }
    ostler_plan_take(planner, "-device", g_string_new(device->str));
    ostler_plan_became(planner, disk->who, type, disk->id);
    return true;
}

static bool attach_usb(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    g_autoptr(GString) options = device_options(planner, disk);

    add_serial(options, disk);
    return ostler_plan_usb(planner, "usb-storage", disk->id, options->str, disk->who,
                           error);
}

/* NVMe 1.4, 5.15.2.1: a controller has a serial number. */
static bool attach_nvme(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    g_autoptr(GString) options = device_options(planner, disk);
    const char *serial = ostler_section_get(disk->section, "serial");

    ostler_option(options, "serial", serial ? serial : disk->node);
    return ostler_plan_pci(planner, "nvme", disk->id, options->str, disk->who, error);
}

/* A machine whose controller comes only with a drive (q35) has no bus to name yet. */
static bool attach_floppy(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    if (planner->machine->n_floppy > 0 && !ostler_slots_has_floppy(planner->slots)) {
        if (planner->n_floppy == planner->machine->n_floppy) {
            return no_room(disk, planner->machine->n_floppy, "floppy drives", error);
        }
        g_autofree char *interface =
            g_strdup_printf("if=floppy,index=%u", planner->n_floppy++);
        add_drive(planner, disk, interface);
        ostler_plan_became(planner, disk->who, "floppy", NULL);
        return true;
    }

    g_autoptr(GString) device = g_string_new("floppy");
    ostler_option(device, "id", disk->id);
    if (disk->has_medium) {
        ostler_option(device, "drive", disk->node);
    }
    if (!ostler_slots_take_floppy(planner->slots, device, disk->who, error)) {
        return false;
    }
    add_backend(planner, disk);
    ostler_plan_take(planner, "-device", g_string_new(device->str));
    ostler_plan_became(planner, disk->who, "floppy", disk->id);
    return true;
}

/* The board's own slots and chips: -drive is the only way to them. */
static bool attach_sd(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    int index = ostler_slots_take_sd(planner->slots, disk->who, error);
    if (index < 0) {
        return false;
    }

    g_autofree char *interface = g_strdup_printf("if=sd,index=%d", index);
    add_drive(planner, disk, interface);
    ostler_plan_became(planner, disk->who, "sd", NULL);
    return true;
}

static bool attach_pflash(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    if (planner->n_pflash == planner->machine->n_pflash) {
        return no_room(disk, planner->machine->n_pflash, "flash chips", error);
    }

    g_autofree char *interface =
        g_strdup_printf("if=pflash,index=%u", planner->n_pflash++);
    add_drive(planner, disk, interface);
    ostler_plan_became(planner, disk->who, "pflash", NULL);
    return true;
}

static bool offers_virtio(const OstlerPlanner *planner)
{
    return ostler_plan_has_virtio(planner);
}

static bool offers_sd(const OstlerPlanner *planner)
{
    return ostler_slots_sd_left(planner->slots) > 0;
}

static bool offers_ide(const OstlerPlanner *planner)
{
    return ostler_slots_has_ide(planner->slots);
}

static bool offers_pci(const OstlerPlanner *planner)
{
    return ostler_slots_has_pci(planner->slots);
}

static bool offers_scsi(const OstlerPlanner *planner)
{
    return ostler_plan_has_virtio(planner) ||
           (offers_pci(planner) &&
            ostler_machine_has_device(planner->machine, "lsi53c895a"));
}

static bool offers_usb(const OstlerPlanner *planner)
{
    return ostler_slots_has_usb(planner->slots) || offers_pci(planner);
}

static bool offers_floppy(const OstlerPlanner *planner)
{
    return planner->machine->n_floppy > 0;
}

static bool offers_pflash(const OstlerPlanner *planner)
{
    return planner->machine->n_pflash > 0;
}

/* Every bus a disk can be on.  has_backend: a node of its own comes first. */
static const struct {
    const char *name;
    bool (*is_offered)(const OstlerPlanner *planner);
    bool (*attach)(OstlerPlanner *planner, const Disk *disk, GError **error);
    bool has_backend;
} buses[] = {
    { "virtio", offers_virtio, attach_virtio, true },
    { "scsi", offers_scsi, attach_scsi, true },
    { "sata", offers_ide, attach_ide, true },
    { "ide", offers_ide, attach_ide, true },
    { "usb", offers_usb, attach_usb, true },
    { "nvme", offers_pci, attach_nvme, true },
    { "floppy", offers_floppy, attach_floppy, false },
    { "sd", offers_sd, attach_sd, false },
    { "pflash", offers_pflash, attach_pflash, false },
};

/* For bus = auto, best first. */
static const char *const disk_order[] = { "virtio", "sd", "ide", "scsi", "usb", NULL };
static const char *const cdrom_order[] = { "ide", "scsi", "usb", NULL };
static const char *const floppy_order[] = { "floppy", NULL };

static unsigned find_bus(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(buses); i++) {
        if (strcmp(buses[i].name, name) == 0) {
            return i;
        }
    }
    g_assert_not_reached(); /* the vocabulary has no other word */
}

static const char *const *order_for(const char *device)
{
    if (strcmp(device, "cdrom") == 0) {
        return cdrom_order;
    }
    return strcmp(device, "floppy") == 0 ? floppy_order : disk_order;
}

/* The best bus on offer, or -1. */
static int choose_bus(const OstlerPlanner *planner, const char *device)
{
    for (const char *const *name = order_for(device); *name; name++) {
        unsigned bus = find_bus(*name);
        if (buses[bus].is_offered(planner)) {
            return (int)bus;
        }
    }
    return -1;
}

static bool add_disk(OstlerPlanner *planner, const Disk *disk, GError **error)
{
    const char *device = ostler_section_get(disk->section, "device");
    const char *wish = ostler_section_get(disk->section, "bus");
    int bus =
        strcmp(wish, "auto") == 0 ? choose_bus(planner, device) : (int)find_bus(wish);

    if (bus < 0) {
        return ostler_plan_unsupported(error,
                                       "The machine '%s' has no place for a %s, %s",
                                       planner->machine->name, device, disk->who);
    }
    if (buses[bus].has_backend) {
        add_backend(planner, disk);
    }
    return buses[bus].attach(planner, disk, error);
}

bool ostler_plan_disks(OstlerPlanner *planner, GError **error)
{
    unsigned index = 0;

    for (const OstlerSection *section =
             ostler_definition_first(planner->definition, "disk");
         section; section = ostler_section_next(section, "disk"), index++) {
        g_auto(Disk) disk = {
            .section = section,
            .id = ostler_plan_id(section),
            .node = g_strdup_printf("disk%u", index),
            .who = ostler_plan_who(section),
            .is_cdrom = strcmp(ostler_section_get(section, "device"), "cdrom") == 0,
            .has_medium = ostler_section_has(section, "file") ||
                          ostler_section_has(section, "url"),
        };
        if (!add_disk(planner, &disk, error)) {
            return false;
        }
    }
    return true;
}
