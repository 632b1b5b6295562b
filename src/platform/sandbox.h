/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sandbox.h - give up everything but what a side program needs
 *
 * Call it once, from a process's only thread, after every socket is open and before the
 * first hostile byte.  On Linux: no_new_privs, Landlock as far as the kernel has it, a
 * seccomp filter, no core dumps, no tracing.  What the kernel lacks is reported in words,
 * never silently skipped.
 *
 * What is left works as before: coroutines and GLib's main loop, memory, clocks, streams
 * and datagrams on sockets already open.  What is merely not needed fails with
 * G_IO_ERROR_PERMISSION_DENIED; what only an intruder would try - executing a program,
 * opening a socket, tracing another process - kills the process.
 *
 * Errors:     G_IO_ERROR; after one the process is half confined and should end.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    OSTLER_SANDBOX_STREAMS = 0,     /* read and write descriptors already open */
    OSTLER_SANDBOX_FILES = 1 << 0,  /* also files beneath the roots, beneath only */
    OSTLER_SANDBOX_GADGET = 1 << 1, /* also an OstlerGadget that is open */
} OstlerSandboxNeeds;

typedef struct {
    OstlerSandboxNeeds needs;
    const char *const *read_only_roots; /* NULL-terminated, or NULL */
    const char *const *writable_roots;
    uint64_t
        max_memory; /* bytes of address space; 0: any.  ASan needs it all: ignored */
    unsigned max_cpu_s; /* seconds on a processor, and then the end; 0: any */
} OstlerSandboxConfig;

/* @out_missing (caller frees) says what this kernel could not do, or is NULL. */
bool ostler_sandbox_enter(const OstlerSandboxConfig *config, char **out_missing,
                          GError **error);
