/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/value.h"

#include <gio/gio.h>
#include <string.h>

#include "base/nearest.h"

/* Checks of one type: the value to keep (caller frees), or NULL with a reason. */
typedef char *CheckFunc(const OstlerKeyRow *row, const char *text, const char *folder,
                        GError **error);

static char *refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static char *refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (error) {
        *error = g_error_new_valist(OSTLER_DEFINITION_ERROR,
                                    OSTLER_DEFINITION_ERROR_VALUE, format, arguments);
    }
    va_end(arguments);
    return NULL;
}

static char *check_text(const OstlerKeyRow *row, const char *text, const char *folder,
                        GError **error)
{
    return g_strdup(text);
}

static bool is_one_of(const char *const *words, const char *text)
{
    return words && g_strv_contains(words, text);
}

/* Not canonical: "link/.." is not the folder that "link" stands in. */
static char *check_path(const OstlerKeyRow *row, const char *text, const char *folder,
                        GError **error)
{
    if (is_one_of(row->words, text) || g_path_is_absolute(text)) {
        return g_strdup(text);
    }
    if (strcmp(text, "~") == 0 || g_str_has_prefix(text, "~/")) {
        return g_strconcat(g_get_home_dir(), text + 1, NULL);
    }
    while (g_str_has_prefix(text, "./")) {
        text += 2;
    }
    if (*text == '\0' || strcmp(text, ".") == 0) {
        return g_strdup(folder);
    }
    return g_build_filename(folder, text, NULL);
}

static char *check_program(const OstlerKeyRow *row, const char *text,
                           const char *folder, GError **error)
{
    return strchr(text, '/') ? check_path(row, text, folder, error) : g_strdup(text);
}

/* Digits at @text as a number, @out_end behind them; false if none or too many. */
static bool take_digits(const char *text, uint64_t *out_number, const char **out_end)
{
    uint64_t number = 0;
    const char *at = text;

    for (; g_ascii_isdigit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (number > (INT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *out_number = number;
    *out_end = at;
    return at > text;
}

static const char size_units[] = "KMGT";

bool ostler_size_parse(const char *text, uint64_t *out_bytes)
{
    uint64_t number;
    const char *at;
    unsigned shift = 0;

    if (!take_digits(text, &number, &at)) {
        return false;
    }
    if (*at != '\0') {
        const char *unit = strchr(size_units, g_ascii_toupper(*at++));
        if (!unit) {
            return false;
        }
        shift = 10 * (unsigned)(unit - size_units + 1);
        if (strcmp(at, "iB") == 0) {
            at += 2;
        }
    }
    if (*at != '\0' || number > (uint64_t)INT64_MAX >> shift) {
        return false;
    }
    *out_bytes = number << shift;
    return true;
}

char *ostler_size_text(uint64_t bytes)
{
    unsigned unit = 0;

    while (bytes != 0 && bytes % 1024 == 0 && unit < strlen(size_units)) {
        bytes /= 1024;
        unit++;
    }
    return unit == 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, bytes)
                     : g_strdup_printf("%" G_GUINT64_FORMAT "%c", bytes,
                                       size_units[unit - 1]);
}

static char *check_size(const OstlerKeyRow *row, const char *text, const char *folder,
                        GError **error)
{
    uint64_t bytes;

    if (!ostler_size_parse(text, &bytes)) {
        return refuse(error, "a size is a number with K, M, G or T, like 512M");
    }
    if (bytes < row->minimum) {
        g_autofree char *least = ostler_size_text(row->minimum);
        const char *last = text + strlen(text) - 1;
        /* "memory = 512" is how other managers count megabytes. */
        return g_ascii_isdigit(*last)
                   ? refuse(error,
                            "that is bytes, and less than %s; did you mean '%sM'?",
                            least, text)
                   : refuse(error, "it must be at least %s", least);
    }
    if (row->maximum != 0 && bytes > row->maximum) {
        g_autofree char *most = ostler_size_text(row->maximum);
        return refuse(error, "it must be at most %s", most);
    }
    return g_strdup(text);
}

static char *check_number(const OstlerKeyRow *row, const char *text, const char *folder,
                          GError **error)
{
    uint64_t number;
    const char *end;

    if (!take_digits(text, &number, &end) || *end != '\0') {
        return refuse(error, "a number is written in decimal digits");
    }
    if (number < row->minimum) {
        return refuse(error, "it must be at least %" G_GUINT64_FORMAT, row->minimum);
    }
    if (row->maximum != 0 && number > row->maximum) {
        return refuse(error, "it must be at most %" G_GUINT64_FORMAT, row->maximum);
    }
    return g_strdup(text);
}

static char *check_bool(const OstlerKeyRow *row, const char *text, const char *folder,
                        GError **error)
{
    static const char *const affirmative[] = { "true", "on", "1", "y", "Yes", NULL };
    static const char *const negative[] = { "false", "off", "0", "n", "No", NULL };

    if (is_one_of(affirmative, text) || is_one_of(negative, text)) {
        return refuse(error, "did you mean '%s'?",
                      is_one_of(negative, text) ? "no" : "yes");
    }
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
        return refuse(error, "it is 'yes' or 'no'");
    }
    return g_strdup(text);
}

static char *check_word(const OstlerKeyRow *row, const char *text, const char *folder,
                        GError **error)
{
    if (is_one_of(row->words, text)) {
        return g_strdup(text);
    }

    const char *nearest = ostler_nearest(text, row->words);
    g_autofree char *all = g_strjoinv(", ", (char **)row->words);
    return nearest ? refuse(error, "did you mean '%s'? (One of: %s)", nearest, all)
                   : refuse(error, "it is one of: %s", all);
}

/* Whether @text is @shape: 'x' a hexadecimal digit, 'd' a decimal one, else itself. */
static bool has_shape(const char *text, const char *shape)
{
    for (; *shape; shape++, text++) {
        bool fits = *shape == 'x'   ? g_ascii_isxdigit(*text)
                    : *shape == 'd' ? g_ascii_isdigit(*text)
                                    : *text == *shape;
        if (!fits) {
            return false;
        }
    }
    return *text == '\0';
}

static char *check_mac(const OstlerKeyRow *row, const char *text, const char *folder,
                       GError **error)
{
    if (!has_shape(text, "xx:xx:xx:xx:xx:xx")) {
        return refuse(error, "a MAC address is six bytes, like 52:54:00:12:34:56");
    }
    /* IEEE 802-2014 8.2.2: the first bit sent marks a group, which no one card is. */
    if (g_ascii_xdigit_value(text[1]) & 1) {
        return refuse(error, "that is a group address; the first byte must be even");
    }
    return g_ascii_strdown(text, -1);
}

static char *check_uuid(const OstlerKeyRow *row, const char *text, const char *folder,
                        GError **error)
{
    if (!has_shape(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")) {
        return refuse(error, "a UUID is like 7c7ee4a1-35f2-4a21-9b0e-4f6a5c7d8e9f");
    }
    return g_ascii_strdown(text, -1);
}

/* The port before @end, or behind the last ':' of @text. */
static bool take_port(const char *text, uint16_t *out_port)
{
    uint64_t number;
    const char *end;

    if (!take_digits(text, &number, &end) || *end != '\0' || number > UINT16_MAX) {
        return false;
    }
    *out_port = (uint16_t)number;
    return true;
}

/* "ADDRESS:" or nothing, where ADDRESS may be an IPv6 one in brackets. */
static bool take_address(char *text, OstlerForward *forward)
{
    size_t size = strlen(text);

    if (size == 0) {
        return true;
    }
    if (text[0] == '[' && text[size - 1] == ']') {
        text[size - 1] = '\0';
        text++;
    } else if (strchr(text, ':')) {
        return false;
    }
    if (!g_hostname_is_ip_address(text)) {
        return false;
    }
    return g_strlcpy(forward->address, text, sizeof forward->address) <
           sizeof forward->address;
}

/* Cut @text at its last ':' and return what stood behind it, or NULL. */
static char *cut_last(char *text)
{
    char *colon = strrchr(text, ':');

    if (!colon) {
        return NULL;
    }
    *colon = '\0';
    return colon + 1;
}

bool ostler_forward_parse(const char *text, OstlerForward *out_forward)
{
    OstlerForward forward = { .is_udp = g_str_has_prefix(text, "udp:") };

    if (!forward.is_udp && !g_str_has_prefix(text, "tcp:")) {
        return false;
    }

    /* From the end, since an IPv6 address has colons of its own. */
    g_autofree char *rest = g_strdup(text + strlen("tcp:"));
    const char *guest_port = cut_last(rest);
    if (!guest_port || !take_port(guest_port, &forward.guest_port) ||
        forward.guest_port == 0) {
        return false;
    }
    const char *host_port = cut_last(rest);
    if (!take_port(host_port ? host_port : rest, &forward.host_port)) {
        return false;
    }
    if (host_port && (*rest == '\0' || !take_address(rest, &forward))) {
        return false;
    }

    *out_forward = forward;
    return true;
}

static char *check_forward(const OstlerKeyRow *row, const char *text,
                           const char *folder, GError **error)
{
    OstlerForward forward;

    if (!ostler_forward_parse(text, &forward)) {
        return refuse(error,
                      "a forward is tcp:HOSTPORT:GUESTPORT, like tcp:2222:22, or "
                      "tcp:ADDRESS:HOSTPORT:GUESTPORT; or udp");
    }
    return g_strdup(text);
}

static char *check_name(const OstlerKeyRow *row, const char *text, const char *folder,
                        GError **error)
{
    return ostler_guest_name_check(text, error) ? g_strdup(text) : NULL;
}

static char *check_url(const OstlerKeyRow *row, const char *text, const char *folder,
                       GError **error)
{
    for (const char *const *prefix = row->words; *prefix; prefix++) {
        if (g_str_has_prefix(text, *prefix) && text[strlen(*prefix)] != '\0') {
            return g_strdup(text);
        }
    }

    g_autofree char *all = g_strjoinv(" ", (char **)row->words);
    return refuse(error, "it begins with one of: %s", all);
}

static char *check_section(const OstlerKeyRow *row, const char *text,
                           const char *folder, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", 2);
    const OstlerSectionRow *section = ostler_vocabulary_find(parts[0]);

    if (!section || section->is_labelled != (parts[1] != NULL)) {
        return refuse(error, "it names a section, like disk.root");
    }
    return g_strdup(text);
}

static void ignore_range(unsigned first, unsigned last, void *opaque)
{
}

static bool take_range(const char **at, OstlerRangeFunc *each, void *opaque)
{
    uint64_t first;
    uint64_t last;

    if (!take_digits(*at, &first, at)) {
        return false;
    }
    last = first;
    if (**at == '-' && !take_digits(*at + 1, &last, at)) {
        return false;
    }
    if (first > last || last > UINT16_MAX) {
        return false;
    }
    each((unsigned)first, (unsigned)last, opaque);
    return true;
}

bool ostler_ranges_parse(const char *text, OstlerRangeFunc *each, void *opaque)
{
    const char *at = text;

    while (take_range(&at, each, opaque)) {
        if (*at == '\0') {
            return true;
        }
        if (*at++ != ',') {
            return false;
        }
    }
    return false;
}

static char *check_ranges(const OstlerKeyRow *row, const char *text, const char *folder,
                          GError **error)
{
    if (!ostler_ranges_parse(text, ignore_range, NULL)) {
        return refuse(error, "numbers and ranges are written like 0-3,8");
    }
    return g_strdup(text);
}

/* Linux Documentation/ABI/testing/sysfs-bus-pci: domain:bus:device.function, hex. */
static char *check_pci(const OstlerKeyRow *row, const char *text, const char *folder,
                       GError **error)
{
    if (has_shape(text, "xx:xx.x")) {
        g_autofree char *lower = g_ascii_strdown(text, -1);
        return g_strconcat("0000:", lower, NULL);
    }
    if (has_shape(text, "xxxx:xx:xx.x")) {
        return g_ascii_strdown(text, -1);
    }
    return refuse(error, "a PCI address is like 0000:01:00.0");
}

static char *check_usb(const OstlerKeyRow *row, const char *text, const char *folder,
                       GError **error)
{
    uint64_t bus;
    uint64_t device;
    const char *at;

    if (has_shape(text, "xxxx:xxxx")) {
        return g_ascii_strdown(text, -1);
    }
    if (take_digits(text, &bus, &at) && *at == '.' &&
        take_digits(at + 1, &device, &at) && *at == '\0') {
        return g_strdup(text);
    }
    return refuse(error, "a USB device is VENDOR:PRODUCT, like 046d:c52b, or "
                         "BUS.DEVICE, like 1.4");
}

static const struct {
    CheckFunc *check;
    bool may_hold_blanks;
    const char *name;
    const char *example;
} types[] = {
    [OSTLER_VALUE_TEXT] = { check_text, true, "text", NULL },
    [OSTLER_VALUE_PATH] = { check_path, true, "path", "images/root.qcow2" },
    [OSTLER_VALUE_SIZE] = { check_size, false, "size", "2G" },
    [OSTLER_VALUE_NUMBER] = { check_number, false, "number", "4" },
    [OSTLER_VALUE_BOOL] = { check_bool, false, "yes or no", "yes" },
    [OSTLER_VALUE_WORD] = { check_word, false, "word", NULL },
    [OSTLER_VALUE_MAC] = { check_mac, false, "MAC address", "52:54:00:12:34:56" },
    [OSTLER_VALUE_UUID] = { check_uuid, false, "UUID",
                            "7c7ee4a1-35f2-4a21-9b0e-4f6a5c7d8e9f" },
    [OSTLER_VALUE_FORWARD] = { check_forward, false, "forward", "tcp:2222:22" },
    [OSTLER_VALUE_NAME] = { check_name, true, "name", "web" },
    [OSTLER_VALUE_PROGRAM] = { check_program, true, "program", "qemu-system-arm" },
    [OSTLER_VALUE_URL] = { check_url, true, "URL", "nbd://localhost/root" },
    [OSTLER_VALUE_SECTION] = { check_section, false, "section", "disk.root" },
    [OSTLER_VALUE_RANGES] = { check_ranges, false, "ranges", "0-3,8" },
    [OSTLER_VALUE_PCI] = { check_pci, false, "PCI address", "0000:01:00.0" },
    [OSTLER_VALUE_USB] = { check_usb, false, "USB device", "046d:c52b" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(types) == OSTLER_N_VALUE_TYPES);

/* What a line of a key file cannot carry, from callers that do not read one. */
static bool fits_a_line(const char *text, GError **error)
{
    size_t size = strlen(text);

    if (size == 0) {
        return refuse(error, "it may not be empty") != NULL;
    }
    if (!g_utf8_validate(text, -1, NULL)) {
        return refuse(error, "it is not UTF-8") != NULL;
    }
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        if (g_unichar_iscntrl(g_utf8_get_char(at))) {
            return refuse(error, "it may not hold control characters") != NULL;
        }
    }
    if (text[0] == ' ' || text[size - 1] == ' ') {
        return refuse(error, "it may not begin or end with a blank") != NULL;
    }
    return true;
}

char *ostler_value_check(const OstlerKeyRow *row, const char *text, const char *folder,
                         GError **error)
{
    if (!fits_a_line(text, error)) {
        return NULL;
    }
    return types[row->type].check(row, text, folder, error);
}

bool ostler_value_may_hold_blanks(OstlerValueType type)
{
    return types[type].may_hold_blanks;
}

const char *ostler_value_type_name(OstlerValueType type)
{
    return types[type].name;
}

const char *ostler_value_type_example(OstlerValueType type)
{
    return types[type].example;
}
