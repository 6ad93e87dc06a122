// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-usage - what each snapshot of a running volume keeps, counted from the exception tables alone.
 *
 *     dm-usage VOLUME STORE
 *
 * Prints, oldest first, a line for each snapshot and then one for each number of snapshots that share chunks:
 *
 *     snapshot=ID changed=C shared=C alone=C frees=B all=B
 *     sharing=N chunks=C
 *
 * changed: chunks that differ from the snapshot before; shared: kept for it and for others; alone: kept for nobody
 * else; frees: bytes the store wins when it alone is removed, all: when all up to it are.  C are chunks; B are bytes in whole
 * blocks of the pool.  The newest one's COW goes on taking copy-outs when it is removed, so that frees nothing
 * until there is a newer one.
 *
 * Each table is read once, and a device put up for that is taken down again: the caller holds the volume's lock.
 * Exit 1, 2; 6: the kernel gave an exception store up; 7: a table is damaged.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "exits.h"
#include "io.h"
#include "tool.h"

enum {
	PAGE_CHUNKS = 4096,
};

/*
 * One exception store of the chain.  An exception in it is what every snapshot sees that came after the last older
 * store with the same chunk, up to and with this one's, but for those that are too small to have that chunk.
 */
struct kept {
	const struct snapshot *snap;
	uint64_t count;			/* exceptions, … */
	uint64_t both;			/* … that the store before has too */
	uint64_t bytes;			/* of the pool */
	uint64_t changed;
	int64_t shared, alone;		/* while counting: what begins here less what ended before */
};

struct usage {
	struct stack *stack;
	uint16_t **last;		/* by chunk: 1 + index of the newest store so far that has it, or 0 */
	unsigned int stores;
	struct kept kept[SNAPSHOTS_MAX + 1];
	unsigned int live[SNAPSHOTS_MAX + 1];	/* how many of the first N stores are of live snapshots */
	uint64_t sharing[SNAPSHOTS_MAX + 1];
};

static uint64_t page_count(const struct usage *usage)
{
	const struct record *rec = &usage->stack->rec;

	return rec->origin_sectors / rec->chunk_sectors / PAGE_CHUNKS + 1;
}

static uint16_t *last_store(struct usage *usage, uint64_t chunk)
{
	uint16_t **page = &usage->last[chunk / PAGE_CHUNKS];

	if (!*page)
		*page = calloc(PAGE_CHUNKS, sizeof(**page));
	return *page ? &(*page)[chunk % PAGE_CHUNKS] : NULL;
}

static bool is_live(const struct usage *usage, unsigned int store)
{
	return usage->kept[store].snap->state == LIVE;
}

/* The newest live snapshot at or before @store, or the first store there is. */
static unsigned int live_at(const struct usage *usage, unsigned int store)
{
	while (store > 0 && !is_live(usage, store))
		store--;
	return store;
}

/* What @store has of one chunk, which the stores from @first on lack. */
static void count_exception(struct usage *usage, unsigned int store, unsigned int first)
{
	unsigned int sharers = usage->live[store + 1] - usage->live[first];

	usage->kept[store].both += first == store && first > 0;
	usage->kept[store].changed += first <= live_at(usage, store);
	usage->sharing[sharers]++;
	usage->kept[first].shared += sharers > 1;
	usage->kept[store + 1].shared -= sharers > 1;
	usage->kept[first].alone += sharers == 1;
	usage->kept[store + 1].alone -= sharers == 1;
}

static int count_table(struct usage *usage, unsigned int store, const struct exceptions *all)
{
	uint16_t *last;
	uint64_t i;

	usage->kept[store].count = all->count;
	for (i = 0; i < all->count; i++) {
		uint64_t chunk = all->list[i].old_chunk;

		last = last_store(usage, chunk);
		if (!last)
			return -ENOMEM;
		while (*last < store && chunk >= stack_chunks(usage->stack, usage->kept[*last].snap))
			++*last;
		count_exception(usage, store, *last);
		*last = (uint16_t)(store + 1);
	}
	return 0;
}

/* The thin volume's share of the pool: "MAPPED_SECTORS HIGHEST". */
static int read_bytes(struct usage *usage, const struct snapshot *snap, uint64_t *bytes)
{
	struct dev_line line;
	uint64_t sectors;
	struct dev dev;
	int r;

	stack_dev(usage->stack, "cow", snap->thin, &dev);
	r = dev_status(dev.uuid, &line);
	if (r == 0 && sscanf(line.params, "%" SCNu64, &sectors) != 1)
		r = -EBADMSG;
	if (r == 0)
		*bytes = sectors * SECTOR_SIZE;
	return r;
}

static int read_store(struct usage *usage, unsigned int store)
{
	const struct snapshot *snap = usage->kept[store].snap;
	struct exceptions all = { 0 };
	struct dev_state before;
	int r = stack_state(usage->stack, "cow", snap->thin, &before);

	if (r == 0)
		r = stack_load_table(usage->stack, snap, &all);
	if (r == 0)
		r = read_bytes(usage, snap, &usage->kept[store].bytes);
	if (r == 0)
		r = count_table(usage, store, &all);
	exceptions_free(&all);
	if (!before.exists)
		stack_release_cow(usage->stack, snap->thin);
	return r;
}

static int read_all(struct usage *usage)
{
	const struct record *rec = &usage->stack->rec;
	unsigned int i;
	int r = 0;

	usage->last = calloc(page_count(usage), sizeof(*usage->last));
	if (!usage->last)
		return -ENOMEM;
	for (i = 0; i < rec->count; i++) {
		const struct snapshot *snap = &rec->snapshot[i];
		unsigned int store = usage->stores;

		if (!in_chain(snap))
			continue;
		usage->kept[store].snap = snap;
		usage->live[store + 1] = usage->live[store] + (snap->state == LIVE);
		usage->stores++;
	}
	for (i = 0; i < usage->stores && r == 0; i++)
		r = read_store(usage, i);
	return r;
}

/* What the pool gives to a store with @count exceptions. */
static uint64_t store_bytes(const struct usage *usage, uint64_t count)
{
	uint64_t block = usage->stack->rec.block_sectors * SECTOR_SIZE;
	uint64_t bytes = cow_end_chunks(stack_chunk_bytes(usage->stack), count) *
			 stack_chunk_bytes(usage->stack);

	return (bytes + block - 1) / block * block;
}

/* What goes with the last snapshot: a head without one, which only waits for being absorbed. */
static uint64_t idle_head(const struct usage *usage, unsigned int left)
{
	return left == 1 && !is_live(usage, usage->stores - 1) ?
	       usage->kept[usage->stores - 1].bytes : 0;
}

/* Removed alone: the smaller of it and the store before goes into the other (cow_absorb()). */
static uint64_t frees(const struct usage *usage, unsigned int store)
{
	const struct kept *newer = &usage->kept[store], *older = newer - (store > 0);
	uint64_t now, then, into = older->bytes;

	if (store == usage->stores - 1)
		return store == 0 ? newer->bytes : 0;
	if (store == 0)
		return newer->bytes + idle_head(usage, usage->stores - 1);
	now = older->bytes + newer->bytes;
	if (older->count < newer->count && older->snap->sectors == newer->snap->sectors)
		into = newer->bytes;
	then = store_bytes(usage, older->count + newer->count - newer->both);
	if (then < into)
		then = into;
	return then < now ? now - then : 0;
}

static void print(struct usage *usage)
{
	uint64_t all = 0, changed = 0;
	int64_t shared = 0, alone = 0;
	unsigned int i;

	for (i = 0; i < usage->stores; i++) {
		const struct kept *kept = &usage->kept[i];

		all += kept->bytes;
		shared += kept->shared;
		alone += kept->alone;
		if (is_live(usage, i)) {
			printf("snapshot=%" PRIu32 " changed=%" PRIu64 " shared=%" PRId64 " alone=%" PRId64
			       " frees=%" PRIu64 " all=%" PRIu64 "\n", kept->snap->id, changed, shared, alone,
			       frees(usage, i), all + idle_head(usage, usage->stores - 1 - i));
			changed = 0;
		}
		changed += kept->changed;
	}
	for (i = 1; i <= usage->stores; i++)
		if (usage->sharing[i] > 0)
			printf("sharing=%u chunks=%" PRIu64 "\n", i, usage->sharing[i]);
}

static void usage_free(struct usage *usage)
{
	uint64_t i;

	for (i = 0; usage->last && i < page_count(usage); i++)
		free(usage->last[i]);
	free(usage->last);
	free(usage);
}

int main(int argc, char **argv)
{
	struct usage *usage = calloc(1, sizeof(*usage));
	struct stack *stack;
	int r;

	if (argc != 3)
		errx(EXIT_USAGE, "usage: dm-usage VOLUME STORE");
	if (!usage)
		errx(EXIT_FAILED, "cannot begin: %s", reason(-ENOMEM));
	usage->stack = stack = tool_open(argv[1], argv[2]);
	tool_need_up(stack);
	r = read_all(usage);
	if (r == 0)
		print(usage);
	usage_free(usage);
	return tool_end(stack, "count what snapshots keep of", r);
}
