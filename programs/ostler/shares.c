/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shares.c - folders that come, change and go */
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "cli.h"

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

/* ---- list ---- */

static json_object *json_count(int64_t count)
{
    return count < 0 ? NULL : json_object_new_int64(count);
}

static json_object *json_quota(uint64_t quota)
{
    return quota == 0 ? NULL : json_object_new_int64((int64_t)quota);
}

static json_object *info_json(const OstlerShareInfo *info)
{
    return ostler_json_object(
        "name", cli_json_text(info->share.name), "path",
        cli_json_text(info->share.path), "title", cli_json_text(info->share.title),
        "readonly", json_object_new_boolean(info->share.is_read_only), "quota",
        json_quota(info->quota_bytes), "quota-objects", json_quota(info->quota_objects),
        "used", json_count(info->used_bytes), "used-objects",
        json_count(info->used_objects), "free", json_count(info->free_bytes), NULL);
}

static void print_infos_json(const OstlerGuestShares *shares)
{
    json_object *list = json_object_new_array();

    for (size_t i = 0; i < ostler_guest_shares_size(shares); i++) {
        json_object_array_add(list, info_json(ostler_guest_share(shares, i)));
    }
    cli_print_json(list);
}

/* "1.5 GiB", or NULL for a size that is not known. */
static char *size_text(int64_t size)
{
    if (size < 0) {
        return NULL;
    }
    g_autofree char *text = g_format_size_full((guint64)size, G_FORMAT_SIZE_IEC_UNITS);
    GString *plain = g_string_new(text);
    g_string_replace(plain, "\u00a0", " ", 0); /* for grep's sake */
    return g_string_free(plain, FALSE);
}

static void add_info(OstlerTable *table, const OstlerShareInfo *info)
{
    g_autofree char *quota =
        info->quota_bytes ? size_text((int64_t)info->quota_bytes) : NULL;
    g_autofree char *used = size_text(info->used_bytes);
    g_autofree char *free = size_text(info->free_bytes);

    ostler_table_add(table, (const char *const[]){
                                info->share.name,
                                info->share.is_read_only ? "read-only" : "read-write",
                                quota, used, free, info->share.path });
}

static void print_infos(const OstlerGuestShares *shares)
{
    static const char *const headings[] = { "Name", "Access", "Quota", "Used",
                                            "Free", "Folder", NULL };
    g_autoptr(OstlerTable) table = ostler_table_new(headings);

    for (size_t i = 0; i < ostler_guest_shares_size(shares); i++) {
        add_info(table, ostler_guest_share(shares, i));
    }
    g_autofree char *text = ostler_table_text(table);
    fputs(text, stdout);
}

int cli_share_list(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    int code = 0;
    g_autoptr(OstlerGuest) guest = cli_guest(cli, invocation, &code);
    g_autoptr(OstlerError) error = NULL;

    if (!guest) {
        return code;
    }
    g_autoptr(OstlerGuestShares) shares = ostler_guest_shares(guest, true, &error);
    if (!shares) {
        return cli_fail(cli, error);
    }
    if (cli->is_json) {
        print_infos_json(shares);
    } else {
        print_infos(shares);
    }
    return 0;
}
