/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* <disk>: where the image is, how it is attached, how it is read and written. */
#include <string.h>

#include "guest/import/disk-url.h"
#include "guest/import/parts.h"

static const OstlerImportWord devices[] = {
    { "disk", "disk" },
    { "cdrom", "cdrom" },
    { "floppy", "floppy" },
    { "lun", "disk", "SCSI commands are not passed through to the host's device" },
    { NULL },
};

static const OstlerImportWord buses[] = {
    { "virtio", "virtio" },
    { "scsi", "scsi" },
    { "sata", "sata" },
    { "ide", "ide" },
    { "usb", "usb" },
    { "sd", "sd" },
    { "fdc", "floppy" },
    { "nvme", "nvme" },
    { "xen", "auto", "QEMU without Xen has no such bus" },
    { "uml", "auto", "QEMU has no such bus" },
    { NULL },
};

static const OstlerImportWord formats[] = {
    { "raw", "raw" },   { "iso", "raw" },         { "qcow2", "qcow2" },
    { "qcow", "qcow" }, { "qed", "qed" },         { "vmdk", "vmdk" },
    { "vdi", "vdi" },   { "vpc", "vpc" },         { "vhdx", "vhdx" },
    { "luks", "luks" }, { "bochs", "bochs" },     { "cloop", "cloop" },
    { "dmg", "dmg" },   { "ploop", "parallels" }, { NULL },
};

static const OstlerImportWord caches[] = {
    { "default", NULL },
    { "none", "none" },
    { "writethrough", "writethrough" },
    { "writeback", "writeback" },
    { "directsync", "directsync" },
    { "unsafe", "unsafe" },
    { NULL },
};

static const OstlerImportCarry disk_rows[] = {
    { "@device", "device", devices },
    { "target/@bus", "bus", buses },
    { "driver/@type", "format", formats },
    { "driver/@cache", "cache", caches },
    { "driver/@io", "io" },
    { "driver/@discard", "discard" },
    { "driver/@iothread", "iothread" },
    { "readonly", "readonly", .present = "yes" },
    { "shareable", "share", .present = "yes" },
    { "transient", "snapshot", .present = "yes" },
    { "serial", "serial" },
    { "wwn", "wwn" },
    { "blockio/@logical_block_size", "block-size" },
    { NULL },
};

/* Where the image is, in the definition's words; NULL if there is none. */
typedef const char *ReadSource(OstlerImporter *import, xmlNode *disk);

static const char *read_file(OstlerImporter *import, xmlNode *disk)
{
    return ostler_import_take(import, disk, "source/@file");
}

static const char *read_block(OstlerImporter *import, xmlNode *disk)
{
    return ostler_import_take(import, disk, "source/@dev");
}

static const char *read_network(OstlerImporter *import, xmlNode *disk)
{
    xmlNode *source = ostler_import_enter(disk, "source");

    return source ? ostler_import_disk_url(import, source) : NULL;
}

/* @read NULL: a definition has no such disk, and @why says so. */
typedef struct {
    const char *type;
    const char *key;
    ReadSource *read;
    const char *why;
} Source;

static const Source sources[] = {
    { "file", "file", read_file },
    { "block", "file", read_block },
    { "network", "url", read_network },
    { "dir", .why = "QEMU's made-up FAT disk is not offered; a [share] does more" },
    { "volume", .why = "Storage pools are libvirt's; name the volume's file" },
    { "nvme", .why = "A host's NVMe drive can be given whole, as a [hostdev]" },
    { "vhostuser", .why = "It needs another program, which would have to be started" },
    { "vhostvdpa", .why = "It needs a vDPA device of the host" },
};

static const Source *find_source(const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (strcmp(sources[i].type, type ? type : "file") == 0) {
            return &sources[i];
        }
    }
    return NULL;
}

/* libvirt src/conf/domain_postparse.c: without @bus, by what the name begins with. */
static const struct {
    const char *prefix;
    const char *bus;
} bus_by_name[] = {
    { "hd", "ide" },
    { "sd", "scsi" },
    { "vd", "virtio" },
    { "fd", "floppy" },
};

static void guess_bus(OstlerImporter *import, xmlNode *disk, OstlerSection *section,
                      const char *target)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bus_by_name); i++) {
        if (g_str_has_prefix(target, bus_by_name[i].prefix)) {
            ostler_import_set(import, disk, section, "bus", bus_by_name[i].bus);
        }
    }
}

/* Holes are made by discarding: without it zeroes can only be skipped. */
static void read_detect_zeroes(OstlerImporter *import, xmlNode *disk,
                               OstlerSection *section)
{
    const char *detect = ostler_import_peek(import, disk, "driver/@detect_zeroes");

    if (g_strcmp0(detect, "unmap") == 0 &&
        strcmp(ostler_section_get(section, "discard"), "unmap") != 0) {
        ostler_import_change(import, disk, "driver/@detect_zeroes",
                             "Without discard='unmap' zeroes make no holes");
        ostler_import_set(import, disk, section, "detect-zeroes", "on");
    } else {
        ostler_import_carry(import, disk, section, "driver/@detect_zeroes",
                            "detect-zeroes");
    }
}

static void read_disk(OstlerImporter *import, xmlNode *disk, OstlerSection *section,
                      const char *target)
{
    ostler_import_carry_all(import, disk, section, disk_rows);
    read_detect_zeroes(import, disk, section);
    if (!ostler_section_has(section, "bus")) {
        guess_bus(import, disk, section, target);
    }
    /* libvirt probes no formats (CVE-2010-2237): no word means raw, and a definition
     * would go by the file's name. */
    if (!ostler_section_has(section, "format") &&
        (ostler_section_has(section, "file") || ostler_section_has(section, "url"))) {
        ostler_import_set(import, disk, section, "format", "raw");
    }
    ostler_import_bootable(import, disk, section,
                           ostler_section_get(section, "device"));
}

/* A drive without a medium is one all the same, but for QEMU's USB ones; a disk is
 * not. */
static bool may_be_empty(OstlerImporter *import, xmlNode *disk)
{
    const char *device = ostler_import_peek(import, disk, "@device");
    const char *bus = ostler_import_peek(import, disk, "target/@bus");

    if (g_strcmp0(bus, "usb") == 0) {
        return false;
    }
    return g_strcmp0(device, "cdrom") == 0 || g_strcmp0(device, "floppy") == 0;
}

void ostler_import_disk(OstlerImporter *import, xmlNode *node)
{
    const char *target = ostler_import_take(import, node, "target/@dev");
    const Source *source = find_source(ostler_import_take(import, node, "@type"));

    if (!source || !source->read) {
        ostler_import_drop(import, node, "", "%s",
                           source ? source->why : "A definition has no such disk");
        return;
    }

    const char *value = source->read(import, node);
    if ((!value || !*value) && !may_be_empty(import, node)) {
        ostler_import_drop(import, node, "", "The disk has no image that QEMU reaches");
        return;
    }

    OstlerSection *section =
        ostler_import_add(import, node, "disk", target ? target : "disk");
    if (!section) {
        return;
    }
    if (value && *value) {
        ostler_import_set(import, node, section, source->key, value);
    }
    read_disk(import, node, section, target ? target : "");
}
