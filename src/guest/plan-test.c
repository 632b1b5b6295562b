/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans from recorded answers of QEMU 7.2 (machines/recorded/): no QEMU is started. */
#include "guest/plan.h"

#include <string.h>

static json_object *recorded;

static OstlerMachine *get_machine(const char *name)
{
    g_autoptr(GError) error = NULL;
    OstlerMachine *machine =
        ostler_machine_from_json(ostler_json_find(recorded, name), &error);

    g_assert_no_error(error);
    return machine;
}

/* Plan the definition @text (without its name) on the recorded machine @name. */
static OstlerPlan *try_plan(const char *name, const char *text, GError **error)
{
    static const OstlerPlanHost host = { .accel = "tcg",
                                         .rundir = "/",
                                         .tsc_khz = 2500 };
    g_autofree char *whole = g_strdup_printf("[guest]\nname = t\n%s", text);
    g_autoptr(OstlerMachine) machine = get_machine(name);
    g_autoptr(OstlerDefinition) definition =
        ostler_definition_parse(whole, strlen(whole), "/t.guest", error);

    return definition ? ostler_plan_new(definition, machine, &host, error) : NULL;
}

static OstlerPlan *plan(const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    OstlerPlan *planned = try_plan(name, text, &error);

    g_assert_no_error(error);
    return planned;
}

/* The value after @option that contains @part, or NULL. */
static const char *find(const OstlerPlan *plan, const char *option, const char *part)
{
    for (char **arg = plan->argv; arg[0] && arg[1]; arg++) {
        if (strcmp(arg[0], option) == 0 && strstr(arg[1], part)) {
            return arg[1];
        }
    }
    return NULL;
}

static void assert_ends(const char *text, const char *end)
{
    g_assert_nonnull(text);
    if (!g_str_has_suffix(text, end)) {
        g_test_message("'%s' does not end with '%s'", text, end);
        g_test_fail();
    }
}

static char *n_disks(unsigned n)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(text, "[disk.d%u]\nfile = /d%u\n", i, i);
    }
    return g_string_free(text, false);
}

static void disks_take_pci_slots_in_the_order_of_the_definition(void)
{
    g_autoptr(OstlerPlan) planned =
        plan("q35", "[disk.b]\nfile = /b\n[disk.a]\nfile = /a\n");

    assert_ends(find(planned, "-device", "id=disk-b,"), "bus=pcie.0,addr=0x1");
    assert_ends(find(planned, "-device", "id=disk-a,"), "bus=pcie.0,addr=0x2");
}

static void mmio_transports_are_taken_from_the_lowest(void)
{
    g_autoptr(OstlerPlan) planned = plan(
        "arm-virt", "transport = mmio\n[disk.b]\nfile = /b\n[disk.a]\nfile = /a\n");

    assert_ends(find(planned, "-device", "id=disk-b,"), "bus=virtio-mmio-bus.0");
    assert_ends(find(planned, "-device", "id=disk-a,"), "bus=virtio-mmio-bus.1");
}

static void slots_taken_by_the_machine_are_left_alone(void)
{
    g_autoptr(OstlerPlan) pc = plan("pc", "[disk.a]\nfile = /a\n");
    g_autoptr(OstlerPlan) versatile = plan("versatilepb", "[disk.a]\nfile = /a\n");

    assert_ends(find(pc, "-device", "id=disk-a,"), "bus=pci.0,addr=0x2");
    assert_ends(find(versatile, "-device", "id=disk-a,"), "bus=pci,addr=0xc");
}

static void slots_that_run_out_are_packed(void)
{
    g_autofree char *text = n_disks(40);
    g_autoptr(OstlerPlan) planned = plan("q35", text);

    assert_ends(find(planned, "-device", "id=disk-d0,"), "addr=0x1.0,multifunction=on");
    assert_ends(find(planned, "-device", "id=disk-d9,"), "addr=0x2.1");
}

static void what_does_not_fit_is_named_with_the_number_of_places(void)
{
    static const struct {
        const char *machine;
        unsigned n;
        const char *message;
    } cases[] = {
        { "vexpress-a9", 5,
          "[disk.d4] does not fit: the machine has 4 virtio-mmio transports" },
        { "q35", 241, "[disk.d240] does not fit: the machine has 240 free PCI places" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = n_disks(cases[i].n);
        g_autoptr(GError) error = NULL;
        g_autoptr(OstlerPlan) planned = try_plan(cases[i].machine, text, &error);
        g_assert_null(planned);
        g_assert_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_NO_SLOT);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void a_board_without_virtio_uses_what_it_has(void)
{
    g_autoptr(OstlerPlan) planned =
        plan("raspi2b", "[disk.root]\nfile = /r.img\n[nic.lan]\n");

    assert_ends(find(planned, "-drive", "if=sd,index=0,"), "file=/r.img");
    assert_ends(find(planned, "-device", "usb-net,"), "bus=usb-bus.0,port=1");
    g_assert_null(find(planned, "-m", ""));
}

static void full_speed_devices_keep_off_high_speed_ports(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerPlan) nic = try_plan("nuri", "[nic.lan]\n", &error);
    g_autoptr(OstlerPlan) share = plan("nuri", "[share.a]\npath = /\n");

    g_assert_null(nic);
    g_assert_error(error, OSTLER_PLAN_ERROR, OSTLER_PLAN_ERROR_UNSUPPORTED);
    assert_ends(find(share, "-device", "usb-redir,"), "bus=usb-bus.0,port=1");
}

static void refusals_say_what_the_machine_lacks(void)
{
    static const struct {
        const char *machine;
        const char *text;
        const char *message;
    } cases[] = {
        { "vexpress-a9", "[share.a]\npath = /\n",
          "The machine 'vexpress-a9' has no USB, which [share.a] needs, and no PCI to "
          "add it to" },
        { "raspi2b", "memory = 2G\n",
          "The machine 'raspi2b' takes no memory of another size than its own: Invalid "
          "RAM size, should be 1 GiB" },
        { "raspi2b", "cpus = 5\n",
          "The machine 'raspi2b' has at most 4 processors, not 5" },
        { "raspi2b", "transport = pci\n",
          "The machine 'raspi2b' has no virtio over PCI" },
        { "cheetah", "", "The machine 'cheetah' needs a kernel" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(OstlerPlan) planned =
            try_plan(cases[i].machine, cases[i].text, &error);
        g_assert_null(planned);
        g_assert_nonnull(error);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void values_from_outside_cannot_add_options(void)
{
    g_autoptr(OstlerPlan) planned =
        plan("q35", "[disk.a]\nfile = /a,snapshot=on\nserial = x,y\n");

    assert_ends(find(planned, "-blockdev", "node-name=disk0"),
                "file.filename=/a,,snapshot=on");
    g_assert_nonnull(find(planned, "-device", ",serial=x,,y,"));
}

static void the_kernel_is_told_its_console(void)
{
    static const struct {
        const char *machine;
        const char *text;
        const char *append;
    } cases[] = {
        { "q35", "kernel = /k\nappend = quiet\n", "quiet console=ttyS0" },
        { "q35", "kernel = /k\nappend = console=tty0\n", "console=tty0" },
        { "vexpress-a9", "kernel = /k\n", "console=ttyAMA0" },
        { "microvm", "kernel = /k\n", "console=ttyS0 tsc_early_khz=2500" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(OstlerPlan) planned = plan(cases[i].machine, cases[i].text);
        g_assert_cmpstr(find(planned, "-append", ""), ==, cases[i].append);
    }
}

static const OstlerPlanSocket *find_socket(const OstlerPlan *plan, const char *name)
{
    for (unsigned i = 0; i < plan->n_sockets; i++) {
        if (strcmp(plan->sockets[i].name, name) == 0) {
            return &plan->sockets[i];
        }
    }
    return NULL;
}

static void every_socket_has_a_descriptor_of_its_own(void)
{
    g_autoptr(OstlerPlan) planned = plan(
        "q35", "[nic.lan]\n[share.a]\npath = /\n[serial.a]\n[serial.b]\n[channel.g]\n");
    static const char *const names[] = { "qmp",          "qmp-user", "console",
                                         "serial-b",     "shares",   "inbound-lan",
                                         "outbound-lan", "channel-g" };

    g_assert_cmpuint(planned->n_sockets, ==, G_N_ELEMENTS(names));
    g_assert_cmpstr(planned->console, ==, "console");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        const OstlerPlanSocket *socket = find_socket(planned, names[i]);
        g_assert_nonnull(socket);
        g_autofree char *fd = g_strdup_printf("fd=%d", socket->target_fd);
        g_assert_nonnull(find(planned, "-chardev", fd));
    }
    g_assert_cmpint(find_socket(planned, "inbound-lan")->type, ==,
                    OSTLER_PLAN_DATAGRAM);
}

static void the_boot_order_is_what_boot_says(void)
{
    g_autoptr(OstlerPlan) planned =
        plan("q35", "boot = nic.lan disk.b\n[disk.a]\nfile = /a\n[disk.b]\nfile = /b\n"
                    "[nic.lan]\n");

    g_assert_null(strstr(find(planned, "-device", "id=disk-a,"), "bootindex"));
    g_assert_nonnull(strstr(find(planned, "-device", "id=disk-b,"), "bootindex=2"));
    g_assert_nonnull(strstr(find(planned, "-device", "id=nic-lan,"), "bootindex=1"));
}

static void a_mac_stays_the_same_and_differs_between_cards(void)
{
    g_autoptr(OstlerPlan) first = plan("q35", "[nic.a]\n[nic.b]\n");
    g_autoptr(OstlerPlan) second = plan("q35", "[nic.a]\n[nic.b]\n");

    g_assert_cmpstr(find(first, "-device", "id=nic-a,"), ==,
                    find(second, "-device", "id=nic-a,"));
    g_assert_cmpstr(strstr(find(first, "-device", "id=nic-a,"), "mac=") + 4, !=,
                    strstr(find(first, "-device", "id=nic-b,"), "mac=") + 4);
}

static void a_machine_survives_json(void)
{
    g_autoptr(OstlerMachine) machine = get_machine("q35");
    g_autoptr(json_object) json = ostler_machine_to_json(machine);
    g_autoptr(OstlerMachine) again = ostler_machine_from_json(json, NULL);
    g_autoptr(json_object) json_again = ostler_machine_to_json(again);

    g_assert_true(json_object_equal(json, json_again));
    g_assert_true(json_object_equal(ostler_json_find(json, "buses"),
                                    ostler_json_find(json_again, "buses")));
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize size = 0;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(g_file_get_contents(g_getenv("RECORDED"), &text, &size, &error));
    recorded = ostler_json_parse(text, size, &error);
    g_assert_no_error(error);

#define ADD(function) g_test_add_func("/plan/" #function, function)
    ADD(disks_take_pci_slots_in_the_order_of_the_definition);
    ADD(mmio_transports_are_taken_from_the_lowest);
    ADD(slots_taken_by_the_machine_are_left_alone);
    ADD(slots_that_run_out_are_packed);
    ADD(what_does_not_fit_is_named_with_the_number_of_places);
    ADD(a_board_without_virtio_uses_what_it_has);
    ADD(full_speed_devices_keep_off_high_speed_ports);
    ADD(refusals_say_what_the_machine_lacks);
    ADD(values_from_outside_cannot_add_options);
    ADD(the_kernel_is_told_its_console);
    ADD(every_socket_has_a_descriptor_of_its_own);
    ADD(the_boot_order_is_what_boot_says);
    ADD(a_mac_stays_the_same_and_differs_between_cards);
    ADD(a_machine_survives_json);
    int result = g_test_run();
    json_object_put(recorded);
    return result;
}
