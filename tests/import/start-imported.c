/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start-imported - import domains, and start what is accepted under -S
 *
 *     start-imported FOLDER [--import-only] FILE...
 *
 * Each file is tried in a process of its own, so that a crash is one result among
 * others.  What the domain's host had and this one has not is replaced by stubs in
 * FOLDER: images, kernels, firmware, folders.  QEMU must then greet on its monitor and
 * answer query-status.  One line a file: RESULT, FILE, the reason; counts at the end.
 * Exit code 1 if anything crashed or did not start without a reason of the host's.
 */
#include <cpc/glib.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/import/import.h"
#include "guest/machines/firmware.h"
#include "guest/plan.h"

#define STUB_BYTES      (64 << 20)
#define FLOPPY_BYTES    (1440 << 10)
#define QMP_TIMEOUT_S   30
#define MAX_DESCRIPTORS 300
#define TSC_KHZ         2000000

/* --- results -------------------------------------------------------------------- */

typedef enum {
    STARTED,
    ACCEPTED, /* with --import-only */
    REFUSED,
    NO_EMULATOR,
    NO_MACHINE,
    NO_HOST,
    OWN_ARGUMENTS,
    NOT_PLANNED,
    NOT_STARTED,
    CRASHED,
    N_RESULTS
} Result;

static const struct {
    const char *name;
    bool is_failure;
    const char *meaning;
} results[] = {
    [STARTED] = { "started", false, "QEMU greeted and answered query-status" },
    [ACCEPTED] = { "accepted", false, "a definition" },
    [REFUSED] = { "refused", false, "an error instead of a definition" },
    [NO_EMULATOR] = { "no-emulator", false,
                      "this host has no QEMU for the architecture" },
    [NO_MACHINE] = { "no-machine", false, "this QEMU does not start such a machine" },
    [NO_HOST] = { "needs-host", false, "a device, program or set-up of the host's" },
    [OWN_ARGUMENTS] = { "own-arguments", false,
                        "the domain's own qemu:commandline or emulator" },
    [NOT_PLANNED] = { "not-planned", false, "the plan refuses it with its reason" },
    [NOT_STARTED] = { "not-started", true, "QEMU refused the plan" },
    [CRASHED] = { "crashed", true, "by a signal or a sanitizer" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(results) == N_RESULTS);

/* What QEMU and the plan say when the host lacks something. */
static const struct {
    const char *says;
    Result result;
} reasons[] = {
    { "There is no emulator", NO_EMULATOR },
    { "memory size must not exceed", NO_MACHINE },
    { "exceeds max CPUs supported", NO_MACHINE },
    { "Add sve=on to the CPU property list", NO_MACHINE },
    { "unsupported machine type", NO_MACHINE },
    { "kernel doesn't allow setting HyperV", NO_HOST },
    { "requires kernel irqchip", NO_HOST },
    { "is not available for CPU model", NO_HOST },
    { "not available in the configuration", NO_HOST },
    { "Cannot assign requested address", NO_HOST },
    { "failed to find host usb device", NO_HOST },
    { "not a parallel port", NO_HOST },
    { "Display 'sdl' is not available", NO_HOST },
    { "failed to connect to DBus", NO_HOST },
    { "failed to initialize spice server", NO_HOST }, /* an address not ours */
    { "failed to create memfd", NO_HOST },
    { "failed to resize memfd", NO_HOST },
    { "can't load /", NO_HOST },
    { "TCG cannot support more than 1 thread", NO_HOST },
    { "Try appending -machine cap-", NO_HOST },
    { "could not find firmware/kernel file", NO_HOST },
    { "vfio", NO_HOST },
    { "/dev/vhost", NO_HOST },
    { "vhost-vsock: failed to open", NO_HOST },
    { "/dev/tpm", NO_HOST },
    { "tpm-passthrough", NO_HOST },
    { "Cannot open TPM", NO_HOST },
    { "could not configure /dev/net/tun", NO_HOST },
    { "failed to launch bridge helper", NO_HOST },
    { "bridge helper failed", NO_HOST },
    { "unable to map backing store for guest RAM", NO_HOST },
    { "Cannot allocate memory", NO_HOST },
    { "cannot set up guest memory", NO_HOST },
    { "mlock", NO_HOST },
    { "Failed to connect", NO_HOST },
    { "failed to connect", NO_HOST },
    { "Parameter 'aio'", NO_HOST },
    { "There is no EFI firmware", NO_HOST },
    { "gtk initialization failed", NO_HOST },
    { "Could not initialize SDL", NO_HOST },
    { "invalid accelerator kvm", NO_HOST },
};

static void finish(Result result, const char *detail)
{
    g_autofree char *line = g_strdup(detail ? detail : "");

    g_strdelimit(line, "\n\t", ' ');
    printf("%d\t%s", (int)result, line);
    fflush(stdout);
    _exit(0);
}

/* --- stubs ---------------------------------------------------------------------- */

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "start-imported: %s: %s\n", what, g_strerror(errno));
        _exit(3);
    }
}

static char *stub_path(const char *prefix)
{
    static unsigned n_stubs;
    g_autofree char *folder = g_get_current_dir();

    return g_strdup_printf("%s/%s-%u", folder, prefix, n_stubs++);
}

static char *raw_stub(const char *prefix, off_t size)
{
    char *path = stub_path(prefix);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    must(fd >= 0 && ftruncate(fd, size) == 0, path);
    close(fd);
    return path;
}

static char *formatted_stub(const char *format)
{
    char *path = stub_path("disk");
    g_autofree char *size = g_strdup_printf("%d", STUB_BYTES);
    const char *argv[] = { "qemu-img", "create", "-q", "-f", format, path, size, NULL };
    g_autoptr(GError) error = NULL;

    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                      NULL, NULL, &error)) {
        finish(NO_HOST, error->message);
    }
    return path;
}

static char *stub_disk(const OstlerSection *disk, const char *value)
{
    const char *format = ostler_section_get(disk, "format");
    bool is_floppy = strcmp(ostler_section_get(disk, "device"), "floppy") == 0;

    if (format && strcmp(format, "raw") != 0) {
        return formatted_stub(format);
    }
    return raw_stub("disk", is_floppy ? FLOPPY_BYTES : STUB_BYTES);
}

/* Linux Documentation/arch/x86/boot.rst: the fields that a loader reads. */
static char *stub_kernel(const OstlerSection *guest, const char *value)
{
    static const guint8 header[] = {
        [0x1f1] = 1,    [0x1fe] = 0x55, [0x1ff] = 0xaa, [0x202] = 'H',  [0x203] = 'd',
        [0x204] = 'r',  [0x205] = 'S',  [0x206] = 0x0c, [0x207] = 0x02, [0x211] = 1,
        [0x22c] = 0xff, [0x22d] = 0xff, [0x22e] = 0xff, [0x22f] = 0x37, [16383] = 0,
    };
    char *path = stub_path("kernel");

    must(g_file_set_contents(path, (const char *)header, sizeof header, NULL), path);
    return path;
}

static char *stub_initrd(const OstlerSection *guest, const char *value)
{
    return raw_stub("initrd", 4096);
}

/* Devicetree Specification 0.4, chapter 5: a root with the two cell counts. */
static char *stub_dtb(const OstlerSection *guest, const char *value)
{
    static const guint32 words[] = {
        0xd00dfeed, 136, 56, 108, 40, 17, 16, 0, 27, 52, /* header */
        0,          0,   0,  0,                          /* no reservations */
        1,          0,                                   /* begin "" */
        3,          4,   0,  1,                          /* #address-cells = 1 */
        3,          4,   15, 1,                          /* #size-cells = 1 */
        2,          9,   9,                              /* end */
    };
    static const char names[] = "#address-cells\0#size-cells";
    char *path = stub_path("dtb");
    GByteArray *blob = g_byte_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        guint32 word = GUINT32_TO_BE(words[i]);
        g_byte_array_append(blob, (guint8 *)&word, sizeof word);
    }
    g_byte_array_append(blob, (const guint8 *)names, sizeof names);
    must(g_file_set_contents(path, (char *)blob->data, blob->len, NULL), path);
    g_byte_array_unref(blob);
    return path;
}

static bool is_x86(const OstlerSection *guest)
{
    const char *arch = ostler_section_get(guest, "arch");

    return strcmp(arch, "x86_64") == 0 || strcmp(arch, "i386") == 0;
}

/* Flash of an x86 machine ends below 4 GiB and is at most 8 MiB; Arm's virt has two
 * banks of 64 MiB (QEMU hw/i386/pc_sysfw.c, hw/arm/virt.c). */
static char *stub_firmware(const OstlerSection *guest, const char *value)
{
    if (strcmp(value, "bios") == 0 || strcmp(value, "efi") == 0) {
        return g_strdup(value);
    }
    if (is_x86(guest)) {
        return raw_stub("firmware", 256 << 10);
    }
    return raw_stub("firmware", 64 << 20);
}

static char *stub_vars(const OstlerSection *guest, const char *value)
{
    return raw_stub("vars", is_x86(guest) ? 128 << 10 : 64 << 20);
}

static char *stub_folder(const OstlerSection *filesystem, const char *value)
{
    char *path = stub_path("folder");

    must(g_mkdir(path, 0700) == 0, path);
    return path;
}

/* A port's path: a file or socket to make, a pipe's two ends, or a terminal. */
static char *stub_port(const OstlerSection *port, const char *value)
{
    const char *type = ostler_section_get(port, "type");

    if (strcmp(type, "device") == 0) {
        int terminal = posix_openpt(O_RDWR | O_NOCTTY); /* kept open for QEMU's sake */
        must(terminal >= 0 && unlockpt(terminal) == 0, "posix_openpt");
        return g_strdup(ptsname(terminal));
    }

    char *path = stub_path("port");
    if (strcmp(type, "pipe") == 0) {
        g_autofree char *in = g_strconcat(path, ".in", NULL);
        g_autofree char *out = g_strconcat(path, ".out", NULL);
        must(mkfifo(in, 0600) == 0 && mkfifo(out, 0600) == 0, path);
    }
    return path;
}

static char *stub_random(const OstlerSection *rng, const char *value)
{
    return g_strdup("/dev/urandom");
}

/* @as: the key it becomes; NULL @stub: left out. */
static const struct {
    const char *kind;
    const char *key;
    const char *as;
    char *(*stub)(const OstlerSection *section, const char *value);
} stubs[] = {
    { "guest", "emulator", NULL, NULL },
    { "guest", "kernel", "kernel", stub_kernel },
    { "guest", "initrd", "initrd", stub_initrd },
    { "guest", "dtb", "dtb", stub_dtb },
    { "guest", "firmware", "firmware", stub_firmware },
    { "guest", "firmware-vars", "firmware-vars", stub_vars },
    { "memory-backing", "prealloc", NULL, NULL }, /* gigabytes, for an answer */
    { "memory-backing", "locked", NULL, NULL },   /* the same */
    { "disk", "file", "file", stub_disk },
    { "disk", "url", "file", stub_disk },
    { "filesystem", "path", "path", stub_folder },
    { "share", "path", "path", stub_folder },
    { "serial", "path", "path", stub_port },
    { "parallel", "path", "path", stub_port },
    { "channel", "path", "path", stub_port },
    { "rng", "source", "source", stub_random },
};

static void copy_value(OstlerSection *to, const OstlerSection *from, const char *key,
                       const char *value)
{
    g_autofree char *stub = g_strdup(value);
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(stubs); i++) {
        if (strcmp(stubs[i].kind, ostler_section_kind(from)) != 0 ||
            strcmp(stubs[i].key, key) != 0) {
            continue;
        }
        if (!stubs[i].stub) {
            return;
        }
        g_free(stub);
        stub = stubs[i].stub(from, value);
        key = stubs[i].as;
        break;
    }
    must(ostler_section_set(to, key, stub, &error), error ? error->message : key);
}

static void copy_section(OstlerSection *to, const OstlerSection *from)
{
    const OstlerSectionRow *row = ostler_vocabulary_find(ostler_section_kind(from));

    for (const OstlerKeyRow *key = row->keys; key->name; key++) {
        if (!ostler_section_has(from, key->name) || strcmp(key->name, "name") == 0) {
            continue;
        }
        if (!key->is_list) {
            copy_value(to, from, key->name, ostler_section_get(from, key->name));
            continue;
        }
        g_autofree const char **values = ostler_section_get_list(from, key->name);
        for (const char **value = values; *value; value++) {
            copy_value(to, from, key->name, *value);
        }
    }
    /* Not the guest's, which has been given already. */
    if (strcmp(row->kind, "channel") == 0 && ostler_section_has(from, "name")) {
        copy_value(to, from, "name", ostler_section_get(from, "name"));
    }
}

/* The same guest on this host: every path of the other's is a stub. */
static OstlerDefinition *with_stubs(const OstlerDefinition *definition)
{
    OstlerDefinition *copy = ostler_definition_new(ostler_definition_name(definition));

    for (OstlerSection *from = ostler_definition_first(definition, NULL); from;
         from = ostler_section_next(from, NULL)) {
        const char *kind = ostler_section_kind(from);
        const char *label = ostler_section_label(from);
        OstlerSection *to = ostler_definition_find(copy, kind, label);

        copy_section(to ? to : ostler_definition_add(copy, kind, label, NULL), from);
    }
    return copy;
}

/* --- starting ------------------------------------------------------------------- */

typedef struct {
    const OstlerDefinition *definition;
    OstlerMachine *machine;
    GError *error;
} Probe;

static void coroutine_fn probe(void *opaque)
{
    Probe *probe = opaque;
    const OstlerDefinition *definition = probe->definition;

    probe->machine = ostler_machine_probe(
        ostler_definition_get(definition, "guest", "arch"),
        ostler_definition_machine(definition), NULL, &probe->error);
}

static int make_socket(const OstlerPlanSocket *socket_row)
{
    int pair[2];
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (socket_row->type != OSTLER_PLAN_LISTENER) {
        int type = socket_row->type == OSTLER_PLAN_DATAGRAM ? SOCK_DGRAM : SOCK_STREAM;
        must(socketpair(AF_UNIX, type, 0, pair) == 0, "socketpair");
        return pair[0];
    }
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s.sock", socket_row->name);

    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
             listen(fd, 1) == 0,
         address.sun_path);
    return fd;
}

/* Above all target numbers first, so that none is overwritten before it is moved. */
static void become_qemu(const OstlerPlan *plan, const int *sockets)
{
    int log = open("stderr", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int high[MAX_DESCRIPTORS];

    dup2(log, 1);
    dup2(log, 2);
    for (unsigned i = 0; i < plan->n_sockets; i++) {
        high[i] = fcntl(sockets[i], F_DUPFD, 2 * MAX_DESCRIPTORS);
    }
    for (unsigned i = 0; i < plan->n_sockets; i++) {
        dup2(high[i], plan->sockets[i].target_fd);
        close(high[i]);
    }
    execv(plan->argv[0], plan->argv);
    _exit(127);
}

static int connect_monitor(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "qmp.sock" };
    struct timeval timeout = { .tv_sec = QMP_TIMEOUT_S };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0,
         "qmp.sock");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return fd;
}

/* Whether QEMU greets and says that it waits for cont. */
static bool converse(int fd)
{
    static const char commands[] = "{\"execute\":\"qmp_capabilities\"}\n"
                                   "{\"execute\":\"query-status\"}\n"
                                   "{\"execute\":\"quit\"}\n";
    g_autoptr(GString) heard = g_string_new(NULL);
    char buffer[4096];
    ssize_t n;

    if (send(fd, commands, strlen(commands), MSG_NOSIGNAL) < 0) {
        return false;
    }
    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        g_string_append_len(heard, buffer, n);
    }
    return strstr(heard->str, "\"QMP\"") && strstr(heard->str, "\"running\": false");
}

/* The last thing that QEMU said is why it went. */
static char *last_words(void)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents("stderr", &text, NULL, NULL)) {
        return g_strdup("");
    }
    g_strchomp(text);
    const char *line = strrchr(text, '\n');
    return g_strdup(line ? line + 1 : text);
}

static Result reason_of(const char *words, Result otherwise)
{
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
        if (strstr(words, reasons[i].says)) {
            return reasons[i].result;
        }
    }
    return otherwise;
}

static void start(const OstlerDefinition *definition, const OstlerPlan *plan)
{
    int sockets[MAX_DESCRIPTORS];

    must(plan->n_sockets <= MAX_DESCRIPTORS, "too many sockets");
    for (unsigned i = 0; i < plan->n_sockets; i++) {
        sockets[i] = make_socket(&plan->sockets[i]);
    }

    pid_t qemu = fork();
    if (qemu == 0) {
        become_qemu(plan, sockets);
    }
    for (unsigned i = 0; i < plan->n_sockets; i++) {
        close(sockets[i]);
    }

    int status;
    bool greeted = converse(connect_monitor());
    kill(qemu, SIGKILL);
    waitpid(qemu, &status, 0);
    if (greeted) {
        finish(STARTED, NULL);
    }

    g_autofree char *words = last_words();
    bool has_arguments =
        ostler_definition_find(definition, "qemu", NULL) &&
        ostler_section_has(ostler_definition_find(definition, "qemu", NULL),
                           "argument");
    finish(reason_of(words, has_arguments ? OWN_ARGUMENTS : NOT_STARTED), words);
}

static void try_file(const char *file, const char *folder, bool is_starting)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OstlerImportReport) report = NULL;
    g_autoptr(OstlerDefinition) definition = ostler_import_file(file, &report, &error);

    if (!definition) {
        finish(REFUSED, error->message);
    }
    if (!is_starting) {
        finish(ACCEPTED, NULL);
    }
    must(g_chdir(folder) == 0, folder);

    g_autoptr(OstlerDefinition) local = with_stubs(definition);
    Probe machine = { .definition = local };
    cpc_run(probe, &machine);
    if (!machine.machine) {
        finish(reason_of(machine.error->message, NO_MACHINE), machine.error->message);
    }

    g_autoptr(OstlerFirmware) firmware = ostler_firmware_find(
        ostler_machine_arch(machine.machine), machine.machine->full_name);
    OstlerPlanHost host = {
        .accel = "tcg",
        .rundir = folder,
        .tsc_khz = TSC_KHZ,
        .paused = true,
        .efi_code = firmware ? firmware->code : NULL,
        .efi_vars = firmware ? firmware->vars : NULL,
    };
    g_autoptr(OstlerPlan) plan = ostler_plan_new(local, machine.machine, &host, &error);
    if (!plan) {
        finish(reason_of(error->message, NOT_PLANNED), error->message);
    }
    if (g_getenv("OSTLER_SHOW_PLAN")) {
        g_autofree char *line = g_strjoinv(" ", plan->argv);
        fprintf(stderr, "%s\n", line);
    }
    start(local, plan);
}

/* --- a file, a process ---------------------------------------------------------- */

static void clear_folder(const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_remove(path);
    }
}

static char *read_all(int fd)
{
    GString *text = g_string_new(NULL);
    char buffer[1024];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        g_string_append_len(text, buffer, n);
    }
    return g_string_free(text, FALSE);
}

static Result try_in_process(const char *file, const char *folder, bool is_starting)
{
    int pipe_fds[2];
    int status;

    must(pipe(pipe_fds) == 0, "pipe");
    clear_folder(folder);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_fds[1], 1);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        try_file(file, folder, is_starting);
        _exit(4);
    }
    close(pipe_fds[1]);

    g_autofree char *answer = read_all(pipe_fds[0]);
    close(pipe_fds[0]);
    waitpid(child, &status, 0);

    char *detail = strchr(answer, '\t');
    bool is_whole = WIFEXITED(status) && WEXITSTATUS(status) == 0 && detail;
    Result result = is_whole ? (Result)g_ascii_strtoull(answer, NULL, 10) : CRASHED;
    printf("%s\t%s\t%s\n", results[result].name, file, is_whole ? detail + 1 : answer);
    fflush(stdout);
    return result;
}

int main(int argc, char **argv)
{
    unsigned counts[N_RESULTS] = { 0 };
    bool has_failed = false;

    if (argc < 3) {
        fprintf(stderr, "usage: start-imported FOLDER [--import-only] FILE...\n");
        return 2;
    }

    bool is_starting = strcmp(argv[2], "--import-only") != 0;
    for (int i = is_starting ? 2 : 3; i < argc; i++) {
        g_autofree char *file = g_canonicalize_filename(argv[i], NULL);
        counts[try_in_process(file, argv[1], is_starting)]++;
    }
    for (int i = 0; i < N_RESULTS; i++) {
        if (counts[i] > 0) {
            printf("# %5u %-13s %s\n", counts[i], results[i].name, results[i].meaning);
            has_failed |= results[i].is_failure;
        }
    }
    return has_failed;
}
