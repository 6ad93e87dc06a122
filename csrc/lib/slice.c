// SPDX-License-Identifier: GPL-2.0-or-later
/* slice.c - see slice.h. */
#include <time.h>

#include "slice.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void slice_begin(struct slice *slice, uint64_t ms)
{
	slice->limited = true;
	slice->ms = ms;
	slice->begun_ms = now_ms();
}

bool slice_over(struct slice *slice)
{
	uint64_t now;

	if (!slice->limited || slice->ms == 0)
		return slice->limited;
	now = now_ms();
	if (slice->end_ms == 0)
		slice->end_ms = now + slice->ms + (now - slice->begun_ms);
	return now >= slice->end_ms;
}

void slice_of(struct slice *slice, uint32_t older, uint32_t newer)
{
	if (slice->older != older || slice->newer != newer)
		slice->place = 0;
	slice->older = older;
	slice->newer = newer;
}
