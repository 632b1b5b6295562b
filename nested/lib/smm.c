/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "smm.h"

#include "cpu.h"
#include "memory.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  BIT(31)

/* SMRAM: who sees the memory at A0000h, and whether that can be changed. */
#define SMRAM_ENABLED BIT(3)
#define SMRAM_LOCKED  BIT(4)
#define SMRAM_CLOSED  BIT(5)
#define SMRAM_OPEN    BIT(6)

#define HANDLER ((uint8_t *)(uint64_t)(NESTED_SMM_SMBASE + 0x8000))

volatile struct nested_smm nested_smm;
extern const uint8_t nested_smm_handler[], nested_smm_handler_end[];
extern const uint8_t nested_smm_slot[];

static const struct chipset {
    uint32_t id; /* of device 0:0.0 */
    uint8_t smram;
} chipsets[] = {
    { 0x12378086, 0x72 }, /* 440FX */
    { 0x29c08086, 0x9d }, /* Q35 */
};

/* Of device 0:0.0, which is the host bridge. */
static void choose_register(uint8_t offset)
{
    uint32_t address = (uint32_t)PCI_ENABLE | (offset & 0xfcu);

    __asm__ volatile("outl %0, %w1" : : "a"(address), "Nd"(PCI_ADDRESS));
}

static uint32_t bridge_id(void)
{
    uint32_t id;

    choose_register(0);
    __asm__ volatile("inl %w1, %0" : "=a"(id) : "Nd"(PCI_DATA));
    return id;
}

static uint8_t read_smram(const struct chipset *chipset)
{
    choose_register(chipset->smram);
    return cpu_in8(PCI_DATA + (chipset->smram & 3));
}

static void write_smram(const struct chipset *chipset, uint8_t value)
{
    choose_register(chipset->smram);
    cpu_out8(PCI_DATA + (chipset->smram & 3), value);
}

static const struct chipset *find_chipset(void)
{
    uint32_t id = bridge_id();

    for (unsigned i = 0; i < sizeof chipsets / sizeof *chipsets; i++) {
        if (chipsets[i].id == id) {
            return &chipsets[i];
        }
    }
    return NULL;
}

/* The handler with @action in it; SMRAM is open meanwhile, and not VGA's. */
static void install(const struct chipset *chipset,
                    const struct nested_smm_action *action)
{
    uint8_t before = read_smram(chipset);
    uint8_t *slot = HANDLER + (nested_smm_slot - nested_smm_handler);
    size_t size = action ? (size_t)(action->end - action->start) : 0;

    write_smram(chipset,
                (before | SMRAM_ENABLED | SMRAM_OPEN) & (uint8_t)~SMRAM_CLOSED);
    memcpy(HANDLER, nested_smm_handler,
           (size_t)(nested_smm_handler_end - nested_smm_handler));
    if (size && size <= NESTED_SMM_MAX_ACTION) {
        memcpy(slot, action->start, size);
    }
    write_smram(chipset, (before | SMRAM_ENABLED) & (uint8_t)~SMRAM_OPEN);
}

void nested_smm_expect(const struct nested_smm_action *action)
{
    install(find_chipset(), action);
    memset((void *)&nested_smm, 0, sizeof nested_smm);
}

void nested_smm_send(void)
{
    cpu_out8(NESTED_SMM_PORT, 0x77);
    for (volatile unsigned i = 0; i < 1000; i++) {
    }
}

const char *nested_smm_lack(void)
{
    const struct chipset *chipset = find_chipset();

    if (!chipset) {
        return "a chipset whose SMRAM we do not know";
    }
    if (read_smram(chipset) & SMRAM_LOCKED) {
        return "the firmware has locked SMRAM";
    }
    nested_smm_expect(NULL);
    nested_smm_send();
    return nested_smm.n_done == 1 ? NULL : "an SMI does not reach a handler at A8000h";
}
