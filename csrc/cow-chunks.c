// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cow-chunks - list the chunks that changed between two snapshots, from exception stores alone.
 *
 *     cow-chunks CHUNK_BYTES CHUNKS COW…
 *
 * The COWs are the frozen ones of the older snapshot and of every later one before the newer; CHUNKS is the
 * volume's size in chunks of CHUNK_BYTES.  What changed is the union of their tables: no data is read.
 * Prints "FIRST COUNT" a run, ascending, never adjacent.  Exit 7: a table is damaged; 6: the kernel gave one up; 1, 2.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "chunkset.h"
#include "cow.h"
#include "exits.h"
#include "io.h"
#include "num.h"

static int collect(const char *path, uint64_t chunk_bytes, struct chunkset *changed)
{
	struct exceptions all = { 0 };
	struct cow cow;
	uint64_t i;
	int r = cow_open(&cow, path, O_RDONLY, chunk_bytes, changed->chunks);

	if (r < 0)
		return r;
	r = cow.valid ? cow_load(&cow, &all) : -ESTALE;
	cow_close(&cow);
	for (i = 0; r >= 0 && i < all.count; i++)
		r = chunkset_add(changed, all.list[i].old_chunk);
	exceptions_free(&all);
	return r < 0 ? r : 0;
}

static int print(const struct chunkset *changed)
{
	uint64_t at = 0, first, count;

	while (chunkset_next(changed, at, &first, &count)) {
		printf("%" PRIu64 " %" PRIu64 "\n", first, count);
		at = first + count;
	}
	return io_flush_stdout();
}

int main(int argc, char **argv)
{
	struct chunkset changed;
	uint64_t chunk_bytes, chunks;
	int i, r;

	if (argc < 3 || num_u64(argv[1], 1 << 30, &chunk_bytes) < 0 ||
	    !is_power_of_two(chunk_bytes) || chunk_bytes < IO_ALIGN ||
	    num_u64(argv[2], INT64_MAX / IO_ALIGN, &chunks) < 0)
		errx(EXIT_USAGE, "usage: cow-chunks CHUNK_BYTES CHUNKS COW...");
	r = chunkset_init(&changed, chunks);
	if (r < 0)
		errx(EXIT_FAILED, "cannot begin: %s", reason(r));
	for (i = 3; i < argc; i++) {
		r = collect(argv[i], chunk_bytes, &changed);
		if (r < 0)
			errx(exit_code(r), "cannot read exceptions from '%s': %s", argv[i], reason(r));
	}
	r = print(&changed);
	if (r < 0)
		errx(EXIT_FAILED, "cannot print: %s", reason(r));
	chunkset_free(&changed);
	return EXIT_DONE;
}
