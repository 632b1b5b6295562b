/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ostler-mtp against the protocol's own library, by way of usbredir-host.h. */
#include "usbredir-host.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

static void put_file(const UsbredirHost *host, const char *name, const char *bytes,
                     gssize size)
{
    g_autofree char *path = g_build_filename(host->folder, name, NULL);

    g_assert_true(g_file_set_contents_full(path, bytes, size, G_FILE_SET_CONTENTS_NONE,
                                           0644, NULL));
}

static void set_up(UsbredirHost *host, gconstpointer unused)
{
    host_set_up(host);
}

static void tear_down(UsbredirHost *host, gconstpointer unused)
{
    host_tear_down(host);
}

/* ---- claims ---- */

static void the_library_understands_the_description(UsbredirHost *host,
                                                    gconstpointer unused)
{
    g_assert_cmpint(host->device.speed, ==, usb_redir_speed_high);
    g_assert_cmphex(host->device.vendor_id, ==, 0x1d6b);
    g_assert_cmpint(host->interfaces.interface_count, ==, 1);
    g_assert_cmpint(host->interfaces.interface_class[0], ==, 6);
    g_assert_cmpint(host->ep_info.type[0x11], ==, usb_redir_type_bulk); /* 0x81 */
    g_assert_cmpint(host->ep_info.type[0x02], ==, usb_redir_type_bulk);
    g_assert_cmpint(host->ep_info.type[0x13], ==, usb_redir_type_interrupt); /* 0x83 */
    g_assert_cmpint(host->ep_info.interval[0x13], >, 0);
    g_assert_cmpint(host->ep_info.max_packet_size[0x11], ==, 512);
    g_assert_cmpint(host->ep_info.type[0x14], ==, usb_redir_type_invalid);
}

static void control_requests_are_answered(UsbredirHost *host, gconstpointer unused)
{
    struct usb_redir_set_configuration_header one = { 1 }, three = { 3 };
    struct usb_redir_set_alt_setting_header alt = { 0, 0 };
    struct usb_redir_start_interrupt_receiving_header listen = { 0x83 },
                                                      wrong = { 0x84 };

    g_assert_cmpint(host_control(host, 0x80, 6, 0x0100, 0, 18), ==, usb_redir_success);
    g_assert_cmpuint(host->got->len, ==, 18);
    g_assert_cmpint(host_control(host, 0x80, 6, 0x0f00, 0, 5), ==, usb_redir_stall);
    usbredirparser_send_set_configuration(host->parser, ++host->next_id, &one);
    host_wait_for(host, host->next_id);
    g_assert_cmpint(host->status, ==, usb_redir_success);
    usbredirparser_send_set_configuration(host->parser, ++host->next_id, &three);
    host_wait_for(host, host->next_id);
    g_assert_cmpint(host->status, !=, usb_redir_success);
    usbredirparser_send_set_alt_setting(host->parser, ++host->next_id, &alt);
    host_wait_for(host, host->next_id);
    g_assert_cmpint(host->status, ==, usb_redir_success);
    usbredirparser_send_start_interrupt_receiving(host->parser, ++host->next_id,
                                                  &listen);
    host_wait_for(host, host->next_id);
    g_assert_cmpint(host->status, ==, usb_redir_success);
    usbredirparser_send_start_interrupt_receiving(host->parser, ++host->next_id,
                                                  &wrong);
    host_wait_for(host, host->next_id);
    g_assert_cmpint(host->status, !=, usb_redir_success);
}

/* The handle of the only file in the share. */
static uint32_t only_file(UsbredirHost *host)
{
    host_send_command(host, 0x1007, 0xffffffff, 0, 0);
    host_receive_in(host, 512);
    g_assert_cmpuint(host_word(host, 3), ==, 1);
    uint32_t handle = host_word(host, 4);
    host_expect(host, 0x2001);
    return handle;
}

static void a_file_is_read(UsbredirHost *host, gconstpointer unused)
{
    g_autofree char *bytes = g_malloc(100000);
    memset(bytes, 'x', 100000);

    put_file(host, "file", bytes, 100000);
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
    host_send_command(host, 0x1009, only_file(host), 0, 0);
    host_receive_in(host, 65536);
    g_assert_cmpuint(host->got->len, ==, 65536);
    g_assert_cmpint(host->got->data[12], ==, 'x');
    host_receive_in(host, 65536);
    g_assert_cmpuint(host->got->len, ==, 100000 + 12 - 65536);
    host_expect(host, 0x2001);
}

static void a_cancelled_id_is_answered_once(UsbredirHost *host, gconstpointer unused)
{
    uint64_t id = host_submit(host, 0x81, NULL, 512);

    usbredirparser_send_cancel_data_packet(host->parser, id);
    host_wait_for(host, id);
    g_assert_cmpint(host->status, ==, usb_redir_cancelled);
    usbredirparser_send_cancel_data_packet(host->parser, id);
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
}

static void a_reset_closes_the_session_and_keeps_handles(UsbredirHost *host,
                                                         gconstpointer unused)
{
    put_file(host, "file", "x", 1);
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
    uint32_t handle = only_file(host);
    for (unsigned i = 0; i < 20; i++) {
        usbredirparser_send_reset(host->parser);
        host_send_command(host, 0x1007, 0xffffffff, 0, 0);
        host_expect(host, 0x2003); /* session not open */
        host_send_command(host, 0x1002, 1, 0, 0);
        host_expect(host, 0x2001);
        g_assert_cmpuint(only_file(host), ==, handle);
    }
}

/* The same, after what may still be said of @known: it was made a moment before it was
 * listed, and the watch's news of that may come later. */
static uint32_t next_news(UsbredirHost *host, uint32_t code, uint32_t known)
{
    for (;;) {
        host_pump(host, host_has_event, 0);
        if (g_array_index(host->events, uint32_t, 0) != 0x4007 ||
            g_array_index(host->events, uint32_t, 1) != known) {
            return host_next_event(host, code);
        }
        host_next_event(host, 0x4007);
    }
}

static char *path_of(const UsbredirHost *host, const char *name)
{
    return g_build_filename(host->folder, name, NULL);
}

static void what_the_host_does_is_told(UsbredirHost *host, gconstpointer unused)
{
    g_autofree char *first = path_of(host, "first");
    g_autofree char *second = path_of(host, "second");

    put_file(host, "known", "x", 1);
    host_listen(host);
    uint32_t known = only_file(host);

    put_file(host, "first", "x", 1);
    uint32_t handle = next_news(host, 0x4002, known);
    g_assert_cmpuint(handle, !=, known);
    /* Closing it after writing may be told as a change, or have been seen already. */
    g_assert_cmpint(g_rename(first, second), ==, 0);
    g_assert_cmpuint(next_news(host, 0x4007, known), ==, handle);
    put_file(host, "known", "longer", 6);
    uint32_t changed;
    while ((changed = host_next_event(host, 0x4007)) == handle) {
    }
    g_assert_cmpuint(changed, ==, known);
    g_assert_cmpint(g_unlink(second), ==, 0);
    while (host->events->len > 0) {
        host_next_event(host, 0x4007); /* the rest of the change */
    }
    for (;;) {
        host_pump(host, host_has_event, 0);
        if (g_array_index(host->events, uint32_t, 0) == 0x4003) {
            break;
        }
        host_next_event(host, 0x4007);
    }
    g_assert_cmpuint(host_next_event(host, 0x4003), ==, handle);
}

/* ObjectInfo for a file called "new", in a data container. */
static void send_info(UsbredirHost *host, uint32_t size)
{
    static const uint8_t name[] = { 4, 'n', 0, 'e', 0, 'w', 0, 0, 0 };
    uint8_t info[12 + 52 + sizeof(name) + 3] = {
        sizeof(info), 0, 0, 0, 2, 0, 0x0c, 0x10, 1,
    };

    info[12 + 5] = 0x30; /* format 0x3000 */
    memcpy(info + 12 + 8, &size, 4);
    memcpy(info + 12 + 52, name, sizeof(name));
    host_send_command(host, 0x100c, 0, 0xffffffff, 0);
    host_send_out(host, info, sizeof(info));
    host_expect(host, 0x2001);
}

static void what_the_guest_does_is_not_told(UsbredirHost *host, gconstpointer unused)
{
    static const uint8_t data[] = { 15, 0, 0, 0, 2,   0,   0x0d, 0x10,
                                    1,  0, 0, 0, 'a', 'b', 'c' };

    put_file(host, "known", "x", 1);
    host_listen(host);
    uint32_t known = only_file(host);
    for (unsigned i = 0; i < 2; i++) { /* a new file, then one in its place */
        send_info(host, 3);
        host_send_command(host, 0x100d, 0, 0, 0);
        host_send_out(host, data, sizeof(data));
        host_expect(host, 0x2001);
    }
    host_send_command(host, 0x100b, known, 0, 0);
    host_expect(host, 0x2001);

    /* The host's doing comes after the guest's, so the first event must be about it. */
    put_file(host, "mark", "x", 1);
    next_news(host, 0x4002, known);
}

static void a_killed_program_leaves_no_half_file(UsbredirHost *host,
                                                 gconstpointer unused)
{
    uint8_t part[4096] = { 12 + 0x40, 0x42, 0x0f, 0, 2, 0, 0x0d, 0x10, 1 };

    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
    send_info(host, 1000000);
    host_send_command(host, 0x100d, 0, 0, 0);
    host_send_out(host, part, sizeof(part));
    g_assert_cmpint(kill(host->pid, SIGKILL), ==, 0);
    host_pump(host, host_is_never, 0);
    host_unplug(host, SIGKILL);

    g_autoptr(GDir) dir = g_dir_open(host->folder, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
    host_clean_up(host);
}

static void nonsense_ends_the_connection(UsbredirHost *host, gconstpointer unused)
{
    static const uint8_t nonsense[16] = { 101, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };

    g_assert_cmpint(send(host->fd, nonsense, sizeof(nonsense), 0), ==,
                    sizeof(nonsense));
    host_pump(host, host_is_never, 0);
    host_unplug(host, 1 << 8); /* exit code 1 */
    host_clean_up(host);
}

#define TEST(name, func, end)                                                          \
    g_test_add("/mtp-usbredir/" name, UsbredirHost, NULL, set_up, func, end)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("the-library-understands-the-description",
         the_library_understands_the_description, tear_down);
    TEST("control-requests-are-answered", control_requests_are_answered, tear_down);
    TEST("a-file-is-read", a_file_is_read, tear_down);
    TEST("a-cancelled-id-is-answered-once", a_cancelled_id_is_answered_once, tear_down);
    TEST("a-reset-closes-the-session-and-keeps-handles",
         a_reset_closes_the_session_and_keeps_handles, tear_down);
    TEST("what-the-host-does-is-told", what_the_host_does_is_told, tear_down);
    TEST("what-the-guest-does-is-not-told", what_the_guest_does_is_not_told, tear_down);
    TEST("a-killed-program-leaves-no-half-file", a_killed_program_leaves_no_half_file,
         NULL);
    TEST("nonsense-ends-the-connection", nonsense_ends_the_connection, NULL);
    return g_test_run();
}
