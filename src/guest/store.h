/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store.h - definitions on disk: <config>/<name>/guest.conf
 *
 * A guest's folder is named as the guest is, so that the list of guests is the list of
 * folders: with a thousand of them nothing is opened, and a definition that is wrong is
 * listed as well.  What else belongs to one guest (firmware variables, say) lies beside
 * guest.conf, and is left alone here.
 *
 * Ownership:  strings are the caller's.
 * Errors:     OSTLER_DEFINITION_ERROR for a wrong definition or name; G_IO_ERROR
 *             otherwise, NOT_FOUND when there is no such guest.
 */
#pragma once

#include "guest/definition.h"

/* Where the definition of @name is or would be; @name must have passed the check. */
char *ostler_store_path(const char *name);
bool ostler_store_has(const char *name);

/* The names of all defined guests in the order of strcmp, NULL-terminated
 * (g_strfreev).  No guest at all is an empty list. */
char **ostler_store_list(GError **error);

/* The text as it is stored; @out_size may be NULL. */
char *ostler_store_text(const char *name, size_t *out_size, GError **error);
/* Read and check; a definition that names another guest than its folder is wrong. */
OstlerDefinition *ostler_store_load(const char *name, GError **error);

/*
 * Store @definition under its name: whoever reads meanwhile sees the old or the new,
 * whole.  @out_is_new may be NULL.
 */
bool ostler_store_define(const OstlerDefinition *definition, bool *out_is_new,
                         GError **error);

/* Forget the definition, and the guest's folder if nothing else is in it. */
bool ostler_store_undefine(const char *name, GError **error);
