/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookout.h - write to the pool without waiting for room.
 *
 * Others may take the room that there was a moment ago, and then a write waits for more and cannot be interrupted,
 * while whoever could make room waits for us.  A process on the lookout for that lets the devices we write fail, so
 * that we go on, or can be killed.
 */
#ifndef ZUMASTOR_LOOKOUT_H
#define ZUMASTOR_LOOKOUT_H

#include <sys/types.h>

#include "stack.h"

struct lookout {
	pid_t pid;
	int fd;
};

/*
 * lookout_begin - from now on @devices, which nobody else may use, fail all I/O once writers wait for room.
 */
int lookout_begin(struct lookout *lookout, const struct stack *stack, const struct dev *devices,
		  unsigned int count);

/*
 * lookout_end - @r, or -ENOSPC when the devices were made to fail: they do until they are removed.
 */
int lookout_end(struct lookout *lookout, int r);

#endif
