#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest without an operating system is started, seen, steered and ended, and a command
# that its state does not allow says so with exit code 4.
. "$(dirname "$0")/lib.sh"
requires qemu-system-x86_64 --version

truncate -s 1M 'my disk.img'
run() {
    expect 0 "$OSTLER" run "$1" --machine pc --arch x86_64 -m 64M --accel tcg --detach
}

run 'my disk.img'
is out "Guest 'my disk' started; its console: ostler console 'my disk'"
expect 0 "$OSTLER" list --name
is out 'my disk'
expect 0 "$OSTLER" __complete shutdown ''
is out "my disk$(printf '\t')running"
expect 4 "$OSTLER" start 'my disk'
expect 4 "$OSTLER" dump-definition 'my disk' # nothing is stored
expect 0 "$OSTLER" dump-definition --as-started 'my disk'
says out "file = $tmp/my disk.img"
says out 'format = raw'

expect 0 "$OSTLER" suspend 'my disk'
expect 0 "$OSTLER" domstate --reason 'my disk'
is out 'paused (user)'
expect 0 "$OSTLER" resume 'my disk'
expect 0 "$OSTLER" domstate --wait=running --timeout=30 'my disk'
expect 6 "$OSTLER" domstate --wait=crashed --timeout=0.1 'my disk'
expect 2 "$OSTLER" domstate --wait=runing 'my disk'
says err "did you mean 'running'?"
expect 6 "$OSTLER" domifaddr --wait=0.1 'my disk'

expect 0 "$OSTLER" qemu-monitor-command 'my disk' query-status
says out '"running":true'
expect 0 "$OSTLER" qemu-monitor-command 'my disk' --hmp info status
says out 'VM status: running'
expect 1 "$OSTLER" qemu-monitor-command 'my disk' nonsense
says out CommandNotFound

# Without a terminal the end of input ends it, and the guest runs on.
expect 0 timeout 30 "$OSTLER" console 'my disk' </dev/null
expect 0 timeout 30 "$OSTLER" domstate 'my disk'
is out running

# Ctrl-] leaves the guest running.
if script --version >/dev/null 2>&1; then
    mkfifo keys
    script -qec "'$OSTLER' console 'my disk'" /dev/null <keys >seen &
    exec 9>keys
    wait_for 30 grep -q 'Ctrl-]' seen
    printf '\035' >&9
    wait $! || fail "leaving the console failed"
    exec 9>&-
    says seen "Guest 'my disk' runs on; to come back: ostler console 'my disk'"
    expect 0 "$OSTLER" domstate 'my disk'
    is out running
fi

# A second guest of the same image's name gets a name of its own.
mkdir other
truncate -s 1M 'other/my disk.img'
run 'other/my disk.img'
expect 0 "$OSTLER" destroy 'my disk-2'
is out "Guest 'my disk-2' destroyed"

expect 0 "$OSTLER" destroy 'my disk'
expect 3 "$OSTLER" domstate 'my disk'
expect 0 "$OSTLER" list
refute grep -q 'my disk' out

# With --define it is kept, and a console ends with its guest.
expect 0 "$OSTLER" run 'my disk.img' --machine pc -m 64M --accel tcg --define --detach
"$OSTLER" console 'my disk' </dev/null >seen 2>&1 &
expect 0 "$OSTLER" destroy 'my disk'
wait $! || true
expect 0 "$OSTLER" domstate --reason 'my disk'
is out 'shut off (destroyed)'
expect 4 "$OSTLER" suspend 'my disk'
