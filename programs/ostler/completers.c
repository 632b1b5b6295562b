/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * completers.c - what makes sense now, for complete.h
 *
 * Only what is quick: names come from the list of guests, which opens no definition and
 * asks no keeper more than its state; shares come from the guest's one definition.
 */
#include "cli.h"

/* Offer the guests whose state is in the mask @states. */
static void offer_guests(OstlerCandidates *candidates, unsigned states)
{
    g_autoptr(OstlerHost) host = ostler_host_open(NULL);
    g_autoptr(OstlerGuestList) list =
        host ? ostler_host_list(host, OSTLER_LIST_ALL, NULL) : NULL;

    for (size_t i = 0; list && i < ostler_guest_list_size(list); i++) {
        const OstlerGuestEntry *entry = ostler_guest_list_at(list, i);
        if (states & OSTLER_STATE_MASK(entry->state)) {
            ostler_candidates_add(candidates, entry->name,
                                  ostler_state_text(entry->state));
        }
    }
}

#define OFF OSTLER_STATE_MASK(OSTLER_STATE_SHUT_OFF)

void cli_complete_guest(OstlerCandidates *candidates)
{
    offer_guests(candidates, ~0u);
}

void cli_complete_active(OstlerCandidates *candidates)
{
    offer_guests(candidates, ~OFF);
}

void cli_complete_inactive(OstlerCandidates *candidates)
{
    offer_guests(candidates, OFF);
}

void cli_complete_running(OstlerCandidates *candidates)
{
    offer_guests(candidates, OSTLER_STATE_MASK(OSTLER_STATE_RUNNING));
}

void cli_complete_paused(OstlerCandidates *candidates)
{
    offer_guests(candidates, OSTLER_STATE_MASK(OSTLER_STATE_PAUSED));
}

static OstlerGuestShares *shares_of(OstlerHost *host, const char *name)
{
    g_autoptr(OstlerGuest) guest = name ? ostler_host_find(host, name, NULL) : NULL;

    return guest ? ostler_guest_shares(guest, false, NULL) : NULL;
}

void cli_complete_share(OstlerCandidates *candidates)
{
    g_autoptr(OstlerHost) host = ostler_host_open(NULL);
    g_autoptr(OstlerGuestShares) shares =
        host ? shares_of(host, ostler_candidates_given(candidates, 0)) : NULL;

    for (size_t i = 0; shares && i < ostler_guest_shares_size(shares); i++) {
        const OstlerShare *share = &ostler_guest_share(shares, i)->share;
        ostler_candidates_add(candidates, share->name, share->path);
    }
}

void cli_complete_share_setting(OstlerCandidates *candidates)
{
    ostler_candidates_add(candidates, "quota=", "bytes that its files may have");
    ostler_candidates_add(candidates, "quota-objects=", "files and folders in it");
    ostler_candidates_add(candidates, "reserve=", "what stays free on the disk");
}

void cli_complete_state(OstlerCandidates *candidates)
{
    for (unsigned state = 0; state < OSTLER_N_STATES; state++) {
        ostler_candidates_add(candidates, ostler_state_text(state), NULL);
    }
}

void cli_complete_log(OstlerCandidates *candidates)
{
    ostler_candidates_add(candidates, "keeper", "what its keeper has to say");
    ostler_candidates_add(candidates, "qemu", "QEMU's own messages");
    ostler_candidates_add(candidates, "console", "what the guest wrote");
}

void cli_complete_nested(OstlerCandidates *candidates)
{
    ostler_candidates_add(candidates, "check", "can this host be trusted with it?");
}

void cli_complete_nic(OstlerCandidates *candidates)
{
    ostler_candidates_add(candidates, "user", "QEMU's own network");
    ostler_candidates_add(candidates, "passt", "passt, without address translation");
    ostler_candidates_add(candidates, "none", "no network card");
}

/* Of the emulators that are installed. */
void cli_complete_arch(OstlerCandidates *candidates)
{
    static const char *const archs[] = { "aarch64", "arm",     "i386",       "m68k",
                                         "ppc64",   "riscv32", "riscv64",    "s390x",
                                         "sparc64", "x86_64",  "loongarch64" };

    for (size_t i = 0; i < G_N_ELEMENTS(archs); i++) {
        g_autofree char *emulator = g_strconcat("qemu-system-", archs[i], NULL);
        g_autofree char *path = g_find_program_in_path(emulator);
        if (path) {
            ostler_candidates_add(candidates, archs[i], path);
        }
    }
}

/* Nothing is started for a TAB: machines are named by 'ostler machines'. */
void cli_complete_machine(OstlerCandidates *candidates)
{
    static const char *const common[] = { "pc", "q35", "microvm", "virt" };

    for (size_t i = 0; i < G_N_ELEMENTS(common); i++) {
        ostler_candidates_add(candidates, common[i], NULL);
    }
}
