// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cow-rewind - copy what changed since a snapshot back from it.
 *
 *     cow-rewind CHUNK_BYTES SNAPSHOT DEVICE <RANGES
 *
 * RANGES are lines "FIRST COUNT" of chunks, ascending, as cow-chunks prints them; DEVICE is a snapshot-origin, so that
 * newer snapshots keep what they show.  Prints "done=BYTES total=BYTES" each second.  Exit 0: DEVICE holds what
 * SNAPSHOT shows in all of them, on disk; it can be run again after any failure.  7: RANGES are wrong; 1, 2.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chunkset.h"
#include "delta_queue.h"
#include "exits.h"
#include "io.h"
#include "num.h"
#include "step.h"

enum { BATCH_BYTES = 128 << 10 };	/* of one read or write */

struct copy {
	struct delta_queue from, to;
	char *buffer;		/* DELTA_DEPTH times BATCH_BYTES */
	uint64_t end;		/* of the volume, in bytes */
	struct {
		uint64_t offset;
		size_t length;
	} part[DELTA_DEPTH];
	unsigned int parts;
};

/* Read all parts at once, then write all at once: scattered chunks would take the disks' latency one by one. */
static int copy_parts(struct copy *copy)
{
	unsigned int i;
	int r;

	for (i = 0; i < copy->parts; i++)
		delta_queue_add(&copy->from, false, copy->buffer + (size_t)i * BATCH_BYTES,
				copy->part[i].length, copy->part[i].offset);
	r = delta_queue_wait(&copy->from);
	for (i = 0; i < copy->parts && r == 0; i++)
		delta_queue_add(&copy->to, true, copy->buffer + (size_t)i * BATCH_BYTES,
				copy->part[i].length, copy->part[i].offset);
	if (r == 0)
		r = delta_queue_wait(&copy->to);
	copy->parts = 0;
	return r < 0 ? r : step();
}

static int copy_run(struct copy *copy, uint64_t offset, uint64_t bytes)
{
	int r = 0;

	if (offset + bytes > copy->end)
		bytes = copy->end - offset;	/* the last chunk of the volume may be short */
	while (bytes > 0 && r == 0) {
		size_t length = bytes < BATCH_BYTES ? (size_t)bytes : BATCH_BYTES;

		copy->part[copy->parts].offset = offset;
		copy->part[copy->parts++].length = length;
		offset += length;
		bytes -= length;
		if (copy->parts == DELTA_DEPTH)
			r = copy_parts(copy);
	}
	return r;
}

static void say_progress(uint64_t done, uint64_t total)
{
	static time_t said;
	time_t now = time(NULL);

	if (now == said && done < total)
		return;
	said = now;
	printf("done=%" PRIu64 " total=%" PRIu64 "\n", done, total);
	fflush(stdout);
}

static uint64_t count_bytes(const struct chunkset *set, uint64_t chunk_bytes)
{
	uint64_t at = 0, first, count, bytes = 0;

	while (chunkset_next(set, at, &first, &count)) {
		bytes += count * chunk_bytes;
		at = first + count;
	}
	return bytes;
}

static int copy_all(struct copy *copy, const struct chunkset *changed, uint64_t chunk_bytes)
{
	uint64_t at = 0, first, count, done = 0, total = count_bytes(changed, chunk_bytes);
	int r = 0;

	while (r == 0 && chunkset_next(changed, at, &first, &count)) {
		say_progress(done, total);
		r = copy_run(copy, first * chunk_bytes, count * chunk_bytes);
		done += count * chunk_bytes;
		at = first + count;
	}
	if (r == 0)
		r = copy_parts(copy);
	if (r == 0)
		say_progress(total, total);
	return r;
}

static int copy_between(int from, int to, const struct chunkset *changed, uint64_t chunk_bytes)
{
	struct copy *copy = calloc(1, sizeof(*copy));
	int r = -ENOMEM;

	if (copy)
		copy->buffer = io_alloc((size_t)DELTA_DEPTH * BATCH_BYTES);
	if (copy && copy->buffer) {
		r = io_size(to, &copy->end);
		delta_queue_open(&copy->from, from);
		delta_queue_open(&copy->to, to);
		if (r == 0)
			r = copy_all(copy, changed, chunk_bytes);
		delta_queue_close(&copy->from);
		delta_queue_close(&copy->to);
	}
	if (copy)
		free(copy->buffer);
	free(copy);
	return r;
}

/* Each line is what printing its numbers gives, so that a cut or garbled list is noticed. */
static int read_ranges(struct chunkset *changed)
{
	uint64_t first, count, at = 0;
	char line[64], again[64];
	int r = 0;

	while (r >= 0 && fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%" SCNu64 " %" SCNu64, &first, &count) != 2 || first < at ||
		    count == 0 || count > changed->chunks || first > changed->chunks - count)
			return -EBADMSG;
		snprintf(again, sizeof(again), "%" PRIu64 " %" PRIu64 "\n", first, count);
		if (strcmp(line, again) != 0)
			return -EBADMSG;
		for (at = first; at < first + count && r >= 0; at++)
			r = chunkset_add(changed, at);
	}
	return r < 0 ? r : ferror(stdin) ? -EIO : 0;
}

static int open_or_die(const char *path, int flags)
{
	int fd = io_open(path, flags);

	if (fd < 0)
		errx(exit_code(fd), "cannot open '%s': %s", path, reason(fd));
	return fd;
}

int main(int argc, char **argv)
{
	struct chunkset changed = { 0 };
	uint64_t chunk_bytes, bytes = 0;
	int from, to, r;

	if (argc != 4 || num_u64(argv[1], 1 << 30, &chunk_bytes) < 0 ||
	    !is_power_of_two(chunk_bytes) || chunk_bytes < IO_ALIGN)
		errx(EXIT_USAGE, "usage: cow-rewind CHUNK_BYTES SNAPSHOT DEVICE");
	step_arm();
	from = open_or_die(argv[2], O_RDONLY);
	to = open_or_die(argv[3], O_RDWR);
	r = io_size(to, &bytes);
	if (r == 0)
		r = chunkset_init(&changed, (bytes + chunk_bytes - 1) / chunk_bytes);
	if (r == 0)
		r = read_ranges(&changed);
	if (r == 0)
		r = copy_between(from, to, &changed, chunk_bytes);
	r = io_close_synced(to, r);
	if (r == 0)
		r = io_flush_stdout();
	chunkset_free(&changed);
	if (r < 0)
		errx(exit_code(r), "cannot rewind '%s': %s", argv[3], reason(r));
	return EXIT_DONE;
}
