/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ostler-mtp against the protocol's own library: libusbredirparser is the host, as it is
 * inside QEMU, and the real program, sandbox and all, is the device.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <usbredirparser.h>

#define TIMEOUT_MS 20000

typedef struct {
    char *folder;
    int fd; /* our end */
    pid_t pid;
    struct usbredirparser *parser;
    uint64_t next_id;

    bool is_connected;
    bool is_gone;      /* the program closed its end */
    uint64_t answered; /* the last id */
    int status;
    struct usb_redir_ep_info_header ep_info;
    struct usb_redir_device_connect_header device;
    struct usb_redir_interface_info_header interfaces;
    GByteArray *got;
    GArray *events; /* of uint32_t: code, parameter, code, ... */
} Fixture;

/* ---- the library's callbacks ---- */

static void log_line(void *priv, int level, const char *text)
{
    if (level <= usbredirparser_warning) {
        g_error("libusbredirparser: %s", text);
    }
}

static int read_bytes(void *priv, uint8_t *data, int count)
{
    Fixture *f = priv;
    ssize_t n = recv(f->fd, data, (size_t)count, MSG_DONTWAIT);

    if (n == 0) {
        f->is_gone = true;
    }
    return n > 0 ? (int)n : 0;
}

static int write_bytes(void *priv, uint8_t *data, int count)
{
    Fixture *f = priv;
    ssize_t n = send(f->fd, data, (size_t)count, MSG_NOSIGNAL);

    return n < 0 ? 0 : (int)n;
}

static void on_hello(void *priv, struct usb_redir_hello_header *hello)
{
}

static void on_ep_info(void *priv, struct usb_redir_ep_info_header *info)
{
    ((Fixture *)priv)->ep_info = *info;
}

static void on_interface_info(void *priv, struct usb_redir_interface_info_header *info)
{
    ((Fixture *)priv)->interfaces = *info;
}

static void on_connect(void *priv, struct usb_redir_device_connect_header *device)
{
    ((Fixture *)priv)->device = *device;
    ((Fixture *)priv)->is_connected = true;
}

static void on_configuration(void *priv, uint64_t id,
                             struct usb_redir_configuration_status_header *status)
{
    ((Fixture *)priv)->answered = id;
    ((Fixture *)priv)->status = status->status;
}

static void on_alt_setting(void *priv, uint64_t id,
                           struct usb_redir_alt_setting_status_header *status)
{
    ((Fixture *)priv)->answered = id;
    ((Fixture *)priv)->status = status->status;
}

static void on_interrupt_status(
    void *priv, uint64_t id, struct usb_redir_interrupt_receiving_status_header *status)
{
    ((Fixture *)priv)->answered = id;
    ((Fixture *)priv)->status = status->status;
}

static void answer(Fixture *f, uint64_t id, int status, uint8_t *data, int size)
{
    f->answered = id;
    f->status = status;
    g_byte_array_set_size(f->got, 0);
    g_byte_array_append(f->got, data, (guint)size);
    usbredirparser_free_packet_data(f->parser, data);
}

static void on_control(void *priv, uint64_t id,
                       struct usb_redir_control_packet_header *packet, uint8_t *data,
                       int size)
{
    answer(priv, id, packet->status, data, size);
}

static void on_bulk(void *priv, uint64_t id,
                    struct usb_redir_bulk_packet_header *packet, uint8_t *data,
                    int size)
{
    answer(priv, id, packet->status, data, size);
}

static void on_interrupt(void *priv, uint64_t id,
                         struct usb_redir_interrupt_packet_header *packet,
                         uint8_t *data, int size)
{
    Fixture *f = priv;
    uint32_t words[4];

    g_assert_cmpint(packet->endpoint, ==, 0x83);
    g_assert_cmpint(size, ==, sizeof(words));
    memcpy(words, data, sizeof(words));
    uint32_t code = GUINT32_FROM_LE(words[1]) >> 16;
    uint32_t param = GUINT32_FROM_LE(words[3]);
    g_array_append_val(f->events, code);
    g_array_append_val(f->events, param);
    usbredirparser_free_packet_data(f->parser, data);
}

/* ---- the host ---- */

/* Move packets until @is_done is true or the program closes. */
static void pump(Fixture *f, bool (*is_done)(const Fixture *f, uint64_t id),
                 uint64_t id)
{
    while (!is_done(f, id) && !f->is_gone) {
        struct pollfd pollfd = { .fd = f->fd, .events = POLLIN };

        while (usbredirparser_has_data_to_write(f->parser)) {
            g_assert_cmpint(usbredirparser_do_write(f->parser), ==, 0);
        }
        g_assert_cmpint(poll(&pollfd, 1, TIMEOUT_MS), ==, 1);
        g_assert_cmpint(usbredirparser_do_read(f->parser), ==, 0);
    }
}

static bool is_connected(const Fixture *f, uint64_t id)
{
    return f->is_connected;
}

static bool is_answered(const Fixture *f, uint64_t id)
{
    return f->answered == id;
}

static bool is_never(const Fixture *f, uint64_t id)
{
    return false;
}

static void wait_for(Fixture *f, uint64_t id)
{
    pump(f, is_answered, id);
    g_assert_false(f->is_gone);
}

static void start(Fixture *f, const char *share)
{
    const char *program = g_getenv("OSTLER_MTP");
    int fds[2];

    g_assert_nonnull(program);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    f->fd = fds[0];
    f->pid = fork();
    if (f->pid == 0) {
        dup2(fds[1], 9);
        execl(program, program, "--fd", "9", "--share", share, NULL);
        _exit(127);
    }
    close(fds[1]);
}

static void plug_in(Fixture *f)
{
    uint32_t caps[USB_REDIR_CAPS_SIZE] = { 0 };

    f->is_connected = f->is_gone = false;
    f->parser = usbredirparser_create();
    f->parser->priv = f;
    f->parser->log_func = log_line;
    f->parser->read_func = read_bytes;
    f->parser->write_func = write_bytes;
    f->parser->hello_func = on_hello;
    f->parser->ep_info_func = on_ep_info;
    f->parser->interface_info_func = on_interface_info;
    f->parser->device_connect_func = on_connect;
    f->parser->configuration_status_func = on_configuration;
    f->parser->alt_setting_status_func = on_alt_setting;
    f->parser->interrupt_receiving_status_func = on_interrupt_status;
    f->parser->control_packet_func = on_control;
    f->parser->bulk_packet_func = on_bulk;
    f->parser->interrupt_packet_func = on_interrupt;
    for (int cap = usb_redir_cap_bulk_streams; cap <= usb_redir_cap_bulk_receiving;
         cap++) {
        usbredirparser_caps_set_cap(caps, cap); /* QEMU 7.2 offers all */
    }
    usbredirparser_init(f->parser, "test", caps, USB_REDIR_CAPS_SIZE, 0);
    pump(f, is_connected, 0);
    g_assert_true(f->is_connected);
}

static void set_up(Fixture *f, gconstpointer options)
{
    f->folder = g_dir_make_tmp("mtp-usbredir-XXXXXX", NULL);
    f->got = g_byte_array_new();
    f->events = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree char *share = g_strdup_printf("Test=%s", f->folder);
    start(f, share);
    plug_in(f);
}

/* The program ends by itself, in good order, when the host goes. */
static void unplug(Fixture *f, int wanted_status)
{
    int status;

    if (f->fd >= 0) {
        close(f->fd);
    }
    g_assert_cmpint(waitpid(f->pid, &status, 0), ==, f->pid);
    g_assert_cmpint(status, ==, wanted_status);
    usbredirparser_destroy(f->parser);
}

static void clean_up(Fixture *f)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->folder);

    g_assert_cmpint(system(command), ==, 0);
    g_byte_array_unref(f->got);
    g_array_unref(f->events);
    g_free(f->folder);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    unplug(f, 0);
    clean_up(f);
}

static int control(Fixture *f, uint8_t request_type, uint8_t request, uint16_t value,
                   uint16_t index, uint16_t length)
{
    struct usb_redir_control_packet_header packet = {
        .endpoint = request_type & 0x80,
        .request = request,
        .requesttype = request_type,
        .value = value,
        .index = index,
        .length = length,
    };

    usbredirparser_send_control_packet(f->parser, ++f->next_id, &packet, NULL, 0);
    wait_for(f, f->next_id);
    return f->status;
}

static uint64_t submit(Fixture *f, uint8_t endpoint, const void *bytes, uint32_t size)
{
    struct usb_redir_bulk_packet_header packet = {
        .endpoint = endpoint,
        .length = (uint16_t)size,
        .length_high = (uint16_t)(size >> 16),
    };

    usbredirparser_send_bulk_packet(f->parser, ++f->next_id, &packet, (uint8_t *)bytes,
                                    bytes ? (int)size : 0);
    return f->next_id;
}

static void send_out(Fixture *f, const void *bytes, uint32_t size)
{
    wait_for(f, submit(f, 0x02, bytes, size));
    g_assert_cmpint(f->status, ==, usb_redir_success);
}

static void receive_in(Fixture *f, uint32_t wanted)
{
    wait_for(f, submit(f, 0x81, NULL, wanted));
    g_assert_cmpint(f->status, ==, usb_redir_success);
}

static void send_command(Fixture *f, uint16_t code, uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t bytes[6] = { 24, 1u | (uint32_t)code << 16, 1, a, b, c };

    send_out(f, bytes, sizeof(bytes));
}

/* The 32-bit word at @index of what came last. */
static uint32_t word(const Fixture *f, unsigned index)
{
    uint32_t value;

    g_assert_cmpuint(f->got->len, >=, 4 * (index + 1));
    memcpy(&value, f->got->data + 4 * index, 4);
    return GUINT32_FROM_LE(value);
}

static void expect(Fixture *f, uint16_t code)
{
    receive_in(f, 512);
    g_assert_cmphex(word(f, 1), ==, 3u | (uint32_t)code << 16);
}

static void put_file(const Fixture *f, const char *name, const char *bytes, gssize size)
{
    g_autofree char *path = g_build_filename(f->folder, name, NULL);

    g_assert_true(g_file_set_contents_full(path, bytes, size, G_FILE_SET_CONTENTS_NONE,
                                           0644, NULL));
}

/* ---- claims ---- */

static void the_library_understands_the_description(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(f->device.speed, ==, usb_redir_speed_high);
    g_assert_cmphex(f->device.vendor_id, ==, 0x1d6b);
    g_assert_cmpint(f->interfaces.interface_count, ==, 1);
    g_assert_cmpint(f->interfaces.interface_class[0], ==, 6);
    g_assert_cmpint(f->ep_info.type[0x11], ==, usb_redir_type_bulk); /* 0x81 */
    g_assert_cmpint(f->ep_info.type[0x02], ==, usb_redir_type_bulk);
    g_assert_cmpint(f->ep_info.type[0x13], ==, usb_redir_type_interrupt); /* 0x83 */
    g_assert_cmpint(f->ep_info.interval[0x13], >, 0);
    g_assert_cmpint(f->ep_info.max_packet_size[0x11], ==, 512);
    g_assert_cmpint(f->ep_info.type[0x14], ==, usb_redir_type_invalid);
}

static void control_requests_are_answered(Fixture *f, gconstpointer unused)
{
    struct usb_redir_set_configuration_header one = { 1 }, three = { 3 };
    struct usb_redir_set_alt_setting_header alt = { 0, 0 };
    struct usb_redir_start_interrupt_receiving_header listen = { 0x83 },
                                                      wrong = { 0x84 };

    g_assert_cmpint(control(f, 0x80, 6, 0x0100, 0, 18), ==, usb_redir_success);
    g_assert_cmpuint(f->got->len, ==, 18);
    g_assert_cmpint(control(f, 0x80, 6, 0x0f00, 0, 5), ==, usb_redir_stall);
    usbredirparser_send_set_configuration(f->parser, ++f->next_id, &one);
    wait_for(f, f->next_id);
    g_assert_cmpint(f->status, ==, usb_redir_success);
    usbredirparser_send_set_configuration(f->parser, ++f->next_id, &three);
    wait_for(f, f->next_id);
    g_assert_cmpint(f->status, !=, usb_redir_success);
    usbredirparser_send_set_alt_setting(f->parser, ++f->next_id, &alt);
    wait_for(f, f->next_id);
    g_assert_cmpint(f->status, ==, usb_redir_success);
    usbredirparser_send_start_interrupt_receiving(f->parser, ++f->next_id, &listen);
    wait_for(f, f->next_id);
    g_assert_cmpint(f->status, ==, usb_redir_success);
    usbredirparser_send_start_interrupt_receiving(f->parser, ++f->next_id, &wrong);
    wait_for(f, f->next_id);
    g_assert_cmpint(f->status, !=, usb_redir_success);
}

/* The handle of the only file in the share. */
static uint32_t only_file(Fixture *f)
{
    send_command(f, 0x1007, 0xffffffff, 0, 0);
    receive_in(f, 512);
    g_assert_cmpuint(word(f, 3), ==, 1);
    uint32_t handle = word(f, 4);
    expect(f, 0x2001);
    return handle;
}

static void a_file_is_read(Fixture *f, gconstpointer unused)
{
    g_autofree char *bytes = g_malloc(100000);
    memset(bytes, 'x', 100000);

    put_file(f, "file", bytes, 100000);
    send_command(f, 0x1002, 1, 0, 0);
    expect(f, 0x2001);
    send_command(f, 0x1009, only_file(f), 0, 0);
    receive_in(f, 65536);
    g_assert_cmpuint(f->got->len, ==, 65536);
    g_assert_cmpint(f->got->data[12], ==, 'x');
    receive_in(f, 65536);
    g_assert_cmpuint(f->got->len, ==, 100000 + 12 - 65536);
    expect(f, 0x2001);
}

static void a_cancelled_id_is_answered_once(Fixture *f, gconstpointer unused)
{
    uint64_t id = submit(f, 0x81, NULL, 512);

    usbredirparser_send_cancel_data_packet(f->parser, id);
    wait_for(f, id);
    g_assert_cmpint(f->status, ==, usb_redir_cancelled);
    usbredirparser_send_cancel_data_packet(f->parser, id);
    send_command(f, 0x1002, 1, 0, 0);
    expect(f, 0x2001);
}

static void a_reset_closes_the_session_and_keeps_handles(Fixture *f,
                                                         gconstpointer unused)
{
    put_file(f, "file", "x", 1);
    send_command(f, 0x1002, 1, 0, 0);
    expect(f, 0x2001);
    uint32_t handle = only_file(f);
    for (unsigned i = 0; i < 20; i++) {
        usbredirparser_send_reset(f->parser);
        send_command(f, 0x1007, 0xffffffff, 0, 0);
        expect(f, 0x2003); /* session not open */
        send_command(f, 0x1002, 1, 0, 0);
        expect(f, 0x2001);
        g_assert_cmpuint(only_file(f), ==, handle);
    }
}

static bool has_event(const Fixture *f, uint64_t unused)
{
    return f->events->len > 0;
}

/* Wait for the next event, which must be @code; returns its parameter. */
static uint32_t next_event(Fixture *f, uint32_t code)
{
    pump(f, has_event, 0);
    g_assert_cmphex(g_array_index(f->events, uint32_t, 0), ==, code);
    uint32_t param = g_array_index(f->events, uint32_t, 1);
    g_array_remove_range(f->events, 0, 2);
    return param;
}

/* The same, after what may still be said of @known: it was made a moment before it was
 * listed, and the watch's news of that may come later. */
static uint32_t next_news(Fixture *f, uint32_t code, uint32_t known)
{
    for (;;) {
        pump(f, has_event, 0);
        if (g_array_index(f->events, uint32_t, 0) != 0x4007 ||
            g_array_index(f->events, uint32_t, 1) != known) {
            return next_event(f, code);
        }
        next_event(f, 0x4007);
    }
}

static void listen_to_events(Fixture *f)
{
    struct usb_redir_start_interrupt_receiving_header listen = { 0x83 };

    usbredirparser_send_start_interrupt_receiving(f->parser, ++f->next_id, &listen);
    wait_for(f, f->next_id);
    send_command(f, 0x1002, 1, 0, 0);
    expect(f, 0x2001);
}

static char *path_of(const Fixture *f, const char *name)
{
    return g_build_filename(f->folder, name, NULL);
}

static void what_the_host_does_is_told(Fixture *f, gconstpointer unused)
{
    g_autofree char *first = path_of(f, "first");
    g_autofree char *second = path_of(f, "second");

    put_file(f, "known", "x", 1);
    listen_to_events(f);
    uint32_t known = only_file(f);

    put_file(f, "first", "x", 1);
    uint32_t handle = next_news(f, 0x4002, known);
    g_assert_cmpuint(handle, !=, known);
    /* Closing it after writing may be told as a change, or have been seen already. */
    g_assert_cmpint(g_rename(first, second), ==, 0);
    g_assert_cmpuint(next_news(f, 0x4007, known), ==, handle);
    put_file(f, "known", "longer", 6);
    uint32_t changed;
    while ((changed = next_event(f, 0x4007)) == handle) {
    }
    g_assert_cmpuint(changed, ==, known);
    g_assert_cmpint(g_unlink(second), ==, 0);
    while (f->events->len > 0) {
        next_event(f, 0x4007); /* the rest of the change */
    }
    for (;;) {
        pump(f, has_event, 0);
        if (g_array_index(f->events, uint32_t, 0) == 0x4003) {
            break;
        }
        next_event(f, 0x4007);
    }
    g_assert_cmpuint(next_event(f, 0x4003), ==, handle);
}

/* ObjectInfo for a file called "new", in a data container. */
static void send_info(Fixture *f, uint32_t size)
{
    static const uint8_t name[] = { 4, 'n', 0, 'e', 0, 'w', 0, 0, 0 };
    uint8_t info[12 + 52 + sizeof(name) + 3] = {
        sizeof(info), 0, 0, 0, 2, 0, 0x0c, 0x10, 1,
    };

    info[12 + 5] = 0x30; /* format 0x3000 */
    memcpy(info + 12 + 8, &size, 4);
    memcpy(info + 12 + 52, name, sizeof(name));
    send_command(f, 0x100c, 0, 0xffffffff, 0);
    send_out(f, info, sizeof(info));
    expect(f, 0x2001);
}

static void what_the_guest_does_is_not_told(Fixture *f, gconstpointer unused)
{
    static const uint8_t data[] = { 15, 0, 0, 0, 2,   0,   0x0d, 0x10,
                                    1,  0, 0, 0, 'a', 'b', 'c' };

    put_file(f, "known", "x", 1);
    listen_to_events(f);
    uint32_t known = only_file(f);
    for (unsigned i = 0; i < 2; i++) { /* a new file, then one in its place */
        send_info(f, 3);
        send_command(f, 0x100d, 0, 0, 0);
        send_out(f, data, sizeof(data));
        expect(f, 0x2001);
    }
    send_command(f, 0x100b, known, 0, 0);
    expect(f, 0x2001);

    /* The host's doing comes after the guest's, so the first event must be about it. */
    put_file(f, "mark", "x", 1);
    next_news(f, 0x4002, known);
}

static void a_killed_program_leaves_no_half_file(Fixture *f, gconstpointer unused)
{
    uint8_t part[4096] = { 12 + 0x40, 0x42, 0x0f, 0, 2, 0, 0x0d, 0x10, 1 };

    send_command(f, 0x1002, 1, 0, 0);
    expect(f, 0x2001);
    send_info(f, 1000000);
    send_command(f, 0x100d, 0, 0, 0);
    send_out(f, part, sizeof(part));
    g_assert_cmpint(kill(f->pid, SIGKILL), ==, 0);
    pump(f, is_never, 0);
    unplug(f, SIGKILL);

    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
    clean_up(f);
}

static void nonsense_ends_the_connection(Fixture *f, gconstpointer unused)
{
    static const uint8_t nonsense[16] = { 101, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };

    g_assert_cmpint(send(f->fd, nonsense, sizeof(nonsense), 0), ==, sizeof(nonsense));
    pump(f, is_never, 0);
    unplug(f, 1 << 8); /* exit code 1 */
    clean_up(f);
}

#define TEST(name, func, end)                                                          \
    g_test_add("/mtp-usbredir/" name, Fixture, NULL, set_up, func, end)

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
