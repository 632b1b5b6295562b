/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "api/api.h"
#include "guest/running/error.h"

struct OstlerError {
    OstlerErrorCode code;
    char *message;
};

/* The two lists of codes are one. */
G_STATIC_ASSERT((int)OSTLER_ERROR_STATE == (int)OSTLER_RUN_ERROR_STATE);
G_STATIC_ASSERT((int)OSTLER_ERROR_TIMED_OUT == (int)OSTLER_RUN_ERROR_TIMED_OUT);

OstlerErrorCode ostler_error_code(const OstlerError *error)
{
    return error->code;
}

const char *ostler_error_message(const OstlerError *error)
{
    return error->message;
}

void ostler_error_free(OstlerError *error)
{
    if (!error) {
        return;
    }
    g_free(error->message);
    g_free(error);
}

static bool set_error(OstlerError **error, OstlerErrorCode code, char *message)
{
    if (!error) {
        g_free(message);
        return false;
    }
    *error = g_new(OstlerError, 1);
    **error = (OstlerError){ code, message };
    return false;
}

bool ostler_api_fail(OstlerError **error, OstlerErrorCode code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return set_error(error, code, message);
}

bool ostler_api_fail_with(OstlerError **error, GError *why)
{
    set_error(error, (OstlerErrorCode)ostler_run_error_code(why),
              g_strdup(why->message));
    g_error_free(why);
    return false;
}

void ostler_free(void *memory)
{
    g_free(memory);
}

void ostler_strings_free(char **strings)
{
    g_strfreev(strings);
}
