#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ports.sh [TARGET...] - the plugin on other processors and systems: TAP
#
# On each target port-test.c, at -O0 and -O2, and random programs, which must do what they
# do here with ucontext.  Linux targets run in qemu-user, Windows' under Wine, wasm32 in
# node, without Asyncify.  The environment is differ.sh's, and PORTS_N programs (20).
set -u
here=$(cd "$(dirname "$0")" && pwd)
runtime=$here/../../runtime
n_programs=${PORTS_N:-20}
work=$(mktemp -d)
export WINEPREFIX="$work/wine" WINEDEBUG=-all
# Wine's server goes on writing there for a while.
trap 'rm -rf "$work" 2>/dev/null || { sleep 5; rm -rf "$work"; }' EXIT INT TERM
n=0

# target, who runs it, and what tells that it can be built (a file of Debian's package)
targets() {
    cat <<'ROWS'
x86_64-linux-gnu        native                  /usr/include/stdio.h
i686-linux-gnu          qemu-i386-static        /usr/i686-linux-gnu/include/stdio.h
aarch64-linux-gnu       qemu-aarch64-static     /usr/aarch64-linux-gnu/include/stdio.h
arm-linux-gnueabihf     qemu-arm-static         /usr/arm-linux-gnueabihf/include/stdio.h
riscv64-linux-gnu       qemu-riscv64-static     /usr/riscv64-linux-gnu/include/stdio.h
powerpc64le-linux-gnu   qemu-ppc64le-static     /usr/powerpc64le-linux-gnu/include/stdio.h
s390x-linux-gnu         qemu-s390x-static       /usr/s390x-linux-gnu/include/stdio.h
x86_64-w64-mingw32      wine                    /usr/x86_64-w64-mingw32/include/stdio.h
i686-w64-mingw32        wine32                  /usr/i686-w64-mingw32/include/stdio.h
wasm32-wasi             node                    /usr/include/wasm32-wasi/stdio.h
ROWS
}

result() {
    n=$((n + 1))
    echo "$1 $n - $2"
    [ "$1" = ok ] || head -n 20 "$work/err" | sed 's/^/# /'
}

system_of() {
    case $1 in
    *mingw32) echo windows ;;
    *wasi) echo single ;;
    *) echo posix ;;
    esac
}

# compile TARGET LEVEL FILE - with the runtime, all in one program
compile() {
    set -- "$1" "$2" "$3" "$(system_of "$1")"
    flags=-static
    [ "$1" != wasm32-wasi ] ||
        flags="-isystem /usr/include/wasm32-wasi -L/usr/lib/wasm32-wasi -Wl,-z,stack-size=1048576"
    "$CPC_CLANG" --target="$1" -fuse-ld=lld $flags "$2" -std=gnu11 -D_GNU_SOURCE -w \
        -I"$CPC_INCLUDE" "$3" "$runtime/coroutine.c" "$runtime/continuation.c" \
        "$runtime/arena.c" "$runtime/twin.c" "$runtime/system-$4.c" \
        -o "$work/program.exe" 2>"$work/err"
}

run() {
    case $1 in
    native) "$work/program.exe" ;;
    node) node --no-warnings "$here/run-wasi.mjs" "$work/program.exe" ;;
    wine32) return 77 ;; # needs Debian's i386 packages beside these
    # On a busy machine it gives up on its own server now and then.
    wine) wine "$work/program.exe" || wine "$work/program.exe" ;;
    *) "$1" "$work/program.exe" ;;
    esac >"$work/out" 2>"$work/err" && tr -d '\r' <"$work/out" >"$work/got"
}

# try TARGET RUNNER LEVEL FILE EXPECTED WHAT - EXPECTED is a file, or "tap"
try() {
    what="$1 $3: $6"
    if ! compile "$1" "$3" "$4"; then
        result "not ok" "$what (does not compile)"
        return
    fi
    run "$2"
    status=$?
    if [ "$status" = 77 ]; then
        result ok "$what # SKIP compiled and linked; $2 is not in Debian's own architecture"
    elif [ "$status" != 0 ]; then
        cat "$work/out" >>"$work/err"
        result "not ok" "$what (status $status)"
    elif [ "$5" = tap ]; then
        result ok "$what, $(grep -c '^ok' "$work/got") checks"
    elif diff "$5" "$work/got" >"$work/err"; then
        result ok "$what"
    else
        result "not ok" "$what"
    fi
}

# What is expected: from ucontext, here.  A union shows a machine's byte order, so a
# big-endian one gets programs without.
write_programs() {
    "$RANDOM_PROGRAM" 1 "$n_programs" small >"$work/little.c"
    sed 's/\.bytes\[\([^]]*\)\]/.bytes[NATIVE(\1)]/g
        1i #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__\
#define NATIVE(index) (7 - (index))\
#else\
#define NATIVE(index) (index)\
#endif' "$work/little.c" >"$work/programs.c"
    "${CC_PLAIN:-clang-19}" -O1 -std=gnu11 -D_GNU_SOURCE -w -I"$CPC_INCLUDE" \
        "$work/programs.c" "$CPC_LIB" $GLIB_LIBS -o "$work/expected.exe" &&
        "$work/expected.exe" >"$work/expected"
}

try_target() {
    if [ ! -e "$3" ] || { [ "$2" != native ] && [ "$2" != wine32 ] &&
        ! command -v "$2" >/dev/null; }; then
        result ok "$1 # SKIP $2 or $3 is missing"
        return
    fi
    for level in -O0 -O2; do
        try "$1" "$2" $level "$here/port-test.c" tap "coroutines and language"
        try "$1" "$2" $level "$work/programs.c" "$work/expected" \
            "$n_programs random programs do what ucontext's do"
    done
}

write_programs || exit 1
targets >"$work/targets"
while read -r target runner file; do
    case " ${*:-$target} " in
    *" $target "*) try_target "$target" "$runner" "$file" ;;
    esac
done <"$work/targets"
echo "1..$n"
