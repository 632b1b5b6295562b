/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmx-paper.h - an engine that is the model: for tests on the host
 *
 * Stands in for vmx/vmx.h, vmx/pages.h and the processor's own instructions, so that
 * the very rules that run in the flat can be run against the model.  "Enters" comes
 * back as the exit that is set in vmx_paper.exit.
 *
 * Where the model allows several answers, vmx_paper.choice says which of them a run
 * gives, counting from 0; n_choices is the most that a run since vmx_good() had.
 */
#pragma once

#include "vmx-entry.h"
#include "vmx/change.h"

struct vmx_paper {
    struct vmx_processor processor;
    struct vmx_state state;     /* the current VMCS */
    struct vmx_verdict verdict; /* of the last run */
    uint32_t exit;
    unsigned choice, n_choices;
};
extern struct vmx_paper vmx_paper;

/* Processors that the tests invent. */
struct vmx_processor vmx_paper_full(void);  /* all that the edition has */
struct vmx_processor vmx_paper_later(void); /* and bits of later editions */
struct vmx_processor vmx_paper_earliest(
    void); /* no secondary controls, no "true" MSRs */
