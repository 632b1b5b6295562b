/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmx-entry-test.c - the model of VM entry: for every check the state that it refuses
 * and the nearest that it accepts */
#include <glib.h>
#include <string.h>

#include "vmx-check.h"
#include "vmx-paper.h"

#define SET    VMX_SET
#define CLEAR  VMX_CLEAR
#define MAKE   VMX_MAKE
#define LIMIT  VMX_LIMIT
#define CHANGE VMX_CHANGE
#define LIST   VMX_LIST
#define CPU    VMX_CPU
#define CPU2   VMX_CPU2
#define PIN    VMX_PIN
#define EXITS  VMX_EXITS
#define ENTERS VMX_ENTERS

#define PAGE          UINT64_C(0x4000)
#define NOT_CANONICAL BIT(47)
#define CANONICAL     (UINT64_MAX << 47)

#define EVENT(type, vector) VMX_EVENT(type, vector)
#define INJECT(event)       MAKE(VMCS_ENTRY_INTERRUPTION_INFO, event)
#define LENGTH(n)           MAKE(VMCS_ENTRY_INSTRUCTION_LENGTH, n)

#define EPT CPU2(VMX_CPU2_EPT)
#define TPR CPU(VMX_CPU_TPR_SHADOW), MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE)
#define POSTED                                                                         \
    PIN(VMX_PIN_EXTERNAL_INTERRUPT | VMX_PIN_POSTED_INTERRUPTS),                       \
        CPU(VMX_CPU_TPR_SHADOW), CPU2(VMX_CPU2_INTERRUPTS), EXITS(VMX_EXIT_ACK)
#define UNRESTRICTED CPU2(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED)
#define IF_SET       SET(VMCS_GUEST_RFLAGS, BIT(9))
#define TF_SET       SET(VMCS_GUEST_RFLAGS, BIT(8))
#define BLOCKED(by)  MAKE(VMCS_GUEST_INTERRUPTIBILITY, by)
#define ACTIVITY(n)  MAKE(VMCS_GUEST_ACTIVITY, n)
#define PENDING(n)   MAKE(VMCS_GUEST_PENDING_DEBUG, n)

#define SEGMENT(name, selector, rights)                                                \
    MAKE(VMCS_GUEST_##name##_SELECTOR, selector),                                      \
        MAKE(VMCS_GUEST_##name##_RIGHTS, rights)
#define V86_SEGMENT(name)                                                              \
    SEGMENT(name, 0x700, 0xf3), MAKE(VMCS_GUEST_##name##_BASE, 0x7000),                \
        MAKE(VMCS_GUEST_##name##_LIMIT, 0xffff)
#define V86                                                                            \
    VMX_GUEST_32, SET(VMCS_GUEST_RFLAGS, BIT(17)), V86_SEGMENT(CS), V86_SEGMENT(SS),   \
        V86_SEGMENT(DS), V86_SEGMENT(ES), V86_SEGMENT(FS), V86_SEGMENT(GS)
#define REAL_MODE                                                                      \
    UNRESTRICTED, CLEAR(VMCS_ENTRY_CONTROLS, VMX_ENTRY_GUEST_64),                      \
        CLEAR(VMCS_GUEST_CR0, CR0_PE | CR0_PG), SEGMENT(CS, 0x700, 0x809b)
#define GOOD_LDTR SEGMENT(LDTR, 0x38, 0x82), MAKE(VMCS_GUEST_LDTR_LIMIT, 15)

#define PAGE_ROW(check, controls, field)                                               \
    { check, LIST(controls, MAKE(field, PAGE | 0x800)),                                \
      LIST(controls, MAKE(field, PAGE)) },                                             \
    {                                                                                  \
        check, LIST(controls, LIMIT(field, 0)), LIST(controls, LIMIT(field, 0x1000))   \
    }
#define AREA_ROW(check, count, address)                                                \
    { check, LIST(MAKE(count, 1), SET(address, 8)), LIST(SET(address, 8)) },           \
        { check, LIST(MAKE(count, 1), LIMIT(address, 0)), LIST(LIMIT(address, 0)) },   \
    {                                                                                  \
        check, LIST(MAKE(count, 2), LIMIT(address, 16)),                               \
            LIST(MAKE(count, 1), LIMIT(address, 16))                                   \
    }
#define BASE_ROW(check, field)                                                         \
    {                                                                                  \
        check, LIST(MAKE(field, NOT_CANONICAL)), LIST(MAKE(field, CANONICAL))          \
    }

static const struct row {
    const char *check; /* the first that refuses */
    const struct vmx_change *broken, *neighbour;
} rows[] = {
    { "CONTROL.PIN.RESERVED", LIST(PIN(BIT(8))), LIST(PIN(VMX_PIN_NMI)) },
    { "CONTROL.PIN.RESERVED", LIST(CLEAR(VMCS_PIN_CONTROLS, BIT(1))), LIST() },
    { "CONTROL.PROCESSOR.RESERVED", LIST(CPU(VMX_CPU_MTF)), LIST(CPU(VMX_CPU_PAUSE)) },
    { "CONTROL.SECONDARY.RESERVED", LIST(CPU2(BIT(21))),
      LIST(SET(VMCS_SECONDARY_CONTROLS, BIT(21))) },
    { "CONTROL.CR3_TARGETS", LIST(MAKE(VMCS_CR3_TARGET_COUNT, 5)),
      LIST(MAKE(VMCS_CR3_TARGET_COUNT, 4)) },
    PAGE_ROW("CONTROL.IO_BITMAP_A", CPU(VMX_CPU_IO_BITMAPS), VMCS_IO_BITMAP_A),
    PAGE_ROW("CONTROL.IO_BITMAP_B", CPU(VMX_CPU_IO_BITMAPS), VMCS_IO_BITMAP_B),
    PAGE_ROW("CONTROL.MSR_BITMAP", CPU(VMX_CPU_MSR_BITMAPS), VMCS_MSR_BITMAP),
    { "CONTROL.VIRTUAL_APIC", LIST(TPR, MAKE(VMCS_VIRTUAL_APIC_ADDRESS, PAGE | 1)),
      LIST(TPR) },
    { "CONTROL.TPR_THRESHOLD.RESERVED", LIST(TPR, MAKE(VMCS_TPR_THRESHOLD, 0x10)),
      LIST(MAKE(VMCS_TPR_THRESHOLD, 0x10)) },
    { "CONTROL.TPR_THRESHOLD.RESERVED", LIST(TPR, MAKE(VMCS_TPR_THRESHOLD, 0x10)),
      LIST(TPR, CPU2(VMX_CPU2_INTERRUPTS), PIN(VMX_PIN_EXTERNAL_INTERRUPT),
           MAKE(VMCS_TPR_THRESHOLD, 0x10)) },
    { "CONTROL.TPR_THRESHOLD.ABOVE_VTPR",
      LIST(TPR, VMX_POKE(PAGE + 0x80, 0x30), MAKE(VMCS_TPR_THRESHOLD, 4)),
      LIST(TPR, VMX_POKE(PAGE + 0x80, 0x30), MAKE(VMCS_TPR_THRESHOLD, 3)) },
    { "CONTROL.TPR_THRESHOLD.ABOVE_VTPR", LIST(TPR, MAKE(VMCS_TPR_THRESHOLD, 4)),
      LIST(TPR, CPU2(VMX_CPU2_APIC_ACCESSES), MAKE(VMCS_TPR_THRESHOLD, 4)) },
    { "CONTROL.VIRTUAL_NMIS", LIST(PIN(VMX_PIN_VIRTUAL_NMIS)),
      LIST(PIN(VMX_PIN_VIRTUAL_NMIS | VMX_PIN_NMI)) },
    { "CONTROL.NMI_WINDOW", LIST(CPU(VMX_CPU_NMI_WINDOW)),
      LIST(CPU(VMX_CPU_NMI_WINDOW), PIN(VMX_PIN_VIRTUAL_NMIS | VMX_PIN_NMI)) },
    PAGE_ROW("CONTROL.APIC_ACCESS", CPU2(VMX_CPU2_APIC_ACCESSES),
             VMCS_APIC_ACCESS_ADDRESS),
    { "CONTROL.WITHOUT_TPR_SHADOW", LIST(CPU2(VMX_CPU2_X2APIC)),
      LIST(TPR, CPU2(VMX_CPU2_X2APIC)) },
    { "CONTROL.WITHOUT_TPR_SHADOW", LIST(CPU2(VMX_CPU2_APIC_REGISTERS)),
      LIST(TPR, CPU2(VMX_CPU2_APIC_REGISTERS)) },
    { "CONTROL.WITHOUT_TPR_SHADOW",
      LIST(CPU2(VMX_CPU2_INTERRUPTS), PIN(VMX_PIN_EXTERNAL_INTERRUPT)),
      LIST(TPR, CPU2(VMX_CPU2_INTERRUPTS), PIN(VMX_PIN_EXTERNAL_INTERRUPT)) },
    { "CONTROL.X2APIC_WITH_APIC_ACCESSES",
      LIST(TPR, CPU2(VMX_CPU2_X2APIC | VMX_CPU2_APIC_ACCESSES)),
      LIST(TPR, CPU2(VMX_CPU2_APIC_ACCESSES)) },
    { "CONTROL.VIRTUAL_INTERRUPTS", LIST(TPR, CPU2(VMX_CPU2_INTERRUPTS)),
      LIST(TPR, CPU2(VMX_CPU2_INTERRUPTS), PIN(VMX_PIN_EXTERNAL_INTERRUPT)) },
    { "CONTROL.POSTED.NEEDS", LIST(POSTED, CLEAR(VMCS_EXIT_CONTROLS, VMX_EXIT_ACK)),
      LIST(POSTED) },
    { "CONTROL.POSTED.NEEDS", LIST(PIN(VMX_PIN_POSTED_INTERRUPTS), EXITS(VMX_EXIT_ACK)),
      LIST(EXITS(VMX_EXIT_ACK)) },
    { "CONTROL.POSTED.VECTOR", LIST(POSTED, MAKE(VMCS_POSTED_INTERRUPT_VECTOR, 256)),
      LIST(POSTED, MAKE(VMCS_POSTED_INTERRUPT_VECTOR, 255)) },
    { "CONTROL.POSTED.DESCRIPTOR",
      LIST(POSTED, MAKE(VMCS_POSTED_INTERRUPT_ADDRESS, 0x20)),
      LIST(POSTED, MAKE(VMCS_POSTED_INTERRUPT_ADDRESS, 0x40)) },
    { "CONTROL.POSTED.DESCRIPTOR",
      LIST(POSTED, LIMIT(VMCS_POSTED_INTERRUPT_ADDRESS, 0)),
      LIST(POSTED, LIMIT(VMCS_POSTED_INTERRUPT_ADDRESS, 0x40)) },
    { "CONTROL.VPID", LIST(CPU2(VMX_CPU2_VPID), MAKE(VMCS_VPID, 0)),
      LIST(MAKE(VMCS_VPID, 0)) },
    { "CONTROL.EPTP.TYPE", LIST(EPT, CHANGE(VMCS_EPTP, 7, 4)),
      LIST(EPT, CHANGE(VMCS_EPTP, 7, 0)) },
    { "CONTROL.EPTP.WALK", LIST(EPT, CHANGE(VMCS_EPTP, 0x38, 0x10)), LIST(EPT) },
    { "CONTROL.EPTP.RESERVED", LIST(EPT, SET(VMCS_EPTP, BIT(7))),
      LIST(EPT, SET(VMCS_EPTP, BIT(6))) },
    { "CONTROL.EPTP.RESERVED", LIST(EPT, SET(VMCS_EPTP, BIT(39))),
      LIST(EPT, SET(VMCS_EPTP, BIT(38))) },
    { "CONTROL.PML.WITHOUT_EPT", LIST(CPU2(VMX_CPU2_PML)),
      LIST(EPT, CPU2(VMX_CPU2_PML)) },
    PAGE_ROW("CONTROL.PML.ADDRESS", CPU2(VMX_CPU2_PML | VMX_CPU2_EPT),
             VMCS_PML_ADDRESS),
    { "CONTROL.UNRESTRICTED_WITHOUT_EPT", LIST(CPU2(VMX_CPU2_UNRESTRICTED)),
      LIST(UNRESTRICTED) },
    { "CONTROL.FUNCTIONS.RESERVED",
      LIST(CPU2(VMX_CPU2_FUNCTIONS), MAKE(VMCS_FUNCTION_CONTROLS, 2)),
      LIST(MAKE(VMCS_FUNCTION_CONTROLS, 2)) },
    { "CONTROL.FUNCTIONS.WITHOUT_EPT",
      LIST(CPU2(VMX_CPU2_FUNCTIONS), MAKE(VMCS_FUNCTION_CONTROLS, 1)),
      LIST(EPT, CPU2(VMX_CPU2_FUNCTIONS), MAKE(VMCS_FUNCTION_CONTROLS, 1)) },
    { "CONTROL.FUNCTIONS.LIST",
      LIST(EPT, CPU2(VMX_CPU2_FUNCTIONS), MAKE(VMCS_FUNCTION_CONTROLS, 1),
           SET(VMCS_EPTP_LIST_ADDRESS, 1)),
      LIST(EPT, CPU2(VMX_CPU2_FUNCTIONS), SET(VMCS_EPTP_LIST_ADDRESS, 1)) },
    PAGE_ROW("CONTROL.VMREAD_BITMAP", CPU2(VMX_CPU2_SHADOW), VMCS_VMREAD_BITMAP),
    PAGE_ROW("CONTROL.VMWRITE_BITMAP", CPU2(VMX_CPU2_SHADOW), VMCS_VMWRITE_BITMAP),
    PAGE_ROW("CONTROL.EXCEPTION_INFO", CPU2(VMX_CPU2_VE), VMCS_EXCEPTION_INFO_ADDRESS),
    { "CONTROL.EXIT.RESERVED", LIST(EXITS(BIT(25))), LIST(EXITS(VMX_EXIT_ACK)) },
    { "CONTROL.SAVE_TIMER", LIST(EXITS(VMX_EXIT_SAVE_TIMER)),
      LIST(EXITS(VMX_EXIT_SAVE_TIMER), PIN(VMX_PIN_PREEMPTION_TIMER)) },
    AREA_ROW("CONTROL.EXIT_MSR_STORE", VMCS_EXIT_MSR_STORE_COUNT,
             VMCS_EXIT_MSR_STORE_ADDRESS),
    AREA_ROW("CONTROL.EXIT_MSR_LOAD", VMCS_EXIT_MSR_LOAD_COUNT,
             VMCS_EXIT_MSR_LOAD_ADDRESS),
    { "CONTROL.ENTRY_MSR_LOAD",
      LIST(MAKE(VMCS_ENTRY_MSR_LOAD_COUNT, 1), SET(VMCS_ENTRY_MSR_LOAD_ADDRESS, 1)),
      LIST(SET(VMCS_ENTRY_MSR_LOAD_ADDRESS, 1)) },
    { "CONTROL.ENTRY.RESERVED", LIST(ENTERS(BIT(18))), LIST(ENTERS(BIT(17))) },
    { "CONTROL.SMM", LIST(ENTERS(VMX_ENTRY_END_DUAL)), LIST() },
    { "CONTROL.INJECT.TYPE", LIST(INJECT(EVENT(1, 0))), LIST(INJECT(1 << 8)) },
    { "CONTROL.INJECT.TYPE", LIST(INJECT(EVENT(VMX_OTHER, 0))), LIST() },
    { "CONTROL.INJECT.VECTOR", LIST(INJECT(EVENT(VMX_NMI, 3))),
      LIST(INJECT(EVENT(VMX_NMI, 2))) },
    { "CONTROL.INJECT.VECTOR", LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 32))),
      LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 31))) },
    { "CONTROL.INJECT.CODE", LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 14))),
      LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 14) | VMX_EVENT_CODE)) },
    { "CONTROL.INJECT.CODE",
      LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 6) | VMX_EVENT_CODE)),
      LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 6))) },
    { "CONTROL.INJECT.RESERVED", LIST(INJECT(EVENT(VMX_NMI, 2) | BIT(12))),
      LIST(INJECT(EVENT(VMX_NMI, 2))) },
    { "CONTROL.INJECT.CODE.RESERVED",
      LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 14) | VMX_EVENT_CODE),
           MAKE(VMCS_ENTRY_EXCEPTION_CODE, BIT(16))),
      LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 14) | VMX_EVENT_CODE),
           MAKE(VMCS_ENTRY_EXCEPTION_CODE, BIT(14))) },
    { "CONTROL.INJECT.LENGTH",
      LIST(INJECT(EVENT(VMX_SOFTWARE_EXCEPTION, 3)), LENGTH(16)),
      LIST(INJECT(EVENT(VMX_SOFTWARE_EXCEPTION, 3)), LENGTH(15)) },
    { "CONTROL.INJECT.LENGTH",
      LIST(INJECT(EVENT(VMX_SOFTWARE_INTERRUPT, 3)), LENGTH(0)),
      LIST(INJECT(EVENT(VMX_SOFTWARE_INTERRUPT, 3)), LENGTH(1)) },

    { "HOST.CR0", LIST(CLEAR(VMCS_HOST_CR0, CR0_PE)),
      LIST(SET(VMCS_HOST_CR0, CR0_NW)) },
    { "HOST.CR3", LIST(LIMIT(VMCS_HOST_CR3, 0)), LIST(LIMIT(VMCS_HOST_CR3, 0x1000)) },
    { "HOST.CR4", LIST(SET(VMCS_HOST_CR4, BIT(15))),
      LIST(SET(VMCS_HOST_CR4, BIT(16))) },
    BASE_ROW("HOST.SYSENTER_ESP", VMCS_HOST_SYSENTER_ESP),
    BASE_ROW("HOST.SYSENTER_EIP", VMCS_HOST_SYSENTER_EIP),
    { "HOST.PERF_GLOBAL_CTRL",
      LIST(EXITS(VMX_EXIT_LOAD_PERF), MAKE(VMCS_HOST_PERF_GLOBAL_CTRL, BIT(4))),
      LIST(EXITS(VMX_EXIT_LOAD_PERF), MAKE(VMCS_HOST_PERF_GLOBAL_CTRL, BIT(34))) },
    { "HOST.PAT", LIST(EXITS(VMX_EXIT_LOAD_PAT), CHANGE(VMCS_HOST_PAT, 0xff, 2)),
      LIST(CHANGE(VMCS_HOST_PAT, 0xff, 2)) },
    { "HOST.EFER.RESERVED",
      LIST(EXITS(VMX_EXIT_LOAD_EFER), SET(VMCS_HOST_EFER, BIT(1))),
      LIST(EXITS(VMX_EXIT_LOAD_EFER), SET(VMCS_HOST_EFER, BIT(0))) },
    { "HOST.EFER.MODE",
      LIST(EXITS(VMX_EXIT_LOAD_EFER), CLEAR(VMCS_HOST_EFER, EFER_LMA)),
      LIST(CLEAR(VMCS_HOST_EFER, EFER_LMA)) },
    { "HOST.SELECTORS", LIST(SET(VMCS_HOST_GS_SELECTOR, 4)),
      LIST(SET(VMCS_HOST_GS_SELECTOR, 8)) },
    { "HOST.SELECTORS", LIST(SET(VMCS_HOST_ES_SELECTOR, 1)),
      LIST(MAKE(VMCS_HOST_ES_SELECTOR, 0)) },
    { "HOST.NULL_SELECTORS", LIST(MAKE(VMCS_HOST_TR_SELECTOR, 0)),
      LIST(MAKE(VMCS_HOST_SS_SELECTOR, 0)) },
    BASE_ROW("HOST.FS_BASE", VMCS_HOST_FS_BASE),
    BASE_ROW("HOST.GS_BASE", VMCS_HOST_GS_BASE),
    BASE_ROW("HOST.TR_BASE", VMCS_HOST_TR_BASE),
    BASE_ROW("HOST.GDTR_BASE", VMCS_HOST_GDTR_BASE),
    BASE_ROW("HOST.IDTR_BASE", VMCS_HOST_IDTR_BASE),
    BASE_ROW("HOST.RIP", VMCS_HOST_RIP),
    { "HOST.CR4.PAE", LIST(CLEAR(VMCS_HOST_CR4, CR4_PAE)), LIST() },

    { "GUEST.CR0", LIST(CLEAR(VMCS_GUEST_CR0, BIT(5))),
      LIST(SET(VMCS_GUEST_CR0, CR0_CD | CR0_NW)) },
    { "GUEST.CR0.PG_WITHOUT_PE",
      LIST(UNRESTRICTED, SEGMENT(CS, 8, 0xa09b), CLEAR(VMCS_GUEST_CR0, CR0_PE)),
      LIST(UNRESTRICTED) },
    { "GUEST.CR4", LIST(CLEAR(VMCS_GUEST_CR4, BIT(13))),
      LIST(SET(VMCS_GUEST_CR4, BIT(7))) },
    { "GUEST.DEBUGCTL",
      LIST(ENTERS(VMX_ENTRY_LOAD_DEBUG), MAKE(VMCS_GUEST_DEBUGCTL, BIT(3))),
      LIST(ENTERS(VMX_ENTRY_LOAD_DEBUG), MAKE(VMCS_GUEST_DEBUGCTL, BIT(1))) },
    { "GUEST.CR0.PG_IN_IA32E", LIST(UNRESTRICTED, CLEAR(VMCS_GUEST_CR0, CR0_PG)),
      LIST(UNRESTRICTED) },
    { "GUEST.CR4.PAE_IN_IA32E", LIST(CLEAR(VMCS_GUEST_CR4, CR4_PAE)), LIST() },
    { "GUEST.CR4.PCIDE", LIST(VMX_GUEST_32, SET(VMCS_GUEST_CR4, BIT(17))),
      LIST(SET(VMCS_GUEST_CR4, BIT(17))) },
    { "GUEST.CR3", LIST(SET(VMCS_GUEST_CR3, BIT(39))),
      LIST(SET(VMCS_GUEST_CR3, BIT(38))) },
    { "GUEST.DR7", LIST(ENTERS(VMX_ENTRY_LOAD_DEBUG), SET(VMCS_GUEST_DR7, BIT(32))),
      LIST(SET(VMCS_GUEST_DR7, BIT(31))) },
    BASE_ROW("GUEST.SYSENTER_ESP", VMCS_GUEST_SYSENTER_ESP),
    BASE_ROW("GUEST.SYSENTER_EIP", VMCS_GUEST_SYSENTER_EIP),
    { "GUEST.PERF_GLOBAL_CTRL",
      LIST(ENTERS(VMX_ENTRY_LOAD_PERF), MAKE(VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(35))),
      LIST(ENTERS(VMX_ENTRY_LOAD_PERF), MAKE(VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(3))) },
    { "GUEST.PAT",
      LIST(ENTERS(VMX_ENTRY_LOAD_PAT),
           CHANGE(VMCS_GUEST_PAT, UINT64_C(15) << 56, UINT64_C(3) << 56)),
      LIST(ENTERS(VMX_ENTRY_LOAD_PAT),
           CHANGE(VMCS_GUEST_PAT, UINT64_C(15) << 56, UINT64_C(4) << 56)) },
    { "GUEST.EFER.RESERVED",
      LIST(ENTERS(VMX_ENTRY_LOAD_EFER), SET(VMCS_GUEST_EFER, BIT(12))),
      LIST(ENTERS(VMX_ENTRY_LOAD_EFER), SET(VMCS_GUEST_EFER, BIT(11))) },
    { "GUEST.EFER.LMA",
      LIST(ENTERS(VMX_ENTRY_LOAD_EFER), CLEAR(VMCS_GUEST_EFER, EFER_LMA | EFER_LME)),
      LIST(CLEAR(VMCS_GUEST_EFER, EFER_LMA | EFER_LME)) },
    { "GUEST.EFER.LME",
      LIST(ENTERS(VMX_ENTRY_LOAD_EFER), CLEAR(VMCS_GUEST_EFER, EFER_LME)),
      LIST(CLEAR(VMCS_GUEST_EFER, EFER_LME)) },
    { "GUEST.BNDCFGS",
      LIST(ENTERS(VMX_ENTRY_LOAD_BNDCFGS), MAKE(VMCS_GUEST_BNDCFGS, BIT(2))),
      LIST(ENTERS(VMX_ENTRY_LOAD_BNDCFGS), MAKE(VMCS_GUEST_BNDCFGS, BIT(1))) },
    { "GUEST.BNDCFGS",
      LIST(ENTERS(VMX_ENTRY_LOAD_BNDCFGS), MAKE(VMCS_GUEST_BNDCFGS, BIT(47))),
      LIST(ENTERS(VMX_ENTRY_LOAD_BNDCFGS), MAKE(VMCS_GUEST_BNDCFGS, BIT(46))) },
    BASE_ROW("GUEST.GDTR_BASE", VMCS_GUEST_GDTR_BASE),
    BASE_ROW("GUEST.IDTR_BASE", VMCS_GUEST_IDTR_BASE),
    { "GUEST.GDTR_LIMIT", LIST(MAKE(VMCS_GUEST_GDTR_LIMIT, 0x10000)),
      LIST(MAKE(VMCS_GUEST_GDTR_LIMIT, 0xffff)) },
    { "GUEST.IDTR_LIMIT", LIST(MAKE(VMCS_GUEST_IDTR_LIMIT, 0x10000)),
      LIST(MAKE(VMCS_GUEST_IDTR_LIMIT, 0xffff)) },
    { "GUEST.RIP", LIST(MAKE(VMCS_GUEST_RIP, BIT(48))),
      LIST(MAKE(VMCS_GUEST_RIP, BIT(47))) },
    { "GUEST.RIP", LIST(VMX_GUEST_32, MAKE(VMCS_GUEST_RIP, BIT(32))),
      LIST(MAKE(VMCS_GUEST_RIP, BIT(32))) },
    { "GUEST.RFLAGS.RESERVED", LIST(SET(VMCS_GUEST_RFLAGS, BIT(22))),
      LIST(SET(VMCS_GUEST_RFLAGS, BIT(21))) },
    { "GUEST.RFLAGS.RESERVED", LIST(CLEAR(VMCS_GUEST_RFLAGS, BIT(1))), LIST() },
    { "GUEST.RFLAGS.VM", LIST(V86, SET(VMCS_ENTRY_CONTROLS, VMX_ENTRY_GUEST_64)),
      LIST(V86) },
    { "GUEST.RFLAGS.IF", LIST(INJECT(EVENT(VMX_EXTERNAL, 64))),
      LIST(INJECT(EVENT(VMX_EXTERNAL, 64)), IF_SET) },

    { "GUEST.TR.TI", LIST(SET(VMCS_GUEST_TR_SELECTOR, 4)),
      LIST(SET(VMCS_GUEST_TR_SELECTOR, 3)) },
    { "GUEST.LDTR.TI", LIST(GOOD_LDTR, SET(VMCS_GUEST_LDTR_SELECTOR, 4)),
      LIST(SET(VMCS_GUEST_LDTR_SELECTOR, 4)) },
    { "GUEST.SS.RPL", LIST(SEGMENT(SS, 0x2b, 0xc0f3), SEGMENT(CS, 0x20, 0xa0fb)),
      LIST(SEGMENT(SS, 0x2b, 0xc0f3), SEGMENT(CS, 0x23, 0xa0fb)) },
    { "GUEST.V86.BASE", LIST(V86, MAKE(VMCS_GUEST_GS_BASE, 0x7010)), LIST(V86) },
    { "GUEST.V86.LIMIT", LIST(V86, MAKE(VMCS_GUEST_SS_LIMIT, 0xfffff)), LIST(V86) },
    { "GUEST.V86.RIGHTS", LIST(V86, MAKE(VMCS_GUEST_CS_RIGHTS, 0x93)), LIST(V86) },
    BASE_ROW("GUEST.BASE.CANONICAL", VMCS_GUEST_TR_BASE),
    BASE_ROW("GUEST.BASE.CANONICAL", VMCS_GUEST_FS_BASE),
    BASE_ROW("GUEST.BASE.CANONICAL", VMCS_GUEST_GS_BASE),
    { "GUEST.LDTR.BASE", LIST(GOOD_LDTR, MAKE(VMCS_GUEST_LDTR_BASE, NOT_CANONICAL)),
      LIST(MAKE(VMCS_GUEST_LDTR_BASE, NOT_CANONICAL)) },
    { "GUEST.CS.BASE", LIST(MAKE(VMCS_GUEST_CS_BASE, BIT(32))),
      LIST(MAKE(VMCS_GUEST_CS_BASE, BIT(31))) },
    { "GUEST.DATA.BASE", LIST(MAKE(VMCS_GUEST_DS_BASE, BIT(32))),
      LIST(MAKE(VMCS_GUEST_DS_BASE, BIT(32)),
           SET(VMCS_GUEST_DS_RIGHTS, VMX_RIGHTS_UNUSABLE)) },
    { "GUEST.SEGMENT.TYPE", LIST(CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 8)),
      LIST(CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 9)) },
    { "GUEST.SEGMENT.TYPE", LIST(CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 3)),
      LIST(UNRESTRICTED, CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 3)) },
    { "GUEST.SEGMENT.TYPE", LIST(CHANGE(VMCS_GUEST_SS_RIGHTS, 15, 1)),
      LIST(CHANGE(VMCS_GUEST_SS_RIGHTS, 15, 7)) },
    { "GUEST.SEGMENT.TYPE", LIST(CHANGE(VMCS_GUEST_FS_RIGHTS, 15, 9)),
      LIST(CHANGE(VMCS_GUEST_FS_RIGHTS, 15, 11)) },
    { "GUEST.SEGMENT.TYPE", LIST(CHANGE(VMCS_GUEST_ES_RIGHTS, 15, 0)),
      LIST(CHANGE(VMCS_GUEST_ES_RIGHTS, 15, 0),
           SET(VMCS_GUEST_ES_RIGHTS, VMX_RIGHTS_UNUSABLE)) },
    { "GUEST.SEGMENT.S", LIST(CLEAR(VMCS_GUEST_GS_RIGHTS, VMX_RIGHTS_S)), LIST() },
    { "GUEST.CS.DPL", LIST(SET(VMCS_GUEST_CS_RIGHTS, VMX_RIGHTS_DPL(1))), LIST() },
    { "GUEST.CS.DPL", LIST(CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 13 | VMX_RIGHTS_DPL(1))),
      LIST(SEGMENT(SS, 0x2b, 0xc0f3), SEGMENT(CS, 0x23, 0xa0bf)) },
    { "GUEST.CS.DPL",
      LIST(UNRESTRICTED, CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 3 | VMX_RIGHTS_DPL(1))),
      LIST(UNRESTRICTED, CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 3)) },
    { "GUEST.SS.DPL",
      LIST(CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 13),
           SET(VMCS_GUEST_SS_RIGHTS, VMX_RIGHTS_DPL(2))),
      LIST(UNRESTRICTED, CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 13),
           SET(VMCS_GUEST_SS_RIGHTS, VMX_RIGHTS_DPL(2))) },
    { "GUEST.SS.DPL",
      LIST(REAL_MODE, CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 13),
           SET(VMCS_GUEST_SS_RIGHTS, VMX_RIGHTS_DPL(2))),
      LIST(REAL_MODE, CHANGE(VMCS_GUEST_CS_RIGHTS, 15, 13)) },
    { "GUEST.DATA.DPL", LIST(SET(VMCS_GUEST_DS_SELECTOR, 1)),
      LIST(SET(VMCS_GUEST_DS_SELECTOR, 1), CHANGE(VMCS_GUEST_DS_RIGHTS, 15, 15)) },
    { "GUEST.DATA.DPL", LIST(SET(VMCS_GUEST_DS_SELECTOR, 1)),
      LIST(UNRESTRICTED, SET(VMCS_GUEST_DS_SELECTOR, 1)) },
    { "GUEST.SEGMENT.P", LIST(CLEAR(VMCS_GUEST_FS_RIGHTS, VMX_RIGHTS_P)),
      LIST(CHANGE(VMCS_GUEST_FS_RIGHTS, VMX_RIGHTS_P, VMX_RIGHTS_UNUSABLE)) },
    { "GUEST.SEGMENT.RESERVED", LIST(SET(VMCS_GUEST_CS_RIGHTS, BIT(31))),
      LIST(SET(VMCS_GUEST_CS_RIGHTS, BIT(12))) },
    { "GUEST.SEGMENT.RESERVED", LIST(SET(VMCS_GUEST_DS_RIGHTS, BIT(11))),
      LIST(SET(VMCS_GUEST_DS_RIGHTS, BIT(11) | VMX_RIGHTS_UNUSABLE)) },
    { "GUEST.CS.L_AND_D", LIST(SET(VMCS_GUEST_CS_RIGHTS, VMX_RIGHTS_D)),
      LIST(VMX_GUEST_32, SET(VMCS_GUEST_CS_RIGHTS, VMX_RIGHTS_D | VMX_RIGHTS_L)) },
    { "GUEST.SEGMENT.G", LIST(CLEAR(VMCS_GUEST_ES_RIGHTS, VMX_RIGHTS_G)),
      LIST(CLEAR(VMCS_GUEST_ES_RIGHTS, VMX_RIGHTS_G),
           MAKE(VMCS_GUEST_ES_LIMIT, 0xfffff)) },
    { "GUEST.SEGMENT.G", LIST(MAKE(VMCS_GUEST_CS_LIMIT, 0xffe)),
      LIST(MAKE(VMCS_GUEST_CS_LIMIT, 0xfff)) },
    { "GUEST.TR.TYPE", LIST(CHANGE(VMCS_GUEST_TR_RIGHTS, 15, 3)),
      LIST(VMX_GUEST_32, CHANGE(VMCS_GUEST_TR_RIGHTS, 15, 3)) },
    { "GUEST.TR.BITS", LIST(SET(VMCS_GUEST_TR_RIGHTS, VMX_RIGHTS_S)), LIST() },
    { "GUEST.TR.BITS", LIST(SET(VMCS_GUEST_TR_RIGHTS, BIT(8))),
      LIST(SET(VMCS_GUEST_TR_RIGHTS, BIT(12))) },
    { "GUEST.TR.G", LIST(SET(VMCS_GUEST_TR_RIGHTS, VMX_RIGHTS_G)),
      LIST(SET(VMCS_GUEST_TR_RIGHTS, VMX_RIGHTS_G), MAKE(VMCS_GUEST_TR_LIMIT, 0xfff)) },
    { "GUEST.TR.UNUSABLE", LIST(SET(VMCS_GUEST_TR_RIGHTS, VMX_RIGHTS_UNUSABLE)),
      LIST() },
    { "GUEST.LDTR.BITS", LIST(GOOD_LDTR, CHANGE(VMCS_GUEST_LDTR_RIGHTS, 15, 3)),
      LIST(GOOD_LDTR) },
    { "GUEST.LDTR.G", LIST(GOOD_LDTR, SET(VMCS_GUEST_LDTR_RIGHTS, VMX_RIGHTS_G)),
      LIST(SET(VMCS_GUEST_LDTR_RIGHTS, VMX_RIGHTS_G)) },

    { "GUEST.ACTIVITY", LIST(ACTIVITY(4)), LIST(ACTIVITY(3)) },
    { "GUEST.ACTIVITY.HLT_DPL",
      LIST(ACTIVITY(VMX_HLT), SEGMENT(SS, 0x2b, 0xc0f3), SEGMENT(CS, 0x23, 0xa0fb)),
      LIST(ACTIVITY(VMX_SHUTDOWN), SEGMENT(SS, 0x2b, 0xc0f3),
           SEGMENT(CS, 0x23, 0xa0fb)) },
    { "GUEST.ACTIVITY.BLOCKED", LIST(ACTIVITY(VMX_HLT), BLOCKED(VMX_BLOCKING_MOV_SS)),
      LIST(ACTIVITY(VMX_HLT), BLOCKED(VMX_BLOCKING_NMI)) },
    { "GUEST.ACTIVITY.EVENT",
      LIST(ACTIVITY(VMX_HLT), INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 2))),
      LIST(ACTIVITY(VMX_HLT), INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 1))) },
    { "GUEST.ACTIVITY.EVENT",
      LIST(ACTIVITY(VMX_SHUTDOWN), INJECT(EVENT(VMX_EXTERNAL, 64)), IF_SET),
      LIST(ACTIVITY(VMX_SHUTDOWN), INJECT(EVENT(VMX_NMI, 2))) },
    { "GUEST.ACTIVITY.EVENT",
      LIST(ACTIVITY(VMX_WAIT_FOR_SIPI), INJECT(EVENT(VMX_NMI, 2))),
      LIST(ACTIVITY(VMX_WAIT_FOR_SIPI)) },
    { "GUEST.INTERRUPTIBILITY.RESERVED", LIST(BLOCKED(BIT(5))), LIST(BLOCKED(BIT(4))) },
    { "GUEST.INTERRUPTIBILITY.BOTH", LIST(IF_SET, BLOCKED(3)),
      LIST(IF_SET, BLOCKED(1)) },
    { "GUEST.INTERRUPTIBILITY.IF", LIST(BLOCKED(VMX_BLOCKING_STI)),
      LIST(IF_SET, BLOCKED(VMX_BLOCKING_STI)) },
    { "GUEST.INTERRUPTIBILITY.EXTERNAL",
      LIST(IF_SET, BLOCKED(VMX_BLOCKING_MOV_SS), INJECT(EVENT(VMX_EXTERNAL, 64))),
      LIST(IF_SET, BLOCKED(VMX_BLOCKING_NMI), INJECT(EVENT(VMX_EXTERNAL, 64))) },
    { "GUEST.INTERRUPTIBILITY.NMI_MOV_SS",
      LIST(BLOCKED(VMX_BLOCKING_MOV_SS), INJECT(EVENT(VMX_NMI, 2))),
      LIST(BLOCKED(VMX_BLOCKING_NMI), INJECT(EVENT(VMX_NMI, 2))) },
    { "GUEST.INTERRUPTIBILITY.SMI", LIST(BLOCKED(BIT(2))), LIST() },
    { "GUEST.INTERRUPTIBILITY.NMI_NMI",
      LIST(PIN(VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS), BLOCKED(VMX_BLOCKING_NMI),
           INJECT(EVENT(VMX_NMI, 2))),
      LIST(PIN(VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS), INJECT(EVENT(VMX_NMI, 2))) },
    { "GUEST.INTERRUPTIBILITY.ENCLAVE", LIST(BLOCKED(BIT(4) | VMX_BLOCKING_MOV_SS)),
      LIST(BLOCKED(BIT(4))) },
    { "GUEST.PENDING_DEBUG.RESERVED", LIST(PENDING(BIT(11))), LIST(PENDING(BIT(12))) },
    { "GUEST.PENDING_DEBUG.RESERVED", LIST(PENDING(BIT(63))), LIST(PENDING(BIT(14))) },
    { "GUEST.PENDING_DEBUG.BS", LIST(ACTIVITY(VMX_HLT), TF_SET),
      LIST(ACTIVITY(VMX_HLT), TF_SET, PENDING(BIT(14))) },
    { "GUEST.PENDING_DEBUG.BS",
      LIST(BLOCKED(VMX_BLOCKING_MOV_SS), TF_SET, PENDING(BIT(14)),
           MAKE(VMCS_GUEST_DEBUGCTL, 2)),
      LIST(BLOCKED(VMX_BLOCKING_MOV_SS), TF_SET, MAKE(VMCS_GUEST_DEBUGCTL, 2)) },
    { "GUEST.PENDING_DEBUG.RTM", LIST(PENDING(BIT(16))),
      LIST(PENDING(BIT(16) | BIT(12))) },
    { "GUEST.PENDING_DEBUG.RTM",
      LIST(PENDING(BIT(16) | BIT(12)), BLOCKED(VMX_BLOCKING_MOV_SS)),
      LIST(PENDING(BIT(16) | BIT(12)), IF_SET, BLOCKED(VMX_BLOCKING_STI)) },
    { "GUEST.LINK.ADDRESS", LIST(MAKE(VMCS_LINK_POINTER, PAGE | 1)), LIST() },
    { "GUEST.LINK.REVISION", LIST(MAKE(VMCS_LINK_POINTER, PAGE)),
      LIST(MAKE(VMCS_LINK_POINTER, PAGE), VMX_POKE(PAGE, 18)) },
    { "GUEST.LINK.REVISION",
      LIST(CPU2(VMX_CPU2_SHADOW), MAKE(VMCS_LINK_POINTER, PAGE), VMX_POKE(PAGE, 18)),
      LIST(CPU2(VMX_CPU2_SHADOW), MAKE(VMCS_LINK_POINTER, PAGE),
           VMX_POKE(PAGE, 18 | BIT(31))) },
    { "GUEST.LINK.ITSELF",
      LIST(MAKE(VMCS_LINK_POINTER, 0x8000), VMX_POKE(UINT64_C(0x8000), 18)),
      LIST(MAKE(VMCS_LINK_POINTER, 0x9000), VMX_POKE(UINT64_C(0x9000), 18)) },
    { "GUEST.PDPTE", LIST(VMX_GUEST_32, VMX_POKE(&vmx_pages.pae_pdpt[3], 3)),
      LIST(VMX_GUEST_32, VMX_POKE(&vmx_pages.pae_pdpt[3], 2)) },
    { "GUEST.PDPTE", LIST(VMX_GUEST_32, EPT, MAKE(VMCS_GUEST_PDPTE2, BIT(39) | 1)),
      LIST(VMX_GUEST_32, EPT, MAKE(VMCS_GUEST_PDPTE2, BIT(38) | 1)) },
};

/* What vmx/change.c wants, though nothing here looks at sights. */
void nested_expect(bool holds, const char *what, uint64_t seen)
{
    g_assert_true(holds);
}

static struct vmx_verdict verdict_on(const struct vmx_change *changes)
{
    vmx_good(vmx_guest_vmcall);
    vmx_apply(changes);
    vmx_run();
    return vmx_paper.verdict;
}

static void a_check_refuses_its_state_and_not_the_neighbour(void)
{
    vmx_paper.processor = vmx_paper_full();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct vmx_verdict broken = verdict_on(rows[i].broken);
        g_test_message("%s", rows[i].check);
        g_assert_cmpstr(broken.why, ==, rows[i].check);
        g_assert_false(broken.allowed & VMX_ENTERS);
        struct vmx_verdict neighbour = verdict_on(rows[i].neighbour);
        g_assert_cmpstr(neighbour.why, ==, "all checks");
        g_assert_cmpuint(neighbour.allowed, ==, VMX_ENTERS);
    }
}

/* Checks of which the invented processors have no row above, and why. */
static const char *const elsewhere[] = {
    "CONTROL.UNKNOWN",               /* leaves_later_controls_open */
    "CONTROL.EPTP.ACCESSED_DIRTY",   /* needs_a_capability */
    "HOST.NULL_SS",                  /* a_32_bit_host */
    "HOST.ADDRESS_SPACE.NOW",        /* a_32_bit_host */
    "HOST.ADDRESS_SPACE.GUEST",      /* a_32_bit_host */
    "HOST.CR4.PCIDE",                /* a_32_bit_host */
    "GUEST.ACTIVITY.SMM",            /* a guest outside of SMM never gets so far */
    "GUEST.INTERRUPTIBILITY.NMI_STI" /* an_nmi_after_sti_is_open */
};

static bool has_row(const char *check)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].check, check) == 0) {
            return true;
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(elsewhere); i++) {
        if (strcmp(elsewhere[i], check) == 0) {
            return true;
        }
    }
    return false;
}

static void every_check_has_a_row(void)
{
    const struct vmx_check_list *const lists[] = {
        &vmx_control_checks,       &vmx_event_checks,
        &vmx_host_checks,          &vmx_guest_register_checks,
        &vmx_guest_segment_checks, &vmx_guest_non_register_checks,
        &vmx_pdpte_checks,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (unsigned j = 0; j < lists[i]->n_checks; j++) {
            g_test_message("%s", lists[i]->checks[j].name);
            g_assert_true(has_row(lists[i]->checks[j].name));
        }
    }
}

static void expect(const struct vmx_change *changes, uint32_t allowed, const char *why)
{
    struct vmx_verdict verdict = verdict_on(changes);

    g_assert_cmpuint(verdict.allowed, ==, allowed);
    g_assert_cmpstr(verdict.why, ==, why);
}

static void stages_come_in_order(void)
{
    const struct vmx_change bad_guest = CLEAR(VMCS_GUEST_RFLAGS, BIT(1));
    const struct vmx_change bad_host = SET(VMCS_HOST_CS_SELECTOR, 1);
    const struct vmx_change bad_control = MAKE(VMCS_CR3_TARGET_COUNT, 5);
    const struct vmx_change bad_link = MAKE(VMCS_LINK_POINTER, 1);

    vmx_paper.processor = vmx_paper_full();
    expect(LIST(bad_guest, bad_host), VMX_FAILS_HOST, "HOST.SELECTORS");
    expect(LIST(bad_guest, bad_control), VMX_FAILS_CONTROLS, "CONTROL.CR3_TARGETS");
    expect(LIST(bad_control, bad_host), VMX_FAILS_CONTROLS | VMX_FAILS_HOST,
           "CONTROL.CR3_TARGETS");
    expect(LIST(bad_link, bad_guest), VMX_FAILS_GUEST | VMX_FAILS_LINK,
           "GUEST.RFLAGS.RESERVED");
    expect(LIST(bad_guest, MAKE(VMCS_ENTRY_MSR_LOAD_COUNT, 1)), VMX_FAILS_GUEST,
           "GUEST.RFLAGS.RESERVED");
}

static void basic_checks_have_an_order(void)
{
    vmx_paper.processor = vmx_paper_full();
    vmx_good(vmx_guest_vmcall);
    vmx_paper.state.is_resume = true;
    vmx_run();
    g_assert_cmpuint(vmx_paper.verdict.allowed, ==, VMX_FAILS_LAUNCH);
    vmx_paper.state.is_blocked = true;
    vmx_run();
    g_assert_cmpuint(vmx_paper.verdict.allowed, ==, VMX_FAILS_MOV_SS);
    vmx_paper.state.vmcs_pointer = UINT64_MAX;
    vmx_run();
    g_assert_cmpuint(vmx_paper.verdict.allowed, ==, VMX_FAILS_INVALID);
    vmx_good(vmx_guest_vmcall);
    vmx_paper.state.is_resume = vmx_paper.state.is_launched = true;
    vmx_run();
    g_assert_cmpuint(vmx_paper.verdict.allowed, ==, VMX_ENTERS);
}

static void an_nmi_after_sti_is_open(void)
{
    vmx_paper.processor = vmx_paper_full();
    expect(LIST(IF_SET, BLOCKED(VMX_BLOCKING_STI), INJECT(EVENT(VMX_NMI, 2))),
           VMX_ENTERS | VMX_FAILS_NMI, "GUEST.INTERRUPTIBILITY.NMI_STI");
}

static void later_controls_are_open(void)
{
    vmx_paper.processor = vmx_paper_full();
    vmx_paper.processor.secondary |= BIT(22) << 32;
    expect(LIST(CPU2(BIT(22))), VMX_DOES_ANYTHING, "CONTROL.UNKNOWN");
}

static void a_32_bit_host_has_checks_of_its_own(void)
{
    const struct vmx_change host_32 = CLEAR(VMCS_EXIT_CONTROLS, VMX_EXIT_HOST_64);

    vmx_paper.processor = vmx_paper_full();
    expect(LIST(VMX_GUEST_32, host_32), VMX_FAILS_CONTROLS | VMX_FAILS_HOST,
           "HOST.ADDRESS_SPACE.NOW");
    expect(LIST(host_32), VMX_FAILS_CONTROLS | VMX_FAILS_HOST,
           "HOST.ADDRESS_SPACE.NOW");

    static const struct {
        struct vmx_change change;
        const char *why;
    } outside[] = {
        { MAKE(VMCS_HOST_CS_SELECTOR, 8), "all checks" },
        { MAKE(VMCS_HOST_SS_SELECTOR, 0), "HOST.NULL_SS" },
        { SET(VMCS_HOST_CR4, BIT(17)), "HOST.CR4.PCIDE" },
        { MAKE(VMCS_HOST_RIP, BIT(32)), "HOST.RIP" },
        { SET(VMCS_ENTRY_CONTROLS, VMX_ENTRY_GUEST_64), "HOST.ADDRESS_SPACE.NOW" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(outside); i++) {
        vmx_good(vmx_guest_vmcall);
        vmx_apply(LIST(VMX_GUEST_32, host_32, outside[i].change));
        vmx_paper.state.is_outside_ia32e = true;
        vmx_run();
        g_assert_cmpstr(vmx_paper.verdict.why, ==, outside[i].why);
    }
}

static void capabilities_decide(void)
{
    vmx_paper.processor = vmx_paper_full();
    vmx_paper.processor.ept_vpid &= ~(BIT(21) | BIT(8));
    expect(LIST(EPT, SET(VMCS_EPTP, BIT(6))), VMX_FAILS_CONTROLS,
           "CONTROL.EPTP.ACCESSED_DIRTY");
    expect(LIST(EPT, CHANGE(VMCS_EPTP, 7, 0)), VMX_FAILS_CONTROLS, "CONTROL.EPTP.TYPE");
    vmx_paper.processor.misc &= ~BIT(6);
    expect(LIST(ACTIVITY(VMX_HLT)), VMX_FAILS_GUEST, "GUEST.ACTIVITY");

    vmx_paper.processor = vmx_paper_later();
    expect(LIST(INJECT(EVENT(VMX_OTHER, 0))), VMX_ENTERS, "all checks");
    expect(LIST(INJECT(EVENT(VMX_OTHER, 1))), VMX_FAILS_CONTROLS,
           "CONTROL.INJECT.VECTOR");
    expect(LIST(INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 14))), VMX_ENTERS, "all checks");
    expect(LIST(INJECT(EVENT(VMX_NMI, 2) | VMX_EVENT_CODE)), VMX_FAILS_CONTROLS,
           "CONTROL.INJECT.CODE");
}

static void real_mode_has_no_error_codes(void)
{
    vmx_paper.processor = vmx_paper_full();
    expect(LIST(REAL_MODE, INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 13) | VMX_EVENT_CODE)),
           VMX_FAILS_CONTROLS, "CONTROL.INJECT.CODE");
    expect(LIST(REAL_MODE, INJECT(EVENT(VMX_HARDWARE_EXCEPTION, 13))), VMX_ENTERS,
           "all checks");
    expect(LIST(REAL_MODE, SET(VMCS_GUEST_RFLAGS, BIT(17))), VMX_FAILS_GUEST,
           "GUEST.RFLAGS.VM");
}

/* An MSR-load area: what is in it, and the qualification of the failure. */
static void the_msr_list_fails_at_its_first_bad_entry(void)
{
    enum { PAT = 0x277, EFER = 0xc0000080, FS_BASE = 0xc0000100, STAR = 0xc0000081 };
    static const struct {
        uint64_t index, value;
        uint32_t allowed;
    } entries[] = {
        { PAT, 0x0606060606060606, VMX_ENTERS },
        { PAT, 2, VMX_FAILS_MSR },
        { BIT(32) | PAT, 6, VMX_FAILS_MSR },
        { FS_BASE, 0, VMX_FAILS_MSR },
        { FS_BASE + 1, 0, VMX_FAILS_MSR },
        { 0x800, 0, VMX_FAILS_MSR },
        { 0x8ff, 0, VMX_FAILS_MSR },
        { 0x9b, 0, VMX_FAILS_MSR },
        { 0x900, 0, VMX_ENTERS | VMX_FAILS_MSR },
        { STAR, 0, VMX_ENTERS | VMX_FAILS_MSR },
        { EFER, EFER_LME, VMX_ENTERS },
        { EFER, 0, VMX_FAILS_MSR },
        { EFER, EFER_LME | BIT(9), VMX_FAILS_MSR },
        { 0xc0000102, NOT_CANONICAL, VMX_FAILS_MSR },
        { 0xc0000102, CANONICAL, VMX_ENTERS },
    };

    vmx_paper.processor = vmx_paper_full();
    for (unsigned i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_test_message("MSR %" G_GINT64_MODIFIER "x", entries[i].index);
        struct vmx_verdict verdict = verdict_on(
            LIST(MAKE(VMCS_ENTRY_MSR_LOAD_COUNT, 2),
                 VMX_POKE(&vmx_pages.entry_load[0].index, PAT),
                 VMX_POKE(&vmx_pages.entry_load[1].index, entries[i].index),
                 VMX_POKE(&vmx_pages.entry_load[1].value, entries[i].value)));
        g_assert_cmpuint(verdict.allowed, ==, entries[i].allowed);
        bool may_fail = verdict.allowed & VMX_FAILS_MSR;
        g_assert_cmpuint(verdict.msr_first, ==, may_fail ? 2 : 0);
        g_assert_cmpuint(verdict.msr_last, ==,
                         verdict.allowed == VMX_FAILS_MSR ? 2 : 0);
    }
    expect(LIST(MAKE(VMCS_ENTRY_MSR_LOAD_COUNT, 513)), VMX_ENTERS | VMX_FAILS_MSR,
           "MSR");
}

static void an_engines_words_are_the_models(void)
{
    g_assert_cmpint(vmx_answer_of(0, 0, 0), ==, VMX_FAILS_INVALID);
    g_assert_cmpint(vmx_answer_of(1, 7, 0), ==, VMX_FAILS_CONTROLS);
    g_assert_cmpint(vmx_answer_of(1, 8, 0), ==, VMX_FAILS_HOST);
    g_assert_cmpint(vmx_answer_of(1, 5, 0), ==, VMX_FAILS_LAUNCH);
    g_assert_cmpint(vmx_answer_of(1, 26, 0), ==, VMX_FAILS_MOV_SS);
    g_assert_cmpint(vmx_answer_of(2, 18, 0), ==, VMX_ENTERS);
    g_assert_cmpint(vmx_answer_of(2, 0x80000021, 0), ==, VMX_FAILS_GUEST);
    g_assert_cmpint(vmx_answer_of(2, 0x80000021, 2), ==, VMX_FAILS_PDPTE);
    g_assert_cmpint(vmx_answer_of(2, 0x80000021, 3), ==, VMX_FAILS_NMI);
    g_assert_cmpint(vmx_answer_of(2, 0x80000021, 4), ==, VMX_FAILS_LINK);
    g_assert_cmpint(vmx_answer_of(2, 0x80000022, 1), ==, VMX_FAILS_MSR);
    g_assert_cmpstr(vmx_answer_name(VMX_FAILS_HOST), ==, "VM-instruction error 8");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmx-model/a check refuses its state and not the neighbour",
                    a_check_refuses_its_state_and_not_the_neighbour);
    g_test_add_func("/vmx-model/every check has a row", every_check_has_a_row);
    g_test_add_func("/vmx-model/stages come in order", stages_come_in_order);
    g_test_add_func("/vmx-model/basic checks have an order",
                    basic_checks_have_an_order);
    g_test_add_func("/vmx-model/an NMI after STI is open", an_nmi_after_sti_is_open);
    g_test_add_func("/vmx-model/later controls are open", later_controls_are_open);
    g_test_add_func("/vmx-model/a 32-bit host has checks of its own",
                    a_32_bit_host_has_checks_of_its_own);
    g_test_add_func("/vmx-model/capabilities decide", capabilities_decide);
    g_test_add_func("/vmx-model/real mode has no error codes",
                    real_mode_has_no_error_codes);
    g_test_add_func("/vmx-model/the MSR list fails at its first bad entry",
                    the_msr_list_fails_at_its_first_bad_entry);
    g_test_add_func("/vmx-model/an engine's words are the model's",
                    an_engines_words_are_the_models);
    return g_test_run();
}
