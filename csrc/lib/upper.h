/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upper.h - the user's own device where it lies on the volume, because it was mounted when the volume was defined.
 *
 *     D ── VOL ── VOL-base-N ── VOL-lower ── the disks
 *
 * D has the filesystem; VOL-lower has the table that was D's.  Which device is D the kernel knows: nothing else
 * but a dm device lies on VOL while VOL-lower is there.
 */
#ifndef ZUMASTOR_UPPER_H
#define ZUMASTOR_UPPER_H

#include "stack.h"

/*
 * upper_holder - the dm device that has VOL under its live or its inactive table.
 *
 * upper_find - the same, if it is the live one.  No device is there unless there is a VOL-lower.
 */
int upper_holder(const struct stack *stack, struct dev *upper, bool *there);
int upper_find(const struct stack *stack, struct dev *upper, bool *there);

#endif
