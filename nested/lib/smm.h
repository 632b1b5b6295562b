/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * smm.h - a system-management interrupt with a handler of our own
 *
 * The firmware has moved SMBASE to A0000h and left its handler there.  Ours takes that
 * one's place, for the rest of the boot, where the chipset's SMRAM can still be opened.
 * It counts, notes what it sees, runs a few instructions that the rule gives, which must
 * not fault, and ends by RSM.
 *
 * An SMI is asked for by OUT to port B2h, which the firmware must have enabled, and
 * comes within some instructions.
 *
 * Sources:  SDM vol. 3C chapter 34, APM vol. 2 chapter 10; 440FX datasheet (290549), SMRAM
 *           register 72h; Q35 datasheet (316966), SMRAM register 9Dh.
 */
#pragma once

#include <stdint.h>

#define NESTED_SMM_PORT   0xb2
#define NESTED_SMM_SMBASE 0xa0000

/* What the handler writes; 64 bits each, so that a table row can look at them. */
struct nested_smm {
    uint64_t n_taken; /* handlers begun */
    uint64_t n_done;  /* actions that came to their end */
    uint64_t cr4;
};
extern volatile struct nested_smm nested_smm;

/* 16-bit code to run in SMM, where every register may be changed. */
#define NESTED_SMM_MAX_ACTION 96 /* bytes */
struct nested_smm_action {
    const uint8_t *start, *end;
};
#define NESTED_SMM_ACTION(name, code)                                                  \
    extern const uint8_t name##_start[], name##_end[];                                 \
    __asm__(".pushsection .rodata\n.code16\n" #name "_start: " code "\n" #name         \
            "_end:\n.code64\n.popsection");                                            \
    static const struct nested_smm_action name = { name##_start, name##_end }

/* What keeps the handler from being installed, or NULL: it is, and has taken an SMI. */
const char *nested_smm_lack(void);

/* The next SMIs do @action (NULL: nothing); all of nested_smm is 0. */
void nested_smm_expect(const struct nested_smm_action *action);

/* Ask for an SMI and wait until it must have come. */
void nested_smm_send(void);
