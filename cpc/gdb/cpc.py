# SPDX-License-Identifier: LGPL-2.1-or-later
"""gdb's view of coroutines that the plugin compiled:

    (gdb) source cpc/gdb/cpc.py
    (gdb) cpc-backtrace CO     where the suspended coroutine CO waits, and for whom

A suspended coroutine has no stack to unwind.  Its frames name each other (runtime/arena.h),
and in front of the function that each goes on in, code compiled with -g has the lines of its
suspensions: plugin/frame.c.
"""

import gdb

MAGIC = 0x434C3200
RESUME, PARENT = 0, 1  # words of a frame


def read_int(address, size=4):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, size), "little")


def read_word(address):
    return read_int(address, gdb.lookup_type("void").pointer().sizeof)


def word(frame, index):
    return read_word(frame + index * gdb.lookup_type("void").pointer().sizeof)


def waiting_line(frame, resume):
    """The line of the call that @frame waits in, or None without -g."""
    note = read_int(resume - 4)
    n = note & 0xFF
    if note - n != MAGIC or n == 0:
        return None
    where = read_int(frame + read_int(resume - 8), 1) if n > 1 else 0
    return read_int(resume - 12 - where // 2 * 4 + where % 2 * 2, 2)


def describe(frame):
    resume = word(frame, RESUME)
    place = gdb.find_pc_line(resume)
    block = gdb.block_for_pc(resume)
    function = block.function if block else None
    name = function.name if function else "0x%x" % resume
    line = waiting_line(frame, resume)
    if place.symtab and line:
        return "%s () at %s:%d" % (name, place.symtab.filename, line)
    return "%s ()" % name


def arena_of(co):
    """The address of the CpcArena in the Coroutine at @co."""
    try:
        kind = gdb.lookup_type("FrameCoroutine")
    except gdb.error:
        return co + 2 * gdb.lookup_type("void").pointer().sizeof  # without -g
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == "arena")
    return co + offset


class Backtrace(gdb.Command):
    """cpc-backtrace CO: where the suspended coroutine CO, a Coroutine *, waits."""

    def __init__(self):
        super().__init__("cpc-backtrace", gdb.COMMAND_STACK, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        arena = arena_of(int(gdb.parse_and_eval(argument)))
        frame = word(arena, PARENT)
        if frame == 0:
            print("The coroutine is at its beginning")
        number = 0
        while frame not in (0, arena):
            print("#%-2d %s" % (number, describe(frame)))
            frame = word(frame, PARENT)
            number += 1


Backtrace()
