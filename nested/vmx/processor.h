/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* processor.h - what the model of VM entry must know, asked of this CPU */
#pragma once

#include "model/vmx-entry.h"

struct vmx_processor vmx_this_processor(void);
