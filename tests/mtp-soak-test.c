/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole session, over and over, with bits of it turned: whatever arrives, the real
 * program ends by itself, touches nothing outside of its share and leaves no litter.
 *
 * The session is recorded once, from the first byte of the redirection on, and replayed
 * blindly, since the answers to damaged requests may be any.  SOAK_RUNS sets how often
 * (100), SOAK_SEED where to start (1); a failure names the seed of its run.
 */
#include "usbredir-host.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 20000

/* ---- the share, and what lies beside it ---- */

static void put(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_true(
        g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

/* host->folder becomes a share inside of a folder with a secret. */
static void make_share(UsbredirHost *host)
{
    g_autofree char *outside = NULL;

    host_make_folder(host);
    put(host->folder, "secret", "secret");
    outside = g_steal_pointer(&host->folder);
    host->folder = g_build_filename(outside, "share", NULL);
    g_autofree char *sub = g_build_filename(host->folder, "sub", NULL);
    g_autofree char *link = g_build_filename(host->folder, "up", NULL);
    g_assert_no_errno(g_mkdir_with_parents(sub, 0755));
    g_assert_no_errno(symlink("..", link));
    put(host->folder, "file", "0123456789");
    put(sub, "inner", "inner");
}

static void expect_no_litter(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_assert_false(g_str_has_prefix(name, ".ostler-"));
    }
}

static void expect_order(const UsbredirHost *host)
{
    g_autofree char *outside = g_path_get_dirname(host->folder);
    g_autofree char *secret = g_build_filename(outside, "secret", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GDir) dir = g_dir_open(outside, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    g_assert_cmpuint(n, ==, 2);
    g_assert_true(g_file_get_contents(secret, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "secret");
    expect_no_litter(host->folder);
}

/* host_clean_up() removes host->folder: make that the folder outside again. */
static void remove_share(UsbredirHost *host)
{
    char *share = host->folder;

    host->folder = g_path_get_dirname(share);
    g_free(share);
    host_clean_up(host);
}

/* ---- the recording ---- */

static void read_file(UsbredirHost *host, uint32_t handle)
{
    host_send_command(host, 0x1008, handle, 0, 0); /* GetObjectInfo */
    host_receive_in(host, 512);
    host_expect(host, 0x2001);
    host_send_command(host, 0x1009, handle, 0, 0); /* GetObject */
    host_receive_in(host, 16384);
    host_expect(host, 0x2001);
}

/* SendObjectInfo for "new", and SendObject. */
static uint32_t send_file(UsbredirHost *host)
{
    static const uint8_t name[] = { 4, 'n', 0, 'e', 0, 'w', 0, 0, 0 };
    static const uint8_t data[] = { 15, 0, 0, 0, 2,   0,   0x0d, 0x10,
                                    1,  0, 0, 0, 'a', 'b', 'c' };
    uint8_t info[12 + 52 + sizeof(name) + 3] = {
        sizeof(info), 0, 0, 0, 2, 0, 0x0c, 0x10, 1,
    };

    info[12 + 5] = 0x30; /* format 0x3000 */
    info[12 + 8] = 3;    /* bytes */
    memcpy(info + 12 + 52, name, sizeof(name));
    host_send_command(host, 0x100c, 0, 0xffffffff, 0);
    host_send_out(host, info, sizeof(info));
    host_expect(host, 0x2001);
    uint32_t handle = host_word(host, 5);
    host_send_command(host, 0x100d, 0, 0, 0);
    host_send_out(host, data, sizeof(data));
    host_expect(host, 0x2001);
    return handle;
}

/* BeginEdit, SendPartialObject64, Truncate64 and EndEdit (95C4, 95C2, 95C3, 95C5). */
static void edit_file(UsbredirHost *host, uint32_t handle)
{
    static const uint8_t data[] = { 16, 0, 0, 0, 2,   0,   0xc2, 0x95,
                                    1,  0, 0, 0, 'E', 'D', 'I',  'T' };
    const uint32_t write[] = { 28, 1u | 0x95c2u << 16, 1, handle, 2, 0, 4 };

    host_send_command(host, 0x95c4, handle, 0, 0);
    host_expect(host, 0x2001);
    host_send_out(host, write, sizeof(write));
    host_send_out(host, data, sizeof(data));
    host_expect(host, 0x2001);
    host_send_command(host, 0x95c3, handle, 5, 0);
    host_expect(host, 0x2001);
    host_send_command(host, 0x95c5, handle, 0, 0);
    host_expect(host, 0x2001);
}

static void converse(UsbredirHost *host)
{
    host_control(host, 0x80, 6, 0x0100, 0, 18);
    host_control(host, 0x80, 6, 0x03ee, 0, 18);
    host_listen(host);
    host_send_command(host, 0x1001, 0, 0, 0); /* GetDeviceInfo */
    host_receive_in(host, 16384);
    host_expect(host, 0x2001);
    host_send_command(host, 0x1007, 0xffffffff, 0, 0xffffffff); /* GetObjectHandles */
    host_receive_in(host, 512);
    uint32_t first = host_word(host, 4);
    host_expect(host, 0x2001);
    host_send_command(host, 0x9803, first, 0xdc07,
                      0); /* GetObjectPropValue: its name */
    host_receive_in(host, 512);
    host_expect(host, 0x2001);
    uint32_t handle = send_file(host);
    read_file(host, handle);
    edit_file(host, handle);
    read_file(host, handle);
    host_send_command(host, 0x100b, handle, 0, 0); /* DeleteObject */
    host_expect(host, 0x2001);
    usbredirparser_send_reset(host->parser);
    host_send_command(host, 0x1002, 2, 0, 0);
    host_expect(host, 0x2001);
}

/* All that the host says in a session (caller unrefs). */
static GByteArray *record(void)
{
    UsbredirHost host = { 0 };

    make_share(&host);
    host.said = g_byte_array_new();
    host_share_folder(&host);
    converse(&host);
    host_unplug(&host, 0);
    expect_order(&host);
    remove_share(&host);
    return host.said;
}

/* ---- the replay ---- */

static void turn_bits(GByteArray *bytes, GRand *rand)
{
    int n = g_rand_int_range(rand, 1, 9);

    for (int i = 0; i < n; i++) {
        int at = g_rand_int_range(rand, 0, (int)bytes->len);
        bytes->data[at] ^= (uint8_t)(1u << g_rand_int_range(rand, 0, 8));
    }
}

/* Take what the program says and forget it; false when it has closed. */
static bool listen_for(int fd, short wanted, short *out_seen)
{
    struct pollfd pollfd = { .fd = fd, .events = (short)(POLLIN | wanted) };
    uint8_t heard[16384];

    g_assert_cmpint(poll(&pollfd, 1, TIMEOUT_MS), ==, 1); /* or it hangs */
    *out_seen = pollfd.revents;
    return !(pollfd.revents & (POLLIN | POLLHUP)) || read(fd, heard, sizeof(heard)) > 0;
}

/* Say it all, whatever the answers are, and hang up. */
static void say(int fd, const GByteArray *bytes)
{
    bool is_open = true;
    short seen;

    for (guint at = 0; is_open && at < bytes->len;) {
        is_open = listen_for(fd, POLLOUT, &seen);
        if (is_open && seen & POLLOUT) {
            ssize_t n = send(fd, bytes->data + at, bytes->len - at,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
            at += n > 0 ? (guint)n : 0;
        }
    }
    shutdown(fd, SHUT_WR);
    while (is_open) {
        is_open = listen_for(fd, 0, &seen);
    }
}

/* Ends with 0 when the host hung up, with 1 when it made no sense. */
static void expect_good_end(UsbredirHost *host, int worst)
{
    int status;

    close(host->fd);
    g_assert_cmpint(waitpid(host->pid, &status, 0), ==, host->pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), <=, worst);
}

/* Seed 0: as it was said. */
static void replay(const GByteArray *said, unsigned seed)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    UsbredirHost host = { 0 };

    make_share(&host);
    g_byte_array_append(bytes, said->data, said->len);
    if (seed != 0) {
        turn_bits(bytes, rand);
    }
    g_autofree char *share = g_strdup_printf("Test=%s", host.folder);
    host_start(&host, share);
    say(host.fd, bytes);
    expect_good_end(&host, seed != 0);
    expect_order(&host);
    remove_share(&host);
}

static unsigned number_from(const char *variable, unsigned otherwise)
{
    const char *text = g_getenv(variable);

    return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void a_damaged_session_ends_in_good_order(void)
{
    unsigned first = number_from("SOAK_SEED", 1);
    unsigned n = number_from("SOAK_RUNS", 100);
    g_autoptr(GByteArray) said = record();

    replay(said, 0);
    for (unsigned seed = first; seed < first + n; seed++) {
        g_test_message("seed %u", seed);
        replay(said, seed);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mtp-soak/a-damaged-session-ends-in-good-order",
                    a_damaged_session_ends_in_good_order);
    return g_test_run();
}
