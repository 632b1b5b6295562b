/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * smm-handler.S - what runs at SMBASE + 8000h
 *
 * 16-bit code, copied by smm.c.  CS has SMBASE as its base, the other segments begin
 * at 0 and reach 4 GiB.  RSM brings back every register, so none is saved.  There is no
 * stack, and nobody takes a fault.
 */
/* struct nested_smm */
#define N_TAKEN 0
#define N_DONE  8
#define CR4     16

	.section .rodata
	.globl nested_smm_handler, nested_smm_handler_end, nested_smm_slot
	.code16
nested_smm_handler:
	movl $nested_smm, %ebx
	incl N_TAKEN(%ebx)
	movl %cr4, %eax
	movl %eax, CR4(%ebx)
nested_smm_slot:
	.fill 96, 1, 0x90 /* NESTED_SMM_MAX_ACTION */
	movl $nested_smm, %ebx
	incl N_DONE(%ebx)
	rsm
nested_smm_handler_end:
	.code64

	.section .note.GNU-stack, "", @progbits
