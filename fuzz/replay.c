/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay CORPUS - run a fuzz target once over every file of its corpus, as a TAP test
 *
 * What the fuzzer once found stays found: this is linked in libFuzzer's place in every
 * ordinary build.  The name of each input goes to stderr before it is run, so that a
 * crash tells which one it was.
 */
#include "fuzz.h"

#include <glib.h>
#include <stdio.h>

/* Exactly as long as the file, or ASan would not see a byte read too many. */
static void replay(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &error);

    if (!file) {
        g_error("%s", error->message);
    }
    size_t size = g_mapped_file_get_length(file);
    g_autofree uint8_t *data = g_memdup2(g_mapped_file_get_contents(file), size);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
}

static unsigned replay_all(const char *corpus)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(corpus, 0, &error);
    const char *name;
    unsigned n = 0;

    if (!dir) {
        printf("# %s\n", error->message);
        return 0;
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(corpus, name, NULL);
        replay(path);
        n++;
    }
    return n;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    printf("1..1\n");
    unsigned n = replay_all(argv[1]);
    /* An empty corpus would pass for ever. */
    printf("%s 1 - %u inputs of %s\n", n > 0 ? "ok" : "not ok", n, argv[1]);
    return n > 0 ? 0 : 1;
}
