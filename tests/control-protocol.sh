#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/control-protocol.md lists the keeper's methods, and libostler exports its header.
. "$(dirname "$0")/lib.sh"

"$OSTLER_KEEPER" --methods >methods
sed -n '/^| method /,$p' "$SOURCE_DIR/docs/control-protocol.md" >documented
diff documented methods || fail "docs/control-protocol.md is not what --methods prints"

sed -n 's/^    \(ostler_[a-z_]*\);$/\1/p' "$SOURCE_DIR/src/api/libostler.map" |
    sort >exported
grep -o '\bostler_[a-z_]*(' "$SOURCE_DIR/include/ostler/ostler.h" | tr -d '(' |
    sort -u >declared
# What only comments mention with () is declared as well, or it is a mistake.
diff declared exported || fail "libostler.map is not what ostler.h declares"
