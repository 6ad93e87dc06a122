// SPDX-License-Identifier: GPL-2.0-or-later
/* slice.c - see slice.h. */

#include "clock.h"
#include "slice.h"

void slice_begin(struct slice *slice, uint64_t ms)
{
	slice->limited = true;
	slice->ms = ms;
	slice->begun_ms = clock_ms();
}

bool slice_over(struct slice *slice)
{
	int64_t now;

	if (!slice->limited || slice->ms == 0)
		return slice->limited;
	now = clock_ms();
	if (slice->end_ms == 0)
		slice->end_ms = now + (int64_t)slice->ms + (now - slice->begun_ms);
	return now >= slice->end_ms;
}

void slice_of(struct slice *slice, uint32_t older, uint32_t newer)
{
	if (slice->older != older || slice->newer != newer)
		slice->place = 0;
	slice->older = older;
	slice->newer = newer;
}
