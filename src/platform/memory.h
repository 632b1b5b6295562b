/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * memory.h - give free memory back to the system
 *
 * A C library keeps what was freed below something that still lives.  A keeper that once
 * read a long answer would carry it for as long as its guest runs.
 */
#pragma once

/* Within a second or so, from the default main context; asking again meanwhile is free. */
void ostler_memory_give_back_soon(void);
