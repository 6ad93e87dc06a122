/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slice.h - how long absorbing may go on before others get their turn, and where it goes on after that.
 *
 * Absorbing takes as long as there is to copy, and holds the volume's lock: done in slices, others wait for one of them at
 * most.  A slice that is over leaves what a crash would, which is right; what it has appended stays.  What it has
 * overwritten cannot be told from what it has not: so the caller keeps the place, and may lose it.  The place holds as long as
 * both are there, because nobody else writes to the two stores meanwhile: absorb_removed() sees to that.
 */
#ifndef ZUMASTOR_SLICE_H
#define ZUMASTOR_SLICE_H

#include <stdbool.h>
#include <stdint.h>

struct slice {
	bool limited;		/* else everything is one */
	uint64_t ms;		/* how long it is at least; 0: one chunk */
	int64_t begun_ms;	/* by clock_ms(), as is … */
	int64_t end_ms;	/* … 0 before the first chunk, so that there is always progress */
	bool more;		/* there is something left to be done */
	uint32_t older, newer;	/* ids of the snapshots whose stores were being united when it was over */
	uint64_t place;		/* how many entries of the older one's table were looked at for overwriting the newer one */
};

/*
 * slice_begin - from now on.  What it takes to read the tables comes again with each slice: it lasts as long as that after
 * them, too.
 */
void slice_begin(struct slice *slice, uint64_t ms);

/*
 * slice_over - was this the last chunk of the slice?  Asked after each.
 */
bool slice_over(struct slice *slice);

/*
 * slice_of - the next chunks are of those two: keep the place if it is theirs, else begin.
 */
void slice_of(struct slice *slice, uint32_t older, uint32_t newer);

#endif
