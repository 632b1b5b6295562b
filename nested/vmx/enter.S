/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * int vmx_enter(bool is_resume): VMLAUNCH or VMRESUME with the registers in vmx_guest
 *
 * 0 VMfailInvalid, 1 VMfailValid, 2 VM exit, 3 broken: RSP did not come back.
 * HOST_RSP and HOST_RIP are written here, where they are known.  What the guest left in
 * its registers is stored before the host's are taken from the stack.
 */
#define VMCS_HOST_RSP 0x6c14
#define VMCS_HOST_RIP 0x6c16

	/* The registers of struct vmx_registers, in its order. */
	.macro each_register do
	\do %rax, 0x00
	\do %rbx, 0x08
	\do %rcx, 0x10
	\do %rdx, 0x18
	\do %rsi, 0x20
	\do %rdi, 0x28
	\do %rbp, 0x30
	\do %r8, 0x38
	\do %r9, 0x40
	\do %r10, 0x48
	\do %r11, 0x50
	\do %r12, 0x58
	\do %r13, 0x60
	\do %r14, 0x68
	\do %r15, 0x70
	.endm
	.macro load register, offset
	movq vmx_guest+\offset(%rip), \register
	.endm
	.macro store register, offset
	movq \register, vmx_guest+\offset(%rip)
	.endm

	.text
	.globl vmx_enter
vmx_enter:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq $0x5AFE57AC5AFE57AC, %rax
	pushq %rax
	movl $VMCS_HOST_RSP, %eax
	vmwrite %rsp, %rax
	movl $VMCS_HOST_RIP, %eax
	leaq exited(%rip), %rbx
	vmwrite %rbx, %rax
	testb %dil, %dil /* MOV leaves the flags alone */
	each_register load
	jnz 1f
	vmlaunch
	jmp failed
1:	vmresume
failed:
	jc invalid
	movl $1, %eax
	jmp leave
invalid:
	xorl %eax, %eax
	jmp leave
exited:
	each_register store
	movl $2, %eax
leave:
	popq %rdx
	movq $0x5AFE57AC5AFE57AC, %rcx
	cmpq %rcx, %rdx
	je 1f
	movl $3, %eax
1:	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.globl vmx_guest_vmcall
vmx_guest_vmcall:
	vmcall
	jmp vmx_guest_vmcall

	.section .note.GNU-stack, "", @progbits
