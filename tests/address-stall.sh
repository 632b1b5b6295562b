#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest's frames never hold QEMU up, whatever becomes of ostler-address.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guest-lib.sh"
requires qemu-system-x86_64 --version

guest_image x86_64
GUEST_IMAGE=$image "$ADDRESS_STALL" --verbose
