/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bool svm_enter(uint64_t vmcb_pa, struct svm_registers *registers)
 *
 * The host's callee-saved registers are canaried as well as saved: VMRUN must give back
 * RSP from the host save area and leave the others to software, so what the guest left
 * in them is stored before they are restored from the stack.
 */
	.text
	.globl svm_enter
svm_enter:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rsi
	movq $0x5AFE57AC5AFE57AC, %rax
	pushq %rax /* found again, if RSP came back */

	movq %rdi, %rax
	movq 0x00(%rsi), %rbx
	movq 0x08(%rsi), %rcx
	movq 0x10(%rsi), %rdx
	movq 0x20(%rsi), %rdi
	movq 0x28(%rsi), %rbp
	movq 0x30(%rsi), %r8
	movq 0x38(%rsi), %r9
	movq 0x40(%rsi), %r10
	movq 0x48(%rsi), %r11
	movq 0x50(%rsi), %r12
	movq 0x58(%rsi), %r13
	movq 0x60(%rsi), %r14
	movq 0x68(%rsi), %r15
	movq 0x18(%rsi), %rsi
	clgi
	vmrun %rax
	stgi

	xchgq %rsi, 8(%rsp) /* the structure; the guest's RSI takes its place */
	movq %rbx, 0x00(%rsi)
	movq %rcx, 0x08(%rsi)
	movq %rdx, 0x10(%rsi)
	movq %rdi, 0x20(%rsi)
	movq %rbp, 0x28(%rsi)
	movq %r8, 0x30(%rsi)
	movq %r9, 0x38(%rsi)
	movq %r10, 0x40(%rsi)
	movq %r11, 0x48(%rsi)
	movq %r12, 0x50(%rsi)
	movq %r13, 0x58(%rsi)
	movq %r14, 0x60(%rsi)
	movq %r15, 0x68(%rsi)
	movq 8(%rsp), %rbx
	movq %rbx, 0x18(%rsi)

	xorl %eax, %eax
	popq %rdx
	movq $0x5AFE57AC5AFE57AC, %rcx
	cmpq %rcx, %rdx
	sete %al
	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.globl svm_guest_vmmcall
svm_guest_vmmcall:
	vmmcall
	jmp svm_guest_vmmcall

	.section .note.GNU-stack, "", @progbits
