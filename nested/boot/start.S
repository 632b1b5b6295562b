/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * start.S - from the multiboot loader to 64-bit C
 *
 * Multiboot 1 because QEMU's -kernel, GRUB under Bochs and GRUB on bare metal all
 * speak it.  Leaves: long mode, the low 4 GiB mapped one to one with 2 MiB pages that
 * user code may touch (nested page tables are walked as user accesses, so the same
 * tables can serve as NPT; APM vol. 2, 15.25.5), write protection on, interrupts off.
 */

#include "long-mode.inc"

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0x00000003 /* page-aligned modules, memory map */

#define PAGE_TABLE 0x67 /* present, writable, user, accessed, dirty */
#define PAGE_2M    0xE7 /* the same, a leaf */

	.section .multiboot, "a"
	.align 4
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.section .data
	.align 4096
	.globl nested_pml4
nested_pml4:
	.quad nested_pdpt + PAGE_TABLE
	.fill 511, 8, 0
nested_pdpt:
	.quad nested_pd + PAGE_TABLE, nested_pd + 0x1000 + PAGE_TABLE
	.quad nested_pd + 0x2000 + PAGE_TABLE, nested_pd + 0x3000 + PAGE_TABLE
	.fill 508, 8, 0
	.globl nested_pd
nested_pd:
	.set page, 0
	.rept 2048
	.quad (page << 21) | PAGE_2M
	.set page, page + 1
	.endr

	.align 16
	.globl nested_gdt
nested_gdt:
	.quad 0
	.quad 0x00AF9B000000FFFF /* 0x08 code, 64 bits */
	.quad 0x00CF93000000FFFF /* 0x10 data */
	.quad 0x00CF9B000000FFFF /* 0x18 code, 32 bits */
	.quad 0x00AFFB000000FFFF /* 0x20 code, 64 bits, ring 3 */
	.quad 0x00CFF3000000FFFF /* 0x28 data, ring 3 */
	.quad 0, 0               /* 0x30 TSS, filled in by trap.c */
nested_gdt_end:
	.globl nested_gdt_limit
	.set nested_gdt_limit, nested_gdt_end - nested_gdt - 1
	.globl nested_gdtr
nested_gdtr:
	.word nested_gdt_limit
	.quad nested_gdt

	.section .bss
	.align 16
	.skip 65536
	.globl nested_stack_top
nested_stack_top:

	.text
	.code32
	.globl _start
_start:
	cli
	movl $nested_stack_top, %esp
	movl %ebx, %edi /* the multiboot information */
	enter_long_mode start64

	.code64
start64:
	load_data_segments
	movl %edi, %edi
	call nested_start
1:	hlt
	jmp 1b

	.section .note.GNU-stack, "", @progbits
