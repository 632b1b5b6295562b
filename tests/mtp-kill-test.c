/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kill -9 of ostler-mtp leaves, wherever it strikes: the old file or the new one,
 * whole, and nothing beside it; and the handles and unique ids that the guest knows.
 *
 * A conversation is sent without waiting for its answers, and the program is killed a
 * random moment later.
 */
#include "usbredir-host.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define N_KILLS     60u
#define N_BYTES     60000u
#define FIRST_DELAY 2000 /* microseconds; what follows finds how long all of it takes */

#define OLD_NAME "file"

static uint8_t old_bytes[N_BYTES];
static uint8_t new_bytes[N_BYTES + 12];

static void set_up(UsbredirHost *host, gconstpointer unused)
{
    for (unsigned i = 0; i < N_BYTES; i++) {
        old_bytes[i] = 'o';
        new_bytes[12 + i] = 'n';
    }
    host->state = g_dir_make_tmp("mtp-kill-state-XXXXXX", NULL);
    host_set_up(host);
}

static void tear_down(UsbredirHost *host, gconstpointer unused)
{
    g_autofree char *journal = g_build_filename(host->state, "handles", NULL);

    host_tear_down(host);
    g_assert_cmpint(g_remove(journal), ==, 0);
    g_assert_cmpint(g_rmdir(host->state), ==, 0);
    g_free(host->state);
}

static void start_again(UsbredirHost *host)
{
    g_autofree char *share = g_strdup_printf("Test=%s", host->folder);

    host_start(host, share);
    host_plug_in(host);
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
}

static void kill_it(UsbredirHost *host)
{
    kill(host->pid, SIGKILL);
    host_unplug(host, SIGKILL);
}

static void put_old(const UsbredirHost *host)
{
    g_autofree char *path = g_build_filename(host->folder, OLD_NAME, NULL);

    g_assert_true(g_file_set_contents_full(path, (const char *)old_bytes, N_BYTES,
                                           G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

static uint32_t only_file(UsbredirHost *host)
{
    host_send_command(host, 0x1007, 0xffffffff, 0, 0);
    host_receive_in(host, 512);
    g_assert_cmpuint(host_word(host, 3), ==, 1);
    uint32_t handle = host_word(host, 4);
    host_expect(host, 0x2001);
    return handle;
}

/* ---- conversations that nobody waits for ---- */

static void submit(UsbredirHost *host, const void *bytes, uint32_t size)
{
    host_submit(host, 0x02, bytes, size);
}

static void ask(UsbredirHost *host, uint16_t code, uint32_t a, uint32_t b, uint32_t c,
                uint32_t d, uint32_t e)
{
    const uint32_t bytes[8] = { 32, 1u | (uint32_t)code << 16, 1, a, b, c, d, e };

    submit(host, bytes, sizeof(bytes));
}

static void await_answer(UsbredirHost *host)
{
    host_submit(host, 0x81, NULL, 512);
}

static void put_data(UsbredirHost *host, uint16_t code, uint8_t *bytes, uint32_t size)
{
    const uint32_t header[3] = { size + 12, 2u | (uint32_t)code << 16, 1 };
    uint32_t n;

    memcpy(bytes, header, sizeof(header));
    for (uint32_t at = 0; at < size + 12; at += n) {
        n = MIN(16384u, size + 12 - at);
        submit(host, bytes + at, n);
    }
}

/* SendObjectPropList and SendObject: the whole file anew. */
static void replace(UsbredirHost *host, uint32_t file)
{
    static uint8_t list[12 + 23] = {
        [12] = 1, [20] = 0x07, 0xdc, 0xff, 0xff, 5, 'f', 0, 'i', 0, 'l', 0, 'e', 0,
    };

    ask(host, 0x9808, 0x00010001, 0xffffffff, 0x3000, 0, N_BYTES);
    put_data(host, 0x9808, list, sizeof(list) - 12);
    await_answer(host);
    ask(host, 0x100d, 0, 0, 0, 0, 0);
    put_data(host, 0x100d, new_bytes, N_BYTES);
    await_answer(host);
}

/* BeginEdit, SendPartialObject, EndEdit: the same in place. */
static void edit(UsbredirHost *host, uint32_t file)
{
    ask(host, 0x95c4, file, 0, 0, 0, 0);
    await_answer(host);
    ask(host, 0x95c2, file, 0, 0, N_BYTES, 0);
    put_data(host, 0x95c2, new_bytes, N_BYTES);
    await_answer(host);
    ask(host, 0x95c5, file, 0, 0, 0, 0);
    await_answer(host);
}

/* ---- what is left ---- */

/* Whether the file is the new one; it must be one of the two. */
static bool is_new(const UsbredirHost *host)
{
    g_autofree char *path = g_build_filename(host->folder, OLD_NAME, NULL);
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_assert_cmpuint(size, ==, N_BYTES);
    if (bytes[0] == 'n') {
        g_assert_cmpint(memcmp(bytes, new_bytes + 12, N_BYTES), ==, 0);
        return true;
    }
    g_assert_cmpint(memcmp(bytes, old_bytes, N_BYTES), ==, 0);
    return false;
}

static void assert_no_litter(const UsbredirHost *host)
{
    g_autoptr(GDir) dir = g_dir_open(host->folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_assert_cmpstr(name, ==, OLD_NAME);
    }
}

static void flush(UsbredirHost *host)
{
    while (usbredirparser_has_data_to_write(host->parser) > 0) {
        g_assert_cmpint(usbredirparser_do_write(host->parser), ==, 0);
    }
}

typedef void Conversation(UsbredirHost *host, uint32_t file);

static void kill_everywhere(UsbredirHost *host, Conversation *converse)
{
    unsigned n_new = 0;
    int delay = FIRST_DELAY;

    put_old(host);
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
    uint32_t file = only_file(host);
    for (unsigned i = 0; i < N_KILLS; i++) {
        converse(host, file);
        flush(host);
        g_usleep((gulong)g_test_rand_int_range(0, delay));
        kill_it(host);
        bool is_done = is_new(host);
        n_new += is_done ? 1 : 0;
        delay = is_done ? delay * 3 / 4 + 10 : delay * 4 / 3;
        start_again(host);
        /* Listing has swept what was left, and the handle is the same. */
        g_assert_cmphex(only_file(host), ==, file);
        assert_no_litter(host);
        put_old(host);
    }
    g_test_message("%u of %u were complete", n_new, N_KILLS);
    g_assert_cmpuint(n_new, >, 0);
    g_assert_cmpuint(n_new, <, N_KILLS);
}

static void a_file_is_replaced_whole_or_not_at_all(UsbredirHost *host,
                                                   gconstpointer unused)
{
    kill_everywhere(host, replace);
}

static void an_edit_is_done_whole_or_not_at_all(UsbredirHost *host,
                                                gconstpointer unused)
{
    kill_everywhere(host, edit);
}

/* The property DC41, PersistentUniqueObjectIdentifier: 16 bytes, never all zero. */
static void unique_id(UsbredirHost *host, uint32_t file, uint8_t out_id[16])
{
    static const uint8_t none[16];

    host_send_command(host, 0x9803, file, 0xdc41, 0);
    host_receive_in(host, 512);
    g_assert_cmpuint(host->got->len, ==, 12 + 16);
    memcpy(out_id, host->got->data + 12, 16);
    host_expect(host, 0x2001);
    g_assert_cmpint(memcmp(out_id, none, 16), !=, 0);
}

static void a_handle_follows_its_file(UsbredirHost *host, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(host->folder, OLD_NAME, NULL);
    g_autofree char *renamed = g_build_filename(host->folder, "renamed", NULL);

    put_old(host);
    g_usleep(30000); /* see store-state.c on clocks */
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
    uint32_t file = only_file(host);
    uint8_t before[16], after[16];
    unique_id(host, file, before);
    kill_it(host);
    g_assert_cmpint(g_rename(path, renamed), ==, 0);
    start_again(host);
    g_assert_cmphex(only_file(host), ==, file);
    unique_id(host, file, after);
    g_assert_cmpmem(after, 16, before, 16);
    host_send_command(host, 0x9803, file, 0xdc07, 0);
    host_receive_in(host, 512);
    g_assert_cmpuint(host->got->data[12], ==, strlen("renamed") + 1);
    g_assert_cmpuint(host->got->data[13], ==, 'r');
    host_expect(host, 0x2001);

    /* One that is gone stays gone, whatever is there now. */
    kill_it(host);
    g_assert_cmpint(g_remove(renamed), ==, 0);
    put_old(host);
    start_again(host);
    uint32_t other = only_file(host);
    g_assert_cmphex(other, !=, file);
    unique_id(host, other, after);
    g_assert_cmpint(memcmp(after, before, 16), !=, 0);
    host_send_command(host, 0x9803, file, 0xdc07, 0);
    host_expect(host, 0x2009);
}

#define CASE(name)                                                                     \
    g_test_add("/kill/" #name, UsbredirHost, NULL, set_up, name, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE(a_file_is_replaced_whole_or_not_at_all);
    CASE(an_edit_is_done_whole_or_not_at_all);
    CASE(a_handle_follows_its_file);
    return g_test_run();
}
