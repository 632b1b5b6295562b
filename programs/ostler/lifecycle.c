/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"

/* What these commands ask of a guest, once it is found. */
typedef bool GuestFunc(OstlerGuest *guest, OstlerError **error);

static int act(const OstlerInvocation *invocation, const Cli *cli, GuestFunc *ask,
               const char *done)
{
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;

    if (!guest) {
        return code;
    }
    if (!ask(guest, &error)) {
        return cli_fail(cli, error);
    }
    cli_say(cli, "Guest '%s' %s", ostler_guest_name(guest), done);
    cli_print_state(cli, guest);
    return 0;
}

int cli_reboot(const OstlerInvocation *invocation, void *opaque)
{
    return act(invocation, opaque, ostler_guest_reboot, "is being rebooted");
}

int cli_reset(const OstlerInvocation *invocation, void *opaque)
{
    return act(invocation, opaque, ostler_guest_reset, "was reset");
}

int cli_destroy(const OstlerInvocation *invocation, void *opaque)
{
    return act(invocation, opaque, ostler_guest_destroy, "destroyed");
}

int cli_suspend(const OstlerInvocation *invocation, void *opaque)
{
    return act(invocation, opaque, ostler_guest_suspend, "suspended");
}

int cli_resume(const OstlerInvocation *invocation, void *opaque)
{
    return act(invocation, opaque, ostler_guest_resume, "resumed");
}

int cli_shutdown(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    g_autoptr(OstlerError) error = NULL;
    int timeout_ms;
    int code = 0;

    if (!cli_timeout(cli, invocation, "wait", 0, &timeout_ms)) {
        return EXIT_USAGE;
    }
    if (!ostler_invocation_has(invocation, "wait")) {
        return act(invocation, cli, ostler_guest_shutdown, "is being shut down");
    }

    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    if (!guest) {
        return code;
    }
    if (!ostler_guest_shutdown(guest, &error) ||
        !ostler_guest_wait(guest, OSTLER_STATE_MASK(OSTLER_STATE_SHUT_OFF), timeout_ms,
                           NULL, &error)) {
        return cli_fail(cli, error);
    }
    cli_say(cli, "Guest '%s' is shut off", ostler_guest_name(guest));
    cli_print_state(cli, guest);
    return 0;
}

/* Until the guest has an address, which is when it can be worked with. */
static int wait_for_address(const Cli *cli, OstlerGuest *guest, int timeout_ms)
{
    g_autoptr(OstlerError) error = NULL;
    g_autoptr(OstlerGuestNet) net = ostler_guest_net(guest, timeout_ms, &error);

    if (!net) {
        return cli_fail(cli, error);
    }
    for (size_t i = 0; i < ostler_guest_net_n_addresses(net); i++) {
        const OstlerGuestAddress *address = ostler_guest_net_address(net, i);
        cli_say(cli, "Its address is %s (%s)", address->address, address->source);
    }
    return 0;
}

int cli_start(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const OstlerStartOptions options = {
        .is_paused = ostler_invocation_has(invocation, "paused"),
        .ends_with_keeper = ostler_invocation_has(invocation, "end-with-keeper"),
    };
    g_autoptr(OstlerError) error = NULL;
    char **notes = NULL;
    int timeout_ms;
    int code = 0;

    if (!cli_timeout(cli, invocation, "wait", 0, &timeout_ms)) {
        return EXIT_USAGE;
    }
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    if (!guest) {
        return code;
    }
    bool is_started = ostler_guest_start(guest, &options, &notes, &error);
    cli_warn_notes(cli, notes);
    if (!is_started) {
        return cli_fail(cli, error);
    }

    cli_say(cli, "Guest '%s' started%s", ostler_guest_name(guest),
            options.is_paused ? ", paused" : "");
    if (ostler_invocation_has(invocation, "wait")) {
        code = wait_for_address(cli, guest, timeout_ms);
    }
    if (code == 0 && ostler_invocation_has(invocation, "console")) {
        return cli_attach(cli, guest, false);
    }
    cli_print_state(cli, guest);
    return code;
}
