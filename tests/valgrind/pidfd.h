/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pidfd.h - how pidfd-shim.c and pidfd-helper.c find each other
 *
 * Debian 12's valgrind (3.19) does not know pidfd_open() and pidfd_send_signal() and
 * answers ENOSYS, on which our programs rightly give up.  A descriptor that is already
 * open it handles like any other: so the shim, preloaded into the program that runs under
 * valgrind, lets a helper outside of valgrind open it and send it over.
 */
#pragma once

/* The helper's path, in the environment. */
#define PIDFD_HELPER "PIDFD_HELPER"
/* The helper's end of the socket. */
#define PIDFD_HELPER_SOCKET 0
