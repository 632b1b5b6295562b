/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * An engine gives a command line whose descriptor SERIAL_FD is the guest's serial port.
 * Its lines are read until the engine ends or has been silent for too long; then the
 * whole process group is killed, so that nothing is left behind.  An exit status is not
 * asked for: Bochs always exits with 1, and the flat's SUMMARY line says more.
 *
 * The port is a pseudo terminal, because Bochs writes it through stdio and does not
 * flush when it panics: with a file or a pipe the line that names the rule is lost.
 */

#define SERIAL_FD 3

struct Engine {
    const char *name;
    const char *program;
    /* A NULL-terminated command line; may put files into @dir. */
    char **(*command)(const EngineBoot *boot, const char *dir, GError **error);
    const char *version_option;
};

static bool is_vmx(const EngineBoot *boot)
{
    g_autofree char *name = g_path_get_basename(boot->flat);

    return g_str_has_prefix(name, "vmx");
}

/* QEMU */

static char **qemu_command(const EngineBoot *boot, const char *machine, const char *cpu)
{
    GPtrArray *argv = g_ptr_array_new();
    g_autofree char *n_cpus = g_strdup_printf("%u", boot->n_cpus);
    const char *const fixed[] = {
        "qemu-system-x86_64",
        "-no-reboot",
        "-nodefaults",
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4",
        "-display",
        "none",
        "-chardev",
        "file,id=serial,path=/proc/self/fd/3",
        "-serial",
        "chardev:serial",
        "-m",
        "256",
        "-smp",
        n_cpus,
        "-machine",
        machine,
        "-cpu",
        cpu,
        "-kernel",
        boot->flat,
        "-append",
        boot->arguments,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(fixed); i++) {
        g_ptr_array_add(argv, g_strdup(fixed[i]));
    }
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

static char **tcg_command(const EngineBoot *boot, const char *dir, GError **error)
{
    return qemu_command(boot, "accel=tcg", boot->cpu ? boot->cpu : "max,+svm");
}

static char **kvm_command(const EngineBoot *boot, const char *dir, GError **error)
{
    return qemu_command(boot, "accel=kvm", boot->cpu ? boot->cpu : "host");
}

/* Bochs: it boots from a CD, by GRUB */

static bool write_file(const char *dir, const char *name, const char *text,
                       GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    return g_file_set_contents(path, text, -1, error);
}

static bool copy_flat(const char *flat, const char *dir, GError **error)
{
    g_autofree char *path = g_build_filename(dir, "cd", "boot", "k.flat", NULL);
    g_autofree char *bytes = NULL;
    gsize size;

    return g_file_get_contents(flat, &bytes, &size, error) &&
           g_file_set_contents(path, bytes, (gssize)size, error);
}

static bool make_cd(const EngineBoot *boot, const char *dir, GError **error)
{
    g_autofree char *folders = g_build_filename(dir, "cd", "boot", "grub", NULL);
    g_autofree char *cd = g_build_filename(dir, "cd", NULL);
    g_autofree char *iso = g_build_filename(dir, "k.iso", NULL);
    g_autofree char *menu = g_strdup_printf("set timeout=0\n"
                                            "menuentry k {\n"
                                            "  multiboot /boot/k.flat k.flat %s\n"
                                            "  boot\n"
                                            "}\n",
                                            boot->arguments);
    const char *argv[] = {
        "grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", iso, cd, NULL
    };
    int status;

    g_mkdir_with_parents(folders, 0700);
    return copy_flat(boot->flat, dir, error) &&
           write_file(folders, "grub.cfg", menu, error) &&
           g_spawn_sync(NULL, (char **)argv, NULL,
                        G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                            G_SPAWN_STDERR_TO_DEV_NULL,
                        NULL, NULL, NULL, NULL, &status, error) &&
           g_spawn_check_wait_status(status, error);
}

/* The sound lines: without them Bochs 2.7 opens ALSA for the speaker, and on a host
 * that has none its mixer thread overflows a buffer. */
static const char bochs_settings[] =
    "megs: 256\n"
    "cpu: model=%s, count=%u, ips=50000000, reset_on_triple_fault=0\n"
    "romimage: file=/usr/share/bochs/BIOS-bochs-latest\n"
    "vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest\n"
    "ata0-master: type=cdrom, path=%s/k.iso, status=inserted\n"
    "boot: cdrom\n"
    "com1: enabled=1, mode=file, dev=/proc/self/fd/3\n"
    "port_e9_hack: enabled=1\n"
    "panic: action=fatal\n"
    "clock: sync=none\n"
    "display_library: rfb, options=\"timeout=0\"\n"
    "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy\n"
    "speaker: enabled=0\n"
    "log: %s/bochs.log\n";

static char **bochs_command(const EngineBoot *boot, const char *dir, GError **error)
{
    const char *cpu = boot->cpu      ? boot->cpu
                      : is_vmx(boot) ? "corei7_skylake_x"
                                     : "ryzen";
    g_autofree char *settings =
        g_strdup_printf(bochs_settings, cpu, boot->n_cpus, dir, dir);
    const char *argv[] = { "bochs", "-q", "-f", NULL, "-rc", NULL, NULL };
    g_autofree char *settings_path = g_build_filename(dir, "bochsrc", NULL);
    g_autofree char *debugger_path = g_build_filename(dir, "debugger", NULL);

    /* Debian's build stops in its debugger at power-on: "c" goes on. */
    if (!make_cd(boot, dir, error) || !write_file(dir, "bochsrc", settings, error) ||
        !write_file(dir, "debugger", "c\n", error)) {
        return NULL;
    }
    argv[3] = settings_path;
    argv[5] = debugger_path;
    return g_strdupv((char **)argv);
}

static const Engine engines[] = {
    { "tcg", "qemu-system-x86_64", tcg_command, "--version" },
    { "bochs", "bochs", bochs_command, "--help" },
    { "kvm", "qemu-system-x86_64", kvm_command, "--version" },
};

const Engine *engine_find(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(engines); i++) {
        if (strcmp(engines[i].name, name) == 0) {
            return &engines[i];
        }
    }
    return NULL;
}

const char *engine_name(const Engine *engine)
{
    return engine->name;
}

char *engine_names(void)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(engines); i++) {
        g_string_append_printf(names, "%s%s", i ? ", " : "", engines[i].name);
    }
    return g_string_free(names, FALSE);
}

/* The first thing in @text that looks like a version. */
static char *find_version(const char *text)
{
    g_autoptr(GRegex) regex = g_regex_new("[0-9]+\\.[0-9]+(\\.[0-9]+)?", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    return g_regex_match(regex, text, 0, &match) ? g_match_info_fetch(match, 0)
                                                 : g_strdup("unknown");
}

char *engine_version(const Engine *engine, char **out_lack)
{
    const char *argv[] = { engine->program, engine->version_option, NULL };
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL;
    g_autofree char *all = NULL;

    if (engine->command == kvm_command && g_access("/dev/kvm", R_OK | W_OK) != 0) {
        *out_lack = g_strdup("/dev/kvm is not there or not yours");
        return NULL;
    }
    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                      &output, &errors, NULL, NULL)) {
        *out_lack = g_strdup_printf("'%s' is not installed", engine->program);
        return NULL;
    }
    all = g_strconcat(output, errors, NULL);
    /* Bochs says "Bochs x86 Emulator 2.7" between lines with other numbers. */
    const char *from = strstr(all, "Emulator ");
    return find_version(from ? from : all);
}

/* One boot */

typedef struct {
    char bytes[VERDICT_MAX_LINE];
    size_t size;
} Line;

static void take_bytes(Line *line, const char *bytes, size_t size,
                       VerdictReader *reader)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || line->size == sizeof line->bytes - 1) {
            line->bytes[line->size] = '\0';
            verdict_reader_line(reader, line->bytes);
            line->size = 0;
        }
        if (bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != '\0') {
            line->bytes[line->size++] = bytes[i];
        }
    }
}

/* What @pid has computed, in seconds; 0 if the system does not say. */
static unsigned cpu_seconds(GPid pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    unsigned long user = 0, system = 0;

    /* Fields 14 and 15; the second, the name, may have spaces and ends with ')'. */
    const char *rest =
        g_file_get_contents(path, &text, NULL, NULL) ? strrchr(text, ')') : NULL;
    if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                        &user, &system) != 2) {
        return 0;
    }
    return (unsigned)((user + system) / (unsigned long)sysconf(_SC_CLK_TCK));
}

/* On a busy host an engine says nothing for long because it does not run: it hangs when
 * it has computed for @stall_s without a word, or after some times that by the clock. */
#define CLOCK_TIMES 4

/* Until the end of the stream or a reset (true), or silence for too long (false). */
static bool read_serial(int fd, GPid pid, unsigned stall_s, VerdictReader *reader)
{
    g_autofree Line *line = g_new0(Line, 1);
    struct pollfd wait = { fd, POLLIN, 0 };
    unsigned silent_s = 0, computed_s = cpu_seconds(pid);
    char bytes[4096];

    while (silent_s < stall_s * CLOCK_TIMES &&
           cpu_seconds(pid) - computed_s < stall_s) {
        int ready = poll(&wait, 1, 1000);
        if (ready == 0 || (ready < 0 && errno == EINTR)) {
            silent_s += ready == 0;
            continue;
        }
        ssize_t size = ready < 0 ? -1 : read(fd, bytes, sizeof bytes);
        if (size <= 0) {
            return true;
        }
        take_bytes(line, bytes, (size_t)size, reader);
        if (reader->is_restarted) {
            return true;
        }
        silent_s = 0;
        computed_s = cpu_seconds(pid);
    }
    return false;
}

/* A group of its own, so that all of it can be ended; and no engine outlives us, since
 * a terminal's Ctrl-C does not reach that group. */
static void own_group(void *data)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool spawn(char **argv, int serial_fd, GPid *out_pid, GError **error)
{
    const int target = SERIAL_FD;
    /* glibc fills what is allocated with a pattern: an engine that answers with memory it
     * never wrote then answers the same every time (the dossier's VMX 17). */
    g_auto(GStrv) environment =
        g_environ_setenv(g_get_environ(), "MALLOC_PERTURB_", "32", TRUE);

    return g_spawn_async_with_pipes_and_fds(
        NULL, (const char *const *)argv, (const char *const *)environment,
        G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
            G_SPAWN_STDERR_TO_DEV_NULL,
        own_group, NULL, -1, -1, -1, &serial_fd, &target, 1, out_pid, NULL, NULL, NULL,
        error);
}

static void remove_tree(const char *dir)
{
    const char *argv[] = { "rm", "-rf", "--", dir, NULL };

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                 NULL, NULL);
}

/* Two ends of a raw terminal, the second for the engine. */
static bool open_terminal(int fds[2], GError **error)
{
    struct termios raw;

    fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    fds[1] = -1;
    if (fds[0] >= 0 && grantpt(fds[0]) == 0 && unlockpt(fds[0]) == 0) {
        fds[1] = open(ptsname(fds[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    if (fds[1] < 0 || tcgetattr(fds[1], &raw) != 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "Cannot open a pseudo terminal: %s", g_strerror(errno));
        return false;
    }
    cfmakeraw(&raw);
    return tcsetattr(fds[1], TCSANOW, &raw) == 0;
}

bool engine_boot(const Engine *engine, const EngineBoot *boot, VerdictReader *reader,
                 GError **error)
{
    g_autofree char *dir = g_dir_make_tmp("ostler-nested-XXXXXX", error);
    g_auto(GStrv) argv = dir ? engine->command(boot, dir, error) : NULL;
    int serial[2];
    GPid pid;

    if (!argv || !open_terminal(serial, error)) {
        return false;
    }

    bool is_started = spawn(argv, serial[1], &pid, error);
    close(serial[1]);
    if (is_started) {
        bool has_ended = read_serial(serial[0], pid, boot->stall_s, reader);
        kill(-pid, SIGKILL);
        waitpid(pid, NULL, 0);
        verdict_reader_end(reader, has_ended ? VERDICT_CRASH : VERDICT_HANG,
                           has_ended ? "the engine ended" : "no line for too long");
    }
    close(serial[0]);
    remove_tree(dir);
    return is_started;
}
