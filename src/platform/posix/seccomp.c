/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * An allow-list.  A call that is not on it fails with EPERM, so that a library which
 * tries something and can do without goes on; a call on the fatal list is one that
 * nothing in these programs ever makes, and ends the process.  Names that the running
 * architecture does not have are skipped: one list serves all.
 *
 * AddressSanitizer lives with this: it needs memory, locks and clocks like everybody.
 * Only its leak check, which traces the process itself, is turned off in sandbox.c.
 */
#include "platform/posix/seccomp.h"

#include <errno.h>
#include <linux/usb/functionfs.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

/* What a coroutine program on GLib's main loop does with descriptors already open. */
static const char *const stream_calls[] = {
    "read",       "write",       "readv",          "writev",
    "recvfrom",   "recvmsg",     "recvmmsg",       "sendto",
    "sendmsg",    "accept4",     "shutdown",       "getsockopt",
    "setsockopt", "getsockname", "getpeername",    "close",
    "dup",        "dup3",        "fcntl",          "fcntl64",
    "fstat",      "fstat64",     "lseek",          "_llseek",
    "poll",       "ppoll",       "ppoll_time64",   "epoll_create1",
    "epoll_ctl",  "epoll_wait",  "epoll_pwait",    "eventfd2",
    "pipe2",      "signalfd4",   "timerfd_create", "timerfd_settime",
};

static const char *const process_calls[] = {
    "munmap",
    "mremap",
    "madvise",
    "brk",
    "futex",
    "futex_time64",
    "rseq",
    "set_robust_list",
    "sched_yield",
    "sched_getaffinity",
    "restart_syscall",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
    "sigaltstack",
    "rt_sigtimedwait",
    "clock_gettime",
    "clock_gettime64",
    "clock_getres",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "nanosleep",
    "gettimeofday",
    "time",
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getrandom",
    "getrusage",
    "sysinfo",
    "uname",
    "exit",
    "exit_group",
};

/* What Landlock confines to the roots, and what works on files that are open.  Not
 * truncate(): Landlock knows nothing of it before Linux 6.2, and ftruncate() is enough. */
static const char *const file_calls[] = {
    "open",
    "openat",
    "openat2",
    "stat",
    "lstat",
    "stat64",
    "lstat64",
    "newfstatat",
    "fstatat64",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getdents",
    "getdents64",
    "statfs",
    "statfs64",
    "fstatfs",
    "fstatfs64",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "truncate",
    "ftruncate",
    "ftruncate64",
    "fallocate",
    "fadvise64",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "copy_file_range",
    "sendfile",
    "sendfile64",
    "mkdir",
    "mkdirat",
    "rmdir",
    "unlink",
    "unlinkat",
    "linkat",
    "rename",
    "renameat",
    "renameat2",
    "fchmod",
    "utimensat",
    "utimensat_time64",
    "umask",
    "inotify_init1",
    "inotify_add_watch",
    "inotify_rm_watch",
    "flock",
};

static const char *const gadget_calls[] = {
    "io_submit",
    "io_getevents",
    "io_cancel",
    "io_destroy",
};

static const char *const fatal_calls[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "socket",
    "socketpair",
    "socketcall",
    "connect",
    "bind",
    "listen",
    "mount",
    "umount2",
    "setns",
    "unshare",
    "bpf",
    "userfaultfd",
    "init_module",
    "finit_module",
    "kexec_load",
    "keyctl",
    "add_key",
    "io_uring_setup",
    "perf_event_open",
};

/* libseccomp answers with a negative errno. */
static int add_calls(scmp_filter_ctx filter, uint32_t action, const char *const *names,
                     size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        int rc =
            number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, number, 0);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* Memory may be had, but never to be executed. */
static int add_memory(scmp_filter_ctx filter)
{
    static const char *const names[] = { "mmap", "mmap2", "mprotect" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
                                  seccomp_syscall_resolve_name(names[i]), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* abort() and a death by signal, of this process alone. */
static int add_own_end(scmp_filter_ctx filter)
{
    scmp_datum_t self = (scmp_datum_t)getpid();
    int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                              SCMP_A0(SCMP_CMP_EQ, self));

    return rc < 0 ? rc
                  : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1,
                                     SCMP_A0(SCMP_CMP_EQ, self));
}

/* fstat() is newfstatat() with an empty path in glibc 2.33 and later.  The path itself
 * cannot be looked at here, but the flag that allows an empty one can. */
static int add_fstat(scmp_filter_ctx filter)
{
    return seccomp_rule_add(
        filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
        SCMP_A3(SCMP_CMP_MASKED_EQ, 0x1000 /* AT_EMPTY_PATH */, 0x1000));
}

/* The one question that gadget.c has for an endpoint, of all ioctls. */
static int add_gadget(scmp_filter_ctx filter)
{
    int rc =
        add_calls(filter, SCMP_ACT_ALLOW, gadget_calls, G_N_ELEMENTS(gadget_calls));

    return rc < 0 ? rc
                  : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                     SCMP_A1(SCMP_CMP_EQ, FUNCTIONFS_ENDPOINT_DESC));
}

#define ADD(filter, action, list) add_calls(filter, action, list, G_N_ELEMENTS(list))

static int fill(scmp_filter_ctx filter, OstlerSandboxNeeds needs)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    rc = rc ? rc : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    rc = rc ? rc : ADD(filter, SCMP_ACT_ALLOW, stream_calls);
    rc = rc ? rc : ADD(filter, SCMP_ACT_ALLOW, process_calls);
    rc = rc ? rc : add_memory(filter);
    rc = rc ? rc : add_own_end(filter);
    if (needs & OSTLER_SANDBOX_FILES) {
        rc = rc ? rc : ADD(filter, SCMP_ACT_ALLOW, file_calls);
    } else {
        rc = rc ? rc : add_fstat(filter);
    }
    if (needs & OSTLER_SANDBOX_GADGET) {
        rc = rc ? rc : add_gadget(filter);
    }
    return rc ? rc : ADD(filter, SCMP_ACT_KILL_PROCESS, fatal_calls);
}

static bool has_filters(void)
{
    return seccomp_api_get() > 0;
}

bool ostler_posix_seccomp(OstlerSandboxNeeds needs, GPtrArray *missing, GError **error)
{
    if (!has_filters()) {
        g_ptr_array_add(missing, g_strdup("this kernel has no seccomp filters, so any "
                                          "system call can be made"));
        return true;
    }

    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc = filter ? fill(filter, needs) : -ENOMEM;
    rc = rc ? rc : seccomp_load(filter);
    seccomp_release(filter);
    if (rc < 0) {
        errno = -rc;
        return ostler_posix_refuse(error, "Cannot enter the seccomp sandbox");
    }
    return true;
}
