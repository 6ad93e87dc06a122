// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delta-mutate - read every mutation of a small delta, as delta-apply does, in one process.
 *
 *     delta-mutate cut|flip FIRST STEP STREAM
 *
 * cut: the stream ends at byte FIRST, FIRST + STEP, ...; flip: bit number FIRST, FIRST + STEP,
 * ... is the other way round.  What is wanted: the mutation is refused as truncated or corrupt,
 * and what was given out as verified before that is the beginning of what the whole stream gives;
 * or (a flip only, say of a time stamp or of padding) it is accepted and gives all of the same.
 *
 * Prints cases=, accepted= and wrong=, and a line to stderr for each that is wrong.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delta_read.h"

enum { SEGMENTS_MAX = 64 };

/* The chain behind a segment says all about it and about what was before it. */
struct outcome {
	int r;
	struct delta_facts facts;
	unsigned int segments;
	uint8_t chain[SEGMENTS_MAX][DELTA_DIGEST];
};

static struct delta_reader in;

static void read_all(int fd, struct delta_segment *seg, struct outcome *outcome)
{
	lseek(fd, 0, SEEK_SET);
	memset(outcome, 0, sizeof(*outcome));
	outcome->r = delta_read_open(&in, fd);
	if (outcome->r == 0) {
		outcome->facts = in.facts;
		while ((outcome->r = delta_read_segment(&in, seg)) > 0) {
			if (outcome->segments == SEGMENTS_MAX)
				errx(1, "too many segments");
			memcpy(outcome->chain[outcome->segments++], seg->chain, DELTA_DIGEST);
		}
	}
	delta_read_close(&in);
}

static bool is_right(const struct outcome *whole, const struct outcome *got, bool accepted)
{
	size_t chains = got->segments * sizeof(got->chain[0]);

	if (got->segments > whole->segments || memcmp(got->chain, whole->chain, chains) != 0)
		return false;
	if (got->r != 0)
		return (got->r == -EBADMSG || got->r == -ENODATA) && in.fault[0] != '\0';
	return accepted && got->segments == whole->segments &&
	       memcmp(&got->facts, &whole->facts, sizeof(got->facts)) == 0;
}

int main(int argc, char **argv)
{
	struct delta_segment *seg = delta_segment_new();
	struct outcome whole, got;
	uint64_t at, step, size, cases = 0, accepted = 0, wrong = 0;
	bool flip;
	char *stream;
	int fd, from;

	if (argc != 5 || !seg)
		errx(2, "usage: delta-mutate cut|flip FIRST STEP STREAM");
	flip = strcmp(argv[1], "flip") == 0;
	step = strtoull(argv[3], NULL, 10);
	from = open(argv[4], O_RDONLY);
	size = (uint64_t)lseek(from, 0, SEEK_END);
	stream = malloc(size);
	fd = memfd_create("stream", 0);
	if (!stream || fd < 0 || pread(from, stream, size, 0) != (ssize_t)size ||
	    pwrite(fd, stream, size, 0) != (ssize_t)size)
		err(1, "cannot read '%s'", argv[4]);
	read_all(fd, seg, &whole);
	if (whole.r != 0)
		errx(1, "'%s' is no delta: %s", argv[4], in.fault);

	for (at = strtoull(argv[2], NULL, 10); at < (flip ? 8 * size : size); at += step) {
		if (flip) {
			char byte = (char)(stream[at / 8] ^ 1 << at % 8);

			if (pwrite(fd, &byte, 1, (off_t)(at / 8)) != 1)
				err(1, "cannot write");
		} else if (ftruncate(fd, (off_t)at) < 0) {
			err(1, "cannot truncate");
		}
		read_all(fd, seg, &got);
		cases++;
		accepted += got.r == 0;
		if (!is_right(&whole, &got, flip)) {
			wrong++;
			warnx("wrong: %s at %" PRIu64 ": %d after %u segments: %s", argv[1], at,
			      got.r, got.segments, in.fault);
		}
		if (pwrite(fd, stream, size, 0) != (ssize_t)size)
			err(1, "cannot write");
	}
	printf("cases=%" PRIu64 "\naccepted=%" PRIu64 "\nwrong=%" PRIu64 "\n", cases, accepted,
	       wrong);
	delta_segment_free(seg);
	free(stream);
	close(fd);
	close(from);
	return 0;
}
