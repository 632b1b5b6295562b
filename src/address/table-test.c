/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address/reporter.h"
#include "address/table.h"

#include <arpa/inet.h>
#include <string.h>

#define NOW 1000000

static OstlerAddressFinding finding_of(OstlerAddressSource source, const char *address,
                                       int64_t lease_seconds)
{
    OstlerAddressFinding finding = {
        .mac = { 0x52, 0x54, 0, 0, 0, 1 },
        .is_ipv6 = strchr(address, ':') != NULL,
        .source = source,
        .lease_seconds = lease_seconds,
    };

    g_assert_cmpint(
        inet_pton(finding.is_ipv6 ? AF_INET6 : AF_INET, address, finding.address), ==,
        1);
    return finding;
}

static bool add(OstlerAddressTable *table, OstlerAddressSource source,
                const char *address, int64_t lease_seconds, int64_t now)
{
    OstlerAddressFinding finding = finding_of(source, address, lease_seconds);

    return ostler_address_table_add(table, "0", &finding, now);
}

/* "10.0.2.15 dhcp, fe80::1 nd" */
static char *list_of(OstlerAddressTable *table, int64_t now)
{
    g_autofree const OstlerAddressEntry **list = ostler_address_table_list(table, now);
    GString *text = g_string_new(NULL);

    for (int i = 0; list[i]; i++) {
        g_string_append_printf(text, "%s%s %s", i ? ", " : "", list[i]->address,
                               ostler_address_source_name(list[i]->source));
    }
    return g_string_free(text, FALSE);
}

#define assert_list(table, now, wanted)                                                \
    do {                                                                               \
        g_autofree char *is_ = list_of(table, now);                                    \
        g_assert_cmpstr(is_, ==, wanted);                                              \
    } while (0)

static void better_source_names_an_address_while_it_lives(void)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();

    g_assert_true(add(table, OSTLER_ADDRESS_ARP, "10.0.0.5", -1, NOW));
    g_assert_true(add(table, OSTLER_ADDRESS_DHCP, "10.0.0.5", 600, NOW + 1));
    g_assert_false(add(table, OSTLER_ADDRESS_ARP, "10.0.0.5", -1, NOW + 2));
    assert_list(table, NOW + 3, "10.0.0.5 dhcp");

    /* The lease ran out, and the guest uses the address nevertheless. */
    g_assert_true(add(table, OSTLER_ADDRESS_ARP, "10.0.0.5", -1, NOW + 602));
    assert_list(table, NOW + 603, "10.0.0.5 arp");
}

static void leases_and_claims_run_out(void)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();

    add(table, OSTLER_ADDRESS_DHCP, "10.0.0.5", 3600, NOW);
    add(table, OSTLER_ADDRESS_ARP, "10.0.0.6", -1, NOW);
    add(table, OSTLER_ADDRESS_AGENT, "10.0.0.7", -1, NOW);
    assert_list(table, NOW + 299, "10.0.0.7 agent, 10.0.0.5 dhcp, 10.0.0.6 arp");
    assert_list(table, NOW + 300, "10.0.0.7 agent, 10.0.0.5 dhcp");
    assert_list(table, NOW + 3599, "10.0.0.7 agent, 10.0.0.5 dhcp");
    assert_list(table, NOW + 3600, "10.0.0.7 agent");
}

static void endless_lease_does_not_run_out(void)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();

    add(table, OSTLER_ADDRESS_DHCP, "10.0.0.5", OSTLER_ADDRESS_FOR_EVER, NOW);
    assert_list(table, INT64_MAX, "10.0.0.5 dhcp");
}

static void new_lease_ends_the_former_one(void)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();

    add(table, OSTLER_ADDRESS_DHCP, "10.0.0.5", 600, NOW);
    add(table, OSTLER_ADDRESS_ND, "fe80::1", -1, NOW);
    g_assert_true(add(table, OSTLER_ADDRESS_DHCP, "10.0.0.9", 600, NOW + 1));
    assert_list(table, NOW + 2, "10.0.0.9 dhcp, fe80::1 nd");
}

static void renewal_moves_the_end_and_is_no_change(void)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();

    add(table, OSTLER_ADDRESS_DHCP, "10.0.0.5", 600, NOW);
    g_assert_false(add(table, OSTLER_ADDRESS_DHCP, "10.0.0.5", 600, NOW + 300));
    assert_list(table, NOW + 899, "10.0.0.5 dhcp");
    assert_list(table, NOW + 900, "");
}

static void what_is_given_back_is_gone(void)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();
    OstlerAddressFinding back = finding_of(OSTLER_ADDRESS_DHCP, "10.0.0.5", -1);

    back.is_withdrawn = true;
    g_assert_false(ostler_address_table_add(table, "0", &back, NOW));
    add(table, OSTLER_ADDRESS_DHCP, "10.0.0.5", 600, NOW);
    g_assert_true(ostler_address_table_add(table, "0", &back, NOW + 1));
    assert_list(table, NOW + 1, "");
}

static void flood_of_claims_does_not_push_out_a_lease(void)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();

    add(table, OSTLER_ADDRESS_DHCP, "10.0.0.5", 600, NOW);
    for (int i = 0; i < 1000; i++) {
        g_autofree char *address = g_strdup_printf("10.1.%d.%d", i / 250, i % 250 + 1);
        add(table, OSTLER_ADDRESS_ARP, address, -1, NOW + 1);
    }
    g_autofree const OstlerAddressEntry **list =
        ostler_address_table_list(table, NOW + 2);
    guint n = 0;
    while (list[n]) {
        n++;
    }
    g_assert_cmpuint(n, ==, OSTLER_ADDRESS_MAX_ENTRIES);
    g_assert_cmpstr(list[0]->address, ==, "10.0.0.5");
}

static void link_local_comes_last_and_is_of_no_use(void)
{
    g_autoptr(OstlerAddressTable) table = ostler_address_table_new();

    add(table, OSTLER_ADDRESS_ND, "fe80::1", -1, NOW);
    g_assert_false(ostler_address_table_is_usable(table, NOW));
    add(table, OSTLER_ADDRESS_ARP, "169.254.3.4", -1, NOW);
    g_assert_false(ostler_address_table_is_usable(table, NOW));
    add(table, OSTLER_ADDRESS_ND, "2001:db8::1", -1, NOW);
    g_assert_true(ostler_address_table_is_usable(table, NOW));
    assert_list(table, NOW, "2001:db8::1 nd, 169.254.3.4 arp, fe80::1 nd");
}

static void line_reads_back(void)
{
    OstlerAddressFinding finding =
        finding_of(OSTLER_ADDRESS_DHCP, "10.0.0.5", OSTLER_ADDRESS_FOR_EVER);
    OstlerAddressFinding again;
    g_autoptr(GError) error = NULL;
    g_autofree char *nic = NULL;

    finding.prefix = 24;
    g_autofree char *line = ostler_address_finding_print(&finding, "my \"lan\"");
    g_assert_true(
        ostler_address_finding_parse(line, strlen(line), &again, &nic, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(nic, ==, "my \"lan\"");
    g_assert_cmpmem(&again, sizeof again, &finding, sizeof finding);
}

static void senseless_line_is_refused(void)
{
    static const char *const lines[] = {
        "",
        "{}",
        "{\"nic\":\"0\",\"mac\":\"52:54:00:12:34\",\"family\":\"ipv4\","
        "\"address\":\"10.0.0.1\",\"source\":\"dhcp\"}",
        "{\"nic\":\"0\",\"mac\":\"52:54:00:12:34:56\",\"family\":\"ipv4\","
        "\"address\":\"10.0.0.1000\",\"source\":\"dhcp\"}",
        "{\"nic\":\"0\",\"mac\":\"52:54:00:12:34:56\",\"family\":\"ipv4\","
        "\"address\":\"10.0.0.1\",\"source\":\"hearsay\"}",
        "{\"nic\":\"0\",\"mac\":\"52:54:00:12:34:56\",\"family\":\"ipv4\","
        "\"address\":\"10.0.0.1\",\"source\":\"dhcp\",\"prefix\":33}",
        "{\"nic\":\"0\",\"mac\":\"52:54:00:12:34:56\",\"family\":\"ipv4\","
        "\"address\":\"10.0.0.1\",\"source\":\"dhcp\",\"lease-seconds\":-7}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        OstlerAddressFinding finding;
        g_autoptr(GError) error = NULL;
        char *nic = NULL;
        g_assert_false(ostler_address_finding_parse(lines[i], strlen(lines[i]),
                                                    &finding, &nic, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
        g_assert_null(nic);
    }
}

static void repetition_waits_a_while(void)
{
    OstlerAddressReporter reporter = { 0 };
    OstlerAddressFinding arp = finding_of(OSTLER_ADDRESS_ARP, "10.0.0.5", -1);
    OstlerAddressFinding ack = finding_of(OSTLER_ADDRESS_DHCP, "10.0.0.5", 600);

    g_assert_true(ostler_address_reporter_admit(&reporter, &arp, 1));
    g_assert_false(ostler_address_reporter_admit(&reporter, &arp, 60000));
    g_assert_true(ostler_address_reporter_admit(&reporter, &arp, 60001));
    g_assert_true(ostler_address_reporter_admit(&reporter, &ack, 60002));
    g_assert_true(ostler_address_reporter_admit(&reporter, &ack, 60003));
}

static void flood_of_claims_does_not_silence_a_server(void)
{
    OstlerAddressReporter reporter = { 0 };
    OstlerAddressFinding arp = finding_of(OSTLER_ADDRESS_ARP, "10.0.0.5", -1);
    OstlerAddressFinding ack = finding_of(OSTLER_ADDRESS_DHCP, "10.0.0.5", 600);
    unsigned admitted = 0;

    for (uint8_t i = 0; i < 200; i++) {
        arp.address[3] = i;
        admitted += ostler_address_reporter_admit(&reporter, &arp, 20000);
    }
    g_assert_cmpuint(admitted, ==, OSTLER_ADDRESS_BURST);
    g_assert_true(ostler_address_reporter_admit(&reporter, &ack, 20001));
    g_assert_true(ostler_address_reporter_admit(&reporter, &arp,
                                                20000 + OSTLER_ADDRESS_BURST_SPAN_MS));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestFunc run;
    } tests[] = {
        { "table/the better source names an address while it lives",
          better_source_names_an_address_while_it_lives },
        { "table/leases and claims run out", leases_and_claims_run_out },
        { "table/an endless lease does not run out", endless_lease_does_not_run_out },
        { "table/a new lease ends the former one", new_lease_ends_the_former_one },
        { "table/a renewal moves the end and is no change",
          renewal_moves_the_end_and_is_no_change },
        { "table/what is given back is gone", what_is_given_back_is_gone },
        { "table/a flood of claims does not push out a lease",
          flood_of_claims_does_not_push_out_a_lease },
        { "table/link-local comes last and is of no use",
          link_local_comes_last_and_is_of_no_use },
        { "finding/a line reads back", line_reads_back },
        { "finding/a senseless line is refused", senseless_line_is_refused },
        { "reporter/a repetition waits a while", repetition_waits_a_while },
        { "reporter/a flood of claims does not silence a server",
          flood_of_claims_does_not_silence_a_server },
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strdup_printf("/address/%s", tests[i].name);
        g_test_add_func(path, tests[i].run);
    }
    return g_test_run();
}
