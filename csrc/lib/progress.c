// SPDX-License-Identifier: GPL-2.0-or-later
/* progress.c - see progress.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "progress.h"

enum {
	FLUSH_MS = 2000,	/* between two of the durable file: what a crash makes us write again */
	TEXT = 256,
};

/* A sector is what a disk writes whole, and it has its place before anything depends on it. */
static int write_sector(int fd, const char *text, bool durable)
{
	char sector[SECTOR_SIZE];
	size_t length = strlen(text);
	int r;

	memcpy(sector, text, length);
	memset(sector + length, '\n', sizeof(sector) - length);
	r = io_pwrite(fd, sector, sizeof(sector), 0);
	return r == 0 && durable && fdatasync(fd) < 0 ? -errno : r;
}

static int open_file(int *fd, const char *path, bool fresh, bool durable)
{
	struct stat st;
	int r;

	*fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return -errno;
	if (!fresh && st.st_size == SECTOR_SIZE)
		return 0;
	r = ftruncate(*fd, 0) < 0 ? -errno : write_sector(*fd, "", durable);
	return r == 0 && durable ? io_sync_directory(path) : r;
}

int progress_open(struct progress *progress, const char *quick, const char *durable, bool fresh)
{
	int r;

	*progress = (struct progress){ .quick = -1, .durable = -1 };
	if (!quick)
		return 0;
	r = open_file(&progress->quick, quick, fresh, false);
	return r == 0 ? open_file(&progress->durable, durable, fresh, true) : r;
}

void progress_begin(struct progress *progress, const struct delta_facts *facts, int device, int sums)
{
	progress->facts = facts;
	progress->device = device;
	progress->sums = sums;
	progress->flushed_ms = clock_ms();
	progress->offset = facts->resume;
}

static int tell(const struct progress *progress, int fd, bool durable)
{
	char text[TEXT];

	snprintf(text, sizeof(text), "base=%s\nsnapshot=%s\noffset=%" PRIu64 "\nagain=%" PRIu64 "\n", progress->facts->base,
		 progress->facts->snapshot, progress->offset, progress->offset);
	return write_sector(fd, text, durable);
}

int progress_note(struct progress *progress, uint64_t offset)
{
	int r;

	progress->offset = offset;
	if (progress->quick < 0)
		return 0;
	r = tell(progress, progress->quick, false);
	if (r < 0 || clock_ms() - progress->flushed_ms < FLUSH_MS)
		return r;
	return progress_keep(progress);
}

int progress_keep(struct progress *progress)
{
	if (progress->durable < 0 || progress->offset == progress->facts->resume)
		return 0;	/* what the files tell, if there are any, is true still */
	if (fsync(progress->device) < 0 || (progress->sums >= 0 && fdatasync(progress->sums) < 0))
		return -errno;
	progress->flushed_ms = clock_ms();
	return tell(progress, progress->durable, true);
}
