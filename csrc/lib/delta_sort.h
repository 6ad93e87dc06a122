/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_sort.h - what of the chunks that changed is sent: the blocks that differ from what they were.
 *
 * A chunk counts as changed when anything in it was written, be it with what it held before: an application that
 * rewrites 4 KiB of a chunk of 16 leaves three quarters of it as it was.  So the old content is read, too, and blocks
 * that are equal are dropped.  That costs a read for a read, and where nothing is ever equal it is not done for all:
 * a segment is compared when the one compared last was worth it, that is when at least an eighth of what was read for
 * it was equal or is sent as a difference, and one in sixteen in any case.
 *
 * Blocks of zeros are told by a list, and cost nothing on the wire.
 *
 * A block in which no more than a quarter of the bytes differ is sent as its difference, where the reader takes those:
 * whatever the block holds, the compression makes that of the other three quarters nearly nothing.
 */
#ifndef ZUMASTOR_DELTA_SORT_H
#define ZUMASTOR_DELTA_SORT_H

#include <stdbool.h>
#include <stdint.h>

#include "delta.h"
#include "delta_old.h"

enum {
	/*
	 * Most that is read for one segment, however much of it is equal: the reader should hear of us, and know how far
	 * it is.
	 */
	DELTA_SEGMENT_READ = 256 << 20,
};

struct delta_sorter {
	bool full;			/* what is not sent is zero, and not what it was */
	bool xor;			/* differences may be sent */
	bool always;			/* compare, whether it is worth it or not */
	struct delta_old *old;		/* NULL: there is nothing to compare with */
	bool comparing;			/* this segment */
	bool worth;			/* the one compared last was */
	unsigned int passed;		/* segments since */
	uint64_t bytes;			/* read for this segment … */
	uint64_t equal;			/* … and of them equal */
	bool known[DELTA_WRITTEN_BYTES / DELTA_BLOCK];	/* of the blocks in the segment, what is old */
	uint64_t compared_bytes;	/* of all segments */
	uint64_t equal_bytes;
	uint64_t xor_bytes;		/* sent as differences */
};

/*
 * delta_sort_begin - a segment begins; sorter->comparing tells whether what is old is to be read, too.
 */
void delta_sort_begin(struct delta_sorter *sorter);

/*
 * delta_sort_piece - take over what was read of @piece at @from, in the segment's buffer behind its data.
 */
void delta_sort_piece(struct delta_sorter *sorter, struct delta_segment *seg, const struct delta_extent *piece,
		      const uint8_t *from);

/*
 * delta_sort_room - the bytes that the segment surely has room for, however they fall.
 */
size_t delta_sort_room(const struct delta_sorter *sorter, const struct delta_segment *seg);

/*
 * delta_sort_end - the segment is full, or there is no more; its chain is made: now it becomes what is sent.
 */
void delta_sort_end(struct delta_sorter *sorter, struct delta_segment *seg);

#endif
