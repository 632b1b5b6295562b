/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define STALL_S 4 /* four times that by the clock: with LIMIT_S still a minute */
#define LIMIT_S 40

typedef enum { FINE, NOTE, BAD } Weight;
static const char *const weight_words[] = { "fine", "note", "bad" };

typedef struct {
    const char *topic; /* "Processor" */
    char *text;
    Weight weight;
} Finding;

typedef struct {
    const CheckConfig *config;
    GPtrArray *findings; /* Finding */
    const char *flat;    /* "vmx", "svm", or NULL: the processor has neither */
    CheckAnswer answer;
    char *verdict;
} Check;

static void finding_free(void *data)
{
    Finding *finding = data;

    g_free(finding->text);
    g_free(finding);
}

static void say(Check *check, const char *topic, Weight weight, char *text)
{
    Finding *finding = g_new(Finding, 1);

    *finding = (Finding){ topic, text, weight };
    g_ptr_array_add(check->findings, finding);
}

static void conclude(Check *check, CheckAnswer answer, const char *verdict)
{
    check->answer = answer;
    g_free(check->verdict);
    check->verdict = g_strdup(verdict);
}

/* The whole file below the host's root without its last newline, or NULL. */
static char *read_host(const Check *check, const char *path)
{
    g_autofree char *whole = g_build_filename(check->config->root, path, NULL);
    char *text = NULL;

    return g_file_get_contents(whole, &text, NULL, NULL) ? g_strchomp(text) : NULL;
}

/* ---- the processor ---- */

/* What stands behind "KEY :" in /proc/cpuinfo (caller frees), or NULL. */
static char *cpuinfo(const char *text, const char *key)
{
    g_autofree char *pattern = g_strdup_printf("^%s\\s*:\\s*(.*)$", key);
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    return g_regex_match(regex, text, 0, &match) ? g_match_info_fetch(match, 1) : NULL;
}

static bool has_flag(const char *flags, const char *flag)
{
    g_autofree char *pattern = g_strdup_printf("(^| )%s( |$)", flag);

    return flags && g_regex_match_simple(pattern, flags, 0, 0);
}

static void look_at_processor(Check *check)
{
    g_autofree char *text = read_host(check, "proc/cpuinfo");
    g_autofree char *model = text ? cpuinfo(text, "model name") : NULL;
    g_autofree char *flags = text ? cpuinfo(text, "flags") : NULL;
    const char *name = model ? model : "of an unknown name";

    check->flat = has_flag(flags, "vmx")   ? "vmx"
                  : has_flag(flags, "svm") ? "svm"
                                           : NULL;
    if (!check->flat) {
        say(check, "Processor", BAD,
            g_strdup_printf(
                "%s, without VT-x or AMD-V%s", name,
                has_flag(flags, "hypervisor")
                    ? ": this is a virtual machine whose host lends it none"
                    : "; if it has one, the firmware's setup keeps it off"));
        return;
    }
    say(check, "Processor", FINE,
        g_strdup_printf("%s, with %s%s", name,
                        strcmp(check->flat, "vmx") == 0 ? "VT-x" : "AMD-V",
                        has_flag(flags, "hypervisor")
                            ? "; this is a virtual machine itself, so that its guests "
                              "are nested already"
                            : ""));
}

/* ---- KVM and its settings ---- */

static bool look_at_device(Check *check)
{
    g_autofree char *device = g_build_filename(check->config->root, "dev/kvm", NULL);

    if (!g_file_test(device, G_FILE_TEST_EXISTS)) {
        say(check, "KVM", BAD,
            g_strdup(check->flat
                         ? "/dev/kvm is not there: load the module kvm_intel or "
                           "kvm_amd, or give /dev/kvm to this container"
                         : "/dev/kvm is not there"));
        return false;
    }
    if (g_access(device, R_OK | W_OK) != 0) {
        say(check, "KVM", BAD,
            g_strdup("/dev/kvm is there, but not for you: join the group 'kvm'"));
        return false;
    }
    say(check, "KVM", FINE, g_strdup("/dev/kvm is there and yours"));
    return true;
}

/* Settings of the module beside "nested", and what it means for guests of guests when
 * they are off. */
static const struct {
    const char *flat, *name, *when_off;
} settings[] = {
    { "vmx", "ept", "nested guests are slow, and the rules for EPT are skipped" },
    { "vmx", "unrestricted_guest", "a nested guest's real mode is emulated" },
    { "vmx", "enable_shadow_vmcs", "each VMREAD of a guest hypervisor exits" },
    { "svm", "npt", "nested guests are slow, and the rules for NPT are skipped" },
    { "svm", "vgif", "each STGI and CLGI of a guest hypervisor exits" },
    { "svm", "vls", "each VMLOAD and VMSAVE of a guest hypervisor exits" },
};

static bool is_on(const char *value)
{
    return *value == 'Y' || *value == '1';
}

static char *read_setting(const Check *check, const char *name)
{
    g_autofree char *path =
        g_strdup_printf("sys/module/kvm_%s/parameters/%s",
                        strcmp(check->flat, "vmx") == 0 ? "intel" : "amd", name);

    return read_host(check, path);
}

static bool look_at_nested(Check *check)
{
    const char *module = strcmp(check->flat, "vmx") == 0 ? "kvm_intel" : "kvm_amd";
    g_autofree char *nested = read_setting(check, "nested");

    if (!nested) {
        say(check, "Nested", BAD,
            g_strdup_printf("the module %s is not loaded, or hides its settings",
                            module));
        return false;
    }
    if (!is_on(nested)) {
        say(check, "Nested", BAD,
            g_strdup_printf("%s has nested=%s: put 'options %s nested=1' into "
                            "/etc/modprobe.d/nested.conf and load it again",
                            module, nested, module));
        return false;
    }
    say(check, "Nested", FINE, g_strdup_printf("%s has nested=%s", module, nested));
    return true;
}

static void look_at_settings(Check *check)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (strcmp(settings[i].flat, check->flat) != 0) {
            continue;
        }
        g_autofree char *value = read_setting(check, settings[i].name);
        if (value && !is_on(value)) {
            say(check, "Setting", NOTE,
                g_strdup_printf("%s=%s: %s", settings[i].name, value,
                                settings[i].when_off));
        }
    }
}

/* ---- what the kernel says of the processor's holes ---- */

static void look_at_holes(Check *check)
{
    static const char folder[] = "sys/devices/system/cpu/vulnerabilities";
    g_autofree char *whole = g_build_filename(check->config->root, folder, NULL);
    g_autoptr(GDir) dir = g_dir_open(whole, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *text = read_host(check, path);
        if (text && strstr(text, "ulnerable") && !strstr(text, "Not affected")) {
            say(check, "Hole", NOTE,
                g_strdup_printf("%s: the kernel says '%s'", name, text));
        }
    }
}

/* ---- the rulebook ---- */

static bool run_rules(Check *check, GError **error)
{
    g_autofree char *file = g_strconcat(check->flat, ".flat", NULL);
    g_autofree char *path = g_build_filename(check->config->flats, file, NULL);
    SessionConfig config = { .engine = engine_find("kvm"),
                             .flat = path,
                             .stall_s = STALL_S,
                             .limit_s = LIMIT_S };
    unsigned n_boots;
    g_autoptr(GPtrArray) verdicts = session_run(&config, &n_boots, error);

    if (!verdicts) {
        return false;
    }
    Counts counts = report_count(verdicts);
    unsigned n_bad = counts.failed + counts.known;
    say(check, "Rules", n_bad ? BAD : FINE,
        g_strdup_printf("%u of %u rules of the processor's manual were tried: %u held, "
                        "%u did not",
                        verdicts->len - counts.skipped, verdicts->len, counts.passed,
                        n_bad));
    if (n_bad) {
        conclude(
            check, CHECK_NOT,
            "A nested guest may be refused, misled or harmed where a rule does not "
            "hold.  See which: ostler-nested run --engine kvm");
    } else {
        conclude(check, CHECK_TRUSTED,
                 "Nothing speaks against running nested guests on this host.");
    }
    return true;
}

static bool look(Check *check, GError **error)
{
    g_autofree char *lack = NULL;

    look_at_processor(check);
    bool has_device = look_at_device(check);
    if (!check->flat || !has_device) {
        conclude(check, check->flat ? CHECK_UNKNOWN : CHECK_NOT,
                 check->flat
                     ? "Nested guests cannot be tried here until KVM can be used."
                     : "Nested guests cannot run here with KVM.");
        return true;
    }
    bool is_nested = look_at_nested(check);
    look_at_settings(check);
    look_at_holes(check);
    if (!is_nested) {
        conclude(check, CHECK_NOT,
                 "Nested guests cannot run here until KVM lets them.");
        return true;
    }
    g_autofree char *version = engine_version(engine_find("kvm"), &lack);
    if (!version) {
        say(check, "Rules", NOTE, g_strdup_printf("not tried: %s", lack));
        conclude(check, CHECK_UNKNOWN, "What KVM makes of the rules is not known.");
        return true;
    }
    return run_rules(check, error);
}

/* ---- the answer ---- */

static void print_text(const Check *check)
{
    for (unsigned i = 0; i < check->findings->len; i++) {
        const Finding *finding = check->findings->pdata[i];
        printf("%-10s %s\n", finding->topic, finding->text);
    }
    printf("\n%s\n", check->verdict);
}

static void print_json_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    putchar('"');
    for (const char *at = valid; *at; at++) {
        if ((unsigned char)*at < 0x20) {
            printf("\\u%04x", *at);
        } else {
            printf("%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
        }
    }
    putchar('"');
}

static void print_json(const Check *check)
{
    static const char *const answers[] = { "trusted", "not", "unknown" };

    printf("{\"answer\":\"%s\",\"verdict\":", answers[check->answer]);
    print_json_text(check->verdict);
    printf(",\"findings\":[");
    for (unsigned i = 0; i < check->findings->len; i++) {
        const Finding *finding = check->findings->pdata[i];
        printf("%s{\"topic\":", i ? "," : "");
        print_json_text(finding->topic);
        printf(",\"weight\":\"%s\",\"text\":", weight_words[finding->weight]);
        print_json_text(finding->text);
        printf("}");
    }
    printf("]}\n");
}

CheckAnswer check_host(const CheckConfig *config, GError **error)
{
    Check check = { .config = config,
                    .findings = g_ptr_array_new_with_free_func(finding_free),
                    .answer = CHECK_UNKNOWN };

    if (look(&check, error)) {
        (config->is_json ? print_json : print_text)(&check);
    }
    g_ptr_array_unref(check.findings);
    g_free(check.verdict);
    return check.answer;
}
