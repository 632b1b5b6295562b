/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbredir-host.h - QEMU's side of the redirection, for tests of the real ostler-mtp
 *
 * libusbredirparser is the host, as it is inside QEMU, and the real program, sandbox and
 * all, is the device at the other end of a socket pair.  What goes wrong fails the test;
 * a wait ends after 20 s without a packet.
 *
 * Sources:    usbredirproto.h of libusbredirparser-dev.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <usbredirparser.h>

typedef struct {
    char *folder;  /* the share, a temporary one */
    char *control; /* a socket for --control, or NULL; owned by the test */
    char *state;   /* a folder for --state, likewise */
    int fd;        /* our end */
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
    GByteArray *said; /* what we wrote, all of it; NULL: not kept */
    GArray *events;   /* of uint32_t: code, parameter, code, ...; without 400C */
} UsbredirHost;

/* Make the folder and start the program with it as its one share, and plug it in. */
void host_set_up(UsbredirHost *host);
/* The program ends by itself, in good order, when the host goes; the folder goes too. */
void host_tear_down(UsbredirHost *host);

/* The parts of these, for tests that fill the folder first, or kill the program. */
void host_make_folder(UsbredirHost *host);
void host_share_folder(UsbredirHost *host); /* start with it, and plug in */
void host_start(UsbredirHost *host, const char *share);
void host_plug_in(UsbredirHost *host);
void host_unplug(UsbredirHost *host, int wanted_status); /* as waitpid() has it */
void host_clean_up(UsbredirHost *host);

/* Move packets until @is_done is true or the program closes. */
void host_pump(UsbredirHost *host,
               bool (*is_done)(const UsbredirHost *host, uint64_t id), uint64_t id);
bool host_is_never(const UsbredirHost *host, uint64_t unused);
bool host_has_event(const UsbredirHost *host, uint64_t unused);
void host_wait_for(UsbredirHost *host, uint64_t id);

/* A control request without data; what it answers is in @got.  Returns the status. */
int host_control(UsbredirHost *host, uint8_t request_type, uint8_t request,
                 uint16_t value, uint16_t index, uint16_t length);
/* Queue a transfer, IN when @bytes is NULL; returns its id. */
uint64_t host_submit(UsbredirHost *host, uint8_t endpoint, const void *bytes,
                     uint32_t size);
void host_send_out(UsbredirHost *host, const void *bytes, uint32_t size);
void host_receive_in(UsbredirHost *host, uint32_t wanted);

/* MTP: a command with three parameters, and the response that must come. */
void host_send_command(UsbredirHost *host, uint16_t code, uint32_t a, uint32_t b,
                       uint32_t c);
void host_expect(UsbredirHost *host, uint16_t code);
/* The 32-bit word at @index of what came last. */
uint32_t host_word(const UsbredirHost *host, unsigned index);

/* Listen to the interrupt endpoint, and open a session. */
void host_listen(UsbredirHost *host);
/* Wait for the next event, which must be @code; returns its parameter. */
uint32_t host_next_event(UsbredirHost *host, uint32_t code);
