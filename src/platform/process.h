/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * process.h - start a program with chosen descriptors, know when it ends
 *
 * Liveness is never a pid alone: a process is watched through a handle (pidfd), and
 * one that is not our child is recognised by pid and start time together.
 *
 * Ownership:  freeing an OstlerProcess stops watching; it does not kill.
 * Errors:     G_IO_ERROR; a program that cannot be executed is G_IO_ERROR_NOT_FOUND
 *             or _PERMISSION_DENIED from ostler_process_start() itself.
 */
#pragma once

#include <cpc/coroutine.h>
#include <gio/gio.h>
#include <stdint.h>

typedef struct OstlerProcess OstlerProcess;

typedef struct {
    int source; /* this process's descriptor; stays open here */
    int target; /* the number the child sees it under */
} OstlerFdMap;

typedef struct {
    const char *const *argv; /* argv[0] is looked up in PATH unless it has a slash */
    const char *directory;   /* working directory, or NULL for ours */
    const char *const *env;  /* whole environment, or NULL for ours */
    const OstlerFdMap *fds;  /* the only descriptors above 2 that the child has */
    unsigned n_fds;
    int stdin_fd;         /* -1: /dev/null */
    int stdout_fd;        /* -1: /dev/null */
    int stderr_fd;        /* -1: ours */
    bool new_session;     /* setsid(): survives the terminal */
    bool die_with_parent; /* killed by the system when this process goes */
} OstlerProcessConfig;

typedef struct {
    int pid;
    uint64_t start_time; /* clock ticks since boot, /proc/PID/stat field 22 */
} OstlerProcessIdentity;

typedef struct {
    bool is_known; /* false for a process that was not our child */
    int code;      /* exit code, or -1 when a signal ended it */
    int signal;    /* 0 when it exited */
} OstlerProcessEnd;

OstlerProcess *ostler_process_start(const OstlerProcessConfig *config, GError **error);

/* Watch a process that another one started; NOT_FOUND if it is gone or not the same. */
OstlerProcess *ostler_process_adopt(const OstlerProcessIdentity *identity,
                                    GError **error);
void ostler_process_free(OstlerProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OstlerProcess, ostler_process_free)

OstlerProcessIdentity ostler_process_identity(const OstlerProcess *process);
bool ostler_process_is_alive(const OstlerProcess *process);

/* Ask to end (SIGTERM) or end at once (SIGKILL); nothing happens to a dead one. */
void ostler_process_terminate(OstlerProcess *process);
void ostler_process_kill(OstlerProcess *process);

/* Wait for the end, at most @timeout_ms (-1: for ever); false when it still runs. */
bool coroutine_fn ostler_process_wait(OstlerProcess *process, int timeout_ms,
                                      OstlerProcessEnd *out_end);

/* Say @end in words: "exited with status 1", "was killed by signal 9 (Killed)". */
char *ostler_process_end_text(const OstlerProcessEnd *end);

/*
 * Go on in a process of its own that whoever started this one need not wait for: it sees
 * an exit with 0 at once.  The standard streams become /dev/null.  Before there is a
 * thread or a main loop.
 */
bool ostler_process_detach(GError **error);
