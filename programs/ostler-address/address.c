/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ostler-address - watch a guest's frames for its addresses
 *
 * QEMU mirrors each card's frames to two datagram sockets, one a direction; this program
 * empties them and prints what it learns, a line of JSON a finding (address/finding.h).
 *
 * Theory of operation: QEMU must never wait for this program.  Each socket is one end of
 * a pair of connected loopback UDP sockets, on which the kernel drops what does not fit:
 * stopped, slow or dead, the worst that this program can do is miss a frame.  (With a
 * stream, 210 KB unread froze QEMU 7.2's main loop.)  QEMU writes the length and the
 * frame in two calls (net/filter-mirror.c), so each is a datagram, and either may be
 * lost alone.  A frame has at least 14 bytes and a length has 4, so a datagram's size
 * says what it is, and the lengths need not be looked at.  A filter in the kernel keeps
 * everything but the few frames that speak of addresses out of the queue: without it, a
 * busy guest's data filled the queue while this program was started anew, and the
 * acknowledgement that came next was dropped.
 *
 * Exit codes: 0 whoever read the lines went away; 1 something failed; 2 the command line
 * is wrong.
 */
#include "address/frame.h"
#include "address/reporter.h"
#include "base/log.h"
#include "manual.h"
#include "platform/datagram.h"
#include "platform/sandbox.h"

#include <cpc/glib.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef OSTLER_VERSION
#error "the build passes the version"
#endif

/* What is read of a frame: more than any DHCP message over Ethernet has.  The rest of a
 * large frame is data, and recv() throws it away. */
#define FRAME_BYTES 2048

/* Frames taken from one socket before the others get their turn. */
#define FRAMES_A_TURN 64

typedef struct {
    char *label;
    OstlerAddressCard card;
    OstlerAddressReporter reporter;
} Card;

typedef struct {
    Card *card;
    OstlerAddressDirection direction;
    int fd;
} Mirror;

static char **inbound;
static char **outbound;
static gboolean wants_version;
static gboolean wants_manual;

static const GOptionEntry rows[] = {
    { "inbound", 'i', 0, G_OPTION_ARG_STRING_ARRAY, &inbound,
      "Descriptor N brings the frames on their way to the guest's card LABEL "
      "(filter-mirror with queue=tx)",
      "LABEL=N" },
    { "outbound", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &outbound,
      "Descriptor N brings the frames that the guest sends from its card LABEL "
      "(queue=rx)",
      "LABEL=N" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &wants_version, "Show the version and end",
      NULL },
    { "manual", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &wants_manual,
      "Write the manual page and end", NULL },
    { NULL },
};

static GMainLoop *loop;
static int exit_code = EXIT_SUCCESS;
static unsigned n_watched;

static void end(int code)
{
    exit_code = code;
    g_main_loop_quit(loop);
}

/* A line goes out in one write; the reader may be slow, nothing waits for us. */
static void say(const Card *card, const OstlerAddressFinding *finding)
{
    g_autofree char *text = ostler_address_finding_print(finding, card->label);

    if (printf("%s\n", text) < 0 || fflush(stdout) == EOF) {
        end(errno == EPIPE ? EXIT_SUCCESS : EXIT_FAILURE);
    }
}

static void look_at(Mirror *mirror, const uint8_t *frame, size_t size)
{
    Card *card = mirror->card;
    OstlerAddressFinding finding;

    if (ostler_address_read_frame(&card->card, mirror->direction, frame, size,
                                  &finding) &&
        ostler_address_reporter_admit(&card->reporter, &finding,
                                      g_get_monotonic_time() / 1000)) {
        say(card, &finding);
    }
}

/* False when the socket is of no more use. */
static bool empty_a_little(Mirror *mirror)
{
    uint8_t frame[FRAME_BYTES];

    for (int i = 0; i < FRAMES_A_TURN; i++) {
        ssize_t size = recv(mirror->fd, frame, sizeof frame, MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return true;
        }
        if (size < 0) {
            g_critical("Cannot read frames of card '%s': %s", mirror->card->label,
                       g_strerror(errno));
            return false;
        }
        look_at(mirror, frame, (size_t)size);
    }
    return true;
}

static void coroutine_fn watch(void *opaque)
{
    Mirror *mirror = opaque;

    while (empty_a_little(mirror)) {
        cpc_wait_fd(mirror->fd, G_IO_IN, -1);
    }
    if (--n_watched == 0) {
        end(EXIT_FAILURE);
    }
}

/* A datagram socket does not say that QEMU is gone; whoever reads our lines knows. */
static void coroutine_fn watch_reader(void *opaque)
{
    cpc_wait_fd(STDOUT_FILENO, 0, -1);
    end(EXIT_SUCCESS);
}

/* --- the command line --- */

static Card *find_card(GPtrArray *cards, const char *label)
{
    for (guint i = 0; i < cards->len; i++) {
        Card *card = g_ptr_array_index(cards, i);
        if (strcmp(card->label, label) == 0) {
            return card;
        }
    }
    Card *card = g_new0(Card, 1);
    card->label = g_strdup(label);
    g_ptr_array_add(cards, card);
    return card;
}

/* The number comes last: a label may hold a "=". */
static bool add_mirror(GPtrArray *cards, GArray *mirrors, const char *value,
                       OstlerAddressDirection direction)
{
    const char *equals = strrchr(value, '=');
    guint64 fd = 0;

    if (!equals || equals == value ||
        !g_ascii_string_to_unsigned(equals + 1, 10, 0, INT_MAX, &fd, NULL)) {
        fprintf(stderr, "ostler-address: '%s' is not LABEL=N\n", value);
        return false;
    }
    g_autofree char *label = g_strndup(value, (gsize)(equals - value));
    Mirror mirror = { find_card(cards, label), direction, (int)fd };
    g_array_append_val(mirrors, mirror);
    return true;
}

static bool add_mirrors(GPtrArray *cards, GArray *mirrors, char **values,
                        OstlerAddressDirection direction)
{
    for (; values && *values; values++) {
        if (!add_mirror(cards, mirrors, *values, direction)) {
            return false;
        }
    }
    return true;
}

static bool read_command_line(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(
        context, "Print what a guest's frames say about its network addresses");
    g_option_context_add_main_entries(context, rows, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "ostler-address: %s\n", error->message);
        return false;
    }
    if (argc > 1) {
        fprintf(stderr, "ostler-address: '%s' is not an option\n", argv[1]);
        return false;
    }
    if (!wants_version && !wants_manual && !inbound && !outbound) {
        fprintf(stderr, "ostler-address: nothing to watch: --inbound and --outbound "
                        "name the sockets\n");
        return false;
    }
    return true;
}

static void free_card(void *card)
{
    g_free(((Card *)card)->label);
    g_free(card);
}

/* Bulk data must not push out what matters while this program is slow or gone. */
static bool filter_all(GArray *mirrors)
{
    for (guint i = 0; i < mirrors->len; i++) {
        g_autoptr(GError) error = NULL;
        const Mirror *mirror = &g_array_index(mirrors, Mirror, i);
        if (!ostler_datagram_want_only(mirror->fd, ostler_address_frame_rows,
                                       ostler_address_n_frame_rows, &error)) {
            g_critical("Card '%s', descriptor %d: %s", mirror->card->label, mirror->fd,
                       error->message);
            return false;
        }
    }
    return true;
}

/* Everything is open by now, and no byte of the guest's was looked at yet. */
static bool confine(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = NULL;
    const OstlerSandboxConfig config = { .needs = OSTLER_SANDBOX_STREAMS };

    if (!ostler_sandbox_enter(&config, &missing, &error)) {
        g_critical("%s", error->message);
        return false;
    }
    if (missing) {
        g_warning("%s, continuing", missing);
    }
    return true;
}

static void watch_all(GArray *mirrors)
{
    loop = g_main_loop_new(NULL, FALSE);
    n_watched = mirrors->len;
    for (guint i = 0; i < mirrors->len; i++) {
        cpc_spawn(watch, &g_array_index(mirrors, Mirror, i));
    }
    if (n_watched) {
        cpc_spawn(watch_reader, NULL);
        g_main_loop_run(loop);
    }
    g_main_loop_unref(loop);
}

int main(int argc, char **argv)
{
    ostler_log_open("ostler-address");
    if (!read_command_line(argc, argv)) {
        return 2;
    }
    if (wants_version) {
        printf("ostler-address %s\n", OSTLER_VERSION);
        return EXIT_SUCCESS;
    }
    if (wants_manual) {
        print_manual(rows);
        return EXIT_SUCCESS;
    }

    g_autoptr(GPtrArray) cards = g_ptr_array_new_with_free_func(free_card);
    g_autoptr(GArray) mirrors = g_array_new(FALSE, FALSE, sizeof(Mirror));
    /* In this order each turn: what the guest sent says which card's answers count. */
    if (!add_mirrors(cards, mirrors, outbound, OSTLER_ADDRESS_FROM_GUEST) ||
        !add_mirrors(cards, mirrors, inbound, OSTLER_ADDRESS_TO_GUEST)) {
        return 2;
    }
    if (!filter_all(mirrors) || !confine()) {
        return EXIT_FAILURE;
    }
    watch_all(mirrors);
    return exit_code;
}
