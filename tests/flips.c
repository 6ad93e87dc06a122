// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flips - change single bytes of what is on a store, and read it as the product does, in one process.
 *
 *     flips record|table|head COUNT SEED FILE
 *
 * record: a byte of one slot, and then the same of both.  The first is to be harmless, the second to be refused.
 * table: a byte of an exception store at rest, from its header to behind the end of its table.  It is to be refused, or
 * to change nothing that was ever read.  head: the same without a seal, as for a store that still grows.
 *
 * FILE is made anew.  Prints cases=, refused=, harmless= and wrong=, and a line to stderr for each that is wrong.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cow.h"
#include "io.h"
#include "record.h"

enum {
	SLOT0 = 64 << 10, SLOT1 = 544 << 10,	/* see record.h */
	RECORD_BYTES = 4096,			/* all of the record made here is in the first page of a slot */
	STORE_BYTES = 1 << 20,
	CHUNK = 4096, CHUNKS = 1000, COW_CHUNKS = 600, ENTRIES = 300,
};

struct flips {
	const char *path;
	int fd;
	uint64_t cases, refused, harmless, wrong;
};

static uint8_t flip(int fd, uint64_t offset, uint8_t with)
{
	uint8_t byte;

	if (pread(fd, &byte, 1, (off_t)offset) != 1)
		err(1, "cannot read");
	byte ^= with;
	if (pwrite(fd, &byte, 1, (off_t)offset) != 1)
		err(1, "cannot write");
	return byte;
}

/* One to 255: a byte that is another one afterwards. */
static uint8_t any_byte(void)
{
	return (uint8_t)(1 + random() % 255);
}

static void count(struct flips *flips, bool refused, bool same, uint64_t offset)
{
	flips->cases++;
	flips->refused += refused;
	flips->harmless += !refused && same;
	if (refused || same)
		return;
	flips->wrong++;
	warnx("not noticed: at %" PRIu64, offset);
}

/* Records. */

static void make_record(struct record *rec)
{
	unsigned int i;

	*rec = (struct record){
		.name = "home", .origin_sectors = 4096, .chunk_sectors = 32, .block_sectors = 128,
		.meta_sectors = 8192, .data_sectors = 65536, .pool = 12345, .next_snapshot = 6,
		.next_thin = 6, .thin_end = 1024, .count = 5,
	};
	if (uuid_random(rec->volume) < 0)
		errx(1, "no uuid");
	for (i = 0; i < rec->count; i++) {
		struct snapshot *snap = &rec->snapshot[i];

		*snap = (struct snapshot){ .id = i + 1, .thin = i + 1, .state = LIVE, .time = 1795000000 + i,
					   .sectors = 4096, .kinds = "hourly,daily" };
		snap->seal = (struct seal){ .set = true, .entries = i * 7, .crc = 123456789 * i };
		if (uuid_random(snap->uuid) < 0)
			errx(1, "no uuid");
	}
}

static void flip_record(struct flips *flips, const struct record *rec, struct record *got)
{
	uint64_t at = (uint64_t)random() % RECORD_BYTES, slot = random() % 2 ? SLOT0 : SLOT1;
	uint8_t with = any_byte();
	int r;

	flip(flips->fd, slot + at, with);
	r = record_load(flips->fd, got);
	count(flips, false, r == 0 && memcmp(rec, got, sizeof(*rec)) == 0, slot + at);
	flip(flips->fd, (slot ^ SLOT0 ^ SLOT1) + at, with);
	r = record_load(flips->fd, got);
	count(flips, r == -EBADMSG || r == -ENOENT, r == 0 && memcmp(rec, got, sizeof(*rec)) == 0, at);
	flip(flips->fd, SLOT0 + at, with);
	flip(flips->fd, SLOT1 + at, with);
}

static void flip_records(struct flips *flips, uint64_t cases)
{
	static struct record rec, got;

	make_record(&rec);
	if (ftruncate(flips->fd, STORE_BYTES) < 0 || record_commit(flips->fd, &rec) < 0 ||
	    record_load(flips->fd, &got) < 0)
		errx(1, "cannot make a record");
	rec = got;
	while (flips->cases < cases)
		flip_record(flips, &rec, &got);
}

/* Exception tables. */

static uint64_t entry_offset(uint64_t entry)
{
	uint64_t entries = cow_entries(CHUNK);

	return (1 + entry / entries * (entries + 1)) * CHUNK + entry % entries * 16;
}

static void make_table(const struct flips *flips)
{
	uint64_t header[CHUNK / 8], entry[2], i, new = 2;

	cow_header(header, CHUNK);
	if (ftruncate(flips->fd, COW_CHUNKS * CHUNK) < 0 || pwrite(flips->fd, header, CHUNK, 0) != CHUNK)
		err(1, "cannot make a table");
	for (i = 0; i < ENTRIES; i++, new++) {
		if (new % (cow_entries(CHUNK) + 1) == 1)
			new++;
		entry[0] = htole64(i * 3);
		entry[1] = htole64(new);
		if (pwrite(flips->fd, entry, 16, (off_t)entry_offset(i)) != 16)
			err(1, "cannot make a table");
	}
}

static int load_table(const struct flips *flips, const struct seal *seal, struct exceptions *all)
{
	struct cow cow;
	int r = cow_open(&cow, flips->path, O_RDONLY, CHUNK, CHUNKS);

	*all = (struct exceptions){ 0 };
	if (r < 0)
		return r;
	cow.seal = *seal;
	r = cow.valid ? cow_load(&cow, all) : -ESTALE;
	cow_close(&cow);
	return r;
}

static bool is_same(const struct exceptions *a, const struct exceptions *b)
{
	return a->count == b->count && memcmp(a->list, b->list, a->count * sizeof(*a->list)) == 0;
}

/* Half of them in the table's own bytes, the others wherever it or its end may be looked for. */
static uint64_t table_place(void)
{
	uint64_t chunk;

	if (random() % 2)
		return entry_offset((uint64_t)random() % (ENTRIES + 1)) + (uint64_t)random() % 16;
	chunk = random() % 3;
	return (chunk == 2 ? cow_entries(CHUNK) + 2 : chunk) * CHUNK + (uint64_t)random() % CHUNK;
}

static void flip_table(struct flips *flips, const struct seal *seal, const struct exceptions *whole)
{
	struct exceptions got;
	uint64_t at = table_place();
	uint8_t with = any_byte();
	int r;

	flip(flips->fd, at, with);
	r = load_table(flips, seal, &got);
	count(flips, r == -EBADMSG || r == -ESTALE, r == 0 && is_same(whole, &got), at);
	exceptions_free(&got);
	flip(flips->fd, at, with);
}

static void flip_tables(struct flips *flips, uint64_t cases, bool sealed)
{
	struct exceptions whole;
	struct seal seal = { 0 };

	make_table(flips);
	if (load_table(flips, &seal, &whole) < 0 || whole.count != ENTRIES)
		errx(1, "cannot make a table");
	if (sealed)
		seal = exceptions_seal(&whole);
	while (flips->cases < cases)
		flip_table(flips, &seal, &whole);
	exceptions_free(&whole);
}

int main(int argc, char **argv)
{
	struct flips flips = { 0 };
	uint64_t cases;

	if (argc != 5)
		errx(2, "usage: flips record|table|head COUNT SEED FILE");
	cases = strtoull(argv[2], NULL, 10);
	srandom((unsigned int)strtoul(argv[3], NULL, 10));
	flips.path = argv[4];
	flips.fd = open(argv[4], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (flips.fd < 0)
		err(1, "cannot make '%s'", argv[4]);
	if (strcmp(argv[1], "record") == 0)
		flip_records(&flips, cases);
	else
		flip_tables(&flips, cases, strcmp(argv[1], "table") == 0);
	printf("cases=%" PRIu64 "\nrefused=%" PRIu64 "\nharmless=%" PRIu64 "\nwrong=%" PRIu64 "\n",
	       flips.cases, flips.refused, flips.harmless, flips.wrong);
	return close(flips.fd) < 0;
}
