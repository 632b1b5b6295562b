/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-guest-client - bench/mtp's measuring program, linked statically for the guest
 *
 *     mtp-guest-client time COMMAND...          run it; prints "cpu US elapsed US"
 *     mtp-guest-client get DEVICE REQUEST       fetch the first object at the top
 *     mtp-guest-client put DEVICE REQUEST SIZE  send SIZE bytes as "put-SIZE-REQUEST"
 *     mtp-guest-client list DEVICE              list the top: first byte and all
 *     mtp-guest-client ping DEVICE COUNT        GetStorageIDs, COUNT times
 *
 * DEVICE is a node of usbfs, REQUEST the bytes that one USB request asks for or carries.
 * Each prints microseconds as its last word; it is measured here because the guest's
 * busybox has no clock finer than a hundredth of a second.
 *
 * Sources: MTP 1.1 appendix D, Still Image Capture Device class 1.0 chapter 7 (containers);
 * linux/usbdevice_fs.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BULK_IN    0x81
#define BULK_OUT   0x02
#define MAX_PACKET 512
#define HEADER     12
#define TIMEOUT_MS 60000
#define LARGEST    (1u << 20)
#define ALL        0xffffffffu

enum { COMMAND = 1, DATA = 2, RESPONSE = 3 };
enum {
    OPEN_SESSION = 0x1002,
    GET_STORAGE_IDS = 0x1004,
    GET_OBJECT_HANDLES = 0x1007,
    GET_OBJECT = 0x1009,
    SEND_OBJECT_INFO = 0x100c,
    SEND_OBJECT = 0x100d,
};

typedef struct {
    int fd;
    unsigned out_endpoint;
    unsigned request_size;
    uint32_t transaction;
    uint8_t buffer[LARGEST];
} Client;

static void fail(const char *what)
{
    fprintf(stderr, "mtp-guest-client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void refuse(const char *what, unsigned value)
{
    fprintf(stderr, "mtp-guest-client: %s: 0x%x\n", what, value);
    exit(1);
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value & 0xffff);
    put16(at + 2, value >> 16);
}

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* ---- USB ---- */

static size_t bulk(Client *client, unsigned endpoint, void *bytes, size_t size)
{
    struct usbdevfs_bulktransfer transfer = {
        .ep = endpoint,
        .len = (unsigned)size,
        .timeout = TIMEOUT_MS,
        .data = bytes,
    };
    int done = ioctl(client->fd, USBDEVFS_BULK, &transfer);
    if (done < 0) {
        fail(endpoint & 0x80 ? "reading" : "writing");
    }
    return (size_t)done;
}

/* usb-mtp's OUT endpoint is 2 as well; what else comes is read from the descriptors. */
static unsigned find_out_endpoint(int fd)
{
    uint8_t bytes[512];
    ssize_t size = read(fd, bytes, sizeof bytes);

    for (ssize_t at = 0; at + 4 <= size && bytes[at] > 0; at += bytes[at]) {
        if (bytes[at + 1] == 5 && !(bytes[at + 2] & 0x80)) {
            return bytes[at + 2];
        }
    }
    return BULK_OUT;
}

static void open_device(Client *client, const char *path)
{
    unsigned interface = 0;

    client->fd = open(path, O_RDWR);
    if (client->fd < 0) {
        fail(path);
    }
    client->out_endpoint = find_out_endpoint(client->fd);
    if (ioctl(client->fd, USBDEVFS_CLAIMINTERFACE, &interface) < 0) {
        fail("claiming the interface");
    }
}

/* ---- MTP ---- */

static void head(uint8_t *at, uint32_t size, unsigned type, unsigned code, uint32_t id)
{
    put32(at, size);
    put16(at + 4, type);
    put16(at + 6, code);
    put32(at + 8, id);
}

static void command(Client *client, unsigned code, unsigned n, const uint32_t *params)
{
    uint8_t bytes[HEADER + 5 * 4];

    head(bytes, HEADER + 4 * n, COMMAND, code, client->transaction);
    for (unsigned i = 0; i < n; i++) {
        put32(bytes + HEADER + 4 * i, params[i]);
    }
    bulk(client, client->out_endpoint, bytes, HEADER + 4 * n);
}

/* The response; the empty packet that may end the data before it is passed over. */
static void response(Client *client)
{
    uint8_t bytes[MAX_PACKET];
    size_t size;

    do {
        size = bulk(client, BULK_IN, bytes, sizeof bytes);
    } while (size == 0);
    unsigned code = bytes[6] | (unsigned)bytes[7] << 8;
    if (size < HEADER || bytes[4] != RESPONSE ||
        (code != 0x2001 && code != 0x201e /* session already open */)) {
        refuse("the device refused", code);
    }
    client->transaction++;
}

/* The data phase; what fits stays in the buffer.  Returns the whole size with its head. */
static uint64_t receive(Client *client, double *out_first_us)
{
    size_t size = bulk(client, BULK_IN, client->buffer, client->request_size);
    if (size < HEADER || client->buffer[4] != DATA) {
        refuse("no data came", size > 6 ? client->buffer[6] : 0);
    }
    *out_first_us = now_us();
    uint32_t total = get32(client->buffer);
    uint64_t done = size;
    uint8_t *rest = client->buffer + client->request_size;

    while (done < total) {
        /* Small lists are kept whole; a file's later bytes overwrite one another. */
        if (rest + client->request_size > client->buffer + LARGEST) {
            rest = client->buffer;
        }
        size = bulk(client, BULK_IN, rest, client->request_size);
        rest += size;
        done += size;
    }
    return total;
}

static uint64_t fetch(Client *client, unsigned code, unsigned n, const uint32_t *params)
{
    double first;

    command(client, code, n, params);
    uint64_t size = receive(client, &first);
    response(client);
    return size - HEADER;
}

static void open_session(Client *client)
{
    command(client, OPEN_SESSION, 1, (const uint32_t[]){ 1 });
    response(client);
}

static uint32_t first_storage(Client *client)
{
    fetch(client, GET_STORAGE_IDS, 0, NULL);
    return get32(client->buffer + HEADER + 4);
}

/* ---- commands ---- */

static double get(Client *client)
{
    uint32_t storage = first_storage(client);
    const uint32_t top[] = { storage, 0, ALL };

    fetch(client, GET_OBJECT_HANDLES, 3, top);
    uint32_t handle = get32(client->buffer + HEADER + 4);

    double start = now_us();
    uint64_t size = fetch(client, GET_OBJECT, 1, &handle);
    double us = now_us() - start;
    printf("got %llu bytes ", (unsigned long long)size);
    return us;
}

/* An ObjectInfo dataset of @size bytes called @name; the dataset's size. */
static uint32_t put_info(uint8_t *at, const char *name, uint32_t size)
{
    size_t n = strlen(name) + 1;

    memset(at, 0, 52 + 1 + 2 * n + 3);
    put16(at + 4, 0x3000);
    put32(at + 8, size);
    at[52] = (uint8_t)n;
    for (size_t i = 0; i < n; i++) {
        put16(at + 53 + 2 * i, (unsigned char)name[i]);
    }
    return (uint32_t)(53 + 2 * n + 3); /* three empty strings: dates and keywords */
}

static void send_info(Client *client, uint32_t size)
{
    char name[64];
    const uint32_t where[] = { first_storage(client), ALL };

    snprintf(name, sizeof name, "put-%u-%u", size, client->request_size);
    command(client, SEND_OBJECT_INFO, 2, where);
    uint32_t n = HEADER + put_info(client->buffer + HEADER, name, size);
    head(client->buffer, n, DATA, SEND_OBJECT_INFO, client->transaction);
    bulk(client, client->out_endpoint, client->buffer, n);
    response(client);
}

static double put(Client *client, uint32_t size)
{
    send_info(client, size);

    double start = now_us();
    command(client, SEND_OBJECT, 0, NULL);
    head(client->buffer, HEADER + size, DATA, SEND_OBJECT, client->transaction);
    uint32_t left = HEADER + size;
    while (left > 0) {
        uint32_t part = left < client->request_size ? left : client->request_size;
        bulk(client, client->out_endpoint, client->buffer, part);
        left -= part;
    }
    if ((HEADER + size) % MAX_PACKET == 0) {
        bulk(client, client->out_endpoint, client->buffer, 0);
    }
    response(client);
    double us = now_us() - start;
    printf("put %u bytes ", size);
    return us;
}

static double list(Client *client)
{
    const uint32_t top[] = { first_storage(client), 0, ALL };
    double first;

    double start = now_us();
    command(client, GET_OBJECT_HANDLES, 3, top);
    uint64_t size = receive(client, &first);
    response(client);
    printf("listed %llu objects in %.0f us, first byte after ",
           (unsigned long long)(size - HEADER - 4) / 4, now_us() - start);
    return first - start;
}

static double ping(Client *client, unsigned count)
{
    double start = now_us();

    for (unsigned i = 0; i < count; i++) {
        fetch(client, GET_STORAGE_IDS, 0, NULL);
    }
    printf("each of %u transactions took ", count);
    return (now_us() - start) / count;
}

/* In the children's own code and in the kernel for them. */
static double children_cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int time_command(char **argv)
{
    double start = now_us();
    pid_t child = fork();
    int status;

    if (child == 0) {
        execvp(argv[0], argv);
        fail(argv[0]);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        fail(argv[0]);
    }
    double elapsed = now_us() - start;
    printf("cpu %.0f elapsed %.0f\n", children_cpu_us(), elapsed);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool is(const char *word, const char *wanted, int argc, int wanted_argc)
{
    return strcmp(word, wanted) == 0 && argc == wanted_argc;
}

int main(int argc, char **argv)
{
    static Client client = { .request_size = 16384 };
    double us;

    if (argc > 2 && strcmp(argv[1], "time") == 0) {
        return time_command(argv + 2);
    }
    if (argc < 3) {
        fprintf(stderr, "usage: mtp-guest-client time|get|put|list|ping ...\n");
        return 2;
    }
    open_device(&client, argv[2]);
    open_session(&client);
    if (is(argv[1], "get", argc, 4)) {
        client.request_size = (unsigned)atoi(argv[3]);
        us = get(&client);
    } else if (is(argv[1], "put", argc, 5)) {
        client.request_size = (unsigned)atoi(argv[3]);
        us = put(&client, (uint32_t)atoi(argv[4]));
    } else if (is(argv[1], "list", argc, 3)) {
        us = list(&client);
    } else if (is(argv[1], "ping", argc, 4)) {
        us = ping(&client, (unsigned)atoi(argv[3]));
    } else {
        return 2;
    }
    printf("%.0f\n", us);
    return 0;
}
