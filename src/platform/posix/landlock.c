/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/posix/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/posix/refusal.h"

/* What Debian 12's header (Linux 6.1) does not have yet: include/uapi/linux/landlock.h of
 * Linux 6.12. */
#define ACCESS_FS_TRUNCATE         (1ULL << 14)
#define ACCESS_FS_IOCTL_DEV        (1ULL << 15)
#define ACCESS_NET_BIND_TCP        (1ULL << 0)
#define ACCESS_NET_CONNECT_TCP     (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL               (1ULL << 1)

typedef struct {
    uint64_t handled_fs;
    uint64_t handled_net;
    uint64_t scoped;
} Ruleset;

/* What each version of the interface added, and what it means that one lacks it. */
static const struct {
    int abi;
    Ruleset adds;
    const char *lack; /* or NULL where seccomp.c forbids the call as well */
} versions[] = {
    { 1, { .handled_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 }, NULL },
    { 2, { .handled_fs = LANDLOCK_ACCESS_FS_REFER }, NULL },
    /* truncate() itself is left out by seccomp.c; O_RDONLY | O_TRUNC remains. */
    { 3,
      { .handled_fs = ACCESS_FS_TRUNCATE },
      "this kernel's Landlock (before Linux 6.2) does not keep files in read-only "
      "folders from being emptied" },
    { 4, { .handled_net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP }, NULL },
    { 5, { .handled_fs = ACCESS_FS_IOCTL_DEV }, NULL },
    { 6, { .scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL }, NULL },
};

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Regular files and folders; no symbolic links, devices, pipes or sockets. */
#define WRITE_RIGHTS                                                                   \
    (READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |     \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                    \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | ACCESS_FS_TRUNCATE)
/* The rights that a root may have which is a single file. */
#define FILE_RIGHTS                                                                    \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_FS_TRUNCATE)

static Ruleset ruleset_of(int abi, OstlerSandboxNeeds needs, GPtrArray *missing)
{
    Ruleset rules = { 0 };

    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        if (versions[i].abi > abi) {
            if (versions[i].lack && (needs & OSTLER_SANDBOX_FILES)) {
                g_ptr_array_add(missing, g_strdup(versions[i].lack));
            }
            continue;
        }
        rules.handled_fs |= versions[i].adds.handled_fs;
        rules.handled_net |= versions[i].adds.handled_net;
        rules.scoped |= versions[i].adds.scoped;
    }
    return rules;
}

/* The kernel takes a longer structure than it knows, as long as the rest is zero. */
static int create_ruleset(const Ruleset *rules)
{
    return (int)syscall(SYS_landlock_create_ruleset, rules, sizeof(*rules), 0);
}

static bool add_root(int ruleset, const char *path, uint64_t rights, GError **error)
{
    struct stat root;
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &root) < 0) {
        ostler_posix_refuse(error, "Cannot open '%s'", path);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }

    struct landlock_path_beneath_attr beneath = {
        .allowed_access = S_ISDIR(root.st_mode) ? rights : rights & FILE_RIGHTS,
        .parent_fd = fd,
    };
    bool is_added = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
                            &beneath, 0) == 0 ||
                    ostler_posix_refuse(error, "Cannot confine access to '%s'", path);
    close(fd);
    return is_added;
}

static bool add_roots(int ruleset, const char *const *roots, uint64_t rights,
                      GError **error)
{
    for (; roots && *roots; roots++) {
        if (!add_root(ruleset, *roots, rights, error)) {
            return false;
        }
    }
    return true;
}

static bool fill_and_enter(int ruleset, const OstlerSandboxConfig *config,
                           uint64_t handled, GError **error)
{
    if ((config->needs & OSTLER_SANDBOX_FILES) &&
        (!add_roots(ruleset, config->read_only_roots, READ_RIGHTS & handled, error) ||
         !add_roots(ruleset, config->writable_roots, WRITE_RIGHTS & handled, error))) {
        return false;
    }
    return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ||
           ostler_posix_refuse(error, "Cannot enter the Landlock sandbox");
}

bool ostler_posix_landlock(const OstlerSandboxConfig *config, GPtrArray *missing,
                           GError **error)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
                           LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
        if (config->needs & OSTLER_SANDBOX_FILES) {
            g_ptr_array_add(missing,
                            g_strdup("this kernel has no Landlock, so file access "
                                     "is not confined to the shared folders"));
        }
        return true;
    }

    Ruleset rules = ruleset_of(abi, config->needs, missing);
    int ruleset = abi < 0 ? -1 : create_ruleset(&rules);
    if (ruleset < 0) {
        return ostler_posix_refuse(error, "Cannot prepare the Landlock sandbox");
    }
    bool is_entered = fill_and_enter(ruleset, config, rules.handled_fs, error);
    close(ruleset);
    return is_entered;
}
