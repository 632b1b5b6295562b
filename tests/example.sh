#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The example of docs/ starts a guest, learns its address and ends it.
. "$(dirname "$0")/lib.sh"
requires qemu-system-x86_64 --version

# Without a disk the firmware asks the network, and gets an address.
define_guest web 'machine = pc' 'accel = tcg' 'memory = 64M' '[nic.0]'
expect 0 "$EXAMPLE" web
is out 'web has 10.0.2.15 (dhcp)'
expect 3 "$EXAMPLE" nobody
says err "No guest is named 'nobody'"
