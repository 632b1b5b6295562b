#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each function that lacks a mark is found over several units, and nothing else is.
# COCHECK and COCHECK_CLANG name the two programs.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1
n=0

cat >marks.h <<'C'
#ifdef BY_ANNOTATION
#define coroutine_fn __attribute__((annotate("coroutine_fn")))
#else
#define coroutine_fn __attribute__((swiftcall))
#endif
#define coroutine_mixed_fn __attribute__((annotate("coroutine_mixed_fn")))
_Bool in_coroutine(void);
void coroutine_fn wait(void);
typedef struct { int n; void (*plain)(void); void coroutine_fn (*marked)(void); } Ops;
typedef void coroutine_fn Entry(void *opaque);
void *coroutine_create(Entry *entry, void *opaque);
C

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() {
    n=$((n + 1))
    echo "not ok $n - $1"
    sed 's/^/# /' said err
}

# unit NAME - a unit of the program, from stdin
unit() {
    { echo '#include "marks.h"'; cat; } >"$1.c"
}

# compile FLAG... - all units there are, and no object from before
compile() {
    rm -f ./*.o
    for source in *.c; do
        "$COCHECK_CLANG" -w "$@" -c "$source" -o "${source%.c}.o" 2>err || return 1
    done
}

# finds NAME STATUS TEXT - what it says of all units, however they are marked
finds() {
    for flags in "-O0" "-O2 -DBY_ANNOTATION"; do
        status=0
        : >said
        compile $flags && "$COCHECK" $options ./*.o >said 2>err || status=$?
        if [ "$status" != "$2" ] || { [ "$3" ] && ! grep -qF -- "$3" said; }; then
            echo "# flags $flags: status $status, and not: $3"
            not_ok "$1"
            rm -f ./*.c
            return
        fi
    done
    ok "$1"
    rm -f ./*.c
}

# is_fine NAME - nothing is found
is_fine() {
    for flags in "-O0" "-O2 -DBY_ANNOTATION"; do
        if ! compile $flags || ! "$COCHECK" $options ./*.o >said 2>err || [ -s said ]; then
            not_ok "$1"
            rm -f ./*.c
            return
        fi
    done
    ok "$1"
    rm -f ./*.c
}

echo 1..35
options=

unit a <<'C'
void middle(void);
void coroutine_fn run(void) { middle(); }
C
unit b <<'C'
void below(void);
void middle(void) { below(); }
C
unit c <<'C'
void below(void) { wait(); }
C
mkdir kept; cp ./*.c kept
finds 'a function between coroutines is found over three units' 1 \
    "b.c:3: 'middle' runs in a coroutine and may have to wait"
cp kept/*.c .
finds 'the way there is named' 1 \
    "reached: 'run' (coroutine_fn) calls 'middle' (a.c:3)"
cp kept/*.c .
finds 'the way to the suspension is named' 1 \
    "         'below' calls 'wait' (coroutine_fn) (c.c:2)"
cp kept/*.c .
options=--list=coroutine_fn
finds 'the list for tools has one function a line' 0 "below
middle"
options=
cp kept/*.c .
unit main <<'C'
void middle(void);
int main(void) { middle(); return 0; }
C
finds 'what ordinary code calls too needs the other mark' 1 \
    "fix:     mark it coroutine_mixed_fn"

cp kept/*.c .
options=--except=below
is_fine 'what is known not to wait is not looked into'
unit poll <<'C'
void coroutine_mixed_fn may_wait(void) { if (in_coroutine()) wait(); }
void callback(void) { may_wait(); }
void poll(void) { callback(); }
void coroutine_fn polls(void) { poll(); }
C
options=--except=poll
is_fine 'what it calls is not in a coroutine by that'
cp kept/*.c .
options=--except=misspelt
finds 'an exception that no object has is an error' 2 ''
options=

unit a <<'C'
void two(int n);
void one(int n) { if (n) two(n - 1); }
void two(int n) { one(n); if (n == 7) wait(); }
void coroutine_fn run(void) { one(9); }
C
finds 'a cycle comes to an end' 1 "'one' runs in a coroutine and may have to wait"

unit a <<'C'
void late(void) { wait(); }
const Ops table = { 1, late };
C
unit b <<'C'
extern const Ops table;
void coroutine_fn run(const Ops *ops) { ops->plain(); }
C
finds 'a table of functions is looked through' 1 \
    "reached: 'run' (coroutine_fn) calls 'late' through field number 1 of"

unit a <<'C'
typedef struct { int n; void (*done)(void); } Job;
void start(Job *job, void (*done)(void)) { job->done = done; }
void prepare(Job *job, void (*done)(void)) { start(job, done); }
C
unit b <<'C'
typedef struct { int n; void (*done)(void); } Job;
void prepare(Job *job, void (*done)(void));
static void late(void) { wait(); }
int main(void) { Job job; prepare(&job, late); return 0; }
void coroutine_fn run(Job *job) { job->done(); }
C
finds 'a callback is followed from function to function' 1 \
    "reached: 'run' (coroutine_fn) calls 'late' through field number 1 of Job"

unit a <<'C'
static void late(void) { wait(); }
static const struct { int n; void (*handle)(void); } table[] = { { 1, late }, { 2, 0 } };
void coroutine_fn run(int i) { table[i].handle(); }
C
unit b <<'C'
static void other(void) { }
static const struct { int n; void (*handle)(void); } table2[] = { { 1, other }, { 2, 0 } };
int main(int n, char **v) { table2[n].handle(); return 0; }
C
options=--list=coroutine_fn
finds 'a table without a name for its type is not another unit'\''s' 0 "late"
options=

unit a <<'C'
void hook(void);
__attribute__((weak)) void hook(void) { }
void coroutine_fn run(void) { hook(); }
C
cp a.c kept/weak.c
is_fine 'a weak definition that does not wait is fine'
cp kept/weak.c a.c
unit b <<'C'
void hook(void) { wait(); }
C
finds 'a strong definition takes the place of a weak one' 1 "b.c:2: 'hook' runs in"

unit a <<'C'
static void same(void) { wait(); }
void coroutine_fn run(void) { same(); }
C
unit b <<'C'
static void same(void) { }
int main(void) { same(); return 0; }
C
finds 'static functions of one name are two' 1 "fix:     mark it coroutine_fn"

cat >inline.h <<'C'
static inline void both(void) { wait(); }
C
unit a <<'C'
#include "inline.h"
void coroutine_fn run(void) { both(); }
C
cp a.c b.c
sed -i s/run/walk/ b.c
for flags in -O0; do compile $flags; "$COCHECK" ./*.o >said 2>err; done
if [ "$(grep -c "inline.h:1: 'both'" said)" = 1 ]; then
    ok 'an inline function is named once'
else
    not_ok 'an inline function is named once'
fi
rm -f ./*.c

unit a <<'C'
void ask(void) { if (in_coroutine()) { wait(); } }
int main(void) { ask(); return 0; }
C
finds 'who asks and waits needs a mark, called in a coroutine or not' 1 \
    "fix:     mark it coroutine_mixed_fn"

unit a <<'C'
void blocking(void);
void coroutine_mixed_fn ask(void) { if (!in_coroutine()) { blocking(); return; } wait(); }
C
unit b <<'C'
void coroutine_mixed_fn ask(void);
void blocking(void) { ask(); }
C
is_fine 'the branch for ordinary code does not run in a coroutine'

unit a <<'C'
void abort(void) __attribute__((noreturn));
void coroutine_mixed_fn ask(void);
void never(void) { if (__builtin_expect(!!in_coroutine(), 0)) { abort(); } ask(); }
void coroutine_fn run(void) { never(); }
void coroutine_mixed_fn ask(void) { if (in_coroutine()) wait(); }
C
is_fine 'who asserts to be outside does not wait'

unit a <<'C'
void coroutine_fn leaf(void) { wait(); }
Ops ops = { 1, (void (*)(void))leaf };
int main(void) { ops.plain(); return 0; }
C
finds 'a mark that a cast has lost is found where it is called' 1 'has lost its mark'

unit a <<'C'
void left(void) { wait(); }
void right(void) { }
void coroutine_fn run(int n) { void (*which)(void) = n ? left : right; which(); }
C
finds 'a pointer in a variable is followed' 1 "'left' runs in a coroutine"

unit a <<'C'
void each(void (*visit)(int n)) { visit(1); }
C
unit b <<'C'
void each(void (*visit)(int n));
static void visitor(int n) { wait(); }
void coroutine_fn run(void) { each(visitor); }
C
finds 'a callback is followed into another unit' 1 "through parameter 1 of 'each'"

unit a <<'C'
static void entry(void *opaque) { }
void *start(void) { return coroutine_create((Entry *)entry, 0); }
C
finds 'what a coroutine begins with needs a mark even if it does not wait' 1 \
    "fix:     mark it coroutine_fn"

unit a <<'C'
static void plain(void) { }
Ops ops = { 1, 0, (void coroutine_fn (*)(void))plain };
void coroutine_fn run(Ops *o) { o->marked(); }
C
finds 'what is kept in a marked pointer needs the mark' 1 "'plain' runs in a coroutine"

unit a <<'C'
void coroutine_mixed_fn either(void) { wait(); }
C
finds 'a mixed function that does not ask is found' 1 \
    "is coroutine_mixed_fn and calls a coroutine_fn without asking"

unit a <<'C'
int main(void) { wait(); return 0; }
C
finds 'ordinary code that calls a coroutine_fn is found' 1 \
    "is ordinary and calls a coroutine_fn"

unit a <<'C'
void coroutine_mixed_fn enter(void);
void helper(void) { enter(); }
void coroutine_fn run(void) { helper(); wait(); }
int main(void) { enter(); return 0; }
void coroutine_mixed_fn enter(void) { }
C
is_fine 'a mixed function that never waits asks for nothing'

unit a <<'C'
struct driver { int coroutine_mixed_fn (*open)(int flags); int (*probe)(int flags); };
void coroutine_fn run(struct driver *d) { d->open(1); }
int coroutine_mixed_fn file_open(int flags) { if (in_coroutine()) { wait(); } return 0; }
struct driver file = { file_open, 0 };
C
cp a.c kept/pointer.c
options=--pointers
is_fine 'a pointer that is marked as a mixed one may wait'
sed 's/int coroutine_mixed_fn (/int (/' kept/pointer.c >a.c
finds 'one that is not marked may not' 1 'may have to wait in a coroutine'
options=

unit a <<'C'
typedef void Callback(void *opaque);
static void later(void *opaque) { wait(); }
Callback *choose(void) { return later; }
void coroutine_fn run(void) { choose()(0); }
C
cp a.c kept/type.c
finds 'a pointer of unknown origin is left alone' 1 "'later' is ordinary and calls"
cp kept/type.c a.c
options=--by-type
finds 'and followed by its type when asked to' 1 "'later' may have to wait in a coroutine"
options=

cp kept/a.c kept/b.c kept/c.c .
compile -O0
ar rc fat.a b.o
ar rcT thin.a c.o
ld -r a.o -o one.o
"$COCHECK" --list=coroutine_fn one.o fat.a thin.a >said 2>err
if [ "$(cat said)" = "below
middle" ]; then
    ok 'archives, thin ones and relinked objects are read'
else
    not_ok 'archives, thin ones and relinked objects are read'
fi
rm -f ./*.c ./*.o

mkdir -p src/sub
cp marks.h src
cat >src/sub/a.h <<'C'
/* int *find(int n); in a comment is left alone */
int *find(int n);
#define USE(x) find(x)
void either(void);
C
cat >src/a.c <<'C'
#include "marks.h"
#include "sub/a.h"
static void same(const char *text) { wait(); }
#if 1
int *
find(int n) {
#else
int *find(long n) {
#endif
    same("int *find(int n)");
    return 0;
}
void coroutine_fn run(void) { USE(1); either(); }
void either(void) { if (in_coroutine()) { wait(); } }
int main(void) { either(); return 0; }
C
(cd src && "$COCHECK_CLANG" -w -c a.c -o a.o && "$COCHECK" --patch=. a.o >../marks.patch \
    2>../err && patch -s -p1 <../marks.patch && "$COCHECK_CLANG" -w -c a.c -o a.o &&
    "$COCHECK" a.o) >said 2>>err && status=0 || status=$?
if [ "$status" = 0 ] && grep -q 'coroutine_fn find(int n) {' src/a.c &&
    grep -q 'int \*coroutine_fn find(int n);' src/sub/a.h &&
    grep -q 'void coroutine_mixed_fn either(void);' src/sub/a.h; then
    ok 'the patch marks definitions and declarations, and then nothing is found'
else
    cat marks.patch src/a.c src/sub/a.h >>said
    not_ok 'the patch marks definitions and declarations, and then nothing is found'
fi

echo "text" >text.o
"$COCHECK" text.o >said 2>err && status=0 || status=$?
if [ "$status" = 2 ] && grep -q "'text.o' is no object" err; then
    ok 'what is no object is an error'
else
    not_ok 'what is no object is an error'
fi
"$COCHECK" --list=nothing marks.h >said 2>err && status=0 || status=$?
if [ "$status" = 2 ]; then
    ok 'an unknown list is an error'
else
    not_ok 'an unknown list is an error'
fi
