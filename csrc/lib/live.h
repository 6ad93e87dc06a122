/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live.h - put a volume under a device that is in use, and take it away again; upper.h shows the devices.
 *
 * The user's device is never without one of its two tables: the one onto VOL, or its own, which VOL-lower keeps.
 */
#ifndef ZUMASTOR_LIVE_H
#define ZUMASTOR_LIVE_H

#include "stack.h"

/*
 * live_lower_up - VOL-lower, with the table of @device, whose dm UUID and name go into @upper.
 *
 * -EBUSY, and nothing changed, when it is not a writable dm device of linear segments that has the volume's size
 * and lies under no other.
 */
int live_lower_up(struct stack *stack, dev_t device, struct dev *upper);
int live_lower_down(struct stack *stack);

/*
 * live_put - swap the table of @upper, mounted or not, for one onto VOL.   live_take_off - and back.
 */
int live_put(struct stack *stack, const struct dev *upper);
int live_take_off(struct stack *stack, const struct dev *upper);

/*
 * live_mend - complete or undo a swap that was cut off; *@detached: there is a VOL-lower, and nothing lies on VOL.
 *
 * Then the user's device may be written past the volume, and only stopping helps.
 */
int live_mend(struct stack *stack, bool *detached);

/*
 * live_recover - live_mend() of a volume that is to be used: -ENOLINK when it is detached.
 */
int live_recover(struct stack *stack);

/* A claim on the user's device, so that nobody mounts it while it changes tables. */
struct claim {
	bool there;
	struct dev upper;
	dev_t device;
	int fd;
};

/*
 * live_claim - claim what lies on the volume, if anything does; -EBUSY when it is in use, unless it may be
 * @mounted.
 */
int live_claim(struct stack *stack, bool mounted, struct claim *claim);
void live_release(struct claim *claim);

#endif
