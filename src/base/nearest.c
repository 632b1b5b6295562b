/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/nearest.h"

#include <glib.h>
#include <string.h>

/* Longer words are not worth the square of their length. */
#define MAX_LENGTH 40

/* Optimal string alignment: insert, delete, replace, or swap two neighbours. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t d[MAX_LENGTH + 1][MAX_LENGTH + 1];

    for (size_t i = 0; i <= n_a; i++) {
        for (size_t j = 0; j <= n_b; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, MIN(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = MIN(best, d[i - 2][j - 2] + 1);
            }
            d[i][j] = best;
        }
    }
    return d[n_a][n_b];
}

const char *ostler_nearest(const char *text, const char *const *words)
{
    size_t size = strlen(text);
    const char *nearest = NULL;
    size_t least = MAX(size / 3, 1) + 1; /* as far as this is another word */

    if (size > MAX_LENGTH) {
        return NULL;
    }
    for (; *words; words++) {
        size_t word_size = strlen(*words);
        if (word_size > MAX_LENGTH) {
            continue;
        }
        size_t steps = distance(text, size, *words, word_size);
        if (steps < least && steps < MAX(size, word_size)) {
            least = steps;
            nearest = *words;
        }
    }
    return nearest;
}
