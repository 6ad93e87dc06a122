/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view.h - the read-only devices VOL(K) that show snapshots, and what is under them.
 *
 * The head is shown as it is.  What an older snapshot K shows is, for each chunk, the first of cow-K, cow-K+1, … below
 * the head that has it, else what the head shows.  A tower of snapshot devices would say so too, and overflow
 * the kernel's stack; instead the exception tables are merged into one, which the stock snapshot target
 * loads over a linear device of all those COWs.  No data moves, and no path grows with the number of snapshots.
 *
 * The kernel reads the merged table once, when the view is loaded.  So it is handed over on a loop device over
 * memory that is gone again when the view stands.
 */
#ifndef ZUMASTOR_VIEW_H
#define ZUMASTOR_VIEW_H

#include "stack.h"

/* Of the kernel memory that the views of a volume take. */
struct bound {
	uint64_t most;		/* bytes; 0 for no bound */
	uint64_t needs;		/* set when it is not enough: what would have been */
};

/*
 * view_show - make VOL(K) exist, on a current view, for each of the snapshots of the stack's record in that order.
 *
 * -ENOBUFS when @bound would be exceeded, which one that is shown already never does; -ESTALE for a lost snapshot,
 * -EBADMSG when an exception table it needs is damaged.  @shown: how many are there, all before the one that failed.
 */
int view_show(struct stack *stack, const struct snapshot *const *snaps, unsigned int count,
	      struct bound *bound, unsigned int *shown);

/*
 * view_memory - about how much kernel memory the devices for looking at snapshots take.
 */
int view_memory(struct stack *stack, uint64_t *bytes);

/*
 * view_under - make VOL-under-K exist, which the writable layers over @snap read; errors as view_show(), no bound.
 */
int view_under(struct stack *stack, const struct snapshot *snap);

/*
 * view_hide - remove VOL(@id); -EBUSY while it is open.
 */
int view_hide(struct stack *stack, uint32_t id);

/*
 * view_refresh - put every VOL(K) and VOL-under-K that exists on a view of the present head and chain.
 */
int view_refresh(struct stack *stack);

/*
 * view_is_current - is the device with that UUID part of a view that one of those needs now?
 */
int view_is_current(struct stack *stack, const char *uuid, bool *current);

/* What a device is to be. */
struct wanted {
	struct dev dev;
	struct table table;
};

enum { VIEW_DEVICES = 3 };

/*
 * view_wanted - the device of @role ("shown" or "under") of @snap and what is under it, as view_show() leaves them;
 * what is not wanted has an empty table.  The caller frees the tables, also after an error.
 *
 * Reads every exception table that the view reads; -ENXIO while a device that others are to lie on is not there.
 */
int view_wanted(struct stack *stack, const struct snapshot *snap, const char *role,
		struct wanted wanted[VIEW_DEVICES]);

#endif
