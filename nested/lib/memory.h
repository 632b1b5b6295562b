/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory.h - what the compiler itself may call, and what rules need of <string.h> */
#pragma once

#include <stddef.h>
#include <stdint.h>

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
int strcmp(const char *a, const char *b);
size_t strlen(const char *text);
char *strstr(const char *text, const char *part);
