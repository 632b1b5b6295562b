#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the fuzzer prints shows the disagreement again, and an unknown one is a failure.
# usage: fuzz-vote.sh OSTLER_NESTED FLATS
set -eu

command -v qemu-system-x86_64 >/dev/null || { echo "skip: no qemu-system-x86_64"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if "$1" --flats "$2" --known "$folder" --engine tcg --count 2000 fuzz svm >"$folder/first"; then
    echo "disagreements that nobody knows were taken for none" >&2
    exit 1
fi
cat "$folder/first"
grep -q '^[1-9][0-9]* disagreements are not known$' "$folder/first"

# "again: ostler-nested --engine tcg fuzz svm --state 54,55", and the change above it
again=$(sed -n 's/^ *again: ostler-nested //p' "$folder/first" | head -n 1)
change=$(grep -B 1 '^ *again: ' "$folder/first" | head -n 1)
"$1" --flats "$2" --known "$folder" $again >"$folder/again" && exit 1
cat "$folder/again"
grep -qF -- "$change" "$folder/again"
grep -q '^1 disagreements are not known$' "$folder/again"

# Once it is known it is no failure.
key=$(sed -n 's/^  \([A-Z.]*MODEL[^,]*\), .*/\1/p' "$folder/again")
version=$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')
printf '%s\t%s\tof this test\n' "$version" "$key" >"$folder/tcg"
"$1" --flats "$2" --known "$folder" $again >"$folder/known"
grep -q 'known: of this test' "$folder/known"
