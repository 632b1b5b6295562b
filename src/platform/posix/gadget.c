/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The files of endpoints know no poll(2) (Linux, drivers/usb/gadget/function/f_fs.c), so
 * their transfers are made by the kernel's asynchronous I/O, whose completions an eventfd
 * tells.  Endpoint 0 can be polled.
 *
 * Between a SETUP event and its last stage a read or write of endpoint 0 is that stage;
 * one in the wrong direction stalls.
 */
#include "platform/gadget.h"

#include <cpc/glib.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/aio_abi.h>
#include <linux/usb/functionfs.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

#define MAX_ENDPOINTS 15

typedef struct {
    int fd;
    struct iocb request;
    bool is_busy;
    int64_t result; /* of the request: bytes, or a negative errno */
    CoEvent done;
} Endpoint;

struct OstlerGadget {
    int control;
    int completions; /* eventfd */
    aio_context_t context;
    GSource *completed;
    CoEvent ending;
    bool is_ended;
    unsigned n_endpoints;
    Endpoint endpoints[MAX_ENDPOINTS];
};

/* ---- asynchronous I/O, for which the C library has no words ---- */

static long submit(OstlerGadget *gadget, struct iocb *request)
{
    return syscall(SYS_io_submit, gadget->context, 1L, &request);
}

static gboolean reap(int fd, GIOCondition condition, void *opaque)
{
    OstlerGadget *gadget = opaque;
    struct io_event events[MAX_ENDPOINTS];
    struct timespec now = { 0 };
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0) {
        return G_SOURCE_CONTINUE;
    }
    long n = syscall(SYS_io_getevents, gadget->context, 0L, (long)MAX_ENDPOINTS, events,
                     &now);
    for (long i = 0; i < n; i++) {
        Endpoint *endpoint = &gadget->endpoints[events[i].data];
        endpoint->is_busy = false;
        endpoint->result = events[i].res;
        cpc_event_set(&endpoint->done);
    }
    return G_SOURCE_CONTINUE;
}

/* ---- opening ---- */

static int open_file(const char *folder, const char *name, int flags, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_RDWR | O_CLOEXEC | flags);

    if (fd < 0) {
        ostler_posix_refuse(error, "Cannot open '%s'", path);
    }
    return fd;
}

static bool describe(OstlerGadget *gadget, const GByteArray *what, GError **error)
{
    return write(gadget->control, what->data, what->len) == (ssize_t)what->len ||
           ostler_posix_refuse(error, "The gadget's description is refused");
}

static bool open_endpoints(OstlerGadget *gadget, const char *folder, GError **error)
{
    for (unsigned i = 0; i < gadget->n_endpoints; i++) {
        g_autofree char *name = g_strdup_printf("ep%u", i + 1);
        gadget->endpoints[i].fd = open_file(folder, name, 0, error);
        if (gadget->endpoints[i].fd < 0) {
            return false;
        }
    }
    return true;
}

static bool prepare_completions(OstlerGadget *gadget, GError **error)
{
    gadget->completions = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (gadget->completions < 0 ||
        syscall(SYS_io_setup, MAX_ENDPOINTS, &gadget->context) < 0) {
        return ostler_posix_refuse(error, "Cannot prepare the gadget's transfers");
    }
    gadget->completed = g_unix_fd_source_new(gadget->completions, G_IO_IN);
    g_source_set_callback(gadget->completed, G_SOURCE_FUNC(reap), gadget, NULL);
    g_source_attach(gadget->completed, g_main_context_get_thread_default());
    return true;
}

OstlerGadget *ostler_gadget_open(const char *folder, const GByteArray *descriptors,
                                 const GByteArray *strings, unsigned n_endpoints,
                                 GError **error)
{
    g_autoptr(OstlerGadget) gadget = g_new0(OstlerGadget, 1);

    g_assert(n_endpoints <= MAX_ENDPOINTS);
    gadget->completions = -1;
    gadget->n_endpoints = n_endpoints;
    for (unsigned i = 0; i < n_endpoints; i++) {
        gadget->endpoints[i].fd = -1;
    }
    gadget->control = open_file(folder, "ep0", O_NONBLOCK, error);
    if (gadget->control < 0 || !describe(gadget, descriptors, error) ||
        !describe(gadget, strings, error) || !open_endpoints(gadget, folder, error) ||
        !prepare_completions(gadget, error)) {
        return NULL;
    }
    return g_steal_pointer(&gadget);
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

void ostler_gadget_free(OstlerGadget *gadget)
{
    if (!gadget) {
        return;
    }
    if (gadget->completed) {
        g_source_destroy(gadget->completed);
        g_source_unref(gadget->completed);
    }
    if (gadget->context) {
        syscall(SYS_io_destroy, gadget->context);
    }
    for (unsigned i = 0; i < gadget->n_endpoints; i++) {
        close_if_open(gadget->endpoints[i].fd);
    }
    close_if_open(gadget->completions);
    close_if_open(gadget->control);
    g_free(gadget);
}

/* ---- endpoint 0 ---- */

gssize coroutine_fn ostler_gadget_events(OstlerGadget *gadget, void *buffer,
                                         size_t size, GError **error)
{
    while (!gadget->is_ended) {
        ssize_t n = read(gadget->control, buffer, size);
        if (n > 0) {
            return n;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            ostler_posix_refuse(error, "Cannot read the gadget's events");
            return -1;
        }
        gadget->ending.waiter = cpc_self();
        cpc_wait_fd(gadget->control, G_IO_IN, -1);
        gadget->ending.waiter = NULL;
    }
    return 0;
}

bool ostler_gadget_answer(OstlerGadget *gadget, const void *data, size_t size)
{
    return write(gadget->control, data, size) == (ssize_t)size;
}

gssize ostler_gadget_take(OstlerGadget *gadget, void *buffer, size_t size)
{
    return read(gadget->control, buffer, size);
}

void ostler_gadget_stall(OstlerGadget *gadget, bool is_to_host)
{
    char nothing;
    ssize_t n = is_to_host ? read(gadget->control, &nothing, 0)
                           : write(gadget->control, &nothing, 0);

    if (n >= 0 || errno != EL2HLT) { /* how it says that it has */
        g_debug("A control request was not stalled");
    }
}

/* ---- the others ---- */

static gssize coroutine_fn transfer(OstlerGadget *gadget, unsigned number,
                                    uint16_t code, const void *buffer, size_t size,
                                    GError **error)
{
    Endpoint *endpoint = &gadget->endpoints[number - 1];

    endpoint->request = (struct iocb){
        .aio_data = number - 1,
        .aio_lio_opcode = code,
        .aio_fildes = (uint32_t)endpoint->fd,
        .aio_buf = (uintptr_t)buffer,
        .aio_nbytes = size,
        .aio_flags = IOCB_FLAG_RESFD,
        .aio_resfd = (uint32_t)gadget->completions,
    };
    if (gadget->is_ended) {
        endpoint->result = -ECANCELED;
    } else if (submit(gadget, &endpoint->request) < 0) {
        endpoint->result = -errno;
    } else {
        endpoint->is_busy = true;
        while (endpoint->is_busy) {
            cpc_event_wait(&endpoint->done, -1);
        }
    }
    if (endpoint->result >= 0) {
        return (gssize)endpoint->result;
    }
    bool is_cut = endpoint->result == -ESHUTDOWN || endpoint->result == -ECONNRESET;
    errno = is_cut ? ECANCELED : (int)-endpoint->result;
    ostler_posix_refuse(error, "Cannot transfer over endpoint %u", number);
    return -1;
}

gssize coroutine_fn ostler_gadget_read(OstlerGadget *gadget, unsigned endpoint,
                                       void *buffer, size_t size, GError **error)
{
    return transfer(gadget, endpoint, IOCB_CMD_PREAD, buffer, size, error);
}

bool coroutine_fn ostler_gadget_write(OstlerGadget *gadget, unsigned endpoint,
                                      const void *data, size_t size, GError **error)
{
    return transfer(gadget, endpoint, IOCB_CMD_PWRITE, data, size, error) >= 0;
}

void ostler_gadget_cancel(OstlerGadget *gadget, unsigned number)
{
    Endpoint *endpoint = &gadget->endpoints[number - 1];
    struct io_event unused;

    /* It completes, as unlinked, through the eventfd like any other. */
    if (endpoint->is_busy) {
        syscall(SYS_io_cancel, gadget->context, &endpoint->request, &unused);
    }
}

unsigned ostler_gadget_packet_size(OstlerGadget *gadget, unsigned number)
{
    struct usb_endpoint_descriptor descriptor = { 0 };

    if (ioctl(gadget->endpoints[number - 1].fd, FUNCTIONFS_ENDPOINT_DESC, &descriptor) <
        0) {
        return 0;
    }
    return GUINT16_FROM_LE(descriptor.wMaxPacketSize) & 0x7ff;
}

void ostler_gadget_end(OstlerGadget *gadget)
{
    gadget->is_ended = true;
    cpc_event_set(&gadget->ending);
    for (unsigned i = 1; i <= gadget->n_endpoints; i++) {
        ostler_gadget_cancel(gadget, i);
    }
}
