#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The plugin does the same with LLVM's other versions, and refuses those it cannot use;
# and with LLVM 19 at the levels that make check leaves out, and with LTO.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
n_tried=0

# flags VERSION - how to compile against it
flags() {
    echo "-fPIC -fvisibility=hidden -isystem $("llvm-config-$1" --includedir)" \
        -D_GNU_SOURCE -D__STDC_CONSTANT_MACROS -D__STDC_LIMIT_MACROS -D__STDC_FORMAT_MACROS
}

# build VERSION - cpc-plugin.so and cpc-clang in $work/VERSION
build() {
    mkdir "$work/$1"
    cocheck=$here/../cocheck
    for source in "$here"/../plugin/*.c "$cocheck/context.c" "$cocheck/places.c" \
        "$cocheck/record.c"; do
        cc -O1 $(flags "$1") -c "$source" -o "$work/$1/$(basename "$source").o" || return
    done
    cc -O1 $(flags "$1") -c "$cocheck/marks.c" -o "$work/$1/cocheck-marks.o" || return
    for source in "$here/../plugin/shim.cpp" "$cocheck/embed.cpp"; do
        c++ -std=c++17 -O1 -fno-rtti $(flags "$1") -c "$source" \
            -o "$work/$1/$(basename "$source").o" || return
    done
    c++ -shared -o "$work/$1/cpc-plugin.so" "$work/$1"/*.o \
        $("llvm-config-$1" --link-shared --ldflags --libs) || return
    cp "$here/../plugin/cpc-clang" "$work/$1"
}

# passes VERSION LEVEL SUITE - cpc/tests/SUITE-test.c
passes() {
    runtime=$here/../runtime
    CPC_COCHECK=off CPC_CLANG_REAL=clang-$1 "$work/$1/cpc-clang" $2 -std=gnu11 -D_GNU_SOURCE \
        -I"$CPC_INCLUDE" $(pkg-config --cflags gio-unix-2.0) "$runtime/coroutine.c" \
        "$runtime/system-posix.c" "$runtime/fd-unix.c" "$runtime/glib.c" \
        "$runtime/lock.c" "$runtime/arena.c" "$runtime/continuation.c" \
        "$runtime/twin.c" "$here/$3-test.c" -o "$work/$3-test" $GLIB_LIBS &&
        "$work/$3-test" >"$work/out" 2>&1 && return
    echo "LLVM $1: $3-test at $2 fails"
    cat "$work/out"
    return 1
}

for version in 15 16 19 22; do
    if ! command -v "clang-$version" "llvm-config-$version" >/dev/null; then
        echo "skip: clang-$version or llvm-$version-dev is missing"
        continue
    fi
    n_tried=$((n_tried + 1))
    build "$version" || { echo "LLVM $version: does not build"; failed=1; continue; }
    levels="-O0:-O2"
    [ "$version" != 19 ] || levels="-O1:-O3:-Os:-O2 -flto:-O2 -flto=thin"
    IFS=:
    set -- $levels
    unset IFS
    for level; do
        passes "$version" "$level" cpc && passes "$version" "$level" language || failed=1
    done
    echo "LLVM $version: tried"
done

if command -v llvm-config-14 >/dev/null; then
    n_tried=$((n_tried + 1))
    if c++ -std=c++17 $(flags 14) -fsyntax-only "$here/../plugin/shim.cpp" 2>"$work/err"; then
        echo "LLVM 14: not refused"
        failed=1
    elif ! grep -q "needs LLVM 15 or newer" "$work/err"; then
        echo "LLVM 14: another error:"
        cat "$work/err"
        failed=1
    fi
fi
[ "$n_tried" -gt 0 ] || exit 77
exit $failed
