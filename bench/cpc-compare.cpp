// SPDX-License-Identifier: GPL-2.0-or-later
// The work of cpc-compare.c with C++20's coroutines: the least that one would write.
#include <algorithm>
#include <coroutine>
#include <cstdio>
#include <ctime>
#include <vector>

namespace
{
/* As in cpc-compare.c. */
constexpr int n_rounds = 140;
constexpr unsigned N = 10000;
constexpr unsigned n_suspended = 10000;
constexpr unsigned n_levels = 20;

volatile unsigned sink;
volatile unsigned never;
std::coroutine_handle<> innermost; // who goes on when the coroutine is entered

// A coroutine that starts when it is awaited, and goes on with its caller when it ends.
struct [[nodiscard]] Task {
    struct promise_type {
        std::coroutine_handle<> caller = std::noop_coroutine();
        unsigned result = 0;

        struct ToCaller {
            bool await_ready() noexcept
            {
                return false;
            }
            std::coroutine_handle<> await_suspend(
                std::coroutine_handle<promise_type> h) noexcept
            {
                return h.promise().caller;
            }
            void await_resume() noexcept
            {
            }
        };

        Task get_return_object()
        {
            return Task{ std::coroutine_handle<promise_type>::from_promise(*this) };
        }
        std::suspend_always initial_suspend() noexcept
        {
            return {};
        }
        ToCaller final_suspend() noexcept
        {
            return {};
        }
        void return_value(unsigned value)
        {
            result = value;
        }
        void unhandled_exception()
        {
        }
    };

    std::coroutine_handle<promise_type> handle;

    explicit Task(std::coroutine_handle<promise_type> h) : handle(h)
    {
    }
    Task(Task &&other) noexcept : handle(other.handle)
    {
        other.handle = nullptr;
    }
    ~Task()
    {
        if (handle) {
            handle.destroy();
        }
    }

    bool await_ready()
    {
        return false;
    }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller)
    {
        handle.promise().caller = caller;
        return handle;
    }
    unsigned await_resume()
    {
        return handle.promise().result;
    }
};

struct Yield {
    bool await_ready()
    {
        return false;
    }
    void await_suspend(std::coroutine_handle<> self)
    {
        innermost = self;
    }
    void await_resume()
    {
    }
};

Task add_one()
{
    sink = sink + 1;
    co_return 0;
}

void create_run_end()
{
    for (unsigned n = N; n > 0; n--) {
        Task task = add_one();
        task.handle.resume();
    }
}

[[gnu::noinline]] Task yield_at_depth(unsigned &n, unsigned depth)
{
    if (depth > 1) {
        co_await yield_at_depth(n, depth - 1);
        sink = sink + 1;
        co_return 0;
    }
    while (n > 0) {
        n--;
        co_await Yield{};
    }
    co_return 0;
}

void enter_and_yield(unsigned depth)
{
    unsigned n = N;
    Task task = yield_at_depth(n, depth);

    innermost = task.handle;
    for (unsigned left = N + 1; left > 0; left--) {
        innermost.resume();
    }
}

[[gnu::noinline]] Task call_and_yield(unsigned depth)
{
    if (depth > 0) {
        co_return co_await call_and_yield(depth - 1) + depth;
    }
    co_await Yield{};
    co_return 0;
}

Task call_often(unsigned depth)
{
    for (unsigned n = N; n > 0; n--) {
        sink = sink + co_await call_and_yield(depth);
    }
    co_return 0;
}

void suspend_in_calls(unsigned depth)
{
    Task task = call_often(depth);

    innermost = task.handle;
    for (unsigned left = N + 1; left > 0; left--) {
        innermost.resume();
    }
}

[[gnu::noinline]] Task call_without_yield(unsigned x)
{
    if (never) {
        co_await Yield{};
        sink = sink + x;
    }
    co_return x + sink;
}

Task call_in_coroutine()
{
    for (unsigned n = N; n > 0; n--) {
        sink = co_await call_without_yield(n);
    }
    co_return 0;
}

double now_ns()
{
    timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <typename Work> double best_ns(Work work)
{
    double best = 1e18;

    for (int i = 0; i < n_rounds; i++) {
        double since = now_ns();
        work();
        best = std::min(best, (now_ns() - since) / N);
    }
    return best;
}

double resident_bytes()
{
    long kib = 0;

    if (FILE *rollup = fopen("/proc/self/smaps_rollup", "r")) {
        if (fscanf(rollup, "%*[^\n] Rss: %ld kB", &kib) != 1) {
            kib = 0;
        }
        fclose(rollup);
    }
    return static_cast<double>(kib) * 1024;
}

double bytes_of_one()
{
    static unsigned once[n_suspended];
    std::vector<Task> suspended;

    suspended.reserve(n_suspended);
    std::fill(once, once + n_suspended, 1);
    double before = resident_bytes();
    for (unsigned i = 0; i < n_suspended; i++) {
        suspended.push_back(yield_at_depth(once[i], 1));
        suspended.back().handle.resume();
    }
    return (resident_bytes() - before) / n_suspended;
}
} // namespace

int main()
{
    printf("enter and yield\t%.2f\n", best_ns([] { enter_and_yield(1); }));
    printf("enter and yield, 10 calls deep\t%.2f\n",
           best_ns([] { enter_and_yield(10); }));
    printf("create, run, end\t%.2f\n", best_ns(create_run_end));
    printf("a level of calls that suspends\t%.2f\n",
           (best_ns([] { suspend_in_calls(n_levels); }) -
            best_ns([] { suspend_in_calls(0); })) /
               n_levels);
    printf("a call that does not suspend\t%.2f\n",
           best_ns([] { call_in_coroutine().handle.resume(); }));
    printf("resident bytes of one that is suspended\t%.0f\n", bytes_of_one());
    return 0;
}
