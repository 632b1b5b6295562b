# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# lib.sh - for tests that run our programs under valgrind; source tests/lib.sh first
#
# valgrind cannot run what ASan is built into, and make check builds with ASan: then a
# second, plain build lies in $BUILD_DIR/plain and only what a test names is built there,
# by the same compiler.  Of clang's DWARF 5 valgrind 3.19 says that it is corrupted.

requires valgrind --version

# plain_build TARGET...: set $plain to a build folder where they are, without sanitizers.
plain_build() {
    plain=$BUILD_DIR
    [ "$SANITIZE" = none ] || plain=$BUILD_DIR/plain
    {
        flock 8
        [ -f "$plain/build.ninja" ] ||
            ${PLAIN_CC:+env CC="$PLAIN_CC"} meson setup --buildtype=debugoptimized \
                -Dc_args=-gdwarf-4 "$plain" "$SOURCE_DIR"
        ninja -C "$plain" tests/valgrind/pidfd-helper tests/valgrind/libpidfd-shim.so "$@"
    } 8>"$BUILD_DIR/plain.lock" >build.log || {
        cat build.log >&2
        fail "the plain build failed"
    }
}

# Errors and definite leaks end the program with 99; so does nothing else of ours.
VALGRIND_FOUND=99

# under_valgrind PROGRAM [ARGUMENT...]: what valgrind says goes to valgrind.PID.log.
under_valgrind() {
    PIDFD_HELPER=$plain/tests/valgrind/pidfd-helper \
        LD_PRELOAD=$plain/tests/valgrind/libpidfd-shim.so \
        valgrind --quiet --error-exitcode=$VALGRIND_FOUND --leak-check=full \
        --show-leak-kinds=definite --errors-for-leak-kinds=definite \
        --log-file="$tmp/valgrind.%p.log" --child-silent-after-fork=yes "$@"
}
