/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/definition.h"

#include <string.h>

#include "guest/value.h"

static OstlerDefinition *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    OstlerDefinition *definition =
        ostler_definition_parse(text, strlen(text), "/srv/web.guest", &error);

    g_assert_no_error(error);
    return definition;
}

/* What parsing @text says, without the code. */
static char *refusal(const char *text)
{
    g_autoptr(GError) error = NULL;
    OstlerDefinition *definition =
        ostler_definition_parse(text, strlen(text), "web.guest", &error);

    g_assert_null(definition);
    g_assert_true(error->domain == OSTLER_DEFINITION_ERROR);
    return g_strdup(error->message);
}

static const char whole[] = "# The shop's web server\n"
                            "[guest]\n"
                            "name = web\n"
                            "memory = 2G\n"
                            "boot = disk.root\n"
                            "boot = nic.0\n"
                            "\n"
                            "[disk.root]\n"
                            "file = /srv/root.qcow2\n"
                            "# Kept for the auditors\n"
                            "readonly = yes\n"
                            "\n"
                            "[nic.0]\n"
                            "forward = tcp:2222:22\n"
                            "forward = udp:127.0.0.1:5353:53\n"
                            "\n"
                            "[qemu]\n"
                            "argument = -name\n"
                            "argument = a = b # not a comment\n"
                            "\n"
                            "# The end\n";

static void text_comes_back_as_it_was_with_order_and_comments(void)
{
    g_autoptr(OstlerDefinition) definition = parse(whole);
    g_autofree char *text = ostler_definition_text(definition);

    g_assert_cmpstr(text, ==, whole);
}

static void one_line_may_carry_several_values_without_blanks(void)
{
    g_autoptr(OstlerDefinition) definition =
        parse("[guest]\nname=web\nboot = disk.b   disk.a\n[disk.a]\nfile=/a\n"
              "[disk.b]\nfile=/b\n");
    OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);
    g_autofree const char **boot = ostler_section_get_list(guest, "boot");

    g_assert_cmpstr(boot[0], ==, "disk.b");
    g_assert_cmpstr(boot[1], ==, "disk.a");
    g_assert_null(boot[2]);
}

static void windows_line_ends_and_byte_order_mark_are_fine(void)
{
    g_autoptr(OstlerDefinition) definition =
        parse("\xef\xbb\xbf[guest]\r\nname = web\r\nappend = quiet\r\nkernel = /k\r\n");

    g_assert_cmpstr(ostler_definition_name(definition), ==, "web");
    g_assert_cmpstr(ostler_definition_get(definition, "guest", "append"), ==, "quiet");
}

static void values_have_their_types(void)
{
    g_autoptr(OstlerDefinition) definition = parse(whole);
    OstlerSection *disk = ostler_definition_find(definition, "disk", "root");

    g_assert_cmpuint(ostler_definition_get_size(definition, "guest", "memory"), ==,
                     2ull << 30);
    g_assert_true(ostler_section_get_bool(disk, "readonly"));
    g_assert_false(ostler_section_get_bool(disk, "snapshot"));
    g_assert_true(ostler_section_has(disk, "file"));
    g_assert_false(ostler_section_has(disk, "url"));
}

static void what_is_absent_answers_with_its_fallback(void)
{
    g_autoptr(OstlerDefinition) definition = ostler_definition_new("bare");

    g_assert_cmpstr(ostler_definition_get(definition, "display", "type"), ==, "none");
    g_assert_cmpuint(ostler_definition_get_size(definition, "guest", "memory"), ==,
                     1ull << 30);
    g_assert_null(ostler_definition_get(definition, "guest", "kernel"));
    g_assert_null(ostler_definition_first(definition, "disk"));
    g_assert_true(ostler_definition_check(definition, NULL));
}

static void every_fallback_would_pass_as_a_value(void)
{
    for (const OstlerSectionRow *row = ostler_vocabulary; row->kind; row++) {
        for (const OstlerKeyRow *key = row->keys; key->name; key++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *value =
                key->fallback ? ostler_value_check(key, key->fallback, "/", &error)
                              : NULL;
            g_assert_no_error(error);
            g_assert_cmpstr(value, ==, key->fallback);
        }
    }
}

static void every_row_has_one_sentence_of_help(void)
{
    for (const OstlerSectionRow *row = ostler_vocabulary; row->kind; row++) {
        g_assert_nonnull(row->help);
        for (const OstlerKeyRow *key = row->keys; key->name; key++) {
            g_assert_nonnull(key->help);
            g_assert_true(g_ascii_isupper(key->help[0]));
            g_assert_false(g_str_has_suffix(key->help, "."));
            bool needs_words =
                key->type == OSTLER_VALUE_WORD || key->type == OSTLER_VALUE_URL;
            g_assert_true(key->words || !needs_words);
        }
    }
}

static void relative_paths_start_at_the_file(void)
{
    static const struct {
        const char *written;
        const char *kept;
    } rows[] = {
        { "root.qcow2", "/srv/root.qcow2" },
        { "./images/root.qcow2", "/srv/images/root.qcow2" },
        { "../root image.qcow2", "/srv/../root image.qcow2" },
        { "/dev/sdb", "/dev/sdb" },
        { ".", "/srv" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(
            "[guest]\nname = web\n[disk.a]\nfile = %s\n", rows[i].written);
        g_autoptr(OstlerDefinition) definition = parse(text);
        OstlerSection *disk = ostler_definition_find(definition, "disk", "a");
        g_assert_cmpstr(ostler_section_get(disk, "file"), ==, rows[i].kept);
    }
}

static void a_path_may_be_a_word_or_in_the_home_folder(void)
{
    g_autoptr(OstlerDefinition) definition =
        parse("[guest]\nname = web\nfirmware = efi\nemulator = qemu-system-arm\n"
              "[share.docs]\npath = ~/Documents\n");
    OstlerSection *share = ostler_definition_find(definition, "share", "docs");
    g_autofree char *documents = g_build_filename(g_get_home_dir(), "Documents", NULL);

    g_assert_cmpstr(ostler_definition_get(definition, "guest", "firmware"), ==, "efi");
    g_assert_cmpstr(ostler_definition_get(definition, "guest", "emulator"), ==,
                    "qemu-system-arm");
    g_assert_cmpstr(ostler_section_get(share, "path"), ==, documents);
}

static void a_file_names_its_guest_if_the_text_does_not(void)
{
    static const struct {
        const char *file;
        const char *text;
        const char *name; /* NULL: an error */
    } rows[] = {
        { "/x/web.guest", "[guest]\nmemory = 1G\n", "web" },
        { "my shop.guest", "[guest]\n", "my shop" },
        { "web.guest", "[guest]\nname = mail\n", "mail" },
        { "web.guest", "[disk.a]\nfile = a\n", NULL },
        { "guest.conf", "[guest]\n", NULL },
        { "standard input", "[guest]\n", NULL },
        { ".guest", "[guest]\n", NULL },
        { "-web.guest", "[guest]\n", NULL },
        { NULL, "[guest]\n", NULL },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(OstlerDefinition) definition = ostler_definition_parse(
            rows[i].text, strlen(rows[i].text), rows[i].file, &error);

        g_test_message("row %u", i);
        if (rows[i].name) {
            g_assert_no_error(error);
            g_assert_cmpstr(ostler_definition_name(definition), ==, rows[i].name);
        } else {
            g_assert_error(error, OSTLER_DEFINITION_ERROR,
                           OSTLER_DEFINITION_ERROR_MISSING);
            g_assert_nonnull(strstr(error->message, "'name'"));
        }
    }
    g_autoptr(OstlerDefinition) definition =
        ostler_definition_parse("[guest]\nmemory = 1G\n", 20, "web.guest", NULL);
    g_autofree char *text = ostler_definition_text(definition);
    g_assert_cmpstr(text, ==, "[guest]\nname = web\nmemory = 1G\n");
}

#define GUEST "[guest]\nname = web\n"

static void what_is_wrong_is_said_with_its_line(void)
{
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        { "", "web.guest: A [guest] section with a 'name' is missing" },
        { "name = web\n", "web.guest:1: The key 'name' stands before any [section]" },
        { "[guest\n", "web.guest:1: A section's line ends with ']'" },
        { "[]\n", "web.guest:1: A section needs a name between '[' and ']'" },
        { "[disk.]\n", "web.guest:1: A label is missing after the '.'" },
        { "[guest]\n= web\n", "web.guest:2: A key is missing before the '='" },
        { "[guest]\nname\n",
          "web.guest:2: A line is '[section]', 'key = value' or '# comment'" },
        { "[guest]\nname = a\x1b[1mb\n", "web.guest:2: A control character" },
        { "[guest]\nname = a\xc2\x9b b\n", "web.guest:2: A control character" },
        { "[guest]\n\nname = \xff\n", "web.guest:3: Not UTF-8 text" },
        { "[geust]\nname = web\n",
          "web.guest:1: Unknown section [geust]; did you mean [guest]?" },
        { "[zzzzzzzzz]\n", "web.guest:1: Unknown section [zzzzzzzzz]" },
        { "[kernel]\n",
          "web.guest:1: Unknown section [kernel]; 'kernel' is a key of [guest]" },
        { "[disk]\n",
          "web.guest:1: Section [disk] needs a label of your choice, like [disk.0]" },
        { "[guest.a]\n", "web.guest:1: Section [guest] has no label: write [guest]" },
        { "[disk.a b]\n", "web.guest:1: The label 'a b' is not made of at most 64 "
                          "letters, digits, '-' and '_'" },
        { GUEST "[disk.a]\nfile = /a\n[disk.a]\n",
          "web.guest:5: A second section [disk.a]" },
        { GUEST "memroy = 1G\n",
          "web.guest:3: Unknown key 'memroy' in [guest]; did you mean 'memory'?" },
        { GUEST "hovercraft = 1\n",
          "web.guest:3: Unknown key 'hovercraft' in [guest]" },
        { GUEST "name = other\n",
          "web.guest:3: A second 'name'; the first is on line 2" },
        { GUEST "memory =\n", "web.guest:3: 'memory' has no value; leave the line out "
                              "to get what it is without" },
        { GUEST "memory = lots\n", "web.guest:3: Bad value 'lots' for 'memory' in "
                                   "[guest]: a size is a number with K, M, G or T, "
                                   "like 512M" },
        { GUEST "memory = 512\n",
          "web.guest:3: Bad value '512' for 'memory' in [guest]: "
          "that is bytes, and less than 1M; did you mean "
          "'512M'?" },
        { GUEST "memory = 1G # plenty\n",
          "web.guest:3: Bad value '1G # plenty' for 'memory' in [guest]: a size is a "
          "number with K, M, G or T, like 512M (a comment stands on a line of its "
          "own)" },
        { GUEST "memory = 9223372036854775807T\n",
          "web.guest:3: Bad value '9223372036854775807T' for 'memory' in [guest]: a "
          "size "
          "is a number with K, M, G or T, like 512M" },
        { GUEST "cpus = 0\n",
          "web.guest:3: Bad value '0' for 'cpus' in [guest]: it must be at least 1" },
        { GUEST "cpus = -1\n", "web.guest:3: Bad value '-1' for 'cpus' in [guest]: a "
                               "number is written in decimal digits" },
        { GUEST "cpus = 99999999999999999999\n",
          "web.guest:3: Bad value '99999999999999999999' for 'cpus' in [guest]: a "
          "number "
          "is written in decimal digits" },
        { GUEST "accel = kmv\n", "web.guest:3: Bad value 'kmv' for 'accel' in [guest]: "
                                 "did you mean 'kvm'? (One of: auto, kvm, tcg)" },
        { GUEST "boot-menu = true\n",
          "web.guest:3: Bad value 'true' for 'boot-menu' in "
          "[guest]: did you mean 'yes'?" },
        { GUEST "uuid = 7\n",
          "web.guest:3: Bad value '7' for 'uuid' in [guest]: a UUID is like "
          "7c7ee4a1-35f2-4a21-9b0e-4f6a5c7d8e9f" },
        { GUEST "[disk.a]\n", "web.guest:3: [disk.a] needs 'file' or 'url'" },
        { GUEST "[disk.a]\nfile = /a\nurl = nbd://h/a\n",
          "web.guest:5: [disk.a] has both 'file' and 'url'; one is enough" },
        { GUEST "[disk.a]\nurl = gopher://h\n",
          "web.guest:4: Bad value 'gopher://h' for 'url' in [disk.a]: it begins with "
          "one "
          "of: nbd:// nbd+unix:// iscsi:// iser:// rbd: http:// https:// ftp:// "
          "ftps:// "
          "ssh:// nfs:// gluster:// gluster+unix://" },
        { GUEST "[share.a]\n", "web.guest:3: [share.a] needs 'path'" },
        { GUEST "boot = root\n",
          "web.guest:3: Bad value 'root' for 'boot' in [guest]: it "
          "names a section, like disk.root" },
        { GUEST "boot = disk.root\n",
          "web.guest:3: 'boot' names [disk.root], which there is none of" },
        { GUEST "boot = share.a\n[share.a]\npath = /\n",
          "web.guest:3: 'boot' names [share.a], which nothing boots from" },
        { GUEST "boot = nic.0 nic.0\n[nic.0]\n",
          "web.guest:3: 'boot' names [nic.0] twice" },
        { GUEST "append = quiet\n", "web.guest:3: 'append' in [guest] needs 'kernel'" },
        { GUEST "[nic.0]\ntype = tap\nifname = tap0\nforward = tcp:2222:22\n",
          "web.guest:6: 'forward' in [nic.0] needs 'type = user or passt'" },
        { GUEST "[nic.0]\ntype = bridge\n",
          "web.guest:4: [nic.0] with 'type = bridge' needs 'bridge'" },
        { GUEST "[nic.0]\nforward = 22\n",
          "web.guest:4: Bad value '22' for 'forward' in [nic.0]: a forward is "
          "tcp:HOSTPORT:GUESTPORT, like tcp:2222:22, or "
          "tcp:ADDRESS:HOSTPORT:GUESTPORT; "
          "or udp" },
        { GUEST "[nic.0]\nmac = 53:54:00:12:34:56\n",
          "web.guest:4: Bad value '53:54:00:12:34:56' for 'mac' in [nic.0]: that is a "
          "group address; the first byte must be even" },
        { GUEST "[nic.0]\nmac = 52:54:00:12:34:56\n[nic.1]\nmac = 52:54:00:12:34:56\n",
          "web.guest:6: Two cards have the address 52:54:00:12:34:56" },
        { GUEST "cpus = 4\nsockets = 1\ncores = 2\nthreads = 1\n",
          "web.guest:3: 'cpus' is 4, but sockets, cores and threads make 2" },
        { GUEST "cpus = 4\ncpus-max = 2\n",
          "web.guest:4: 'cpus-max' is less than the 4 of 'cpus'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = refusal(rows[i].text);
        g_assert_cmpstr(message, ==, rows[i].message);
    }
}

static void names_that_could_leave_the_folder_or_look_like_options_are_refused(void)
{
    static const char *const good[] = { "web",  "Web Server 2", "Bücherei",
                                        "日本", "a.b",          "it's" };
    static const char *const bad[] = { "",   "a/b", ".",    "..",   ".hidden", "-all",
                                       " a", "a ",  "a\nb", "\xff", "a\x1b[1m" };
    g_autofree char *longest = g_strnfill(200, 'x');
    g_autofree char *too_long = g_strnfill(201, 'x');

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(ostler_guest_name_check(good[i], NULL));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(ostler_guest_name_check(bad[i], &error));
        g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_VALUE);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
    }
    g_assert_true(ostler_guest_name_check(longest, NULL));
    g_assert_false(ostler_guest_name_check(too_long, NULL));
}

static void building_checks_as_parsing_does(void)
{
    g_autoptr(OstlerDefinition) definition = ostler_definition_new("built");
    g_autoptr(GError) error = NULL;
    OstlerSection *disk = ostler_definition_add(definition, "disk", "root", &error);

    g_assert_no_error(error);
    g_assert_false(ostler_section_set(disk, "bus", "virtoi", &error));
    g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_VALUE);
    g_assert_true(g_str_has_prefix(error->message, "Bad value 'virtoi' for 'bus' in "));
    g_clear_error(&error);

    g_assert_false(ostler_section_set(disk, "serial", "two\nlines", &error));
    g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_VALUE);
    g_clear_error(&error);

    g_assert_false(ostler_definition_check(definition, &error));
    g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_MISSING);
    g_clear_error(&error);

    g_assert_null(ostler_definition_add(definition, "disk", "root", &error));
    g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_SYNTAX);
}

static void setting_replaces_and_a_list_grows(void)
{
    g_autoptr(OstlerDefinition) definition = ostler_definition_new("built");
    OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);
    OstlerSection *nic = ostler_definition_add(definition, "nic", "0", NULL);

    g_assert_true(ostler_section_set(guest, "memory", "1G", NULL));
    g_assert_true(ostler_section_set(guest, "memory", "2G", NULL));
    g_assert_true(ostler_section_set(nic, "forward", "tcp:1:1", NULL));
    g_assert_true(ostler_section_set(nic, "forward", "tcp:2:2", NULL));
    ostler_definition_rename(definition, "other");

    g_autofree char *text = ostler_definition_text(definition);
    g_assert_cmpstr(text, ==,
                    "[guest]\nname = other\nmemory = 2G\n\n"
                    "[nic.0]\nforward = tcp:1:1\nforward = tcp:2:2\n");
}

static void json_says_sizes_in_bytes_and_keeps_order(void)
{
    g_autoptr(OstlerDefinition) definition = parse(whole);
    g_autoptr(json_object) object = ostler_definition_json(definition);
    g_autofree char *text = ostler_json_text(object);

    g_assert_cmpstr(text, ==,
                    "{\"guest\":{\"name\":\"web\",\"memory\":2147483648,"
                    "\"boot\":[\"disk.root\",\"nic.0\"]},"
                    "\"disk\":[{\"label\":\"root\",\"file\":\"/srv/"
                    "root.qcow2\",\"readonly\":true}],"
                    "\"nic\":[{\"label\":\"0\",\"forward\":[\"tcp:2222:22\","
                    "\"udp:127.0.0.1:5353:53\"]}],"
                    "\"qemu\":{\"argument\":[\"-name\",\"a = b # not a comment\"]}}");
}

static void sections_are_walked_in_file_order(void)
{
    g_autoptr(OstlerDefinition) definition =
        parse(GUEST "[disk.b]\nfile = /b\n[nic.0]\n[disk.a]\nfile = /a\n");
    OstlerSection *first = ostler_definition_first(definition, "disk");
    OstlerSection *second = ostler_section_next(first, "disk");

    g_assert_cmpstr(ostler_section_label(first), ==, "b");
    g_assert_cmpstr(ostler_section_label(second), ==, "a");
    g_assert_null(ostler_section_next(second, "disk"));
    g_assert_cmpuint(ostler_definition_count(definition, "disk"), ==, 2);
    g_assert_cmpuint(ostler_definition_count(definition, NULL), ==, 4);
}

static void machine_and_cpus_are_known_without_being_said(void)
{
    static const struct {
        const char *keys;
        const char *machine;
        unsigned cpus;
    } rows[] = {
        { "arch = x86_64\n", "q35", 1 },
        { "arch = aarch64\ncpus = 3\n", "virt", 3 },
        { "arch = arm\nmachine = vexpress-a9\n", "vexpress-a9", 1 },
        { "arch = riscv64\nsockets = 2\ncores = 2\nthreads = 1\n", "virt", 4 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat(GUEST, rows[i].keys, NULL);
        g_autoptr(OstlerDefinition) definition = parse(text);
        g_assert_cmpstr(ostler_definition_machine(definition), ==, rows[i].machine);
        g_assert_cmpuint(ostler_definition_cpus(definition), ==, rows[i].cpus);
    }
}

static void forwards_are_taken_apart(void)
{
    static const struct {
        const char *text;
        OstlerForward forward;
    } rows[] = {
        { "tcp:2222:22", { false, "", 2222, 22 } },
        { "udp:0:53", { true, "", 0, 53 } },
        { "tcp:127.0.0.1:8080:80", { false, "127.0.0.1", 8080, 80 } },
        { "tcp:[::1]:8080:80", { false, "::1", 8080, 80 } },
    };
    static const char *const bad[] = { "",           "tcp",         "tcp:",
                                       "tcp:22",     "tcp:22:0",    "tcp:22:65536",
                                       "sctp:22:22", "tcp::22:22",  "tcp:::1:22:22",
                                       "tcp:a:1:2",  "tcp:1:2:3:4", "tcp:[::1:22:22",
                                       "tcp:1:2x" };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        OstlerForward forward;
        g_assert_true(ostler_forward_parse(rows[i].text, &forward));
        g_assert_cmpint(forward.is_udp, ==, rows[i].forward.is_udp);
        g_assert_cmpstr(forward.address, ==, rows[i].forward.address);
        g_assert_cmpuint(forward.host_port, ==, rows[i].forward.host_port);
        g_assert_cmpuint(forward.guest_port, ==, rows[i].forward.guest_port);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        OstlerForward forward;
        g_assert_false(ostler_forward_parse(bad[i], &forward));
    }
}

static void sizes_are_written_and_read_back(void)
{
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *shortest;
    } rows[] = {
        { "0", 0, "0" },
        { "1000", 1000, "1000" },
        { "1k", 1024, "1K" },
        { "512M", 512ull << 20, "512M" },
        { "2048M", 2ull << 30, "2G" },
        { "4GiB", 4ull << 30, "4G" },
        { "1T", 1ull << 40, "1T" },
    };
    static const char *const bad[] = { "",    "M",   "1.5G",     "-1",
                                       "1GB", "1Gi", "8388608T", "1 G" };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t bytes;
        g_assert_true(ostler_size_parse(rows[i].text, &bytes));
        g_assert_cmpuint(bytes, ==, rows[i].bytes);
        g_autofree char *text = ostler_size_text(bytes);
        g_assert_cmpstr(text, ==, rows[i].shortest);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        uint64_t bytes;
        g_assert_false(ostler_size_parse(bad[i], &bytes));
    }
}

static void count_range(unsigned first, unsigned last, void *opaque)
{
    *(unsigned *)opaque += last - first + 1;
}

static void ranges_are_walked_in_order(void)
{
    static const char *const bad[] = { "", ",", "0-", "3-1", "0,", "a", "0-70000" };
    unsigned count = 0;

    g_assert_true(ostler_ranges_parse("0-3,8", count_range, &count));
    g_assert_cmpuint(count, ==, 5);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(ostler_ranges_parse(bad[i], count_range, &count));
    }
}

static void too_much_of_anything_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(GUEST);

    for (unsigned i = 0; i <= OSTLER_DEFINITION_MAX_SECTIONS; i++) {
        g_string_append_printf(text, "[nic.%u]\n", i);
    }
    g_autofree char *sections = g_string_free(text, FALSE);
    g_autofree char *message = refusal(sections);
    g_assert_nonnull(strstr(message, "More than 1024 sections"));

    size_t size = OSTLER_DEFINITION_MAX_BYTES + 1;
    g_autofree char *blank = g_strnfill(size, ' ');
    g_assert_null(ostler_definition_parse(blank, size, "web.guest", &error));
    g_assert_error(error, OSTLER_DEFINITION_ERROR, OSTLER_DEFINITION_ERROR_SYNTAX);
}

#define TEST(name) g_test_add_func("/definition/" #name, name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(text_comes_back_as_it_was_with_order_and_comments);
    TEST(one_line_may_carry_several_values_without_blanks);
    TEST(windows_line_ends_and_byte_order_mark_are_fine);
    TEST(values_have_their_types);
    TEST(what_is_absent_answers_with_its_fallback);
    TEST(every_fallback_would_pass_as_a_value);
    TEST(every_row_has_one_sentence_of_help);
    TEST(relative_paths_start_at_the_file);
    TEST(a_path_may_be_a_word_or_in_the_home_folder);
    TEST(a_file_names_its_guest_if_the_text_does_not);
    TEST(what_is_wrong_is_said_with_its_line);
    TEST(names_that_could_leave_the_folder_or_look_like_options_are_refused);
    TEST(building_checks_as_parsing_does);
    TEST(setting_replaces_and_a_list_grows);
    TEST(json_says_sizes_in_bytes_and_keeps_order);
    TEST(sections_are_walked_in_file_order);
    TEST(machine_and_cpus_are_known_without_being_said);
    TEST(forwards_are_taken_apart);
    TEST(sizes_are_written_and_read_back);
    TEST(ranges_are_walked_in_order);
    TEST(too_much_of_anything_is_refused);
    return g_test_run();
}
