// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model - random operations on a volume, compared with what they must have done.
 *
 *     model SEED COUNT SECONDS WRITES VOLUME ORIGIN STORE
 *
 * VOLUME has just been formatted and has no snapshot.  COUNT operations, or as many as SECONDS allow; each in this
 * process by the functions that the dm-* programs are made of, one in twelve of the changes in a process that dies or
 * fails at one of its steps.  Writes come WRITES times as often as else.  After every 120 operations that are not writes
 * all snapshots are compared whole.
 *
 * Prints operations=, others= that are not writes, faults=, reverts=, snapshots= and mismatches=; the first mismatch
 * ends it and is said on stderr, with the operation's number.  The same SEED does the same again.  Exit 0: none; 1: one; 2 usage.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "exits.h"
#include "io.h"
#include "model.h"

enum { CHECK_EVERY = 120 };

static uint64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

static uint64_t size_of(const char *path)
{
	uint64_t bytes = 0;
	int fd = io_open(path, O_RDONLY), r = fd < 0 ? fd : io_size(fd, &bytes);

	if (r < 0)
		errx(EXIT_FAILED, "cannot measure '%s': %s", path, reason(r));
	close(fd);
	return bytes;
}

static int run(struct model *model, uint64_t count, uint64_t deadline)
{
	const char *name = "start";
	uint64_t before;
	int r = 0;

	while (r == 0 && model->operation < count && seconds() < deadline) {
		model->operation++;
		before = model->others;
		r = operation_run(model, &name);
		if (r == 0 && model->others > before && model->others % CHECK_EVERY == 0) {
			name = "check";
			r = model_check(model);
		}
	}
	if (r == 0)
		r = model_check(model);
	if (r < 0 && r != -EILSEQ)
		model_wrong(model, "%s: %s", name, reason(r));
	else if (r < 0)
		fprintf(stderr, "that was: %s\n", name);
	return r;
}

int main(int argc, char **argv)
{
	static struct model model;
	uint64_t count, limit, writes;
	int r;

	if (argc != 8 || num_u64(argv[1], UINT64_MAX, &model.seed) < 0 ||
	    num_u64(argv[2], UINT64_MAX, &count) < 0 || num_u64(argv[3], UINT32_MAX, &limit) < 0 ||
	    num_u64(argv[4], 1000, &writes) < 0)
		errx(EXIT_USAGE, "usage: model SEED COUNT SECONDS WRITES VOLUME ORIGIN STORE");
	dev_init();
	model.noise.state = model.seed;
	model.writes = (unsigned int)writes;
	model.volume = argv[5];
	model.origin = argv[6];
	model.store = argv[7];
	r = shadow_open(&model.shadow, size_of(model.origin), model.origin);
	if (r == 0)
		r = model_start(&model);
	if (r < 0)
		errx(EXIT_FAILED, "cannot start '%s': %s", model.volume, reason(r));
	r = run(&model, count, seconds() + limit);
	printf("operations=%" PRIu64 "\nothers=%" PRIu64 "\nfaults=%" PRIu64 "\nreverts=%" PRIu64 "\nsnapshots=%u\n"
	       "mismatches=%d\n", model.operation, model.others, model.faults, model.reverts, model.count, r < 0);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
