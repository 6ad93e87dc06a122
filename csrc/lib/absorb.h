/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * absorb.h - let removed snapshots go: what one kept, the next older one must keep from now on.
 */
#ifndef ZUMASTOR_ABSORB_H
#define ZUMASTOR_ABSORB_H

#include "stack.h"

/*
 * absorb_removed - of every removed snapshot but the head.
 *
 * One for which there is no room stays as it is; and when stack->slice is over all others do, and it says so.  A table
 * that is damaged makes the snapshots that need it lost.
 */
int absorb_removed(struct stack *stack);

/*
 * absorb_older - the next older snapshot that reads through @snap, or NULL.
 */
struct snapshot *absorb_older(struct stack *stack, const struct snapshot *snap);

#endif
