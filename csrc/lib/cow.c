// SPDX-License-Identifier: GPL-2.0-or-later
/* cow.c - see cow.h. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "chunkset.h"
#include "cow.h"
#include "io.h"
#include "step.h"

#define COW_MAGIC 0x70416e53u	/* "SnAp" */

enum {
	COW_VERSION = 1,
	FIRST_DATA_CHUNK = 2,
	ALLOC_STEP = 1024,
};

struct cow_disk_header {
	uint32_t magic, valid, version, chunk_sectors;
};

struct cow_disk_entry {
	uint64_t old_chunk, new_chunk;
};

static_assert(sizeof(struct cow_disk_header) == 16, "dm-snapshot header");
static_assert(sizeof(struct cow_disk_entry) == 16, "dm-snapshot exception");

uint64_t cow_entries(uint64_t chunk_bytes)
{
	return chunk_bytes / sizeof(struct cow_disk_entry);
}

uint64_t cow_full_chunks(uint64_t chunk_bytes, uint64_t origin_chunks)
{
	uint64_t e = cow_entries(chunk_bytes);

	/* Header, data, and the areas with one to spare: a full area needs a next one to be zeroed. */
	return 1 + origin_chunks + (origin_chunks + e) / e;
}

/* Behind the last area, which begins anew when the one before is full, and its data. */
uint64_t cow_end_chunks(uint64_t chunk_bytes, uint64_t count)
{
	uint64_t e = cow_entries(chunk_bytes);

	return 1 + count / e * (e + 1) + 1 + count % e;
}

static uint64_t entries(const struct cow *cow)
{
	return cow_entries(cow->chunk_bytes);
}

static uint64_t area_chunk(const struct cow *cow, uint64_t area)
{
	return 1 + area * (entries(cow) + 1);
}

static bool is_metadata(const struct cow *cow, uint64_t chunk)
{
	return chunk % (entries(cow) + 1) == 1;
}

void cow_header(void *chunk, uint64_t chunk_bytes)
{
	struct cow_disk_header header = {
		.magic = htole32(COW_MAGIC), .valid = htole32(1), .version = htole32(COW_VERSION),
		.chunk_sectors = htole32((uint32_t)(chunk_bytes / SECTOR_SIZE)),
	};

	memset(chunk, 0, chunk_bytes);
	memcpy(chunk, &header, sizeof(header));
}

static int header_check(struct cow *cow, const struct cow_disk_header *header)
{
	cow->blank = header->magic == 0;
	cow->valid = cow->blank || le32toh(header->valid) == 1;
	if (cow->blank)
		return 0;
	if (le32toh(header->magic) != COW_MAGIC || le32toh(header->version) != COW_VERSION ||
	    le32toh(header->valid) > 1 ||
	    (uint64_t)le32toh(header->chunk_sectors) * SECTOR_SIZE != cow->chunk_bytes)
		return -EBADMSG;
	return 0;
}

int cow_open(struct cow *cow, const char *path, int flags, uint64_t chunk_bytes,
	     uint64_t origin_chunks)
{
	void *chunk = io_alloc(chunk_bytes);
	uint64_t bytes;
	int r = -ENOMEM;

	*cow = (struct cow){ .fd = -1, .chunk_bytes = chunk_bytes, .origin_chunks = origin_chunks };
	if (!chunk)
		return r;
	cow->fd = r = io_open(path, flags);
	if (r >= 0)
		r = io_size(cow->fd, &bytes);
	if (r == 0)
		r = io_pread(cow->fd, chunk, chunk_bytes, 0);
	if (r == 0) {
		cow->cow_chunks = bytes / chunk_bytes;
		r = header_check(cow, chunk);
	}
	free(chunk);
	if (r < 0)
		cow_close(cow);
	return r;
}

void cow_close(struct cow *cow)
{
	if (cow->fd >= 0)
		close(cow->fd);
	cow->fd = -1;
}

void exceptions_free(struct exceptions *all)
{
	free(all->list);
	*all = (struct exceptions){ 0 };
}

/* Over the entries as they are on disk. */
static uint32_t entries_crc(const struct exceptions *all, uint64_t count)
{
	uLong crc = crc32_z(0, NULL, 0);
	uint64_t i;

	for (i = 0; i < count; i++) {
		struct cow_disk_entry disk = { htole64(all->list[i].old_chunk),
					       htole64(all->list[i].new_chunk) };

		crc = crc32_z(crc, (const Bytef *)&disk, sizeof(disk));
	}
	return (uint32_t)crc;
}

struct seal exceptions_seal(const struct exceptions *all)
{
	return (struct seal){ true, all->count, entries_crc(all, all->count) };
}

static bool seal_holds(const struct seal *seal, const struct exceptions *all)
{
	return !seal->set || (all->count >= seal->entries &&
			      entries_crc(all, seal->entries) == seal->crc);
}

static int by_old_chunk(const void *left, const void *right)
{
	const struct exception *a = left, *b = right;

	return (a->old_chunk > b->old_chunk) - (a->old_chunk < b->old_chunk);
}

void exceptions_sort(struct exceptions *all)
{
	if (all->count > 0)
		qsort(all->list, all->count, sizeof(*all->list), by_old_chunk);
}

uint64_t cow_used_chunks(const struct exceptions *all)
{
	return all->count ? all->list[all->count - 1].new_chunk + 1 : FIRST_DATA_CHUNK;
}

/*
 * The kernel hands out data chunks upwards and commits in that order, and so does append(): an
 * entry that does not rise is wrong.
 */
static int exception_check(const struct cow *cow, const struct exceptions *all,
			   const struct exception *e, struct chunkset *seen)
{
	uint64_t last = all->count ? all->list[all->count - 1].new_chunk : FIRST_DATA_CHUNK - 1;
	int r;

	if (e->new_chunk <= last || e->new_chunk >= cow->cow_chunks ||
	    is_metadata(cow, e->new_chunk))
		return -EBADMSG;
	r = chunkset_add(seen, e->old_chunk);
	return r == 1 ? 0 : r == -ENOMEM ? r : -EBADMSG;
}

static int keep(struct exceptions *all, const struct exception *e)
{
	struct exception *list;

	if (all->count % ALLOC_STEP == 0) {
		list = reallocarray(all->list, all->count + ALLOC_STEP, sizeof(*list));
		if (!list)
			return -ENOMEM;
		all->list = list;
	}
	all->list[all->count++] = *e;
	return 0;
}

static struct exception entry_get(const struct cow_disk_entry *disk)
{
	return (struct exception){ le64toh(disk->old_chunk), le64toh(disk->new_chunk) };
}

/* 1: the area is full and the table goes on; 0: its end was in here. */
static int area_load(const struct cow *cow, const struct cow_disk_entry *area,
		     struct exceptions *all, struct chunkset *seen)
{
	uint64_t i;
	int r;

	for (i = 0; i < entries(cow); i++) {
		struct exception e = entry_get(&area[i]);

		if (e.new_chunk == 0)
			return 0;
		r = exception_check(cow, all, &e, seen);
		if (r == 0)
			r = keep(all, &e);
		if (r < 0)
			return r;
	}
	return 1;
}

static int area_read(const struct cow *cow, void *area, uint64_t number)
{
	if (area_chunk(cow, number) >= cow->cow_chunks)
		return -EBADMSG;
	return io_pread(cow->fd, area, cow->chunk_bytes, area_chunk(cow, number) * cow->chunk_bytes);
}

int cow_load(const struct cow *cow, struct exceptions *all)
{
	void *area = io_alloc(cow->chunk_bytes);
	struct chunkset seen = { 0 };
	uint64_t number;
	int r = area ? chunkset_init(&seen, cow->origin_chunks) : -ENOMEM;

	*all = (struct exceptions){ 0 };
	if (r == 0 && !cow->blank)
		r = 1;
	for (number = 0; r == 1; number++) {
		r = area_read(cow, area, number);
		if (r == 0)
			r = area_load(cow, area, all, &seen);
	}
	chunkset_free(&seen);
	free(area);
	if (r == 0 && !seal_holds(&cow->seal, all))
		r = -EBADMSG;
	if (r < 0)
		exceptions_free(all);
	return r;
}

int cow_blank(int fd, uint64_t chunk_bytes)
{
	void *zero = io_alloc(2 * chunk_bytes);
	int r = zero ? io_pwrite(fd, zero, 2 * chunk_bytes, 0) : -ENOMEM;

	free(zero);
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	return r;
}

static int chunk_write(const struct cow *cow, const void *chunk, uint64_t number)
{
	return io_pwrite(cow->fd, chunk, cow->chunk_bytes, number * cow->chunk_bytes);
}

static int flush(const struct cow *cow)
{
	return fdatasync(cow->fd) < 0 ? -errno : 0;
}

/* Writes only where there is something to mend: a clean store is left alone. */
static int mend_area(const struct cow *cow, uint64_t number, uint64_t kept)
{
	struct cow_disk_entry *area = io_alloc(cow->chunk_bytes);
	uint64_t i;
	bool stale = false;
	int r = area ? area_read(cow, area, number) : -ENOMEM;

	for (i = kept; r == 0 && i < entries(cow); i++)
		stale |= area[i].old_chunk != 0 || area[i].new_chunk != 0;
	if (r == 0 && stale) {
		memset(area + kept, 0, (entries(cow) - kept) * sizeof(*area));
		r = chunk_write(cow, area, area_chunk(cow, number));
	}
	free(area);
	return r;
}

int cow_mend_tail(const struct cow *cow)
{
	struct exceptions all;
	uint64_t last;
	int r;

	if (cow->blank)
		return 0;
	r = cow_load(cow, &all);
	if (r < 0)
		return r;
	last = all.count / entries(cow);
	r = mend_area(cow, last, all.count % entries(cow));
	if (r == 0 && area_chunk(cow, last + 1) < cow->cow_chunks)
		r = mend_area(cow, last + 1, 0);
	exceptions_free(&all);
	return r < 0 ? r : flush(cow);
}

/* Appending. */

static uint64_t next_data_chunk(const struct cow *cow, uint64_t chunk)
{
	chunk++;
	return is_metadata(cow, chunk) ? chunk + 1 : chunk;
}

/* The exceptions of @from that @have lacks, with the place each gets in @into. */
static int plan_append(const struct cow *into, const struct exceptions *have,
		       const struct exceptions *from, struct exceptions *plan)
{
	uint64_t i, at = cow_used_chunks(have) - 1;
	struct chunkset seen;
	int r = chunkset_init(&seen, into->origin_chunks);

	for (i = 0; i < have->count && r >= 0; i++)
		r = chunkset_add(&seen, have->list[i].old_chunk);
	for (i = 0; i < from->count && r >= 0; i++) {
		struct exception e = { from->list[i].old_chunk, 0 };

		if (e.old_chunk >= into->origin_chunks || chunkset_has(&seen, e.old_chunk))
			continue;	/* the volume has grown since, or the older content counts */
		e.new_chunk = at = next_data_chunk(into, at);
		r = at < into->cow_chunks ? keep(plan, &e) : -ENOSPC;
	}
	chunkset_free(&seen);
	return r < 0 ? r : 0;
}

static int copy_chunk(const struct cow *into, const struct cow *source, uint64_t to, uint64_t from,
		      void *buffer)
{
	int r = io_pread(source->fd, buffer, into->chunk_bytes, from * into->chunk_bytes);

	return r < 0 ? r : chunk_write(into, buffer, to);
}

/*
 * Both lists hold the planned chunks in the same order; @from has others in between.  When the slice is over what was not
 * copied is taken off the plan.
 */
static int copy_data(const struct cow *into, const struct cow *source, const struct exceptions *from,
		     struct exceptions *plan, struct slice *slice)
{
	void *chunk = io_alloc(into->chunk_bytes);
	uint64_t i, j = 0;
	int r = chunk ? 0 : -ENOMEM;

	for (i = 0; i < from->count && j < plan->count && r == 0; i++) {
		if (from->list[i].old_chunk != plan->list[j].old_chunk)
			continue;
		r = copy_chunk(into, source, plan->list[j].new_chunk, from->list[i].new_chunk, chunk);
		if (++j < plan->count && slice_over(slice))
			break;
	}
	plan->count = j;
	free(chunk);
	return r < 0 ? r : flush(into);
}

static void put_entry(struct cow_disk_entry *area, uint64_t index, const struct exception *e)
{
	area[index].old_chunk = htole64(e->old_chunk);
	area[index].new_chunk = htole64(e->new_chunk);
}

/* Area @number as it will be: what @have put there, then its part of @plan. */
static int area_write(const struct cow *cow, uint64_t number, const struct exceptions *have,
		      const struct exceptions *plan)
{
	struct cow_disk_entry *area = io_alloc(cow->chunk_bytes);
	uint64_t i, at;
	int r;

	if (!area)
		return -ENOMEM;
	for (i = 0; i < entries(cow); i++) {
		at = number * entries(cow) + i;
		if (at < have->count)
			put_entry(area, i, &have->list[at]);
		else if (at - have->count < plan->count)
			put_entry(area, i, &plan->list[at - have->count]);
	}
	r = chunk_write(cow, area, area_chunk(cow, number));
	free(area);
	return r;
}

/*
 * From the last area down to the one where the old table ends: until that one is written, nobody finds the
 * others, so it comes last and alone behind a flush.
 */
static int write_entries(const struct cow *cow, const struct exceptions *have,
			 const struct exceptions *plan)
{
	uint64_t first = have->count / entries(cow);
	uint64_t last = (have->count + plan->count) / entries(cow);
	int r = 0;

	for (; r == 0 && last > first; last--)
		r = area_write(cow, last, have, plan);
	if (r == 0)
		r = flush(cow);
	if (r == 0)
		r = step();
	if (r == 0)
		r = area_write(cow, first, have, plan);
	return r < 0 ? r : flush(cow);
}

/* The kernel's own first header is not durable before the first exception is. */
static int ensure_header(struct cow *cow)
{
	void *header;
	int r;

	if (!cow->blank)
		return 0;
	header = io_alloc(cow->chunk_bytes);
	if (!header)
		return -ENOMEM;
	r = cow_blank(cow->fd, cow->chunk_bytes);
	cow_header(header, cow->chunk_bytes);
	if (r == 0)
		r = chunk_write(cow, header, 0);
	free(header);
	if (r == 0)
		r = flush(cow);
	cow->blank = r < 0;
	return r;
}

/* What @plan takes on disk, its areas included. */
static uint64_t plan_bytes(const struct cow *cow, const struct exceptions *plan)
{
	return (plan->count + plan->count / entries(cow) + 2) * cow->chunk_bytes;
}

/* Add to @into every exception of @source that it lacks; -EAGAIN: the slice is over before that is done. */
static int append(const struct cow *into, const struct cow *source, const struct exceptions *have,
		  const struct exceptions *from, uint64_t room, struct slice *slice)
{
	struct exceptions plan = { 0 };
	int r = plan_append(into, have, from, &plan);
	uint64_t planned = plan.count;

	if (r == 0 && plan.count > 0 && plan_bytes(into, &plan) > room)
		r = -ENOSPC;
	if (r == 0 && plan.count > 0) {
		r = step();
		if (r == 0)
			r = copy_data(into, source, from, &plan, slice);
		if (r == 0)
			r = step();
		if (r == 0)
			r = write_entries(into, have, &plan);
	}
	if (r == 0 && plan.count < planned)
		r = -EAGAIN;
	exceptions_free(&plan);
	return r;
}

static struct exceptions sorted_copy(const struct exceptions *all)
{
	struct exceptions copy = { .list = reallocarray(NULL, all->count + 1, sizeof(*all->list)) };

	if (!copy.list)
		return copy;
	if (all->count > 0)
		memcpy(copy.list, all->list, all->count * sizeof(*all->list));
	copy.count = all->count;
	exceptions_sort(&copy);
	return copy;
}

/* Give every chunk that both stores have the content it has in @source, from slice->place on; -EAGAIN as above. */
static int overwrite(const struct cow *into, const struct cow *source, const struct exceptions *have,
		     const struct exceptions *from, struct slice *slice)
{
	struct exceptions sorted = sorted_copy(have);
	void *chunk = io_alloc(into->chunk_bytes);
	bool over = false;
	uint64_t i;
	int r = chunk && sorted.list ? 0 : -ENOMEM;

	for (i = slice->place; i < from->count && r == 0 && !over; i++) {
		const struct exception *e = bsearch(&from->list[i], sorted.list, sorted.count,
						    sizeof(*sorted.list), by_old_chunk);

		if (e)
			r = copy_chunk(into, source, e->new_chunk, from->list[i].new_chunk, chunk);
		over = e && slice_over(slice);
	}
	free(chunk);
	exceptions_free(&sorted);
	if (r == 0)
		r = flush(into);
	if (r == 0)
		slice->place = i;
	return r == 0 && over ? -EAGAIN : r;
}

static int load_mended(struct cow *cow, struct exceptions *all)
{
	int r = cow->blank && cow->seal.entries > 0 ? -EBADMSG : 0;

	if (r == 0)
		r = ensure_header(cow);
	if (r == 0)
		r = cow_mend_tail(cow);
	return r < 0 ? r : cow_load(cow, all);
}

int cow_absorb(struct cow *older, struct cow *newer, uint64_t room, bool *swapped, struct slice *slice)
{
	struct exceptions old = { 0 }, new = { 0 };
	int r = load_mended(older, &old);

	if (r == 0)
		r = load_mended(newer, &new);
	/* One whose snapshot is larger has exceptions that the older snapshot has no place for. */
	*swapped = r == 0 && old.count < new.count && older->origin_chunks == newer->origin_chunks;
	if (r == 0 && *swapped)
		r = overwrite(newer, older, &new, &old, slice);
	if (r == 0)
		r = *swapped ? append(newer, older, &new, &old, room, slice) :
			       append(older, newer, &old, &new, room, slice);
	exceptions_free(&old);
	exceptions_free(&new);
	return r;
}
