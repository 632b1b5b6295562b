# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# guest-lib.sh - for tests that boot guests; source it after lib.sh

# guest_image ARCH: sets $image to the folder of a test guest (tools/guest-image), made
# if it is not there.  Skips when Debian's packages are out of reach.
guest_image() {
    image=$BUILD_DIR/guest/$1
    "$SOURCE_DIR/tools/guest-image" "$1" "$image" ||
        skip "no image for $1 can be made here"
}
