/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory.h"

void *memset(void *to, int value, size_t size)
{
    void *at = to;

    __asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
    return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
    void *at = to;

    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *left = a, *right = b;

    for (; size > 0 && *left == *right; size--) {
        left++;
        right++;
    }
    return size > 0 ? *left - *right : 0;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a - *b;
}

size_t strlen(const char *text)
{
    size_t n = 0;

    while (text[n]) {
        n++;
    }
    return n;
}

char *strstr(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (; *text; text++) {
        if (memcmp(text, part, n) == 0) {
            return (char *)text;
        }
    }
    return n == 0 ? (char *)text : NULL;
}
