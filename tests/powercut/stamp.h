/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stamp.h - writes that anybody can work out again from a seed and their number.
 *
 * Write number N of a series goes to a place, of a length, with a content that only N and the seed decide; number 0
 * to the whole device.  Each sector begins with N and its own number: so from a sector on a disk one can tell
 * which write put it there.
 */
#ifndef POWERCUT_STAMP_H
#define POWERCUT_STAMP_H

#include <stdint.h>

enum { STAMP_SECTORS_MAX = 64 };

struct stamp {
	uint64_t number;
	uint64_t sector, sectors;
};

/*
 * stamp_make - write number @number to a device of @device_sectors.
 */
struct stamp stamp_make(uint64_t seed, uint64_t number, uint64_t device_sectors);

/*
 * stamp_fill - the content of one sector of it.
 */
void stamp_fill(uint64_t seed, const struct stamp *stamp, uint64_t sector, void *buffer);

/*
 * stamp_number - which write a sector's content is of.
 */
uint64_t stamp_number(const void *buffer);

#endif
