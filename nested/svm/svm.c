/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "svm.h"

#include "lib/cpu.h"
#include "lib/memory.h"
#include "lib/trap.h"

#define MSR_VM_CR       0xC0010114
#define MSR_VM_HSAVE_PA 0xC0010117
#define VM_CR_SVMDIS    BIT(4)

#define CODE_64 0x0a9b /* G, L, present, code, accessed: the VMCB's packing */
#define DATA    0x0c93
#define TSS_64  0x008b
#define LDT     0x0082

extern const struct cpu_table nested_gdtr;
bool svm_enter(uint64_t vmcb_pa, struct svm_registers *registers);

static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint8_t io_permissions[3 * 4096] __attribute__((aligned(4096)));
static uint8_t msr_permissions[2 * 4096] __attribute__((aligned(4096)));
static uint8_t guest_stack[8192] __attribute__((aligned(16)));

bool svm_is_present(void)
{
    if (cpu_cpuid(0x80000000, 0).eax < 0x8000000a) {
        return false;
    }
    return (cpu_cpuid(0x80000001, 0).ecx & BIT(2)) &&
           !(cpu_rdmsr(MSR_VM_CR) & VM_CR_SVMDIS);
}

unsigned svm_n_asids(void)
{
    return cpu_cpuid(0x8000000a, 0).ebx;
}

uint32_t svm_features(void)
{
    return cpu_cpuid(0x8000000a, 0).edx;
}

void svm_enable(void)
{
    cpu_wrmsr(MSR_EFER, cpu_rdmsr(MSR_EFER) | EFER_SVME);
    cpu_wrmsr(MSR_VM_HSAVE_PA, (uint64_t)host_save);
}

static void good_control(struct vmcb *vmcb)
{
    vmcb->intercept1 = SVM_INTERCEPT1_SHUTDOWN | SVM_INTERCEPT1_HLT;
    vmcb->intercept2 = SVM_INTERCEPT2_VMRUN | SVM_INTERCEPT2_VMMCALL;
    vmcb->iopm_base_pa = (uint64_t)io_permissions;
    vmcb->msrpm_base_pa = (uint64_t)msr_permissions;
    vmcb->guest_asid = 1;
    vmcb->tlb_control = 1; /* rules change page tables and modes between runs */
}

static void good_segments(struct vmcb *vmcb)
{
    struct vmcb_segment data = { 0x10, DATA, 0xffffffff, 0 };
    struct cpu_table idt;

    vmcb->cs = (struct vmcb_segment){ 0x08, CODE_64, 0xffffffff, 0 };
    vmcb->ss = vmcb->ds = vmcb->es = vmcb->fs = vmcb->gs = data;
    vmcb->tr = (struct vmcb_segment){ 0x30, TSS_64, 0x67, 0 };
    vmcb->ldtr = (struct vmcb_segment){ 0, LDT, 0xffff, 0 };
    vmcb->gdtr.limit = nested_gdtr.limit;
    vmcb->gdtr.base = nested_gdtr.base;
    nested_guest_idt(&idt);
    vmcb->idtr.limit = idt.limit;
    vmcb->idtr.base = idt.base;
}

static void good_registers(struct vmcb *vmcb, void (*code)(void))
{
    vmcb->efer = cpu_rdmsr(MSR_EFER);
    vmcb->cr0 = cpu_read_cr0();
    vmcb->cr3 = cpu_read_cr3();
    vmcb->cr4 = cpu_read_cr4();
    vmcb->dr6 = 0xffff0ff0; /* the values after reset, APM vol. 2, 13.1.1 */
    vmcb->dr7 = 0x400;
    vmcb->rflags = RFLAGS_FIXED;
    vmcb->rip = (uint64_t)code;
    vmcb->rsp = (uint64_t)(guest_stack + sizeof guest_stack);
    vmcb->g_pat = cpu_rdmsr(MSR_PAT);
}

void svm_good(struct vmcb *vmcb, void (*code)(void))
{
    memset(vmcb, 0, sizeof *vmcb);
    memset(io_permissions, 0, sizeof io_permissions);
    memset(msr_permissions, 0, sizeof msr_permissions);
    good_control(vmcb);
    good_segments(vmcb);
    good_registers(vmcb, code);
}

void svm_prepare_run(struct svm_registers *registers)
{
    uint64_t *each = (uint64_t *)registers;

    for (unsigned i = 0; i < sizeof *registers / sizeof *each; i++) {
        each[i] = UINT64_C(0xCA4A000000000000) | i;
    }
}

bool svm_enter_guest(struct vmcb *vmcb, struct svm_registers *registers)
{
    return svm_enter((uint64_t)vmcb, registers);
}

bool svm_run(struct vmcb *vmcb, struct svm_registers *registers)
{
    svm_prepare_run(registers);
    vmcb->rax = UINT64_C(0xCA4A0000000000AA);
    return svm_enter_guest(vmcb, registers);
}
