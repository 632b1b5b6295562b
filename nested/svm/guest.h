/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.h - programs for guests, written where they are used
 *
 * The instruction in question carries the label 1, and the program goes on to VMMCALL.
 * An exception that is not intercepted reaches the guest's IDT, which leaves by VMMCALL
 * with the vector in EAX.
 */
#pragma once

#include <stdint.h>

/* A guest program @name, whose label 1 is known as @name_at; both of this file alone. */
#define SVM_GUEST(name, code)                                                          \
    void name(void);                                                                   \
    extern const uint8_t name##_at[];                                                  \
    __asm__(".pushsection .text\n" #name ":\n" code "\n\tjmp svm_guest_vmmcall\n"      \
            "\t.set " #name "_at, 1b\n.popsection")
