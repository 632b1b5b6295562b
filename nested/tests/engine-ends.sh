#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# No engine outlives the run that started it, however that ends.
# usage: engine-ends.sh OSTLER_NESTED FLATS
set -eu

command -v qemu-system-x86_64 >/dev/null || { echo "skip: no qemu-system-x86_64"; exit 77; }
"$1" --flats "$2" --engine tcg --count 1000000000 fuzz svm >/dev/null 2>&1 &
runner=$!
trap 'kill -KILL "$runner" 2>/dev/null || :' EXIT

# Both of these waits end by meson's timeout if they must.
is_engine() {
    [ -n "$1" ] && tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q 'svm\.flat'
}
engine=
while ! is_engine "$engine"; do
    kill -0 "$runner"
    sleep 0.1
    engine=$(tr -d ' ' <"/proc/$runner/task/$runner/children")
done
kill -KILL "$runner"
while [ -d "/proc/$engine" ] && ! grep -q '^State:.Z' "/proc/$engine/status"; do
    sleep 0.1
done
