#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The example does the same with stacks and without.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/../example" "$here/../runtime" "$here/../include" "$work"

for compiler in "${CC_PLAIN:-cc}" "$CPC_CLANG"; do
    make -s -C "$work/example" clean primes CC="$compiler" || exit 1
    "$work/example/primes" 1000 >"$work/primes-$(basename "$compiler")" || exit 1
done
[ "$(wc -l <"$work/primes-cpc-clang")" = 168 ] || { echo "not 168 primes"; exit 1; }
cmp "$work"/primes-* && echo "168 primes, both ways"
