/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qmp/message.h"

static bool refuse(const char *why, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, why);
    return false;
}

static bool read_greeting(OstlerQmpMessage *message, json_object *body, GError **error)
{
    return json_object_is_type(body, json_type_object) ||
           refuse("A greeting without content", error);
}

/* A null cannot be told from nothing at all in json-c, so it becomes an empty object. */
static bool read_return(OstlerQmpMessage *message, json_object *body, GError **error)
{
    if (!body) {
        message->body = json_object_new_object();
        json_object_object_add(message->line, "return", message->body);
    }
    return true;
}

static bool read_refusal(OstlerQmpMessage *message, json_object *body, GError **error)
{
    message->name = ostler_json_find_string(body, "class");
    message->text = ostler_json_find_string(body, "desc");
    return (message->name && message->text) ||
           refuse("An error without class or description", error);
}

static bool read_event(OstlerQmpMessage *message, json_object *body, GError **error)
{
    message->name = ostler_json_find_string(message->line, "event");
    message->body = ostler_json_find(message->line, "data");
    return message->name || refuse("An event without a name", error);
}

/* Which member tells a message's kind. */
static const struct {
    const char *key;
    OstlerQmpKind kind;
    bool (*read)(OstlerQmpMessage *message, json_object *body, GError **error);
} kinds[] = {
    { "return", OSTLER_QMP_RETURN, read_return },
    { "error", OSTLER_QMP_REFUSAL, read_refusal },
    { "event", OSTLER_QMP_EVENT, read_event },
    { "QMP", OSTLER_QMP_GREETING, read_greeting },
};

static bool read_message(OstlerQmpMessage *message, GError **error)
{
    if (!json_object_is_type(message->line, json_type_object)) {
        return refuse("A message that is no object", error);
    }
    message->id = ostler_json_find_int(message->line, "id", -1);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (json_object_object_get_ex(message->line, kinds[i].key, &message->body)) {
            message->kind = kinds[i].kind;
            return kinds[i].read(message, message->body, error);
        }
    }
    return refuse("Neither greeting, answer nor event", error);
}

bool ostler_qmp_message_parse(OstlerQmpMessage *message, const char *line, size_t size,
                              GError **error)
{
    *message = (OstlerQmpMessage){ .id = -1 };
    message->line = ostler_json_parse(line, size, error);
    if (message->line && read_message(message, error)) {
        return true;
    }
    ostler_qmp_message_clear(message);
    return false;
}

void ostler_qmp_message_clear(OstlerQmpMessage *message)
{
    g_clear_pointer(&message->line, json_object_put);
}

int ostler_qmp_greeting_version(const OstlerQmpMessage *greeting)
{
    json_object *version = ostler_json_find(greeting->body, "version");
    json_object *qemu = ostler_json_find(version, "qemu");
    static const char *const parts[] = { "major", "minor", "micro" };
    int number = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        number =
            number * 100 + (int)CLAMP(ostler_json_find_int(qemu, parts[i], 0), 0, 99);
    }
    return number;
}

bool ostler_qmp_greeting_offers(const OstlerQmpMessage *greeting,
                                const char *capability)
{
    json_object *list = ostler_json_find(greeting->body, "capabilities");
    size_t n =
        json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        json_object *item = json_object_array_get_idx(list, i);
        if (json_object_is_type(item, json_type_string) &&
            strcmp(json_object_get_string(item), capability) == 0) {
            return true;
        }
    }
    return false;
}

char *ostler_qmp_command_text(const char *command, json_object *arguments, int64_t id,
                              bool is_oob)
{
    g_autoptr(json_object) object = ostler_json_object(
        is_oob ? "exec-oob" : "execute", json_object_new_string(command), "id",
        json_object_new_int64(id), NULL);

    if (arguments) {
        json_object_object_add(object, "arguments", arguments);
    }
    g_autofree char *text = ostler_json_text(object);
    return g_strconcat(text, "\n", NULL);
}
