/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cowdev.h - an exception store where it lives: in a thin volume of the pool.
 *
 * A store is named by a snapshot; for the layer of a revert or of a clone, by one of which only the thin id and
 * the size count.
 */
#ifndef ZUMASTOR_COWDEV_H
#define ZUMASTOR_COWDEV_H

#include "stack.h"

/*
 * cowdev_create - make the thin volume, its device, and an empty exception store in it; may be repeated.
 *
 * -ENOSPC: the pool was filled meanwhile; the device fails all I/O until it is removed.
 */
int cowdev_create(const struct stack *stack, const struct snapshot *snap);

/*
 * cowdev_inspect - read the whole table; *@used: did the kernel ever copy out to it?
 *
 * @mend: also zero what a torn write left behind the end of the table.  -ESTALE the kernel gave it up,
 * -EBADMSG it is damaged, -ENODATA the pool does not know it.
 */
int cowdev_inspect(const struct stack *stack, const struct snapshot *snap, bool mend, bool *used);

#endif
