/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/running/status.h"

#include "guest/running/place.h"
#include "platform/rundir.h"

static void clear_passt(gpointer data)
{
    g_free(((OstlerRunPasst *)data)->nic);
}

OstlerRunStatus *ostler_run_status_new(void)
{
    OstlerRunStatus *status = g_new0(OstlerRunStatus, 1);
    status->state = OSTLER_RUN_STARTING;
    status->passts = g_array_new(FALSE, FALSE, sizeof(OstlerRunPasst));
    g_array_set_clear_func(status->passts, clear_passt);
    return status;
}

void ostler_run_status_add_passt(OstlerRunStatus *status, const char *nic,
                                 OstlerProcessIdentity process)
{
    OstlerRunPasst passt = { .nic = g_strdup(nic), .process = process };

    g_array_append_val(status->passts, passt);
}

void ostler_run_status_free(OstlerRunStatus *status)
{
    if (!status) {
        return;
    }
    g_free(status->why);
    g_free(status->accel);
    g_free(status->console);
    g_strfreev(status->notes);
    g_array_unref(status->passts);
    json_object_put(status->addresses);
    g_free(status);
}

static void add_text(json_object *record, const char *key, const char *text)
{
    if (text) {
        json_object_object_add(record, key, json_object_new_string(text));
    }
}

static json_object *passts_json(const OstlerRunStatus *status)
{
    json_object *list = json_object_new_array();

    for (guint i = 0; i < status->passts->len; i++) {
        const OstlerRunPasst *passt = &g_array_index(status->passts, OstlerRunPasst, i);
        json_object_array_add(
            list, ostler_json_object(
                      "nic", json_object_new_string(passt->nic), "pid",
                      json_object_new_int(passt->process.pid), "pid-start-time",
                      json_object_new_int64((int64_t)passt->process.start_time), NULL));
    }
    return list;
}

json_object *ostler_run_status_to_json(const OstlerRunStatus *status)
{
    json_object *record = ostler_json_object(
        "state", json_object_new_string(ostler_run_state_text(status->state)), "reason",
        json_object_new_string(ostler_run_reason_text(status->reason)), "pid",
        json_object_new_int(status->qemu.pid), "pid-start-time",
        json_object_new_int64((int64_t)status->qemu.start_time), "keeper-pid",
        json_object_new_int(status->keeper_pid), "started-at",
        json_object_new_int64(status->started_at), "ended-at",
        json_object_new_int64(status->ended_at), "ends-with-keeper",
        json_object_new_boolean(status->ends_with_keeper), NULL);

    add_text(record, "why", status->why);
    add_text(record, "accel", status->accel);
    add_text(record, "console", status->console);
    json_object *notes = json_object_new_array();
    for (unsigned i = 0; status->notes && status->notes[i]; i++) {
        json_object_array_add(notes, json_object_new_string(status->notes[i]));
    }
    json_object_object_add(record, "notes", notes);
    json_object_object_add(record, "passt", passts_json(status));
    if (status->addresses) {
        json_object_object_add(record, "addresses", json_object_get(status->addresses));
    }
    return record;
}

static OstlerProcessIdentity read_identity(json_object *record)
{
    return (OstlerProcessIdentity){
        .pid = (int)ostler_json_find_int(record, "pid", 0),
        .start_time = (uint64_t)ostler_json_find_int(record, "pid-start-time", 0),
    };
}

/* A list of @record, or NULL. */
static json_object *find_list(json_object *record, const char *key)
{
    json_object *list = ostler_json_find(record, key);

    return json_object_is_type(list, json_type_array) ? list : NULL;
}

static void read_passts(OstlerRunStatus *status, json_object *record)
{
    json_object *list = find_list(record, "passt");

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        json_object *row = json_object_array_get_idx(list, i);
        const char *nic = ostler_json_find_string(row, "nic");
        if (nic) {
            ostler_run_status_add_passt(status, nic, read_identity(row));
        }
    }
}

static char **read_notes(json_object *record)
{
    json_object *notes = find_list(record, "notes");
    g_autoptr(GStrvBuilder) texts = g_strv_builder_new();

    if (!notes) {
        return NULL;
    }
    for (size_t i = 0; i < json_object_array_length(notes); i++) {
        json_object *note = json_object_array_get_idx(notes, i);
        if (json_object_is_type(note, json_type_string)) {
            g_strv_builder_add(texts, json_object_get_string(note));
        }
    }
    return g_strv_builder_end(texts);
}

OstlerRunStatus *ostler_run_status_from_json(json_object *record, GError **error)
{
    const char *state = ostler_json_need_string(record, "state", error);
    if (!state) {
        return NULL;
    }

    g_autoptr(OstlerRunStatus) status = ostler_run_status_new();
    status->state = ostler_run_state_find(state);
    if (!status->state) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Unknown state '%s'",
                    state);
        return NULL;
    }
    status->reason = ostler_run_reason_find(ostler_json_find_string(record, "reason"));
    status->qemu = read_identity(record);
    status->keeper_pid = (int)ostler_json_find_int(record, "keeper-pid", 0);
    status->started_at = ostler_json_find_int(record, "started-at", 0);
    status->ended_at = ostler_json_find_int(record, "ended-at", 0);
    status->ends_with_keeper = ostler_json_find_bool(record, "ends-with-keeper", false);
    status->why = g_strdup(ostler_json_find_string(record, "why"));
    status->accel = g_strdup(ostler_json_find_string(record, "accel"));
    status->console = g_strdup(ostler_json_find_string(record, "console"));
    status->notes = read_notes(record);
    status->addresses = json_object_get(find_list(record, "addresses"));
    read_passts(status, record);
    return g_steal_pointer(&status);
}

bool ostler_run_status_save(const OstlerRunStatus *status, const char *guest,
                            GError **error)
{
    g_autoptr(json_object) record = ostler_run_status_to_json(status);
    g_autofree char *text = ostler_json_text(record);
    g_autofree char *path = ostler_run_path(guest, "status.json");

    return ostler_file_replace(path, text, strlen(text), error);
}

OstlerRunStatus *ostler_run_status_load(const char *guest, GError **error)
{
    g_autofree char *path = ostler_run_path(guest, "status.json");
    g_autoptr(GError) refusal = NULL;
    g_autofree char *text = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &text, &size, &refusal)) {
        g_set_error(error, G_IO_ERROR,
                    g_error_matches(refusal, G_FILE_ERROR, G_FILE_ERROR_NOENT)
                        ? G_IO_ERROR_NOT_FOUND
                        : G_IO_ERROR_FAILED,
                    "%s", refusal->message);
        return NULL;
    }

    g_autoptr(json_object) record = ostler_json_parse(text, size, error);
    OstlerRunStatus *status =
        record ? ostler_run_status_from_json(record, error) : NULL;
    if (!status) {
        g_prefix_error(error, "'%s' is damaged: ", path);
    }
    return status;
}
