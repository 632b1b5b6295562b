/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan.h - definition + what the machine offers -> QEMU's command line
 *
 * A pure function: no file is opened and nothing is started, so every machine can be
 * planned in a test.  Each device gets an explicit bus and address; nothing is left to
 * QEMU's defaults, which fill virtio-mmio transports from the wrong end.
 *
 * Ownership:  a plan owns all it points to.
 * Errors:     OSTLER_PLAN_ERROR; "does not fit" says how many slots there are and
 *             which device ("[disk.data]") was left over.
 */
#pragma once

#include "guest/definition.h"
#include "guest/machines/machine.h"

#define OSTLER_PLAN_ERROR ostler_plan_error_quark()
GQuark ostler_plan_error_quark(void);
typedef enum {
    OSTLER_PLAN_ERROR_UNSUPPORTED, /* this machine or QEMU cannot do it */
    OSTLER_PLAN_ERROR_NO_SLOT,     /* it could, but there is no room left */
} OstlerPlanError;

/* QEMU inherits these; nobody waits for a socket file to appear. */
typedef enum {
    OSTLER_PLAN_LISTENER, /* stream socket listening at <rundir>/<name>.sock */
    OSTLER_PLAN_STREAM,   /* one end of a connected stream; the other is a program's */
    OSTLER_PLAN_DATAGRAM, /* one end of a connected, unspoofable datagram pair */
} OstlerPlanSocketType;

typedef struct {
    OstlerPlanSocketType type;
    char *name;    /* "qmp", "qmp-user", "console", "serial-LABEL", "shares",
                      "inbound-LABEL" and "outbound-LABEL" for each [nic.LABEL] that
                      has frames to show (ostler-address's options of these names),
                      "passt-LABEL" for each of type passt */
    int target_fd; /* the number in argv */
} OstlerPlanSocket;

/* What the plan cannot know by itself; filled in by the keeper, or by a test. */
typedef struct {
    const char *accel;    /* "kvm" or "tcg" */
    const char *rundir;   /* for files that QEMU creates; its working directory too */
    unsigned tsc_khz;     /* the host's, for microvm under TCG; 0: unknown */
    bool paused;          /* -S */
    const char *efi_code; /* for firmware = efi, see machines/firmware.h; or NULL */
    const char *efi_vars; /* the variables' template that goes with it, or NULL */
} OstlerPlanHost;

/* Which device each part of the definition became. */
typedef struct {
    char *who;  /* "[disk.root]"; "the console" when no [serial] asks for it */
    char *type; /* "virtio-blk-pci", "pl011", "sd" */
    char *id;   /* /machine/peripheral/<id>, or NULL when it is the board's own */
} OstlerPlanDevice;

typedef struct {
    char **argv; /* argv[0] is the emulator's path */
    OstlerPlanSocket *sockets;
    unsigned n_sockets;
    OstlerPlanDevice *devices; /* in the order in which they come up */
    unsigned n_devices;
    char **notes;  /* done, but not as asked; NULL-terminated sentences */
    char *console; /* the socket of the guest's console, or NULL */
} OstlerPlan;

/*
 * A card whose frames can be seen has two mirrors.  QEMU's objects for the card that is
 * the @index-th [nic] are named by these; a keeper that adopts makes them anew.
 */
typedef struct {
    const char *name;  /* the direction as the guest sees it: "inbound" */
    const char *queue; /* filter-mirror's property */
} OstlerPlanMirror;
#define OSTLER_PLAN_N_MIRRORS 2
extern const OstlerPlanMirror ostler_plan_mirrors[OSTLER_PLAN_N_MIRRORS];

/* Whether QEMU can show the frames of this [nic]. */
bool ostler_plan_has_mirrors(const OstlerSection *nic);

/* Caller frees. */
char *ostler_plan_mirror_socket(const OstlerPlanMirror *mirror, const char *label);
char *ostler_plan_mirror_chardev(const OstlerPlanMirror *mirror, unsigned index);
char *ostler_plan_mirror_filter(const OstlerPlanMirror *mirror, unsigned index);
char *ostler_plan_netdev(unsigned index);

OstlerPlan *ostler_plan_new(const OstlerDefinition *definition,
                            const OstlerMachine *machine, const OstlerPlanHost *host,
                            GError **error);
void ostler_plan_free(OstlerPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerPlan, ostler_plan_free)
