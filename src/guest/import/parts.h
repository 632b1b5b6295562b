/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * parts.h - the parts of a domain, each read by a file of its own
 *
 * Every reader takes what it knows from its element and leaves the rest unmarked for
 * the report.  None fails: a value that does not fit costs its key, not the import;
 * only import.c decides that a document is no guest at all.
 */
#pragma once

#include "guest/import/reader.h"

typedef void OstlerImportRead(OstlerImporter *import, xmlNode *node);

/* One element's name and who reads it. */
typedef struct {
    const char *name;
    OstlerImportRead *read;
} OstlerImportPart;

/* Hand each child of @node to its part; @parts ends with a NULL name. */
void ostler_import_read_parts(OstlerImporter *import, xmlNode *node,
                              const OstlerImportPart *parts);

extern const OstlerImportPart ostler_import_devices[]; /* below <devices> */

/* machine.c: below <domain> */
OstlerImportRead ostler_import_os;
OstlerImportRead ostler_import_memory_backing;
OstlerImportRead ostler_import_sysinfo;
OstlerImportRead ostler_import_clock;
OstlerImportRead ostler_import_vcpu;
OstlerImportRead ostler_import_iothreads;
OstlerImportRead ostler_import_genid;
OstlerImportRead ostler_import_commandline;
/* cpu.c; both add to one processor model and one machine string */
OstlerImportRead ostler_import_cpu;
OstlerImportRead ostler_import_features;

/* devices */
OstlerImportRead ostler_import_disk;
OstlerImportRead ostler_import_interface;
OstlerImportRead ostler_import_hostdev;
OstlerImportRead ostler_import_serial;
OstlerImportRead ostler_import_console;
OstlerImportRead ostler_import_parallel;
OstlerImportRead ostler_import_channel;

/* Append ",option" to the machine or to the processor in [guest]. */
void ostler_import_add_machine_option(OstlerImporter *import, xmlNode *node,
                                      const char *option);
void ostler_import_add_cpu_option(OstlerImporter *import, xmlNode *node,
                                  const char *option);
/* Two arguments for QEMU as they are: "-smbios", "type=1,...". */
void ostler_import_add_argument(OstlerImporter *import, xmlNode *node, const char *name,
                                const char *value);
bool ostler_import_is_x86(const OstlerImporter *import);
bool ostler_import_is_arm(const OstlerImporter *import);

/* Remember what <boot order=> or <os><boot> will want to name. */
void ostler_import_bootable(OstlerImporter *import, xmlNode *node,
                            const OstlerSection *section, const char *class);
/* After all devices are read: [guest] boot. */
void ostler_import_boot_order(OstlerImporter *import, xmlNode *domain);
