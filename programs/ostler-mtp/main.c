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
#include "shares.h"
#include "thumbs.h"

#include "base/log.h"
#include "mtp/responder.h"
#include "mtp/transport/usbredir-link.h"
#include "platform/channel.h"
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

/*
 * The guest and QEMU take some 100 us from one transfer's answer to the next transfer.
 * GLib's main loop makes seven system calls to wait for that, a patient read none.
 */
#define PATIENCE_US 1000

/* How long to wait before a peer that went away is called again. */
#define RECONNECT_MS 200

typedef struct {
    char *connect;
    char *listen;
    int fd;
    char **shares;
    char *control;
    char *attach;
    char *detach;
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
      "the "
      "folder until it is detached or this process ends",
      "LABEL=PATH[,WORD...]" },
    { "detach", 'd', 0, G_OPTION_ARG_STRING, &options.detach,
      "Detach the share called LABEL from the ostler-mtp whose --control is --to",
      "LABEL" },
    { "to", 't', 0, G_OPTION_ARG_FILENAME, &options.to,
      "The control socket that --attach and --detach mean", "SOCKET" },
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
    OstlerMtpStore *store;
    OstlerMtpSession *session;
    OstlerUsbDevice *device;
    OstlerMtpResponder *responder;
    Control *control; /* NULL without --control */
    CoEvent responder_ended;
    OstlerMtpThumbnailer *thumbnailer; /* or NULL */
    OstlerListener *listener;          /* NULL without --listen */
    OstlerChannel *channel;            /* the peer, while there is one */
    bool is_ending;                    /* a signal asked for it */
    int exit_code;
} Program;

/* ---- one connection ---- */

static gssize coroutine_fn read_channel(void *buffer, size_t size, void *opaque,
                                        GError **error)
{
    return ostler_channel_read(opaque, buffer, size, error);
}

static bool coroutine_fn write_channel(const void *buffer, size_t size, void *opaque,
                                       GError **error)
{
    return ostler_channel_write(opaque, buffer, size, error);
}

/* Serve the peer until it is gone; false if it misbehaved. */
static bool coroutine_fn serve(Program *program, OstlerChannel *channel)
{
    g_autoptr(GError) error = NULL;
    const OstlerUsbredirStream stream = { read_channel, write_channel, channel };

    program->channel = channel;
    ostler_channel_set_patience(channel, PATIENCE_US);
    bool is_done = ostler_usbredir_serve(program->device, &stream, &error);
    program->channel = NULL;
    ostler_mtp_responder_unplug(program->responder);
    ostler_channel_free(channel);
    if (!is_done) {
        g_warning("The connection is given up: %s", error->message);
    }
    return is_done;
}

static void coroutine_fn serve_callers(Program *program)
{
    while (!program->is_ending) {
        g_autoptr(GError) error = NULL;
        OstlerChannel *channel = ostler_listener_accept(program->listener, &error);
        if (channel) {
            serve(program, channel);
        } else if (!program->is_ending) {
            g_critical("%s", error->message);
            program->exit_code = EXIT_FAILURE;
            return;
        }
    }
}

static OstlerChannel *call(GError **error)
{
    if (options.fd >= 0) {
        return ostler_channel_new_fd(options.fd);
    }
    return ostler_channel_connect(options.connect, error);
}

/* The first call was made before the sandbox; the later ones are here. */
static void coroutine_fn serve_called(Program *program, OstlerChannel *channel)
{
    bool is_done = serve(program, channel);

    while (options.must_reconnect && !program->is_ending) {
        cpc_sleep_ms(RECONNECT_MS);
        channel = call(NULL);
        if (channel) {
            is_done = serve(program, channel);
        }
    }
    if (!is_done && !program->is_ending) {
        program->exit_code = EXIT_FAILURE;
    }
}

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

typedef struct {
    Program *program;
    OstlerChannel *channel; /* NULL with --listen */
} Start;

static void coroutine_fn run(void *opaque)
{
    Start *start = opaque;
    Program *program = start->program;

    cpc_spawn(run_responder, program);
    if (program->control) {
        cpc_spawn(run_control, program);
    }
    if (program->listener) {
        serve_callers(program);
    } else {
        serve_called(program, start->channel);
    }
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
    Program *program = opaque;

    program->is_ending = true;
    if (program->channel) {
        ostler_channel_close(program->channel);
    }
    if (program->listener) {
        ostler_listener_close(program->listener);
    }
}

/* ---- start ---- */

/* --attach and --detach are errands to another ostler-mtp. */
static bool is_errand(void)
{
    return options.attach || options.detach;
}

static bool run_errand(GError **error)
{
    if (!options.to || (options.attach && options.detach)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--attach or --detach, one of them, goes with --to");
        return false;
    }
    if (options.detach) {
        return detach_share(options.detach, options.to, error);
    }
    g_autoptr(Share) share = share_parse(options.attach, error);
    return share && lend_share(share, options.to, error);
}

static bool check_options(GError **error)
{
    int n = (options.connect != NULL) + (options.listen != NULL) + (options.fd >= 0);

    if (n != 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "One of --connect, --listen and --fd must be given, %s",
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
        .needs = OSTLER_SANDBOX_FILES,
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

static bool open_peer(Program *program, OstlerChannel **out_channel, GError **error)
{
    if (options.listen) {
        program->listener = ostler_listener_new(options.listen, error);
        return program->listener != NULL;
    }
    *out_channel = call(error);
    return *out_channel != NULL;
}

/* What the guest calls the device. */
static const char *name_of(const GPtrArray *list)
{
    const Share *first = list->len > 0 ? g_ptr_array_index(list, 0) : NULL;

    return options.name ? options.name : first ? first->label : "Ostler";
}

static bool serve_shares(const GPtrArray *list, int *out_code, GError **error)
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
    Program program = { 0 };
    Start start = { .program = &program };

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

    program.store = store;
    program.session = session;
    program.device = device;
    program.responder = responder;
    program.thumbnailer = thumbnailer;
    ostler_mtp_responder_set_thumbnailer(responder, thumbnailer);
    if (!signals || !open_peer(&program, &start.channel, error)) {
        return false;
    }
    g_autoptr(OstlerListener) listener = program.listener;
    g_autoptr(Control) control =
        options.control ? control_new(options.control, shares, error) : NULL;
    if (options.control && !control) {
        return false;
    }
    program.control = control;
    keep_state(store);
    ostler_mtp_store_set_notice(store, tell_guest, responder);
    if (!confine(list, error)) {
        return false;
    }
    cpc_run(run, &start);
    *out_code = program.exit_code;
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
    return error->domain == G_OPTION_ERROR ? 2 : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int code = EXIT_SUCCESS;

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
    if (is_errand()) {
        return run_errand(&error) ? EXIT_SUCCESS
                                  : complain("ostler-mtp", exit_code_of(error), error);
    }
    g_autoptr(GPtrArray) shares =
        check_options(&error) ? shares_parse(options.shares, &error) : NULL;
    if (!shares) {
        return complain("ostler-mtp", 2, error);
    }
    if (!serve_shares(shares, &code, &error)) {
        return complain("ostler-mtp", EXIT_FAILURE, error);
    }
    return code;
}
