/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * message.h - what a line of a monitor says
 *
 * The decoder of a session: one line in, one message out.  No sockets and no state, so
 * the unit test and the fuzzer call what the session calls.
 *
 * Sources:    QEMU docs/interop/qmp-spec.txt, section 2.
 * Ownership:  a message owns the line's object, and everything in it is borrowed from
 *             that: ostler_qmp_message_clear().
 * Errors:     G_IO_ERROR_INVALID_DATA.
 */
#pragma once

#include "json/json.h"

#define OSTLER_QMP_MAX_LINE                                                            \
    (16u << 20) /* qom-list-properties and the like reach 2 MB */

typedef enum {
    OSTLER_QMP_GREETING, /* @body: the "QMP" object */
    OSTLER_QMP_RETURN,   /* @id, @body: the "return" value, never NULL */
    OSTLER_QMP_REFUSAL,  /* @id, @name: the error's class, @text: its "desc" */
    OSTLER_QMP_EVENT,    /* @name, @body: "data" or NULL */
} OstlerQmpKind;

typedef struct {
    OstlerQmpKind kind;
    int64_t id; /* -1 when it is absent or none of ours */
    const char *name;
    const char *text;
    json_object *body;
    json_object *line; /* owned */
} OstlerQmpMessage;

bool ostler_qmp_message_parse(OstlerQmpMessage *message, const char *line, size_t size,
                              GError **error);
void ostler_qmp_message_clear(OstlerQmpMessage *message);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OstlerQmpMessage, ostler_qmp_message_clear)

/* Of a greeting: QEMU's version (major * 10000 + minor * 100 + micro; 0 if unknown) and
 * whether it offers @capability. */
int ostler_qmp_greeting_version(const OstlerQmpMessage *greeting);
bool ostler_qmp_greeting_offers(const OstlerQmpMessage *greeting,
                                const char *capability);

/* A command as one line, newline included; @arguments is taken over and may be NULL. */
char *ostler_qmp_command_text(const char *command, json_object *arguments, int64_t id,
                              bool is_oob);
