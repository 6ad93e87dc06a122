/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fingerprint.h - was the origin written past the volume?
 *
 * Snapshots read from the origin what has not changed, so a raw write to it (dd, a mount of the device itself)
 * changes them all and tells nobody.  Two witnesses speak of it, both kept in the record as struct origin_seen:
 *
 *   - the kernel's count of sectors written to the device: exact, as long as it is the same device in the same boot;
 *   - a digest of samples, the superblock areas and places drawn by the volume's uuid: good across boots, for what
 *     touches one of them.  A mount does; a write somewhere in the middle may not.
 *
 * Where neither can speak, as after a crash, nothing is claimed.
 */
#ifndef ZUMASTOR_FINGERPRINT_H
#define ZUMASTOR_FINGERPRINT_H

#include "stack.h"

/*
 * fingerprint_take - put into the record of @stack how the origin is seen now; the caller commits it.
 *
 * @when: SEEN_STOPPED takes the digest too, within about a fifth of a second.
 */
void fingerprint_take(struct stack *stack, enum seen when);

/*
 * fingerprint_changed - was the origin written since the volume was stopped?  False where nobody can tell.
 */
bool fingerprint_changed(const struct stack *stack);

/*
 * fingerprint_past - sectors written to the origin since start that did not come from the running volume.
 *
 * 0 where nobody can tell.  To be asked while nobody writes: what is under way may be counted by one side only.
 */
uint64_t fingerprint_past(const struct stack *stack);

#endif
