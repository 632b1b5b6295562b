/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/machines/cache.h"
#include "platform/rundir.h"

#include <glib/gstdio.h>
#include <string.h>

/* Raise it whenever the answers' form or the questions change. */
#define FORMAT 5

/* What an answer belongs to, or NULL when the binary is not there; caller frees. */
static char *identify(const char *emulator, const char *question)
{
    GStatBuf status;

    if (g_stat(emulator, &status) != 0) {
        return NULL;
    }
    return g_strdup_printf("%d %s %ju:%ju %jd %jd %s", FORMAT, emulator,
                           (uintmax_t)status.st_dev, (uintmax_t)status.st_ino,
                           (intmax_t)status.st_size, (intmax_t)status.st_mtime,
                           question);
}

static char *cache_folder(void)
{
    g_autofree char *cache = ostler_dir_cache();
    return g_build_filename(cache, "machines", NULL);
}

static char *cache_path(const char *identity)
{
    g_autofree char *folder = cache_folder();
    g_autofree char *sum =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
    g_autofree char *file = g_strdup_printf("%.32s.json", sum);

    return g_build_filename(folder, file, NULL);
}

json_object *ostler_cache_load(const char *emulator, const char *question)
{
    g_autofree char *identity = identify(emulator, question);
    if (!identity) {
        return NULL;
    }

    g_autofree char *path = cache_path(identity);
    g_autofree char *text = NULL;
    gsize size = 0;
    if (!g_file_get_contents(path, &text, &size, NULL)) {
        return NULL;
    }

    g_autoptr(json_object) entry = ostler_json_parse(text, size, NULL);
    if (g_strcmp0(ostler_json_find_string(entry, "identity"), identity) != 0) {
        return NULL;
    }
    return json_object_get(ostler_json_find(entry, "answer"));
}

void ostler_cache_store(const char *emulator, const char *question, json_object *answer)
{
    g_autofree char *identity = identify(emulator, question);
    g_autofree char *folder = cache_folder();
    g_autoptr(GError) failed = NULL;
    if (!identity || !ostler_dir_ensure(folder, &failed)) {
        g_debug("No cache: %s", failed ? failed->message : "the emulator is gone");
        return;
    }

    g_autoptr(json_object) entry =
        ostler_json_object("identity", json_object_new_string(identity), "answer",
                           json_object_get(answer), NULL);
    g_autofree char *path = cache_path(identity);
    g_autofree char *text = ostler_json_text(entry);
    if (!ostler_file_replace(path, text, strlen(text), &failed)) {
        g_debug("No cache: %s", failed->message);
    }
}
