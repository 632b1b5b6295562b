/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machine.h - what a machine of a QEMU binary offers: buses, slots, devices
 *
 * Asked of QEMU itself over QMP (-S -nodefaults, see probe.c) and cached under
 * $XDG_CACHE_HOME/ostler/machines/, keyed by the binary's identity (device, inode,
 * size, mtime) and the exact machine string, since options change the counts.
 * No table of machine names decides where a device goes.
 *
 * Sources:    QEMU docs/interop/qmp-spec.txt; qom-list, qom-get, query-machines.
 * Units:      memory in bytes; a PCI address is devfn, slot * 8 + function.
 * Ownership:  a machine owns all it points to; immutable once made.
 * Errors:     OSTLER_MACHINE_ERROR when QEMU itself refuses the machine (its own
 *             words are the message), else G_IO_ERROR and the QMP domains.
 */
#pragma once

#include "json/json.h"
#include <cpc/coroutine.h>

#define OSTLER_MACHINE_ERROR ostler_machine_error_quark()
GQuark ostler_machine_error_quark(void);
typedef enum {
    OSTLER_MACHINE_ERROR_REFUSED, /* QEMU does not start it, and says why */
} OstlerMachineError;

/* A bus that devices can be plugged into, or that the machine has plugged its own. */
typedef struct {
    char *name;       /* what bus= takes: "pci.0", "virtio-mmio-bus.3", "usb-bus.0" */
    char *type;       /* QOM type: "PCI", "PCIE", "virtio-mmio-bus", "IDE" */
    char *controller; /* QOM type of the device that has it: "piix3-ide", "dwc2-usb" */
    unsigned *taken;  /* PCI: devfn of each of the machine's own devices, ascending;
                         any other bus: one zero per device */
    unsigned n_taken;
    unsigned first_slot; /* PCI: the lowest slot that QEMU itself would use */
    unsigned n_ports;    /* USB: root ports, 0 on any other bus */
    unsigned full_speed; /* USB: takes devices that know no high speed (USB 2.0, 7.1) */
} OstlerMachineBus;

typedef struct OstlerMachine {
    char *emulator;      /* path of the binary */
    char *arch;          /* "x86_64" */
    char *name;          /* the exact machine string: "virt,secure=on" */
    char *full_name;     /* without alias and options: "virt-7.2" */
    int version;         /* 70222 for 7.2.22 */
    char *default_cpu;   /* "cortex-a15-arm-cpu", or NULL when it has none to choose */
    char *preferred_cpu; /* for -cpu when the definition names none, or NULL */
    unsigned max_cpus;
    uint64_t default_memory; /* what it has without -m */
    uint64_t memory;         /* for -m when the definition says nothing */
    char *memory_refusal;    /* why QEMU takes no other size, or NULL if it does */
    OstlerMachineBus *buses; /* virtio-mmio in the order in which a kernel finds them */
    unsigned n_buses;
    char **serials;       /* device type behind each -serial, in order */
    char **nics;          /* the board's own, by the order of -net nic */
    unsigned n_sd;        /* -drive if=sd units, from index 0 */
    unsigned n_floppy;    /* -drive if=floppy units */
    unsigned has_sandbox; /* the binary was built with -sandbox */
    unsigned n_pflash;    /* -drive if=pflash units, or pflash0=, pflash1= */
    char **needs;         /* "kernel", "firmware", "flash": does not start without */
    uint64_t flash_bytes; /* the size of the image that "flash" means */
    char **onboard;       /* QOM types of the machine's own devices, sorted, unique */
    char **devices;       /* every type of device the binary has, sorted */
    char **properties;    /* of the machine, sorted: "pflash0", "usb", "gic-version" */
} OstlerMachine;

/*
 * @emulator NULL: qemu-system-<arch> in PATH.  Cached answers come back without
 * starting QEMU and without yielding.
 */
OstlerMachine *coroutine_fn ostler_machine_probe(const char *arch, const char *machine,
                                                 const char *emulator, GError **error);
OstlerMachine *ostler_machine_from_json(json_object *description, GError **error);
json_object *ostler_machine_to_json(const OstlerMachine *machine);
void ostler_machine_free(OstlerMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerMachine, ostler_machine_free)

const char *ostler_machine_emulator(const OstlerMachine *machine);
const char *ostler_machine_arch(const OstlerMachine *machine);

/* Whether the binary has the device type, the board has it, the machine the property. */
bool ostler_machine_has_device(const OstlerMachine *machine, const char *type);
bool ostler_machine_has_onboard(const OstlerMachine *machine, const char *type);
bool ostler_machine_has_property(const OstlerMachine *machine, const char *name);
bool ostler_machine_needs(const OstlerMachine *machine, const char *what);
/* The first bus of one of @types (NULL-terminated), or NULL. */
const OstlerMachineBus *ostler_machine_find_bus(const OstlerMachine *machine,
                                                const char *const *types);

/* The path of @emulator, or of qemu-system-<arch>; caller frees. */
char *ostler_emulator_find(const char *arch, const char *emulator, GError **error);

/* The machines an emulator lists, NULL-terminated (g_strfreev), cached likewise. */
char **coroutine_fn ostler_machine_list(const char *arch, const char *emulator,
                                        GError **error);

/*
 * "kvm" if a probe shows that it truly runs a guest here (a tiny guest is run once per
 * boot and binary, then cached), else "tcg"; @out_why says why not, as a clause
 * (caller frees).
 */
const char *coroutine_fn ostler_accel_choose(const char *arch, const char *emulator,
                                             char **out_why);
