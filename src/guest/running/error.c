/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/error.h"

#include "guest/definition.h"

G_DEFINE_QUARK(ostler - run - error - quark, ostler_run_error)

OstlerRunError ostler_run_error_code(const GError *error)
{
    if (error->domain == OSTLER_RUN_ERROR) {
        return (OstlerRunError)error->code;
    }
    if (error->domain == OSTLER_DEFINITION_ERROR) {
        return OSTLER_RUN_ERROR_DEFINITION;
    }
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        return OSTLER_RUN_ERROR_TIMED_OUT;
    }
    return OSTLER_RUN_ERROR_FAILED;
}

void ostler_run_error_become(GError **error, OstlerRunError code)
{
    if (error && *error) {
        (*error)->domain = OSTLER_RUN_ERROR;
        (*error)->code = (int)code;
    }
}
