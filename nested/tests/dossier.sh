#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every rule that is known to fail has its entry in the dossier: it is named there, or a
# rule is that fails for the same cause.
# usage: dossier.sh SOURCE_DIR
set -eu

awk -F '\t' -v dossier="$1/docs/nested-dossier.md" '
    BEGIN {
        while ((getline line < dossier) > 0) {
            text = text line "\n"
        }
    }
    FNR == 1 || NF != 3 { next }
    {
        key = FILENAME "\t" $3
        rules[key] = rules[key] " " $2
        if (index(text, "`" $2 "`")) {
            is_named[key] = 1
        }
    }
    END {
        for (key in rules) {
            if (!is_named[key]) {
                print "not in docs/nested-dossier.md: " key ":" rules[key]
                missing = 1
            }
        }
        exit missing
    }' "$1"/nested/known/*
