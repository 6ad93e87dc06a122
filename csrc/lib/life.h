/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * life.h - start and stop a volume, snapshot one or several.
 */
#ifndef ZUMASTOR_LIFE_H
#define ZUMASTOR_LIFE_H

#include "stack.h"

/*
 * life_start - put up the stack over the user's device, the store and a separate metadata device (or 0), and
 * decide what a crash left undecided.
 *
 * When the origin was written while the volume was stopped, its snapshots are recorded as lost, and
 * stack->origin_changed is set.
 *
 * -EOPNOTSUPP: the kernel lacks a target.  -EBUSY: a device is in use.  Otherwise as pool_up().  Nothing stays up
 * after an error.  A volume that runs is settled instead.
 */
int life_start(struct stack *stack, dev_t origin, dev_t store, dev_t meta);

/*
 * life_adopt - the same under the device @upper, which may be mounted: it is the origin, and what is written to
 * it goes through the volume from then on.
 *
 * -EBUSY also for a store with snapshots, and for what live_lower_up() refuses.
 */
int life_adopt(struct stack *stack, dev_t upper, dev_t store, dev_t meta);

/*
 * life_stop - remove every device of the volume; -EBUSY, and nothing changed, while the volume or a
 * snapshot is open, or the device that lies on it.
 *
 * Before that, a head that the kernel gave up is recorded as lost; after it, how the origin is left.
 */
int life_stop(struct stack *stack);

/*
 * life_leave - the same, but the device that lies on the volume may be mounted, and stays so: undoes life_adopt().
 */
int life_leave(struct stack *stack);

struct new_snapshot {
	const char *kinds;
	uint64_t time;		/* moved on by seconds until it is free in all volumes */
};

/* A volume of which a snapshot is taken, and its new snapshot. */
struct member {
	struct stack *stack;
	const char *uuid;	/* NULL: a fresh one */
	struct snapshot *snap;
};

/*
 * life_snapshot - take a snapshot of @count volumes at one instant; *@pause_us is how long they were suspended.
 *
 * After an error no volume has a new snapshot, and all run as before; *@failed is the one it began with.
 */
int life_snapshot(struct member *member, unsigned int count, const struct new_snapshot *wanted,
		  unsigned int *failed, uint64_t *pause_us);

#endif
