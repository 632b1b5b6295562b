/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * marks.h - coroutine_fn and its relatives, and what they are to the compiler
 *
 * Apart from coroutine.h for code that has another runtime, as QEMU does.
 */
#pragma once

#if defined(CPC_MARKS) || defined(CPC_PLUGIN) || defined(COCHECK)
/* The mark lives in the type, so it survives into declarations, pointers and IR. */
#if defined(__riscv)
#define coroutine_fn __attribute__((riscv_vector_cc))
#else
#define coroutine_fn __attribute__((swiftcall))
#endif
/* Older ones forget the annotations of functions that are only declared. */
#if defined(__clang_major__) && __clang_major__ < 18
#define CPC_MARK(name) __attribute__((annotate(name), assume(name)))
#else
#define CPC_MARK(name) __attribute__((annotate(name)))
#endif
#define coroutine_mixed_fn    CPC_MARK("coroutine_mixed_fn")
#define coroutine_variadic_fn CPC_MARK("coroutine_variadic_fn")
/* Of the one function that suspends: the plugin knows what it does, and calls nothing. */
#define coroutine_suspend_fn CPC_MARK("coroutine_suspend_fn")
#else
#define coroutine_fn
#define coroutine_mixed_fn
#define coroutine_variadic_fn
#define coroutine_suspend_fn
#endif
