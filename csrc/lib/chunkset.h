/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chunkset.h - a set of chunk numbers, as a bitmap whose pages exist only where something was added.
 *
 * A page of 4 KiB covers 32768 chunks, so the memory follows what changed and not the size of the volume.
 */
#ifndef ZUMASTOR_CHUNKSET_H
#define ZUMASTOR_CHUNKSET_H

#include <stdbool.h>
#include <stdint.h>

struct chunkset {
	uint64_t chunks;	/* members are below this */
	uint64_t **page;
};

/*
 * chunkset_init - an empty set; -ENOMEM.  chunkset_free - give it back.
 */
int chunkset_init(struct chunkset *set, uint64_t chunks);
void chunkset_free(struct chunkset *set);

/*
 * chunkset_add - 1 when @chunk is new, 0 when it was there, -ERANGE, -ENOMEM.
 */
int chunkset_add(struct chunkset *set, uint64_t chunk);

bool chunkset_has(const struct chunkset *set, uint64_t chunk);

/*
 * chunkset_next - the first run of members at or behind @from: false when there is none.
 */
bool chunkset_next(const struct chunkset *set, uint64_t from, uint64_t *first, uint64_t *count);

/*
 * chunkset_next_apart - the same of runs made one where less than @gap chunks lie between them.
 */
bool chunkset_next_apart(const struct chunkset *set, uint64_t from, uint64_t gap, uint64_t *first, uint64_t *count);

#endif
