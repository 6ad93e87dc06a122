/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone.h - writable copies of snapshots, and volumes on them.
 *
 * A clone is the snapshot with a COW of its own on top.  It is there whenever the volume runs.  The snapshot
 * cannot be removed while it has clones; everything else goes on as without them.
 *
 * A volume defined on a clone has the clone as its origin and shares the pool: its store is a thin volume that holds
 * nothing but its record, and for its own thin volumes it has a range of ids to itself.
 */
#ifndef ZUMASTOR_CLONE_H
#define ZUMASTOR_CLONE_H

#include "stack.h"

/*
 * is_clone_name - a name of at most 32 bytes that is no snapshot's and not that of another link beside it.
 */
bool is_clone_name(const char *text);

/*
 * clone_create - -EEXIST: there is one of that name; -ESTALE: @snap is lost; -ENOSPC: the store is full, or has
 * all the clones it can.  Nothing has changed then.
 */
int clone_create(struct stack *stack, const struct snapshot *snap, const char *name);

/*
 * clone_remove - -EBUSY: it is open, or the volume on it has clones itself.  What was written to it is gone, and so
 * are the snapshots of a volume on it.
 */
int clone_remove(struct stack *stack, struct clone *clone);

/*
 * clone_store - make the store for a volume @name on @clone, unless it is there.
 *
 * -EEXIST: it is another volume's; -EOPNOTSUPP: we are on a clone ourselves, and it would get too deep;
 * -ENOSPC: no thin ids are left for it.
 */
int clone_store(struct stack *stack, struct clone *clone, const char *name);

/*
 * clones_up - put up those that are not.  One whose COW is damaged stays down.
 */
int clones_up(struct stack *stack);

/*
 * clones_delete - delete the thin volumes of removed ones; *@deleted when there were any.
 */
int clones_delete(struct stack *stack, bool *deleted);

/*
 * clones_need - does a clone need the device with that UUID?
 */
bool clones_need(const struct stack *stack, const char *uuid);

/*
 * clone_unlink - its links go.
 */
void clone_unlink(const struct stack *stack, const struct clone *clone);

#endif
