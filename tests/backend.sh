#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A build folder gets the coroutines that were asked for, or else the plugin where clang-19
# is; it keeps them; and what a changed plugin compiled is compiled again.
. "$(dirname "$0")/lib.sh"
requires nm --version

# This build's programs are what it says of itself.
backend=none
! nm "$OSTLER_KEEPER" | grep -q ' [tT] cpc_arena_' || backend=plugin
! nm "$OSTLER_KEEPER" | grep -q ' U makecontext' || backend=ucontext
says "$BUILD_DIR/cpc/backend" "$backend"

# tools/configure among programs of ours: they note what they are asked for.
mkdir tools bin headers headers/llvm-c
cp "$SOURCE_DIR/tools/configure" tools
for program in cat dirname env find mkdir rm sh touch; do
    ln -s "$(command -v "$program")" "bin/$program"
done
cat >bin/meson <<'MESON'
#!/bin/sh
shift
mkdir -p "$1/cpc"
touch "$1/build.ninja"
case ${CC:-} in
*/cpc-clang) echo plugin ;;
*) echo ucontext ;;
esac >"$1/cpc/backend"
MESON
cat >bin/ninja <<'NINJA'
#!/bin/sh
echo "$*" >>asked
mkdir -p compiler/cpc/plugin
[ -e compiler/cpc/plugin/cpc-plugin.so ] || touch compiler/cpc/plugin/cpc-plugin.so
NINJA
echo 'echo "$PWD/headers"' >bin/llvm-config-19
touch headers/llvm-c/Core.h bin/clang-19 bin/c++
chmod +x bin/*

# made BACKEND ASKED [VARIABLE=VALUE]: what a new folder is when ASKED for.
made() {
    rm -rf build
    env -u CC PATH="$tmp/bin" ${3:+"$3"} tools/configure build "$2" compiler
    says build/cpc/backend "$1"
}
made plugin ''
made plugin plugin
made ucontext ucontext
made ucontext '' CC=gcc
made plugin plugin CC=gcc
rm headers/llvm-c/Core.h
made ucontext ''
touch headers/llvm-c/Core.h
rm bin/clang-19
made ucontext ''
expect 2 tools/configure build stacks compiler
says err "BACKEND is plugin or ucontext, not 'stacks'"

# A folder that is there keeps what it has, and is compiled again after the plugin.
made plugin plugin
: >asked
PATH=$tmp/bin tools/configure build '' compiler
says build/cpc/backend plugin
says asked cpc-plugin.so
refute grep clean asked
touch -d '+1 minute' compiler/cpc/plugin/cpc-plugin.so
PATH=$tmp/bin tools/configure build '' compiler
says asked '-C build -t clean'
