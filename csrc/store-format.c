// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store-format - make a device the snapshot store of a volume.
 *
 *     store-format [--chunk BYTES] [--block BYTES] VOLUME ORIGIN STORE [META]
 *
 * STORE gets a header with an empty record (record.h), the metadata of the thin pool unless META is given,
 * and the pool's data.  META gets a header that says whose it is, and the pool's metadata.
 * Whatever was there is gone: asking first is the caller's part.  ORIGIN is only measured.
 *
 * Prints volume=UUID, the identity of the new volume.  Exit 2: sizes that do not fit together or a device
 * too small, 3: a device is in use; nothing is changed then.  After 1 there is no valid record.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "exits.h"
#include "io.h"
#include "layout.h"

enum {
	CHUNK_DEFAULT = 16 << 10,
	CHUNK_MIN = 4 << 10,
	CHUNK_MAX = 512 << 10,
	BLOCK_MIN = 64 << 10,		/* dm-thin's limits */
	BLOCK_MAX = 1 << 30,
	STORE_MIN = 8 << 20,
	META_WIPED = 64 << 10,		/* the kernel makes a new pool where the first page is zero */
};

static const char meta_banner[] =
	"This is the metadata of a zumastor snapshot store.  Do not write here.\n";

struct plan {
	struct record *rec;
	int store, meta;	/* descriptors; the same without META */
	uint64_t chunk, block;	/* bytes; 0: the default */
};

/* Claims the device while we write: nobody may have it mounted or mapped. */
static int claim(const char *path, uint64_t *bytes)
{
	int fd = io_open(path, O_RDWR | O_EXCL);
	int r;

	if (fd < 0)
		errx(exit_code(fd), "cannot open '%s': %s", path, reason(fd));
	r = io_size(fd, bytes);
	if (r < 0)
		errx(EXIT_FAILED, "cannot measure '%s': %s", path, reason(r));
	*bytes -= *bytes % IO_ALIGN;
	return fd;
}

static uint64_t measure(const char *path)
{
	uint64_t bytes;
	int fd = io_open(path, O_RDONLY), r = fd;

	if (fd >= 0)
		r = io_size(fd, &bytes);
	if (r < 0)
		errx(exit_code(r), "cannot measure '%s': %s", path, reason(r));
	close(fd);
	return bytes;
}

static void set_sizes(struct plan *plan, uint64_t store_bytes, uint64_t meta_bytes)
{
	struct record *rec = plan->rec;
	uint64_t header = (uint64_t)HEADER_SECTORS * SECTOR_SIZE, taken = header, meta;

	if (store_bytes < STORE_MIN)
		errx(EXIT_USAGE, "the store is too small: %" PRIu64 " bytes, at least %d are needed",
		     store_bytes, STORE_MIN);
	if (rec->separate && meta_bytes < header + META_MIN)
		errx(EXIT_USAGE, "the metadata device is too small: %" PRIu64 " bytes, at least %"
		     PRIu64 " are needed", meta_bytes, header + META_MIN);
	if (plan->block == 0)
		plan->block = layout_block(store_bytes);
	if (plan->chunk == 0)
		plan->chunk = CHUNK_DEFAULT;
	meta = layout_meta(store_bytes, plan->block);
	if (rec->separate)
		meta = meta_bytes - header < META_MAX ? meta_bytes - header : META_MAX;
	else
		taken += meta;
	if (store_bytes < taken + 4 * plan->block)
		errx(EXIT_USAGE, "the store is too small for blocks of %" PRIu64 " bytes",
		     plan->block);
	rec->chunk_sectors = plan->chunk / SECTOR_SIZE;
	rec->block_sectors = plan->block / SECTOR_SIZE;
	rec->meta_sectors = meta / SECTOR_SIZE;
	rec->data_sectors = (store_bytes - taken) / plan->block * rec->block_sectors;
}

static int set_identity(struct record *rec)
{
	if (getrandom(&rec->pool, sizeof(rec->pool), 0) != sizeof(rec->pool))
		return -errno;
	rec->pool = (rec->pool >> 1) | 1;	/* never 0, which a fresh pool has */
	rec->next_snapshot = 1;
	rec->next_thin = 1;
	rec->thin_end = THINS_MAX;
	return uuid_random(rec->volume);
}

/* The old record goes first and the new one comes last: an interrupted format leaves no store. */
static int write_all(const struct plan *plan)
{
	uint64_t meta_start = (uint64_t)HEADER_SECTORS * SECTOR_SIZE;
	char *page = io_alloc(META_WIPED);
	int r = page ? record_erase(plan->store) : -ENOMEM;

	if (r == 0)
		r = io_pwrite(plan->meta, page, META_WIPED, meta_start);
	if (r == 0 && plan->rec->separate) {
		memcpy(page, meta_banner, sizeof(meta_banner));
		r = io_pwrite(plan->meta, page, IO_ALIGN, 0);
	}
	if (r == 0 && fdatasync(plan->meta) < 0)
		r = -errno;
	free(page);
	return r < 0 ? r : record_commit(plan->store, plan->rec);
}

static void option_size(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *value)
{
	if (num_u64(text, max, value) < 0 || *value < min || !is_power_of_two(*value))
		errx(EXIT_USAGE, "not a %s size: '%s'; a power of two from %" PRIu64 " to %" PRIu64
		     " bytes", what, text, min, max);
}

static void parse_options(int argc, char **argv, struct plan *plan)
{
	static const struct option options[] = {
		{ "chunk", required_argument, NULL, 'c' }, { "block", required_argument, NULL, 'b' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			option_size(optarg, "chunk", CHUNK_MIN, CHUNK_MAX, &plan->chunk);
		else if (option == 'b')
			option_size(optarg, "block", BLOCK_MIN, BLOCK_MAX, &plan->block);
		else
			exit(EXIT_USAGE);
	}
	if ((argc - optind != 3 && argc - optind != 4) || !is_name(argv[optind]))
		errx(EXIT_USAGE, "usage: store-format [--chunk BYTES] [--block BYTES] VOLUME ORIGIN "
		     "STORE [META]");
}

int main(int argc, char **argv)
{
	static struct record rec;
	struct plan plan = { .rec = &rec };
	uint64_t store_bytes, meta_bytes = 0;
	int r;

	parse_options(argc, argv, &plan);
	argv += optind;
	strcpy(plan.rec->name, argv[0]);
	plan.rec->origin_sectors = measure(argv[1]) / SECTOR_SIZE;
	if (plan.rec->origin_sectors == 0)
		errx(EXIT_USAGE, "the origin '%s' is empty", argv[1]);
	plan.store = plan.meta = claim(argv[2], &store_bytes);
	plan.rec->separate = argv[3] != NULL;
	if (plan.rec->separate)
		plan.meta = claim(argv[3], &meta_bytes);
	set_sizes(&plan, store_bytes, meta_bytes);
	r = set_identity(plan.rec);
	if (r == 0)
		r = write_all(&plan);
	if (plan.rec->separate)
		r = io_close_synced(plan.meta, r);
	r = io_close_synced(plan.store, r);
	if (r == 0 && (printf("volume=%s\n", plan.rec->volume) < 0 || io_flush_stdout() < 0))
		r = -EIO;
	if (r < 0)
		errx(exit_code(r), "cannot format '%s': %s", argv[2], reason(r));
	return EXIT_DONE;
}
