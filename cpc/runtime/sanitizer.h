/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sanitizer.h - telling ASan, LSan and valgrind that the stack is another one now
 *
 * All of it is nothing in a build without the tool (valgrind's requests are a few
 * instructions without effect when the program does not run under it).
 *
 * Sources:    sanitizer/common_interface_defs.h, sanitizer/lsan_interface.h;
 *             valgrind's manual 3.1, "The Client Request mechanism".
 */
#pragma once

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CPC_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CPC_ASAN 1
#endif

#ifdef CPC_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

#define CPC_NO_ASAN __attribute__((no_sanitize_address))

/* About to go to another stack; with @save NULL this one is never come back to. */
static inline void cpc_leave_stack(void **save, const void *to, size_t to_size)
{
    __sanitizer_start_switch_fiber(save, to, to_size);
}

static inline void cpc_arrive_on_stack(void *saved, const void **from,
                                       size_t *from_size)
{
    __sanitizer_finish_switch_fiber(saved, from, from_size);
}

/* What only a suspended coroutine points to is not leaked. */
static inline void cpc_stack_is_live(const void *stack, size_t size)
{
    __lsan_register_root_region(stack, size);
}

static inline void cpc_stack_is_dead(const void *stack, size_t size)
{
    __lsan_unregister_root_region(stack, size);
}

/* Frames that were left by a jump have left their red zones behind. */
static inline void cpc_forget_stack(const void *stack, size_t size)
{
    __asan_unpoison_memory_region(stack, size);
}
#else
#define CPC_NO_ASAN

static inline void cpc_leave_stack(void **save, const void *to, size_t to_size)
{
}

static inline void cpc_arrive_on_stack(void *saved, const void **from,
                                       size_t *from_size)
{
}

static inline void cpc_stack_is_live(const void *stack, size_t size)
{
}

static inline void cpc_stack_is_dead(const void *stack, size_t size)
{
}

static inline void cpc_forget_stack(const void *stack, size_t size)
{
}
#endif

#ifdef CPC_HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id)       ((void)(id))
#endif
