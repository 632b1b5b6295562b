#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A flat that is not ours is run, its lines are verdicts, and all three reports agree.
# One that ends without SUMMARY is booted once.
# usage: foreign-flat.sh OSTLER_NESTED FLAT FLAT_WITHOUT_SUMMARY
set -eu

command -v qemu-system-x86_64 >/dev/null || { echo "no qemu-system-x86_64"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if "$1" --tap --junit "$folder/junit.xml" --html "$folder/page.html" run "$2" \
    >"$folder/tap"; then
    echo "a failing flat was taken for a passing one" >&2
    exit 1
fi
cat "$folder/tap" "$folder/junit.xml"
grep -q '^1\.\.3$' "$folder/tap"
grep -q '^ok .*cpuid works' "$folder/tap"
grep -q '^not ok .*vmcall from user' "$folder/tap"
grep -q '^ok .*xsave.*# SKIP' "$folder/tap"
grep -q 'tests="3" failures="1" skipped="1"' "$folder/junit.xml"
[ "$(grep -c '^<tr data-area="other"' "$folder/page.html")" = 3 ]
grep -q 'chip FAIL">fail<' "$folder/page.html"

timeout 30 "$1" --tap run "$3" >"$folder/tap" || [ $? = 1 ]
grep -q '^1\.\.3$' "$folder/tap"
