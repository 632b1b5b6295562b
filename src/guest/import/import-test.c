/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole domains are in tests/import: NAME.xml becomes NAME.guest and NAME.report.
 * OSTLER_TEST_UPDATE=1 writes what is expected anew, to be read before it is kept.
 */
#include "guest/import/import.h"

#include <string.h>

#define HEAD "<domain type='qemu'><name>n</name><memory unit='MiB'>64</memory>"
#define OS   "<os><type arch='x86_64' machine='q35'>hvm</type></os>"

static OstlerDefinition *import_text(const char *xml, OstlerImportReport **out_report,
                                     GError **error)
{
    return ostler_import_domain(xml, strlen(xml), "old.xml", out_report, error);
}

/* --- refusals ------------------------------------------------------------------- */

static void what_is_no_guest_is_refused_with_file_and_line(void)
{
    static const struct {
        const char *xml;
        int code;
        const char *message;
    } cases[] = {
        { "", OSTLER_IMPORT_ERROR_SYNTAX, "old.xml:1: The file is empty" },
        { "hello", OSTLER_IMPORT_ERROR_SYNTAX,
          "old.xml:1: Start tag expected, '<' not found" },
        { "<domain>\n<name>\n</domain>", OSTLER_IMPORT_ERROR_SYNTAX,
          "old.xml:3: Opening and ending tag mismatch: name line 2 and domain" },
        { "<network><name>default</name></network>", OSTLER_IMPORT_ERROR_NOT_DOMAIN,
          "old.xml:1: This is a network, no domain" },
        { "<!-- saved -->\n<domstatus state='running'/>",
          OSTLER_IMPORT_ERROR_NOT_DOMAIN,
          "old.xml:2: This is libvirt's state of a running domain; import the domain "
          "itself (virsh dumpxml --inactive)" },
        { "<domainsnapshot/>", OSTLER_IMPORT_ERROR_NOT_DOMAIN,
          "old.xml:1: This is a snapshot's description; import the <domain> in it" },
        { "<html/>", OSTLER_IMPORT_ERROR_NOT_DOMAIN,
          "old.xml:1: This is a <html>, no domain" },
        { "<domain type='xen'><name>n</name></domain>", OSTLER_IMPORT_ERROR_UNSUPPORTED,
          "old.xml:1: A domain of type 'xen' is not run by QEMU" },
        { "<domain type='qemu'><name>n</name><os><type>exe</type></os></domain>",
          OSTLER_IMPORT_ERROR_UNSUPPORTED,
          "old.xml:1: Only a whole machine (<os><type>hvm) is run by QEMU" },
        { "<domain type='kvm'/>", OSTLER_IMPORT_ERROR_VALUE,
          "old.xml:1: The domain has no <name>" },
        { "<domain type='kvm'><name>n</name>" OS "</domain>", OSTLER_IMPORT_ERROR_VALUE,
          "old.xml:1: The domain has no <memory>, or it is no size" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        OstlerImportReport *report = NULL;

        g_assert_null(import_text(cases[i].xml, &report, &error));
        g_assert_error(error, OSTLER_IMPORT_ERROR, cases[i].code);
        g_assert_cmpstr(error->message, ==, cases[i].message);
        g_assert_null(report);
    }
}

static void a_bad_name_is_the_definitions_refusal(void)
{
    g_autoptr(GError) error = NULL;
    OstlerImportReport *report = NULL;

    g_assert_null(import_text("<domain type='kvm'><name>a/b</name>" OS "</domain>",
                              &report, &error));
    g_assert_nonnull(error);
    g_assert_true(g_str_has_prefix(error->message, "old.xml: 'a/b'"));
}

/* --- hostile documents ---------------------------------------------------------- */

static void expect_syntax_error(const char *xml, const char *message)
{
    g_autoptr(GError) error = NULL;
    OstlerImportReport *report = NULL;

    g_assert_null(import_text(xml, &report, &error));
    g_assert_error(error, OSTLER_IMPORT_ERROR, OSTLER_IMPORT_ERROR_SYNTAX);
    g_assert_nonnull(strstr(error->message, message));
}

static void a_doctype_is_refused_before_its_entities_are_read(void)
{
    expect_syntax_error("<!DOCTYPE d [<!ENTITY a 'aa'><!ENTITY b '&a;&a;&a;'>]>"
                        "<domain type='kvm'><name>&b;</name></domain>",
                        "must not have a DOCTYPE");
    expect_syntax_error("<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>",
                        "must not have a DOCTYPE");
    expect_syntax_error("<!DOCTYPE d [<!ENTITY x SYSTEM 'http://192.0.2.1/x'>]>"
                        "<domain>&x;</domain>",
                        "must not have a DOCTYPE");
}

static void nesting_without_end_is_refused(void)
{
    GString *xml = g_string_new("<domain>");

    for (unsigned i = 0; i < 200; i++) {
        g_string_append(xml, "<a>");
    }
    for (unsigned i = 0; i < 200; i++) {
        g_string_append(xml, "</a>");
    }
    g_string_append(xml, "</domain>");
    expect_syntax_error(xml->str, "nested deeper");
    g_string_free(xml, TRUE);
}

static void more_elements_than_a_domain_has_are_refused(void)
{
    GString *xml = g_string_new("<domain>");

    for (unsigned i = 0; i < OSTLER_IMPORT_MAX_ELEMENTS; i++) {
        g_string_append(xml, "<a/>");
    }
    g_string_append(xml, "</domain>");
    expect_syntax_error(xml->str, "More elements");
    g_string_free(xml, TRUE);
}

static void more_unknown_things_than_can_be_reported_are_refused(void)
{
    GString *xml = g_string_new(HEAD OS);

    for (unsigned i = 0; i <= OSTLER_IMPORT_MAX_ROWS; i++) {
        g_string_append(xml, "<a/>");
    }
    g_string_append(xml, "</domain>");
    expect_syntax_error(xml->str, "have no place in a definition");
    g_string_free(xml, TRUE);
}

static void too_long_a_document_is_not_even_parsed(void)
{
    g_autofree char *xml = g_strnfill(OSTLER_IMPORT_MAX_BYTES + 1, ' ');

    expect_syntax_error(xml, "Longer than any domain");
}

/* --- the report ----------------------------------------------------------------- */

static void whatever_is_not_read_is_named(void)
{
    static const char xml[] =
        HEAD OS "\n<surprise mode='x'>deep <b/></surprise>\n"
                "<on_crash when='tuesday'>destroy</on_crash>\n"
                "<devices>\n<disk type='file' novel='1'><source file='/a' way='2'/>"
                "<target dev='vda' bus='virtio'/><x:y xmlns:x='urn:x'/></disk>\n"
                "</devices></domain>";
    static const char expected[] =
        "old.xml:2: /domain/surprise: not carried: <surprise mode=\"x\">deep "
        "<b/></surprise> (A definition has no word for it)\n"
        "old.xml:3: /domain/on_crash/@when: not carried: tuesday (A definition has no "
        "word for it)\n"
        "old.xml:5: /domain/devices/disk/@novel: not carried: 1 (A definition has no "
        "word "
        "for it)\n"
        "old.xml:5: /domain/devices/disk/source/@way: not carried: 2 (A definition has "
        "no "
        "word for it)\n"
        "old.xml:5: /domain/devices/disk/x:y: not carried (A definition has no "
        "word for it)\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerImportReport) report = NULL;
    g_autoptr(OstlerDefinition) definition = import_text(xml, &report, &error);

    g_assert_no_error(error);
    g_autofree char *text = ostler_import_report_text(report, true);
    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpuint(ostler_import_report_count(report, OSTLER_IMPORT_NOT_CARRIED), ==,
                     5);
}

static void values_from_a_document_cannot_move_the_cursor(void)
{
    static const char xml[] = HEAD OS "<a>x\xc2\x9b\x32Jy\xe2\x80\xae</a></domain>";
    g_autoptr(OstlerImportReport) report = NULL;
    g_autoptr(OstlerDefinition) definition = import_text(xml, &report, NULL);

    g_assert_cmpstr(ostler_import_report_row(report, 0)->what, ==, "x?2Jy?");
}

/* Every word of a document is in the definition, in the report, or one of the few that
 * have no value to carry: no attribute vanishes when its name is misspelt. */
static void a_misspelt_attribute_is_named_wherever_it_stands(void)
{
    g_autofree char *xml = NULL;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "web-server.xml", NULL);

    g_assert_true(g_file_get_contents(path, &xml, NULL, NULL));
    for (char *at = strstr(xml, "='"); at; at = strstr(at + 1, "='")) {
        g_autoptr(GError) error = NULL;
        g_autoptr(OstlerImportReport) report = NULL;
        g_autoptr(OstlerDefinition) definition = NULL;
        char kept = at[-1];

        at[-1] = '_';
        definition = import_text(xml, &report, &error);
        if (definition) {
            g_autofree char *text = ostler_import_report_text(report, true);
            g_assert_nonnull(strchr(text, '_'));
        } else {
            g_assert_nonnull(error);
        }
        at[-1] = kept;
    }
}

/* --- whole domains -------------------------------------------------------------- */

static void compare_with_file(const char *name, const char *suffix, const char *text)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, file, NULL);
    g_autofree char *expected = NULL;

    if (g_getenv("OSTLER_TEST_UPDATE")) {
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
    }
    g_assert_true(g_file_get_contents(path, &expected, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void a_domain_becomes_its_definition(const void *name)
{
    g_autofree char *file = g_strconcat(name, ".xml", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, file, NULL);
    g_autofree char *xml = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerImportReport) report = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &xml, &size, NULL));
    g_autoptr(OstlerDefinition) definition =
        ostler_import_domain(xml, size, file, &report, &error);
    g_assert_no_error(error);

    g_autofree char *text = ostler_definition_text(definition);
    g_autofree char *rows = ostler_import_report_text(report, true);
    compare_with_file(name, ".guest", text);
    compare_with_file(name, ".report", rows);

    g_autoptr(OstlerDefinition) again =
        ostler_definition_parse(text, strlen(text), "again", &error);
    g_assert_no_error(error);
    g_autofree char *text_again = ostler_definition_text(again);
    g_assert_cmpstr(text_again, ==, text);
}

int main(int argc, char **argv)
{
    static const char *const samples[] = { "web-server", "vexpress", "uefi-aarch64",
                                           "desktop" };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/import/what is no guest is refused with file and line",
                    what_is_no_guest_is_refused_with_file_and_line);
    g_test_add_func("/import/a bad name is the definition's refusal",
                    a_bad_name_is_the_definitions_refusal);
    g_test_add_func("/import/a DOCTYPE is refused before its entities are read",
                    a_doctype_is_refused_before_its_entities_are_read);
    g_test_add_func("/import/nesting without end is refused",
                    nesting_without_end_is_refused);
    g_test_add_func("/import/more elements than a domain has are refused",
                    more_elements_than_a_domain_has_are_refused);
    g_test_add_func("/import/more unknown things than can be reported are refused",
                    more_unknown_things_than_can_be_reported_are_refused);
    g_test_add_func("/import/too long a document is not even parsed",
                    too_long_a_document_is_not_even_parsed);
    g_test_add_func("/import/whatever is not read is named",
                    whatever_is_not_read_is_named);
    g_test_add_func("/import/values from a document cannot move the cursor",
                    values_from_a_document_cannot_move_the_cursor);
    g_test_add_func("/import/a misspelt attribute is named wherever it stands",
                    a_misspelt_attribute_is_named_wherever_it_stands);
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autofree char *name =
            g_strdup_printf("/import/%s.xml becomes its definition", samples[i]);
        g_test_add_data_func(name, samples[i], a_domain_becomes_its_definition);
    }
    return g_test_run();
}
