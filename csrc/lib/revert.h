/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * revert.h - bring a volume back to a snapshot, usable at once.
 *
 *     begin   the volume is switched onto a writable layer over the snapshot: it shows the old content, takes
 *             writes, and the origin is as it was
 *     rewind  everything that changed since the snapshot is copied from it to the origin (cow-rewind), through
 *             a snapshot-origin of our own, so that the newer snapshots keep what they show
 *     merge   the volume is switched onto the origin with what was written meanwhile on top, and the kernel
 *             folds that into the origin
 *     finish  the volume is switched onto its origin as ever
 *
 * The phase is in the record, and each step may be killed and made again.  The snapshot taken before the first
 * step keeps what was reverted from.  Until the end no snapshot can be taken, and the one reverted to cannot
 * be removed before the merge; all else goes on.
 */
#ifndef ZUMASTOR_REVERT_H
#define ZUMASTOR_REVERT_H

#include "stack.h"

/*
 * revert_begin - switch the volume onto @snap, which must not be the head.
 *
 * -EBUSY: the volume is open, or is being reverted already; -EAGAIN: it was written since the head was taken;
 * -ESTALE: @snap is lost; -ENOSPC: the store has no room for what must be copied out.  Nothing has changed then.
 */
int revert_begin(struct stack *stack, const struct snapshot *snap, uint64_t *pause_us);

/*
 * revert_prepare - put up VOL-rewind, through which the origin is to be written, for cow-rewind.
 */
int revert_prepare(struct stack *stack);

/*
 * revert_merge - the origin holds the snapshot: switch the volume onto it and let the kernel merge.
 *
 * -ENOSPC: the store has no room for what that copies out.  The kernel waits for room in the very call that
 * resumes the volume, so it must not begin.
 */
int revert_merge(struct stack *stack);

/*
 * revert_left - bytes of the layer that are still to be merged.
 *
 * -ESTALE: the layer cannot be trusted any more; -EIO: the kernel has given the merge up.
 */
int revert_left(struct stack *stack, uint64_t *bytes);

/*
 * revert_finish - the merge has ended: the volume is its origin again; -EAGAIN when it has not.
 */
int revert_finish(struct stack *stack);

/*
 * revert_recover - make the record agree with what the volume of a running stack shows; the switches of a
 * revert may have been cut off before or after.
 */
int revert_recover(struct stack *stack);

/*
 * revert_start - before the volume's own device is put up: decide a pending revert, put up what an open one
 * needs.
 *
 * -ESTALE, -EBADMSG: the layer cannot be trusted, or the snapshot is lost; then stack->revert_stuck is set.
 */
int revert_start(struct stack *stack);

/*
 * revert_is_stuck - the volume cannot be started, as it shows a layer over a snapshot that is lost.
 *
 * revert_give_up - it is to show its origin, however much of it was copied back; the layer goes.  -EBUSY: it runs.
 */
bool revert_is_stuck(struct record *rec);
int revert_give_up(struct stack *stack);

/*
 * revert_origin_table - the volume's own table for a start: a layer for whose merge there is no room is not being merged
 * until revert_merge().
 */
int revert_origin_table(struct stack *stack, struct table *table);

/*
 * revert_needs - does the revert, if there is one, need that device?
 */
bool revert_needs(const struct stack *stack, const char *uuid);

#endif
