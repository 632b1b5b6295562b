/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * That /dev/kvm exists and can be opened proves nothing: inside containers and nested
 * guests the first KVM_RUN may abort QEMU or never return, and where the host below
 * emulates instructions one by one, KVM is many times slower than TCG.  So a
 * guest that counts to ten million is run as firmware: a moment of a processor, 0.1 s of
 * TCG.  It ends QEMU by itself in a way that nothing but executed code can
 * (isa-debug-exit's status, a PSCI power-off), or it is killed after two seconds.  The
 * answer holds for this boot and this binary.
 */
#include "guest/machines/accel.h"
#include "guest/machines/cache.h"
#include "guest/machines/emulator.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TRY_MS      2000
#define TRY_SECONDS "2"
#define IMAGE_BYTES 65536               /* the smallest -bios that QEMU's PCs take */
#define X86_OFFSET  (IMAGE_BYTES - 128) /* its last jump is at the reset vector */

#if defined(__x86_64__) || defined(__i386__)
#define HOST_FAMILY "x86"
#elif defined(__aarch64__)
#define HOST_FAMILY "arm64"
#else
#define HOST_FAMILY "none"
#endif

/*
 * At FFFFFF80H.  To 32 bits first: 16-bit code is emulated by KVM also on processors
 * that run everything else.  The reset vector is FFFFFFF0H (Intel SDM 3A 10.1.4).
 */
static const uint8_t x86_code[128] = {
    0xfa, /* start: cli */
    0x2e,
    0x66,
    0x0f,
    0x01,
    0x16,
    0xb8,
    0xff, /* lgdtl cs:gdtr */
    0x66,
    0xb8,
    0x11,
    0x00,
    0x00,
    0x00, /* mov eax, CR0.PE | CR0.ET */
    0x0f,
    0x22,
    0xc0, /* mov cr0, eax */
    0x66,
    0xea,
    0x99,
    0xff,
    0xff,
    0xff,
    8,
    0, /* ljmp 8:flat */
    0xb9,
    0x80,
    0x96,
    0x98,
    0x00, /* flat: mov ecx, 10000000 */
    0x49, /* 1: dec ecx */
    0x75,
    0xfd, /* jnz 1b */
    0xb0,
    0x10, /* mov al, 0x10 */
    0xe6,
    0xf4, /* out 0xf4, al */
    0xf4, /* hlt */
    0x66,
    0x90, /* nop */
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0, /* gdt: null */
    0xff,
    0xff,
    0,
    0,
    0,
    0x9a,
    0xcf,
    0, /* code, 4 GiB, 32 bits */
    0x0f,
    0x00,
    0xa8,
    0xff,
    0xff,
    0xff, /* gdtr: 16 bytes at gdt */
    [112] = 0xeb,
    0x8e, /* FFFFFFF0H: jmp start */
};

/* PSCI 5.1.9 SYSTEM_OFF is function 84000008H. */
static const uint8_t arm64_code[] = {
    0x01, 0x13, 0xa0, 0xd2, /* movz x1, #0x98, lsl #16: about 10,000,000 */
    0x21, 0x04, 0x00, 0xf1, /* 1: subs x1, x1, #1 */
    0xe1, 0xff, 0xff, 0x54, /* b.ne 1b */
    0x00, 0x01, 0x80, 0xd2, /* movz x0, #8 */
    0x00, 0x80, 0xb0, 0xf2, /* movk x0, #0x8400, lsl #16 */
    0x02, 0x00, 0x00, 0xd4, /* hvc #0 */
    0x00, 0x00, 0x00, 0x14, /* b . */
};

typedef struct {
    const char *arch;
    const char *family; /* hosts that can have KVM for it */
    const char *machine;
    const char *kvm_cpu;
    const char *tcg_cpu;
    const char *device; /* that the code ends QEMU with, or NULL */
    const uint8_t *code;
    size_t size;
    size_t offset; /* of the code in the firmware image */
    int status;    /* QEMU's, when the code has run */
} TinyGuest;

/* isa-debug-exit ends QEMU with (value << 1) | 1, hw/misc/debugexit.c. */
static const TinyGuest guests[] = {
    { "x86_64", "x86", "pc", "host", "max", "isa-debug-exit,iobase=0xf4,iosize=1",
      x86_code, sizeof(x86_code), X86_OFFSET, 0x10 << 1 | 1 },
    { "i386", "x86", "pc", "host", "max", "isa-debug-exit,iobase=0xf4,iosize=1",
      x86_code, sizeof(x86_code), X86_OFFSET, 0x10 << 1 | 1 },
    { "aarch64", "arm64", "virt", "host", "cortex-a57", NULL, arm64_code,
      sizeof(arm64_code), 0, 0 },
};

static const TinyGuest *find_guest(const char *arch)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(guests); i++) {
        if (strcmp(guests[i].arch, arch) == 0) {
            return &guests[i];
        }
    }
    return NULL;
}

/* The firmware image in a temporary file: its path (caller unlinks and frees). */
static char *write_image(const TinyGuest *guest)
{
    g_autofree uint8_t *image = g_malloc0(IMAGE_BYTES);
    char *path = NULL;
    int fd = g_file_open_tmp("ostler-tiny-XXXXXX", &path, NULL);

    if (fd < 0) {
        return NULL;
    }
    close(fd);
    memcpy(image + guest->offset, guest->code, guest->size);
    if (!g_file_set_contents(path, (const char *)image, IMAGE_BYTES, NULL)) {
        g_unlink(path);
        g_clear_pointer(&path, g_free);
    }
    return path;
}

static char *describe_failure(const char *said, const OstlerProcessEnd *end)
{
    if (end->signal == SIGKILL) {
        return g_strdup("a test guest of 0.1 seconds took more than " TRY_SECONDS);
    }
    if (end->signal) {
        g_autofree char *how = ostler_process_end_text(end);
        return g_strdup_printf("QEMU %s while it ran a test guest", how);
    }
    g_autofree char *reason = ostler_emulator_reason(said);
    return g_strdup_printf("QEMU says '%s'", reason);
}

static char *coroutine_fn run_guest(const TinyGuest *guest, const char *emulator,
                                    const char *accel, const char *image)
{
    bool is_kvm = strcmp(accel, "kvm") == 0;
    const char *const argv[] = {
        emulator,
        "-nodefaults",
        "-no-user-config",
        "-no-reboot",
        "-display",
        "none",
        "-machine",
        guest->machine,
        "-accel",
        accel,
        "-cpu",
        is_kvm ? guest->kvm_cpu : guest->tcg_cpu,
        "-m",
        "16M",
        "-bios",
        image,
        guest->device ? "-device" : NULL,
        guest->device,
        NULL,
    };
    OstlerProcessEnd end = { 0 };
    g_autoptr(GError) failed = NULL;
    g_autofree char *said = ostler_emulator_run(argv, TRY_MS, &end, &failed);

    if (!said) {
        return g_strdup(failed->message);
    }
    if (end.signal == 0 && end.code == guest->status) {
        return NULL;
    }
    return describe_failure(said, &end);
}

char *coroutine_fn ostler_accel_try(const char *arch, const char *emulator,
                                    const char *accel)
{
    const TinyGuest *guest = find_guest(arch);
    if (!guest) {
        return g_strdup_printf("there is no test guest for %s", arch);
    }

    g_autofree char *image = write_image(guest);
    if (!image) {
        return g_strdup("no temporary file could be written for a test guest");
    }
    char *why = run_guest(guest, emulator, accel, image);
    g_unlink(image);
    return why;
}

/* Reasons that need no guest to be run. */
static const char *exclude(const char *arch)
{
    const TinyGuest *guest = find_guest(arch);

    if (!guest || strcmp(guest->family, HOST_FAMILY) != 0) {
        return "this host's processor is of another kind";
    }
    if (g_access("/dev/kvm", F_OK) != 0) {
        return "this host has no /dev/kvm";
    }
    if (g_access("/dev/kvm", R_OK | W_OK) != 0) {
        return "/dev/kvm may not be opened by this user";
    }
    return NULL;
}

/* NULL where the system has no such thing: then nothing is kept. */
static char *boot_question(const char *arch)
{
    g_autofree char *boot = NULL;

    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL)) {
        return NULL;
    }
    return g_strdup_printf("kvm-speed:%s:%s", arch, g_strchomp(boot));
}

/* Whether KVM runs a guest; the answer is kept as {"why": null or text}. */
static char *coroutine_fn try_kvm(const char *arch, const char *path)
{
    g_autofree char *question = boot_question(arch);
    g_autoptr(json_object) cached = question ? ostler_cache_load(path, question) : NULL;
    if (cached) {
        return g_strdup(ostler_json_find_string(cached, "why"));
    }

    char *why = ostler_accel_try(arch, path, "kvm");
    if (question) {
        g_autoptr(json_object) answer =
            ostler_json_object("why", why ? json_object_new_string(why) : NULL, NULL);
        ostler_cache_store(path, question, answer);
    }
    return why;
}

const char *coroutine_fn ostler_accel_choose(const char *arch, const char *emulator,
                                             char **out_why)
{
    const char *excluded = exclude(arch);
    g_autofree char *path =
        excluded ? NULL : ostler_emulator_find(arch, emulator, NULL);
    g_autofree char *why = excluded ? g_strdup(excluded)
                           : path   ? try_kvm(arch, path)
                                    : g_strdup("there is no emulator to try it with");

    if (!why) {
        return "kvm";
    }
    if (out_why) {
        *out_why = g_steal_pointer(&why);
    }
    return "tcg";
}
