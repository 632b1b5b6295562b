/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probe-private.h - what the questions to a machine share
 *
 * A probe is one machine while it is being asked; probe.c opens with the questions and
 * their order.  Each probe-*.c asks one and writes what it learns into probe->machine.
 *
 * Ownership:  ostler_machine_ask() owns the probe; the questions borrow it.
 * Errors:     a question without an answer leaves the machine without that part; only
 *             starting the bare machine can fail as a whole.
 */
#pragma once

#include "guest/machines/emulator.h"

#define MIB         (UINT64_C(1) << 20)
#define MAX_DEPTH   16 /* of a walk through QOM */
#define QUESTION_MS 10000

typedef struct {
    OstlerMachine *machine;
    GPtrArray *args;          /* "-machine", ..., and the aid that was needed */
    OstlerQmp *qmp;           /* of the emulator being asked; borrowed */
    GHashTable *bus_types;    /* set of QOM type names */
    GHashTable *device_types; /* likewise */
    GHashTable *aarch64_cpus; /* likewise */
    GArray *buses;            /* OstlerMachineBus */
    GHashTable *properties;   /* set of names, owned */
    GHashTable *onboard;      /* set of types, owned */
    unsigned n_flash_chips;
    char *stand_in; /* a file that serves as kernel or firmware */
} Probe;

/* ---- probe-qom.c: QMP and QOM in small ---- */

json_object *probe_text(const char *value);
json_object *coroutine_fn probe_ask(Probe *probe, const char *command,
                                    json_object *arguments);
json_object *coroutine_fn probe_list_path(Probe *probe, const char *path);
json_object *coroutine_fn probe_get_property(Probe *probe, const char *path,
                                             const char *property);

/* A string property; caller frees, NULL when there is none or it is empty. */
char *coroutine_fn probe_get_text(Probe *probe, const char *path, const char *property);

/* A set of the types that can be made, owned by the caller. */
GHashTable *coroutine_fn probe_list_types(Probe *probe, const char *implements);

/* The set as a sorted vector of copies. */
char **probe_sorted_texts(GHashTable *set);

/* "child<virtio-mmio>" -> "virtio-mmio" (caller frees), NULL for anything else. */
char *probe_child_type(const char *type);

/* Nothing can be plugged below these, and a machine has hundreds of them. */
bool probe_is_leaf(const char *type);
bool probe_is_pci(const char *bus_type);

/* ---- the questions ---- */

/* probe-aids.c: start it bare or with an aid; the error is what it said when bare, unless
 * an aid could not be tried: then it is why, and no OSTLER_MACHINE_ERROR. */
OstlerEmulator *coroutine_fn probe_start_machine(Probe *probe, GError **error);

/* probe-buses.c: the buses of the bare machine and what sits on them. */
void coroutine_fn probe_look_at_buses(Probe *probe);

/* probe-wires.c: the board's own cards and serial ports. */
void coroutine_fn probe_look_wired(Probe *probe);

/* probe-drives.c: SD and floppy units, and how much memory suits the machine. */
void coroutine_fn probe_try_drives_and_memory(Probe *probe);

/* probe-mmio.c: virtio-mmio buses in the order in which a kernel finds them. */
void coroutine_fn probe_order_mmio(Probe *probe);
