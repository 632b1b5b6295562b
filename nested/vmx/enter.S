/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * int vmx_enter(void): VMLAUNCH; 0 VMfailInvalid, 1 VMfailValid, 2 VM exit, 3 broken
 *
 * HOST_RSP and HOST_RIP are written here, where they are known.
 */
#define VMCS_HOST_RSP 0x6c14
#define VMCS_HOST_RIP 0x6c16

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
	vmlaunch
	jc invalid
	movl $1, %eax
	jmp leave
invalid:
	xorl %eax, %eax
	jmp leave
exited:
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
