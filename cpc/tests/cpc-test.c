/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every backend must do.  Nothing here knows which one it is linked with: the same
 * file is built and run for each.
 */
#include <cpc/glib.h>
#include <cpc/lock.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What happened, a letter each, in order. */
static GString *story;

static void tell(const char *what)
{
    g_string_append(story, what);
}

#define assert_story(expected)                                                         \
    G_STMT_START                                                                       \
    {                                                                                  \
        g_assert_cmpstr(story->str, ==, expected);                                     \
        g_string_truncate(story, 0);                                                   \
    }                                                                                  \
    G_STMT_END

/* The child does @act and must die of a broken invariant, saying @why. */
static void assert_abort(void (*act)(void), const char *why)
{
    if (g_test_subprocess()) {
        act();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr(why);
}

/* --- life --------------------------------------------------------------------- */

static void coroutine_fn note_self(void *opaque)
{
    Coroutine **self = opaque;

    g_assert_true(cpc_in_coroutine());
    *self = cpc_self();
}

static void entry_runs_as_itself_and_only_when_entered(void)
{
    Coroutine *seen = NULL;
    Coroutine *co = cpc_create(note_self, &seen);

    g_assert_null(seen);
    cpc_enter(co);
    g_assert_true(seen == co);
    g_assert_null(cpc_self());
    g_assert_false(cpc_in_coroutine());
}

static void coroutine_fn count_to_three(void *opaque)
{
    int *count = opaque;

    for (int i = 0; i < 3; i++) {
        *count += 1;
        cpc_yield();
    }
    *count = -1;
}

static void each_enter_goes_on_after_the_last_yield(void)
{
    int count = 0;
    Coroutine *co = cpc_create(count_to_three, &count);

    for (int i = 1; i <= 3; i++) {
        cpc_enter(co);
        g_assert_cmpint(count, ==, i);
    }
    cpc_enter(co);
    g_assert_cmpint(count, ==, -1);
}

typedef struct {
    int depth;
    int max_depth;
    Coroutine *parent;
} Nest;

static void coroutine_fn nest(void *opaque)
{
    Nest *mine = opaque;

    if (mine->depth < mine->max_depth) {
        Nest below = { mine->depth + 1, mine->max_depth, cpc_self() };
        Coroutine *co = cpc_create(nest, &below);

        g_assert_true(cpc_self() != mine->parent);
        cpc_enter(co);
        tell("[");
        cpc_enter(co);
        tell("]");
        g_assert_true(cpc_self() == below.parent);
    }
    cpc_yield();
}

static void a_coroutine_returns_to_who_entered_it(void)
{
    Nest top = { 1, 50, NULL };
    Coroutine *co = cpc_create(nest, &top);

    cpc_enter(co);
    g_assert_null(cpc_self());
    cpc_enter(co);
    g_assert_cmpuint(story->len, ==, 2 * 49);
    g_assert_true(g_str_has_prefix(story->str, "[]["));
    g_string_truncate(story, 0);
}

static int coroutine_fn sum_with_yields(int n)
{
    char pad[64];

    memset(pad, n, sizeof(pad));
    cpc_yield();
    int rest = n == 0 ? 0 : sum_with_yields(n - 1);
    g_assert_cmpint(pad[n % 64], ==, (char)n);
    return n + rest;
}

static void coroutine_fn sum_entry(void *opaque)
{
    int *sum = opaque;

    *sum = sum_with_yields(*sum);
}

static void a_yield_from_deep_calls_keeps_every_frame(void)
{
    int sum = 200;
    Coroutine *co = cpc_create(sum_entry, &sum);

    for (int i = 0; i <= 201; i++) {
        g_assert_cmpint(sum, ==, 200);
        cpc_enter(co);
    }
    g_assert_cmpint(sum, ==, 200 * 201 / 2);
}

static void coroutine_fn add_one(void *opaque)
{
    *(int *)opaque += 1;
}

static void a_hundred_thousand_come_and_go(void)
{
    int count = 0;

    for (int i = 0; i < 100000; i++) {
        cpc_spawn(add_one, &count);
    }
    g_assert_cmpint(count, ==, 100000);
}

static void coroutine_fn add_one_twice(void *opaque)
{
    int *count = opaque;

    *count += 1;
    cpc_yield();
    *count += 1;
}

static void a_thousand_are_alive_at_once(void)
{
    static Coroutine *alive[1000];
    int count = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(alive); i++) {
        alive[i] = cpc_create(add_one_twice, &count);
        cpc_enter(alive[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(alive); i++) {
        cpc_enter(alive[i]);
    }
    g_assert_cmpint(count, ==, 2000);
}

static void coroutine_fn enter_given(void *opaque)
{
    Coroutine **co = opaque;

    cpc_enter(*co);
}

static void enter_oneself(void)
{
    Coroutine *co = cpc_create(enter_given, &co);

    cpc_enter(co);
}

static void entering_a_running_coroutine_aborts(void)
{
    assert_abort(enter_oneself, "*entered that is running already*");
}

static void coroutine_fn enter_next(void *opaque)
{
    Coroutine **chain = opaque;

    cpc_enter(*chain);
}

static void enter_the_enterer(void)
{
    static Coroutine *lower, *upper;

    upper = cpc_create(enter_next, &lower);
    lower = cpc_create(enter_next, &upper);
    cpc_enter(upper);
}

static void entering_the_enterer_aborts(void)
{
    assert_abort(enter_the_enterer, "*entered that is running already*");
}

static void coroutine_fn nothing(void *opaque)
{
}

#define OVERFLOW_SIZE (32u << 20)

static int use_stack(unsigned size)
{
    volatile char frame[512];

    frame[0] = (char)size;
    /* Its address gets out, or clang makes a loop of this. */
    __asm__ volatile("" : : "r"(frame) : "memory");
    return size > sizeof(frame) ? use_stack(size - (unsigned)sizeof(frame)) + frame[0]
                                : 0;
}

static void coroutine_fn overflow(void *opaque)
{
    *(volatile int *)opaque = use_stack(OVERFLOW_SIZE);
}

static void coroutine_fn yield_once(void *opaque)
{
    cpc_yield();
}

static void coroutine_fn yield_for_another(void)
{
    cpc_yield();
}

static void coroutine_fn let_another_yield(void *opaque)
{
    yield_for_another();
}

/* Compiled to continuations there is no frame at all then. */
static void who_yields_last_of_all_ends_when_entered(void)
{
    for (int i = 0; i < 2; i++) {
        Coroutine *co = cpc_create(let_another_yield, NULL);
        cpc_enter(co);
        g_assert_null(cpc_self());
        cpc_enter(co);
        g_assert_null(cpc_self());
    }
}

/* Other stacks lie where the overflow would go, so that without a guard it succeeds. */
static void overflow_among_others(void)
{
    int used;
    Coroutine *co = cpc_create(overflow, &used);

    for (int i = 0; i < 200; i++) {
        cpc_spawn(yield_once, NULL);
    }
    cpc_enter(co);
}

static void an_overflow_dies_by_sigsegv(void)
{
    static const struct rlimit no_core = { 0, 0 };
    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        /* A sanitizer's handler would turn the signal into an exit status. */
        signal(SIGSEGV, SIG_DFL);
        overflow_among_others();
        _exit(0);
    }
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGSEGV);
}

/* --- who runs next ------------------------------------------------------------- */

typedef struct {
    CoQueue *queue;
    CoMutex *mutex;
    const char *name;
} Sleeper;

static void coroutine_fn sleep_in_queue(void *opaque)
{
    Sleeper *mine = opaque;

    if (mine->mutex) {
        cpc_mutex_lock(mine->mutex);
    }
    cpc_queue_wait(mine->queue, mine->mutex);
    tell(mine->name);
    if (mine->mutex) {
        g_assert_true(mine->mutex->holder == cpc_self());
        cpc_mutex_unlock(mine->mutex);
    }
}

static void fill_queue(Sleeper *sleepers, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        cpc_spawn(sleep_in_queue, &sleepers[i]);
    }
}

static void a_queue_wakes_in_order_of_arrival(void)
{
    CoQueue queue = { NULL, NULL };
    Sleeper sleepers[] = { { &queue, NULL, "a" },
                           { &queue, NULL, "b" },
                           { &queue, NULL, "c" } };

    g_assert_true(cpc_queue_is_empty(&queue));
    g_assert_false(cpc_queue_next(&queue));
    fill_queue(sleepers, 3);
    g_assert_false(cpc_queue_is_empty(&queue));
    assert_story("");
    g_assert_true(cpc_queue_next(&queue));
    assert_story("a");
    cpc_queue_all(&queue);
    assert_story("bc");
    g_assert_true(cpc_queue_is_empty(&queue));
}

static void coroutine_fn sleep_in_queue_twice(void *opaque)
{
    sleep_in_queue(opaque);
    sleep_in_queue(opaque);
}

static void who_waits_again_is_not_woken_twice(void)
{
    CoQueue queue = { NULL, NULL };
    Sleeper sleeper = { &queue, NULL, "a" };

    cpc_spawn(sleep_in_queue_twice, &sleeper);
    cpc_queue_all(&queue);
    assert_story("a");
    cpc_queue_all(&queue);
    assert_story("a");
}

static void coroutine_fn wake_all_then_go_on(void *opaque)
{
    cpc_queue_all(opaque);
    tell("W");
    cpc_yield();
    tell("X");
}

static void who_wakes_goes_on_until_it_stops(void)
{
    CoQueue queue = { NULL, NULL };
    Sleeper sleepers[] = { { &queue, NULL, "a" }, { &queue, NULL, "b" } };
    Coroutine *waker = cpc_create(wake_all_then_go_on, &queue);

    fill_queue(sleepers, 2);
    cpc_enter(waker);
    assert_story("Wab");
    cpc_enter(waker);
    assert_story("X");
}

static CoQueue later_queue;

static void coroutine_fn wake_later_queue(void *opaque)
{
    cpc_queue_wait(opaque, NULL);
    tell("1");
    cpc_queue_all(&later_queue);
}

static void the_woken_of_the_woken_go_first(void)
{
    CoQueue queue = { NULL, NULL };
    Sleeper second = { &queue, NULL, "3" };
    Sleeper later = { &later_queue, NULL, "2" };

    cpc_spawn(wake_later_queue, &queue);
    cpc_spawn(sleep_in_queue, &second);
    cpc_spawn(sleep_in_queue, &later);
    Coroutine *waker = cpc_create(wake_all_then_go_on, &queue);
    cpc_enter(waker);
    assert_story("W123");
    cpc_enter(waker);
    assert_story("X");
}

static void coroutine_fn wake_under_mutex(void *opaque)
{
    Sleeper *mine = opaque;

    cpc_mutex_lock(mine->mutex);
    cpc_queue_all(mine->queue);
    tell("w");
    cpc_mutex_unlock(mine->mutex);
}

static void a_queue_drops_the_mutex_while_asleep(void)
{
    CoQueue queue = { NULL, NULL };
    CoMutex mutex = { 0 };
    Sleeper sleepers[] = { { &queue, &mutex, "a" }, { &queue, &mutex, "b" } };

    fill_queue(sleepers, 2);
    g_assert_null(mutex.holder);
    cpc_spawn(wake_under_mutex, &sleepers[0]);
    assert_story("wab");
    g_assert_null(mutex.holder);
}

static void enter_the_queued(void)
{
    CoQueue queue = { NULL, NULL };
    Sleeper sleeper = { &queue, NULL, "a" };
    Coroutine *co = cpc_create(sleep_in_queue, &sleeper);

    cpc_enter(co);
    cpc_enter(co);
}

static void entering_who_waits_in_a_queue_aborts(void)
{
    assert_abort(enter_the_queued, "*waits in a queue was entered by somebody else*");
}

/* --- locks --------------------------------------------------------------------- */

typedef struct {
    CoMutex *mutex;
    const char *name;
    Coroutine *co;
} Locker;

static void coroutine_fn lock_yield_unlock(void *opaque)
{
    Locker *mine = opaque;

    mine->co = cpc_self();
    cpc_mutex_lock(mine->mutex);
    tell(mine->name);
    cpc_yield();
    cpc_mutex_unlock(mine->mutex);
    tell("-");
}

static void a_mutex_is_handed_over_in_order(void)
{
    CoMutex mutex = { 0 };
    Locker lockers[] = { { &mutex, "a", NULL },
                         { &mutex, "b", NULL },
                         { &mutex, "c", NULL } };

    for (unsigned i = 0; i < 3; i++) {
        cpc_spawn(lock_yield_unlock, &lockers[i]);
    }
    assert_story("a");
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(mutex.holder == lockers[i].co);
        cpc_enter(lockers[i].co);
    }
    assert_story("-b-c-");
    g_assert_null(mutex.holder);
}

static void coroutine_fn unlock_and_lock_again(void *opaque)
{
    Locker *mine = opaque;

    mine->co = cpc_self();
    cpc_mutex_lock(mine->mutex);
    cpc_yield();
    cpc_mutex_unlock(mine->mutex);
    cpc_mutex_lock(mine->mutex);
    tell("again");
    cpc_mutex_unlock(mine->mutex);
}

static void who_unlocks_cannot_overtake_who_waits(void)
{
    CoMutex mutex = { 0 };
    Locker greedy = { &mutex, "", NULL }, patient = { &mutex, "patient ", NULL };

    cpc_spawn(unlock_and_lock_again, &greedy);
    cpc_spawn(lock_yield_unlock, &patient);
    cpc_enter(greedy.co);
    assert_story("patient ");
    cpc_enter(patient.co);
    assert_story("-again");
}

static void coroutine_fn unlock_given(void *opaque)
{
    cpc_mutex_unlock(opaque);
}

static void unlock_of_another(void)
{
    CoMutex mutex = { 0 };
    Locker holder = { &mutex, "a", NULL };

    cpc_spawn(lock_yield_unlock, &holder);
    cpc_spawn(unlock_given, &mutex);
}

static void unlocking_what_another_holds_aborts(void)
{
    assert_abort(unlock_of_another, "*unlocks a mutex that it does not hold*");
}

static void coroutine_fn lock_twice(void *opaque)
{
    cpc_mutex_lock(opaque);
    cpc_mutex_lock(opaque);
}

static void lock_of_the_holder(void)
{
    CoMutex mutex = { 0 };

    cpc_spawn(lock_twice, &mutex);
}

static void locking_twice_aborts(void)
{
    assert_abort(lock_of_the_holder, "*locks a mutex that it holds already*");
}

/*
 * What one coroutine does with a readers-writer lock, a letter a step: Read, Write,
 * Upgrade, Downgrade, unlock (-), yield (.).  Each step done is told, with its name.
 */
typedef struct {
    CoRwlock *lock;
    char name;
    const char *steps;
    Coroutine *co;
} Actor;

static void coroutine_fn act(void *opaque)
{
    Actor *mine = opaque;

    mine->co = cpc_self();
    for (const char *step = mine->steps; *step; step++) {
        switch (*step) {
        case 'R':
            cpc_rwlock_read(mine->lock);
            break;
        case 'W':
            cpc_rwlock_write(mine->lock);
            break;
        case 'U':
            cpc_rwlock_upgrade(mine->lock);
            break;
        case 'D':
            cpc_rwlock_downgrade(mine->lock);
            break;
        case '-':
            cpc_rwlock_unlock(mine->lock);
            break;
        default:
            cpc_yield();
            continue;
        }
        g_string_append_printf(story, "%c%c ", mine->name, *step);
    }
}

static void readers_share_and_a_writer_is_alone(void)
{
    CoRwlock lock = { 0 };
    Actor a = { &lock, 'a', "R.-", NULL }, b = { &lock, 'b', "R.-", NULL };
    Actor c = { &lock, 'c', "W.-", NULL }, d = { &lock, 'd', "R-", NULL };

    cpc_spawn(act, &a);
    cpc_spawn(act, &b);
    cpc_spawn(act, &c);
    cpc_spawn(act, &d);
    /* d came after the writer c, so it waits although readers hold the lock. */
    assert_story("aR bR ");
    cpc_enter(b.co);
    assert_story("b- ");
    cpc_enter(a.co);
    assert_story("a- cW ");
    cpc_enter(c.co);
    assert_story("c- dR d- ");
    g_assert_cmpint(lock.n_readers, ==, 0);
}

static void waiting_readers_get_in_together(void)
{
    CoRwlock lock = { 0 };
    Actor writer = { &lock, 'w', "W.-", NULL }, a = { &lock, 'a', "R.-", NULL };
    Actor b = { &lock, 'b', "R.-", NULL }, last = { &lock, 'l', "W-", NULL };

    cpc_spawn(act, &writer);
    cpc_spawn(act, &a);
    cpc_spawn(act, &b);
    cpc_spawn(act, &last);
    cpc_enter(writer.co);
    assert_story("wW w- aR bR ");
    cpc_enter(a.co);
    cpc_enter(b.co);
    assert_story("a- b- lW l- ");
}

static void an_upgrade_waits_for_the_other_readers(void)
{
    CoRwlock lock = { 0 };
    Actor a = { &lock, 'a', "RU.-", NULL }, b = { &lock, 'b', "R.-", NULL };
    Actor c = { &lock, 'c', "R-", NULL };

    cpc_spawn(act, &b);
    cpc_spawn(act, &a);
    cpc_spawn(act, &c);
    assert_story("bR aR ");
    cpc_enter(b.co);
    assert_story("b- aU ");
    cpc_enter(a.co);
    assert_story("a- cR c- ");
}

static void an_only_reader_upgrades_at_once(void)
{
    CoRwlock lock = { 0 };
    Actor a = { &lock, 'a', "RU-", NULL };

    cpc_spawn(act, &a);
    assert_story("aR aU a- ");
    g_assert_cmpint(lock.n_readers, ==, 0);
}

static void two_upgrades_do_not_wait_for_each_other(void)
{
    CoRwlock lock = { 0 };
    Actor a = { &lock, 'a', "R.U.-", NULL }, b = { &lock, 'b', "R.U.-", NULL };

    cpc_spawn(act, &a);
    cpc_spawn(act, &b);
    cpc_enter(a.co);
    assert_story("aR bR ");
    cpc_enter(b.co);
    assert_story("aU ");
    cpc_enter(a.co);
    assert_story("a- bU ");
    cpc_enter(b.co);
    assert_story("b- ");
}

static void a_downgrade_lets_readers_in_but_no_writer(void)
{
    CoRwlock lock = { 0 };
    Actor a = { &lock, 'a', "W.D.-", NULL }, b = { &lock, 'b', "R.-", NULL };
    Actor c = { &lock, 'c', "W-", NULL };

    cpc_spawn(act, &a);
    cpc_spawn(act, &b);
    cpc_spawn(act, &c);
    assert_story("aW ");
    cpc_enter(a.co);
    assert_story("aD bR ");
    cpc_enter(a.co);
    cpc_enter(b.co);
    assert_story("a- b- cW c- ");
}

/* --- main loop ----------------------------------------------------------------- */

static void coroutine_fn sleep_twenty(void *opaque)
{
    gint64 *slept = opaque;
    gint64 since = g_get_monotonic_time();

    cpc_sleep_ms(20);
    *slept = g_get_monotonic_time() - since;
}

static void a_sleep_lasts_as_long_as_asked(void)
{
    gint64 slept = 0;

    cpc_run(sleep_twenty, &slept);
    g_assert_cmpint(slept, >=, 20 * 1000);
}

static gboolean tell_source(gpointer data)
{
    tell("source ");
    return G_SOURCE_REMOVE;
}

static void coroutine_fn sleep_zero(void *opaque)
{
    tell("before ");
    cpc_sleep_ms(0);
    tell("after");
}

static void a_sleep_of_zero_lets_other_sources_run(void)
{
    g_idle_add_full(G_PRIORITY_DEFAULT, tell_source, NULL, NULL);
    cpc_run(sleep_zero, NULL);
    assert_story("before source after");
}

static void coroutine_fn wait_on_a_pipe(void *opaque)
{
    int *pipe_fds = opaque;
    char byte;

    /* Empty: writable only at the other end. */
    g_assert_cmpint(cpc_wait_fd(pipe_fds[0], G_IO_IN, 10), ==, 0);
    g_assert_cmpint(cpc_wait_fd(pipe_fds[0], G_IO_IN, 0), ==, 0);
    g_assert_cmpint(cpc_wait_fd(pipe_fds[1], G_IO_OUT, -1), ==, G_IO_OUT);
    g_assert_cmpint(write(pipe_fds[1], "x", 1), ==, 1);
    g_assert_cmpint(cpc_wait_fd(pipe_fds[0], G_IO_IN, -1), ==, G_IO_IN);
    g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 1);
    close(pipe_fds[1]);
    g_assert_cmpint(cpc_wait_fd(pipe_fds[0], G_IO_IN, -1), ==, G_IO_HUP);
    close(pipe_fds[0]);
}

static void a_wait_says_what_the_descriptor_is_ready_for(void)
{
    int pipe_fds[2];

    g_assert_true(g_unix_open_pipe(pipe_fds, FD_CLOEXEC, NULL));
    cpc_run(wait_on_a_pipe, pipe_fds);
}

static void coroutine_fn wait_on_closed(void *opaque)
{
    int *fd = opaque;

    g_assert_cmpint(cpc_wait_fd(*fd, G_IO_IN, -1), ==, G_IO_NVAL);
}

static void a_wait_on_a_closed_descriptor_ends(void)
{
    int pipe_fds[2];

    g_assert_true(g_unix_open_pipe(pipe_fds, FD_CLOEXEC, NULL));
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    cpc_run(wait_on_closed, pipe_fds);
}

#define N_BYTES 2000

static void coroutine_fn write_slowly(void *opaque)
{
    int fd = *(int *)opaque;

    for (int i = 0; i < N_BYTES; i++) {
        char byte = (char)i;
        g_assert_cmpint(cpc_wait_fd(fd, G_IO_OUT, -1), ==, G_IO_OUT);
        g_assert_cmpint(write(fd, &byte, 1), ==, 1);
    }
    close(fd);
}

static void coroutine_fn read_all(void *opaque)
{
    int *fds = opaque;
    char byte;
    int n = 0;

    cpc_spawn(write_slowly, &fds[1]);
    while (cpc_wait_fd(fds[0], G_IO_IN, -1) && read(fds[0], &byte, 1) == 1) {
        g_assert_cmpint(byte, ==, (char)n);
        n++;
    }
    g_assert_cmpint(n, ==, N_BYTES);
    close(fds[0]);
}

static void reader_and_writer_take_turns(void)
{
    int pipe_fds[2];

    g_assert_true(g_unix_open_pipe(pipe_fds, FD_CLOEXEC, NULL));
    cpc_run(read_all, pipe_fds);
}

typedef struct {
    Coroutine *co;
    int fd;
} Canceled;

static void coroutine_fn wait_for_ever(void *opaque)
{
    Canceled *mine = opaque;

    mine->co = cpc_self();
    g_assert_cmpint(cpc_wait_fd(mine->fd, G_IO_IN, -1), ==, 0);
    tell("ended");
}

static void entering_ends_a_wait_early(void)
{
    int pipe_fds[2];

    g_assert_true(g_unix_open_pipe(pipe_fds, FD_CLOEXEC, NULL));
    Canceled waits = { NULL, pipe_fds[0] };
    cpc_spawn(wait_for_ever, &waits);
    assert_story("");
    cpc_enter(waits.co);
    assert_story("ended");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    g_assert_false(g_main_context_pending(NULL));
}

static void coroutine_fn set_event_later(void *opaque)
{
    cpc_sleep_ms(1);
    cpc_event_set(opaque);
    tell("set ");
}

static void coroutine_fn wait_for_events(void *opaque)
{
    CoEvent *event = opaque;

    g_assert_false(cpc_event_wait(event, 5));
    g_assert_false(cpc_event_wait(event, 0));
    cpc_event_set(event);
    cpc_event_set(event);
    g_assert_true(cpc_event_wait(event, -1));
    g_assert_false(cpc_event_wait(event, 1));
    cpc_spawn(set_event_later, event);
    g_assert_true(cpc_event_wait(event, -1));
    tell("seen ");
    cpc_spawn(set_event_later, event);
    g_assert_true(cpc_event_wait(event, 60 * 1000));
    tell("seen");
}

static void an_event_may_come_before_the_wait_and_counts_once(void)
{
    CoEvent event = { NULL, false };

    cpc_run(wait_for_events, &event);
    assert_story("set seen set seen");
}

static void coroutine_fn wait_for_event(void *opaque)
{
    cpc_event_wait(opaque, -1);
}

static void two_wait_for_one_event(void)
{
    CoEvent event = { NULL, false };

    cpc_spawn(wait_for_event, &event);
    cpc_spawn(wait_for_event, &event);
}

static void a_second_waiter_of_an_event_aborts(void)
{
    assert_abort(two_wait_for_one_event, "*Two coroutines wait for one event*");
}

static void coroutine_fn schedule_oneself_twice(void *opaque)
{
    cpc_schedule(cpc_self(), NULL);
    cpc_schedule(cpc_self(), NULL);
}

static void schedule_twice(void)
{
    cpc_spawn(schedule_oneself_twice, NULL);
}

static void scheduling_twice_aborts(void)
{
    assert_abort(schedule_twice, "*scheduled twice*");
}

static void enter_the_scheduled(void)
{
    Coroutine *co = cpc_create(nothing, NULL);

    cpc_schedule(co, NULL);
    cpc_enter(co);
}

static void entering_a_scheduled_coroutine_aborts(void)
{
    assert_abort(enter_the_scheduled, "*due to be entered by somebody else*");
}

static void coroutine_fn run_inside(void *opaque)
{
    cpc_run(nothing, NULL);
}

static void run_in_run(void)
{
    cpc_run(run_inside, NULL);
}

static void run_inside_of_a_coroutine_aborts(void)
{
    assert_abort(run_in_run, "*cpc_run() was called inside of a coroutine*");
}

/* --- threads ------------------------------------------------------------------- */

/* A thread with a main context of its own, which it iterates until told to end. */
typedef struct {
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
} Worker;

static gpointer work(gpointer data)
{
    Worker *worker = data;

    g_main_context_push_thread_default(worker->context);
    g_main_loop_run(worker->loop);
    g_main_context_pop_thread_default(worker->context);
    return NULL;
}

static void worker_start(Worker *worker)
{
    worker->context = g_main_context_new();
    worker->loop = g_main_loop_new(worker->context, FALSE);
    worker->thread = g_thread_new("worker", work, worker);
}

static gboolean quit_loop(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

static void worker_end(Worker *worker)
{
    g_main_context_invoke(worker->context, quit_loop, worker->loop);
    g_thread_join(worker->thread);
    g_main_loop_unref(worker->loop);
    g_main_context_unref(worker->context);
}

static void coroutine_fn move_to(GMainContext *context)
{
    cpc_schedule(cpc_self(), context);
    cpc_yield();
}

static _Thread_local int thread_number;

__attribute__((noinline)) static int get_thread_number(void)
{
    __asm__ volatile("");
    return thread_number;
}

static void coroutine_fn travel(void *opaque)
{
    Worker *worker = opaque;
    Coroutine *self = cpc_self();
    GThread *home = g_thread_self();

    for (int i = 0; i < 1000; i++) {
        move_to(worker->context);
        g_assert_true(g_thread_self() == worker->thread);
        g_assert_true(cpc_self() == self);
        g_assert_cmpint(get_thread_number(), ==, 0);
        move_to(NULL);
        g_assert_true(g_thread_self() == home);
        g_assert_cmpint(get_thread_number(), ==, 1);
    }
    tell("home");
}

static void a_coroutine_may_move_between_threads(void)
{
    Worker worker;

    thread_number = 1;
    worker_start(&worker);
    cpc_run(travel, &worker);
    worker_end(&worker);
    assert_story("home");
}

static void coroutine_fn end_abroad(void *opaque)
{
    Worker *worker = opaque;

    move_to(worker->context);
}

static void a_run_ends_although_the_end_is_on_another_thread(void)
{
    Worker worker;

    worker_start(&worker);
    for (int i = 0; i < 200; i++) {
        cpc_run(end_abroad, &worker);
    }
    worker_end(&worker);
}

typedef struct {
    Coroutine *co;
    int answer;
} Question;

static gpointer answer(gpointer data)
{
    Question *question = data;

    question->answer = 42;
    cpc_schedule(question->co, NULL);
    return NULL;
}

static void coroutine_fn ask_a_thread(void *opaque)
{
    for (int i = 0; i < 200; i++) {
        Question question = { cpc_self(), 0 };
        GThread *thread = g_thread_new("answer", answer, &question);
        cpc_yield();
        g_assert_cmpint(question.answer, ==, 42);
        g_thread_join(thread);
    }
}

static void another_thread_may_schedule(void)
{
    cpc_run(ask_a_thread, NULL);
}

#define N_ROUNDS 2000

typedef struct {
    CoMutex mutex;
    CoRwlock rwlock;
    int n_in_mutex;
    int n_writing;
    long total;
} Contended;

static void coroutine_fn contend(void *opaque)
{
    Contended *shared = opaque;

    for (int i = 0; i < N_ROUNDS; i++) {
        cpc_mutex_lock(&shared->mutex);
        g_assert_cmpint(++shared->n_in_mutex, ==, 1);
        shared->total++;
        if (i % 64 == 0) {
            cpc_sleep_ms(0);
        }
        g_assert_cmpint(--shared->n_in_mutex, ==, 0);
        cpc_mutex_unlock(&shared->mutex);

        cpc_rwlock_read(&shared->rwlock);
        g_assert_cmpint(shared->n_writing, ==, 0);
        cpc_rwlock_upgrade(&shared->rwlock);
        g_assert_cmpint(++shared->n_writing, ==, 1);
        if (i % 64 == 0) {
            cpc_sleep_ms(0);
        }
        g_assert_cmpint(--shared->n_writing, ==, 0);
        cpc_rwlock_unlock(&shared->rwlock);
    }
}

static gpointer contend_on_thread(gpointer data)
{
    GMainContext *context = g_main_context_new();

    g_main_context_push_thread_default(context);
    cpc_run(contend, data);
    g_main_context_pop_thread_default(context);
    g_main_context_unref(context);
    return NULL;
}

static void locks_hold_between_threads(void)
{
    Contended shared = { 0 };
    GThread *threads[3];

    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("contender", contend_on_thread, &shared);
    }
    cpc_run(contend, &shared);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_thread_join(threads[i]);
    }
    g_assert_cmpint(shared.total, ==, 4 * N_ROUNDS);
}

/* --- semaphores ------------------------------------------------------------------ */

typedef struct {
    CoSemaphore *semaphore;
    const char *name;
} Taker;

static void coroutine_fn take_one(void *opaque)
{
    const Taker *taker = opaque;

    cpc_semaphore_take(taker->semaphore);
    tell(taker->name);
}

static void a_semaphore_lets_in_as_many_as_it_has(void)
{
    CoSemaphore semaphore = { .n_free = 2 };
    Taker takers[] = { { &semaphore, "a" },
                       { &semaphore, "b" },
                       { &semaphore, "c" },
                       { &semaphore, "d" } };

    for (unsigned i = 0; i < G_N_ELEMENTS(takers); i++) {
        cpc_spawn(take_one, &takers[i]);
    }
    assert_story("ab");
    g_assert_false(cpc_semaphore_try(&semaphore));
    cpc_semaphore_give(&semaphore);
    assert_story("c");
    cpc_semaphore_give(&semaphore);
    assert_story("d");
    cpc_semaphore_give(&semaphore);
    g_assert_true(cpc_semaphore_try(&semaphore));
    g_assert_false(cpc_semaphore_try(&semaphore));
}

static gpointer give_a_thousand(gpointer data)
{
    for (unsigned i = 0; i < 1000; i++) {
        cpc_semaphore_give(data);
    }
    return NULL;
}

static void coroutine_fn take_a_thousand(void *opaque)
{
    for (unsigned i = 0; i < 1000; i++) {
        cpc_semaphore_take(opaque);
    }
}

static void another_thread_may_give(void)
{
    CoSemaphore semaphore = { 0 };
    GThread *thread = g_thread_new("giver", give_a_thousand, &semaphore);

    cpc_run(take_a_thousand, &semaphore);
    g_thread_join(thread);
    g_assert_false(cpc_semaphore_try(&semaphore));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    story = g_string_new(NULL);
#define TEST(part, name) g_test_add_func("/cpc/" part "/" #name, name)
    TEST("life", entry_runs_as_itself_and_only_when_entered);
    TEST("life", each_enter_goes_on_after_the_last_yield);
    TEST("life", a_coroutine_returns_to_who_entered_it);
    TEST("life", a_yield_from_deep_calls_keeps_every_frame);
    TEST("life", who_yields_last_of_all_ends_when_entered);
    TEST("life", a_hundred_thousand_come_and_go);
    TEST("life", a_thousand_are_alive_at_once);
    TEST("life", entering_a_running_coroutine_aborts);
    TEST("life", entering_the_enterer_aborts);
    TEST("life", an_overflow_dies_by_sigsegv);
    TEST("who-runs-next", a_queue_wakes_in_order_of_arrival);
    TEST("who-runs-next", who_waits_again_is_not_woken_twice);
    TEST("who-runs-next", who_wakes_goes_on_until_it_stops);
    TEST("who-runs-next", the_woken_of_the_woken_go_first);
    TEST("who-runs-next", a_queue_drops_the_mutex_while_asleep);
    TEST("who-runs-next", entering_who_waits_in_a_queue_aborts);
    TEST("locks", a_mutex_is_handed_over_in_order);
    TEST("locks", who_unlocks_cannot_overtake_who_waits);
    TEST("locks", unlocking_what_another_holds_aborts);
    TEST("locks", locking_twice_aborts);
    TEST("locks", readers_share_and_a_writer_is_alone);
    TEST("locks", waiting_readers_get_in_together);
    TEST("locks", an_upgrade_waits_for_the_other_readers);
    TEST("locks", an_only_reader_upgrades_at_once);
    TEST("locks", two_upgrades_do_not_wait_for_each_other);
    TEST("locks", a_downgrade_lets_readers_in_but_no_writer);
    TEST("locks", a_semaphore_lets_in_as_many_as_it_has);
    TEST("main-loop", a_sleep_lasts_as_long_as_asked);
    TEST("main-loop", a_sleep_of_zero_lets_other_sources_run);
    TEST("main-loop", a_wait_says_what_the_descriptor_is_ready_for);
    TEST("main-loop", a_wait_on_a_closed_descriptor_ends);
    TEST("main-loop", reader_and_writer_take_turns);
    TEST("main-loop", entering_ends_a_wait_early);
    TEST("main-loop", an_event_may_come_before_the_wait_and_counts_once);
    TEST("main-loop", a_second_waiter_of_an_event_aborts);
    TEST("main-loop", scheduling_twice_aborts);
    TEST("main-loop", entering_a_scheduled_coroutine_aborts);
    TEST("main-loop", run_inside_of_a_coroutine_aborts);
    TEST("threads", a_coroutine_may_move_between_threads);
    TEST("threads", a_run_ends_although_the_end_is_on_another_thread);
    TEST("threads", another_thread_may_schedule);
    TEST("threads", locks_hold_between_threads);
    TEST("threads", another_thread_may_give);
    int status = g_test_run();
    g_string_free(story, TRUE);
    return status;
}
