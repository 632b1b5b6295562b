/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vocabulary.c - every section and key that a definition can have
 *
 * A new key is one row here: the parser, the printer, JSON, ostler-definition(5) and
 * the did-you-mean come from it; what it does is plan.c's or the keeper's.  A help
 * sentence has no full stop, and its first word is what the key is, not "sets".
 */
#include <string.h>

#include "guest/definition.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Guests run fastest as what the host is. */
#if defined(__x86_64__)
#define HOST_ARCH "x86_64"
#elif defined(__aarch64__)
#define HOST_ARCH "aarch64"
#elif defined(__arm__)
#define HOST_ARCH "arm"
#elif defined(__i386__)
#define HOST_ARCH "i386"
#elif defined(__riscv)
#define HOST_ARCH "riscv64"
#elif defined(__powerpc64__)
#define HOST_ARCH "ppc64"
#elif defined(__s390x__)
#define HOST_ARCH "s390x"
#else
#define HOST_ARCH "x86_64"
#endif

#define MIB (1ull << 20)

static const OstlerKeyRow guest_keys[] = {
    { "name", OSTLER_VALUE_NAME, .is_required = true,
      .help = "The guest's name; a file called NAME.guest stands in for it" },
    { "title", OSTLER_VALUE_TEXT, .help = "A short line for lists of guests" },
    { "description", OSTLER_VALUE_TEXT, .is_list = true,
      .help = "What the guest is for; each further line is the key again" },
    { "uuid", OSTLER_VALUE_UUID, .help = "What the guest sees as its machine's UUID" },
    { "arch", OSTLER_VALUE_TEXT, .fallback = HOST_ARCH,
      .help = "The processor's architecture, the last part of an emulator's name "
              "(qemu-system-ARCH); the fallback is the host's" },
    { "machine", OSTLER_VALUE_TEXT,
      .help = "QEMU's machine and its options (virt,gic-version=3); without it q35 on "
              "x86_64 and i386, else virt" },
    { "transport", OSTLER_VALUE_WORD, .words = WORDS("auto", "pci", "mmio"),
      .fallback = "auto",
      .help = "What virtio devices are attached to; auto is PCI where the machine has "
              "it, else virtio-mmio" },
    { "emulator", OSTLER_VALUE_PROGRAM,
      .help = "The QEMU program; without it qemu-system-ARCH" },
    { "accel", OSTLER_VALUE_WORD, .words = WORDS("auto", "kvm", "tcg"),
      .fallback = "auto",
      .help = "How the processor is run; auto is kvm where that works, else tcg" },
    { "memory", OSTLER_VALUE_SIZE, .fallback = "1G", .minimum = MIB,
      .help = "The guest's memory" },
    { "cpus", OSTLER_VALUE_NUMBER, .minimum = 1, .maximum = 4096,
      .help = "How many processors the guest has; without it what sockets, cores and "
              "threads make, or 1" },
    { "cpus-max", OSTLER_VALUE_NUMBER, .minimum = 1, .maximum = 4096,
      .help = "How many processors there is room for, those not plugged in included" },
    { "sockets", OSTLER_VALUE_NUMBER, .minimum = 1, .maximum = 4096,
      .help = "Sockets that the processors are spread over" },
    { "dies", OSTLER_VALUE_NUMBER, .minimum = 1, .maximum = 4096,
      .help = "Dies in a socket" },
    { "cores", OSTLER_VALUE_NUMBER, .minimum = 1, .maximum = 4096,
      .help = "Cores in a die, or in a socket without dies" },
    { "threads", OSTLER_VALUE_NUMBER, .minimum = 1, .maximum = 4096,
      .help = "Threads in a core" },
    { "iothreads", OSTLER_VALUE_NUMBER, .maximum = 256,
      .help = "Threads that serve the disks which name them, counted from 1" },
    { "cpu", OSTLER_VALUE_TEXT,
      .help = "QEMU's processor model and its features (host,-vmx); without it the "
              "best that the accelerator has" },
    { "firmware", OSTLER_VALUE_PATH, .words = WORDS("bios", "efi"),
      .help = "The firmware: bios, efi, or an image's file; without it the machine's "
              "own" },
    { "firmware-vars", OSTLER_VALUE_PATH,
      .help = "The file that keeps the firmware's variables" },
    { "kernel", OSTLER_VALUE_PATH, .help = "A kernel to boot directly" },
    { "initrd", OSTLER_VALUE_PATH, .help = "The initial ramdisk for the kernel" },
    { "append", OSTLER_VALUE_TEXT, .help = "The kernel's command line" },
    { "dtb", OSTLER_VALUE_PATH, .help = "The device tree for the kernel" },
    { "boot", OSTLER_VALUE_SECTION, .is_list = true,
      .help = "What to boot from, first to last; without it the disks in their order" },
    { "boot-menu", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the firmware offers a menu" },
    { "clock", OSTLER_VALUE_WORD, .words = WORDS("utc", "localtime"), .fallback = "utc",
      .help = "What the machine's clock shows at start" },
    { "on-reboot", OSTLER_VALUE_WORD, .words = WORDS("restart", "stop"),
      .fallback = "restart", .help = "What follows when the guest reboots" },
    { "on-poweroff", OSTLER_VALUE_WORD, .words = WORDS("stop", "restart", "pause"),
      .fallback = "stop", .help = "What follows when the guest powers off" },
    { "on-crash", OSTLER_VALUE_WORD, .words = WORDS("stop", "restart", "pause"),
      .fallback = "stop", .help = "What follows when the guest says that it crashed" },
    { "keeper-death", OSTLER_VALUE_WORD, .words = WORDS("adopt", "end"),
      .fallback = "adopt",
      .help = "When the guest's keeper is killed: QEMU runs on and is adopted by the "
              "next keeper, or ends with it" },
    { NULL },
};

static const OstlerKeyRow disk_keys[] = {
    { "file", OSTLER_VALUE_PATH, .help = "The image's file or a block device" },
    { "url", OSTLER_VALUE_URL,
      .words = WORDS("nbd://", "nbd+unix://", "iscsi://", "iser://", "rbd:", "http://",
                     "https://", "ftp://", "ftps://", "ssh://", "nfs://", "gluster://",
                     "gluster+unix://"),
      .help = "The image's place on the network, as QEMU writes it" },
    { "format", OSTLER_VALUE_WORD,
      .words = WORDS("raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx",
                     "luks", "parallels", "bochs", "cloop", "dmg"),
      .help =
          "The image's format; without it what the file's name ends with, else raw" },
    { "device", OSTLER_VALUE_WORD, .words = WORDS("disk", "cdrom", "floppy"),
      .fallback = "disk", .help = "What the guest takes it for" },
    { "bus", OSTLER_VALUE_WORD,
      .words = WORDS("auto", "virtio", "scsi", "sata", "ide", "usb", "sd", "nvme",
                     "floppy", "pflash"),
      .fallback = "auto",
      .help = "How it is attached; auto is the best of the machine" },
    { "readonly", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the guest may only read it" },
    { "cache", OSTLER_VALUE_WORD,
      .words = WORDS("writeback", "writethrough", "none", "directsync", "unsafe"),
      .fallback = "writeback", .help = "How writes are cached on the host" },
    { "discard", OSTLER_VALUE_WORD, .words = WORDS("unmap", "ignore"),
      .fallback = "unmap",
      .help = "Whether blocks that the guest gives up are freed on the host" },
    { "detect-zeroes", OSTLER_VALUE_WORD, .words = WORDS("off", "on", "unmap"),
      .help = "Whether blocks of zeroes are stored as holes" },
    { "io", OSTLER_VALUE_WORD, .words = WORDS("threads", "native", "io_uring"),
      .help = "How QEMU reads and writes the file" },
    { "serial", OSTLER_VALUE_TEXT, .help = "The serial number that the guest sees" },
    { "wwn", OSTLER_VALUE_TEXT, .help = "The world-wide name, as hexadecimal digits" },
    { "block-size", OSTLER_VALUE_SIZE, .minimum = 512, .maximum = 2 * MIB,
      .help = "The logical block's size that the guest sees" },
    { "iothread", OSTLER_VALUE_NUMBER, .minimum = 1, .maximum = 256,
      .help = "Which of the guest's iothreads serves it, for bus virtio" },
    { "snapshot", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether what the guest writes is forgotten when it ends" },
    { "share", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether several guests may write it at once" },
    { NULL },
};

static const OstlerKeyRow nic_keys[] = {
    { "type", OSTLER_VALUE_WORD,
      .words = WORDS("user", "passt", "tap", "bridge", "socket", "none"),
      .fallback = "user",
      .help = "What the card is connected to: user is QEMU's own network behind the "
              "host's address, none is a cable not plugged in" },
    { "model", OSTLER_VALUE_TEXT,
      .help = "The card as QEMU names its device, or virtio; without it the best of "
              "the machine" },
    { "mac", OSTLER_VALUE_MAC,
      .help = "The card's address; without it one made of the guest's name, always the "
              "same" },
    { "forward", OSTLER_VALUE_FORWARD, .is_list = true,
      .help = "A port of the host that leads to one of the guest" },
    { "ifname", OSTLER_VALUE_TEXT, .help = "The host's tap interface, for type tap" },
    { "bridge", OSTLER_VALUE_TEXT,
      .help = "The host's bridge, for type bridge (by qemu-bridge-helper)" },
    { "listen", OSTLER_VALUE_TEXT,
      .help = "Where to wait for another guest, ADDRESS:PORT, for type socket" },
    { "connect", OSTLER_VALUE_TEXT,
      .help = "Where another guest waits, ADDRESS:PORT, for type socket" },
    { "mcast", OSTLER_VALUE_TEXT,
      .help = "The group where several guests meet, ADDRESS:PORT, for type socket" },
    { "restrict", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the guest reaches nothing but its forwards, for type user" },
    { NULL },
};

static const OstlerKeyRow share_keys[] = {
    { "path", OSTLER_VALUE_PATH, .is_required = true, .help = "The host's folder" },
    { "title", OSTLER_VALUE_TEXT,
      .help = "The name that the guest shows; without it the folder's" },
    { "readonly", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the guest may only read it" },
    { "quota", OSTLER_VALUE_SIZE, .fallback = "0",
      .help = "How many bytes its files may have together, whoever made them, before "
              "the guest is refused more; 0 is no limit" },
    { "quota-objects", OSTLER_VALUE_NUMBER, .fallback = "0",
      .help = "How many files and folders there may be, likewise" },
    { "reserve", OSTLER_VALUE_SIZE,
      .help = "What the guest leaves free on the file system under it; without it 5 % "
              "or 1G, the less" },
    { NULL },
};

/* Where a port leads on the host. */
#define PORT_PATH                                                                      \
    {                                                                                  \
        "path", OSTLER_VALUE_PATH,                                                     \
            .help = "The file, socket, pipe (its two files without .in and .out) or "  \
                    "device"                                                           \
    }
#define PORT_LISTEN                                                                    \
    {                                                                                  \
        "listen", OSTLER_VALUE_TEXT, .help = "Where QEMU waits, ADDRESS:PORT, for tcp" \
    }
#define PORT_CONNECT                                                                   \
    {                                                                                  \
        "connect", OSTLER_VALUE_TEXT, .help = "Who waits, ADDRESS:PORT, for tcp"       \
    }

static const OstlerKeyRow serial_keys[] = {
    { "type", OSTLER_VALUE_WORD,
      .words =
          WORDS("console", "socket", "file", "pty", "device", "pipe", "tcp", "none"),
      .fallback = "console",
      .help = "Where the port leads: console is what 'ostler console' shows, socket a "
              "Unix socket, device a port of the host" },
    PORT_PATH,
    PORT_LISTEN,
    PORT_CONNECT,
    { "model", OSTLER_VALUE_WORD, .words = WORDS("auto", "isa", "pci", "usb", "virtio"),
      .fallback = "auto",
      .help = "What the guest sees: auto is the machine's own port while there is one, "
              "virtio a console that needs a driver (hvc0)" },
    { NULL },
};

static const OstlerKeyRow parallel_keys[] = {
    { "type", OSTLER_VALUE_WORD,
      .words = WORDS("socket", "file", "pty", "device", "pipe", "tcp", "none"),
      .fallback = "none", .help = "Where the port leads" },
    PORT_PATH,
    PORT_LISTEN,
    PORT_CONNECT,
    { NULL },
};

static const OstlerKeyRow channel_keys[] = {
    { "name", OSTLER_VALUE_TEXT,
      .help = "What the guest knows it by (org.qemu.guest_agent.0); without it the "
              "label" },
    { "type", OSTLER_VALUE_WORD,
      .words = WORDS("socket", "file", "pty", "device", "pipe", "tcp", "spice", "none"),
      .fallback = "socket",
      .help = "Where the channel leads; spice is the viewer's program" },
    PORT_PATH,
    PORT_LISTEN,
    PORT_CONNECT,
    { NULL },
};

static const OstlerKeyRow display_keys[] = {
    { "type", OSTLER_VALUE_WORD,
      .words = WORDS("none", "vnc", "spice", "gtk", "sdl", "dbus"), .fallback = "none",
      .help = "How the guest's screen is shown" },
    { "address", OSTLER_VALUE_TEXT, .fallback = "127.0.0.1",
      .help = "The host's address that a viewer connects to" },
    { "port", OSTLER_VALUE_NUMBER, .maximum = 65535,
      .help = "The port that a viewer connects to; without it a free one" },
    { NULL },
};

static const OstlerKeyRow video_keys[] = {
    { "model", OSTLER_VALUE_WORD,
      .words = WORDS("auto", "none", "std", "virtio", "qxl", "cirrus", "vmware",
                     "bochs", "ramfb", "ati"),
      .fallback = "auto", .help = "The display card" },
    { NULL },
};

static const OstlerKeyRow sound_keys[] = {
    { "model", OSTLER_VALUE_WORD,
      .words = WORDS("hda", "ich9", "ac97", "es1370", "sb16", "usb"), .fallback = "hda",
      .help = "The sound card" },
    { NULL },
};

static const OstlerKeyRow rng_keys[] = {
    { "source", OSTLER_VALUE_PATH, .fallback = "/dev/urandom",
      .help = "Where the host takes the randomness from" },
    { "max-bytes", OSTLER_VALUE_NUMBER, .minimum = 1,
      .help = "How many bytes the guest gets in a period" },
    { "period-ms", OSTLER_VALUE_NUMBER, .minimum = 1, .fallback = "1000",
      .help = "The period's milliseconds" },
    { NULL },
};

static const OstlerKeyRow tpm_keys[] = {
    { "type", OSTLER_VALUE_WORD, .words = WORDS("emulator", "passthrough"),
      .fallback = "emulator", .help = "A swtpm's socket, or the host's own TPM" },
    { "model", OSTLER_VALUE_WORD, .words = WORDS("auto", "tis", "crb", "spapr"),
      .fallback = "auto", .help = "The TPM's interface" },
    { "path", OSTLER_VALUE_PATH,
      .help = "The swtpm's control socket, or the host's device" },
    { NULL },
};

static const OstlerKeyRow watchdog_keys[] = {
    { "model", OSTLER_VALUE_WORD,
      .words = WORDS("auto", "i6300esb", "ib700", "diag288", "itco"),
      .fallback = "auto", .help = "The watchdog's device" },
    { "action", OSTLER_VALUE_WORD,
      .words = WORDS("reset", "shutdown", "poweroff", "pause", "debug", "none",
                     "inject-nmi"),
      .fallback = "reset", .help = "What follows when the guest stops feeding it" },
    { NULL },
};

static const OstlerKeyRow filesystem_keys[] = {
    { "path", OSTLER_VALUE_PATH, .is_required = true, .help = "The host's folder" },
    { "tag", OSTLER_VALUE_TEXT,
      .help = "The name that the guest mounts; without it the label" },
    { "readonly", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the guest may only read it" },
    { "security", OSTLER_VALUE_WORD,
      .words = WORDS("mapped-xattr", "mapped-file", "none", "passthrough"),
      .fallback = "mapped-xattr", .help = "How owners and modes are kept on the host" },
    { NULL },
};

static const OstlerKeyRow hostdev_keys[] = {
    { "pci", OSTLER_VALUE_PCI, .help = "The host's PCI device, bound to vfio-pci" },
    { "usb", OSTLER_VALUE_USB,
      .help = "The host's USB device, as VENDOR:PRODUCT or BUS.DEVICE" },
    { NULL },
};

static const OstlerKeyRow numa_keys[] = {
    { "cpus", OSTLER_VALUE_RANGES, .help = "The node's processors" },
    { "memory", OSTLER_VALUE_SIZE, .minimum = MIB, .help = "The node's memory" },
    { NULL },
};

static const OstlerKeyRow memory_backing_keys[] = {
    { "hugepages", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the memory is made of huge pages" },
    { "hugepage-size", OSTLER_VALUE_SIZE, .help = "The huge pages' size" },
    { "file", OSTLER_VALUE_PATH, .help = "A file or folder that the memory lives in" },
    { "shared", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether other processes can map the memory" },
    { "locked", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the memory is kept from being swapped out" },
    { "prealloc", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether all memory is taken at start" },
    { "merge", OSTLER_VALUE_BOOL, .fallback = "yes",
      .help = "Whether the host may merge equal pages of several guests" },
    { NULL },
};

static const OstlerKeyRow input_keys[] = {
    { "type", OSTLER_VALUE_WORD, .words = WORDS("keyboard", "mouse", "tablet"),
      .is_required = true, .help = "The input device" },
    { "bus", OSTLER_VALUE_WORD, .words = WORDS("auto", "usb", "virtio", "ps2"),
      .fallback = "auto", .help = "How it is attached" },
    { NULL },
};

static const OstlerKeyRow balloon_keys[] = {
    { "deflate-on-oom", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the guest takes memory back before it kills a process" },
    { "free-page-reporting", OSTLER_VALUE_BOOL, .fallback = "no",
      .help = "Whether the guest names free pages to the host by itself" },
    { NULL },
};

static const OstlerKeyRow vsock_keys[] = {
    { "cid", OSTLER_VALUE_NUMBER, .minimum = 3, .maximum = UINT32_MAX - 1,
      .help = "The guest's context id; without it a free one" },
    { NULL },
};

static const OstlerKeyRow panic_keys[] = {
    { "model", OSTLER_VALUE_WORD, .words = WORDS("auto", "isa", "pci"),
      .fallback = "auto", .help = "The device that a crashing guest tells" },
    { NULL },
};

static const OstlerKeyRow qemu_keys[] = {
    { "argument", OSTLER_VALUE_TEXT, .is_list = true,
      .help = "One argument handed to QEMU as it is, after all others" },
    { "environment", OSTLER_VALUE_TEXT, .is_list = true,
      .help = "NAME=VALUE for QEMU's environment" },
    { NULL },
};

const OstlerSectionRow ostler_vocabulary[] = {
    { "guest", .keys = guest_keys, .help = "The machine as a whole" },
    { "disk", .is_labelled = true, .can_boot = true, .keys = disk_keys,
      .help = "A disk, CD-ROM or floppy drive; the guest sees them in this order" },
    { "nic", .is_labelled = true, .can_boot = true, .keys = nic_keys,
      .help = "A network card" },
    { "share", .is_labelled = true, .keys = share_keys,
      .help = "A folder that the guest sees as a USB media device (MTP)" },
    { "serial", .is_labelled = true, .keys = serial_keys, .help = "A serial port" },
    { "parallel", .is_labelled = true, .keys = parallel_keys,
      .help = "A parallel port" },
    { "channel", .is_labelled = true, .keys = channel_keys,
      .help = "A channel to a program in the guest, over virtio" },
    { "display", .keys = display_keys, .help = "Where the guest's screen is seen" },
    { "video", .keys = video_keys, .help = "The display card" },
    { "sound", .keys = sound_keys, .help = "A sound card" },
    { "input", .is_labelled = true, .keys = input_keys,
      .help = "A keyboard, mouse or tablet" },
    { "rng", .is_labelled = true, .keys = rng_keys,
      .help = "A source of randomness for the guest" },
    { "tpm", .keys = tpm_keys, .help = "A trusted platform module" },
    { "watchdog", .keys = watchdog_keys,
      .help = "A watchdog that acts when the guest hangs" },
    { "filesystem", .is_labelled = true, .keys = filesystem_keys,
      .help = "A folder that a Linux guest mounts by 9p" },
    { "hostdev", .is_labelled = true, .can_boot = true, .keys = hostdev_keys,
      .help = "A device of the host, given to the guest" },
    { "numa", .is_labelled = true, .keys = numa_keys,
      .help = "A NUMA node; the guest numbers them in this order" },
    { "memory-backing", .keys = memory_backing_keys,
      .help = "What the guest's memory is made of" },
    { "balloon", .keys = balloon_keys,
      .help = "A balloon, by which the guest gives memory back" },
    { "vsock", .keys = vsock_keys,
      .help = "A socket between host and guest, without a network" },
    { "panic", .keys = panic_keys, .help = "A device that reports the guest's crash" },
    { "qemu", .keys = qemu_keys,
      .help = "What is handed to QEMU as it is, for what this file cannot say" },
    { NULL },
};

const OstlerSectionRow *ostler_vocabulary_find(const char *kind)
{
    for (const OstlerSectionRow *row = ostler_vocabulary; row->kind; row++) {
        if (strcmp(row->kind, kind) == 0) {
            return row;
        }
    }
    return NULL;
}

const OstlerKeyRow *ostler_vocabulary_find_key(const OstlerSectionRow *row,
                                               const char *key)
{
    for (const OstlerKeyRow *key_row = row->keys; key_row->name; key_row++) {
        if (strcmp(key_row->name, key) == 0) {
            return key_row;
        }
    }
    return NULL;
}
