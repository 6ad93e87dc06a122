/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * merge.h - the exception tables of a snapshot's COW and of all later ones below the head, as one.
 *
 * The kernel reads it as the metadata of the "COW" of a view (view.h), which is a linear device, the map:
 *
 *     header and metadata areas, where the format wants them | a frozen COW | another … one part for each COW
 *
 * that has a chunk the older ones lack; each entry's new_chunk leads into such a part.
 */
#ifndef ZUMASTOR_MERGE_H
#define ZUMASTOR_MERGE_H

#include "chunkset.h"
#include "stack.h"

/* What one command needs of the tables it has read: for a hundred views each is read once. */
struct merger {
	struct stack *stack;
	struct source {
		bool loaded, put_up;	/* its device, for us */
		dev_t device;
		struct exceptions table;
	} source[SNAPSHOTS_MAX];	/* as in the record */
};

struct part {
	dev_t device;
	uint64_t used_chunks;
};

struct merge {
	struct exceptions all;		/* new_chunk counts from where the parts begin in the map */
	struct chunkset seen;
	struct part part[SNAPSHOTS_MAX];
	unsigned int parts;
	uint64_t parts_chunks;
	uint64_t chunk_sectors;
};

struct merger *merger_new(struct stack *stack);
void merger_free(struct merger *merger);

/*
 * merge_snapshot - unite what @snap shows of COWs below the head; -EBADMSG when one is damaged.
 *
 * Returns a merge for merge_free(), or NULL with *@error set.
 */
struct merge *merge_snapshot(struct merger *merger, const struct snapshot *snap, int *error);
void merge_free(struct merge *merge);

/*
 * merge_bytes - what the kernel takes for a view with it.
 */
uint64_t merge_bytes(const struct merge *merge);

/*
 * merge_image - a file in memory with the header and the areas, one behind the other; its descriptor.
 */
int merge_image(const struct merge *merge);

/*
 * merge_map_table - the map; while the view is loaded only the metadata, from the device @image, and nothing behind:
 * the kernel makes the hash for the entries as large as the map is then.  With @image 0 the parts instead.
 */
void merge_map_table(const struct merge *merge, dev_t image, struct table *table);

#endif
