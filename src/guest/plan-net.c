/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A card is a backend (-netdev) and a device.  Where the card is a part of the board,
 * QEMU has no -device for it: -net nic hands the backends out to the board's cards in
 * order.  A filter-mirror on every backend that carries a guest's own traffic shows its
 * frames to the address program; the descriptor is a datagram socket, because a stream
 * whose reader stalls would stop QEMU's main loop with it.
 */
#include "guest/planner.h"

#include <string.h>

typedef struct {
    const OstlerSection *section;
    char *id; /* "nic-lan"; the backend is "net-" + the index */
    char *backend;
    char *who;
    char *mac;
    unsigned index;
} Nic;

static void clear_nic(Nic *nic)
{
    g_free(nic->id);
    g_free(nic->backend);
    g_free(nic->who);
    g_free(nic->mac);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Nic, clear_nic)

/*
 * 52:54:00 is the prefix that QEMU's guests have by habit (KVM's, unregistered); the
 * rest comes from the guest's and the card's name, so that it stays the same.
 */
static char *make_mac(const OstlerPlanner *planner, const OstlerSection *section)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    const char *name = ostler_definition_name(planner->definition);
    const char *label = ostler_section_label(section);
    guint8 digest[32];
    gsize size = sizeof(digest);

    g_checksum_update(sum, (const guchar *)name, (gssize)strlen(name) + 1);
    g_checksum_update(sum, (const guchar *)label, (gssize)strlen(label));
    g_checksum_get_digest(sum, digest, &size);
    return g_strdup_printf("52:54:00:%02x:%02x:%02x", digest[0], digest[1], digest[2]);
}

/* tcp:HOSTPORT:GUESTPORT or tcp:ADDRESS:HOSTPORT:GUESTPORT, IPv6 in brackets. */
static void add_forward(GString *options, const char *forward)
{
    const char *rest = strchr(forward, ':') + 1;
    const char *guest_port = strrchr(rest, ':') + 1;
    g_autofree char *host = g_strndup(rest, (gsize)(guest_port - 1 - rest));
    g_autofree char *protocol = g_strndup(forward, (gsize)(rest - 1 - forward));
    bool has_address = strchr(host, ':') != NULL;

    g_string_append_printf(options, ",hostfwd=%s:%s%s-:%s", protocol,
                           has_address ? "" : "127.0.0.1:", host, guest_port);
}

/* ipv6=on alone would silently turn IPv4 off (facts of slirp's option parser). */
static void add_user(GString *options, const OstlerSection *section)
{
    g_autofree const char **forwards = ostler_section_get_list(section, "forward");

    g_string_append(options, ",ipv4=on,ipv6=on");
    if (ostler_section_get_bool(section, "restrict")) {
        g_string_append(options, ",restrict=on");
    }
    for (const char **forward = forwards; forward && *forward; forward++) {
        add_forward(options, *forward);
    }
}

static void add_tap(GString *options, const OstlerSection *section)
{
    ostler_option(options, "ifname", ostler_section_get(section, "ifname"));
    /* vhost would carry the frames past the mirror */
    g_string_append(options, ",script=no,downscript=no,vhost=off");
}

static void add_bridge(GString *options, const OstlerSection *section)
{
    if (ostler_section_has(section, "bridge")) {
        ostler_option(options, "br", ostler_section_get(section, "bridge"));
    }
}

static void add_socket(GString *options, const OstlerSection *section)
{
    static const char *const keys[] = { "listen", "connect", "mcast" };

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (ostler_section_has(section, keys[i])) {
            ostler_option(options, keys[i], ostler_section_get(section, keys[i]));
        }
    }
}

static void add_nothing(GString *options, const OstlerSection *section)
{
}

/* What each type of [nic] is to QEMU; has_frames: there is something to mirror. */
static const struct {
    const char *name;
    const char *netdev;
    void (*add)(GString *options, const OstlerSection *section);
    bool has_frames;
} backends[] = {
    { "user", "user", add_user, true },        { "tap", "tap", add_tap, true },
    { "bridge", "bridge", add_bridge, true },  { "socket", "socket", add_socket, true },
    { "none", "hubport", add_nothing, false },
};

/* passt is started by the keeper, which listens; QEMU's end is a stream socket. */
static void add_passt(OstlerPlanner *planner, const Nic *nic)
{
    g_autofree char *name =
        g_strdup_printf("passt-%s", ostler_section_label(nic->section));
    int fd = ostler_plan_socket(planner, OSTLER_PLAN_STREAM, name);

    ostler_plan_add(planner, "-netdev",
                    "stream,id=%s,server=off,addr.type=fd,addr.str=%d", nic->backend,
                    fd);
}

/*
 * Two mirrors, because the direction is what tells a server's word from the guest's own
 * claim, and a mirrored frame does not say which way it went.  QEMU's tx is what the
 * backend sends: inbound, seen from the guest (net/filter.c).
 */
const OstlerPlanMirror ostler_plan_mirrors[OSTLER_PLAN_N_MIRRORS] = {
    { "inbound", "tx" },
    { "outbound", "rx" },
};

char *ostler_plan_mirror_socket(const OstlerPlanMirror *mirror, const char *label)
{
    return g_strdup_printf("%s-%s", mirror->name, label);
}

char *ostler_plan_mirror_chardev(const OstlerPlanMirror *mirror, unsigned index)
{
    return g_strdup_printf("%s%u", mirror->name, index);
}

char *ostler_plan_mirror_filter(const OstlerPlanMirror *mirror, unsigned index)
{
    return g_strdup_printf("mirror-%s%u", mirror->name, index);
}

char *ostler_plan_netdev(unsigned index)
{
    return g_strdup_printf("net%u", index);
}

static void add_mirror(OstlerPlanner *planner, const Nic *nic,
                       const OstlerPlanMirror *mirror)
{
    g_autofree char *socket =
        ostler_plan_mirror_socket(mirror, ostler_section_label(nic->section));
    g_autofree char *chardev = ostler_plan_mirror_chardev(mirror, nic->index);
    g_autofree char *filter = ostler_plan_mirror_filter(mirror, nic->index);
    int fd = ostler_plan_socket(planner, OSTLER_PLAN_DATAGRAM, socket);

    ostler_plan_add(planner, "-chardev", "socket,id=%s,fd=%d", chardev, fd);
    ostler_plan_add(planner, "-object",
                    "filter-mirror,id=%s,netdev=%s,queue=%s,outdev=%s", filter,
                    nic->backend, mirror->queue, chardev);
}

static void add_mirrors(OstlerPlanner *planner, const Nic *nic)
{
    for (unsigned i = 0; i < OSTLER_PLAN_N_MIRRORS; i++) {
        add_mirror(planner, nic, &ostler_plan_mirrors[i]);
    }
}

/* A tap without a name is made by qemu-bridge-helper, as type bridge is. */
static const char *type_of(const OstlerSection *section)
{
    const char *type = ostler_section_get(section, "type");

    return strcmp(type, "tap") == 0 && !ostler_section_has(section, "ifname") ? "bridge"
                                                                              : type;
}

bool ostler_plan_needs_helper(const OstlerSection *nic)
{
    return strcmp(type_of(nic), "bridge") == 0;
}

bool ostler_plan_has_mirrors(const OstlerSection *nic)
{
    const char *type = type_of(nic);

    for (unsigned i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (strcmp(backends[i].name, type) == 0) {
            return backends[i].has_frames;
        }
    }
    return true; /* passt */
}

static void add_netdev(OstlerPlanner *planner, const Nic *nic)
{
    const char *type = type_of(nic->section);

    if (strcmp(type, "passt") == 0) {
        add_passt(planner, nic);
        add_mirrors(planner, nic);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (strcmp(backends[i].name, type) != 0) {
            continue;
        }
        GString *netdev = g_string_new(backends[i].netdev);
        ostler_option(netdev, "id", nic->backend);
        if (strcmp(type, "none") == 0) {
            ostler_option_number(netdev, "hubid", nic->index);
        }
        backends[i].add(netdev, nic->section);
        ostler_plan_take(planner, "-netdev", netdev);
        if (backends[i].has_frames) {
            add_mirrors(planner, nic);
        }
    }
}

static GString *device_options(const OstlerPlanner *planner, const Nic *nic)
{
    GString *options = g_string_new(NULL);
    unsigned boot = ostler_plan_boot_index(planner, nic->section);

    ostler_option(options, "netdev", nic->backend);
    ostler_option(options, "mac", nic->mac);
    if (boot) {
        ostler_option_number(options, "bootindex", boot);
    }
    return options;
}

static bool attach_virtio(OstlerPlanner *planner, const Nic *nic, GError **error)
{
    g_autoptr(GString) options = device_options(planner, nic);

    return ostler_plan_virtio(planner, "virtio-net", nic->id, options->str, nic->who,
                              error);
}

static bool attach_own(OstlerPlanner *planner, const Nic *nic, GError **error)
{
    int index = ostler_slots_take_nic(planner->slots, nic->who, error);
    if (index < 0) {
        return false;
    }
    ostler_plan_add(planner, "-net", "nic,netdev=%s,macaddr=%s", nic->backend,
                    nic->mac);
    ostler_plan_became(planner, nic->who, planner->machine->nics[index], NULL);
    return true;
}

static bool attach_usb(OstlerPlanner *planner, const Nic *nic, GError **error)
{
    g_autoptr(GString) options = device_options(planner, nic);

    return ostler_plan_usb(planner, "usb-net", nic->id, options->str, nic->who, error);
}

/* An ISA card keeps the addresses that its device has by itself. */
static bool attach_isa(OstlerPlanner *planner, const Nic *nic, const char *model)
{
    g_autoptr(GString) options = device_options(planner, nic);

    ostler_plan_add(planner, "-device", "%s,id=%s%s", model, nic->id, options->str);
    ostler_plan_became(planner, nic->who, model, nic->id);
    return true;
}

/* The best card on offer. */
static bool attach_auto(OstlerPlanner *planner, const Nic *nic, GError **error)
{
    if (ostler_plan_has_virtio(planner) &&
        (ostler_machine_has_device(planner->machine, "virtio-net-pci") ||
         ostler_machine_has_device(planner->machine, "virtio-net-device"))) {
        return attach_virtio(planner, nic, error);
    }
    if (planner->machine->nics && planner->machine->nics[0]) {
        return attach_own(planner, nic, error);
    }
    if (ostler_slots_has_full_speed(planner->slots) ||
        ostler_slots_has_pci(planner->slots)) {
        return attach_usb(planner, nic, error);
    }
    return ostler_plan_unsupported(error,
                                   "The machine '%s' has no place for a network "
                                   "card, %s",
                                   planner->machine->name, nic->who);
}

static bool is_own(const OstlerPlanner *planner, const char *model)
{
    return planner->machine->nics &&
           g_strv_contains((const char *const *)planner->machine->nics, model);
}

static bool attach(OstlerPlanner *planner, const Nic *nic, GError **error)
{
    const char *model = ostler_section_get(nic->section, "model");

    if (!model) {
        return attach_auto(planner, nic, error);
    }
    if (g_str_has_prefix(model, "virtio")) {
        return attach_virtio(planner, nic, error);
    }
    if (is_own(planner, model)) {
        return attach_own(planner, nic, error);
    }
    if (!ostler_plan_need_device(planner, model, nic->who, error)) {
        return false;
    }
    if (strcmp(model, "usb-net") == 0) {
        return attach_usb(planner, nic, error);
    }
    if (g_str_has_suffix(model, "_isa")) {
        return attach_isa(planner, nic, model);
    }
    g_autoptr(GString) options = device_options(planner, nic);
    return ostler_plan_pci(planner, model, nic->id, options->str, nic->who, error);
}

bool ostler_plan_nics(OstlerPlanner *planner, GError **error)
{
    unsigned index = 0;

    for (const OstlerSection *section =
             ostler_definition_first(planner->definition, "nic");
         section; section = ostler_section_next(section, "nic"), index++) {
        const char *mac = ostler_section_get(section, "mac");
        g_auto(Nic) nic = {
            .section = section,
            .id = ostler_plan_id(section),
            .backend = ostler_plan_netdev(index),
            .who = ostler_plan_who(section),
            .mac = mac ? g_strdup(mac) : make_mac(planner, section),
            .index = index,
        };
        add_netdev(planner, &nic);
        if (!attach(planner, &nic, error)) {
            return false;
        }
    }
    return true;
}
