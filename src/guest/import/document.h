/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * document.h - bytes from anywhere to an XML tree, within bounds
 *
 * The one place that runs libxml2's parser.  No network, no external or internal DTD
 * (so there are no entities to expand), and the limits of import.h.
 *
 * Errors:     OSTLER_IMPORT_ERROR_SYNTAX, "old.xml:12: ...".
 */
#pragma once

#include "guest/import/import.h"
#include <libxml/tree.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

xmlDoc *ostler_import_parse(const char *xml, size_t size, const char *file,
                            GError **error);
