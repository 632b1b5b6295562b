/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mirrors.c - the cards' mirrors of an adopted guest
 *
 * Theory of operation
 *
 * Our ends of the mirrors' sockets died with the keeper before, and a connected pair
 * cannot be joined again from outside, which is what makes it safe.  So QEMU's ends are
 * exchanged: the filter and its character device are taken off, and new ones of the same
 * names are put on a new pair.  The guest's network goes on meanwhile; only what passes
 * in these milliseconds is not seen.
 *
 * A step may have been done already by a keeper that was killed in the middle: what is
 * not there need not be taken off.
 */
#define G_LOG_DOMAIN "ostler-keeper"

#include "mirrors.h"

#include <unistd.h>

#include "addresses.h"
#include "guest/plan.h"
#include "platform/datagram.h"

static json_object *text(const char *value)
{
    return json_object_new_string(value);
}

/* Run a command whose answer says nothing. */
static bool coroutine_fn run(Keeper *keeper, const char *command,
                             json_object *arguments, GError **error)
{
    g_autoptr(json_object) answer = keeper_execute(keeper, command, arguments, error);

    return answer != NULL;
}

/* ChardevSocket, qapi/char.json: a "server" is the default. */
static json_object *chardev_arguments(const char *id, const char *fd_name)
{
    json_object *address =
        ostler_json_object("type", text("fd"), "data",
                           ostler_json_object("str", text(fd_name), NULL), NULL);
    json_object *socket = ostler_json_object("addr", address, "server",
                                             json_object_new_boolean(false), NULL);

    return ostler_json_object(
        "id", text(id), "backend",
        ostler_json_object("type", text("socket"), "data", socket, NULL), NULL);
}

/* QEMU's end is its own once getfd has brought it over; @theirs stays open here. */
static bool coroutine_fn add_mirror(Keeper *keeper, const OstlerPlanMirror *mirror,
                                    unsigned index, int theirs, GError **error)
{
    g_autofree char *chardev = ostler_plan_mirror_chardev(mirror, index);
    g_autofree char *filter = ostler_plan_mirror_filter(mirror, index);
    g_autofree char *netdev = ostler_plan_netdev(index);

    return ostler_qmp_getfd(keeper->qmp, chardev, theirs, error) &&
           run(keeper, "chardev-add", chardev_arguments(chardev, chardev), error) &&
           run(keeper, "object-add",
               ostler_json_object("qom-type", text("filter-mirror"), "id", text(filter),
                                  "netdev", text(netdev), "queue", text(mirror->queue),
                                  "outdev", text(chardev), NULL),
               error);
}

static void coroutine_fn remove_mirror(Keeper *keeper, const OstlerPlanMirror *mirror,
                                       unsigned index)
{
    g_autofree char *chardev = ostler_plan_mirror_chardev(mirror, index);
    g_autofree char *filter = ostler_plan_mirror_filter(mirror, index);

    run(keeper, "object-del", ostler_json_object("id", text(filter), NULL), NULL);
    run(keeper, "chardev-remove", ostler_json_object("id", text(chardev), NULL), NULL);
}

static bool coroutine_fn renew_mirror(Keeper *keeper, const OstlerPlanMirror *mirror,
                                      unsigned index, const char *label, GError **error)
{
    g_autofree char *socket = ostler_plan_mirror_socket(mirror, label);
    int ours, theirs;

    if (!ostler_datagram_pair(&ours, &theirs, error)) {
        return false;
    }
    remove_mirror(keeper, mirror, index);
    bool is_added = add_mirror(keeper, mirror, index, theirs, error);
    close(theirs);
    if (!is_added) {
        close(ours);
        return false;
    }
    keeper_addresses_add_mirror(keeper->addresses, socket, ours);
    return true;
}

static void coroutine_fn renew_card(Keeper *keeper, const OstlerSection *nic,
                                    unsigned index)
{
    for (unsigned i = 0; i < OSTLER_PLAN_N_MIRRORS; i++) {
        g_autoptr(GError) refusal = NULL;
        if (!renew_mirror(keeper, &ostler_plan_mirrors[i], index,
                          ostler_section_label(nic), &refusal)) {
            g_warning("What [nic.%s] has on its network (%s) is not seen: %s; "
                      "continuing",
                      ostler_section_label(nic), ostler_plan_mirrors[i].name,
                      refusal->message);
        }
    }
}

void coroutine_fn keeper_renew_mirrors(Keeper *keeper)
{
    unsigned index = 0;

    if (!keeper->qmp) {
        return;
    }
    for (OstlerSection *nic = ostler_definition_first(keeper->definition, "nic"); nic;
         nic = ostler_section_next(nic, "nic"), index++) {
        if (ostler_plan_has_mirrors(nic)) {
            renew_card(keeper, nic, index);
        }
    }
}
