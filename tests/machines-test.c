/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every machine of the four architectures is asked, planned and really started (-S) with
 * the plan's own command line; docs/machines.md says the same as the machines do.
 *
 * What the machines answer is kept in the build folder: the first run takes minutes, a
 * later one seconds.
 */
#include "base/testing.h"
#include "guest/machines/choose.h"
#include "guest/machines/table.h"
#include "guest/plan.h"
#include "platform/channel.h"
#include "platform/datagram.h"
#include "platform/process.h"
#include "qmp/session.h"

#include <cpc/glib.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_MS  20000
#define N_STARTS  2u
#define DISK_SIZE (64 << 20) /* an SD card's size must be a power of two */

/* A guest that is started from a plan, for as long as it takes to look at it. */
typedef struct {
    char *folder;
    GPtrArray *listeners;
    GArray *fds; /* OstlerFdMap; the sources are ours */
    OstlerProcess *process;
    OstlerQmp *qmp;
    int said_fd;
} Guest;

static char *disk_path; /* shared by all guests, which only look at it */
static char *scratch;

static json_object *text(const char *value)
{
    return json_object_new_string(value);
}

static bool open_socket(Guest *guest, const OstlerPlanSocket *socket, GError **error)
{
    OstlerFdMap map = { .target = socket->target_fd };

    if (socket->type == OSTLER_PLAN_DATAGRAM) {
        int other = -1;
        if (!ostler_datagram_pair(&map.source, &other, error)) {
            return false;
        }
        close(other);
    } else {
        g_autofree char *file = g_strdup_printf("%s.sock", socket->name);
        g_autofree char *path = g_build_filename(guest->folder, file, NULL);
        OstlerListener *listener = ostler_listener_new(path, error);
        if (!listener) {
            return false;
        }
        g_ptr_array_add(guest->listeners, listener);
        map.source = dup(ostler_listener_fd(listener));
    }
    g_array_append_val(guest->fds, map);
    return true;
}

static char *read_said(Guest *guest)
{
    char *said = g_malloc0(16384);

    lseek(guest->said_fd, 0, SEEK_SET);
    gssize size = read(guest->said_fd, said, 16383);
    return size > 0 ? said : (said[0] = 0, said);
}

static bool start(Guest *guest, const OstlerPlan *plan, GError **error)
{
    g_autofree char *said = g_build_filename(guest->folder, "said", NULL);

    for (unsigned i = 0; i < plan->n_sockets; i++) {
        if (!open_socket(guest, &plan->sockets[i], error)) {
            return false;
        }
    }
    guest->said_fd = g_open(said, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    OstlerProcessConfig config = {
        .argv = (const char *const *)plan->argv,
        .directory = guest->folder,
        .fds = (const OstlerFdMap *)guest->fds->data,
        .n_fds = guest->fds->len,
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = guest->said_fd,
        .die_with_parent = true,
    };
    guest->process = ostler_process_start(&config, error);
    /* Only QEMU listens now, so its end is ours to see. */
    g_ptr_array_set_size(guest->listeners, 0);
    for (unsigned i = 0; i < guest->fds->len; i++) {
        close(g_array_index(guest->fds, OstlerFdMap, i).source);
    }
    return guest->process != NULL;
}

static bool coroutine_fn open_monitor(Guest *guest, GError **error)
{
    g_autofree char *path = g_build_filename(guest->folder, "qmp.sock", NULL);
    OstlerChannel *channel = ostler_channel_connect(path, error);

    guest->qmp = channel ? ostler_qmp_open(channel, NULL, START_MS, error) : NULL;
    return guest->qmp != NULL;
}

static void coroutine_fn stop(Guest *guest)
{
    OstlerProcessEnd end;

    g_clear_pointer(&guest->qmp, ostler_qmp_free);
    if (guest->process) {
        ostler_process_kill(guest->process);
        ostler_process_wait(guest->process, -1, &end);
        g_clear_pointer(&guest->process, ostler_process_free);
    }
    if (guest->said_fd >= 0) {
        close(guest->said_fd);
    }
    g_ptr_array_unref(guest->listeners);
    g_array_unref(guest->fds);
    g_free(guest->folder);
}

/* Every device with an id is there, and of the type that the plan says. */
static char *coroutine_fn find_missing(Guest *guest, const OstlerPlan *plan)
{
    for (unsigned i = 0; i < plan->n_devices; i++) {
        const OstlerPlanDevice *device = &plan->devices[i];
        if (!device->id) {
            continue;
        }
        g_autofree char *path = g_strdup_printf("/machine/peripheral/%s", device->id);
        g_autoptr(json_object) type = ostler_qmp_execute(
            guest->qmp, "qom-get",
            ostler_json_object("path", text(path), "property", text("type"), NULL),
            START_MS, NULL);
        if (!type || strcmp(json_object_get_string(type), device->type) != 0) {
            return g_strdup_printf("%s is not at %s as %s", device->who, path,
                                   device->type);
        }
    }
    return NULL;
}

static Guest new_guest(void)
{
    static unsigned serial;
    Guest guest = {
        .folder = g_strdup_printf("%s/%u", scratch, serial++),
        .listeners =
            g_ptr_array_new_with_free_func((GDestroyNotify)ostler_listener_free),
        .fds = g_array_new(false, false, sizeof(OstlerFdMap)),
        .said_fd = -1,
    };
    g_mkdir(guest.folder, 0700);
    return guest;
}

/* NULL if the plan starts and is all there, else what is wrong (caller frees). */
static char *coroutine_fn try_plan(const OstlerPlan *plan)
{
    Guest guest = new_guest();
    g_autoptr(GError) failed = NULL;
    char *wrong = NULL;

    if (start(&guest, plan, &failed) && open_monitor(&guest, &failed)) {
        wrong = find_missing(&guest, plan);
    }
    g_autofree char *said = guest.said_fd >= 0 ? read_said(&guest) : g_strdup("");
    if (failed) {
        wrong = g_strdup_printf("%s: %s", failed->message, said);
    } else if (!wrong && strstr(said, "was not created")) {
        wrong = g_strdup(said); /* a board's own card that is not there */
    }
    stop(&guest);
    return wrong;
}

static void set(OstlerSection *section, const char *key, const char *value)
{
    g_autoptr(GError) error = NULL;

    ostler_section_set(section, key, value, &error);
    g_assert_no_error(error);
}

static OstlerSection *add(OstlerDefinition *definition, const char *kind,
                          const char *label)
{
    g_autoptr(GError) error = NULL;
    OstlerSection *section = ostler_definition_add(definition, kind, label, &error);

    g_assert_no_error(error);
    return section;
}

/* A flash chip takes an image of its own size only. */
static char *make_flash(json_object *row)
{
    char *path = g_strdup_printf("%s/%s.flash", scratch,
                                 ostler_json_find_string(row, "machine"));
    int fd = g_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    g_assert_cmpint(ftruncate(fd, ostler_json_find_int(row, "flash-bytes", 0)), ==, 0);
    close(fd);
    return path;
}

static void add_needs(OstlerDefinition *definition, json_object *row)
{
    OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);
    json_object *needs = ostler_json_find(row, "needs");

    for (size_t i = 0; i < json_object_array_length(needs); i++) {
        const char *need = json_object_get_string(json_object_array_get_idx(needs, i));
        if (strcmp(need, "flash") == 0) {
            OstlerSection *flash = add(definition, "disk", "flash");
            g_autofree char *file = make_flash(row);
            set(flash, "file", file);
            set(flash, "bus", "pflash");
        } else {
            g_autofree char *file = g_build_filename(scratch, "image", NULL);
            set(guest, need, file);
        }
    }
}

static bool is_on_usb(json_object *row, const char *part)
{
    const char *type = ostler_json_find_string(row, part);
    return type && g_str_has_prefix(type, "usb-");
}

/* What the row says the machine has a place for, all in one guest; the share only
 * where nothing else may need the one port. */
static OstlerDefinition *define(json_object *row)
{
    OstlerDefinition *definition = ostler_definition_new("every");
    OstlerSection *guest = ostler_definition_find(definition, "guest", NULL);

    set(guest, "arch", ostler_json_find_string(row, "arch"));
    set(guest, "machine", ostler_json_find_string(row, "machine"));
    add_needs(definition, row);
    if (ostler_json_find(row, "disk")) {
        OstlerSection *disk = add(definition, "disk", "a");
        set(disk, "file", disk_path);
        set(disk, "share", "yes");
    }
    if (ostler_json_find(row, "nic")) {
        add(definition, "nic", "a");
    }
    if (ostler_json_find(row, "share") && !is_on_usb(row, "disk") &&
        !is_on_usb(row, "nic")) {
        set(add(definition, "share", "a"), "path", scratch);
    }
    return definition;
}

static char *coroutine_fn try_row(json_object *row)
{
    static const OstlerPlanHost host = { .accel = "tcg",
                                         .rundir = "/",
                                         .paused = true };
    const char *refusal = ostler_json_find_string(row, "refusal");
    if (refusal) {
        return *refusal ? NULL : g_strdup("refused without a reason");
    }

    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerDefinition) definition = define(row);
    g_autoptr(OstlerMachine) machine = ostler_machine_choose(definition, NULL, &error);
    g_autoptr(OstlerPlan) plan =
        machine ? ostler_plan_new(definition, machine, &host, &error) : NULL;
    if (!plan) {
        return g_strdup(error->message);
    }
    return try_plan(plan);
}

typedef struct {
    json_object *rows;
    size_t next;
    unsigned n_workers;
    unsigned n_wrong;
    CoEvent done;
} Round;

static void coroutine_fn work(void *opaque)
{
    Round *round = opaque;

    while (round->next < json_object_array_length(round->rows)) {
        json_object *row = json_object_array_get_idx(round->rows, round->next++);
        g_autofree char *wrong = try_row(row);
        if (wrong) {
            g_test_message("%s %s: %s", ostler_json_find_string(row, "arch"),
                           ostler_json_find_string(row, "machine"), wrong);
            round->n_wrong++;
        }
    }
    if (--round->n_workers == 0) {
        cpc_event_set(&round->done);
    }
}

static void coroutine_fn check_arch(void *opaque)
{
    const char *arch = opaque;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) rows = ostler_machine_table(arch, NULL, &error);
    g_assert_no_error(error);

    Round round = { .rows = rows, .n_workers = N_STARTS };
    for (unsigned i = 0; i < N_STARTS; i++) {
        cpc_spawn(work, &round);
    }
    cpc_event_wait(&round.done, -1);
    g_test_message("%zu machines, %u wrong", json_object_array_length(rows),
                   round.n_wrong);
    g_assert_cmpuint(round.n_wrong, ==, 0);
}

static void every_machine_starts_as_planned_or_says_why(gconstpointer arch)
{
    g_autofree char *emulator = g_strdup_printf("qemu-system-%s", (const char *)arch);
    g_autofree char *path = g_find_program_in_path(emulator);

    if (!path) {
        g_test_skip_printf("there is no %s", emulator);
        return;
    }
    cpc_run(check_arch, (void *)arch);
}

/* A definition with something of everything, on machines of different make. */
static const struct {
    const char *name;
    const char *arch;
    const char *text; /* %s: the disk's path */
} everything[] = {
    { "q35", "x86_64",
      "machine = q35\nmemory = 256M\ncpus = 2\niothreads = 1\nuuid = "
      "d9a6c0f4-32ab-4a52-8ab4-2f8b9c2a5a10\nboot-menu = yes\n"
      "[disk.v]\nfile = %s\nshare = yes\niothread = 1\n"
      "[disk.s]\nfile = %s\nshare = yes\nbus = scsi\nwwn = 5000c50015ea71ac\n"
      "[disk.t]\nfile = %s\nshare = yes\nbus = sata\nserial = a,b\n"
      "[disk.u]\nfile = %s\nshare = yes\nbus = usb\n"
      "[disk.n]\nfile = %s\nshare = yes\nbus = nvme\n"
      "[disk.w]\nfile = %s\nsnapshot = yes\ncache = none\n"
      "[disk.c]\ndevice = cdrom\n[nic.a]\n[nic.b]\nmodel = e1000e\n"
      "[nic.c]\ntype = none\nmodel = rtl8139\n[share.s]\npath = /\n"
      "[serial.a]\n[serial.b]\nmodel = virtio\n[serial.c]\nmodel = pci\n"
      "[channel.org]\n[parallel.p]\n[video]\nmodel = virtio\n[sound]\n"
      "[input.t]\ntype = tablet\n[input.k]\ntype = keyboard\nbus = virtio\n"
      "[rng.r]\nmax-bytes = 1024\n[watchdog]\n[balloon]\nfree-page-reporting = yes\n"
      "[filesystem.f]\npath = /\nreadonly = yes\n[panic]\n"
      "[numa.a]\ncpus = 0\nmemory = 128M\n[numa.b]\ncpus = 1\nmemory = 128M\n" },
    { "pc", "x86_64",
      "machine = pc\n[memory-backing]\nshared = yes\n"
      "[disk.i]\nfile = %s\nshare = yes\nbus = ide\n"
      "[disk.f]\nfile = %s\nshare = yes\ndevice = floppy\nreadonly = yes\n"
      "[disk.v]\nfile = %s\nshare = yes\n[nic.a]\n[sound]\nmodel = ac97\n"
      "[video]\nmodel = std\n[display]\ntype = vnc\n[panic]\nmodel = isa\n"
      "[watchdog]\nmodel = ib700\naction = pause\n" },
    { "microvm", "x86_64",
      "machine = microvm\n[disk.v]\nfile = %s\nshare = yes\n"
      "[disk.s]\nfile = %s\nshare = yes\nbus = scsi\n[nic.a]\n[rng.r]\n"
      "[share.s]\npath = /\n[channel.c]\n[balloon]\n" },
    { "virt-pci", "aarch64",
      "machine = virt\n[disk.v]\nfile = %s\nshare = yes\n[nic.a]\n[rng.r]\n"
      "[disk.c]\ndevice = cdrom\n[share.s]\npath = /\n[video]\nmodel = ramfb\n"
      "[serial.a]\n[serial.b]\n" },
    { "virt-mmio", "arm",
      "machine = virt\ntransport = mmio\n[disk.b]\nfile = %s\nshare = yes\n"
      "[disk.a]\nfile = %s\nshare = yes\n[nic.a]\n[input.k]\ntype = keyboard\n"
      "bus = virtio\n" },
    { "versatilepb", "arm",
      "machine = versatilepb\n[disk.v]\nfile = %s\nshare = yes\n"
      "[disk.s]\nfile = %s\nshare = yes\nbus = sd\n[nic.a]\n[nic.b]\n"
      "model = smc91c111\n[share.s]\npath = /\n" },
};

/* @text with every "%s" replaced by the disk's path. */
static char *fill_in(const char *text)
{
    g_auto(GStrv) pieces = g_strsplit(text, "%s", -1);
    g_autofree char *body = g_strjoinv(disk_path, pieces);

    return g_strdup_printf("[guest]\nname = everything\n%s", body);
}

typedef struct {
    const char *arch;
    const char *text;
} Case;

static void coroutine_fn try_everything(void *opaque)
{
    static const OstlerPlanHost host = { .accel = "tcg",
                                         .rundir = "/",
                                         .paused = true };
    const Case *one = opaque;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = fill_in(one->text);
    g_autoptr(OstlerDefinition) definition =
        ostler_definition_parse(text, strlen(text), "/e.guest", &error);
    g_assert_no_error(error);
    set(ostler_definition_find(definition, "guest", NULL), "arch", one->arch);
    g_autoptr(OstlerMachine) machine = ostler_machine_choose(definition, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(OstlerPlan) plan = ostler_plan_new(definition, machine, &host, &error);
    g_assert_no_error(error);

    g_autofree char *wrong = try_plan(plan);
    g_assert_cmpstr(wrong, ==, NULL);
}

static void everything_at_once_starts(gconstpointer opaque)
{
    size_t i = GPOINTER_TO_SIZE(opaque);
    Case one = { everything[i].arch, everything[i].text };
    g_autofree char *emulator = g_strdup_printf("qemu-system-%s", one.arch);
    g_autofree char *path = g_find_program_in_path(emulator);

    if (!path) {
        g_test_skip_printf("there is no %s", emulator);
        return;
    }
    cpc_run(try_everything, &one);
}

/* The lines of @text that are rows of @arch: what is compared with the document. */
static char *rows_of(const char *text, const char *arch)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *prefix = g_strdup_printf("| %s |", arch);
    GString *rows = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, prefix)) {
            g_string_append_printf(rows, "%s\n", *line);
        }
    }
    return g_string_free(rows, false);
}

typedef struct {
    const char *arch;
    char *rows;
    char *version;
} Asked;

static void coroutine_fn ask_table(void *opaque)
{
    Asked *asked = opaque;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) rows = ostler_machine_table(asked->arch, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *markdown = ostler_machine_table_markdown(rows);
    g_autoptr(OstlerMachine) none =
        ostler_machine_probe(asked->arch, "none", NULL, &error);

    g_assert_no_error(error);
    asked->rows = rows_of(markdown, asked->arch);
    asked->version =
        g_strdup_printf("QEMU %d.%d", none->version / 10000, none->version / 100 % 100);
}

/* The document is of one QEMU version, and is compared under that one only. */
static void the_document_says_what_the_machines_say(gconstpointer arch)
{
    g_autofree char *path =
        g_build_filename(g_getenv("SOURCE_DIR"), "docs", "machines.md", NULL);
    g_autofree char *document = NULL;
    g_autoptr(GError) error = NULL;
    Asked asked = { .arch = arch };

    g_file_get_contents(path, &document, NULL, &error);
    g_assert_no_error(error);
    cpc_run(ask_table, &asked);
    if (strstr(document, asked.version)) {
        g_autofree char *documented = rows_of(document, arch);
        g_assert_cmpstr(documented, ==, asked.rows);
    } else {
        g_test_skip_printf("docs/machines.md is not of %s", asked.version);
    }
    g_free(asked.rows);
    g_free(asked.version);
}

static void make_scratch(void)
{
    g_autoptr(GError) error = NULL;

    scratch = g_dir_make_tmp("ostler-machines-XXXXXX", &error);
    g_assert_no_error(error);
    disk_path = g_build_filename(scratch, "disk.img", NULL);
    int fd = g_open(disk_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, DISK_SIZE), ==, 0);
    close(fd);
    g_autofree char *image = g_build_filename(scratch, "image", NULL);
    static const char zeroes[4096];
    g_assert_true(g_file_set_contents(image, zeroes, sizeof(zeroes), NULL));
}

static void keep_answers(void)
{
    const char *build = g_getenv("BUILD_DIR");

    if (build) {
        g_autofree char *home = g_build_filename(build, "tests", "machines-home", NULL);
        g_setenv("OSTLER_HOME", home, true);
    }
}

static void remove_scratch(void)
{
    ostler_test_remove(scratch);
    g_free(disk_path);
    g_free(scratch);
}

int main(int argc, char **argv)
{
    static const char *const archs[] = { "riscv64", "x86_64", "arm", "aarch64" };

    g_test_init(&argc, &argv, NULL);
    keep_answers();
    make_scratch();
    for (unsigned i = 0; i < G_N_ELEMENTS(archs); i++) {
        g_autofree char *starts = g_strdup_printf(
            "/%s/every-machine-starts-as-planned-or-says-why", archs[i]);
        g_autofree char *document =
            g_strdup_printf("/%s/the-document-says-what-the-machines-say", archs[i]);
        g_test_add_data_func(starts, archs[i],
                             every_machine_starts_as_planned_or_says_why);
        g_test_add_data_func(document, archs[i],
                             the_document_says_what_the_machines_say);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(everything); i++) {
        g_autofree char *name =
            g_strdup_printf("/everything-at-once-starts/%s", everything[i].name);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), everything_at_once_starts);
    }
    int result = g_test_run();
    remove_scratch();
    return result;
}
