/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_old.h - the content that a delta was made on, read beside the delta.
 *
 * What is read lies in old->buffer as the new content does in a segment's: what is equal, or how it differs, is found at
 * the same place in both.
 */
#ifndef ZUMASTOR_DELTA_OLD_H
#define ZUMASTOR_DELTA_OLD_H

#include <stddef.h>
#include <stdint.h>

#include "delta.h"
#include "delta_queue.h"

struct delta_old {
	int fd;
	uint64_t bytes;			/* of the device: behind them nothing is known */
	struct delta_queue queue;
	uint8_t *buffer;
};

/*
 * delta_old_open - of the device at @path, with so many bytes of buffer; 0 or -errno.
 */
int delta_old_open(struct delta_old *old, const char *path, size_t buffer);

/*
 * delta_old_read - read what is old at @offset to @at in the buffer, some time before the next wait; of what lies behind
 * the end of the device, nothing.
 */
void delta_old_read(struct delta_old *old, size_t at, size_t length, uint64_t offset);

/*
 * delta_old_wait - until all is read: 0, or the first -errno.
 */
int delta_old_wait(struct delta_old *old);

/*
 * delta_old_xor - XOR the @length bytes at @at with those there in the buffer of what is old: new content becomes its
 * difference, and the difference the new content.
 */
void delta_old_xor(const struct delta_old *old, uint8_t *buffer, size_t at, size_t length);

/*
 * delta_old_restore - make the new content of the differences in a segment, which has been checked.
 *
 * Returns 0; -ENODATA where they reach behind the device's end; or -errno of reading it.
 */
int delta_old_restore(struct delta_old *old, struct delta_segment *seg);

void delta_old_close(struct delta_old *old);

#endif
