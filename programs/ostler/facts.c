/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/table.h"
#include "cli.h"

/* ---- list ---- */

static json_object *entry_json(const OstlerGuestEntry *entry)
{
    return ostler_json_object("name", cli_json_text(entry->name), "state",
                              cli_json_text(ostler_state_text(entry->state)), "reason",
                              cli_json_text(ostler_reason_text(entry->reason)), "pid",
                              entry->pid ? json_object_new_int(entry->pid) : NULL,
                              "started", cli_json_time(entry->started_at), "defined",
                              json_object_new_boolean(entry->is_defined), "autostart",
                              json_object_new_boolean(entry->is_autostarted), NULL);
}

static void print_list_json(const OstlerGuestList *list)
{
    json_object *array = json_object_new_array();

    for (size_t i = 0; i < ostler_guest_list_size(list); i++) {
        json_object_array_add(array, entry_json(ostler_guest_list_at(list, i)));
    }
    cli_print_json(array);
}

static void print_names(const OstlerGuestList *list)
{
    for (size_t i = 0; i < ostler_guest_list_size(list); i++) {
        printf("%s\n", ostler_guest_list_at(list, i)->name);
    }
}

static void print_list(const OstlerGuestList *list)
{
    static const char *const headings[] = { "Name", "State", "PID", "For", NULL };
    g_autoptr(OstlerTable) table = ostler_table_new(headings);

    for (size_t i = 0; i < ostler_guest_list_size(list); i++) {
        const OstlerGuestEntry *entry = ostler_guest_list_at(list, i);
        g_autofree char *pid =
            entry->pid ? g_strdup_printf("%d", entry->pid) : g_strdup("-");
        g_autofree char *age = entry->started_at
                                   ? cli_duration(g_get_real_time() - entry->started_at)
                                   : g_strdup("-");
        ostler_table_add(table, (const char *const[]){ entry->name,
                                                       ostler_state_text(entry->state),
                                                       pid, age });
    }
    if (cli_has_colour(1)) {
        ostler_table_colour(table, 1, cli_state_colour);
    }
    g_autofree char *text = ostler_table_text(table);
    fputs(text, stdout);
}

int cli_list(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    g_autoptr(OstlerError) error = NULL;
    unsigned flags = ostler_invocation_has(invocation, "all") ? OSTLER_LIST_ALL
                     : ostler_invocation_has(invocation, "inactive")
                         ? OSTLER_LIST_INACTIVE
                         : OSTLER_LIST_ACTIVE;
    g_autoptr(OstlerGuestList) list = ostler_host_list(cli->host, flags, &error);

    if (!list) {
        return cli_fail(cli, error);
    }
    if (cli->is_json) {
        print_list_json(list);
    } else if (ostler_invocation_has(invocation, "name")) {
        print_names(list);
    } else {
        print_list(list);
    }
    return 0;
}

/* ---- dominfo ---- */

static json_object *info_json(const OstlerGuestInfo *info)
{
    return ostler_json_object(
        "name", cli_json_text(info->name), "uuid", cli_json_text(info->uuid), "state",
        cli_json_text(ostler_state_text(info->state)), "reason",
        cli_json_text(ostler_reason_text(info->reason)), "why",
        cli_json_text(info->why), "defined", json_object_new_boolean(info->is_defined),
        "autostart", json_object_new_boolean(info->is_autostarted), "keeper-death",
        cli_json_text(info->ends_with_keeper ? "end" : "adopt"), "arch",
        cli_json_text(info->arch), "machine", cli_json_text(info->machine), "accel",
        cli_json_text(info->accel), "cpus", json_object_new_int64(info->cpus), "memory",
        json_object_new_int64((int64_t)info->memory_bytes), "pid",
        info->pid ? json_object_new_int(info->pid) : NULL, "keeper-pid",
        info->keeper_pid ? json_object_new_int(info->keeper_pid) : NULL, "started",
        cli_json_time(info->started_at), "ended", cli_json_time(info->ended_at),
        "run-directory", cli_json_text(info->run_directory), NULL);
}

static void print_fact(const char *label, const char *text)
{
    if (text && *text) {
        g_autofree char *printable = ostler_printable(text);
        printf("%-16s%s\n", label, printable);
    }
}

static void print_number(const char *label, uint64_t number, const char *unit)
{
    if (number) {
        printf("%-16s%" G_GUINT64_FORMAT "%s\n", label, number, unit);
    }
}

static void print_info(const OstlerGuestInfo *info)
{
    print_fact("Name:", info->name);
    print_fact("UUID:", info->uuid);
    print_fact("State:", ostler_state_text(info->state));
    print_fact("Reason:", ostler_reason_text(info->reason));
    print_fact("Why:", info->why);
    print_fact("Architecture:", info->arch);
    print_fact("Machine:", info->machine);
    print_fact("Accelerator:", info->accel);
    print_number("CPUs:", info->cpus, "");
    print_number("Memory:", info->memory_bytes >> 20, " MiB");
    print_fact("Persistent:", info->is_defined ? "yes" : "no");
    print_fact("Autostart:", info->is_autostarted ? "enable" : "disable");
    print_fact("Keeper's death:", info->ends_with_keeper ? "end" : "adopt");
    print_number("PID:", (uint64_t)info->pid, "");
    print_number("Keeper's PID:", (uint64_t)info->keeper_pid, "");
    print_fact("Run directory:", info->run_directory);
}

int cli_dominfo(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;
    g_autoptr(OstlerGuestInfo) info = guest ? ostler_guest_info(guest, &error) : NULL;

    if (!guest) {
        return code;
    }
    if (!info) {
        return cli_fail(cli, error);
    }
    if (cli->is_json) {
        cli_print_json(info_json(info));
    } else {
        print_info(info);
    }
    return 0;
}

/* ---- domstate ---- */

/* The state of this name; false after saying that there is none. */
static bool find_state(const Cli *cli, const char *name, OstlerState *out_state)
{
    const char *names[OSTLER_N_STATES + 1] = { NULL };

    for (unsigned state = 0; state < OSTLER_N_STATES; state++) {
        names[state] = ostler_state_text(state);
        if (strcmp(names[state], name) == 0) {
            *out_state = state;
            return true;
        }
    }
    const char *nearest = ostler_nearest(name, names);
    cli_fail_with(cli, EXIT_USAGE,
                  nearest ? "No state is called '%s'; did you mean '%s'?"
                          : "No state is called '%s'",
                  name, nearest);
    return false;
}

static int wait_for_state(const OstlerInvocation *invocation, const Cli *cli,
                          OstlerGuest *guest)
{
    const char *name = ostler_invocation_value(invocation, "wait");
    g_autoptr(OstlerError) error = NULL;
    OstlerState state;
    int timeout_ms;

    if (!cli_timeout(cli, invocation, "timeout", -1, &timeout_ms) ||
        !find_state(cli, name, &state)) {
        return EXIT_USAGE;
    }
    if (!ostler_guest_wait(guest, OSTLER_STATE_MASK(state), timeout_ms, NULL, &error)) {
        return cli_fail(cli, error);
    }
    return 0;
}

int cli_domstate(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;
    OstlerState state;
    OstlerReason reason;

    if (guest && ostler_invocation_has(invocation, "wait")) {
        code = wait_for_state(invocation, cli, guest);
    }
    if (code != 0) {
        return code;
    }
    if (!ostler_guest_state(guest, &state, &reason, &error)) {
        return cli_fail(cli, error);
    }
    if (cli->is_json) {
        cli_print_json(
            ostler_json_object("name", cli_json_text(ostler_guest_name(guest)), "state",
                               cli_json_text(ostler_state_text(state)), "reason",
                               cli_json_text(ostler_reason_text(reason)), NULL));
    } else if (ostler_invocation_has(invocation, "reason")) {
        printf("%s (%s)\n", ostler_state_text(state), ostler_reason_text(reason));
    } else {
        printf("%s\n", ostler_state_text(state));
    }
    return 0;
}

/* ---- domifaddr ---- */

static json_object *address_json(const OstlerGuestAddress *address)
{
    return ostler_json_object(
        "nic", cli_json_text(address->nic), "mac", cli_json_text(address->mac),
        "address", cli_json_text(address->address), "prefix",
        address->prefix ? json_object_new_int64(address->prefix) : NULL, "family",
        cli_json_text(address->is_ipv6 ? "ipv6" : "ipv4"), "source",
        cli_json_text(address->source), "seen", cli_json_time(address->seen_at),
        "expires", cli_json_time(address->expires_at), NULL);
}

static json_object *forward_json(const OstlerGuestForward *forward)
{
    return ostler_json_object("nic", cli_json_text(forward->nic), "protocol",
                              cli_json_text(forward->protocol), "host-address",
                              cli_json_text(forward->host_address), "host-port",
                              json_object_new_int64(forward->host_port),
                              "guest-address", cli_json_text(forward->guest_address),
                              "guest-port", json_object_new_int64(forward->guest_port),
                              NULL);
}

static void print_net_json(const OstlerGuestNet *net)
{
    json_object *addresses = json_object_new_array();
    json_object *forwards = json_object_new_array();

    for (size_t i = 0; i < ostler_guest_net_n_addresses(net); i++) {
        json_object_array_add(addresses,
                              address_json(ostler_guest_net_address(net, i)));
    }
    for (size_t i = 0; i < ostler_guest_net_n_forwards(net); i++) {
        json_object_array_add(forwards, forward_json(ostler_guest_net_forward(net, i)));
    }
    cli_print_json(
        ostler_json_object("addresses", addresses, "forwards", forwards, NULL));
}

static void add_address(OstlerTable *table, const OstlerGuestAddress *address)
{
    int64_t now = g_get_real_time();
    g_autofree char *age =
        address->seen_at ? cli_duration(now - address->seen_at) : NULL;
    g_autofree char *seen = age ? g_strconcat(age, " ago", NULL) : NULL;
    g_autofree char *rest =
        address->expires_at ? cli_duration(address->expires_at - now) : NULL;
    g_autofree char *expires = rest ? g_strconcat("in ", rest, NULL) : NULL;
    g_autofree char *whole =
        address->prefix ? g_strdup_printf("%s/%u", address->address, address->prefix)
                        : g_strdup(address->address);

    ostler_table_add(table,
                     (const char *const[]){ address->nic, address->mac,
                                            address->is_ipv6 ? "ipv6" : "ipv4", whole,
                                            address->source, seen, expires });
}

static void print_forward(const OstlerGuestForward *forward)
{
    const char *address = forward->host_address;
    bool is_any = !address || !*address;

    printf("%s port %u of %s leads to the guest's port %u\n", forward->protocol,
           forward->host_port, is_any ? "every address of this host" : address,
           forward->guest_port);
}

static void print_net(const OstlerGuestNet *net)
{
    static const char *const headings[] = { "NIC",     "MAC address", "Protocol",
                                            "Address", "Source",      "Seen",
                                            "Expires", NULL };
    g_autoptr(OstlerTable) table = ostler_table_new(headings);

    for (size_t i = 0; i < ostler_guest_net_n_addresses(net); i++) {
        add_address(table, ostler_guest_net_address(net, i));
    }
    g_autofree char *text = ostler_table_text(table);
    fputs(text, stdout);
    for (size_t i = 0; i < ostler_guest_net_n_forwards(net); i++) {
        print_forward(ostler_guest_net_forward(net, i));
    }
}

int cli_domifaddr(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    g_autoptr(OstlerError) error = NULL;
    int timeout_ms;
    int code = 0;

    if (!cli_timeout(cli, invocation, "wait", 0, &timeout_ms)) {
        return EXIT_USAGE;
    }
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    if (!guest) {
        return code;
    }
    g_autoptr(OstlerGuestNet) net = ostler_guest_net(guest, timeout_ms, &error);
    if (!net) {
        return cli_fail(cli, error);
    }
    if (cli->is_json) {
        print_net_json(net);
    } else {
        print_net(net);
    }
    return 0;
}

/* ---- log, event ---- */

static bool find_log(const char *name, OstlerLog *out_log)
{
    static const char *const names[] = { "keeper", "qemu", "console" };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *out_log = i;
            return true;
        }
    }
    return false;
}

int cli_log(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *which = ostler_invocation_value(invocation, "of");
    g_autoptr(OstlerError) error = NULL;
    OstlerLog log = OSTLER_LOG_KEEPER;
    size_t size = 0;
    int code = 0;

    if (which && !find_log(which, &log)) {
        return cli_fail_with(cli, EXIT_USAGE,
                             "'--of=%s' is none of keeper, qemu and console", which);
    }
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    if (!guest) {
        return code;
    }
    char *text = ostler_guest_log(guest, log, &size, &error);
    if (!text) {
        return cli_fail(cli, error);
    }
    if (cli->is_json) {
        g_autofree char *valid = g_utf8_make_valid(text, (gssize)size);
        cli_print_json(ostler_json_object("log", cli_json_text(valid), NULL));
    } else {
        fwrite(text, 1, size, stdout);
    }
    ostler_free(text);
    return 0;
}

int cli_event(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    g_autoptr(OstlerError) error = NULL;
    int timeout_ms;
    int code = 0;

    if (!cli_timeout(cli, invocation, "timeout", -1, &timeout_ms)) {
        return EXIT_USAGE;
    }
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    if (!guest) {
        return code;
    }
    g_autoptr(OstlerEvents) events = ostler_guest_events(guest, &error);
    if (!events) {
        return cli_fail(cli, error);
    }
    for (char *line; (line = ostler_events_next(events, timeout_ms, &error));) {
        printf("%s\n", line);
        fflush(stdout);
        ostler_free(line);
        if (!ostler_invocation_has(invocation, "loop")) {
            return 0;
        }
    }
    /* The guest's end is the events' end as well. */
    return ostler_error_code(error) == OSTLER_ERROR_STATE ? 0 : cli_fail(cli, error);
}
