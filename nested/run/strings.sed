# SPDX-License-Identifier: LGPL-2.1-or-later
# Any text as C string literals, a line each.
s/\\/\\\\/g
s/"/\\"/g
s/.*/"&\\n"/
