// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * durable - what a device holds if the power fails at a mark.
 *
 *     durable LOG MARK DEVICE
 *
 * DEVICE, blank, gets all that dm-log-writes had logged when MARK was made, which is what had been flushed.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "log.h"

static void apply(const struct log *log, const struct log_entry *e, int device)
{
	uint64_t bytes = e->sectors * SECTOR_SIZE;
	void *data = io_alloc(bytes);

	if (!data || io_pread(log->fd, data, bytes, e->data) < 0 ||
	    io_pwrite(device, data, bytes, e->sector * SECTOR_SIZE) < 0)
		errx(1, "cannot apply the log");
	free(data);
}

int main(int argc, char **argv)
{
	struct log log;
	size_t i;
	int device, r;

	if (argc != 4)
		errx(2, "usage: durable LOG MARK DEVICE");
	r = log_read(&log, argv[1]);
	device = open(argv[3], O_RDWR);
	if (r < 0 || device < 0)
		errx(1, "cannot read the log '%s' or open '%s'", argv[1], argv[3]);
	for (i = 0; i < log.count; i++) {
		if (log.entry[i].mark && strcmp(log.entry[i].mark, argv[2]) == 0)
			return io_close_synced(device, 0) < 0;
		if (!log.entry[i].mark && log.entry[i].sectors > 0)
			apply(&log, &log.entry[i], device);
	}
	errx(1, "no mark '%s'", argv[2]);
}
