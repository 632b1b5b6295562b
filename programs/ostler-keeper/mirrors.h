/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mirrors.h - have an adopted QEMU show the frames of its cards to us
 *
 * What cannot be had is a warning: a guest without known addresses is still looked after.
 */
#pragma once

#include "keeper.h"

/* Before the side programs are started; does nothing without a monitor. */
void coroutine_fn keeper_renew_mirrors(Keeper *keeper);
