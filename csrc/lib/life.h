/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * life.h - start, stop and snapshot a volume.
 */
#ifndef ZUMASTOR_LIFE_H
#define ZUMASTOR_LIFE_H

#include "stack.h"

/*
 * life_start - put up the stack over the user's device, the store and a separate metadata device (or 0), and
 * decide what a crash left undecided.
 *
 * -EOPNOTSUPP: the kernel lacks a target.  -EBUSY: a device is in use.  Otherwise as pool_up().  Nothing stays up
 * after an error.  A volume that runs is settled instead.
 */
int life_start(struct stack *stack, dev_t origin, dev_t store, dev_t meta);

/*
 * life_stop - remove every device of the volume; -EBUSY, and nothing changed, while the volume or a
 * snapshot is open.
 */
int life_stop(struct stack *stack);

struct new_snapshot {
	const char *uuid;	/* NULL: a fresh one */
	const char *kinds;
	uint64_t time;		/* moved on by seconds until it is the volume's only one */
};

/*
 * life_snapshot - take a snapshot; *@snap is it, *@pause_us how long the volume was suspended.
 *
 * After an error there is no new snapshot, and the volume runs as before.
 */
int life_snapshot(struct stack *stack, const struct new_snapshot *wanted, struct snapshot **snap,
		  uint64_t *pause_us);

#endif
