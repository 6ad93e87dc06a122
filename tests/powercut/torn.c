// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * torn - tear a metadata area of the head at each of its sectors, fill it again, and cut the power once more.
 *
 *     torn ORIGIN STORE CHUNK_BYTES
 *
 * ORIGIN and STORE are two blank disks.  First all but one of the entries of the first area are used; then, for
 * each sector in it, the disks get the moment at which the last HOLE entries before that sector were being committed:
 * what is from there on has reached the disk, they have not.  (The kernel would keep what lies behind the hole in
 * memory and write it back once the hole is filled: chunks would then be read where others have been put.)
 * Prints a line for each violation, then tears= and violations=.  Exit 1: the test itself failed.
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

#include "digest.h"
#include "io.h"
#include "volume.h"

enum {
	HOLE = 3,
	SPARE = 16,		/* chunks at the volume's end that the first writes leave alone */
	BATCH = 32,		/* chunks of one write */
	ENTRY_BYTES = 16,
};

struct disk {
	const char *path;
	int fd;
	uint64_t bytes;
	uint8_t *image;		/* when the power failed first */
};

struct torn {
	struct disk origin, store;
	uint64_t chunk, entries;
	uint8_t *old;		/* what the snapshot shows */
	uint8_t *area;
	uint64_t place;		/* of the area in the store */
	struct stack *stack;
	uint64_t random;
	unsigned int violations;
};

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "cannot %s: %s", what, strerror(-r));
}

static void open_disk(struct disk *disk, const char *path)
{
	disk->path = path;
	disk->fd = io_open(path, O_RDWR);
	must(disk->fd, "open a disk");
	must(io_size(disk->fd, &disk->bytes), "measure a disk");
	disk->image = io_alloc(disk->bytes);
	must(disk->image ? 0 : -ENOMEM, "get memory");
}

static void load(struct disk *disk)
{
	must(io_pread(disk->fd, disk->image, disk->bytes, 0), "read a disk");
}

static void save(const struct disk *disk, const void *data, uint64_t bytes, uint64_t offset)
{
	must(io_pwrite(disk->fd, data, bytes, offset), "write a disk");
}

static void fill(struct torn *torn, void *buffer, uint64_t bytes)
{
	uint64_t *word = buffer, i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		word[i] = rnd(&torn->random);
}

static void write_volume(struct torn *torn, uint64_t chunk, uint64_t count)
{
	int fd = io_open("/dev/mapper/" VOLUME, O_RDWR);
	uint8_t *data = io_alloc(BATCH * torn->chunk);
	uint64_t n;

	must(data ? fd : -ENOMEM, "open the volume");
	for (; count > 0; chunk += n, count -= n) {
		n = count < BATCH ? count : BATCH;
		fill(torn, data, n * torn->chunk);
		must(io_pwrite(fd, data, n * torn->chunk, chunk * torn->chunk), "write the volume");
	}
	free(data);
	must(io_close_synced(fd, 0), "flush the volume");
}

static void read_area(struct torn *torn)
{
	int fd = io_open("/dev/mapper/" VOLUME "-cow-1", O_RDONLY);

	must(fd, "open the exception store");
	must(io_pread(fd, torn->area, torn->chunk, torn->chunk), "read the exception store");
	close(fd);
}

static void find_area(struct torn *torn)
{
	uint64_t at;

	for (at = 0; at + torn->chunk <= torn->store.bytes; at += IO_ALIGN) {
		if (memcmp(torn->store.image + at, torn->area, torn->chunk) != 0)
			continue;
		if (torn->place)
			errx(1, "the area is in the store twice");
		torn->place = at;
	}
	if (!torn->place)
		errx(1, "the area is not in the store");
}

static void command(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void command(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (system(text) != 0)
		errx(1, "'%s' fails", text);
}

static bool start(struct torn *torn)
{
	int r;

	torn->stack = volume_start(torn->origin.path, torn->store.path, &r);
	return torn->stack;
}

static void fall(struct torn *torn)
{
	must(volume_fall(torn->stack), "remove all devices");
}

/* A volume with a snapshot, and an area all but full. */
static void prepare(struct torn *torn)
{
	fill(torn, torn->origin.image, torn->origin.bytes);
	save(&torn->origin, torn->origin.image, torn->origin.bytes, 0);
	command(HELPERS "store-format --chunk %" PRIu64 " " VOLUME " %s %s >/dev/null", torn->chunk,
		torn->origin.path, torn->store.path);
	if (!start(torn))
		errx(1, "the volume does not start");
	command(HELPERS "dm-snapshot " VOLUME " %s >/dev/null", torn->store.path);
	memcpy(torn->old, torn->origin.image, torn->origin.bytes);
	write_volume(torn, 0, torn->entries - 1);
	read_area(torn);
	fall(torn);
	load(&torn->origin);
	load(&torn->store);
	find_area(torn);
}

/* The disks as they were, but that the commit of the entries from @torn_at - HOLE on was under way. */
static void tear(struct torn *torn, uint64_t torn_at)
{
	const uint8_t *entry = torn->store.image + torn->place;
	uint64_t i, chunk;
	uint8_t *area = io_alloc(torn->chunk);

	must(area ? 0 : -ENOMEM, "get memory");
	save(&torn->origin, torn->origin.image, torn->origin.bytes, 0);
	save(&torn->store, torn->store.image, torn->store.bytes, 0);
	for (i = torn_at - HOLE; i < torn->entries - 1; i++) {
		memcpy(&chunk, entry + i * ENTRY_BYTES, sizeof(chunk));
		save(&torn->origin, torn->old + le64toh(chunk) * torn->chunk, torn->chunk, le64toh(chunk) * torn->chunk);
	}
	memcpy(area, entry, torn->chunk);
	memset(area + (torn_at - HOLE) * ENTRY_BYTES, 0, HOLE * ENTRY_BYTES);
	save(&torn->store, area, torn->chunk, torn->place);
	free(area);
}

/* The last commit never happened, nor the writes to @count chunks that waited for it. */
static void take_back(const struct torn *torn, uint64_t chunk, uint64_t count)
{
	save(&torn->store, torn->area, torn->chunk, torn->place);
	save(&torn->origin, torn->old + chunk * torn->chunk, count * torn->chunk, chunk * torn->chunk);
}

static bool is_right(struct torn *torn)
{
	uint8_t *now = io_alloc(torn->origin.bytes);
	int fd, r = volume_show(torn->stack);
	bool same;

	must(now ? 0 : -ENOMEM, "get memory");
	fd = io_open("/dev/zumastor/" VOLUME "/1", O_RDONLY);
	if (r == 0)
		r = fd < 0 ? fd : io_pread(fd, now, torn->origin.bytes, 0);
	same = r == 0 && memcmp(now, torn->old, torn->origin.bytes) == 0;
	close(fd);
	free(now);
	return same;
}

static bool restart(struct torn *torn, uint64_t sector, const char *when)
{
	const char *fault = !start(torn) ? "no start" : is_right(torn) ? NULL : "another content";

	if (!fault)
		return true;
	torn->violations++;
	printf("violation: chunks of %" PRIu64 ", torn at sector %" PRIu64 ", %s: %s\n", torn->chunk,
	       sector, when, fault);
	return false;
}

static void tear_at(struct torn *torn, uint64_t sector)
{
	uint64_t spare = torn->entries + HOLE;

	tear(torn, sector * SECTOR_SIZE / ENTRY_BYTES);
	if (restart(torn, sector, "first")) {
		write_volume(torn, spare, HOLE);
		read_area(torn);
		write_volume(torn, spare + HOLE, 2);
		fall(torn);
		take_back(torn, spare + HOLE, 2);
		restart(torn, sector, "filled and cut");
	}
	fall(torn);
}

int main(int argc, char **argv)
{
	static struct torn torn = { .random = 1 };
	uint64_t sector;

	if (argc != 4)
		errx(2, "usage: torn ORIGIN STORE CHUNK_BYTES");
	torn.chunk = strtoull(argv[3], NULL, 10);
	torn.entries = torn.chunk / ENTRY_BYTES;
	open_disk(&torn.origin, argv[1]);
	open_disk(&torn.store, argv[2]);
	if (torn.origin.bytes < (torn.entries + SPARE) * torn.chunk)
		errx(1, "the origin is too small");
	torn.origin.bytes = (torn.entries + SPARE) * torn.chunk;	/* no more than we use */
	torn.old = io_alloc(torn.origin.bytes);
	torn.area = io_alloc(torn.chunk);
	must(torn.old && torn.area ? 0 : -ENOMEM, "get memory");
	prepare(&torn);
	for (sector = 1; sector < torn.chunk / SECTOR_SIZE; sector++)
		tear_at(&torn, sector);
	printf("tears=%" PRIu64 "\nviolations=%u\n", sector - 1, torn.violations);
	return 0;
}
