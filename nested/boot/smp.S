/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* smp.S - from a start-up IPI to 64-bit C, for the second processor */

#include "long-mode.inc"

	.text
	/*
	 * Where a start-up IPI begins: smp.c copies this to a page below 1 MiB.  Real mode,
	 * CS:0 is the page.  Of several processors the first goes on, the others stop.
	 */
	.code16
	.globl nested_smp_page, nested_smp_page_end
nested_smp_page:
	cli
	lgdtl %cs:smp_gdtr - nested_smp_page
	movl $0x11, %eax /* ET PE: caches stay as INIT has them until paging is on */
	movl %eax, %cr0
	ljmpl $0x18, $smp32
smp_gdtr:
	.word nested_gdt_limit
	.long nested_gdt
nested_smp_page_end:

	.code32
smp32:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %ss
	lock btsl $0, smp_is_taken
	jc 2f
	movl $smp_stack_top, %esp
	enter_long_mode smp64
2:	cli
	hlt
	jmp 2b

	.code64
smp64:
	load_data_segments
	call nested_smp_main
2:	hlt
	jmp 2b

	.section .bss
	.align 16
	.skip 16384
smp_stack_top:
	.globl smp_is_taken
smp_is_taken:
	.skip 8

	.section .note.GNU-stack, "", @progbits
