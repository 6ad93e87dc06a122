/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shadow.h - what the volume and each of its snapshots must contain, and noise to write.
 *
 * The contents are slots of one file in memory, not memory of the process: an operation that locks its memory
 * or forks must not take them along.
 */
#ifndef ZUMASTOR_SHADOW_H
#define ZUMASTOR_SHADOW_H

#include <stdint.h>

enum { VOLUME_SLOT = 0 };

struct shadow {
	int fd;
	uint64_t bytes;		/* of one slot */
};

/* A generator of our own, so that a seed means the same everywhere. */
struct noise {
	uint64_t state;
};

uint64_t noise_next(struct noise *noise);
uint64_t noise_below(struct noise *noise, uint64_t limit);
void noise_fill(struct noise *noise, void *buffer, uint64_t bytes);

/*
 * shadow_open - slots of @bytes each, slot 0 filled from the device.
 */
int shadow_open(struct shadow *shadow, uint64_t bytes, const char *device);

/*
 * shadow_write - what is written to the volume.  shadow_copy - slot @to is from now on what slot @from is.
 */
int shadow_write(struct shadow *shadow, const void *data, uint64_t bytes, uint64_t offset);
int shadow_copy(struct shadow *shadow, unsigned int from, unsigned int to);

/*
 * shadow_compare - read @bytes at @offset of @device past the page cache; *@differs is the first byte that is
 * not as in @slot, or UINT64_MAX.
 */
int shadow_compare(const struct shadow *shadow, unsigned int slot, const char *device, uint64_t offset,
		   uint64_t bytes, uint64_t *differs);

#endif
