/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/plan-slots.h"

#include <string.h>

#define PCI_SLOTS     32 /* PCI Local Bus 3.0, 3.2.2.3.4: five bits */
#define PCI_FUNCTIONS 8

/* Places that are told apart by a bus and a number on it: USB ports, IDE units. */
typedef struct {
    char *bus;
    unsigned number;
    bool is_limited; /* USB: high speed only */
    bool is_taken;
} Place;

/* Places of one kind, in the order in which they are given away. */
typedef struct {
    GArray *places; /* Place */
} Shelf;

/* The kinds whose places have no bus to name, only a count. */
typedef struct {
    unsigned n;
    unsigned next;
} Counter;

struct OstlerSlots {
    unsigned next_ccw;
    const OstlerMachine *machine;
    OstlerTransport transport;
    const OstlerMachineBus *pci; /* or NULL */
    bool pack;
    unsigned next_devfn;
    unsigned n_pci; /* places that the bus had at first */
    Shelf mmio;
    Shelf ide;
    Shelf floppy;
    Shelf usb;
    Counter serials;
    Counter nics;
    Counter sd;
};

static void clear_place(void *data)
{
    g_free(((Place *)data)->bus);
}

static void put_limited(Shelf *shelf, const char *bus, unsigned number, bool is_limited)
{
    Place place = { .bus = g_strdup(bus), .number = number, .is_limited = is_limited };

    if (!shelf->places) {
        shelf->places = g_array_new(false, false, sizeof(Place));
        g_array_set_clear_func(shelf->places, clear_place);
    }
    g_array_append_val(shelf->places, place);
}

static void put(Shelf *shelf, const char *bus, unsigned number)
{
    put_limited(shelf, bus, number, false);
}

static void clear_shelf(Shelf *shelf)
{
    g_clear_pointer(&shelf->places, g_array_unref);
}

static unsigned shelf_size(const Shelf *shelf)
{
    return shelf->places ? shelf->places->len : 0;
}

static Place *find_free(Shelf *shelf, bool limited_too)
{
    for (unsigned i = 0; i < shelf_size(shelf); i++) {
        Place *place = &g_array_index(shelf->places, Place, i);
        if (!place->is_taken && (limited_too || !place->is_limited)) {
            return place;
        }
    }
    return NULL;
}

/* How many places there are at all. */
static unsigned count_places(const Shelf *shelf, bool limited_too)
{
    unsigned n = 0;

    for (unsigned i = 0; i < shelf_size(shelf); i++) {
        n += limited_too || !g_array_index(shelf->places, Place, i).is_limited;
    }
    return n;
}

/* The next place, or NULL: none of the kind at all, or none left. */
static const Place *take_any(Shelf *shelf, bool limited_too, const char *kind,
                             const char *who, GError **error)
{
    unsigned n = count_places(shelf, limited_too);
    Place *place = find_free(shelf, limited_too);

    if (n == 0) {
        g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_UNSUPPORTED,
                    "The machine has no %s for %s", kind, who);
        return NULL;
    }
    if (!place) {
        g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_NO_SLOT,
                    "%s does not fit: the machine has %u %s%s", who, n, kind,
                    n == 1 ? "" : "s");
        return NULL;
    }
    place->is_taken = true;
    return place;
}

static const Place *take(Shelf *shelf, const char *kind, const char *who,
                         GError **error)
{
    return take_any(shelf, true, kind, who, error);
}

static int count(Counter *counter, const char *kind, const char *who, GError **error)
{
    if (counter->n == 0) {
        g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_UNSUPPORTED,
                    "The machine has no %s for %s", kind, who);
        return -1;
    }
    if (counter->next == counter->n) {
        g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_NO_SLOT,
                    "%s does not fit: the machine has %u %s%s", who, counter->n, kind,
                    counter->n == 1 ? "" : "s");
        return -1;
    }
    return (int)counter->next++;
}

static bool is_pci(const OstlerMachineBus *bus)
{
    return strcmp(bus->type, "PCI") == 0 || strcmp(bus->type, "PCIE") == 0;
}

/*
 * The bus that takes devices.  A root bus that only holds the machine's own bridge
 * (designware's, PCI Express boards) is not it: a bus behind a controller of its own
 * comes later in the walk and its name is used instead.
 */
static const OstlerMachineBus *find_pci(const OstlerMachine *machine)
{
    for (unsigned i = 0; i < machine->n_buses; i++) {
        if (is_pci(&machine->buses[i])) {
            return &machine->buses[i];
        }
    }
    return NULL;
}

static bool slot_is_taken(const OstlerMachineBus *bus, unsigned slot)
{
    for (unsigned i = 0; i < bus->n_taken; i++) {
        if (bus->taken[i] / PCI_FUNCTIONS == slot) {
            return true;
        }
    }
    return false;
}

/* The first free devfn at or after @devfn, or the end of the bus. */
static unsigned next_free(const OstlerMachineBus *bus, unsigned devfn)
{
    unsigned first = MAX(bus->first_slot, 1) * PCI_FUNCTIONS;

    devfn = MAX(devfn, first);
    while (devfn < PCI_SLOTS * PCI_FUNCTIONS &&
           slot_is_taken(bus, devfn / PCI_FUNCTIONS)) {
        devfn = (devfn / PCI_FUNCTIONS + 1) * PCI_FUNCTIONS;
    }
    return devfn;
}

static unsigned count_pci(const OstlerSlots *slots)
{
    unsigned n = 0;
    unsigned step = slots->pack ? 1 : PCI_FUNCTIONS;
    unsigned devfn = 0;

    while ((devfn = next_free(slots->pci, devfn)) < PCI_SLOTS * PCI_FUNCTIONS) {
        devfn += step;
        n++;
    }
    return n;
}

/* AHCI has one unit on each bus, parallel ATA two (ATA/ATAPI-6, device 0 and 1). */
static void add_ide_bus(OstlerSlots *slots, const OstlerMachineBus *bus)
{
    bool is_serial = bus->controller && strstr(bus->controller, "ahci");

    for (unsigned unit = 0; unit < (is_serial ? 1u : 2u); unit++) {
        put(&slots->ide, bus->name, unit);
    }
}

static void add_bus(OstlerSlots *slots, const OstlerMachineBus *bus)
{
    if (strcmp(bus->type, "virtio-mmio-bus") == 0 && bus->n_taken == 0) {
        put(&slots->mmio, bus->name, 0);
    } else if (strcmp(bus->type, "IDE") == 0 && bus->n_taken == 0) {
        add_ide_bus(slots, bus);
    } else if (strcmp(bus->type, "floppy-bus") == 0) {
        put(&slots->floppy, bus->name, 0);
        put(&slots->floppy, bus->name, 1);
    }
}

/* Fast controllers first: what is shared over USB 1.1 is no fun. */
static int usb_rank(const OstlerMachineBus *bus)
{
    static const char *const slow[] = { "ohci", "uhci", "musb" };

    for (unsigned i = 0; i < G_N_ELEMENTS(slow); i++) {
        if (bus->controller && strstr(bus->controller, slow[i])) {
            return 1;
        }
    }
    return 0;
}

static void add_ports(OstlerSlots *slots, const char *bus, unsigned n, bool is_limited)
{
    for (unsigned port = 1; port <= n; port++) {
        put_limited(&slots->usb, bus, port, is_limited);
    }
}

/*
 * Where a device tree lists the transports, probe-mmio.c has put them in its order.
 * On x86 (microvm) it is ACPI's tables that do, the highest first; its transport 0, which
 * gets no interrupt under Debian's kernel, is then the last to be used.
 */
static void order_mmio(OstlerSlots *slots)
{
    const char *arch = ostler_machine_arch(slots->machine);
    GArray *places = slots->mmio.places;
    bool is_downwards = strcmp(arch, "x86_64") == 0 || strcmp(arch, "i386") == 0;

    for (guint i = 0; is_downwards && places && i < places->len / 2; i++) {
        Place *low = &g_array_index(places, Place, i);
        Place *high = &g_array_index(places, Place, places->len - 1 - i);
        Place kept = *low;
        *low = *high;
        *high = kept;
    }
}

static void add_usb_buses(OstlerSlots *slots)
{
    for (int rank = 0; rank <= 1; rank++) {
        for (unsigned i = 0; i < slots->machine->n_buses; i++) {
            const OstlerMachineBus *bus = &slots->machine->buses[i];
            if (strcmp(bus->type, "usb-bus") == 0 && usb_rank(bus) == rank) {
                add_ports(slots, bus->name, bus->n_ports, !bus->full_speed);
            }
        }
    }
}

static bool choose_transport(OstlerSlots *slots, const char *wish, GError **error)
{
    const OstlerMachine *machine = slots->machine;
    bool pci = slots->pci && ostler_machine_has_device(machine, "virtio-blk-pci");
    bool mmio =
        slots->mmio.places && ostler_machine_has_device(machine, "virtio-blk-device");
    bool wants_pci = g_strcmp0(wish, "pci") == 0;
    bool wants_mmio = g_strcmp0(wish, "mmio") == 0;

    if ((wants_pci && !pci) || (wants_mmio && !mmio)) {
        g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_UNSUPPORTED,
                    "The machine '%s' has no virtio over %s", machine->name,
                    wants_pci ? "PCI" : "MMIO");
        return false;
    }
    if (ostler_machine_has_device(machine, "virtio-blk-ccw") && !wants_pci) {
        slots->transport = OSTLER_TRANSPORT_CCW;
    } else if (pci && !wants_mmio) {
        slots->transport = OSTLER_TRANSPORT_PCI;
    } else if (mmio) {
        slots->transport = OSTLER_TRANSPORT_MMIO;
    }
    return true;
}

OstlerSlots *ostler_slots_new(const OstlerMachine *machine, const char *transport,
                              bool pack, GError **error)
{
    g_autoptr(OstlerSlots) slots = g_new0(OstlerSlots, 1);

    slots->machine = machine;
    slots->pack = pack;
    slots->pci = find_pci(machine);
    slots->n_pci = slots->pci ? count_pci(slots) : 0;
    for (unsigned i = 0; i < machine->n_buses; i++) {
        add_bus(slots, &machine->buses[i]);
    }
    order_mmio(slots);
    add_usb_buses(slots);
    slots->serials.n = machine->serials ? g_strv_length(machine->serials) : 0;
    slots->nics.n = machine->nics ? g_strv_length(machine->nics) : 0;
    slots->sd.n = machine->n_sd;
    if (!choose_transport(slots, transport, error)) {
        return NULL;
    }
    return g_steal_pointer(&slots);
}

void ostler_slots_free(OstlerSlots *slots)
{
    if (!slots) {
        return;
    }
    clear_shelf(&slots->mmio);
    clear_shelf(&slots->ide);
    clear_shelf(&slots->floppy);
    clear_shelf(&slots->usb);
    g_free(slots);
}

OstlerTransport ostler_slots_transport(const OstlerSlots *slots)
{
    return slots->transport;
}

bool ostler_slots_has_pci(const OstlerSlots *slots)
{
    return slots->pci != NULL;
}

bool ostler_slots_take_pci(OstlerSlots *slots, GString *device, const char *who,
                           GError **error)
{
    if (!slots->pci) {
        g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_UNSUPPORTED,
                    "The machine has no PCI bus for %s", who);
        return false;
    }

    unsigned devfn = next_free(slots->pci, slots->next_devfn);
    if (devfn >= PCI_SLOTS * PCI_FUNCTIONS) {
        g_set_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_NO_SLOT,
                    "%s does not fit: the machine has %u free PCI places", who,
                    slots->n_pci);
        return false;
    }

    unsigned function = devfn % PCI_FUNCTIONS;
    g_string_append_printf(device, ",bus=%s,addr=0x%x", slots->pci->name,
                           devfn / PCI_FUNCTIONS);
    if (slots->pack) {
        g_string_append_printf(device, ".%u%s", function,
                               function == 0 ? ",multifunction=on" : "");
    }
    slots->next_devfn = devfn + (slots->pack ? 1 : PCI_FUNCTIONS);
    return true;
}

/* QEMU docs/system/s390x/css.rst: virtio devices are in channel subsystem 0xfe, and a
 * subchannel set has room for 65536. */
void ostler_slots_take_ccw(OstlerSlots *slots, GString *device)
{
    g_string_append_printf(device, ",devno=fe.0.%04x", slots->next_ccw++ & 0xffff);
}

bool ostler_slots_take_mmio(OstlerSlots *slots, GString *device, const char *who,
                            GError **error)
{
    const Place *place = take(&slots->mmio, "virtio-mmio transport", who, error);

    if (place) {
        g_string_append_printf(device, ",bus=%s", place->bus);
    }
    return place != NULL;
}

bool ostler_slots_take_ide(OstlerSlots *slots, GString *device, const char *who,
                           GError **error)
{
    const Place *place = take(&slots->ide, "IDE unit", who, error);

    if (place) {
        g_string_append_printf(device, ",bus=%s,unit=%u", place->bus, place->number);
    }
    return place != NULL;
}

bool ostler_slots_take_floppy(OstlerSlots *slots, GString *device, const char *who,
                              GError **error)
{
    const Place *place = take(&slots->floppy, "floppy drive", who, error);

    if (place) {
        g_string_append_printf(device, ",bus=%s,unit=%u", place->bus, place->number);
    }
    return place != NULL;
}

bool ostler_slots_has_floppy(const OstlerSlots *slots)
{
    return shelf_size(&slots->floppy) > 0;
}

bool ostler_slots_take_usb(OstlerSlots *slots, GString *device, bool is_full_speed,
                           const char *who, GError **error)
{
    const Place *place =
        take_any(&slots->usb, !is_full_speed,
                 is_full_speed ? "full-speed USB port" : "USB port", who, error);

    if (place) {
        g_string_append_printf(device, ",bus=%s,port=%u", place->bus, place->number);
    }
    return place != NULL;
}

void ostler_slots_add_usb(OstlerSlots *slots, const char *bus, unsigned n_ports)
{
    add_ports(slots, bus, n_ports, false);
}

bool ostler_slots_has_usb(const OstlerSlots *slots)
{
    return shelf_size(&slots->usb) > 0;
}

bool ostler_slots_has_full_speed(const OstlerSlots *slots)
{
    return count_places(&slots->usb, false) > 0;
}

void ostler_slots_add_ide(OstlerSlots *slots, const char *prefix, unsigned n_buses)
{
    for (unsigned i = 0; i < n_buses; i++) {
        g_autofree char *bus = g_strdup_printf("%s%u", prefix, i);
        put(&slots->ide, bus, 0);
    }
}

bool ostler_slots_has_ide(const OstlerSlots *slots)
{
    return shelf_size(&slots->ide) > 0;
}

int ostler_slots_take_serial(OstlerSlots *slots, const char *who, GError **error)
{
    return count(&slots->serials, "serial port", who, error);
}

int ostler_slots_take_nic(OstlerSlots *slots, const char *who, GError **error)
{
    return count(&slots->nics, "network card of its own", who, error);
}

int ostler_slots_take_sd(OstlerSlots *slots, const char *who, GError **error)
{
    return count(&slots->sd, "SD card slot", who, error);
}

unsigned ostler_slots_sd_left(const OstlerSlots *slots)
{
    return slots->sd.n - slots->sd.next;
}

unsigned ostler_slots_serials_left(const OstlerSlots *slots)
{
    return slots->serials.n - slots->serials.next;
}
