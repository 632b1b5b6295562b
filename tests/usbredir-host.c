/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "usbredir-host.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 20000

/* Comes whenever anybody fills or empties the disk, so no test can say when. */
#define STORAGE_INFO_CHANGED 0x400c

/* ---- the library's callbacks ---- */

static void log_line(void *priv, int level, const char *text)
{
    if (level <= usbredirparser_warning) {
        g_error("libusbredirparser: %s", text);
    }
}

static int read_bytes(void *priv, uint8_t *data, int count)
{
    UsbredirHost *host = priv;
    ssize_t n = recv(host->fd, data, (size_t)count, MSG_DONTWAIT);

    if (n == 0) {
        host->is_gone = true;
    }
    return n > 0 ? (int)n : 0;
}

static int write_bytes(void *priv, uint8_t *data, int count)
{
    UsbredirHost *host = priv;
    ssize_t n = send(host->fd, data, (size_t)count, MSG_NOSIGNAL);

    if (n > 0 && host->said) {
        g_byte_array_append(host->said, data, (guint)n);
    }
    return n < 0 ? 0 : (int)n;
}

static void on_hello(void *priv, struct usb_redir_hello_header *hello)
{
}

static void on_ep_info(void *priv, struct usb_redir_ep_info_header *info)
{
    ((UsbredirHost *)priv)->ep_info = *info;
}

static void on_interface_info(void *priv, struct usb_redir_interface_info_header *info)
{
    ((UsbredirHost *)priv)->interfaces = *info;
}

static void on_connect(void *priv, struct usb_redir_device_connect_header *device)
{
    ((UsbredirHost *)priv)->device = *device;
    ((UsbredirHost *)priv)->is_connected = true;
}

static void on_configuration(void *priv, uint64_t id,
                             struct usb_redir_configuration_status_header *status)
{
    ((UsbredirHost *)priv)->answered = id;
    ((UsbredirHost *)priv)->status = status->status;
}

static void on_alt_setting(void *priv, uint64_t id,
                           struct usb_redir_alt_setting_status_header *status)
{
    ((UsbredirHost *)priv)->answered = id;
    ((UsbredirHost *)priv)->status = status->status;
}

static void on_interrupt_status(
    void *priv, uint64_t id, struct usb_redir_interrupt_receiving_status_header *status)
{
    ((UsbredirHost *)priv)->answered = id;
    ((UsbredirHost *)priv)->status = status->status;
}

static void answer(UsbredirHost *host, uint64_t id, int status, uint8_t *data, int size)
{
    host->answered = id;
    host->status = status;
    g_byte_array_set_size(host->got, 0);
    g_byte_array_append(host->got, data, (guint)size);
    usbredirparser_free_packet_data(host->parser, data);
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
    UsbredirHost *host = priv;
    uint32_t words[4];

    g_assert_cmpint(packet->endpoint, ==, 0x83);
    g_assert_cmpint(size, ==, sizeof(words));
    memcpy(words, data, sizeof(words));
    uint32_t code = GUINT32_FROM_LE(words[1]) >> 16;
    uint32_t param = GUINT32_FROM_LE(words[3]);
    if (code != STORAGE_INFO_CHANGED) {
        g_array_append_val(host->events, code);
        g_array_append_val(host->events, param);
    }
    usbredirparser_free_packet_data(host->parser, data);
}

/* ---- the host ---- */

void host_pump(UsbredirHost *host,
               bool (*is_done)(const UsbredirHost *host, uint64_t id), uint64_t id)
{
    while (!is_done(host, id) && !host->is_gone) {
        struct pollfd pollfd = { .fd = host->fd, .events = POLLIN };

        while (usbredirparser_has_data_to_write(host->parser)) {
            g_assert_cmpint(usbredirparser_do_write(host->parser), ==, 0);
        }
        g_assert_cmpint(poll(&pollfd, 1, TIMEOUT_MS), ==, 1);
        g_assert_cmpint(usbredirparser_do_read(host->parser), ==, 0);
    }
}

static bool is_connected(const UsbredirHost *host, uint64_t id)
{
    return host->is_connected;
}

static bool is_answered(const UsbredirHost *host, uint64_t id)
{
    return host->answered == id;
}

bool host_is_never(const UsbredirHost *host, uint64_t id)
{
    return false;
}

void host_wait_for(UsbredirHost *host, uint64_t id)
{
    host_pump(host, is_answered, id);
    g_assert_false(host->is_gone);
}

/* Nothing is added without a @value. */
static void add_option(const char **argv, const char *option, const char *value)
{
    if (value) {
        guint n = g_strv_length((char **)argv);
        argv[n] = option;
        argv[n + 1] = value;
    }
}

void host_start(UsbredirHost *host, const char *share)
{
    const char *program = g_getenv("OSTLER_MTP");
    int fds[2];

    g_assert_nonnull(program);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    host->fd = fds[0];
    host->pid = fork();
    if (host->pid == 0) {
        dup2(fds[1], 9);
        const char *argv[16] = { program, "--fd", "9", "--share", share };
        add_option(argv, "--control", host->control);
        add_option(argv, "--state", host->state);
        execv(program, (char **)argv);
        _exit(127);
    }
    close(fds[1]);
}

void host_plug_in(UsbredirHost *host)
{
    uint32_t caps[USB_REDIR_CAPS_SIZE] = { 0 };

    host->is_connected = host->is_gone = false;
    host->parser = usbredirparser_create();
    host->parser->priv = host;
    host->parser->log_func = log_line;
    host->parser->read_func = read_bytes;
    host->parser->write_func = write_bytes;
    host->parser->hello_func = on_hello;
    host->parser->ep_info_func = on_ep_info;
    host->parser->interface_info_func = on_interface_info;
    host->parser->device_connect_func = on_connect;
    host->parser->configuration_status_func = on_configuration;
    host->parser->alt_setting_status_func = on_alt_setting;
    host->parser->interrupt_receiving_status_func = on_interrupt_status;
    host->parser->control_packet_func = on_control;
    host->parser->bulk_packet_func = on_bulk;
    host->parser->interrupt_packet_func = on_interrupt;
    for (int cap = usb_redir_cap_bulk_streams; cap <= usb_redir_cap_bulk_receiving;
         cap++) {
        usbredirparser_caps_set_cap(caps, cap); /* QEMU 7.2 offers all */
    }
    usbredirparser_init(host->parser, "test", caps, USB_REDIR_CAPS_SIZE, 0);
    host_pump(host, is_connected, 0);
    g_assert_true(host->is_connected);
}

void host_unplug(UsbredirHost *host, int wanted_status)
{
    int status;

    if (host->fd >= 0) {
        close(host->fd);
    }
    g_assert_cmpint(waitpid(host->pid, &status, 0), ==, host->pid);
    g_assert_cmpint(status, ==, wanted_status);
    usbredirparser_destroy(host->parser);
}

void host_clean_up(UsbredirHost *host)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", host->folder);

    g_assert_cmpint(system(command), ==, 0);
    g_byte_array_unref(host->got);
    g_array_unref(host->events);
    g_free(host->folder);
}

int host_control(UsbredirHost *host, uint8_t request_type, uint8_t request,
                 uint16_t value, uint16_t index, uint16_t length)
{
    struct usb_redir_control_packet_header packet = {
        .endpoint = request_type & 0x80,
        .request = request,
        .requesttype = request_type,
        .value = value,
        .index = index,
        .length = length,
    };

    usbredirparser_send_control_packet(host->parser, ++host->next_id, &packet, NULL, 0);
    host_wait_for(host, host->next_id);
    return host->status;
}

uint64_t host_submit(UsbredirHost *host, uint8_t endpoint, const void *bytes,
                     uint32_t size)
{
    struct usb_redir_bulk_packet_header packet = {
        .endpoint = endpoint,
        .length = (uint16_t)size,
        .length_high = (uint16_t)(size >> 16),
    };

    usbredirparser_send_bulk_packet(host->parser, ++host->next_id, &packet,
                                    (uint8_t *)bytes, bytes ? (int)size : 0);
    return host->next_id;
}

void host_send_out(UsbredirHost *host, const void *bytes, uint32_t size)
{
    host_wait_for(host, host_submit(host, 0x02, bytes, size));
    g_assert_cmpint(host->status, ==, usb_redir_success);
}

void host_receive_in(UsbredirHost *host, uint32_t wanted)
{
    host_wait_for(host, host_submit(host, 0x81, NULL, wanted));
    g_assert_cmpint(host->status, ==, usb_redir_success);
}

void host_send_command(UsbredirHost *host, uint16_t code, uint32_t a, uint32_t b,
                       uint32_t c)
{
    const uint32_t bytes[6] = { 24, 1u | (uint32_t)code << 16, 1, a, b, c };

    host_send_out(host, bytes, sizeof(bytes));
}

uint32_t host_word(const UsbredirHost *host, unsigned index)
{
    uint32_t value;

    g_assert_cmpuint(host->got->len, >=, 4 * (index + 1));
    memcpy(&value, host->got->data + 4 * index, 4);
    return GUINT32_FROM_LE(value);
}

void host_expect(UsbredirHost *host, uint16_t code)
{
    host_receive_in(host, 512);
    g_assert_cmphex(host_word(host, 1), ==, 3u | (uint32_t)code << 16);
}

bool host_has_event(const UsbredirHost *host, uint64_t unused)
{
    return host->events->len > 0;
}

uint32_t host_next_event(UsbredirHost *host, uint32_t code)
{
    host_pump(host, host_has_event, 0);
    g_assert_cmphex(g_array_index(host->events, uint32_t, 0), ==, code);
    uint32_t param = g_array_index(host->events, uint32_t, 1);
    g_array_remove_range(host->events, 0, 2);
    return param;
}

void host_listen(UsbredirHost *host)
{
    struct usb_redir_start_interrupt_receiving_header listen = { 0x83 };

    usbredirparser_send_start_interrupt_receiving(host->parser, ++host->next_id,
                                                  &listen);
    host_wait_for(host, host->next_id);
    host_send_command(host, 0x1002, 1, 0, 0);
    host_expect(host, 0x2001);
}

void host_make_folder(UsbredirHost *host)
{
    host->folder = g_dir_make_tmp("mtp-usbredir-XXXXXX", NULL);
    host->got = g_byte_array_new();
    host->events = g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

void host_share_folder(UsbredirHost *host)
{
    g_autofree char *share = g_strdup_printf("Test=%s", host->folder);

    host_start(host, share);
    host_plug_in(host);
}

void host_set_up(UsbredirHost *host)
{
    host_make_folder(host);
    host_share_folder(host);
}

void host_tear_down(UsbredirHost *host)
{
    host_unplug(host, 0);
    host_clean_up(host);
}
