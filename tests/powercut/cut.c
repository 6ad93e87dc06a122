// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cut - what a device holds when the power fails at a flush.
 *
 *     cut LOG                       how many flushes and FUA writes there are behind the mark "ready"
 *     cut LOG NUMBER SEED DEVICE    DEVICE gets what it holds at that one, the first being 0
 *
 * With an even seed that flush has just ended.  Else the power fails before: then each sector of what was written since the
 * flush before it is there or not, as chance has it.
 *
 * Prints the last mark before, or the number.  Exit 1: the test itself failed.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "io.h"
#include "log.h"

static const char *mark = "none";

/* The flagged entry of that number, or with UINT64_MAX how many there are. */
static size_t find(const struct log *log, uint64_t number)
{
	bool ready = false;
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < log->count; i++) {
		const struct log_entry *e = &log->entry[i];

		ready |= e->mark && strcmp(e->mark, "ready") == 0;
		if (ready && log_is_flagged(e) && count++ == number)
			return i;
	}
	if (number != UINT64_MAX)
		errx(1, "there is no flush %lu", (unsigned long)number);
	return count;
}

/* All of an entry, or, with a state of chance, some of its sectors. */
static void apply(const struct log *log, const struct log_entry *e, int device, uint64_t *chance)
{
	uint8_t *data = io_alloc(e->sectors * SECTOR_SIZE);
	uint64_t i, step = chance ? 1 : e->sectors;

	if (!data || io_pread(log->fd, data, e->sectors * SECTOR_SIZE, e->data) < 0)
		errx(1, "cannot read the log");
	for (i = 0; i < e->sectors; i += step)
		if ((!chance || rnd(chance) % 2) &&
		    io_pwrite(device, data + i * SECTOR_SIZE, step * SECTOR_SIZE, (e->sector + i) * SECTOR_SIZE) < 0)
			errx(1, "cannot write the device");
	free(data);
}

static bool is_write(const struct log_entry *e)
{
	if (e->flags & LOG_DISCARD)
		errx(1, "the log has a discard");
	return !e->mark && e->sectors > 0;
}

/* The plain writes right before a flush are what it makes durable. */
static size_t batch_start(const struct log *log, size_t flagged)
{
	size_t i = flagged;

	while ((log->entry[flagged].flags & LOG_FLUSH) && i > 0 && !log_is_flagged(&log->entry[i - 1]) &&
	       !log->entry[i - 1].mark)
		i--;
	return i;
}

static void cut(const struct log *log, size_t flagged, uint64_t seed, int device)
{
	size_t whole = seed % 2 ? batch_start(log, flagged) : flagged + 1, i;

	for (i = 0; i <= flagged; i++) {
		const struct log_entry *e = &log->entry[i];

		if (e->mark)
			mark = e->mark;
		else if (is_write(e))
			apply(log, e, device, i < whole ? NULL : &seed);
	}
}

int main(int argc, char **argv)
{
	struct log log;
	int device;

	if (argc != 2 && argc != 5)
		errx(2, "usage: cut LOG [NUMBER SEED DEVICE]");
	if (log_read(&log, argv[1]) < 0)
		errx(1, "cannot read the log '%s'", argv[1]);
	if (argc == 2) {
		printf("%zu\n", find(&log, UINT64_MAX));
		return 0;
	}
	device = open(argv[4], O_WRONLY);
	if (device < 0)
		err(1, "cannot open '%s'", argv[4]);
	cut(&log, find(&log, strtoull(argv[2], NULL, 10)), strtoull(argv[3], NULL, 10), device);
	puts(mark);
	return io_close_synced(device, 0) < 0;
}
