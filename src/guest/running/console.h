/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console.h - one serial line, many onlookers
 *
 * QEMU's console socket takes one client, and a guest whose console nobody reads may
 * block.  The hub is that one client: it always reads, keeps the last 64 KiB and a
 * bounded log file, and gives the line to any number of clients.  What a client types
 * goes to the guest, from all of them.
 *
 * Ownership:  the hub takes over every channel it is given.
 * Errors:     a client that is more than 64 KiB behind is dropped; nothing that a client
 *             does holds up the guest or another client.
 * Threads:    one main context.
 */
#pragma once

#include "guest/running/log-file.h"
#include "platform/channel.h"

#define OSTLER_CONSOLE_KEPT_BYTES (64u << 10)

typedef struct OstlerRunConsole OstlerRunConsole;

/* @log is taken over and may be NULL. */
OstlerRunConsole *ostler_run_console_new(OstlerLogFile *log);

/* What the guest wrote before, for clients with @replay; the log has it already. */
void ostler_run_console_recall(OstlerRunConsole *console, const void *bytes,
                               size_t size);

/* Connect the guest's line; its end ends all clients.  Once. */
void coroutine_mixed_fn ostler_run_console_connect(OstlerRunConsole *console,
                                                   OstlerChannel *line);

/*
 * Serve a client until it leaves or the console ends; with @replay it sees first what is
 * kept.  One that only says that it will type no more (ostler_channel_end_writing()) has
 * left once it was sent all there was by then.
 */
void coroutine_fn ostler_run_console_serve(OstlerRunConsole *console,
                                           OstlerChannel *client, bool replay);

/* Let clients have the last of the output, at most @timeout_ms, and end everything. */
void coroutine_fn ostler_run_console_finish(OstlerRunConsole *console, int timeout_ms);

/* After ostler_run_console_finish(), or before anything was connected. */
void ostler_run_console_free(OstlerRunConsole *console);
