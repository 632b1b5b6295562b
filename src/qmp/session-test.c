/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The peer is a scripted QEMU: a coroutine at the other end of a socket pair that says
 * and hears, line by line, what a table tells it.  Identifiers count up from 1, so what
 * is heard can be written down in full.
 */
#include "qmp/session.h"

#include <cpc/glib.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qmp/message.h"

typedef enum { END, SAY, HEAR, HANG_UP } Act;

typedef struct {
    Act act;
    const char *text;
} Step;

#define GREETING                                                                       \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, " \
    "\"package\": \"Debian\"}, \"capabilities\": [\"oob\"]}}\r\n"
#define HELLO                                                                          \
    { SAY, GREETING },                                                                 \
        { HEAR, "{\"execute\":\"qmp_capabilities\",\"id\":1,"                          \
                "\"arguments\":{\"enable\":[\"oob\"]}}" },                             \
    {                                                                                  \
        SAY, "{\"return\": {}, \"id\": 1}\r\n"                                         \
    }

typedef struct Talk Talk;
struct Talk {
    const Step *script;
    void coroutine_fn (*client)(Talk *talk);
    OstlerChannel *near, *far;
    OstlerQmp *qmp;
    GString *events; /* "NAME data|" each */
    GError *closed;
    unsigned n_closed;
    bool free_on_event;
    CoEvent done; /* set by whoever a test waits for */
    CoEvent fake_ended;
};

/* --- the scripted QEMU ------------------------------------------------------------ */

static void coroutine_fn hear(Talk *talk, const char *expected)
{
    g_autoptr(GString) line = g_string_new(NULL);
    char byte = 0;

    while (ostler_channel_read(talk->far, &byte, 1, NULL) == 1 && byte != '\n') {
        g_string_append_c(line, byte);
    }
    g_assert_cmpstr(line->str, ==, expected);
}

static void coroutine_fn play_script(void *opaque)
{
    Talk *talk = opaque;

    for (const Step *step = talk->script; step->act != END; step++) {
        switch (step->act) {
        case SAY:
            ostler_channel_write(talk->far, step->text, strlen(step->text), NULL);
            break;
        case HEAR:
            hear(talk, step->text);
            break;
        default:
            ostler_channel_close(talk->far);
            break;
        }
    }
}

/* After the script nothing more may come: neither a command nor half of one. */
static void coroutine_fn play(void *opaque)
{
    Talk *talk = opaque;
    char byte;

    play_script(talk);
    g_assert_cmpint(ostler_channel_read(talk->far, &byte, 1, NULL), ==, 0);
    cpc_event_set(&talk->fake_ended);
}

/* --- the client ------------------------------------------------------------------- */

static void note_event(const char *event, json_object *data, void *opaque)
{
    Talk *talk = opaque;

    g_string_append_printf(talk->events, "%s %s|", event,
                           data ? json_object_to_json_string_ext(data, 0) : "-");
    if (talk->free_on_event) {
        g_clear_pointer(&talk->qmp, ostler_qmp_free);
    }
}

static void note_closed(const GError *why, void *opaque)
{
    Talk *talk = opaque;

    talk->n_closed++;
    talk->closed = talk->closed ? talk->closed : g_error_copy(why);
    cpc_event_set(&talk->done);
}

static OstlerQmp *coroutine_fn open_session(Talk *talk, int timeout_ms, GError **error)
{
    OstlerQmpListener listener = { note_event, note_closed, talk };

    return ostler_qmp_open(g_steal_pointer(&talk->near), &listener, timeout_ms, error);
}

static void coroutine_fn run_client(void *opaque)
{
    Talk *talk = opaque;
    g_autoptr(GError) error = NULL;

    cpc_spawn(play, talk);
    talk->qmp = open_session(talk, 10000, &error);
    g_assert_no_error(error);
    talk->client(talk);
    ostler_qmp_free(talk->qmp);
    g_assert_true(cpc_event_wait(&talk->fake_ended, 10000));
}

static void converse_as(const Step *script, void coroutine_fn (*client)(Talk *talk),
                        CoroutineEntry *entry)
{
    int far = -1;
    Talk talk = { .script = script,
                  .client = client,
                  .near = ostler_channel_pair(&far, NULL),
                  .events = g_string_new(NULL) };

    talk.far = ostler_channel_new_fd(far);
    cpc_run(entry, &talk);
    ostler_channel_free(talk.near);
    ostler_channel_free(talk.far);
    g_string_free(talk.events, TRUE);
    g_clear_error(&talk.closed);
}

static void converse(const Step *script, void coroutine_fn (*client)(Talk *talk))
{
    converse_as(script, client, run_client);
}

static char *coroutine_fn execute(Talk *talk, const char *command, int timeout_ms,
                                  GError **error)
{
    g_autoptr(json_object) result =
        ostler_qmp_execute(talk->qmp, command, NULL, timeout_ms, error);

    return result ? ostler_json_text(result) : NULL;
}

static void coroutine_fn assert_answer(Talk *talk, const char *command,
                                       const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = execute(talk, command, 10000, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}

static void coroutine_fn assert_fails(Talk *talk, GQuark domain, int code,
                                      const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = execute(talk, "stop", 60000, &error);

    g_assert_error(error, domain, code);
    g_assert_null(text);
    if (!strstr(error->message, words)) {
        g_error("\"%s\" was expected in \"%s\"", words, error->message);
    }
}

/* A command of another coroutine's, and what came of it. */
typedef struct {
    Talk *talk;
    const char *command;
    bool is_oob;
    char *text;
    GError *error;
    CoEvent done;
} Call;

static void coroutine_fn run_call(void *opaque)
{
    Call *call = opaque;
    g_autoptr(json_object) result =
        call->is_oob ? ostler_qmp_execute_oob(call->talk->qmp, call->command, NULL,
                                              10000, &call->error)
                     : ostler_qmp_execute(call->talk->qmp, call->command, NULL, 10000,
                                          &call->error);

    call->text = result ? ostler_json_text(result) : NULL;
    cpc_event_set(&call->done);
}

static void coroutine_fn start_call(Call *call, Talk *talk, const char *command)
{
    *call = (Call){ .talk = talk, .command = command };
    cpc_spawn(run_call, call);
}

/* @expected NULL: it was closed under way. */
static void coroutine_fn finish_call(Call *call, const char *expected)
{
    g_assert_true(cpc_event_wait(&call->done, 10000));
    g_assert_cmpstr(call->text, ==, expected);
    if (!expected) {
        g_assert_error(call->error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    }
    g_free(call->text);
    g_clear_error(&call->error);
}

/* --- conversations ---------------------------------------------------------------- */

static void coroutine_fn ask_what_was_agreed(Talk *talk)
{
    g_assert_true(ostler_qmp_has_oob(talk->qmp));
    g_assert_cmpint(ostler_qmp_version(talk->qmp), ==, 70222);
    assert_answer(talk, "query-status", "{\"running\":false}");
    assert_answer(talk, "query-nothing", "{}");
}

static void a_session_greets_agrees_and_asks(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"query-status\",\"id\":2}" },
        { SAY, "{\"return\": {\"running\": false}, \"id\": 2}\r\n" },
        { HEAR, "{\"execute\":\"query-nothing\",\"id\":3}" },
        { SAY, "{\"return\": null, \"id\": 3}\r\n" },
        { END },
    };
    converse(script, ask_what_was_agreed);
}

static void coroutine_fn try_oob(Talk *talk)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(ostler_qmp_has_oob(talk->qmp));
    g_assert_null(ostler_qmp_execute_oob(talk->qmp, "yank", json_object_new_object(),
                                         10000, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static void without_the_capability_nothing_goes_out_of_band(void)
{
    static const Step script[] = {
        { SAY, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n" },
        { HEAR, "{\"execute\":\"qmp_capabilities\",\"id\":1}" },
        { SAY, "{\"return\": {}, \"id\": 1}\n" },
        { END },
    };
    converse(script, try_oob);
}

static void coroutine_fn expect_events(Talk *talk)
{
    assert_answer(talk, "cont", "{}");
    g_assert_cmpstr(talk->events->str, ==, "RESUME -|SHUTDOWN {\"guest\":true}|");
}

static void events_between_a_command_and_its_answer_are_told(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"cont\",\"id\":2}" },
        { SAY, "{\"event\": \"RESUME\", \"timestamp\": {}}\r\n{\"event\": \"SHUT" },
        { SAY,
          "DOWN\", \"data\": {\"guest\": true}}\r\n{\"return\": {}, \"id\": 2}\r\n" },
        { END },
    };
    converse(script, expect_events);
}

static void coroutine_fn call_two(Talk *talk)
{
    Call first, second;

    start_call(&first, talk, "query-block");
    start_call(&second, talk, "query-cpus-fast");
    finish_call(&first, "[]");
    finish_call(&second, "[1]");
}

static void answers_find_their_commands_in_any_order(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"query-block\",\"id\":2}" },
        { HEAR, "{\"execute\":\"query-cpus-fast\",\"id\":3}" },
        { SAY, "{\"return\": [1], \"id\": 3}\r\n{\"return\": [], \"id\": 2}\r\n" },
        { END },
    };
    converse(script, call_two);
}

static void coroutine_fn give_up_and_go_on(Talk *talk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = execute(talk, "query-block", 20, &error);

    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    g_assert_nonnull(strstr(error->message, "'query-block'"));
    assert_answer(talk, "query-status", "{\"running\":true}");
}

static void a_late_answer_is_dropped(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"query-block\",\"id\":2}" },
        { HEAR, "{\"execute\":\"query-status\",\"id\":3}" },
        { SAY, "{\"return\": [\"late\"], \"id\": 2}\r\n" },
        { SAY, "{\"return\": \"to nobody\", \"id\": \"x\"}\r\n" },
        { SAY, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"d\"}}\r\n" },
        { SAY, "{\"return\": {\"running\": true}, \"id\": 3}\r\n" },
        { END },
    };
    converse(script, give_up_and_go_on);
}

static void coroutine_fn expect_nonsense(Talk *talk)
{
    assert_fails(talk, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "nonsense");
    assert_fails(talk, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "nonsense"); /* at once */
    g_assert_cmpuint(talk->n_closed, ==, 1);
    g_assert_error(talk->closed, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

static void nonsense_ends_the_session_for_good(void)
{
    static const char *const nonsense[] = {
        "QEMU 7.2.22 monitor - type 'help'\r\n",
        "{\"return\": {}, \"id\": 2\r\n",
        "[1]\n",
        "{\"timestamp\": {}}\n",
        "{\"event\": 7}\n",
        "{\"error\": {\"class\": \"GenericError\"}, \"id\": 2}\n",
        "\n",
        GREETING,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(nonsense); i++) {
        const Step script[] = {
            HELLO,
            { HEAR, "{\"execute\":\"stop\",\"id\":2}" },
            { SAY, nonsense[i] },
            { END },
        };
        converse(script, expect_nonsense);
    }
}

static void coroutine_fn expect_depth(Talk *talk)
{
    g_autofree char *open = g_strnfill(OSTLER_JSON_MAX_DEPTH - 1, '[');
    g_autofree char *close = g_strnfill(OSTLER_JSON_MAX_DEPTH - 1, ']');
    g_autofree char *nested = g_strconcat(open, close, NULL);

    assert_answer(talk, "query-block", nested);
}

/* As deep as JSON may be, on a coroutine's small stack. */
static void a_deep_answer_fits_a_coroutines_stack(void)
{
    g_autofree char *open = g_strnfill(OSTLER_JSON_MAX_DEPTH - 1, '[');
    g_autofree char *close = g_strnfill(OSTLER_JSON_MAX_DEPTH - 1, ']');
    g_autofree char *answer =
        g_strdup_printf("{\"return\": %s%s, \"id\": 2}\r\n", open, close);
    const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"query-block\",\"id\":2}" },
        { SAY, answer },
        { END },
    };
    converse(script, expect_depth);
}

static void coroutine_fn expect_long_line(Talk *talk)
{
    assert_fails(talk, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "over 16777216 bytes");
}

static void a_line_without_an_end_ends_the_session(void)
{
    g_autofree char *endless = g_strnfill(OSTLER_QMP_MAX_LINE + 4096, 'x');
    const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"stop\",\"id\":2}" },
        { SAY, endless },
        { END },
    };
    converse(script, expect_long_line);
}

static void coroutine_fn expect_cut_off(Talk *talk)
{
    assert_fails(talk, G_IO_ERROR, G_IO_ERROR_CLOSED, "in the middle of a message");
    assert_fails(talk, G_IO_ERROR, G_IO_ERROR_CLOSED, "in the middle of a message");
    g_assert_cmpuint(talk->n_closed, ==, 1);
}

static void qemu_dying_in_the_middle_of_an_answer_is_told(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"stop\",\"id\":2}" },
        { SAY, "{\"return\":" },
        { HANG_UP },
        { END },
    };
    converse(script, expect_cut_off);
}

static void coroutine_fn expect_closed(Talk *talk)
{
    assert_answer(talk, "quit", "{}");
    g_assert_true(cpc_event_wait(&talk->done, 10000));
    g_assert_error(talk->closed, G_IO_ERROR, G_IO_ERROR_CLOSED);
    assert_fails(talk, G_IO_ERROR, G_IO_ERROR_CLOSED, "QEMU closed its monitor");
}

static void qemu_dying_while_nobody_asks_is_told(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"quit\",\"id\":2}" },
        { SAY, "{\"return\": {}, \"id\": 2}\r\n" },
        { HANG_UP },
        { END },
    };
    converse(script, expect_closed);
}

static void coroutine_fn expect_refusal(Talk *talk, const char *class, int code)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = execute(talk, class, 10000, &error);

    g_assert_null(text);
    g_assert_error(error, OSTLER_QMP_ERROR, code);
    g_assert_nonnull(strstr(error->message, "because"));
}

static void coroutine_fn be_refused(Talk *talk)
{
    expect_refusal(talk, "a", OSTLER_QMP_ERROR_GENERIC);
    expect_refusal(talk, "b", OSTLER_QMP_ERROR_COMMAND_NOT_FOUND);
    expect_refusal(talk, "c", OSTLER_QMP_ERROR_DEVICE_NOT_FOUND);
    expect_refusal(talk, "d", OSTLER_QMP_ERROR_GENERIC);
}

#define REFUSE(class, id)                                                              \
    "{\"error\": {\"class\": \"" class "\", \"desc\": \"because\"}, \"id\": " id "}\r" \
                                       "\n"

static void refusals_have_their_class(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"a\",\"id\":2}" },
        { SAY, REFUSE("GenericError", "2") },
        { HEAR, "{\"execute\":\"b\",\"id\":3}" },
        { SAY, REFUSE("CommandNotFound", "3") },
        { HEAR, "{\"execute\":\"c\",\"id\":4}" },
        { SAY, REFUSE("DeviceNotFound", "4") },
        { HEAR, "{\"execute\":\"d\",\"id\":5}" },
        { SAY, REFUSE("Invented", "5") },
        { END },
    };
    converse(script, be_refused);
}

static void coroutine_fn free_under_two(Talk *talk)
{
    Call first, second;

    start_call(&first, talk, "a");
    start_call(&second, talk, "b");
    cpc_sleep_ms(0); /* the writer has its turn */
    g_clear_pointer(&talk->qmp, ostler_qmp_free);
    finish_call(&first, NULL);
    finish_call(&second, NULL);
    g_assert_cmpuint(talk->n_closed, ==, 0); /* it was our own doing */
}

static void freeing_fails_those_who_wait(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"a\",\"id\":2}" },
        { HEAR, "{\"execute\":\"b\",\"id\":3}" },
        { END },
    };
    converse(script, free_under_two);
}

static void coroutine_fn be_freed_by_an_event(Talk *talk)
{
    talk->free_on_event = true;
    assert_fails(talk, G_IO_ERROR, G_IO_ERROR_CLOSED, "was closed");
    g_assert_cmpstr(talk->events->str, ==, "STOP -|"); /* and no second one */
}

static void an_event_may_free_its_session(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"stop\",\"id\":2}" },
        { SAY, "{\"event\": \"STOP\"}\n{\"event\": \"RESUME\"}\n" },
        { END },
    };
    converse(script, be_freed_by_an_event);
}

/* Six of eight commands are under way; the out-of-band one comes next nonetheless. */
static void coroutine_fn crowd_and_overtake(Talk *talk)
{
    Call calls[8], oob = { .talk = talk, .command = "yank", .is_oob = true };
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };

    for (int i = 0; i < 8; i++) {
        start_call(&calls[i], talk, names[i]);
    }
    cpc_sleep_ms(0); /* the writer has its turn */
    cpc_spawn(run_call, &oob);
    finish_call(&oob, "\"oob\"");
    for (int i = 0; i < 8; i++) {
        finish_call(&calls[i], "{}");
    }
}

static void out_of_band_overtakes_a_crowd(void)
{
    static const Step script[] = {
        HELLO,
        { HEAR, "{\"execute\":\"a\",\"id\":2}" },
        { HEAR, "{\"execute\":\"b\",\"id\":3}" },
        { HEAR, "{\"execute\":\"c\",\"id\":4}" },
        { HEAR, "{\"execute\":\"d\",\"id\":5}" },
        { HEAR, "{\"execute\":\"e\",\"id\":6}" },
        { HEAR, "{\"execute\":\"f\",\"id\":7}" },
        { HEAR, "{\"exec-oob\":\"yank\",\"id\":10}" },
        { SAY, "{\"return\": \"oob\", \"id\": 10}\n" },
        { SAY, "{\"return\": {}, \"id\": 2}\n" },
        { HEAR, "{\"execute\":\"g\",\"id\":8}" },
        { SAY, "{\"return\": {}, \"id\": 3}\n" },
        { HEAR, "{\"execute\":\"h\",\"id\":9}" },
        { SAY, "{\"return\": {}, \"id\": 4}\n{\"return\": {}, \"id\": 5}\n"
               "{\"return\": {}, \"id\": 6}\n{\"return\": {}, \"id\": 7}\n"
               "{\"return\": {}, \"id\": 8}\n{\"return\": {}, \"id\": 9}\n" },
        { END },
    };
    converse(script, crowd_and_overtake);
}

/* --- without a script ------------------------------------------------------------- */

/* QEMU is stopped: it reads nothing, and the socket is soon full. */
static void coroutine_fn talk_to_the_stalled(void *opaque)
{
    Talk *talk = opaque;
    g_autofree char *big = g_strnfill(4 << 20, 'x');
    g_autoptr(GError) error = NULL;

    cpc_spawn(play_script, talk);
    talk->qmp = open_session(talk, 10000, &error);
    g_assert_no_error(error);
    json_object *arguments =
        ostler_json_object("data", json_object_new_string(big), NULL);
    g_assert_null(ostler_qmp_execute(talk->qmp, "big", arguments, 20, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    g_clear_error(&error);

    g_autofree char *text = execute(talk, "small", 20, &error);
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    ostler_qmp_free(talk->qmp);
}

static void a_qemu_that_reads_nothing_stalls_nobody(void)
{
    static const Step script[] = { HELLO, { END } };
    converse_as(script, NULL, talk_to_the_stalled);
}

static void coroutine_fn open_in_vain(void *opaque)
{
    Talk *talk = opaque;
    g_autoptr(GError) error = NULL;

    g_assert_null(open_session(talk, 20, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    g_assert_nonnull(strstr(error->message, "greet"));
    g_assert_cmpuint(talk->n_closed, ==, 0);
}

static void a_monitor_that_does_not_greet_times_out(void)
{
    converse_as(NULL, NULL, open_in_vain);
}

static void coroutine_fn open_what_is_no_monitor(void *opaque)
{
    Talk *talk = opaque;
    g_autoptr(GError) error = NULL;
    const char *text = "{\"return\": {}}\n";

    ostler_channel_write(talk->far, text, strlen(text), NULL);
    g_assert_null(open_session(talk, 10000, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    g_assert_cmpuint(talk->n_closed, ==, 0);
}

static void what_does_not_begin_with_a_greeting_is_no_monitor(void)
{
    converse_as(NULL, NULL, open_what_is_no_monitor);
}

static int coroutine_fn receive_fd(OstlerChannel *channel, char *text, size_t size)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = { .iov_base = text, .iov_len = size };
    struct msghdr message = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control.space) };
    int fd = -1;

    cpc_wait_fd(ostler_channel_fd(channel), G_IO_IN, 10000);
    ssize_t n = recvmsg(ostler_channel_fd(channel), &message, MSG_CMSG_CLOEXEC);
    g_assert_cmpint(n, >, 0);
    text[n] = '\0';
    g_assert_nonnull(CMSG_FIRSTHDR(&message));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    return fd;
}

static void coroutine_fn play_getfd(void *opaque)
{
    Talk *talk = opaque;
    char text[256];

    ostler_channel_write(talk->far, GREETING, strlen(GREETING), NULL);
    hear(talk, "{\"execute\":\"qmp_capabilities\",\"id\":1,"
               "\"arguments\":{\"enable\":[\"oob\"]}}");
    ostler_channel_write(talk->far, "{\"return\":{},\"id\":1}\n", 21, NULL);
    int fd = receive_fd(talk->far, text, sizeof(text) - 1);
    g_assert_cmpstr(text, ==,
                    "{\"execute\":\"getfd\",\"id\":2,\"arguments\":"
                    "{\"fdname\":\"disk\"}}\n");
    g_assert_cmpint(write(fd, "!", 1), ==, 1);
    close(fd);
    ostler_channel_write(talk->far, "{\"return\":{},\"id\":2}\n", 21, NULL);
}

static void coroutine_fn hand_over_a_pipe(void *opaque)
{
    Talk *talk = opaque;
    g_autoptr(GError) error = NULL;
    int pipe_fds[2];
    char byte = 0;

    g_assert_cmpint(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
    cpc_spawn(play_getfd, talk);
    g_autoptr(OstlerQmp) qmp = open_session(talk, 10000, &error);
    g_assert_no_error(error);
    g_assert_true(ostler_qmp_getfd(qmp, "disk", pipe_fds[1], &error));
    g_assert_cmpint(close(pipe_fds[1]), ==, 0);
    g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 1);
    g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 0); /* no duplicate is left open */
    close(pipe_fds[0]);
}

static void a_descriptor_is_handed_over(void)
{
    converse_as(NULL, NULL, hand_over_a_pipe);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/qmp/" #name, name)
    TEST(a_session_greets_agrees_and_asks);
    TEST(without_the_capability_nothing_goes_out_of_band);
    TEST(events_between_a_command_and_its_answer_are_told);
    TEST(answers_find_their_commands_in_any_order);
    TEST(a_late_answer_is_dropped);
    TEST(nonsense_ends_the_session_for_good);
    TEST(a_deep_answer_fits_a_coroutines_stack);
    TEST(a_line_without_an_end_ends_the_session);
    TEST(qemu_dying_in_the_middle_of_an_answer_is_told);
    TEST(qemu_dying_while_nobody_asks_is_told);
    TEST(refusals_have_their_class);
    TEST(freeing_fails_those_who_wait);
    TEST(an_event_may_free_its_session);
    TEST(out_of_band_overtakes_a_crowd);
    TEST(a_qemu_that_reads_nothing_stalls_nobody);
    TEST(a_monitor_that_does_not_greet_times_out);
    TEST(what_does_not_begin_with_a_greeting_is_no_monitor);
    TEST(a_descriptor_is_handed_over);
    return g_test_run();
}
