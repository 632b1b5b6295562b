/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commands.c - every command of ostler, a row each
 *
 * Names are virsh's wherever virsh has one.  The parser, 'ostler help', ostler(1) and the
 * completion are made from these rows; nothing about a command stands anywhere else but
 * in its function.
 */
#include "cli.h"

#define GUESTS      "Guests"
#define DEFINITIONS "Definitions"
#define FACTS       "What is known"
#define BENEATH     "QEMU beneath"
#define HELP        "Help"

static const OstlerOptionRow common_options[] = {
    { "json", NULL, "Answer with one JSON value; errors are JSON on standard error" },
    { "help", NULL, "Show the command's help", .letter = 'h' },
    { "version", NULL, "Show the version" },
    { NULL },
};

/* ---- guests ---- */

static const OstlerArgumentRow inactive_guest[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_inactive },
    { NULL },
};
static const OstlerArgumentRow active_guest[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_active },
    { NULL },
};
static const OstlerArgumentRow running_guest[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_running },
    { NULL },
};
static const OstlerArgumentRow paused_guest[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_paused },
    { NULL },
};
static const OstlerArgumentRow any_guest[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_guest },
    { NULL },
};

static const OstlerOptionRow list_options[] = {
    { "all", NULL, "Also those that are shut off", .letter = 'a' },
    { "inactive", NULL, "Only those that are shut off" },
    { "name", NULL, "Only the names, one a line" },
    { NULL },
};
static const OstlerExampleRow list_examples[] = {
    { "ostler list --all", "Every guest, running or not" },
    { "ostler list --all --json", "The same for a program" },
    { NULL },
};

static const OstlerOptionRow start_options[] = {
    { "paused", NULL, "Stop before the first instruction; 'ostler resume' goes on" },
    { "console", NULL,
      "Attach this terminal to the guest's console; Ctrl-] leaves it" },
    { "wait", "SECONDS",
      "Wait until the guest has an address, without a number for as long as it takes",
      .is_optional = true },
    { "end-with-keeper", NULL,
      "End QEMU when the guest's keeper is killed, instead of letting a new keeper "
      "adopt "
      "it" },
    { NULL },
};
static const OstlerExampleRow start_examples[] = {
    { "ostler start web --wait=60", "Start it and say its address" },
    { "ostler start web --console", "Start it and watch it boot" },
    { NULL },
};

static const OstlerArgumentRow run_arguments[] = {
    { "IMAGE", "Disk or CD images, in the order the guest sees them",
      .is_optional = true, .is_list = true, .complete = ostler_complete_file },
    { NULL },
};
static const OstlerOptionRow run_options[] = {
    { "name", "NAME", "The guest's name; without it one after the image",
      .letter = 'n' },
    { "share", "FOLDER",
      "A folder that the guest sees as a USB media device; with ',readonly' behind it "
      "for reading only, with ',quota=2G' for no more than that",
      .is_list = true, .complete = ostler_complete_folder },
    { "memory", "SIZE", "The guest's memory, like 2G", .letter = 'm' },
    { "cpus", "NUMBER", "How many processors it has" },
    { "cpu", "MODEL", "QEMU's processor model" },
    { "arch", "ARCH", "The processor's architecture; without it this host's",
      .complete = cli_complete_arch },
    { "machine", "MACHINE", "QEMU's machine, as 'ostler machines' lists them",
      .letter = 'M', .complete = cli_complete_machine },
    { "accel", "WORD", "auto, kvm or tcg" },
    { "firmware", "FIRMWARE", "bios, efi or an image's file",
      .complete = ostler_complete_file },
    { "kernel", "FILE", "A kernel to boot directly", .complete = ostler_complete_file },
    { "initrd", "FILE", "Its initial ramdisk", .complete = ostler_complete_file },
    { "append", "TEXT", "Its command line" },
    { "dtb", "FILE", "Its device tree", .complete = ostler_complete_file },
    { "nic", "TYPE", "What the network card is connected to: user, passt or none",
      .complete = cli_complete_nic },
    { "forward", "FORWARD",
      "A port of this host that leads into the guest, like tcp:2222:22",
      .is_list = true, .letter = 'f' },
    { "snapshot", NULL, "Forget what the guest writes to its disks when it ends" },
    { "define", NULL, "Keep the guest's definition when it ends" },
    { "paused", NULL, "Stop before the first instruction" },
    { "detach", NULL, "Do not attach this terminal to the guest's console",
      .letter = 'd' },
    { NULL },
};
static const OstlerExampleRow run_examples[] = {
    { "ostler run disk.qcow2 --share ~/Pictures",
      "A guest from an image, with a folder of yours in it" },
    { "ostler run disk.qcow2 --forward tcp:2222:22 --detach",
      "In the background, with its SSH server on port 2222 here" },
    { "ostler run --arch=aarch64 --kernel vmlinuz --initrd initrd.img --append "
      "console=ttyAMA0",
      "An Arm guest from a kernel" },
    { NULL },
};

static const OstlerOptionRow shutdown_options[] = {
    { "wait", "SECONDS",
      "Wait until it is off, without a number for as long as it takes",
      .is_optional = true },
    { NULL },
};

static const OstlerArgumentRow attach_share_arguments[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_guest },
    { "NAME", "The share's name, by which it is detached" },
    { "FOLDER", "The folder of this host", .complete = ostler_complete_folder },
    { NULL },
};
static const OstlerOptionRow attach_share_options[] = {
    { "title", "TEXT", "What the guest calls it; without it the folder's name" },
    { "readonly", NULL, "The guest may only read" },
    { "live", NULL, "Change the running guest" },
    { "config", NULL, "Change the definition, for the next start" },
    { NULL },
};
static const OstlerExampleRow attach_share_examples[] = {
    { "ostler attach-share web music ~/Music", "While the guest runs, until it ends" },
    { "ostler attach-share web music ~/Music --live --config", "Now, and for good" },
    { NULL },
};
static const OstlerArgumentRow detach_share_arguments[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_guest },
    { "NAME", "The share's name", .complete = cli_complete_share },
    { NULL },
};
static const OstlerArgumentRow share_set_arguments[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_guest },
    { "NAME", "The share's name", .complete = cli_complete_share },
    { "SETTING",
      "quota=SIZE, quota-objects=NUMBER or reserve=SIZE, as in "
      "ostler-definition(5); 0 is no limit",
      .is_list = true, .complete = cli_complete_share_setting },
    { NULL },
};
static const OstlerExampleRow share_set_examples[] = {
    { "ostler share-set web music quota=20G", "While the guest runs, until it ends" },
    { "ostler share-set web music quota=0 --live --config", "No quota, from now on" },
    { NULL },
};
static const OstlerOptionRow detach_share_options[] = {
    { "live", NULL, "Change the running guest" },
    { "config", NULL, "Change the definition, for the next start" },
    { NULL },
};

/* ---- definitions ---- */

static const OstlerArgumentRow define_arguments[] = {
    { "FILE", "The definition, see ostler-definition(5); '-' is standard input",
      .complete = ostler_complete_file },
    { NULL },
};
static const OstlerOptionRow define_options[] = {
    { "name", "NAME", "Call the guest NAME, whatever the definition says" },
    { "check", NULL, "Only say whether the definition is right" },
    { NULL },
};
static const OstlerExampleRow define_examples[] = {
    { "ostler define web.guest", "Define a guest, or change it" },
    { "ostler define web.guest --name web-2", "Another guest of the same kind" },
    { NULL },
};
static const OstlerOptionRow dump_options[] = {
    { "as-started", NULL,
      "The definition that the running guest was started with, not the stored one" },
    { NULL },
};
static const OstlerArgumentRow import_arguments[] = {
    { "FILE", "libvirt's domain XML; '-' is standard input",
      .complete = ostler_complete_file },
    { NULL },
};
static const OstlerOptionRow import_options[] = {
    { "define", NULL, "Define the guest at once instead of printing the definition" },
    { "all", NULL, "Name what has no meaning here as well (aliases, addresses, ...)" },
    { NULL },
};
static const OstlerExampleRow import_examples[] = {
    { "virsh dumpxml web | ostler import - >web.guest",
      "Bring a guest over from libvirt" },
    { NULL },
};
static const OstlerOptionRow autostart_options[] = {
    { "disable", NULL, "Do not start it any more" },
    { NULL },
};

/* ---- what is known ---- */

static const OstlerOptionRow domstate_options[] = {
    { "reason", NULL, "Also why it is in this state" },
    { "wait", "STATE", "Wait until it is in this state",
      .complete = cli_complete_state },
    { "timeout", "SECONDS", "Wait no longer than this" },
    { NULL },
};
static const OstlerExampleRow domstate_examples[] = {
    { "ostler domstate web --wait='shut off' --timeout=60",
      "Wait a minute for the guest's end" },
    { NULL },
};
static const OstlerOptionRow domifaddr_options[] = {
    { "wait", "SECONDS",
      "Wait for a first address, without a number for as long as it takes",
      .is_optional = true },
    { NULL },
};
static const OstlerOptionRow log_options[] = {
    { "of", "WHICH", "keeper (which it is without this option), qemu or console",
      .complete = cli_complete_log },
    { NULL },
};
static const OstlerOptionRow event_options[] = {
    { "loop", NULL, "Go on until the guest ends, not only to the first event" },
    { "timeout", "SECONDS", "Wait no longer than this for an event" },
    { NULL },
};

/* ---- QEMU beneath ---- */

static const OstlerArgumentRow monitor_arguments[] = {
    { "GUEST", "The guest's name", .complete = cli_complete_active },
    { "COMMAND",
      "A QMP command, its name or all of it as JSON, or with --hmp a line for QEMU's "
      "human monitor",
      .is_list = true },
    { NULL },
};
static const OstlerOptionRow monitor_options[] = {
    { "hmp", NULL, "The command is one for people; so is the answer" },
    { "pretty", NULL, "Spread the answer over several lines" },
    { "timeout", "SECONDS", "Wait no longer than this for the answer" },
    { NULL },
};
static const OstlerExampleRow monitor_examples[] = {
    { "ostler qemu-monitor-command web query-status", "A command without arguments" },
    { "ostler qemu-monitor-command web --hmp info network", "One for people" },
    { NULL },
};
static const OstlerArgumentRow machines_arguments[] = {
    { "MACHINE", "Only this one, with all that it offers", .is_optional = true,
      .complete = cli_complete_machine },
    { NULL },
};
static const OstlerOptionRow machines_options[] = {
    { "arch", "ARCH", "Only those of this architecture",
      .complete = cli_complete_arch },
    { "name", NULL, "Only the names, one a line" },
    { "markdown", NULL, "A table for a document" },
    { "emulator", "FILE", "Ask this QEMU; without it qemu-system-ARCH",
      .complete = ostler_complete_file },
    { NULL },
};

static const OstlerArgumentRow nested_arguments[] = {
    { "ACTION", "'check'", .complete = cli_complete_nested },
    { NULL },
};
static const OstlerExampleRow nested_examples[] = {
    { "ostler nested check", "Say what was found, and what follows from it" },
    { "ostler nested check --json", "The same for a program" },
    { NULL },
};

/* ---- help ---- */

static const OstlerArgumentRow help_arguments[] = {
    { "COMMAND", "The command", .is_optional = true,
      .complete = ostler_complete_command },
    { NULL },
};

static const OstlerCommandRow commands[] = {
    { "list", .group = GUESTS, .summary = "List the guests that run",
      .options = list_options, .examples = list_examples, .run = cli_list },
    { "start", .group = GUESTS, .summary = "Start a defined guest",
      .help = "Returns as soon as the guest runs.  It goes on when this terminal is "
              "closed.",
      .arguments = inactive_guest, .options = start_options, .examples = start_examples,
      .run = cli_start },
    { "run", .group = GUESTS, .summary = "Run a guest from an image",
      .help =
          "Makes a guest of the image, starts it, and attaches this terminal to its "
          "serial console; Ctrl-] leaves it running.  It is like any other guest "
          "while it runs, and is forgotten when it ends unless --define is given.",
      .arguments = run_arguments, .options = run_options, .examples = run_examples,
      .run = cli_run },
    { "shutdown", .group = GUESTS, .summary = "Ask a guest to power itself off",
      .arguments = active_guest, .options = shutdown_options, .run = cli_shutdown },
    { "reboot", .group = GUESTS, .summary = "Ask a guest to reboot",
      .arguments = active_guest, .run = cli_reboot },
    { "reset", .group = GUESTS, .summary = "Reset a guest, like its reset button",
      .arguments = active_guest, .run = cli_reset },
    { "destroy", .group = GUESTS,
      .summary = "End a guest at once, like pulling its plug",
      .help = "The guest's definition and disks stay.", .arguments = active_guest,
      .run = cli_destroy },
    { "suspend", .group = GUESTS, .summary = "Pause a guest",
      .arguments = running_guest, .run = cli_suspend },
    { "resume", .group = GUESTS, .summary = "Let a paused guest go on",
      .arguments = paused_guest, .run = cli_resume },
    { "console", .group = GUESTS,
      .summary = "Attach this terminal to a guest's serial console",
      .help =
          "What the guest wrote last is shown first.  Ctrl-] leaves the guest "
          "running.  Several terminals may be attached at once.  Without a terminal "
          "the end of input ends it.",
      .arguments = active_guest, .run = cli_console },

    { "attach-share", .group = GUESTS, .summary = "Show a guest one folder more",
      .help = "The guest sees it as one storage more of its media device (MTP), at "
              "once if it runs.  Without --live and --config the running guest is "
              "meant, or the definition of one that is off.",
      .arguments = attach_share_arguments, .options = attach_share_options,
      .examples = attach_share_examples, .run = cli_attach_share },
    { "detach-share", .group = GUESTS,
      .summary = "Take a shared folder away from a guest",
      .help = "What the guest has under way in it ends with an error; a file that was "
              "coming in is dropped.  Without --live and --config the running guest is "
              "meant, or the definition of one that is off.",
      .arguments = detach_share_arguments, .options = detach_share_options,
      .run = cli_detach_share },

    { "share-list", .group = GUESTS,
      .summary = "List the folders that a guest is shown",
      .help =
          "What is in a folder is counted for one with a quota only.  Of a guest that "
          "is off it is not known; then the shares are those of its definition.",
      .arguments = any_guest, .run = cli_share_list },
    { "share-set", .group = GUESTS,
      .summary = "Change how much a guest may fill a shared folder with",
      .help = "The guest is told at once.  What is over a new quota stays, and nothing "
              "can be added.  Without --live and --config the running guest is meant, "
              "or the definition of one that is off.",
      .arguments = share_set_arguments, .options = detach_share_options,
      .examples = share_set_examples, .run = cli_share_set },

    { "define", .group = DEFINITIONS, .summary = "Define a guest, or change it",
      .help = "A wrong definition is refused with its line, and what was stored before "
              "stays.  A running guest goes on as it was started.  A file called "
              "NAME.guest "
              "need not say the guest's name.",
      .arguments = define_arguments, .options = define_options,
      .examples = define_examples, .run = cli_define },
    { "undefine", .group = DEFINITIONS, .summary = "Forget a guest's definition",
      .help = "Disks stay.  A running guest goes on, and is forgotten when it ends.",
      .arguments = any_guest, .run = cli_undefine },
    { "edit", .group = DEFINITIONS,
      .summary = "Change a guest's definition in an editor",
      .help =
          "The editor is $VISUAL, $EDITOR or what the system has.  When the changed "
          "definition is wrong, nothing is lost: the error is shown, and one can go "
          "on or keep the draft.  With another name in it a second guest is defined.",
      .arguments = any_guest, .run = cli_edit },
    { "dump-definition", "dumpxml", DEFINITIONS, "Print a guest's definition",
      .arguments = any_guest, .options = dump_options, .run = cli_dump },
    { "import", .group = DEFINITIONS,
      .summary = "Turn libvirt's domain XML into a definition",
      .help = "The definition is printed on standard output; what could not be carried "
              "over, or was changed, is named on standard error with its place in the "
              "XML.",
      .arguments = import_arguments, .options = import_options,
      .examples = import_examples, .run = cli_import },
    { "autostart", .group = DEFINITIONS,
      .summary = "Start a guest when your session begins",
      .help = "A systemd user unit does it: at your first log-in, or at the system's "
              "start if 'loginctl enable-linger' is in effect.",
      .arguments = any_guest, .options = autostart_options, .run = cli_autostart },

    { "dominfo", .group = FACTS, .summary = "Show what is known of a guest",
      .arguments = any_guest, .run = cli_dominfo },
    { "domstate", .group = FACTS, .summary = "Show a guest's state",
      .help = "The states are 'shut off', 'starting', 'running', 'paused', 'in "
              "shutdown' and 'crashed'.",
      .arguments = any_guest, .options = domstate_options,
      .examples = domstate_examples, .run = cli_domstate },
    { "domifaddr", .group = FACTS, .summary = "Show a guest's network addresses",
      .help =
          "Also where each is known from, and by which ports of this host the guest "
          "is reached.",
      .arguments = active_guest, .options = domifaddr_options, .run = cli_domifaddr },
    { "log", .group = FACTS, .summary = "Show the log of a guest's present or last run",
      .arguments = any_guest, .options = log_options, .run = cli_log },
    { "event", .group = FACTS, .summary = "Wait for an event of a guest and show it",
      .help = "Each is a line of JSON.", .arguments = active_guest,
      .options = event_options, .run = cli_event },

    { "qemu-monitor-command", .group = BENEATH,
      .summary = "Send a command to a guest's QEMU", .arguments = monitor_arguments,
      .options = monitor_options, .examples = monitor_examples,
      .run = cli_monitor_command },
    { "plan", .group = BENEATH, .summary = "Show the QEMU command line of a guest",
      .help = "It is what 'ostler start' would use now.  Descriptors in it are made by "
              "the guest's keeper.",
      .arguments = any_guest, .run = cli_plan },
    { "machines", .group = BENEATH, .summary = "List the machines that QEMU offers",
      .arguments = machines_arguments, .options = machines_options,
      .run = cli_machines },
    { "nested", .group = BENEATH,
      .summary = "Say whether this host can be trusted with guests of guests",
      .help =
          "Looks at the processor, KVM and its settings, and tries the rules of the "
          "processor's manual about virtualization on KVM, in less than a minute.  "
          "It ends with 0 if nothing speaks against running guests in guests, and "
          "with 1 if something does or it could not be tried; with --json, "
          "'answer' is \"trusted\", \"not\" or \"unknown\".",
      .arguments = nested_arguments, .examples = nested_examples, .run = cli_nested },

    { "help", .group = HELP, .summary = "List the commands, or explain one",
      .arguments = help_arguments, .run = cli_help },
    { "version", .group = HELP, .summary = "Show the version", .run = cli_version },
    { NULL },
};

const OstlerProgram cli_program = { "ostler", "look after QEMU guests", commands,
                                    common_options };
