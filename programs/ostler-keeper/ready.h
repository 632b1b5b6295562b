/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ready.h - tell whoever started the keeper how the start went
 *
 * One reply of the control channel (control.h) on a descriptor that the starter gave:
 * the status, or an error.  And READY=1 for systemd (sd_notify(3)).  A starter that was
 * killed meanwhile is no reason to stop.
 */
#pragma once

#include "guest/running/status.h"

/* @fd -1: nobody waits.  It is closed. */
void keeper_say_ready(int fd, const OstlerRunStatus *status);
void keeper_say_failed(int fd, const GError *why);
