// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-start - put up the devices of a volume, or repair those of a running one.
 *
 *     dm-start VOLUME ORIGIN STORE [META]
 *
 * What a crash left undecided is decided by the exception stores.  Where the origin was written while the volume
 * was stopped, its snapshots are recorded as lost, and a warning says why.  Exit 0: /dev/mapper/VOLUME is there.  3: a
 * device is in use, 4: no record on STORE, 5: the kernel lacks a target, 7: record or metadata damaged, or META
 * is another store's; 1, 2.  After a failure nothing is up that was not before.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "exits.h"
#include "io.h"
#include "life.h"
#include "tool.h"

static void check_size(const char *path, uint64_t sectors)
{
	uint64_t bytes = 0;
	int fd = io_open(path, O_RDONLY), r = fd;

	if (fd >= 0)
		r = io_size(fd, &bytes);
	if (r < 0)
		errx(EXIT_FAILED, "cannot measure '%s': %s", path, reason(r));
	close(fd);
	if (bytes / SECTOR_SIZE < sectors)
		errx(EXIT_FAILED, "'%s' is smaller than the record says", path);
}

int main(int argc, char **argv)
{
	dev_t origin, store, meta = 0;
	struct stack *stack;
	int r;

	if (argc != 4 && argc != 5)
		errx(EXIT_USAGE, "usage: dm-start VOLUME ORIGIN STORE [META]");
	origin = tool_block_device(argv[2]);
	store = tool_block_device(argv[3]);
	stack = tool_open(argv[1], argv[3]);
	if (stack->rec.separate != (argc == 5))
		errx(EXIT_USAGE, "volume '%s' %s a separate metadata device", argv[1],
		     stack->rec.separate ? "needs" : "has not");
	if (argc == 5)
		meta = tool_block_device(argv[4]);
	check_size(argv[2], stack->rec.origin_sectors);
	r = life_start(stack, origin, store, meta);
	if (stack->origin_changed)
		warnx("warning: the origin '%s' was written while volume '%s' was stopped", argv[2], argv[1]);
	return tool_end(stack, "start", r);
}
