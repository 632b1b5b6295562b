/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.c - a guest from an image, in one line
 *
 * Options become settings, the library composes and checks the definition of them, and
 * the guest is started: what `run` makes is a guest like any other, so every other
 * command works with it.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* ---- the image ---- */

/* What an image's first bytes say; read once, by the person's own choice of file.  A
 * guest may write these bytes into a raw image later, so the format is put down in the
 * definition and never guessed again (CVE-2013-1922 and its like). */
static const struct {
    size_t offset;
    const char *magic;
    const char *format;
} magics[] = {
    { 0, "QFI\xfb", "qcow2" },         { 0, "KDMV", "vmdk" },
    { 0, "vhdxfile", "vhdx" },         { 0, "conectix", "vpc" },
    { 64, "\x7f\x10\xda\xbe", "vdi" }, { 0, "QED", "qed" },
    { 0, "LUKS\xba\xbe", "luks" },
};
#define CD_MAGIC_OFFSET 32769 /* ECMA-119 8.1.2: "CD001" in the 16th sector */
#define CD_MAGIC        "CD001"

typedef struct {
    const char *format;
    bool is_cdrom;
} Image;

static bool probe_image(const Cli *cli, const char *path, Image *out_image)
{
    char head[CD_MAGIC_OFFSET + sizeof CD_MAGIC] = { 0 };
    FILE *file = fopen(path, "rb");

    if (!file) {
        cli_fail_with(cli, OSTLER_ERROR_FAILED, "Cannot open '%s': %m", path);
        return false;
    }
    size_t size = fread(head, 1, sizeof head, file);
    fclose(file);

    *out_image = (Image){ .format = "raw" };
    for (size_t i = 0; i < G_N_ELEMENTS(magics); i++) {
        size_t length = strlen(magics[i].magic);
        if (size >= magics[i].offset + length &&
            memcmp(head + magics[i].offset, magics[i].magic, length) == 0) {
            out_image->format = magics[i].format;
            return true;
        }
    }
    out_image->is_cdrom =
        memcmp(head + CD_MAGIC_OFFSET, CD_MAGIC, strlen(CD_MAGIC)) == 0;
    return true;
}

/* ---- names ---- */

static bool is_taken(const Cli *cli, const char *name)
{
    g_autoptr(OstlerGuest) guest = ostler_host_find(cli->host, name, NULL);

    return guest != NULL;
}

/* "root.qcow2" is a guest "root"; the second one "root-2".  Caller frees. */
static char *name_after(const Cli *cli, const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    char *dot = strrchr(base, '.');

    if (dot && dot > base) {
        *dot = '\0';
    }
    g_strdelimit(base, "/\n\t", '-');
    g_autofree char *clean = g_utf8_make_valid(base, -1);
    char *name = g_strdup(clean);
    for (unsigned n = 2; is_taken(cli, name); n++) {
        g_free(name);
        name = g_strdup_printf("%s-%u", clean, n);
    }
    return name;
}

/* A folder's name as a label: what a label may not hold becomes '-'.  Caller frees. */
static char *label_after(const char *path)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    char *label = g_path_get_basename(absolute);

    for (char *at = label; *at; at++) {
        if (!g_ascii_isalnum(*at) && !strchr("-_", *at)) {
            *at = '-';
        }
    }
    label[MIN(strlen(label), 48)] = '\0';
    if (strcmp(label, "-") == 0 || *label == '\0') {
        g_free(label);
        label = g_strdup("root");
    }
    return label;
}

/* ---- settings ---- */

typedef struct {
    GArray *settings;
    GPtrArray *owned; /* the strings of the settings that nobody else keeps */
} Settings;

static void settings_init(Settings *settings)
{
    settings->settings = g_array_new(FALSE, FALSE, sizeof(OstlerSetting));
    settings->owned = g_ptr_array_new_with_free_func(g_free);
}

static void settings_clear(Settings *settings)
{
    g_array_unref(settings->settings);
    g_ptr_array_unref(settings->owned);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_clear)

static char *own(Settings *settings, char *text)
{
    g_ptr_array_add(settings->owned, text);
    return text;
}

static void set(Settings *settings, const char *section, const char *key,
                const char *value)
{
    const OstlerSetting setting = { section, key, value };

    if (value) {
        g_array_append_val(settings->settings, setting);
    }
}

/* A path is the person's, so it starts where they are. */
static char *absolute(Settings *settings, const char *path)
{
    return own(settings, g_canonicalize_filename(path, NULL));
}

static bool has_section(const Settings *settings, const char *section)
{
    for (unsigned i = 0; i < settings->settings->len; i++) {
        if (strcmp(g_array_index(settings->settings, OstlerSetting, i).section,
                   section) == 0) {
            return true;
        }
    }
    return false;
}

/* "share.Pictures", or "share.Pictures-2" when there is one already. */
static const char *new_section(Settings *settings, const char *kind, const char *label)
{
    char *section = own(settings, g_strdup_printf("%s.%s", kind, label));

    for (unsigned n = 2; has_section(settings, section); n++) {
        section = own(settings, g_strdup_printf("%s.%s-%u", kind, label, n));
    }
    return section;
}

/* Options whose value goes into [guest] as it is. */
static const char *const plain_options[] = { "machine", "arch",     "memory", "cpus",
                                             "cpu",     "firmware", "accel" };
/* And those that are paths. */
static const char *const path_options[] = { "kernel", "initrd", "dtb" };

static void set_guest(Settings *settings, const OstlerInvocation *invocation,
                      const char *name)
{
    set(settings, "guest", "name", name);
    for (size_t i = 0; i < G_N_ELEMENTS(plain_options); i++) {
        set(settings, "guest", plain_options[i],
            ostler_invocation_value(invocation, plain_options[i]));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(path_options); i++) {
        const char *path = ostler_invocation_value(invocation, path_options[i]);
        set(settings, "guest", path_options[i], path ? absolute(settings, path) : NULL);
    }
    set(settings, "guest", "append", ostler_invocation_value(invocation, "append"));
}

static bool add_disk(Settings *settings, const Cli *cli, const char *path,
                     const OstlerInvocation *invocation)
{
    Image image;

    if (!probe_image(cli, path, &image)) {
        return false;
    }
    const char *section = new_section(settings, "disk", image.is_cdrom ? "cd" : "disk");
    set(settings, section, "file", absolute(settings, path));
    set(settings, section, "format", image.format);
    if (image.is_cdrom) {
        set(settings, section, "device", "cdrom");
    } else if (ostler_invocation_has(invocation, "snapshot")) {
        set(settings, section, "snapshot", "yes");
    }
    return true;
}

/* The key of [share.NAME] that @word, which stood behind a comma, sets, or NULL;
 * *out_value is what it sets it to. */
static const char *find_share_key(const char *word, const char **out_value)
{
    static const char *const keys[] = { "quota", "quota-objects", "reserve" };

    if (strcmp(word, "readonly") == 0) {
        *out_value = "yes";
        return "readonly";
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        size_t size = strlen(keys[i]);
        if (strncmp(word, keys[i], size) == 0 && word[size] == '=') {
            *out_value = word + size + 1;
            return keys[i];
        }
    }
    return NULL;
}

/* "PATH[,readonly][,quota=SIZE]..."; a ',' that no such word follows is the path's. */
static void add_share(Settings *settings, const char *share)
{
    char *path = own(settings, g_strdup(share));
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    const char *value;
    char *comma;

    while ((comma = strrchr(path, ',')) && find_share_key(comma + 1, &value)) {
        *comma = '\0';
        g_ptr_array_add(words, comma + 1);
    }
    g_autofree char *label = label_after(path);
    const char *section = new_section(settings, "share", label);
    const char *whole = absolute(settings, path);

    set(settings, section, "path", whole);
    set(settings, section, "title", own(settings, g_path_get_basename(whole)));
    for (guint i = 0; i < words->len; i++) {
        const char *key = find_share_key(words->pdata[i], &value);
        set(settings, section, key, value);
    }
}

static void add_nic(Settings *settings, const OstlerInvocation *invocation)
{
    const char *type = ostler_invocation_value(invocation, "nic");
    const char *const *forward = ostler_invocation_values(invocation, "forward");

    if (g_strcmp0(type, "none") == 0) {
        return;
    }
    set(settings, "nic.0", "type", type ? type : "user");
    for (; *forward; forward++) {
        set(settings, "nic.0", "forward", *forward);
    }
}

/* The definition that the options ask for; NULL after saying why not, with @out_code
 * set. */
static char *compose(const Cli *cli, const OstlerInvocation *invocation,
                     const char *name, int *out_code)
{
    const char *const *image = ostler_invocation_arguments(invocation, "IMAGE");
    const char *const *share = ostler_invocation_values(invocation, "share");
    g_autoptr(OstlerError) error = NULL;
    g_auto(Settings) settings;

    settings_init(&settings);
    set_guest(&settings, invocation, name);
    for (; *image; image++) {
        if (!add_disk(&settings, cli, *image, invocation)) {
            *out_code = OSTLER_ERROR_FAILED;
            return NULL;
        }
    }
    add_nic(&settings, invocation);
    for (; *share; share++) {
        add_share(&settings, *share);
    }
    char *text = ostler_host_compose(
        cli->host, (const OstlerSetting *)(void *)settings.settings->data,
        settings.settings->len, &error);
    if (!text) {
        *out_code = cli_fail(cli, error);
    }
    return text;
}

/* ---- the command ---- */

static OstlerGuest *start(const Cli *cli, const OstlerInvocation *invocation,
                          const char *text, OstlerError **error)
{
    const OstlerStartOptions options = {
        .is_paused = ostler_invocation_has(invocation, "paused"),
    };
    char **notes = NULL;
    OstlerGuest *guest;

    if (ostler_invocation_has(invocation, "define")) {
        guest = ostler_host_define(cli->host, text, NULL, error);
        if (guest && !ostler_guest_start(guest, &options, &notes, error)) {
            g_clear_pointer(&guest, ostler_guest_free);
        }
    } else {
        guest = ostler_host_run(cli->host, text, NULL, &options, &notes, error);
    }
    cli_warn_notes(cli, notes);
    return guest;
}

/* The name asked for, or one after what is run; NULL after saying why not. */
static char *choose_name(const Cli *cli, const OstlerInvocation *invocation)
{
    const char *name = ostler_invocation_value(invocation, "name");
    const char *image = ostler_invocation_argument(invocation, "IMAGE");
    const char *kernel = ostler_invocation_value(invocation, "kernel");

    if (!image && !kernel) {
        cli_fail_with(cli, EXIT_USAGE,
                      "Nothing to run: name an image, or a kernel with "
                      "--kernel");
        return NULL;
    }
    return name ? g_strdup(name) : name_after(cli, image ? image : kernel);
}

int cli_run(const OstlerInvocation *invocation, void *opaque)
{
    const Cli *cli = opaque;
    g_autoptr(OstlerError) error = NULL;
    g_autofree char *name = choose_name(cli, invocation);

    if (!name) {
        return EXIT_USAGE;
    }
    int code = 0;
    char *text = compose(cli, invocation, name, &code);
    if (!text) {
        return code;
    }
    g_autoptr(OstlerGuest) guest = start(cli, invocation, text, &error);
    ostler_free(text);
    if (!guest) {
        return cli_fail(cli, error);
    }
    if (!cli->is_json && !ostler_invocation_has(invocation, "detach")) {
        return cli_attach(cli, guest, false);
    }
    g_autofree char *quoted = cli_quoted(name);
    cli_say(cli, "Guest '%s' started; its console: ostler console %s", name, quoted);
    cli_print_state(cli, guest);
    return 0;
}
