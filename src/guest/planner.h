/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * planner.h - what the parts of the plan share: the command line as it grows
 *
 * plan.c runs the parts in order; each part reads its sections of the definition and
 * adds options here.  Options are written as QEMU's own key=value lists, so that a
 * person can read `ostler plan`; values from outside go through ostler_option(), which
 * doubles their commas.
 *
 * Ownership:  a planner borrows definition, machine and host.  Options (GString) are
 *             taken over when they are added.
 */
#pragma once

#include "guest/plan-slots.h"
#include "guest/plan.h"

typedef struct {
    const OstlerDefinition *definition;
    const OstlerMachine *machine;
    const OstlerPlanHost *host;
    OstlerSlots *slots;
    GPtrArray *argv;  /* owned strings */
    GArray *sockets;  /* OstlerPlanSocket */
    GArray *devices;  /* OstlerPlanDevice */
    GPtrArray *notes; /* owned sentences */
    char *console;    /* socket of the console, or NULL */
    unsigned n_scsi;  /* units on the SCSI controller that the plan added */
    unsigned max_scsi_id;
    unsigned n_floppy; /* drives of a controller that has no bus yet */
    unsigned n_pflash; /* flash chips that are used */
    bool has_virtio_serial;
} OstlerPlanner;

/* Add an option, and its value (printf); no escaping, so nothing from outside. */
void ostler_plan_add(OstlerPlanner *planner, const char *option, const char *format,
                     ...) G_GNUC_PRINTF(3, 4);
/* Add @option with the list built in @value. */
void ostler_plan_take(OstlerPlanner *planner, const char *option, GString *value);
void ostler_plan_note(OstlerPlanner *planner, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Append ",key=value" with every comma of @value doubled. */
void ostler_option(GString *options, const char *key, const char *value);
void ostler_option_number(GString *options, const char *key, uint64_t value);
/* Append @text with commas doubled. */
void ostler_option_escape(GString *options, const char *text);

/* "disk-root": for id=; caller frees. */
char *ostler_plan_id(const OstlerSection *section);
/* "[disk.root]": for messages; caller frees. */
char *ostler_plan_who(const OstlerSection *section);

/* A descriptor that QEMU inherits under the returned number. */
int ostler_plan_socket(OstlerPlanner *planner, OstlerPlanSocketType type,
                       const char *name);
/* -chardev socket,id=@id on a listener named @name. */
void ostler_plan_listen(OstlerPlanner *planner, const char *id, const char *name);

/* Record that @who became a device of @type; @id NULL: one of the board's own. */
void ostler_plan_became(OstlerPlanner *planner, const char *who, const char *type,
                        const char *id);

/* Fail because neither the machine nor this QEMU has it. */
bool ostler_plan_unsupported(GError **error, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
bool ostler_plan_need_device(OstlerPlanner *planner, const char *type, const char *who,
                             GError **error);

/*
 * -device virtio-@kind-{pci,device} with @id, @options ("" or ",key=...") and the next
 * place of the machine's virtio transport.
 */
bool ostler_plan_virtio(OstlerPlanner *planner, const char *kind, const char *id,
                        const char *options, const char *who, GError **error);
bool ostler_plan_has_virtio(const OstlerPlanner *planner);
/* -device @type on the next PCI slot. */
bool ostler_plan_pci(OstlerPlanner *planner, const char *type, const char *id,
                     const char *options, const char *who, GError **error);
/* -device @type on the next USB port, after the controller that it may need. */
bool ostler_plan_usb(OstlerPlanner *planner, const char *type, const char *id,
                     const char *options, const char *who, GError **error);

/* boot = disk.root nic.lan: 1 for the first, 0 for what it does not name. */
unsigned ostler_plan_boot_index(const OstlerPlanner *planner,
                                const OstlerSection *section);

/* Whether QEMU starts a helper of its own for the [nic] (plan-net.c). */
bool ostler_plan_needs_helper(const OstlerSection *nic);

/* The parts, in the order in which plan.c runs them. */
typedef bool OstlerPlanPart(OstlerPlanner *planner, GError **error);
OstlerPlanPart ostler_plan_machine;   /* plan-machine.c: machine, cpu, memory */
OstlerPlanPart ostler_plan_boot;      /* plan-boot.c: firmware, kernel, order */
OstlerPlanPart ostler_plan_monitors;  /* plan-ports.c */
OstlerPlanPart ostler_plan_serials;   /* plan-ports.c */
OstlerPlanPart ostler_plan_parallels; /* plan-ports.c */
OstlerPlanPart ostler_plan_channels;  /* plan-ports.c */
OstlerPlanPart ostler_plan_disks;     /* plan-disks.c */
OstlerPlanPart ostler_plan_nics;      /* plan-net.c */
OstlerPlanPart ostler_plan_shares;    /* plan-usb.c */
OstlerPlanPart ostler_plan_inputs;    /* plan-usb.c */
OstlerPlanPart ostler_plan_screens;   /* plan-screen.c: display, video, sound */
OstlerPlanPart ostler_plan_extras;    /* plan-extras.c: rng, tpm, watchdog, ... */
OstlerPlanPart ostler_plan_qemu;      /* plan-extras.c: [qemu] argument */
