/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resize.h - give a running volume the sizes that its record says.
 *
 * Whoever resizes commits the record first.  So whatever dies on the way, resize_fit() of the next command or the
 * next start does the rest.  A snapshot keeps its size: it is on a base that is as long as the volume, and what is
 * written behind the snapshot's end is not copied out.
 */
#ifndef ZUMASTOR_RESIZE_H
#define ZUMASTOR_RESIZE_H

#include "stack.h"

/*
 * resize_fit - bring the pool's metadata, its data and the volume to the sizes in the record.
 *
 * Nothing is done that is done already, and nothing to a pool that cannot be written.  Writers wait for an instant.
 * -ENOSPC: the pool is full, so that the volume has to wait for its new size.
 */
int resize_fit(struct stack *stack);

/*
 * resize_recover - the pool runs again after a switch that was cut off, on the table it had or the new one.
 */
int resize_recover(struct stack *stack);

#endif
