/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ostler-mtp - folders of the host as an MTP device in a guest
 *
 * Exit codes: 0 the peer closed the connection, or a signal asked to end; 1 something
 * failed; 2 the command line is wrong.
 */
#include "control.h"
#include "lend.h"
#include "manual.h"
#include "peers.h"
#include "shares.h"
#include "thumbs.h"

#include "base/log.h"
#include "mtp/responder.h"
#include "platform/rundir.h"
#include "platform/sandbox.h"
#include "platform/signals.h"

#include <cpc/glib.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef OSTLER_VERSION
#error "the build passes the version"
#endif

/* Linux Foundation, PTP gadget: hosts go by the interface and the OS descriptor. */
#define VENDOR_ID  0x1d6b
#define PRODUCT_ID 0x0100

typedef struct {
    char *connect;
    char *listen;
    char *usbip;
    char *functionfs;
    int fd;
    char **shares;
    char *control;
    char *attach;
    char *detach;
    char *set;
    gboolean must_list;
    char *to;
    char *name;
    char *serial;
    char *state;
    gboolean must_reconnect;
    gboolean is_unconfined;
    gboolean wants_version;
    gboolean wants_manual;
} Options;

static Options options = { .fd = -1 };

static const GOptionEntry rows[] = {
    { "connect", 'c', 0, G_OPTION_ARG_FILENAME, &options.connect,
      "Call the QEMU that listens at SOCKET", "SOCKET" },
    { "listen", 'l', 0, G_OPTION_ARG_FILENAME, &options.listen,
      "Let QEMU call at SOCKET, again and again", "SOCKET" },
    { "usbip", 'u', 0, G_OPTION_ARG_STRING, &options.usbip,
      "Serve clients of USB/IP (usbip attach) at PORT of this host, or of ADDRESS; "
      "3240 is the usual one.  Whoever reaches it has the shares",
      "[ADDRESS:]PORT" },
    { "functionfs", 0, 0, G_OPTION_ARG_FILENAME, &options.functionfs,
      "Be a USB device of this machine itself, by the FunctionFS that is mounted at "
      "FOLDER; to be bound to a controller afterwards",
      "FOLDER" },
    { "fd", 'f', 0, G_OPTION_ARG_INT, &options.fd,
      "Speak through the inherited, connected socket N", "N" },
    { "share", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.shares,
      "Show the folder PATH under the name LABEL. After it, each behind a comma: "
      "readonly, the guest may only read; quota=SIZE and quota-objects=NUMBER, more it "
      "may not fill the folder with; reserve=SIZE, what stays free on the file system "
      "(5 % or 1G, the less, if not given). May be given several times",
      "LABEL=PATH[,WORD...]" },
    { "control", 0, 0, G_OPTION_ARG_FILENAME, &options.control,
      "Let shares be attached and detached at SOCKET; then there need be no --share",
      "SOCKET" },
    { "attach", 'a', 0, G_OPTION_ARG_FILENAME, &options.attach,
      "Attach one more share to the ostler-mtp whose --control is --to, and lend it "
      "the folder until it is detached or this process ends",
      "LABEL=PATH[,WORD...]" },
    { "detach", 'd', 0, G_OPTION_ARG_STRING, &options.detach,
      "Detach the share called LABEL from the ostler-mtp whose --control is --to",
      "LABEL" },
    { "set", 0, 0, G_OPTION_ARG_STRING, &options.set,
      "Change the quota, quota-objects or reserve of the share called LABEL of the "
      "ostler-mtp whose --control is --to",
      "LABEL,WORD..." },
    { "list", 0, 0, G_OPTION_ARG_NONE, &options.must_list,
      "Print the shares of the ostler-mtp whose --control is --to, as a line of JSON: "
      "label, what is free, and with a quota the bytes and objects in it",
      NULL },
    { "to", 't', 0, G_OPTION_ARG_FILENAME, &options.to,
      "The control socket that --attach, --detach, --set and --list mean", "SOCKET" },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
      "Call the device NAME in the guest; the first share's label if not given",
      "NAME" },
    { "serial", 0, 0, G_OPTION_ARG_STRING, &options.serial,
      "The device's serial number, by which guests know it again; if not given it is "
      "made from the shares",
      "TEXT" },
    { "state", 0, 0, G_OPTION_ARG_FILENAME, &options.state,
      "Keep the objects' handles in the folder DIR, so that they are the same the next "
      "time; made if it is not there, and no share's",
      "DIR" },
    { "reconnect", 'r', 0, G_OPTION_ARG_NONE, &options.must_reconnect,
      "With --connect: call again when QEMU goes away, instead of ending", NULL },
    { "unconfined", 0, 0, G_OPTION_ARG_NONE, &options.is_unconfined,
      "Keep all rights of a process of yours; for debugging", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options.wants_version,
      "Show the version and end", NULL },
    { "manual", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options.wants_manual,
      "Write the manual page and end", NULL },
    { NULL },
};

static const char summary[] =
    "Share folders of this host with a guest, as a USB MTP device";

typedef struct {
    OstlerMtpResponder *responder;
    Control *control; /* NULL without --control */
    CoEvent responder_ended;
    OstlerMtpThumbnailer *thumbnailer; /* or NULL */
    Peers *peers;
    bool is_done; /* in good order */
} Program;

static void coroutine_fn run_responder(void *opaque)
{
    Program *program = opaque;

    ostler_mtp_responder_run(program->responder);
    cpc_event_set(&program->responder_ended);
}

static void coroutine_fn run_control(void *opaque)
{
    Program *program = opaque;

    control_run(program->control);
}

static void coroutine_fn run(void *opaque)
{
    Program *program = opaque;

    cpc_spawn(run_responder, program);
    if (program->control) {
        cpc_spawn(run_control, program);
    }
    program->is_done = peers_serve(program->peers);
    if (program->control) {
        control_end(program->control);
    }
    ostler_mtp_responder_stop(program->responder);
    if (program->thumbnailer) {
        ostler_mtp_thumbnailer_close(program->thumbnailer);
    }
    cpc_event_wait(&program->responder_ended, -1);
}

static void end(OstlerSignal signal, void *opaque)
{
    const Program *program = opaque;

    if (program->peers) {
        peers_end(program->peers);
    }
}

/* ---- start ---- */

/* --attach, --detach, --set and --list are errands to another ostler-mtp. */
static int n_errands(void)
{
    return (options.attach != NULL) + (options.detach != NULL) + (options.set != NULL) +
           (options.must_list != FALSE);
}

static bool run_errand(GError **error)
{
    if (!options.to || n_errands() > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--attach, --detach, --set or --list, one of them, goes with --to");
        return false;
    }
    if (options.detach) {
        return detach_share(options.detach, options.to, error);
    }
    if (options.set) {
        return change_share(options.set, options.to, error);
    }
    if (options.must_list) {
        return list_shares(options.to, error);
    }
    return lend_share(options.attach, options.to, error);
}

static bool check_options(GError **error)
{
    int n = (options.connect != NULL) + (options.listen != NULL) +
            (options.usbip != NULL) + (options.functionfs != NULL) + (options.fd >= 0);

    if (n != 1) {
        g_set_error(
            error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
            "One of --connect, --listen, --usbip, --functionfs and --fd must be "
            "given, %s",
            n == 0 ? "and none is" : "and only one");
        return false;
    }
    if (options.must_reconnect && !options.connect) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--reconnect goes with --connect only");
        return false;
    }
    if (!options.shares && !options.control) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "There is nothing to share: --share LABEL=PATH is missing");
        return false;
    }
    return true;
}

static void tell_guest(uint16_t event, uint32_t param, void *opaque)
{
    ostler_mtp_responder_notify(opaque, event, param);
}

/* Give up all that is not needed any more. */
static bool confine(const GPtrArray *shares, GError **error)
{
    g_autoptr(GPtrArray) read_only = g_ptr_array_new();
    g_autoptr(GPtrArray) writable = g_ptr_array_new();
    g_autofree char *missing = NULL;

    ostler_mtp_dates_prepare();
    if (options.is_unconfined || options.must_reconnect) {
        return true; /* calling again needs a socket, which the filter refuses */
    }
    for (guint i = 0; i < shares->len; i++) {
        Share *share = g_ptr_array_index(shares, i);
        g_ptr_array_add(share->is_read_only ? read_only : writable, share->path);
    }
    if (options.state) {
        g_ptr_array_add(writable, options.state);
    }
    g_ptr_array_add(read_only, NULL);
    g_ptr_array_add(writable, NULL);
    const OstlerSandboxConfig config = {
        .needs =
            OSTLER_SANDBOX_FILES | (options.functionfs ? OSTLER_SANDBOX_GADGET : 0),
        .read_only_roots = (const char *const *)read_only->pdata,
        .writable_roots = (const char *const *)writable->pdata,
    };
    if (!ostler_sandbox_enter(&config, &missing, error)) {
        return false;
    }
    if (missing) {
        g_warning("Not confined as well as could be, continuing: %s", missing);
    }
    return true;
}

/* Without them a guest looks again: better than no share. */
static void keep_state(OstlerMtpStore *store)
{
    g_autoptr(GError) error = NULL;
    OstlerRoot *folder = NULL;

    if (!options.state) {
        return;
    }
    if (ostler_dir_ensure(options.state, &error)) {
        folder = ostler_root_open(options.state, &error);
    }
    if (!folder || !ostler_mtp_store_keep_state(store, folder, &error)) {
        g_warning("Handles will be others the next time, continuing: %s",
                  error->message);
    }
}

/* What the guest calls the device. */
static const char *name_of(const GPtrArray *list)
{
    const Share *first = list->len > 0 ? g_ptr_array_index(list, 0) : NULL;

    return options.name ? options.name : first ? first->label : "Ostler";
}

static bool serve_shares(const GPtrArray *list, bool *out_is_done, GError **error)
{
    g_autofree char *serial =
        options.serial ? g_strdup(options.serial) : shares_make_serial(list);
    const OstlerMtpDeviceIdentity mtp = {
        .friendly_name = name_of(list),
        .manufacturer = "Ostler",
        .model = name_of(list),
        .version = OSTLER_VERSION,
        .serial = serial,
    };
    const OstlerUsbIdentity usb = {
        .vendor_id = VENDOR_ID,
        .product_id = PRODUCT_ID,
        .version = 0x0100,
        .manufacturer = mtp.manufacturer,
        .product = mtp.model,
        .serial = serial,
    };
    const PeerOptions peer = {
        .connect = options.connect,
        .listen = options.listen,
        .usbip = options.usbip,
        .functionfs = options.functionfs,
        .fd = options.fd,
        .must_reconnect = options.must_reconnect,
    };
    Program program = { 0 };

    g_autoptr(OstlerMtpStore) store = ostler_mtp_store_new();
    g_autoptr(Shares) shares = shares_new(store);
    if (!shares_open(shares, list, error)) {
        return false;
    }
    g_autoptr(OstlerMtpSession) session = ostler_mtp_session_new(store, &mtp);
    g_autoptr(OstlerUsbDevice) device = ostler_usb_device_new(&usb);
    g_autoptr(OstlerMtpThumbnailer) thumbnailer = thumbs_start();
    g_autoptr(OstlerMtpResponder) responder = ostler_mtp_responder_new(device, session);
    g_autoptr(OstlerSignals) signals = ostler_signals_watch(
        OSTLER_SIGNAL_INTERRUPT | OSTLER_SIGNAL_TERMINATE, end, &program, error);
    ostler_mtp_responder_set_thumbnailer(responder, thumbnailer);
    g_autoptr(Peers) peers =
        signals ? peers_open(&peer, device, responder, error) : NULL;
    g_autoptr(Control) control =
        peers && options.control ? control_new(options.control, shares, error) : NULL;
    if (!peers || (options.control && !control)) {
        return false;
    }
    keep_state(store);
    program = (Program){ .responder = responder,
                         .control = control,
                         .thumbnailer = thumbnailer,
                         .peers = peers };
    ostler_mtp_store_set_notice(store, tell_guest, responder);
    if (!confine(list, error)) {
        return false;
    }
    cpc_run(run, &program);
    *out_is_done = program.is_done;
    return true;
}

static bool parse_options(int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, rows, NULL);
    if (!g_option_context_parse(context, argc, argv, error)) {
        return false;
    }
    if (*argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "'%s' is not understood: all arguments are options", (*argv)[1]);
        return false;
    }
    return true;
}

static int complain(const char *program, int code, const GError *error)
{
    fprintf(stderr, "%s: %s\n", program, error->message);
    if (code == 2) {
        fprintf(stderr, "Try '%s --help'.\n", program);
    }
    return code;
}

static int exit_code_of(const GError *error)
{
    bool is_users = error->domain == G_OPTION_ERROR ||
                    g_error_matches(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);

    return is_users ? 2 : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    bool is_done = false;

    g_set_prgname("ostler-mtp");
    ostler_log_open("ostler-mtp");
    if (!parse_options(&argc, &argv, &error)) {
        return complain("ostler-mtp", 2, error);
    }
    if (options.wants_version) {
        puts("ostler-mtp " OSTLER_VERSION);
        return EXIT_SUCCESS;
    }
    if (options.wants_manual) {
        print_manual(rows, summary);
        return EXIT_SUCCESS;
    }

    ostler_signals_ignore_broken_pipes();
    if (n_errands() > 0) {
        return run_errand(&error) ? EXIT_SUCCESS
                                  : complain("ostler-mtp", exit_code_of(error), error);
    }
    g_autoptr(GPtrArray) shares =
        check_options(&error) ? shares_parse(options.shares, &error) : NULL;
    if (!shares) {
        return complain("ostler-mtp", 2, error);
    }
    if (!serve_shares(shares, &is_done, &error)) {
        return complain("ostler-mtp", exit_code_of(error), error);
    }
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
