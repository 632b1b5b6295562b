/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* disk-url.h - a <source protocol=...> as the URL that QEMU reads */
#pragma once

#include "guest/import/reader.h"

/* NULL if QEMU has no such protocol or the source lacks what a URL needs. */
const char *ostler_import_disk_url(OstlerImporter *import, xmlNode *source);
