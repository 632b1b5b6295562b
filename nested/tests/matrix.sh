#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The page has every rule once, says of each what the other reports say, and asks for
# nothing from elsewhere.
# usage: matrix.sh OSTLER_NESTED
set -eu

command -v qemu-system-x86_64 >/dev/null || { echo "skip: no qemu-system-x86_64"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
page=$folder/page.html

"$1" --engine tcg --html "$page" run svm >"$folder/text"
cat "$folder/text"
"$1" list svm | grep -v '^#' | cut -f1 | sort >"$folder/rules"
sed -n 's|^<tr data-area=.*<td><code>\([A-Z0-9_.]*\)</code>.*|\1|p' "$page" | sort >"$folder/rows"
diff "$folder/rules" "$folder/rows"
[ "$(wc -l <"$folder/rows")" -ge 400 ]

known=$(sed -n 's/.* \([0-9]*\) known failures.*/\1/p' "$folder/text")
[ "$(grep -c '^<tr .*chip known' "$page")" = "$known" ]
[ "$(grep -c '^<tr .*chip known.*<b>cause</b>.*ostler-nested run --engine tcg svm SVM' "$page")" = "$known" ]
grep -q 'CVE-2021-3653' "$page"

if grep -E 'https?:|src=|@import|url\(' "$page"; then
    echo "the page asks for something from elsewhere" >&2
    exit 1
fi
