/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * testing-conversation.h - MTP conversations for tests, over whatever way there is
 *
 * A conversation is rows of requests and the answers that must come.  A way is how a host
 * moves transfers to the device and back: conversation-test.c has the ways that need no
 * system, tests/mtp-gadget-host.c the one through a Linux kernel.
 *
 * Sources:    MTP 1.1 appendices D (operations) and F (responses); Still Image Capture
 *             Device 1.0, 5.2 (cancel, status).
 * Ownership:  the way is the caller's, who makes ->got.
 * Errors:     an answer that is not the row's fails the test.
 */
#pragma once

#include "mtp/container.h"
#include "mtp/usb-device.h"

/* The most that is asked for in one transfer: one request of libmtp's. */
#define TEST_WANTED 16384u

typedef struct TestHost TestHost;

typedef struct {
    const char *name;
    void coroutine_fn (*out)(TestHost *host, const void *bytes, size_t size);
    /* One transfer of at most TEST_WANTED bytes, appended to ->got. */
    void coroutine_fn (*in)(TestHost *host);
    /* A control request, its answer appended to ->got; false: stalled. */
    bool coroutine_fn (*control)(TestHost *host, const OstlerUsbSetup *setup,
                                 const uint8_t *data);
} TestWay;

struct TestHost {
    const TestWay *way;
    unsigned packet; /* the size of a full one on the bulk endpoints */
    GByteArray *got;
    uint32_t handle; /* that was given last */
    uint32_t transaction;
};

typedef struct TestStep TestStep;

typedef struct {
    const char *name;
    const TestStep *steps;
    size_t n_steps;
} TestConversation;

extern const TestConversation test_conversations[];
extern const size_t test_n_conversations;

/* Hold @conversation with a device that has no session open. */
void coroutine_fn test_converse(TestHost *host, const TestConversation *conversation);

/* As the steps that fuzz/mtp-fuzz.c reads (caller unrefs). */
GByteArray *test_conversation_steps(const TestConversation *conversation);
