# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# mtp-reading-lib.sh - a guest that reads from its share while the host does something;
# source it after lib.sh.  The test defines in_guest GUEST COMMAND: the output is in ./out.

# big_and_small FOLDER: made, with a file of 64 MiB whose SHA-256 is $hash, and a small one.
big_and_small() {
    mkdir "$1"
    head -c 67108864 /dev/urandom >"$1/big"
    echo as small as can be >"$1/small"
    hash=$(sha256sum <"$1/big" | cut -d ' ' -f 1)
}

# A read that goes on while the host does something: "read ended with CODE", and what came.
start_reading() {
    in_guest "$1" 'rm -f /tmp/got /tmp/log; (timeout 150 mtp-connect --getfile big /tmp/got
        >/tmp/log 2>&1; echo "read ended with $?" >>/tmp/log) & for try in $(seq 100); do
        [ -s /tmp/got ] && break; sleep 0.1; done; ls -l /tmp/got'
}

# It ended, by itself: 143 is what timeout makes of one that hangs.
end_reading() {
    in_guest "$1" 'for try in $(seq 160); do grep -q "read ended" /tmp/log && break; sleep 1;
        done; tail -n 1 /tmp/log; sha256sum /tmp/got 2>&1 || true'
    says out "read ended with"
    refute grep -q "ended with 143" out
}

# The share can be read, after a replug if need be.
can_read() {
    in_guest "$1" 'for try in $(seq 40); do timeout 60 mtp-files 2>/dev/null | grep -q small &&
        break; sleep 0.5; done; timeout 60 mtp-connect --getfile small /tmp/small >/dev/null 2>&1;
        cat /tmp/small; rm -f /tmp/small'
    says out "as small as can be"
}
