/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper-test.c - a guest's life, and every way of cutting it short
 *
 * Through libostler, as any program would.  The guests have no operating system: what is
 * tried here is what happens around QEMU.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <ostler/ostler.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static OstlerHost *host;

static void no_error(OstlerError *error)
{
    if (error) {
        g_test_message("%s", ostler_error_message(error));
        g_error("unexpected: %s", ostler_error_message(error));
    }
}

static OstlerGuest *define(const char *name, const char *more)
{
    OstlerError *error = NULL;
    g_autofree char *text = g_strdup_printf(
        "[guest]\nname = %s\nmachine = pc\naccel = tcg\nmemory = 32M\n%s", name, more);
    OstlerGuest *guest = ostler_host_define(host, text, "/test.guest", &error);

    no_error(error);
    return guest;
}

static void start(OstlerGuest *guest, const OstlerStartOptions *options)
{
    OstlerError *error = NULL;

    ostler_guest_start(guest, options, NULL, &error);
    no_error(error);
}

/* Start, and expect to be refused. */
static void start_fails(OstlerGuest *guest, const OstlerStartOptions *options,
                        OstlerErrorCode code, const char *words)
{
    OstlerError *error = NULL;

    g_assert_false(ostler_guest_start(guest, options, NULL, &error));
    g_test_message("%s", ostler_error_message(error));
    g_assert_cmpint(ostler_error_code(error), ==, code);
    g_assert_nonnull(strstr(ostler_error_message(error), words));
    ostler_error_free(error);
}

static void is_in(OstlerGuest *guest, OstlerState wanted, OstlerReason why)
{
    OstlerError *error = NULL;
    OstlerState state = OSTLER_STATE_SHUT_OFF;
    OstlerReason reason = OSTLER_REASON_UNKNOWN;

    ostler_guest_state(guest, &state, &reason, &error);
    no_error(error);
    g_assert_cmpstr(ostler_state_text(state), ==, ostler_state_text(wanted));
    g_assert_cmpstr(ostler_reason_text(reason), ==, ostler_reason_text(why));
}

static void wait_for(OstlerGuest *guest, OstlerState state)
{
    OstlerError *error = NULL;

    ostler_guest_wait(guest, OSTLER_STATE_MASK(state), 20000, NULL, &error);
    no_error(error);
}

static OstlerGuestInfo *info_of(OstlerGuest *guest)
{
    OstlerError *error = NULL;
    OstlerGuestInfo *info = ostler_guest_info(guest, &error);

    no_error(error);
    return info;
}

static void destroy(OstlerGuest *guest)
{
    OstlerError *error = NULL;

    ostler_guest_destroy(guest, &error);
    no_error(error);
}

static void wait_until_gone(int pid)
{
    for (unsigned i = 0; i < 2000 && kill(pid, 0) == 0; i++) {
        g_usleep(5000); /* somebody else's child: nothing tells us of its end */
    }
    g_assert_cmpint(kill(pid, 0), ==, -1);
}

static void kill_keeper(OstlerGuest *guest)
{
    OstlerGuestInfo *info = info_of(guest);
    int pid = info->keeper_pid;

    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
    wait_until_gone(pid);
    ostler_guest_info_free(info);
}

static char *write_script(const char *file, const char *text)
{
    char *path = g_build_filename(g_getenv("OSTLER_HOME"), file, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_chmod(path, 0700);
    return path;
}

/* --- a life --- */

static void a_guest_is_started_stopped_resumed_and_destroyed(void)
{
    OstlerError *error = NULL;
    OstlerGuest *guest = define("life", "");

    start(guest, NULL);
    is_in(guest, OSTLER_STATE_RUNNING, OSTLER_REASON_BOOTED);
    g_assert_true(ostler_guest_suspend(guest, &error));
    wait_for(guest, OSTLER_STATE_PAUSED);
    is_in(guest, OSTLER_STATE_PAUSED, OSTLER_REASON_USER);
    g_assert_true(ostler_guest_resume(guest, &error));
    wait_for(guest, OSTLER_STATE_RUNNING);
    destroy(guest);
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_DESTROYED);
    start(guest, NULL); /* at once */
    destroy(guest);
    ostler_guest_free(guest);
}

static void whoever_has_destroyed_a_guest_can_start_it_at_once(void)
{
    OstlerGuest *guest = define("again", "[nic.0]\n[share.s]\npath = /tmp\n");

    for (unsigned i = 0; i < 25; i++) {
        start(guest, NULL);
        g_usleep(i * 7919 % 20000);
        gint64 before = g_get_monotonic_time();
        destroy(guest);
        gint64 took = g_get_monotonic_time() - before;
        g_test_message("destroying took %" G_GINT64_FORMAT " us", took);
        g_assert_cmpint(took, <, 2 * G_USEC_PER_SEC); /* below any timeout of ours */
    }
    ostler_guest_free(guest);
}

static void a_guest_that_is_started_paused_waits(void)
{
    const OstlerStartOptions paused = { .is_paused = true };
    OstlerGuest *guest = define("paused", "");

    start(guest, &paused);
    is_in(guest, OSTLER_STATE_PAUSED, OSTLER_REASON_STARTING_UP);
    destroy(guest);
    ostler_guest_free(guest);
}

static void the_monitor_answers_in_its_own_words(void)
{
    OstlerError *error = NULL;
    OstlerGuest *guest = define("monitor", "");

    start(guest, NULL);
    g_autofree char *version =
        ostler_guest_qmp(guest, "{\"execute\":\"query-version\"}", 5000, &error);
    g_assert_nonnull(strstr(version, "\"return\""));
    g_autofree char *refusal =
        ostler_guest_qmp(guest, "{\"execute\":\"bogus\"}", 5000, &error);
    g_assert_nonnull(strstr(refusal, "CommandNotFound"));
    g_assert_null(ostler_guest_qmp(guest, "bogus", 5000, &error));
    g_assert_cmpint(ostler_error_code(error), ==, OSTLER_ERROR_ARGUMENT);
    ostler_error_free(error);
    destroy(guest);
    ostler_guest_free(guest);
}

static void events_tell_of_the_end(void)
{
    OstlerError *error = NULL;
    OstlerGuest *guest = define("events", "");

    start(guest, NULL);
    OstlerEvents *events = ostler_guest_events(guest, &error);
    no_error(error);
    destroy(guest);
    bool has_ended = false;
    for (char *event; (event = ostler_events_next(events, 10000, &error));) {
        has_ended |= strstr(event, "shut off") != NULL;
        ostler_free(event);
    }
    g_assert_true(has_ended);
    g_assert_cmpint(ostler_error_code(error), ==, OSTLER_ERROR_STATE);
    ostler_error_free(error);
    ostler_events_free(events);
    ostler_guest_free(guest);
}

static void a_guest_without_a_definition_is_forgotten_when_it_ends(void)
{
    OstlerError *error = NULL;
    OstlerGuest *guest = ostler_host_run(
        host, "[guest]\nname = passing\nmachine = pc\naccel = tcg\nmemory = 32M\n",
        "/x", NULL, NULL, &error);

    no_error(error);
    is_in(guest, OSTLER_STATE_RUNNING, OSTLER_REASON_BOOTED);
    destroy(guest);
    ostler_guest_free(guest);
    g_assert_null(ostler_host_find(host, "passing", &error));
    g_assert_cmpint(ostler_error_code(error), ==, OSTLER_ERROR_NO_GUEST);
    ostler_error_free(error);
}

/* --- killing --- */

static void a_killed_keeper_is_replaced_and_the_guest_goes_on(void)
{
    OstlerGuest *guest = define("orphan", "");

    start(guest, NULL);
    OstlerGuestInfo *before = info_of(guest);
    kill_keeper(guest);
    is_in(guest, OSTLER_STATE_RUNNING, OSTLER_REASON_BOOTED);
    OstlerGuestInfo *after = info_of(guest);
    g_assert_cmpint(after->pid, ==, before->pid);
    g_assert_cmpint(after->keeper_pid, !=, before->keeper_pid);
    destroy(guest);
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_DESTROYED);
    ostler_guest_info_free(before);
    ostler_guest_info_free(after);
    ostler_guest_free(guest);
}

/* Without a disk the firmware asks a DHCP server for one (iPXE). */
static OstlerGuestNet *wait_for_address(OstlerGuest *guest)
{
    OstlerError *error = NULL;
    OstlerGuestNet *net = ostler_guest_net(guest, 60000, &error);

    no_error(error);
    return net;
}

static void addresses_are_known_and_learnt_on_after_an_adoption(void)
{
    OstlerError *error = NULL;
    OstlerGuest *guest = define("addressed", "[nic.0]\n");
    g_autofree char *place = g_build_filename(g_getenv("OSTLER_HOME"), "run",
                                              "addressed", "status.json", NULL);
    g_autofree char *record = NULL;

    start(guest, NULL);
    OstlerGuestNet *before = wait_for_address(guest);
    for (unsigned i = 0; i < 400 && !(record && strstr(record, "10.0.2.15")); i++) {
        g_usleep(10000); /* the record follows within a second, and nobody is told */
        g_clear_pointer(&record, g_free);
        g_file_get_contents(place, &record, NULL, NULL);
    }
    kill_keeper(guest);

    OstlerGuestNet *after = ostler_guest_net(guest, 0, &error);
    no_error(error);
    g_assert_cmpuint(ostler_guest_net_n_addresses(after), >, 0);
    const OstlerGuestAddress *old = ostler_guest_net_address(before, 0);
    const OstlerGuestAddress *kept = ostler_guest_net_address(after, 0);
    g_assert_cmpstr(kept->address, ==, old->address);
    g_assert_cmpstr(kept->source, ==, old->source);
    g_assert_cmpint(kept->seen_at, ==, old->seen_at);

    g_assert_true(ostler_guest_reset(guest, &error));
    int64_t seen_at = 0;
    for (unsigned i = 0; i < 600 && seen_at <= kept->seen_at; i++) {
        OstlerGuestNet *net = ostler_guest_net(guest, 0, &error);
        no_error(error);
        seen_at = ostler_guest_net_address(net, 0)->seen_at;
        ostler_guest_net_free(net);
        g_usleep(100000); /* freshening an address is no event */
    }
    g_assert_cmpint(seen_at, >, kept->seen_at);
    ostler_guest_net_free(before);
    ostler_guest_net_free(after);
    destroy(guest);
    ostler_guest_free(guest);
}

/* The pid that a script has left in @file, 0 before. */
static int pid_in(const char *file)
{
    g_autofree char *path = g_build_filename(g_getenv("OSTLER_HOME"), file, NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? atoi(text) : 0;
}

static void passt_outlives_its_keeper_and_goes_with_the_guest(void)
{
    const char *home = g_getenv("OSTLER_HOME");
    OstlerGuest *guest = define("passt", "[nic.0]\ntype = passt\n");
    /* Reads what QEMU sends it to the end, as passt does. */
    g_autofree char *script =
        write_script("passt", "#!/bin/sh\necho $$ >\"$OSTLER_HOME/passt.pid\"\n"
                              "exec cat <&3 >/dev/null\n");

    g_setenv("OSTLER_PROGRAMS", home, TRUE);
    start(guest, NULL);
    g_unsetenv("OSTLER_PROGRAMS");
    int passt = 0;
    for (unsigned i = 0; i < 2000 && !(passt = pid_in("passt.pid")); i++) {
        g_usleep(5000);
    }
    g_usleep(200000); /* it would have read the end by then */
    g_assert_cmpint(kill(passt, 0), ==, 0);
    kill_keeper(guest);
    is_in(guest, OSTLER_STATE_RUNNING, OSTLER_REASON_BOOTED);
    g_assert_cmpint(kill(passt, 0), ==, 0);
    destroy(guest);
    wait_until_gone(passt);
    ostler_guest_free(guest);
}

static void a_passt_that_does_not_leave_is_ended_with_the_guest(void)
{
    const char *home = g_getenv("OSTLER_HOME");
    OstlerGuest *guest = define("stubborn", "[nic.0]\ntype = passt\n");
    g_autofree char *script =
        write_script("passt", "#!/bin/sh\necho $$ >\"$OSTLER_HOME/stubborn.pid\"\n"
                              "exec sleep 1000\n");
    int passt = 0;

    g_setenv("OSTLER_PROGRAMS", home, TRUE);
    start(guest, NULL);
    g_unsetenv("OSTLER_PROGRAMS");
    for (unsigned i = 0; i < 2000 && !(passt = pid_in("stubborn.pid")); i++) {
        g_usleep(5000);
    }
    kill_keeper(guest);
    is_in(guest, OSTLER_STATE_RUNNING, OSTLER_REASON_BOOTED);
    destroy(guest);
    wait_until_gone(passt);
    ostler_guest_free(guest);
}

static void a_guest_that_ends_with_its_keeper_does(void)
{
    const OstlerStartOptions tied = { .ends_with_keeper = true };
    OstlerGuest *guest = define("tied", "");

    start(guest, &tied);
    OstlerGuestInfo *info = info_of(guest);
    kill_keeper(guest);
    wait_until_gone(info->pid);
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_LOST);
    start(guest, NULL);
    destroy(guest);
    ostler_guest_info_free(info);
    ostler_guest_free(guest);
}

static void a_killed_qemu_is_a_crash_that_names_the_signal(void)
{
    OstlerGuest *guest = define("victim", "");

    start(guest, NULL);
    OstlerGuestInfo *info = info_of(guest);
    kill(info->pid, SIGKILL);
    wait_for(guest, OSTLER_STATE_SHUT_OFF);
    ostler_guest_info_free(info);
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_CRASHED);
    info = info_of(guest);
    g_assert_nonnull(strstr(info->why, "signal 9"));
    ostler_guest_info_free(info);
    ostler_guest_free(guest);
}

static void a_qemu_that_hangs_can_still_be_destroyed(void)
{
    OstlerGuest *guest = define("hung", "");

    start(guest, NULL);
    OstlerGuestInfo *info = info_of(guest);
    kill(info->pid, SIGSTOP);
    destroy(guest);
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_DESTROYED);
    ostler_guest_info_free(info);
    ostler_guest_free(guest);
}

static void a_start_outlives_whoever_asked_for_it(void)
{
    OstlerGuest *guest = define("abandoned", "");
    pid_t child = fork();

    if (child == 0) {
        OstlerHost *own = ostler_host_open(NULL);
        OstlerGuest *same = ostler_host_find(own, "abandoned", NULL);
        ostler_guest_start(same, NULL, NULL, NULL);
        _exit(0);
    }
    g_autofree char *place = g_build_filename(g_getenv("OSTLER_HOME"), "run",
                                              "abandoned", "status.json", NULL);
    while (!g_file_test(place, G_FILE_TEST_EXISTS)) {
        g_usleep(500); /* the moment is what is tested: the keeper has just begun */
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    wait_for(guest, OSTLER_STATE_RUNNING);
    destroy(guest);
    ostler_guest_free(guest);
}

static gpointer start_in_thread(gpointer name)
{
    OstlerError *error = NULL;
    OstlerHost *own = ostler_host_open(NULL);
    OstlerGuest *guest = ostler_host_find(own, name, NULL);
    bool is_started = ostler_guest_start(guest, NULL, NULL, &error);
    int code = is_started ? 0 : (int)ostler_error_code(error);

    ostler_error_free(error);
    ostler_guest_free(guest);
    ostler_host_free(own);
    return GINT_TO_POINTER(code);
}

static void of_two_starts_at_once_one_wins(void)
{
    OstlerGuest *guest = define("contested", "");
    GThread *one = g_thread_new("one", start_in_thread, (gpointer) "contested");
    GThread *two = g_thread_new("two", start_in_thread, (gpointer) "contested");
    int first = GPOINTER_TO_INT(g_thread_join(one));
    int second = GPOINTER_TO_INT(g_thread_join(two));

    g_assert_cmpint(MIN(first, second), ==, 0);
    g_assert_cmpint(MAX(first, second), ==, OSTLER_ERROR_STATE);
    destroy(guest);
    ostler_guest_free(guest);
}

/* --- odd places --- */

static void any_name_will_do(void)
{
    OstlerGuest *guest = define("Größe 1 – 大きさ", "");

    start(guest, NULL);
    destroy(guest);
    ostler_guest_free(guest);
}

static void a_run_directory_may_be_longer_than_a_socket_address(void)
{
    g_autofree char *name = g_strnfill(180, 'n');
    OstlerGuest *guest = define(name, "");

    start(guest, NULL);
    kill_keeper(guest);
    is_in(guest, OSTLER_STATE_RUNNING, OSTLER_REASON_BOOTED);
    destroy(guest);
    ostler_guest_free(guest);
}

static void what_a_power_cut_left_is_no_guest(void)
{
    OstlerGuest *guest = define("cut", "");
    g_autofree char *place =
        g_build_filename(g_getenv("OSTLER_HOME"), "run", "cut", NULL);
    g_autofree char *record = g_build_filename(place, "status.json", NULL);
    g_autofree char *lock = g_build_filename(place, "keeper.lock", NULL);
    g_autofree char *socket = g_build_filename(place, "qmp.sock", NULL);
    static const char text[] = "{\"state\":\"running\",\"pid\":1,\"pid-start-time\":1}";

    g_mkdir_with_parents(place, 0700);
    g_assert_true(g_file_set_contents(record, text, -1, NULL));
    g_assert_true(g_file_set_contents(lock, "", 0, NULL));
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_LOST);
    start(guest, NULL);
    destroy(guest);
    g_assert_false(g_file_test(socket, G_FILE_TEST_EXISTS));
    ostler_guest_free(guest);
}

static void a_damaged_record_does_not_prevent_a_start(void)
{
    OstlerGuest *guest = define("damaged", "");
    g_autofree char *record = g_build_filename(g_getenv("OSTLER_HOME"), "run",
                                               "damaged", "status.json", NULL);
    g_autofree char *place = g_path_get_dirname(record);

    g_mkdir_with_parents(place, 0700);
    g_assert_true(g_file_set_contents(record, "{\"state\":", -1, NULL));
    start(guest, NULL);
    destroy(guest);
    ostler_guest_free(guest);
}

static void a_qemu_that_refuses_is_quoted(void)
{
    OstlerGuest *guest = define("refused", "[qemu]\nargument = -nonsense\n");

    start_fails(guest, NULL, OSTLER_ERROR_FAILED, "-nonsense: invalid option");
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_FAILED);
    ostler_guest_free(guest);
}

/* A QEMU that is asked what its machines are like answers, but starts nothing. */
static void a_qemu_that_never_answers_is_given_up(void)
{
    const OstlerStartOptions hurried = { .timeout_ms = 300 };
    g_autofree char *script = write_script(
        "qemu-silent", "#!/bin/sh\n"
                       "case \" $* \" in *guest=*) exec sleep 1000 ;; esac\n"
                       "exec qemu-system-x86_64 \"$@\"\n");
    g_autofree char *more = g_strdup_printf("emulator = %s\n", script);
    OstlerGuest *guest = define("silent", more);

    start_fails(guest, &hurried, OSTLER_ERROR_TIMED_OUT, "");
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_FAILED);
    ostler_guest_free(guest);
}

static void a_full_disk_is_said_and_nothing_is_left_running(void)
{
    const char *home = g_getenv("OSTLER_HOME");
    g_autofree char *place = g_build_filename(home, "run", "full", NULL);
    OstlerGuest *guest = define("full", "");

    g_mkdir_with_parents(place, 0700);
    if (mount("tmpfs", place, "tmpfs", 0, "size=4k,mode=700") < 0) {
        g_test_skip("mounting a small tmpfs needs root");
    } else {
        g_autofree char *filler = g_build_filename(place, "filler", NULL);
        g_assert_true(g_file_set_contents(filler, "full", -1, NULL));
        start_fails(guest, NULL, OSTLER_ERROR_FAILED, "No space left");
        g_unlink(filler);
        is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_UNKNOWN);
        umount2(place, MNT_DETACH);
        start(guest, NULL);
        destroy(guest);
    }
    ostler_guest_free(guest);
}

/* --- what runs beside QEMU --- */

static unsigned count_lines(const char *path)
{
    g_autofree char *text = NULL;
    unsigned n = 0;

    if (g_file_get_contents(path, &text, NULL, NULL)) {
        for (char *c = text; *c; c++) {
            n += *c == '\n';
        }
    }
    return n;
}

static void a_side_program_that_ends_is_started_again(void)
{
    const char *home = g_getenv("OSTLER_HOME");
    g_autofree char *starts = g_build_filename(home, "starts", NULL);
    g_autofree char *script =
        write_script("ostler-mtp", "#!/bin/sh\necho start >> \"$OSTLER_HOME/starts\"\n"
                                   "echo 'a last word' >&2\nexit 3\n");
    OstlerGuest *guest = define("sides", "[share.docs]\npath = /tmp\n");

    g_setenv("OSTLER_PROGRAMS", home, TRUE);
    start(guest, NULL);
    g_unsetenv("OSTLER_PROGRAMS");
    for (unsigned i = 0; i < 400 && count_lines(starts) < 3; i++) {
        g_usleep(25000);
    }
    g_assert_cmpuint(count_lines(starts), >=, 3);
    is_in(guest, OSTLER_STATE_RUNNING, OSTLER_REASON_BOOTED);
    g_autofree char *log = ostler_guest_log(guest, OSTLER_LOG_KEEPER, NULL, NULL);
    g_assert_nonnull(strstr(log, "ostler-mtp: a last word"));
    g_assert_nonnull(strstr(log, "exited with status 3; starting it again in 100 ms"));
    destroy(guest);
    ostler_guest_free(guest);
}

/* For a keeper that is started by hand, so that nobody says when it is there. */
static void wait_until_attended(const char *name)
{
    g_autofree char *socket =
        g_build_filename(g_getenv("OSTLER_HOME"), "run", name, "control.sock", NULL);

    while (!g_file_test(socket, G_FILE_TEST_EXISTS)) {
        g_usleep(1000);
    }
}

static void a_keeper_that_is_asked_to_end_ends_its_guest(void)
{
    OstlerGuest *guest = define("asked", "");
    const char *const argv[] = { g_getenv("OSTLER_KEEPER"), "--stop-timeout=1", "asked",
                                 NULL };
    GPid keeper;

    g_assert_true(g_spawn_async(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                NULL, NULL, &keeper, NULL));
    wait_until_attended("asked");
    wait_for(guest, OSTLER_STATE_RUNNING);
    kill(keeper, SIGTERM);
    wait_for(guest, OSTLER_STATE_SHUT_OFF);
    int status;
    waitpid(keeper, &status, 0);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_DESTROYED);
    ostler_guest_free(guest);
}

/*
 * A boot sector that says R on the first serial port, waits for a byte from it, and
 * powers off: pc's PM1a control register, sleep type 0, sleep enable (ACPI 4.8.3.2.1).
 */
static char *write_boot_sector(void)
{
    static const guint8 code[] = {
        0xba, 0xf8, 0x03, 0xb0, 'R',  0xee, /* mov dx,0x3f8; mov al,'R'; out dx,al */
        0xba, 0xfd, 0x03,                   /* mov dx,0x3fd */
        0xec, 0xa8, 0x01, 0x74, 0xfb,       /* 1: in al,dx; test al,1; jz 1b */
        0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, /* mov dx,0x604; mov ax,0x2000 */
        0xef, 0xf4, 0xeb, 0xfd,             /* out dx,ax; 2: hlt; jmp 2b */
    };
    char sector[512] = { 0 };
    char *path = g_build_filename(g_getenv("OSTLER_HOME"), "boot.raw", NULL);

    memcpy(sector, code, sizeof(code));
    sector[510] = 0x55;
    sector[511] = (char)0xaa;
    g_assert_true(g_file_set_contents(path, sector, sizeof(sector), NULL));
    g_assert_cmpint(truncate(path, 1 << 20), ==, 0); /* SeaBIOS boots no smaller one */
    return path;
}

static void wait_for_byte(int console, char wanted)
{
    char byte = 0;

    while (byte != wanted) {
        g_assert_cmpint(read(console, &byte, 1), ==, 1);
    }
}

static void wait_for_event(OstlerEvents *events, const char *words)
{
    OstlerError *error = NULL;
    bool has_come = false;

    while (!has_come) {
        char *event = ostler_events_next(events, 20000, &error);
        no_error(error);
        has_come = strstr(event, words) != NULL;
        ostler_free(event);
    }
}

static void a_reboot_that_the_guest_ignored_is_forgotten(void)
{
    g_autofree char *disk = write_boot_sector();
    g_autofree char *more =
        g_strdup_printf("[disk.boot]\nfile = %s\nformat = raw\n[serial.0]\n", disk);
    OstlerGuest *guest = define("deaf", more);
    OstlerError *error = NULL;
    const char *const argv[] = { g_getenv("OSTLER_KEEPER"), "--reboot-timeout=2",
                                 "deaf", NULL };
    GPid keeper;

    g_assert_true(g_spawn_async(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                NULL, NULL, &keeper, NULL));
    wait_until_attended("deaf");
    wait_for(guest, OSTLER_STATE_RUNNING);
    int console = ostler_guest_console(guest, true, &error);
    no_error(error);

    /* In time, it is a reboot. */
    wait_for_byte(console, 'R');
    g_assert_true(ostler_guest_reboot(guest, &error));
    g_assert_cmpint(write(console, "x", 1), ==, 1);
    wait_for_byte(console, 'R');
    /* Later, it is the guest's own wish. */
    OstlerEvents *events = ostler_guest_events(guest, &error);
    no_error(error);
    g_assert_true(ostler_guest_reboot(guest, &error));
    wait_for_event(events, "\"user\"");
    wait_for_event(events, "\"booted\"");
    g_assert_cmpint(write(console, "x", 1), ==, 1);
    wait_for(guest, OSTLER_STATE_SHUT_OFF);
    is_in(guest, OSTLER_STATE_SHUT_OFF, OSTLER_REASON_SHUTDOWN);
    waitpid(keeper, NULL, 0);
    close(console);
    ostler_events_free(events);
    ostler_guest_free(guest);
}

/* --- size --- */

static void a_keeper_is_small(void)
{
    OstlerGuest *guest = define("small", "[nic.0]\n[serial.0]\n");
    unsigned long kib = 0;

    start(guest, NULL);
    OstlerGuestInfo *info = info_of(guest);
    g_autofree char *path = g_strdup_printf("/proc/%d/status", info->keeper_pid);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(sscanf(strstr(text, "VmRSS:"), "VmRSS: %lu kB", &kib), ==, 1);
    g_test_message("%lu KiB resident", kib);
    if (OSTLER_IS_SANITIZED) {
        g_test_skip("a sanitizer's own memory counts as well");
    } else {
        g_assert_cmpuint(kib, <=, 8192);
    }
    destroy(guest);
    ostler_guest_info_free(info);
    ostler_guest_free(guest);
}

static void remove_tree(const char *path)
{
    const char *const argv[] = { "rm", "-rf", path, NULL };

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                 NULL, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *home = g_dir_make_tmp("ostler-keeper-XXXXXX", NULL);
    g_setenv("OSTLER_HOME", home, TRUE);
    host = ostler_host_open(NULL);
#define TEST(name) g_test_add_func("/keeper/" #name, name)
    TEST(a_guest_is_started_stopped_resumed_and_destroyed);
    TEST(whoever_has_destroyed_a_guest_can_start_it_at_once);
    TEST(a_guest_that_is_started_paused_waits);
    TEST(the_monitor_answers_in_its_own_words);
    TEST(events_tell_of_the_end);
    TEST(a_guest_without_a_definition_is_forgotten_when_it_ends);
    TEST(a_killed_keeper_is_replaced_and_the_guest_goes_on);
    TEST(addresses_are_known_and_learnt_on_after_an_adoption);
    TEST(passt_outlives_its_keeper_and_goes_with_the_guest);
    TEST(a_passt_that_does_not_leave_is_ended_with_the_guest);
    TEST(a_guest_that_ends_with_its_keeper_does);
    TEST(a_killed_qemu_is_a_crash_that_names_the_signal);
    TEST(a_qemu_that_hangs_can_still_be_destroyed);
    TEST(a_start_outlives_whoever_asked_for_it);
    TEST(of_two_starts_at_once_one_wins);
    TEST(any_name_will_do);
    TEST(a_run_directory_may_be_longer_than_a_socket_address);
    TEST(what_a_power_cut_left_is_no_guest);
    TEST(a_damaged_record_does_not_prevent_a_start);
    TEST(a_qemu_that_refuses_is_quoted);
    TEST(a_qemu_that_never_answers_is_given_up);
    TEST(a_full_disk_is_said_and_nothing_is_left_running);
    TEST(a_side_program_that_ends_is_started_again);
    TEST(a_keeper_that_is_asked_to_end_ends_its_guest);
    TEST(a_reboot_that_the_guest_ignored_is_forgotten);
    TEST(a_keeper_is_small);
    int code = g_test_run();
    ostler_host_free(host);
    remove_tree(home);
    return code;
}
