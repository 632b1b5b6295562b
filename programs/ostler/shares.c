/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shares.c - folders that come, change and go */
#include "cli.h"

#include <string.h>

static unsigned flags_of(const OstlerInvocation *invocation)
{
    return (ostler_invocation_has(invocation, "live") ? OSTLER_CHANGE_LIVE : 0u) |
           (ostler_invocation_has(invocation, "config") ? OSTLER_CHANGE_CONFIG : 0u);
}

static void print_share(const Cli *cli, OstlerGuest *guest, const char *name)
{
    if (cli->is_json) {
        cli_print_json(ostler_json_object("name",
                                          cli_json_text(ostler_guest_name(guest)),
                                          "share", cli_json_text(name), NULL));
    }
}

int cli_attach_share(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const OstlerShare share = {
        .name = ostler_invocation_argument(invocation, "NAME"),
        .path = ostler_invocation_argument(invocation, "FOLDER"),
        .title = ostler_invocation_value(invocation, "title"),
        .is_read_only = ostler_invocation_has(invocation, "readonly"),
    };
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;

    if (!guest) {
        return code;
    }
    if (!ostler_guest_attach_share(guest, &share, flags_of(invocation), &error)) {
        return cli_fail(cli, error);
    }
    cli_say(cli, "Share '%s' attached to '%s'", share.name, ostler_guest_name(guest));
    print_share(cli, guest, share.name);
    return 0;
}

int cli_detach_share(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *name = ostler_invocation_argument(invocation, "NAME");
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;

    if (!guest) {
        return code;
    }
    if (!ostler_guest_detach_share(guest, name, flags_of(invocation), &error)) {
        return cli_fail(cli, error);
    }
    cli_say(cli, "Share '%s' detached from '%s'", name, ostler_guest_name(guest));
    print_share(cli, guest, name);
    return 0;
}

/* "KEY=VALUE" in place; false without '='. */
static bool split(char *word, OstlerSetting *out_setting)
{
    char *equals = strchr(word, '=');

    if (!equals) {
        return false;
    }
    *equals = '\0';
    *out_setting = (OstlerSetting){ .key = word, .value = equals + 1 };
    return true;
}

int cli_share_set(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    const char *name = ostler_invocation_argument(invocation, "NAME");
    g_auto(GStrv) words =
        g_strdupv((char **)ostler_invocation_arguments(invocation, "SETTING"));
    guint n = g_strv_length(words);
    g_autofree OstlerSetting *settings = g_new(OstlerSetting, n);
    g_autoptr(OstlerError) error = NULL;
    int code = 0;

    for (guint i = 0; i < n; i++) {
        if (!split(words[i], &settings[i])) {
            return cli_fail_with(cli, EXIT_USAGE,
                                 "'%s' is no setting: KEY=VALUE is wanted, like "
                                 "quota=2G",
                                 words[i]);
        }
    }
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    if (!guest) {
        return code;
    }
    if (!ostler_guest_set_share(guest, name, settings, n, flags_of(invocation),
                                &error)) {
        return cli_fail(cli, error);
    }
    cli_say(cli, "Share '%s' of '%s' changed", name, ostler_guest_name(guest));
    print_share(cli, guest, name);
    return 0;
}
