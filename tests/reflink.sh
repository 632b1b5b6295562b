#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The copy that an edit works on takes no room where the file system shares blocks.
. "$(dirname "$0")/lib.sh"
requires mkfs.btrfs --version
[ "$(id -u)" = 0 ] || skip "only root can mount a file system"

truncate -s 300M disk
mkfs.btrfs -q disk
mkdir mounted
mount -o loop disk mounted 2>mount.log || skip "$(cat mount.log)"
cleanup "umount '$tmp/mounted'"

# Its end is in the middle of a block.
head -c 67108001 /dev/urandom >mounted/old
sync -f mounted
REFLINK_FOLDER=$tmp/mounted "$BUILD_DIR/src/platform/root-test" --tap -p /reflink
