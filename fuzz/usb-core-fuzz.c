/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-core-fuzz - control requests, transfers, cancels and resets of the USB device
 *
 * The input is a list of steps: what (1 byte), a setup packet or an id and a size (8
 * bytes), how much data follows (1 byte), the data.  The transport and the responder
 * are stand-ins that count: every transfer is completed once and once only.
 */
#include "fuzz.h"

#include <cpc/glib.h>
#include <string.h>

#include "mtp/usb-device.h"
#include "wire/reader.h"

typedef struct {
    OstlerReader input;
    OstlerUsbDevice *device;
    uint64_t n_submitted;
    uint64_t n_completed;
} Run;

static void coroutine_fn complete(const OstlerUsbTransfer *transfer, void *opaque)
{
    Run *run = opaque;

    g_assert_true(transfer->id > 0 && transfer->id <= run->n_submitted);
    run->n_completed++;
}

static void coroutine_fn ignore_event(const uint8_t *data, size_t size, void *opaque)
{
}

static void ignore_cancel(uint32_t transaction, void *opaque)
{
}

static void ignore_reset(void *opaque)
{
}

static uint16_t always_ok(void *opaque)
{
    return 0x2001;
}

static void coroutine_fn ask(Run *run, const OstlerUsbSetup *setup, const uint8_t *data,
                             size_t size)
{
    g_autoptr(GByteArray) answer =
        ostler_usb_device_control(run->device, setup, data, size);

    g_assert_true(!answer || answer->len <= setup->length);
}

static void coroutine_fn submit(Run *run, const OstlerUsbSetup *setup,
                                const uint8_t *data, size_t size)
{
    OstlerUsbTransfer *transfer =
        ostler_usb_transfer_new(++run->n_submitted, setup->request, setup->length);

    if (size > 0 && ostler_usb_transfer_reserve(transfer, size)) {
        memcpy(transfer->data, data, size);
    }
    ostler_usb_device_submit(run->device, transfer);
}

static void coroutine_fn step(Run *run)
{
    uint8_t what = ostler_reader_u8(&run->input);
    const OstlerUsbSetup setup = {
        .request_type = ostler_reader_u8(&run->input),
        .request = ostler_reader_u8(&run->input),
        .value = ostler_reader_le16(&run->input),
        .index = ostler_reader_le16(&run->input),
        .length = ostler_reader_le16(&run->input),
    };
    size_t size = ostler_reader_u8(&run->input);
    const uint8_t *data = ostler_reader_take(&run->input, size);

    switch (what % 8) {
    case 0:
        ostler_usb_device_reset(run->device);
        break;
    case 1:
        ostler_usb_device_cancel(run->device, setup.value);
        break;
    case 2:
        ostler_usb_device_configure(run->device, setup.request);
        break;
    case 3:
    case 4:
        submit(run, &setup, data, data ? size : 0);
        break;
    default:
        ask(run, &setup, data, data ? size : 0);
    }
    g_assert_cmpuint(run->n_completed, <=, run->n_submitted);
}

static void coroutine_fn run_steps(void *opaque)
{
    Run *run = opaque;

    for (unsigned i = 0; i < 64 && ostler_reader_left(&run->input) > 0; i++) {
        step(run);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const OstlerUsbIdentity identity = {
        .manufacturer = "Ostler",
        .product = "Fuzz",
        .serial = "1",
    };
    static const OstlerUsbFunction function = { ignore_cancel, ignore_reset, always_ok,
                                                NULL };
    Run run = { .input = ostler_reader_of(data, size),
                .device = ostler_usb_device_new(&identity) };
    const OstlerUsbTransport transport = { complete, ignore_event, &run };

    ostler_usb_device_set_transport(run.device, &transport);
    ostler_usb_device_set_function(run.device, &function);
    cpc_spawn(run_steps, &run);
    ostler_usb_device_set_transport(run.device, NULL);
    ostler_usb_device_free(run.device);
    return 0;
}
