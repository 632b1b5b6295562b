/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtp-objects-bench - the object table with a million objects: memory and lookup time
 *
 * A thousand folders of a thousand files, with names of 24 bytes as cameras and phones
 * give them.  Lookups take handles and names in random order, so that the caches are
 * as cold as they are in life.
 */
#include "mtp/objects.h"

#include <stdio.h>
#include <stdlib.h>

#define N_FOLDERS       1000u
#define N_FILES         1000u
#define N_LOOKUPS       1000000u
#define MEMORY_LIMIT_MB 128.0
#define LOOKUP_LIMIT_NS 1000.0

static const char name_format[] = "IMG_20261123_%06u_%03u.jp"; /* 24 bytes */

static double resident_mib(void)
{
    g_autofree char *status = NULL;

    g_assert(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
    const char *line = strstr(status, "VmRSS:");
    return line ? strtod(line + 6, NULL) / 1024 : 0;
}

static uint32_t *fill(OstlerMtpObjects *objects)
{
    uint32_t *folders = g_new(uint32_t, N_FOLDERS);
    char name[64];

    for (unsigned i = 0; i < N_FOLDERS; i++) {
        g_snprintf(name, sizeof(name), name_format, i, 0u);
        folders[i] = ostler_mtp_objects_add(objects, 0, 0, name, true, 0x3001);
    }
    for (unsigned i = 0; i < N_FOLDERS * N_FILES; i++) {
        g_snprintf(name, sizeof(name), name_format, i / N_FILES, i % N_FILES);
        g_assert(ostler_mtp_objects_add(objects, 0, folders[i / N_FILES], name, false,
                                        0x3801));
    }
    return folders;
}

/* Returns: nanoseconds for one. */
static double time_by_handle(const OstlerMtpObjects *objects)
{
    g_autofree uint32_t *handles = g_new(uint32_t, N_LOOKUPS);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    uint32_t first = ostler_mtp_objects_first(objects, 0, 0);

    for (unsigned i = 0; i < N_LOOKUPS; i++) {
        handles[i] = first + (uint32_t)g_rand_int_range(random, 0, N_FOLDERS * N_FILES);
    }
    unsigned found = 0;
    gint64 start_us = g_get_monotonic_time();
    for (unsigned i = 0; i < N_LOOKUPS; i++) {
        OstlerMtpObject object;
        found += ostler_mtp_objects_get(objects, handles[i], &object);
    }
    double ns = 1000.0 * (double)(g_get_monotonic_time() - start_us) / N_LOOKUPS;
    g_assert(found > N_LOOKUPS / 2);
    return ns;
}

static double time_by_name(const OstlerMtpObjects *objects, const uint32_t *folders)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(2);
    g_autofree unsigned *which = g_new(unsigned, N_LOOKUPS);
    g_autofree char *names = g_malloc(32u * N_LOOKUPS);

    for (unsigned i = 0; i < N_LOOKUPS; i++) {
        which[i] = (unsigned)g_rand_int_range(random, 0, N_FOLDERS * N_FILES);
        g_snprintf(names + 32 * (size_t)i, 32, name_format, which[i] / N_FILES,
                   which[i] % N_FILES);
    }
    gint64 start_us = g_get_monotonic_time();
    for (unsigned i = 0; i < N_LOOKUPS; i++) {
        g_assert(ostler_mtp_objects_find(objects, 0, folders[which[i] / N_FILES],
                                         names + 32 * (size_t)i));
    }
    return 1000.0 * (double)(g_get_monotonic_time() - start_us) / N_LOOKUPS;
}

static int report(const char *name, double value, const char *unit, double limit)
{
    printf("%s: %.0f %s, target at most %.0f %s, %s\n", name, value, unit, limit, unit,
           value <= limit ? "ok" : "MISSED");
    return value > limit;
}

int main(void)
{
    double before = resident_mib();
    OstlerMtpObjects *objects = ostler_mtp_objects_new();
    g_autofree uint32_t *folders = fill(objects);
    double mib = resident_mib() - before;

    int failed = report("a million objects resident", mib, "MiB", MEMORY_LIMIT_MB) |
                 report("lookup by handle among a million", time_by_handle(objects),
                        "ns", LOOKUP_LIMIT_NS) |
                 report("lookup by name among a million",
                        time_by_name(objects, folders), "ns", LOOKUP_LIMIT_NS);
    ostler_mtp_objects_free(objects);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
