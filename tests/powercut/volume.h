/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * volume.h - the volume "home" on disks that a power cut has left, in this process.
 */
#ifndef POWERCUT_VOLUME_H
#define POWERCUT_VOLUME_H

#include "stack.h"

#define HELPERS "/usr/libexec/zumastor/"
#define VOLUME "home"

/*
 * volume_start - as dm-start; NULL with *@error set.
 */
struct stack *volume_start(const char *origin, const char *store, int *error);

/*
 * volume_show - /dev/zumastor/home/ID of every live snapshot.
 */
int volume_show(struct stack *stack);

/*
 * volume_fall - the power fails: nothing is written, and no dm device is left.
 */
int volume_fall(struct stack *stack);

#endif
