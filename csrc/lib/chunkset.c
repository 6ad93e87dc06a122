// SPDX-License-Identifier: GPL-2.0-or-later
/* chunkset.c - see chunkset.h. */
#include <errno.h>
#include <stdlib.h>

#include "chunkset.h"

enum {
	PAGE_BYTES = 4096,
	PAGE_CHUNKS = PAGE_BYTES * 8,
};

static uint64_t page_count(const struct chunkset *set)
{
	return set->chunks / PAGE_CHUNKS + 1;
}

int chunkset_init(struct chunkset *set, uint64_t chunks)
{
	set->chunks = chunks;
	set->page = calloc(page_count(set), sizeof(*set->page));
	return set->page ? 0 : -ENOMEM;
}

void chunkset_free(struct chunkset *set)
{
	uint64_t i;

	for (i = 0; set->page && i < page_count(set); i++)
		free(set->page[i]);
	free(set->page);
	set->page = NULL;
}

int chunkset_add(struct chunkset *set, uint64_t chunk)
{
	uint64_t **page, bit = UINT64_C(1) << (chunk % 64), *word;

	if (chunk >= set->chunks)
		return -ERANGE;
	page = &set->page[chunk / PAGE_CHUNKS];
	if (!*page)
		*page = calloc(1, PAGE_BYTES);
	if (!*page)
		return -ENOMEM;
	word = &(*page)[chunk % PAGE_CHUNKS / 64];
	if (*word & bit)
		return 0;
	*word |= bit;
	return 1;
}

bool chunkset_has(const struct chunkset *set, uint64_t chunk)
{
	const uint64_t *page;

	if (chunk >= set->chunks)
		return false;
	page = set->page[chunk / PAGE_CHUNKS];
	return page && (page[chunk % PAGE_CHUNKS / 64] >> (chunk % 64) & 1);
}

bool chunkset_next(const struct chunkset *set, uint64_t from, uint64_t *first, uint64_t *count)
{
	uint64_t at = from;

	while (at < set->chunks && !chunkset_has(set, at))
		at = set->page[at / PAGE_CHUNKS] ? at + 1 : (at / PAGE_CHUNKS + 1) * PAGE_CHUNKS;
	if (at >= set->chunks)
		return false;
	*first = at;
	while (chunkset_has(set, at))
		at++;
	*count = at - *first;
	return true;
}

bool chunkset_next_apart(const struct chunkset *set, uint64_t from, uint64_t gap, uint64_t *first, uint64_t *count)
{
	uint64_t next, more;

	if (!chunkset_next(set, from, first, count))
		return false;
	while (chunkset_next(set, *first + *count, &next, &more) && next - *first - *count < gap)
		*count = next + more - *first;
	return true;
}
