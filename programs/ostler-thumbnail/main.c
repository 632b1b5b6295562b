/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ostler-thumbnail - a small JPEG of an image, made where the image can do no harm
 *
 *     ostler-thumbnail <IMAGE >JPEG
 *     ostler-thumbnail --serve FD
 *
 * The first form gives up everything but its two streams, memory and some seconds of
 * time, and only then reads the image.  The second is for ostler-mtp, which may start no
 * program once it is confined: at the socket FD it takes images' descriptors and answers
 * with thumbnails (mtp/thumbnailer.h), each made by a process of the first form, which
 * is killed when it takes too long.  It never looks into an image itself.
 *
 * Exit codes: 0 there is a thumbnail, or the peer is gone; 1 there is none; 2 the command
 * line is wrong.
 */
#include "image.h"
#include "manual.h"

#include "base/log.h"
#include "mtp/thumbnailer.h"
#include "platform/channel.h"
#include "platform/process.h"
#include "platform/programs.h"
#include "platform/sandbox.h"

#include <cpc/glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "ostler-thumbnail"

/* A photograph of 50 megapixels takes a fifth of these. */
#define MAX_WAIT_MS 3000
#define MAX_CPU_S   3
#define MAX_MEMORY  (1u << 30)

static int complain(int code, const char *message)
{
    fprintf(stderr, PROGRAM ": %s\n", message);
    return code;
}

/* ---- one image ---- */

static GBytes *make_confined(GError **error)
{
    static const OstlerSandboxConfig config = {
        .needs = OSTLER_SANDBOX_STREAMS,
        .max_memory = MAX_MEMORY,
        .max_cpu_s = MAX_CPU_S,
    };
    g_autofree char *missing = NULL;

    image_prepare();
    if (!ostler_sandbox_enter(&config, &missing, error)) {
        return NULL;
    }
    return image_to_thumbnail(stdin, error);
}

static int convert(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) thumbnail = make_confined(&error);
    gsize size;

    if (!thumbnail) {
        return complain(EXIT_FAILURE, error->message);
    }
    const void *bytes = g_bytes_get_data(thumbnail, &size);
    if (fwrite(bytes, 1, size, stdout) != size || fflush(stdout) != 0) {
        return complain(EXIT_FAILURE, "The thumbnail could not be written");
    }
    return EXIT_SUCCESS;
}

/* ---- a server ---- */

/* What a process with @image as its standard input writes; a thumbnail always fits into
 * the socket, so that it may be waited for first. */
static gssize coroutine_fn read_output(OstlerChannel *output, OstlerProcess *process,
                                       uint8_t *buffer, size_t size)
{
    OstlerProcessEnd end;
    size_t done = 0;
    gssize n;

    if (!ostler_process_wait(process, MAX_WAIT_MS, &end)) {
        ostler_process_kill(process);
        return -1;
    }
    if (end.code != 0) {
        return -1;
    }
    while ((n = ostler_channel_read(output, buffer + done, size - done, NULL)) > 0) {
        done += (size_t)n;
    }
    return n < 0 || done == size ? -1 : (gssize)done;
}

static void close_end(int fd)
{
    if (fd >= 0) {
        g_close(fd, NULL);
    }
}

/* What a decoder says on its standard error may be the image's words: nobody reads it. */
static gssize coroutine_fn make(const char *program, int image, uint8_t *buffer,
                                size_t size)
{
    const char *const argv[] = { program, NULL };
    int output_end = -1;
    int noise_end = -1;
    g_autoptr(OstlerChannel) output = ostler_channel_pair(&output_end, NULL);
    g_autoptr(OstlerChannel) noise = ostler_channel_pair(&noise_end, NULL);
    const OstlerProcessConfig config = {
        .argv = argv,
        .stdin_fd = image,
        .stdout_fd = output_end,
        .stderr_fd = noise_end,
        .die_with_parent = true,
    };
    g_autoptr(OstlerProcess) process =
        output && noise ? ostler_process_start(&config, NULL) : NULL;

    close_end(output_end);
    close_end(noise_end);
    return process ? read_output(output, process, buffer, size) : -1;
}

static void coroutine_fn serve(void *opaque)
{
    g_autoptr(OstlerChannel) channel = opaque;
    g_autofree char *program = ostler_programs_find(PROGRAM, NULL);
    static uint8_t answer[4 + OSTLER_MTP_MAX_THUMBNAIL + 1];
    char request;
    int image;

    while (program &&
           ostler_channel_read_with_fd(channel, &request, 1, &image, NULL) == 1) {
        gssize size = make(program, image, answer + 4, sizeof(answer) - 4);
        g_close(image, NULL);
        uint32_t head = GUINT32_TO_LE((uint32_t)MAX(size, 0));
        memcpy(answer, &head, sizeof(head));
        if (!ostler_channel_write(channel, answer, 4 + (size_t)MAX(size, 0), NULL)) {
            return;
        }
    }
}

/* ---- the command line ---- */

static int server_fd = -1;
static gboolean wants_version;
static gboolean wants_manual;

static const GOptionEntry rows[] = {
    { "serve", 0, 0, G_OPTION_ARG_INT, &server_fd,
      "Take images' descriptors at the inherited socket N, until it is closed", "N" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &wants_version, "Show the version and end",
      NULL },
    { "manual", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &wants_manual,
      "Write the manual page and end", NULL },
    { NULL },
};

static bool parse_options(int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new("<IMAGE >JPEG");

    g_option_context_add_main_entries(context, rows, NULL);
    if (!g_option_context_parse(context, argc, argv, error)) {
        return false;
    }
    if (*argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "'%s' is not understood: the image is read from standard input",
                    (*argv)[1]);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_set_prgname(PROGRAM);
    ostler_log_open(PROGRAM);
    if (!parse_options(&argc, &argv, &error)) {
        complain(2, error->message);
        fprintf(stderr, "Try '" PROGRAM " --help'.\n");
        return 2;
    }
    if (wants_version) {
        puts(PROGRAM " " OSTLER_VERSION);
        return EXIT_SUCCESS;
    }
    if (wants_manual) {
        print_manual(rows);
        return EXIT_SUCCESS;
    }
    if (server_fd < 0) {
        return convert();
    }
    cpc_run(serve, ostler_channel_new_fd(server_fd));
    return EXIT_SUCCESS;
}
