// SPDX-License-Identifier: GPL-2.0-or-later
/* layout.c - see layout.h. */
#include <errno.h>
#include <inttypes.h>
#include <sys/sysmacros.h>

#include "io.h"
#include "layout.h"

enum {
	BLOCK_LEAST = 64 << 10,
	BLOCK_DEFAULT = 1 << 20,
	BLOCKS_WANTED = 4096,		/* on a small store smaller blocks, so that many snapshots fit */
	META_HEADROOM = 16 << 20,	/* for the trees of hundreds of snapshots */
	META_PER_BLOCK = 64,		/* twice a mapping of 16 bytes in a half-full leaf */
};

uint64_t layout_block(uint64_t store_bytes)
{
	uint64_t block = BLOCK_LEAST;

	while (block < BLOCK_DEFAULT && 2 * block * BLOCKS_WANTED <= store_bytes)
		block *= 2;
	return block;
}

uint64_t layout_meta(uint64_t store_bytes, uint64_t block)
{
	uint64_t headroom = store_bytes / 64;
	uint64_t bytes;

	if (headroom > META_HEADROOM)
		headroom = META_HEADROOM;
	if (headroom < META_MIN)
		headroom = META_MIN;
	bytes = headroom + store_bytes / block * META_PER_BLOCK;
	if (bytes > META_MAX)
		bytes = META_MAX;
	return (bytes + IO_ALIGN - 1) / IO_ALIGN * IO_ALIGN;
}

uint64_t layout_end(const struct record *rec)
{
	return HEADER_SECTORS + (rec->separate ? 0 : rec->meta_sectors) + rec->data_sectors;
}

int layout_grow(struct record *rec, bool meta, uint64_t sectors)
{
	struct extent *last = rec->extents ? &rec->extent[rec->extents - 1] : NULL;
	bool goes_on = (meta && rec->separate) || (last ? last->meta : false) == meta;

	if (sectors == 0)
		return 0;
	if (!goes_on) {
		if (rec->extents == EXTENTS_MAX)
			return -EFBIG;
		last = &rec->extent[rec->extents++];
		*last = (struct extent){ .meta = meta };
	}
	if (last && last->meta == meta)
		last->sectors += sectors;
	*(meta ? &rec->meta_sectors : &rec->data_sectors) += sectors;
	return 0;
}

static uint64_t added(const struct record *rec, bool meta)
{
	uint64_t sectors = 0;
	unsigned int i;

	for (i = 0; i < rec->extents; i++)
		if (rec->extent[i].meta == meta)
			sectors += rec->extent[i].sectors;
	return sectors;
}

void layout_table(const struct record *rec, bool meta, dev_t device, struct table *table)
{
	const struct extent first[] = {
		{ true, rec->meta_sectors - added(rec, true) },
		{ false, rec->data_sectors - added(rec, false) },
	};
	uint64_t at = HEADER_SECTORS;
	unsigned int i;

	for (i = 0; i < 2 + rec->extents; i++) {
		const struct extent *extent = i < 2 ? &first[i] : &rec->extent[i - 2];

		if (extent->meta == meta)
			table_add(table, extent->sectors, "linear", "%u:%u %" PRIu64, major(device),
				  minor(device), at);
		if (!extent->meta || !rec->separate)
			at += extent->sectors;
	}
}
