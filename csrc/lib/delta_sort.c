// SPDX-License-Identifier: GPL-2.0-or-later
/* delta_sort.c - see delta_sort.h. */
#include <string.h>

#include "delta_sort.h"

enum {
	SAMPLE = 16,			/* one segment of so many is compared in any case */
	WORTH = 8,			/* what is spared is worth reading when it is this part of it */
	LITTLE = 4,			/* part of a block that may differ, to be sent as a difference */
	ROOM_LEAST = 256 << 10,		/* a segment with less room is full */
};

static bool is_zero(const uint8_t *bytes, size_t length)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

static uint64_t block_length(uint64_t left)
{
	return left < DELTA_BLOCK ? left : DELTA_BLOCK;
}

static bool is_empty(const struct delta_segment *seg)
{
	return seg->data_count + seg->zero_count == 0;
}

void delta_sort_begin(struct delta_sorter *sorter)
{
	sorter->comparing = sorter->old &&
			    (sorter->always || sorter->worth || sorter->passed % SAMPLE == 0);
	sorter->passed = sorter->comparing ? 1 : sorter->passed + 1;
	sorter->bytes = 0;
	sorter->equal = 0;
}

/* The old content of a block, or NULL where it is not known. */
static const uint8_t *old_block(const struct delta_sorter *sorter, const struct delta_segment *seg,
				const uint8_t *from, uint64_t offset, size_t length)
{
	if (!sorter->comparing || offset + length > sorter->old->bytes)
		return NULL;
	return sorter->old->buffer + (from - seg->buffer);
}

/* To be dropped, unless that makes an empty segment of what was read for so long. */
static bool is_equal(const struct delta_sorter *sorter, const struct delta_segment *seg, const uint8_t *from,
		     const uint8_t *old, size_t length)
{
	return old && memcmp(from, old, length) == 0 &&
	       !(sorter->bytes >= DELTA_SEGMENT_READ && is_empty(seg));
}

/* A block comes to @at in the segment: what is old of it comes to the same place. */
static void keep_old(struct delta_sorter *sorter, size_t at, const uint8_t *old, size_t length)
{
	sorter->known[at / DELTA_BLOCK] = old != NULL;
	if (old && old != sorter->old->buffer + at)
		memmove(sorter->old->buffer + at, old, length);
}

void delta_sort_piece(struct delta_sorter *sorter, struct delta_segment *seg, const struct delta_extent *piece,
		      const uint8_t *from)
{
	uint8_t *to = seg->buffer + seg->bytes;
	uint64_t done, n;

	sorter->bytes += piece->length;
	for (done = 0; done < piece->length; done += n, from += n) {
		uint64_t offset = piece->offset + done;
		const uint8_t *old;

		n = block_length(piece->length - done);
		old = old_block(sorter, seg, from, offset, n);
		if (is_equal(sorter, seg, from, old, n)) {
			sorter->equal += n;
		} else if (!is_zero(from, n)) {
			delta_extent_add(seg->data, &seg->data_count, offset, n);
			keep_old(sorter, (size_t)(to - seg->buffer), old, n);
			if (to != from)
				memmove(to, from, n);
			to += n;
		} else if (!sorter->full) {
			delta_extent_add(seg->zero, &seg->zero_count, offset, n);
		}
	}
	seg->bytes = (size_t)(to - seg->buffer);
}

/* Were every second block zero, or equal. */
size_t delta_sort_room(const struct delta_sorter *sorter, const struct delta_segment *seg)
{
	size_t bytes = DELTA_WRITTEN_BYTES - seg->bytes;
	unsigned int most = seg->data_count > seg->zero_count ? seg->data_count : seg->zero_count;
	size_t extents = (size_t)(DELTA_EXTENTS - most) * DELTA_BLOCK;

	if (extents < bytes)
		bytes = extents;
	return bytes < ROOM_LEAST || (sorter->bytes >= DELTA_SEGMENT_READ && !is_empty(seg)) ? 0 : bytes;
}

static bool differs_little(const uint8_t *a, const uint8_t *b, size_t length)
{
	size_t i, differ = 0;

	for (i = 0; i < length; i++)
		differ += a[i] != b[i];
	return differ <= length / LITTLE;
}

/* The blocks of data in which little differs become differences; returns how many bytes. */
static uint64_t make_differences(struct delta_sorter *sorter, struct delta_segment *seg)
{
	uint64_t done, n, bytes = 0;
	unsigned int i;
	size_t at = 0;

	for (i = 0; i < seg->data_count; i++) {
		for (done = 0; done < seg->data[i].length; done += n, at += n) {
			n = block_length(seg->data[i].length - done);
			if (!sorter->known[at / DELTA_BLOCK] ||
			    !differs_little(seg->buffer + at, sorter->old->buffer + at, n))
				continue;
			delta_old_xor(sorter->old, seg->buffer, at, n);
			delta_extent_add(seg->xor, &seg->xor_count, seg->data[i].offset + done, n);
			bytes += n;
		}
	}
	return bytes;
}

void delta_sort_end(struct delta_sorter *sorter, struct delta_segment *seg)
{
	uint64_t differences = 0;

	if (!sorter->comparing)
		return;
	if (sorter->xor)
		differences = make_differences(sorter, seg);
	sorter->compared_bytes += sorter->bytes;
	sorter->equal_bytes += sorter->equal;
	sorter->xor_bytes += differences;
	sorter->worth = sorter->equal + differences >= sorter->bytes / WORTH;
}
