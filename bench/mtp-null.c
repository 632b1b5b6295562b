/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-null - the least that can stand behind usb-redir: bench/mtp's floor
 *
 *     mtp-null SOCKET
 *
 * Answers mtp-guest-client's requests with bytes that are in memory already, in a plain
 * blocking loop: no files, no coroutines that wait, one read and one write a packet.
 * What a round trip costs here is the path's own: guest, xHCI, QEMU's main loop, socket.
 */
#include "mtp/codes.h"
#include "mtp/container.h"
#include "mtp/transport/usbredir.h"

#include <cpc/glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OBJECT_SIZE (64u << 20)
#define LARGEST     (2u << 20)

typedef struct {
    int fd;
    OstlerUsbDevice *device;
    uint8_t *buffer; /* what QEMU sent: [at..end) is unread */
    size_t at, end;
    uint8_t *object; /* room for a head, and zeros */

    OstlerMtpContainer request;
    uint8_t list[8];   /* a dataset of one handle or storage */
    uint64_t left;     /* of the data phase to the guest, with its head */
    bool is_head_due;  /* of the data phase */
    uint64_t incoming; /* bytes of the data phase from the guest that are to come */
} Null;

static void write_all(Null *null, const void *bytes, size_t size)
{
    for (const uint8_t *at = bytes; size > 0;) {
        ssize_t done = send(null->fd, at, size, MSG_NOSIGNAL);
        if (done <= 0) {
            exit(0);
        }
        at += done;
        size -= (size_t)done;
    }
}

static void write_array(Null *null, GByteArray *array)
{
    write_all(null, array->data, array->len);
    g_byte_array_unref(array);
}

static void write_packet(Null *null, const OstlerUsbredirPacket *packet)
{
    GByteArray *array = g_byte_array_new();

    ostler_usbredir_encode(packet, array);
    write_array(null, array);
}

/* false when QEMU is gone */
static bool read_packet(Null *null, bool is_hello, OstlerUsbredirPacket *packet)
{
    size_t needed;
    gssize taken;

    while (
        (taken = ostler_usbredir_decode(null->buffer + null->at, null->end - null->at,
                                        is_hello, packet, &needed)) == 0) {
        memmove(null->buffer, null->buffer + null->at, null->end - null->at);
        null->end -= null->at;
        null->at = 0;
        ssize_t size = recv(null->fd, null->buffer + null->end, LARGEST - null->end, 0);
        if (size <= 0) {
            return false;
        }
        null->end += (size_t)size;
    }
    null->at += taken > 0 ? (size_t)taken : 0;
    return taken > 0;
}

/* ---- MTP ---- */

static void begin(Null *null)
{
    static const uint8_t one[8] = { 1, 0, 0, 0, 1, 0, 1, 0 };

    memcpy(null->list, one, sizeof(one));
    null->is_head_due = null->request.code == 0x1004 || null->request.code == 0x1007 ||
                        null->request.code == 0x1009;
    null->left = null->request.code == 0x1009 ? OBJECT_SIZE
                 : null->is_head_due          ? sizeof(one)
                                              : 0;
}

static void take(Null *null, const OstlerUsbredirPacket *packet)
{
    OstlerMtpContainer container;

    if (null->incoming > 0) {
        null->incoming -= MIN(null->incoming, packet->size);
    } else if (ostler_mtp_container_decode(packet->data, packet->size, &container)) {
        if (container.type == OSTLER_MTP_CONTAINER_COMMAND) {
            null->request = container;
            begin(null);
        }
    } else if (packet->size >= OSTLER_MTP_HEADER) {
        uint32_t size = (uint32_t)packet->data[0] | (uint32_t)packet->data[1] << 8 |
                        (uint32_t)packet->data[2] << 16 |
                        (uint32_t)packet->data[3] << 24;
        null->incoming = size - MIN(size, packet->size);
    }
    OstlerUsbredirPacket answer = *packet;
    uint8_t head[OSTLER_USBREDIR_BULK_HEAD];
    answer.length = (uint32_t)packet->size;
    answer.status = OSTLER_USBREDIR_SUCCESS;
    ostler_usbredir_encode_bulk_head(&answer, 0, head);
    write_all(null, head, sizeof(head));
}

/* Put what goes next after the room for the packet's head; its size. */
static size_t fill(Null *null, size_t wanted, uint8_t *at)
{
    size_t size = 0;

    if (null->left == 0) {
        const OstlerMtpContainer response = { .type = OSTLER_MTP_CONTAINER_RESPONSE,
                                              .code = OSTLER_MTP_OK,
                                              .transaction =
                                                  null->request.transaction };
        return ostler_mtp_container_encode(&response, at);
    }
    if (null->is_head_due) {
        ostler_mtp_data_header(null->request.code, null->request.transaction,
                               null->left, at);
        size = OSTLER_MTP_HEADER;
        null->is_head_due = false;
        memcpy(at + size, null->list, sizeof(null->list));
    }
    size_t payload = (size_t)MIN(null->left, wanted - size);
    null->left -= payload;
    return size + payload;
}

static void give(Null *null, const OstlerUsbredirPacket *packet)
{
    OstlerUsbredirPacket answer = *packet;
    uint8_t *at = null->object + OSTLER_USBREDIR_BULK_HEAD;
    size_t size = fill(null, MIN(packet->length, LARGEST / 2), at);

    answer.length = (uint32_t)size;
    answer.status = OSTLER_USBREDIR_SUCCESS;
    ostler_usbredir_encode_bulk_head(&answer, size, null->object);
    write_all(null, null->object, OSTLER_USBREDIR_BULK_HEAD + size);
}

/* ---- USB ---- */

static void coroutine_fn control(Null *null, const OstlerUsbredirPacket *packet)
{
    GByteArray *bytes = ostler_usb_device_control(null->device, &packet->setup,
                                                  packet->data, packet->size);
    OstlerUsbredirPacket answer = *packet;

    answer.data = bytes ? bytes->data : NULL;
    answer.size = bytes && packet->setup.request_type & 0x80 ? bytes->len : 0;
    answer.setup.length = (uint16_t)answer.size;
    answer.status = bytes ? OSTLER_USBREDIR_SUCCESS : OSTLER_USBREDIR_STALL;
    write_packet(null, &answer);
    if (bytes) {
        g_byte_array_unref(bytes);
    }
}

static void coroutine_fn handle(Null *null, const OstlerUsbredirPacket *packet)
{
    OstlerUsbredirPacket answer = { .id = packet->id, .endpoint = packet->endpoint };

    switch (packet->type) {
    case OSTLER_USBREDIR_BULK_PACKET:
        packet->endpoint & 0x80 ? give(null, packet) : take(null, packet);
        break;
    case OSTLER_USBREDIR_CONTROL_PACKET:
        control(null, packet);
        break;
    case OSTLER_USBREDIR_SET_CONFIGURATION:
        answer.type = OSTLER_USBREDIR_CONFIGURATION_STATUS;
        answer.configuration = packet->configuration;
        write_packet(null, &answer);
        break;
    case OSTLER_USBREDIR_SET_ALT_SETTING:
        answer.type = OSTLER_USBREDIR_ALT_SETTING_STATUS;
        write_packet(null, &answer);
        break;
    case OSTLER_USBREDIR_START_INTERRUPT_RECEIVING:
    case OSTLER_USBREDIR_STOP_INTERRUPT_RECEIVING:
        answer.type = OSTLER_USBREDIR_INTERRUPT_RECEIVING_STATUS;
        write_packet(null, &answer);
        break;
    }
}

static void coroutine_fn serve(void *opaque)
{
    Null *null = opaque;
    const OstlerUsbredirPacket hello = { .type = OSTLER_USBREDIR_HELLO,
                                         .capabilities = OSTLER_USBREDIR_CAPS };
    OstlerUsbredirPacket packet;
    GByteArray *description = g_byte_array_new();

    write_packet(null, &hello);
    if (!read_packet(null, true, &packet)) {
        return;
    }
    ostler_usbredir_encode_description(ostler_usb_device_identity(null->device),
                                       description);
    write_array(null, description);
    while (read_packet(null, false, &packet)) {
        handle(null, &packet);
    }
}

static int call(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    const OstlerUsbIdentity identity = { 0x1d6b, 0x0100, 0x100, "null", "null", "0" };

    if (argc != 2) {
        fprintf(stderr, "usage: mtp-null SOCKET\n");
        return 2;
    }
    Null null = { .fd = call(argv[1]), .device = ostler_usb_device_new(&identity) };
    null.buffer = g_malloc(LARGEST);
    null.object = g_malloc0(LARGEST);
    cpc_run(serve, &null);
    ostler_usb_device_free(null.device);
    g_free(null.buffer);
    g_free(null.object);
    close(null.fd);
    return 0;
}
