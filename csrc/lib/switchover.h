/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * switchover.h - the one place where a volume is suspended.
 *
 * All tables are loaded beforehand.  Then, in one process with its memory locked and without any I/O of its
 * own: suspend the volume, resume the new snapshot, swap the old base, resume the volume LAST.  A snapshot
 * activated before the origin is suspended, or an origin resumed before its snapshot, loses chunks and says
 * nothing.
 *
 * A second process watches: if the first dies or stays away too long, it goes through to the end in its place.
 * If both die, stack_recover() does the same.
 */
#ifndef ZUMASTOR_SWITCHOVER_H
#define ZUMASTOR_SWITCHOVER_H

#include "stack.h"

struct switchover {
	struct dev origin;
	bool has_snap;		/* a new snapshot goes live … */
	struct dev snap;
	bool has_base;		/* … and the base of the former head moves onto it */
	struct dev base;
	struct table undo;	/* the base's table as it was */
	struct table *late;	/* the volume's new table, if it must not be loaded before; else NULL */
};

/*
 * switchover_run - switch; *@pause_us is how long the volume was suspended.
 *
 * After an error the volume runs on its old table and the inactive tables are empty.
 */
int switchover_run(struct switchover *sw, uint64_t *pause_us);

/*
 * switchover_finish - complete a switch that was cut off: nothing if the volume is not suspended.
 */
int switchover_finish(struct switchover *sw);

#endif
