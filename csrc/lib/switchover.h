/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * switchover.h - the one place where volumes are suspended.
 *
 * All tables are loaded beforehand.  Then, in one process with its memory locked and without any I/O of its
 * own: suspend the volumes, each after the device that lies on it, if one does; of each resume the new snapshot
 * and swap the old base; resume the volumes LAST, and after each what lies on it.  A snapshot activated before
 * the origin is suspended, or an origin resumed before its snapshot, loses chunks and says nothing.  There is
 * an instant at which all volumes are at rest, and that is what their snapshots show.
 *
 * A second process watches: if the first dies or stays away too long, it goes through to the end in its place,
 * or back to the beginning if not all were suspended yet.  If both die, stack_recover() does so for each volume.
 */
#ifndef ZUMASTOR_SWITCHOVER_H
#define ZUMASTOR_SWITCHOVER_H

#include "stack.h"

/* What is to happen to one volume. */
struct switchover {
	struct dev origin;
	bool has_upper;		/* the user's device lies on the volume, and has the filesystem */
	struct dev upper;
	int error;		/* the first failure of switchover_of(), reported by what is then called */
	struct dev store;	/* the pool in which writers may wait for room */
	bool has_snap;		/* a new snapshot goes live … */
	struct dev snap;
	bool has_base;		/* … and the base of the former head moves onto it */
	struct dev base;
	struct table undo;	/* the base's table as it was */
	struct table *late;	/* the volume's new table, if it must not be loaded before; only for one alone */
};

/*
 * switchover_of - the volume of @stack; what else is to happen the caller says.
 */
void switchover_of(struct switchover *sw, const struct stack *stack);

/*
 * switchover_run - switch @count volumes at one instant; *@pause_us is how long the first one was suspended.
 *
 * After an error all run and no inactive table is left.  They run on their old tables, unless the kernel
 * refused to resume one on its new table; then ask it for each.  -ENOSPC: what is being written waits for room in the
 * store.
 */
int switchover_run(struct switchover *sw, unsigned int count, uint64_t *pause_us);

/*
 * switchover_finish - complete or undo a switch that was cut off: nothing if no volume is suspended.
 */
int switchover_finish(struct switchover *sw, unsigned int count);

#endif
