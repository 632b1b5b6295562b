# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# lib.sh - what every shell test sources first
#
#     . "$(dirname "$0")/lib.sh"
#
# The test then runs in a folder of its own ($tmp), with guests of its own
# ($OSTLER_HOME), and everything is cleared away when it ends, however it ends.  Any
# command that fails fails the test; V=1 shows each one.
#
# Programs come from the build folder by the environment of tests/meson.build: $OSTLER,
# $OSTLER_KEEPER, $OSTLER_MTP, $OSTLER_ADDRESS; $SOURCE_DIR and $BUILD_DIR are absolute.
set -eu
[ "${V:-0}" = 0 ] || set -x

: "${SOURCE_DIR:=$(cd "$(dirname "$0")/.." && pwd)}"
: "${BUILD_DIR:?run it by meson test, which sets BUILD_DIR and the programs}"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/ostler-test.XXXXXX")
OSTLER_HOME=$tmp/home
XDG_CONFIG_HOME=$tmp/config # for systemd units
export OSTLER_HOME XDG_CONFIG_HOME
# Messages are compared in English, and without colours.
LC_ALL=C.UTF-8 NO_COLOR=1
export LC_ALL NO_COLOR
cd "$tmp"

cleanups=
# cleanup COMMAND: run it at the end, the latest first.
cleanup() {
    cleanups="$1
$cleanups"
}

# Ends every guest that the test left running, so that none outlives it.
end_guests() {
    [ -n "${OSTLER:-}" ] && [ -d "$OSTLER_HOME/run" ] || return 0
    for run_directory in "$OSTLER_HOME"/run/*/; do
        [ -d "$run_directory" ] || continue
        "$OSTLER" destroy -- "$(basename "$run_directory")" >/dev/null 2>&1 || true
    done
}

at_exit() {
    code=$?
    trap - EXIT INT TERM HUP
    set +e
    if [ "$code" != 0 ] && [ "$code" != 77 ]; then
        echo "FAILED with $code; what was left behind:" >&2
        find "$tmp" -name '*.log' -size +0 -exec tail -n 20 {} + >&2
    fi
    eval "$cleanups"
    end_guests
    cd /
    [ -n "${KEEP:-}" ] || rm -rf "$tmp"
    exit "$code"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# skip REASON
skip() {
    echo "skip: $*"
    exit 77
}

# requires COMMAND...: skip unless it succeeds.
requires() {
    "$@" >/dev/null 2>&1 || skip "'$*' does not work here"
}

# fail MESSAGE
fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# refute COMMAND...: it must fail.
refute() {
    if "$@"; then
        fail "succeeded, and should not have: $*"
    fi
}

# expect CODE COMMAND...: it must exit with this code; what it said is in ./out and
# ./err.
expect() {
    expected=$1
    shift
    status=0
    "$@" >out 2>err || status=$?
    [ "$status" = "$expected" ] || {
        cat out err >&2
        fail "exit code $status instead of $expected: $*"
    }
}

# says FILE TEXT: a line of the file holds it, literally.
says() {
    grep -qF -e "$2" "$1" || {
        sed 's/^/    /' "$1" >&2
        fail "'$2' is missing in $1, which is above"
    }
}

# is FILE TEXT: the file is exactly this, but for a last newline.
is() {
    [ "$(cat "$1")" = "$2" ] || {
        sed 's/^/    /' "$1" >&2
        fail "$1, which is above, is not: $2"
    }
}

# wait_for SECONDS COMMAND...: until it succeeds.  For what has no event of its own to
# wait for; prefer a command that waits ('ostler domstate --wait').
wait_for() {
    deadline=$(($(date +%s) + $1))
    seconds=$1
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$deadline" ] ||
            fail "did not come true in $seconds s: $*"
        sleep 0.05
    done
}

# define_guest NAME LINE...: write and define a guest; lines are of the definition.
define_guest() {
    {
        printf '[guest]\nname = %s\n' "$1"
        shift
        [ $# = 0 ] || printf '%s\n' "$@"
    } >new.guest
    "$OSTLER" define new.guest
}
