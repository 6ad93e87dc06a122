// SPDX-License-Identifier: GPL-2.0-or-later
/* merge.c - see merge.h. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io.h"
#include "merge.h"

/* What Linux 6.1 takes for a view on 64-bit machines, measured and read in its source. */
enum {
	VIEW_BYTES = 900 << 10,		/* two devices, and kcopyd's reserve of the snapshot target */
	VIEW_CHUNKS = 4,		/* its buffers */
	ENTRY_BYTES = 32,		/* for a run of chunks … */
	RUN_CHUNKS = 256,		/* … that ends where the old chunk is a multiple of this */
	BUCKET_BYTES = 8,
	BUCKETS_LEAST = 64,
	BUCKETS_MOST = 262144,
	LINE_BYTES = 320,		/* of the map's table */
};

struct merger *merger_new(struct stack *stack)
{
	struct merger *merger = calloc(1, sizeof(*merger));

	if (merger)
		merger->stack = stack;
	return merger;
}

void merger_free(struct merger *merger)
{
	unsigned int i;

	for (i = 0; merger && i < SNAPSHOTS_MAX; i++) {
		exceptions_free(&merger->source[i].table);
		if (merger->source[i].put_up)
			stack_release_cow(merger->stack, merger->stack->rec.snapshot[i].thin);
	}
	free(merger);
}

/*
 * What is behind the seal was appended by absorbing that has not come to its end: the removed snapshot has it, too, and the
 * map need not change with each slice.
 */
static int source_load(struct merger *merger, const struct snapshot *snap, struct source *source)
{
	struct dev_state state;
	int r = stack_state(merger->stack, "cow", snap->thin, &state);

	if (r < 0)
		return r;
	source->put_up = !state.exists;
	r = stack_load_table(merger->stack, snap, &source->table);
	if (r == 0 && snap->seal.set && source->table.count > snap->seal.entries)
		source->table.count = snap->seal.entries;
	if (r == 0)
		r = stack_state(merger->stack, "cow", snap->thin, &state);
	if (r == 0)
		source->device = makedev(state.major, state.minor);
	source->loaded = r == 0;
	return r;
}

/* How many chunks of @from are new to @merge, which gets them; or -errno. */
static int64_t unite(struct merge *merge, const struct exceptions *from)
{
	uint64_t i, before = merge->all.count;
	int r;

	merge->all.list = reallocarray(merge->all.list, merge->all.count + from->count + 1,
				       sizeof(*merge->all.list));
	if (!merge->all.list)
		return -ENOMEM;
	for (i = 0; i < from->count; i++) {
		struct exception e = from->list[i];

		if (e.old_chunk >= merge->seen.chunks)
			continue;	/* the volume has grown since */
		r = chunkset_add(&merge->seen, e.old_chunk);
		if (r < 0)
			return r;
		e.new_chunk += merge->parts_chunks;
		if (r == 1)
			merge->all.list[merge->all.count++] = e;
	}
	return (int64_t)(merge->all.count - before);
}

/* A frozen table that was sealed empty stays so until another is absorbed into it, and then its seal says more. */
static int merge_source(struct merger *merger, unsigned int index, struct merge *merge)
{
	const struct snapshot *snap = &merger->stack->rec.snapshot[index];
	struct source *source = &merger->source[index];
	int64_t added = 0;
	int r = 0;

	if (snap->seal.set && snap->seal.entries == 0)
		return 0;
	if (!source->loaded)
		r = source_load(merger, snap, source);
	if (r == 0)
		added = unite(merge, &source->table);
	if (r < 0 || added <= 0)
		return r < 0 ? r : (int)added;
	merge->part[merge->parts] = (struct part){ source->device, cow_used_chunks(&source->table) };
	merge->parts_chunks += merge->part[merge->parts++].used_chunks;
	return 0;
}

/* Once every chunk is there, no younger COW matters. */
static int merge_sources(struct merger *merger, const struct snapshot *snap, struct merge *merge)
{
	const struct record *rec = &merger->stack->rec;
	const struct snapshot *head = record_head(&merger->stack->rec);
	unsigned int i = (unsigned int)(snap - rec->snapshot);
	int r = 0;

	for (; i < rec->count && rec->snapshot[i].id < head->id && r == 0; i++)
		if (in_chain(&rec->snapshot[i]) && merge->all.count < merge->seen.chunks)
			r = merge_source(merger, i, merge);
	if (r == 0)	/* sorted, runs of chunks share one kernel entry */
		exceptions_sort(&merge->all);
	return r;
}

struct merge *merge_snapshot(struct merger *merger, const struct snapshot *snap, int *error)
{
	struct merge *merge = calloc(1, sizeof(*merge));

	*error = merge ? chunkset_init(&merge->seen, stack_chunks(merger->stack, snap)) : -ENOMEM;
	if (*error == 0) {
		merge->chunk_sectors = merger->stack->rec.chunk_sectors;
		*error = merge_sources(merger, snap, merge);
		chunkset_free(&merge->seen);
	}
	if (*error == 0)
		return merge;
	merge_free(merge);
	return NULL;
}

void merge_free(struct merge *merge)
{
	if (merge)
		exceptions_free(&merge->all);
	free(merge);
}

static uint64_t entries(const struct merge *merge)
{
	return cow_entries(merge->chunk_sectors * SECTOR_SIZE);
}

static uint64_t area_count(const struct merge *merge)
{
	return merge->all.count / entries(merge) + 1;	/* the last one has room for the end */
}

/* Where the parts begin in the map: behind the last area, which the format puts at 1 + i*(E+1). */
static uint64_t metadata_chunks(const struct merge *merge)
{
	return 2 + (area_count(merge) - 1) * (entries(merge) + 1);
}

/* What it costs. */

static bool continues_run(const struct exception *e)
{
	return e->old_chunk % RUN_CHUNKS != 0 && e->old_chunk == e[-1].old_chunk + 1 &&
	       e->new_chunk == e[-1].new_chunk + 1;
}

static uint64_t run_count(const struct merge *merge)
{
	uint64_t i, runs = 0;

	for (i = 0; i < merge->all.count; i++)
		runs += i == 0 || !continues_run(&merge->all.list[i]);
	return runs;
}

/* The kernel rounds down to a power of two, and takes an eighth of it for what is under way. */
static uint64_t hash_bytes(const struct merge *merge)
{
	uint64_t wanted = metadata_chunks(merge), buckets = BUCKETS_LEAST;

	while (buckets * 2 <= wanted && buckets < BUCKETS_MOST)
		buckets *= 2;
	return (buckets + (buckets / 8 < BUCKETS_LEAST ? BUCKETS_LEAST : buckets / 8)) * BUCKET_BYTES;
}

uint64_t merge_bytes(const struct merge *merge)
{
	return VIEW_BYTES + VIEW_CHUNKS * merge->chunk_sectors * SECTOR_SIZE + hash_bytes(merge) +
	       run_count(merge) * ENTRY_BYTES + (merge->parts + 1) * LINE_BYTES;
}

/* As the kernel wants to read it. */

static void image_fill(const struct merge *merge, char *image)
{
	uint64_t chunk_bytes = merge->chunk_sectors * SECTOR_SIZE, i;
	uint64_t *entry = (uint64_t *)(image + chunk_bytes);

	cow_header(image, chunk_bytes);
	for (i = 0; i < merge->all.count; i++) {
		*entry++ = htole64(merge->all.list[i].old_chunk);
		*entry++ = htole64(merge->all.list[i].new_chunk + metadata_chunks(merge));
	}
}

int merge_image(const struct merge *merge)
{
	uint64_t bytes = (1 + area_count(merge)) * merge->chunk_sectors * SECTOR_SIZE;
	int fd = memfd_create("zumastor-map", MFD_CLOEXEC);
	char *image;

	if (fd < 0)
		return -errno;
	image = ftruncate(fd, (off_t)bytes) < 0 ? MAP_FAILED :
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	image_fill(merge, image);
	munmap(image, bytes);
	return fd;
}

/* The areas, spread out. */
static void add_metadata(const struct merge *merge, dev_t image, struct table *table)
{
	uint64_t chunk = merge->chunk_sectors, i;

	table_add(table, 2 * chunk, "linear", "%u:%u 0", major(image), minor(image));
	for (i = 1; i < area_count(merge); i++) {
		table_add(table, entries(merge) * chunk, "error", "%s", "");
		table_add(table, chunk, "linear", "%u:%u %" PRIu64, major(image), minor(image),
			  (1 + i) * chunk);
	}
}

void merge_map_table(const struct merge *merge, dev_t image, struct table *table)
{
	unsigned int i;

	if (image != 0) {
		add_metadata(merge, image, table);
		return;
	}
	table_add(table, metadata_chunks(merge) * merge->chunk_sectors, "error", "%s", "");
	for (i = 0; i < merge->parts; i++)
		table_add(table, merge->part[i].used_chunks * merge->chunk_sectors, "linear", "%u:%u 0",
			  major(merge->part[i].device), minor(merge->part[i].device));
}
