/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fields.h - the fields of a VMCS by name, and which of them this CPU has */
#pragma once

#include <stdbool.h>

#include "vmx/vmcs.h"

struct vmx_field {
    enum vmcs_field field;
    const char *name; /* as C has it */
};

extern const struct vmx_field vmx_fields[];
extern const unsigned vmx_n_fields;

/* Whether VMREAD of the current VMCS finds @field. */
bool vmx_has_field(enum vmcs_field field);
