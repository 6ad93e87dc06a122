// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay - cut the power at many points of a log of writes, and look what is left each time.
 *
 *     replay LOG ORIGIN SECTORS STORE SECTORS COUNT SEED [SECONDS]
 *
 * LOG is what dm-log-writes has logged of a device with a volume's origin and store one behind the other, of so many
 * sectors.  At COUNT points, spread over the operations the log tells of, the devices ORIGIN and STORE get what they
 * would have held.  A point is a flush or FUA write: either it has just ended, or the power
 * fails before: then each sector of the writes since the flush before it is there or not, as chance has it.
 *
 * Prints a line for each violation, then cuts=, violations= and how many cuts each operation had.  Stops early,
 * but tells so, after SECONDS.  Exit 1: the test itself failed.
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

#include "check.h"
#include "digest.h"
#include "io.h"
#include "log.h"

enum { OPS_MAX = 64, ALL = 16 };

/* All before entry @limit, and of the @extra entries from there on some sectors. */
struct cut {
	size_t limit, extra;
	const char *op;
};

struct replay {
	struct log log;
	int origin, store;
	uint64_t origin_bytes, store_bytes, bytes;
	uint8_t *now, *cut;	/* both disks: what is durable; and that with the extras */
	size_t at;		/* entries applied to now */
	uint64_t random;
	struct check check;
};

/* Choosing. */

struct op {
	const char *name;
	size_t *flagged;	/* entries */
	size_t count;
};

struct ops {
	struct op op[OPS_MAX];
	unsigned int count;
};

static struct op *find_op(struct ops *ops, const char *name)
{
	unsigned int i;

	for (i = 0; i < ops->count; i++)
		if (strcmp(ops->op[i].name, name) == 0)
			return &ops->op[i];
	if (ops->count == OPS_MAX)
		errx(1, "too many operations");
	ops->op[ops->count].name = name;
	return &ops->op[ops->count++];
}

/* The flagged entries behind the mark `ready`, by operation. */
static void sort_entries(const struct log *log, struct ops *ops)
{
	struct op *op = NULL;
	bool ready = false;
	size_t i;

	for (i = 0; i < log->count; i++) {
		const struct log_entry *e = &log->entry[i];

		if (e->mark && strncmp(e->mark, "op:", 3) == 0)
			op = find_op(ops, e->mark + 3);
		ready |= e->mark && strcmp(e->mark, "ready") == 0;
		if (!ready || !op || !log_is_flagged(e))
			continue;
		op->flagged = reallocarray(op->flagged, op->count + 1, sizeof(size_t));
		if (!op->flagged)
			errx(1, "out of memory");
		op->flagged[op->count++] = i;
	}
}

/* The plain writes right before a flush. */
static size_t batch_start(const struct log *log, size_t flagged)
{
	size_t i = flagged;

	if (!(log->entry[flagged].flags & LOG_FLUSH))
		return flagged;
	while (i > 0 && !log_is_flagged(&log->entry[i - 1]) && !log->entry[i - 1].mark)
		i--;
	return i;
}

static struct cut cut_make(const struct log *log, const struct op *op, uint64_t *random)
{
	size_t flagged = op->flagged[rnd(random) % op->count], start = batch_start(log, flagged);
	unsigned int kind = rnd(random) % 4;

	if (kind < 2 && start < flagged)
		return (struct cut){ start, flagged - start, op->name };
	if (kind == 2 && log->entry[flagged].sectors > 0)
		return (struct cut){ flagged, 1, op->name };
	return (struct cut){ flagged + 1, 0, op->name };
}

static int by_limit(const void *left, const void *right)
{
	const struct cut *a = left, *b = right;

	return (a->limit > b->limit) - (a->limit < b->limit);
}

static struct cut *choose(struct replay *replay, size_t count)
{
	struct cut *cuts = calloc(count, sizeof(*cuts));
	struct ops ops = { 0 };
	unsigned int turn = 0;
	size_t n = 0;

	sort_entries(&replay->log, &ops);
	if (!cuts || ops.count == 0)
		errx(1, "nothing to cut");
	while (n < count) {
		const struct op *op = &ops.op[turn++ % ops.count];

		if (op->count > 0)
			cuts[n++] = cut_make(&replay->log, op, &replay->random);
	}
	qsort(cuts, count, sizeof(*cuts), by_limit);
	return cuts;
}

/* Applying. */

/* From @skip sectors into the entry on. */
static void copy_sectors(const struct replay *replay, const struct log_entry *e, uint64_t skip,
			 uint64_t sectors, uint8_t *to)
{
	if (io_pread(replay->log.fd, to + (e->sector + skip) * SECTOR_SIZE, sectors * SECTOR_SIZE,
		     e->data + skip * SECTOR_SIZE) < 0)
		errx(1, "cannot read the log");
}

/* Each sector is there with a chance of @odds in 16. */
static void apply(struct replay *replay, const struct log_entry *e, uint8_t *to, unsigned int odds)
{
	uint64_t i;

	if (e->mark || e->sectors == 0)
		return;
	if ((e->flags & LOG_DISCARD) || (e->sector + e->sectors) * SECTOR_SIZE > replay->bytes)
		errx(1, "the log has a write that is none: %" PRIu64 " %" PRIu64, e->sector, e->sectors);
	if (odds == ALL)
		copy_sectors(replay, e, 0, e->sectors, to);
	for (i = 0; i < e->sectors && odds < ALL; i++)
		if (rnd(&replay->random) % ALL < odds)
			copy_sectors(replay, e, i, 1, to);
}

static void advance(struct replay *replay, size_t limit)
{
	for (; replay->at < limit; replay->at++) {
		const struct log_entry *e = &replay->log.entry[replay->at];

		if (e->mark && history_add(&replay->check.history, e->mark) < 0)
			errx(1, "a mark that says nothing: '%s'", e->mark);
		apply(replay, e, replay->now, ALL);
	}
}

static void make_cut(struct replay *replay, const struct cut *cut)
{
	static const unsigned int odds[] = { 2, 8, 14 };
	unsigned int chance = odds[rnd(&replay->random) % 3];
	size_t i;

	advance(replay, cut->limit);
	memcpy(replay->cut, replay->now, replay->bytes);
	for (i = 0; i < cut->extra; i++)
		apply(replay, &replay->log.entry[cut->limit + i], replay->cut, chance);
	if (io_pwrite(replay->origin, replay->cut, replay->origin_bytes, 0) < 0 ||
	    io_pwrite(replay->store, replay->cut + replay->origin_bytes, replay->store_bytes, 0) < 0)
		errx(1, "cannot write the disks");
}

/* What to look at afterwards: DIR/lab of `lab/run --keep DIR`. */
static void keep_cut(const struct replay *replay, unsigned int violation)
{
	char path[64];
	int fd;

	if (violation > 3)
		return;
	snprintf(path, sizeof(path), "/lab/violation-%u.img", violation);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || io_pwrite(fd, replay->cut, replay->bytes, 0) < 0)
		warn("cannot keep '%s'", path);
	close(fd);
}

static bool try_cut(struct replay *replay, const struct cut *cut, unsigned int *violations)
{
	int r;

	make_cut(replay, cut);
	r = check_cut(&replay->check, digest(replay->cut, replay->origin_bytes));
	if (r < 0 && r != -EUCLEAN)
		errx(1, "cannot go on: %s; %s", strerror(-r), replay->check.what);
	if (r == 0)
		return true;
	(*violations)++;
	printf("violation: during %s, entry %zu of %zu, %zu torn: %s\n", cut->op, cut->limit,
	       replay->log.count, cut->extra, replay->check.what);
	keep_cut(replay, *violations);
	return false;
}

static void print_ops(const struct cut *cuts, size_t done)
{
	struct ops ops = { 0 };
	size_t i;

	for (i = 0; i < done; i++)
		find_op(&ops, cuts[i].op)->count++;
	for (i = 0; i < ops.count; i++)
		printf("%s=%zu\n", ops.op[i].name, ops.op[i].count);
}

static void prepare(struct replay *replay, char **argv)
{
	int r = log_read(&replay->log, argv[1]);

	if (r < 0)
		errx(1, "cannot read the log '%s': %s", argv[1], strerror(-r));
	replay->origin = io_open(argv[2], O_RDWR);
	replay->origin_bytes = strtoull(argv[3], NULL, 10) * SECTOR_SIZE;
	replay->store = io_open(argv[4], O_RDWR);
	replay->store_bytes = strtoull(argv[5], NULL, 10) * SECTOR_SIZE;
	replay->bytes = replay->origin_bytes + replay->store_bytes;
	replay->now = io_alloc(replay->bytes);
	replay->cut = io_alloc(replay->bytes);
	replay->random = strtoull(argv[7], NULL, 10) * 2 + 1;
	replay->check.random = replay->random;
	r = check_init(&replay->check, argv[2], replay->origin_bytes / SECTOR_SIZE, argv[4]);
	if (r < 0 || replay->origin < 0 || replay->store < 0 || !replay->now || !replay->cut)
		errx(1, "cannot begin");
}

int main(int argc, char **argv)
{
	static struct replay replay;
	unsigned int violations = 0;
	size_t count, n;
	struct cut *cuts;
	time_t end;

	if (argc != 8 && argc != 9)
		errx(2, "usage: replay LOG ORIGIN SECTORS STORE SECTORS COUNT SEED [SECONDS]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare(&replay, argv);
	count = strtoull(argv[6], NULL, 10);
	cuts = choose(&replay, count);
	end = time(NULL) + (argc == 9 ? atol(argv[8]) : 1000000);
	for (n = 0; n < count && time(NULL) < end; n++)
		try_cut(&replay, &cuts[n], &violations);
	printf("cuts=%zu\nviolations=%u\n", n, violations);
	print_ops(cuts, n);
	return 0;
}
