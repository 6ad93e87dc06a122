// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scribble - write to a device until told to stop.
 *
 *     scribble DEVICE SEED FIRST COUNT [LOG]
 *
 * Writes FIRST, FIRST + 1, … of that seed's series (stamp.h); COUNT of them, or with 0 until SIGTERM.  After about
 * one in six it flushes, and then marks the dm-log-writes device LOG with `synced:SEED:N`.
 * Prints the number of the next write.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdevmapper.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "digest.h"
#include "io.h"
#include "stamp.h"

enum { PAUSE_NS = 4000000 };

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static void mark(const char *log, uint64_t seed, uint64_t number)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_TARGET_MSG);
	char text[64];

	snprintf(text, sizeof(text), "mark synced:%" PRIu64 ":%" PRIu64, seed, number);
	if (!task || !dm_task_set_name(task, log) || !dm_task_set_sector(task, 0) ||
	    !dm_task_set_message(task, text) || !dm_task_run(task))
		errx(1, "cannot mark '%s'", log);
	dm_task_destroy(task);
}

static void write_stamp(int fd, uint64_t seed, const struct stamp *stamp)
{
	uint8_t *data = io_alloc(stamp->sectors * SECTOR_SIZE);
	uint64_t i;

	for (i = 0; i < stamp->sectors; i++)
		stamp_fill(seed, stamp, stamp->sector + i, data + i * SECTOR_SIZE);
	if (pwrite(fd, data, stamp->sectors * SECTOR_SIZE, (off_t)(stamp->sector * SECTOR_SIZE)) < 0)
		err(1, "cannot write");
	free(data);
}

static void sync_and_mark(int fd, const char *log, uint64_t seed, uint64_t number)
{
	if (fdatasync(fd) < 0)
		err(1, "cannot flush");
	if (log)
		mark(log, seed, number);
}

static uint64_t scribble(int fd, uint64_t seed, uint64_t number, uint64_t count, const char *log)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t bytes, state = seed ^ number << 8 ^ 1, end = count ? number + count : UINT64_MAX;
	int r = io_size(fd, &bytes);

	if (r < 0)
		errx(1, "cannot measure the device");
	for (; number < end && !stopped; number++) {
		struct stamp stamp = stamp_make(seed, number, bytes / SECTOR_SIZE);

		write_stamp(fd, seed, &stamp);
		if (number == 0 || rnd(&state) % 6 == 0)
			sync_and_mark(fd, log, seed, number);
		else if (count == 0)
			nanosleep(&pause, NULL);
	}
	return number;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	int fd;

	if (argc != 5 && argc != 6)
		errx(2, "usage: scribble DEVICE SEED FIRST COUNT [LOG]");
	sigaction(SIGTERM, &action, NULL);
	fd = open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		err(1, "cannot open '%s'", argv[1]);
	printf("%" PRIu64 "\n", scribble(fd, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
					 strtoull(argv[4], NULL, 10), argv[5]));
	return close(fd) < 0;
}
