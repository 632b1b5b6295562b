#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# libvirt's own test documents: none crashes the importer, and what is accepted starts.
#
# They are fetched from the distribution's source package (their licence and size keep
# them out of this tree) into $OSTLER_CORPUS, by default a folder of the build's, and
# stay there.  IMPORT_ONLY=1 leaves out the starting.
. "$(dirname "$0")/lib.sh"

corpus=${OSTLER_CORPUS:-$BUILD_DIR/libvirt-corpus}

# fetch_source: the upstream tarball of libvirt, by an apt that knows source packages,
# whatever the system's own is set up for.
fetch_source() {
    mkdir -p "$tmp/apt/lists/partial" "$tmp/apt/archives/partial" "$tmp/apt/etc"
    "$SOURCE_DIR/tools/debian-archives" | while read -r uri suite; do
        echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
            "$uri $suite main"
    done >"$tmp/apt/etc/sources.list"
    [ -s "$tmp/apt/etc/sources.list" ] || return 1
    cat >"$tmp/apt/etc/apt.conf" <<EOF
Dir::Etc::SourceList "$tmp/apt/etc/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$tmp/apt/lists";
Dir::Cache "$tmp/apt/archives";
APT::Sandbox::User "root";
EOF
    export APT_CONFIG="$tmp/apt/etc/apt.conf"
    apt-get update && apt-get source --download-only libvirt
}

if [ ! -d "$corpus" ]; then
    requires apt-get --version
    fetch_source >apt.log 2>&1 || {
        tail -n 3 apt.log
        skip "libvirt's source package cannot be fetched"
    }
    mkdir -p "$corpus.part"
    tar -C "$corpus.part" --strip-components=2 --wildcards -xf libvirt_*.orig.tar.?z \
        '*/tests/*.xml'
    mv "$corpus.part" "$corpus"
fi

# Links to other documents of the corpus would count twice.
find "$corpus" -type f -name '*.xml' | sort >all
echo "all documents ($(wc -l <all)):"
mkdir stubs
xargs -d '\n' "$START_IMPORTED" stubs --import-only <all >imported || status=$?
grep '^#' imported
grep '^accepted' imported | cut -f2 >accepted
[ "$(wc -l <accepted)" -ge 1000 ] || fail "fewer than 1000 domains are accepted"
[ "${status:-0}" = 0 ] || fail "the importer crashed: $(grep '^crashed' imported)"
[ -z "${IMPORT_ONLY:-}" ] || exit 0

requires qemu-system-x86_64 --version
requires qemu-img --version
echo "those accepted ($(wc -l <accepted)), started under -S:"
xargs -d '\n' "$START_IMPORTED" stubs <accepted >started || status=$?
grep '^#' started
grep -v -e '^#' -e '^started' started | cut -f1,3 | sort | uniq -c | sort -rn >reasons
cp started reasons "$BUILD_DIR/"
[ "${status:-0}" = 0 ] || {
    grep -e '^not-started' -e '^crashed' started | head -n 40
    fail "what was accepted does not start"
}
