#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What people get wrong when they start guests is told by the name of the thing, and
# with the exit code of ostler(1).
. "$(dirname "$0")/lib.sh"
requires qemu-system-x86_64 --version
requires qemu-img --version

qemu-img create -q -f qcow2 disk.qcow2 1M
echo junk >junk.qcow2
mkdir shared

# mistake CODE TEXT LINE...: a guest of these lines does not start, and says so.
mistake() {
    code=$1 text=$2
    shift 2
    define_guest wrong 'machine = pc' 'memory = 64M' 'accel = tcg' "$@" >defined
    expect "$code" "$OSTLER" start wrong
    says err "Cannot start 'wrong'"
    says err "$text"
    expect 4 "$OSTLER" destroy wrong
}

mistake 1 "disks/none.qcow2': No such file" '[disk.0]' 'file = disks/none.qcow2'
mistake 1 'Image is not in qcow2 format' '[disk.0]' 'file = junk.qcow2' 'format = qcow2'
mistake 1 "The share 'docs' is of '$tmp/none', which is no folder" \
    '[share.docs]' 'path = none'
mistake 1 "'$tmp/vmlinuz'" "kernel = vmlinuz"
mistake 1 "CPU model 'nonesuch'" 'cpu = nonesuch'
mistake 1 'There is no emulator' 'emulator = qemu-system-nonesuch'

# A machine that QEMU does not have, and one of another architecture.
unknown_machine() {
    printf '[guest]\nname = wrong\nmachine = %s\n' "$1" >wrong.guest
    expect 0 "$OSTLER" define wrong.guest
    expect 5 "$OSTLER" start wrong
    says err "QEMU for x86_64 has no machine '$1'$2"
    expect 1 "$OSTLER" machines --arch=x86_64 "$1"
    says err "QEMU for x86_64 has no machine '$1'$2"
}
[ "$(uname -m)" != x86_64 ] || {
    unknown_machine pcc "; did you mean 'pc'?"
    unknown_machine raspi3b ''
}

# What another guest has already: a disk, a port of this host.
run() {
    "$OSTLER" run disk.qcow2 --machine pc --arch x86_64 -m 64M --accel tcg --detach "$@"
}
expect 0 run --name first
expect 1 run --name second
says err "Cannot start 'second'"
says err "Is another process using the image [$tmp/disk.qcow2]?"
expect 4 "$OSTLER" start first
says err "'first' is already running"
expect 4 "$OSTLER" resume first
says err "'first' is running, which does not allow it"

# One that is ended is gone from the list at once.
expect 0 "$OSTLER" destroy first
expect 0 "$OSTLER" list --all --name
is out wrong

expect 1 "$OSTLER" run none.img --detach
says err "Cannot open 'none.img': No such file"
expect 1 run --share none
says err "'$tmp/none', which is no folder"
expect 5 run --initrd initrd.img
says err "'initrd' in [guest] needs 'kernel'"
expect 5 run --forward 2222:22
says err "Bad value '2222:22' for 'forward'"
expect 1 "$OSTLER" define none.guest
says err "Cannot open 'none.guest': No such file"
expect 3 "$OSTLER" start wrogn
says err "No guest is named 'wrogn'; did you mean 'wrong'?"
expect 5 "$OSTLER" import wrong.guest
says err "wrong.guest:1: "
