/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* entry-segments.c - the guest's segments: data, LDTR, virtual-8086, 32 bits, rings */
#include "vmx/entry-rule.h"

#define SEGMENTS "SDM3C 26.3.1.2"

#define NOT_CANONICAL BIT(47)

#define RIGHTS(name)   VMCS_GUEST_##name##_RIGHTS
#define BASE(name)     VMCS_GUEST_##name##_BASE
#define SELECTOR(name) VMCS_GUEST_##name##_SELECTOR
#define LIMIT_OF(name) VMCS_GUEST_##name##_LIMIT

/* What holds of any data segment that is usable. */
#define DATA_SEGMENT(name)                                                             \
    VMX_GUEST_LISTS(#name ".NOT_ACCESSED", SEGMENTS, "a usable one must be accessed",  \
                    VMX_LIST(VMX_CLEAR(RIGHTS(name), 1)), VMX_LIST()),                 \
        VMX_GUEST_LISTS(#name ".NOT_READABLE", SEGMENTS,                               \
                        "a code segment in it must be readable",                       \
                        VMX_LIST(VMX_CHANGE(RIGHTS(name), 0xf, 9)),                    \
                        VMX_LIST(VMX_CHANGE(RIGHTS(name), 0xf, 11))),                  \
        VMX_GUEST_LISTS(#name ".S", SEGMENTS, "S must be 1",                           \
                        VMX_LIST(VMX_CLEAR(RIGHTS(name), VMX_RIGHTS_S)), VMX_LIST()),  \
        VMX_GUEST_LISTS(                                                               \
            #name ".P", SEGMENTS, "P must be 1 in a usable one",                       \
            VMX_LIST(VMX_CLEAR(RIGHTS(name), VMX_RIGHTS_P)),                           \
            VMX_LIST(VMX_CHANGE(RIGHTS(name), VMX_RIGHTS_P, VMX_RIGHTS_UNUSABLE))),    \
        VMX_GUEST_LISTS(#name ".DPL_BELOW_RPL", SEGMENTS,                              \
                        "the DPL cannot be less than the RPL",                         \
                        VMX_LIST(VMX_SET(SELECTOR(name), 3)),                          \
                        VMX_LIST(VMX_SET(SELECTOR(name), 3),                           \
                                 VMX_SET(RIGHTS(name), VMX_RIGHTS_DPL(3)))),           \
        VMX_GUEST_LISTS(                                                               \
            #name ".CODE_DPL_BELOW_RPL", SEGMENTS,                                     \
            "nor can that of non-conforming code in it",                               \
            VMX_LIST(VMX_SET(SELECTOR(name), 3), VMX_MAKE(RIGHTS(name), 0xc09b)),      \
            VMX_LIST(VMX_SET(SELECTOR(name), 3), VMX_MAKE(RIGHTS(name), 0xc09f))),     \
        VMX_GUEST_LISTS(                                                               \
            #name ".BIT17", SEGMENTS, "bits 31:17 must be 0",                          \
            VMX_LIST(VMX_SET(RIGHTS(name), BIT(17))),                                  \
            VMX_LIST(VMX_SET(RIGHTS(name), BIT(17) | VMX_RIGHTS_UNUSABLE))),           \
        VMX_GUEST_LISTS(#name ".G", SEGMENTS,                                          \
                        "a limit with any of bits 11:0 clear needs G = 0",             \
                        VMX_LIST(VMX_MAKE(LIMIT_OF(name), 0)),                         \
                        VMX_LIST(VMX_MAKE(LIMIT_OF(name), 0),                          \
                                 VMX_CLEAR(RIGHTS(name), VMX_RIGHTS_G)))

#define HIGH_BASE(name)                                                                \
    VMX_GUEST_LISTS(#name "_BASE.HIGH", SEGMENTS, "base[63:32] must be 0 if usable",   \
                    VMX_LIST(VMX_MAKE(BASE(name), BIT(32))),                           \
                    VMX_LIST(VMX_MAKE(BASE(name), BIT(32)),                            \
                             VMX_SET(RIGHTS(name), VMX_RIGHTS_UNUSABLE)))

/* An LDTR that is usable, and what one thing makes of it. */
#define GOOD_LDTR                                                                      \
    VMX_MAKE(SELECTOR(LDTR), 0x38), VMX_MAKE(RIGHTS(LDTR), 0x82),                      \
        VMX_MAKE(LIMIT_OF(LDTR), 0xf), VMX_MAKE(BASE(LDTR), 0)
#define LDTR(name, claim, ...)                                                         \
    VMX_GUEST_LISTS("LDTR." name, SEGMENTS, claim, VMX_LIST(GOOD_LDTR, __VA_ARGS__),   \
                    VMX_LIST(GOOD_LDTR))

/* Virtual-8086 at 7000H, with VMCALL as the guest's only instruction. */
#define V86_AT 0x7000
#define V86_SEGMENT(name)                                                              \
    VMX_MAKE(SELECTOR(name), V86_AT >> 4), VMX_MAKE(BASE(name), V86_AT),               \
        VMX_MAKE(LIMIT_OF(name), 0xffff), VMX_MAKE(RIGHTS(name), 0xf3)
#define V86                                                                            \
    VMX_GUEST_32, VMX_SET(VMCS_GUEST_RFLAGS, BIT(17)), V86_SEGMENT(CS),                \
        V86_SEGMENT(SS), V86_SEGMENT(DS), V86_SEGMENT(ES), V86_SEGMENT(FS),            \
        V86_SEGMENT(GS), VMX_MAKE(VMCS_GUEST_RIP, 0), VMX_MAKE(VMCS_GUEST_RSP, 0x800), \
        VMX_POKE((uint64_t)V86_AT, 0xc1010f)
#define V86_RULES(name)                                                                \
    VMX_GUEST_LISTS(                                                                   \
        "V86." #name ".BASE", SEGMENTS, "the base must be the selector times 16",      \
        VMX_LIST(V86, VMX_MAKE(BASE(name), V86_AT + 0x10)), VMX_LIST(V86)),            \
        VMX_GUEST_LISTS("V86." #name ".LIMIT", SEGMENTS, "the limit must be FFFFH",    \
                        VMX_LIST(V86, VMX_MAKE(LIMIT_OF(name), 0xfffff)),              \
                        VMX_LIST(V86)),                                                \
        VMX_GUEST_LISTS("V86." #name ".RIGHTS", SEGMENTS, "the rights must be F3H",    \
                        VMX_LIST(V86, VMX_MAKE(RIGHTS(name), 0x93)), VMX_LIST(V86))

/* Ring 3, of 64 bits. */
#define RING_3                                                                         \
    VMX_MAKE(SELECTOR(CS), 0x23), VMX_MAKE(RIGHTS(CS), 0xa0fb),                        \
        VMX_MAKE(SELECTOR(SS), 0x2b), VMX_MAKE(RIGHTS(SS), 0xc0f3)

/* Real mode at 7000H: only for an unrestricted guest. */
#define REAL_SEGMENT(name)                                                             \
    VMX_MAKE(SELECTOR(name), V86_AT >> 4), VMX_MAKE(BASE(name), V86_AT),               \
        VMX_MAKE(LIMIT_OF(name), 0xffff), VMX_MAKE(RIGHTS(name), 0x93)
#define REAL_MODE                                                                      \
    VMX_CLEAR(VMCS_ENTRY_CONTROLS, VMX_ENTRY_GUEST_64),                                \
        VMX_CLEAR(VMCS_GUEST_CR0, CR0_PE | CR0_PG), REAL_SEGMENT(CS),                  \
        REAL_SEGMENT(SS), REAL_SEGMENT(DS), REAL_SEGMENT(ES), REAL_SEGMENT(FS),        \
        REAL_SEGMENT(GS), VMX_MAKE(VMCS_GUEST_RIP, 0),                                 \
        VMX_MAKE(VMCS_GUEST_RSP, 0x800), VMX_POKE((uint64_t)V86_AT, 0xc1010f)
#define UNRESTRICTED VMX_CPU2(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED)

static const struct nested_rule entry_segments[] = {
    DATA_SEGMENT(DS),
    DATA_SEGMENT(ES),
    DATA_SEGMENT(FS),
    DATA_SEGMENT(GS),
    HIGH_BASE(DS),
    HIGH_BASE(ES),
    LDTR("TI", "TI must be 0 in a usable LDTR", VMX_SET(SELECTOR(LDTR), 4)),
    LDTR("BASE", "the base must be canonical", VMX_MAKE(BASE(LDTR), NOT_CANONICAL)),
    LDTR("TYPE", "the type must be LDT", VMX_CHANGE(RIGHTS(LDTR), 0xf, 3)),
    LDTR("S", "S must be 0", VMX_SET(RIGHTS(LDTR), VMX_RIGHTS_S)),
    LDTR("P", "P must be 1", VMX_CLEAR(RIGHTS(LDTR), VMX_RIGHTS_P)),
    LDTR("BIT8", "bits 11:8 must be 0", VMX_SET(RIGHTS(LDTR), BIT(8))),
    LDTR("BIT17", "bits 31:17 must be 0", VMX_SET(RIGHTS(LDTR), BIT(17))),
    LDTR("G_WITH_LOW_LIMIT", "a limit with any of bits 11:0 clear needs G = 0",
         VMX_SET(RIGHTS(LDTR), VMX_RIGHTS_G)),
    LDTR("G_WITH_HIGH_LIMIT", "a limit with any of bits 31:20 set needs G = 1",
         VMX_MAKE(LIMIT_OF(LDTR), 0xfffff000)),
    VMX_GUEST_LISTS("TR.S", SEGMENTS, "S must be 0",
                    VMX_LIST(VMX_SET(RIGHTS(TR), VMX_RIGHTS_S)), VMX_LIST()),
    VMX_GUEST_LISTS("TR.BIT17", SEGMENTS, "bits 31:17 must be 0",
                    VMX_LIST(VMX_SET(RIGHTS(TR), BIT(17))), VMX_LIST()),
    VMX_GUEST_LISTS("TR.G_WITH_HIGH_LIMIT", SEGMENTS,
                    "a limit with any of bits 31:20 set needs G = 1",
                    VMX_LIST(VMX_MAKE(LIMIT_OF(TR), 0xfffff000)), VMX_LIST()),
    VMX_GUEST_LISTS("TR.16_BIT_IN_IA32E", SEGMENTS,
                    "a busy 16-bit TSS is for guests outside of IA-32e mode",
                    VMX_LIST(VMX_CHANGE(RIGHTS(TR), 0xf, 3)),
                    VMX_LIST(VMX_GUEST_32, VMX_CHANGE(RIGHTS(TR), 0xf, 3))),
    VMX_GUEST_LISTS("SS.NOT_WRITABLE", SEGMENTS, "SS's type must be 3 or 7",
                    VMX_LIST(VMX_CHANGE(RIGHTS(SS), 0xf, 1)), VMX_LIST()),
    VMX_GUEST_LISTS(
        "SS.TYPE_OF_NULL", SEGMENTS, "so it must with a null selector, if it is usable",
        VMX_LIST(VMX_MAKE(SELECTOR(SS), 0), VMX_CHANGE(RIGHTS(SS), 0xf, 11)),
        VMX_LIST(VMX_MAKE(SELECTOR(SS), 0))),
    VMX_GUEST_LISTS("SS.S", SEGMENTS, "S must be 1",
                    VMX_LIST(VMX_CLEAR(RIGHTS(SS), VMX_RIGHTS_S)), VMX_LIST()),
    VMX_GUEST_LISTS(
        "SS.P", SEGMENTS, "P must be 1 in a usable one",
        VMX_LIST(VMX_CLEAR(RIGHTS(SS), VMX_RIGHTS_P)),
        VMX_LIST(VMX_CHANGE(RIGHTS(SS), VMX_RIGHTS_P, VMX_RIGHTS_UNUSABLE))),
    VMX_GUEST_LISTS("CS.DPL", SEGMENTS, "a non-conforming CS's DPL must equal SS's",
                    VMX_LIST(VMX_SET(RIGHTS(CS), VMX_RIGHTS_DPL(3))), VMX_LIST(RING_3)),
    VMX_GUEST_LISTS("CS.DPL_UNRESTRICTED", SEGMENTS,
                    "so it is in an unrestricted guest, which need not have SS's RPL",
                    VMX_LIST(UNRESTRICTED, VMX_SET(RIGHTS(SS), VMX_RIGHTS_DPL(3))),
                    VMX_LIST(UNRESTRICTED, VMX_SET(SELECTOR(SS), 3))),
    VMX_GUEST_LISTS("CS.RPL_UNRESTRICTED", SEGMENTS,
                    "SS's RPL must equal CS's, but in an unrestricted guest",
                    VMX_LIST(VMX_SET(SELECTOR(CS), 2)),
                    VMX_LIST(UNRESTRICTED, VMX_SET(SELECTOR(CS), 2))),
    VMX_GUEST_LISTS("CS.CONFORMING_DPL", SEGMENTS,
                    "a conforming CS's DPL cannot be greater than SS's",
                    VMX_LIST(VMX_CHANGE(RIGHTS(CS), 0xf, 15 | VMX_RIGHTS_DPL(1))),
                    VMX_LIST(VMX_CHANGE(RIGHTS(CS), 0xf, 15))),
    VMX_GUEST_LISTS("CS.UNUSABLE_AND_BIT8", SEGMENTS,
                    "CS's reserved bits count even if it is unusable",
                    VMX_LIST(VMX_SET(RIGHTS(CS), BIT(8) | VMX_RIGHTS_UNUSABLE)),
                    VMX_LIST()),
    VMX_GUEST_LISTS("CS.DATA", SEGMENTS,
                    "without unrestricted guest, CS cannot be a data segment",
                    VMX_LIST(VMX_CHANGE(RIGHTS(CS), 0xf, 3)), VMX_LIST()),
    VMX_GUEST_LISTS("CS.DATA_DPL", SEGMENTS,
                    "a CS that is a data segment must have DPL 0",
                    VMX_LIST(UNRESTRICTED, REAL_MODE, VMX_MAKE(RIGHTS(CS), 0xf3),
                             VMX_MAKE(RIGHTS(SS), 0x93)),
                    VMX_LIST(UNRESTRICTED, REAL_MODE)),
    VMX_GUEST_LISTS("CR0.PE_WITHOUT_UNRESTRICTED", "SDM3C 26.3.1.1, 23.8",
                    "real mode is for unrestricted guests only",
                    VMX_LIST(VMX_CPU2(VMX_CPU2_EPT), REAL_MODE),
                    VMX_LIST(UNRESTRICTED, REAL_MODE)),
    VMX_GUEST_LISTS("SS.DPL_IN_REAL_MODE", SEGMENTS,
                    "SS's DPL must be 0 if CR0.PE is 0",
                    VMX_LIST(UNRESTRICTED, REAL_MODE, VMX_MAKE(RIGHTS(SS), 0xf3)),
                    VMX_LIST(UNRESTRICTED, REAL_MODE)),
    VMX_GUEST_LISTS(
        "V86.WITHOUT_PE", "SDM3C 26.3.1.4", "RFLAGS.VM must be 0 if CR0.PE is 0",
        VMX_LIST(UNRESTRICTED, REAL_MODE, VMX_SET(VMCS_GUEST_RFLAGS, BIT(17))),
        VMX_LIST(UNRESTRICTED, REAL_MODE)),
    V86_RULES(CS),
    V86_RULES(SS),
    V86_RULES(DS),
    V86_RULES(ES),
    V86_RULES(FS),
    V86_RULES(GS),
};
NESTED_RULES(entry_segments);
