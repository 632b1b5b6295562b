#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# boot.sh ROW - a Linux guest on one machine: console, disks, network, shutdown
#
# The disks must come up in the definition's order, so each has its number in its first
# bytes.  Rows: image | definition's lines | disks, and where they appear in the guest |
# has a card | does the machine have a power button.
#
# An Arm board with conventional PCI (versatilepb, realview) has no row: Debian 12 has no
# kernel for one (armel's are marvell and rpi; versatile's went after release 9).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"

x86_append='append = console=ttyS0 quiet panic=-1'
arm_append='append = console=ttyAMA0 quiet panic=-1'
case $1 in
pc | q35)
    image=x86_64 disks=vd card=yes button=yes
    lines="machine = $1
$x86_append"
    ;;
microvm)
    image=x86_64 disks=vd card=yes button=no
    lines="machine = microvm
$x86_append"
    ;;
arm-virt-pci) # a 32-bit kernel without LPAE cannot reach PCI's window above 4 GiB
    image=arm disks=vd card=yes button=yes
    lines="arch = arm
machine = virt,highmem=off
cpu = cortex-a15
transport = pci
$arm_append"
    ;;
arm-virt-mmio)
    image=arm disks=vd card=yes button=yes
    lines="arch = arm
machine = virt
cpu = cortex-a15
transport = mmio
$arm_append"
    ;;
vexpress-a9)
    image=arm disks=vd card=yes button=no
    lines="arch = arm
machine = vexpress-a9
dtb = IMAGE/vexpress-v2p-ca9.dtb
$arm_append"
    ;;
vexpress-a15)
    image=arm disks=vd card=yes button=no
    lines="arch = arm
machine = vexpress-a15
dtb = IMAGE/vexpress-v2p-ca15-tc1.dtb
$arm_append"
    ;;
aarch64-virt-pci | aarch64-virt-mmio)
    image=aarch64 disks=vd card=yes button=yes
    lines="arch = aarch64
machine = virt
cpu = cortex-a57
transport = ${1#aarch64-virt-}
$arm_append"
    ;;
raspi2b)
    image=arm disks=mmcblk card=yes button=no
    lines="arch = arm
machine = raspi2b
memory = 1G
dtb = IMAGE/bcm2836-rpi-2-b.dtb
$arm_append"
    ;;
riscv64-virt-mmio)
    image=riscv64 disks=vd card=yes button=no
    lines="arch = riscv64
machine = virt
transport = mmio
$x86_append"
    ;;
*) fail "no such row: $1" ;;
esac

requires "qemu-system-$image" --version
guest_image "$image"
case $disks in
vd) names='vda vdb vdc' ;;
mmcblk) names=mmcblk0 ;;
esac

{
    printf '[guest]\nname = boot\nkernel = %s/vmlinuz\ninitrd = %s/initrd\n' \
        "$image" "$image"
    echo "$lines" | sed "s,IMAGE,$image,"
    case $lines in *memory*) ;; *) echo 'memory = 512M' ;; esac
    number=0
    for name in $names; do
        number=$((number + 1))
        printf 'disk-%d\n' "$number" >"$number.img"
        truncate -s 16M "$number.img"
        printf '[disk.%s]\nfile = %s/%d.img\nformat = raw\n' "$name" "$tmp" "$number"
    done
    [ "$card" = no ] || printf '[nic.0]\ntype = user\n'
} >boot.guest

"$OSTLER" define boot.guest
"$OSTLER" start boot
in_guest() {
    "$GUEST_RUN" 100 "$1" "$OSTLER" console boot
}

in_guest 'uname -srm' >kernel
echo "console: $(cat kernel)"

number=0
for name in $names; do
    number=$((number + 1))
    in_guest "head -n 1 /dev/$name" >disk
    is disk "disk-$number"
done
echo "disks: $number, in order"

if [ "$card" = yes ]; then
    # A card behind USB comes up after the prompt does.
    in_guest 'for try in $(seq 60); do
                  ip -4 -o addr show scope global | grep . && break
                  sleep 1
              done' >guest-address
    "$OSTLER" domifaddr boot --wait=30 --json >address
    says address '"source":"dhcp"'
    says guest-address " $(sed 's/.*"address":"\([0-9.]*\)".*/\1/' address)/"
    echo "address: $(cat guest-address)"
fi

if [ "$button" = yes ]; then
    "$OSTLER" shutdown boot --wait=60
else
    # Without a power button the guest's own word counts.
    in_guest 'poweroff -f' >/dev/null 2>&1 &
    "$OSTLER" domstate boot --wait='shut off' --timeout=60 || "$OSTLER" destroy boot
    wait || true
fi
"$OSTLER" domstate boot >state
is state 'shut off'
