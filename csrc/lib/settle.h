/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settle.h - bring a running volume to what its record says.
 *
 * These are the only two functions that repair, and they may be run at any time and any number of times: what
 * they do not find half done they leave alone.
 */
#ifndef ZUMASTOR_SETTLE_H
#define ZUMASTOR_SETTLE_H

#include "stack.h"

/*
 * stack_recover - after this nothing is suspended, no snapshot is pending, a head that the kernel gave
 * up is recorded as lost, with all that read through it, and pool and volume have the sizes on record.
 *
 * @stack: up, see stack_is_up().  Quick: no data is read or copied.
 */
int stack_recover(struct stack *stack);

/*
 * stack_settle - stack_recover(), then absorb removed snapshots, put views on the present head, remove every
 * device that is not needed any more and delete the thin volumes of what was removed.
 */
int stack_settle(struct stack *stack);

/*
 * stack_needs - 1 for a device that is to stay: the volume, the pool, what users see and what those lie on; 0 for one
 * that settling removes once nobody has it open.  @role: the end of its UUID.
 */
int stack_needs(struct stack *stack, const char *uuid, const char *role);

/*
 * stack_drop_pending - forget the pending snapshot @snap, its devices and its thin volume.
 */
int stack_drop_pending(struct stack *stack, struct snapshot *snap);

/*
 * stack_seal - remember in the record, not yet committed, what the exception table of @snap is.
 */
int stack_seal(struct stack *stack, struct snapshot *snap);

/*
 * stack_head_status - the kernel's status of the head: "ok", or what it printed instead; "none".
 *
 * @chunks: changed since the head was taken.
 */
int stack_head_status(struct stack *stack, char *text, size_t size, uint64_t *chunks);

/*
 * stack_snapshot_status - the same of any device with a snapshot or snapshot-merge table; -ENXIO without a table.
 */
int stack_snapshot_status(struct stack *stack, const struct dev *dev, char *text, size_t size,
			  uint64_t *chunks);

/*
 * stack_mark_lost - record @snap and every older snapshot that reads through it as lost.
 */
int stack_mark_lost(struct stack *stack, struct snapshot *snap);

#endif
