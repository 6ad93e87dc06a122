/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - do record, pool, exception tables and devices of a volume agree?
 *
 * Each disagreement is a line "KIND<TAB>ID<TAB>TEXT" on @out, where ID is the snapshot that it is about, or 0.  The
 * kind says what mends it:
 *
 *     record    writing the record again
 *     devices   settling, or starting where the volume is stopped
 *     restart   nothing but stopping and starting the volume
 *     pool      thin_check and thin_repair, while the volume is stopped
 *     table     recording the snapshot, and what reads through it, as lost
 *     origin    the same: the origin was written past the volume
 *     unread    a new disk: something cannot be read
 *     lost      removing it: it is recorded as lost already
 *     revert    giving it up, while the volume is stopped: the snapshot is lost, or what was written since it began
 *     clone     removing the clone, which cannot be put up
 *     database  the administrator: the devices that were given are not the volume's
 *
 * Nothing is changed; exception stores are put up for reading and taken down again.  Every function returns 0
 * when it could look, whatever it found, or -errno.
 */
#ifndef ZUMASTOR_CHECK_H
#define ZUMASTOR_CHECK_H

#include <stdio.h>

#include "stack.h"

struct check {
	struct stack *stack;
	dev_t origin, store, meta;	/* as the database has them; meta 0 for none */
	FILE *out;
};

/*
 * check_record - both slots, and what the record says is not well.
 */
int check_record(const struct check *check);

/*
 * check_running - a volume that is up.
 */
int check_running(const struct check *check);

/*
 * check_stopped - one that is not; its pool is put up for a moment, read-only.
 */
int check_stopped(const struct check *check);

#endif
