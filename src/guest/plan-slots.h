/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan-slots.h - which places of a machine are still free
 *
 * Places are handed out lowest first, so devices come up in the order in which they are
 * asked for.  Nothing here knows what a device is for; plan-*.c do.
 *
 * Ownership:  the machine is borrowed and outlives the slots.
 * Errors:     OSTLER_PLAN_ERROR_NO_SLOT says how many places there are and names @who
 *             ("[disk.data]"); _UNSUPPORTED that the machine has none of the kind.
 */
#pragma once

#include "guest/plan.h"

typedef enum {
    OSTLER_TRANSPORT_NONE, /* no virtio on this machine */
    OSTLER_TRANSPORT_PCI,
    OSTLER_TRANSPORT_MMIO,
    OSTLER_TRANSPORT_CCW, /* s390x channel devices */
} OstlerTransport;

typedef struct OstlerSlots OstlerSlots;

/*
 * @transport NULL or "auto": PCI where there is any, else mmio.  @pack puts eight
 * devices into each PCI slot, for definitions that do not fit otherwise.
 */
OstlerSlots *ostler_slots_new(const OstlerMachine *machine, const char *transport,
                              bool pack, GError **error);
void ostler_slots_free(OstlerSlots *slots);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerSlots, ostler_slots_free)

OstlerTransport ostler_slots_transport(const OstlerSlots *slots);
bool ostler_slots_has_pci(const OstlerSlots *slots);

/* Each appends ",bus=...,addr=..." (or its like) to @device. */
bool ostler_slots_take_pci(OstlerSlots *slots, GString *device, const char *who,
                           GError **error);
bool ostler_slots_take_mmio(OstlerSlots *slots, GString *device, const char *who,
                            GError **error);
void ostler_slots_take_ccw(OstlerSlots *slots, GString *device);
bool ostler_slots_take_ide(OstlerSlots *slots, GString *device, const char *who,
                           GError **error);
bool ostler_slots_take_floppy(OstlerSlots *slots, GString *device, const char *who,
                              GError **error);
bool ostler_slots_has_floppy(const OstlerSlots *slots);
/* @is_full_speed: the device knows no high speed, so a bare EHCI is no place for it. */
bool ostler_slots_take_usb(OstlerSlots *slots, GString *device, bool is_full_speed,
                           const char *who, GError **error);

/* How many ports a controller that the plan added has, under bus=@bus. */
void ostler_slots_add_usb(OstlerSlots *slots, const char *bus, unsigned n_ports);
bool ostler_slots_has_usb(const OstlerSlots *slots);
bool ostler_slots_has_full_speed(const OstlerSlots *slots);
/* IDE units of controllers that the plan added: @n_buses buses @prefix0, @prefix1... */
void ostler_slots_add_ide(OstlerSlots *slots, const char *prefix, unsigned n_buses);
bool ostler_slots_has_ide(const OstlerSlots *slots);

/* The next -serial, board NIC, or if=sd unit: its index, or -1 with @error set. */
int ostler_slots_take_serial(OstlerSlots *slots, const char *who, GError **error);
int ostler_slots_take_nic(OstlerSlots *slots, const char *who, GError **error);
int ostler_slots_take_sd(OstlerSlots *slots, const char *who, GError **error);
unsigned ostler_slots_sd_left(const OstlerSlots *slots);
unsigned ostler_slots_serials_left(const OstlerSlots *slots);
