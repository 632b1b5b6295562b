/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-gadget-host - the MTP conversations with a device that Linux has found
 *
 * OSTLER_USB_DEVICE names it: a file in /dev/bus/usb.  What answers is a device like any
 * other, so that this runs inside a guest: tests/gadget.sh.
 *
 * Sources:    linux/usbdevice_fs.h; USB 2.0 9.6.6 (endpoint descriptors).
 */
#include "mtp/testing-conversation.h"

#include <cpc/glib.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TIMEOUT_MS 20000

#define DEVICE_RESET 0x66 /* Still Image Capture Device 1.0, 5.2.4 */

typedef struct {
    TestHost base; /* the first: a way is given this */
    int fd;
} Host;

static int coroutine_fn bulk(TestHost *base, unsigned endpoint, void *bytes,
                             size_t size)
{
    const Host *host = (const Host *)base;
    struct usbdevfs_bulktransfer transfer = { endpoint, (unsigned)size, TIMEOUT_MS,
                                              bytes };

    int n = ioctl(host->fd, USBDEVFS_BULK, &transfer);
    if (n < 0) {
        g_error("No transfer over endpoint 0x%02x: %s", endpoint, g_strerror(errno));
    }
    return n;
}

static void coroutine_fn out(TestHost *base, const void *bytes, size_t size)
{
    g_autofree uint8_t *copy = g_malloc(size + 1);

    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    g_assert_cmpint(bulk(base, OSTLER_USB_BULK_OUT, copy, size), ==, size);
}

static void coroutine_fn in(TestHost *base)
{
    guint start = base->got->len;

    g_byte_array_set_size(base->got, start + TEST_WANTED);
    int n = bulk(base, OSTLER_USB_BULK_IN, base->got->data + start, TEST_WANTED);
    g_byte_array_set_size(base->got, start + (guint)n);
}

static bool coroutine_fn control(TestHost *base, const OstlerUsbSetup *setup,
                                 const uint8_t *data)
{
    const Host *host = (const Host *)base;
    uint8_t bytes[64] = { 0 };
    struct usbdevfs_ctrltransfer transfer = {
        setup->request_type, setup->request, setup->value, setup->index,
        setup->length,       TIMEOUT_MS,     bytes,
    };

    g_assert_cmpuint(setup->length, <=, sizeof(bytes));
    if (data) {
        memcpy(bytes, data, setup->length);
    }
    int n = ioctl(host->fd, USBDEVFS_CONTROL, &transfer);
    if (n > 0 && (setup->request_type & 0x80)) {
        g_byte_array_append(base->got, bytes, (guint)n);
    }
    return n >= 0;
}

static const TestWay usbfs = { "usbfs", out, in, control };

/* The size of the bulk endpoints' packets: the file begins with the descriptors. */
static unsigned packet_size(int fd)
{
    uint8_t bytes[512];
    ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

    for (ssize_t at = 0; at + 7 <= n && bytes[at] > 0; at += bytes[at]) {
        const uint8_t *descriptor = bytes + at;
        if (descriptor[1] == 5 && descriptor[2] == OSTLER_USB_BULK_OUT) {
            return descriptor[4] | (unsigned)descriptor[5] << 8;
        }
    }
    g_assert_not_reached();
}

/* No session is left over from whoever had the device before. */
static void coroutine_fn reset(Host *host)
{
    const OstlerUsbSetup request = { 0x21, DEVICE_RESET, 0, 0, 0 };

    g_assert_true(control(&host->base, &request, NULL));
}

typedef struct {
    Host *host;
    const TestConversation *conversation;
} Run;

static void coroutine_fn converse(void *opaque)
{
    const Run *run = opaque;

    reset(run->host);
    test_converse(&run->host->base, run->conversation);
}

static void run_case(gconstpointer conversation)
{
    const char *path = g_getenv("OSTLER_USB_DEVICE");
    unsigned interface = 0;
    Host host = { .base = { .way = &usbfs, .got = g_byte_array_new() } };
    Run run = { &host, conversation };

    host.fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_no_errno(host.fd);
    g_assert_no_errno(ioctl(host.fd, USBDEVFS_CLAIMINTERFACE, &interface));
    host.base.packet = packet_size(host.fd);
    g_test_message("packets of %u bytes", host.base.packet);
    cpc_run(converse, &run);
    close(host.fd);
    g_byte_array_unref(host.base.got);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!g_getenv("OSTLER_USB_DEVICE")) {
        g_printerr("OSTLER_USB_DEVICE names no device\n");
        return 2;
    }
    for (size_t i = 0; i < test_n_conversations; i++) {
        g_autofree char *path = g_strdup_printf("/mtp-conversation/%s/%s", usbfs.name,
                                                test_conversations[i].name);
        g_test_add_data_func(path, &test_conversations[i], run_case);
    }
    return g_test_run();
}
