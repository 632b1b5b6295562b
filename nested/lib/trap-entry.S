/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* trap-entry.S - 256 ways in, one handler; and nested_try()'s two ways out. */

	.section .bss
	.align 8
	.globl nested_try_rsp
nested_try_rsp:
	.skip 8 /* where to go on when a trap is expected, else 0 */

	.text
	/* Vectors 8, 10-14, 17, 21, 29 and 30 push an error code (APM vol. 2, 8.2). */
	.set vector, 0
	.align 16
	.globl nested_trap_entries
nested_trap_entries:
	.rept 256
	.align 16
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
	.else
	pushq $0
	.endif
	pushq $vector
	jmp common
	.set vector, vector + 1
	.endr

common:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	cld
	call nested_trap
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	iretq

	/* int nested_try(void (*function)(void *), void *opaque) */
	.globl nested_try
nested_try:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $8, %rsp
	movq %rsp, nested_try_rsp(%rip)
	movq %rdi, %rax
	movq %rsi, %rdi
	call *%rax
	movl $-1, %eax
leave_try:
	movq $0, nested_try_rsp(%rip)
	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	/* void nested_try_leave(int vector): the trap was the expected one. */
	.globl nested_try_leave
nested_try_leave:
	movl %edi, %eax
	movq nested_try_rsp(%rip), %rsp
	jmp leave_try

	/* The guest's: say which vector, and leave by VMMCALL or VMCALL as patched in. */
	.set vector, 0
	.align 16
	.globl nested_guest_trap_entries
nested_guest_trap_entries:
	.rept 256
	.align 16
	movl $vector, %eax
	jmp guest_common
	.set vector, vector + 1
	.endr
	.globl nested_guest_trap_call
guest_common:
nested_guest_trap_call:
	vmmcall
	hlt

	.section .note.GNU-stack, "", @progbits
