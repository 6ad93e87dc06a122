/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cow.h - the persistent exception store of dm-snapshot, read and written from user space.
 *
 * Format (drivers/md/dm-snap-persistent.c, version 1), all little-endian, in chunks of the store:
 *
 *     chunk 0             header: magic "SnAp", valid, version, chunk size in sectors
 *     chunk 1 + i*(E+1)   metadata area i: E = chunk bytes / 16 entries of { old chunk, new chunk }
 *     all others          data; handed out in ascending order from 2
 *
 * The table ends at the first entry whose new chunk is 0.  There is no checksum, and the kernel believes
 * whatever it finds: so every entry is bounded here before it is used for anything.
 */
#ifndef ZUMASTOR_COW_H
#define ZUMASTOR_COW_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

struct exception {
	uint64_t old_chunk;	/* of the origin */
	uint64_t new_chunk;	/* of the COW */
};

/*
 * What a table was when it was last known to be right: a crc over its first entries, kept outside.  A table only
 * ever grows at its end, so that stays true.  Data chunks have none: the disks look after those.
 */
struct seal {
	bool set;
	uint64_t entries;
	uint32_t crc;
};

struct cow {
	int fd;
	uint64_t chunk_bytes;
	uint64_t cow_chunks;		/* size of the COW device */
	uint64_t origin_chunks;		/* old chunks are below this */
	bool blank;			/* no header yet: the kernel would make one */
	bool valid;			/* false: the kernel gave the snapshot up */
	struct seal seal;		/* what every cow_load() demands, if it is set */
};

/* An exception table read whole. */
struct exceptions {
	struct exception *list;
	uint64_t count;
};

/*
 * cow_open - open the exception store at @path and check its header.
 *
 * -EBADMSG for anything but a blank store or one of ours with this chunk size.
 */
int cow_open(struct cow *cow, const char *path, int flags, uint64_t chunk_bytes,
	     uint64_t origin_chunks);
void cow_close(struct cow *cow);

/*
 * cow_entries - entries in one metadata area of a store with chunks of @chunk_bytes.
 */
uint64_t cow_entries(uint64_t chunk_bytes);

/*
 * cow_full_chunks - size of a store that can take a before-image of every chunk of the origin.
 */
uint64_t cow_full_chunks(uint64_t chunk_bytes, uint64_t origin_chunks);

/*
 * cow_end_chunks - where a store with @count exceptions ends.
 */
uint64_t cow_end_chunks(uint64_t chunk_bytes, uint64_t count);

/*
 * cow_header - fill one chunk with the header of a store with chunks of @chunk_bytes.
 */
void cow_header(void *chunk, uint64_t chunk_bytes);

/*
 * cow_load - read the whole table in the order it was written; -EBADMSG when any entry is out of
 * bounds, out of order or there twice, or its beginning is not what the seal says.  Give it back with exceptions_free().
 *
 * Only for a store that nobody writes: a frozen one, or the head's while its volume is quiet.
 */
int cow_load(const struct cow *cow, struct exceptions *all);
void exceptions_free(struct exceptions *all);

/*
 * exceptions_seal - the seal of the table @all.
 */
struct seal exceptions_seal(const struct exceptions *all);

/*
 * exceptions_sort - by old chunk.
 */
void exceptions_sort(struct exceptions *all);

/*
 * cow_used_chunks - chunks of the store up to the end of what its table uses.
 */
uint64_t cow_used_chunks(const struct exceptions *all);

/*
 * cow_blank - make an empty store: zero the header and the first area, durably.
 */
int cow_blank(int fd, uint64_t chunk_bytes);

/*
 * cow_mend_tail - zero what lies behind the end of the table, in its last area and the next.
 *
 * After a crash a torn area may hold old entries behind the end; the kernel would keep them in memory and
 * write them back, where they turn into wrong exceptions once the gap is filled.
 */
int cow_mend_tail(const struct cow *cow);

/*
 * cow_absorb - unite the exceptions of @older and @newer, two neighbours of a chain, as the older one is to have
 * them: where both have a chunk, the older one's counts.
 *
 * @room: how many bytes may be written; -ENOSPC, and nothing done, when that is not enough.
 *
 * Of two for snapshots of one size the smaller is written into the larger: *@swapped tells that it was @newer which
 * took it.  What the volume has grown by since the older snapshot is left out.  Data first, then
 * the entries: a crash at any point leaves tables that are right, and the call can be made again.  While a view
 * reads both, it still shows the same, because it takes a chunk from the older one first.
 *
 * -EAGAIN: @slice is over before all is done; it is as after a crash, and the place is in there.
 */
int cow_absorb(struct cow *older, struct cow *newer, uint64_t room, bool *swapped, struct slice *slice);

#endif
