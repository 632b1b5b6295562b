/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "platform/posix/landlock.h"
#include "platform/posix/refusal.h"
#include "platform/posix/seccomp.h"

#ifdef __SANITIZE_ADDRESS__
static int is_confined;

/* LeakSanitizer traces the process at its end, which would end it earlier.  (A hook of
 * compiler-rt's lsan_interface.h.) */
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
    return is_confined;
}
#endif

/* No privilege by executing, no memory on disk, no tracing by the same user. */
static bool give_up_privileges(GError **error)
{
    static const struct rlimit none = { 0, 0 };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0) {
        return ostler_posix_refuse(error, "Cannot give up privileges");
    }
    return true;
}

static bool set_limit(int what, uint64_t value)
{
    const struct rlimit limit = { value, value };

    return value == 0 || setrlimit(what, &limit) == 0;
}

static bool set_limits(const OstlerSandboxConfig *config, GError **error)
{
#ifdef __SANITIZE_ADDRESS__
    const uint64_t max_memory = 0;
#else
    const uint64_t max_memory = config->max_memory;
#endif
    if (!set_limit(RLIMIT_AS, max_memory) ||
        !set_limit(RLIMIT_CPU, config->max_cpu_s)) {
        return ostler_posix_refuse(error, "Cannot limit this process");
    }
    return true;
}

static char *join(GPtrArray *sentences)
{
    if (sentences->len == 0) {
        return NULL;
    }
    g_ptr_array_add(sentences, NULL);
    return g_strjoinv("; ", (char **)sentences->pdata);
}

/* Landlock first: the filter leaves out the calls that make it. */
bool ostler_sandbox_enter(const OstlerSandboxConfig *config, char **out_missing,
                          GError **error)
{
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);

    if (!give_up_privileges(error) || !set_limits(config, error) ||
        !ostler_posix_landlock(config, missing, error) ||
        !ostler_posix_seccomp(config->needs, missing, error)) {
        return false;
    }
#ifdef __SANITIZE_ADDRESS__
    is_confined = 1;
#endif
    char *words = join(missing);
    if (out_missing) {
        *out_missing = words;
    } else {
        g_free(words);
    }
    return true;
}
