/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h - what lies where on the snapshot store.
 *
 *     header │ metadata of the pool │ its data │ what it has grown by: metadata, data, …
 *
 * With the metadata on a device of its own that one has a header and the metadata, the store a header and the data.
 * Nothing ever moves: whatever grows goes on behind the end.
 */
#ifndef ZUMASTOR_LAYOUT_H
#define ZUMASTOR_LAYOUT_H

#include "dev.h"
#include "record.h"

enum { META_MIN = 2 << 20 };

#define META_MAX (UINT64_C(255) << 26)	/* dm-thin uses no more: 255 bitmaps of 2^14 blocks of 4 KiB */

/*
 * layout_block, layout_meta - the allocation block for a store of that size, and the metadata it should have; bytes.
 */
uint64_t layout_block(uint64_t store_bytes);
uint64_t layout_meta(uint64_t store_bytes, uint64_t block);

/*
 * layout_end - sectors of the store that are in use for something.
 */
uint64_t layout_end(const struct record *rec);

/*
 * layout_grow - let the record say that the metadata, or the data, has so many @sectors more.
 *
 * -EFBIG: the record has no place for one more piece.
 */
int layout_grow(struct record *rec, bool meta, uint64_t sectors);

/*
 * layout_table - the table of VOL-store-meta, or -data, over the device it is on.
 */
void layout_table(const struct record *rec, bool meta, dev_t device, struct table *table);

#endif
