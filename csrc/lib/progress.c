// SPDX-License-Identifier: GPL-2.0-or-later
/* progress.c - see progress.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "progress.h"

enum {
	FLUSH_MS = 2000,	/* between two of the durable file: what a crash makes us write again */
	TEXT = 256,
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, const struct delta_facts *facts, const char *quick,
		    const char *durable, int device)
{
	*progress = (struct progress){ .facts = facts, .quick = quick, .durable = durable, .device = device,
				       .flushed_ms = now_ms(), .offset = facts->resume };
}

static int sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd, r;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int write_file(const char *path, const char *text, bool durable)
{
	size_t length = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, length) != (ssize_t)length)
		r = errno ? -errno : -EIO;
	if (durable)
		return io_close_synced(fd, r);
	return close(fd) < 0 && r == 0 ? -errno : r;
}

static int replace(const struct progress *progress, const char *path, bool durable)
{
	char text[TEXT], temporary[PATH_MAX];
	int r;

	snprintf(text, sizeof(text), "base=%s\nsnapshot=%s\noffset=%" PRIu64 "\n", progress->facts->base,
		 progress->facts->snapshot, progress->offset);
	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	errno = 0;
	r = write_file(temporary, text, durable);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	return r == 0 && durable ? sync_directory(path) : r;
}

int progress_note(struct progress *progress, uint64_t offset)
{
	int r;

	progress->offset = offset;
	if (!progress->quick)
		return 0;
	r = replace(progress, progress->quick, false);
	if (r < 0 || now_ms() - progress->flushed_ms < FLUSH_MS)
		return r;
	return progress_keep(progress);
}

int progress_keep(struct progress *progress)
{
	if (!progress->durable || progress->offset == progress->facts->resume)
		return 0;	/* what the files tell, if there are any, is true still */
	if (fsync(progress->device) < 0)
		return -errno;
	progress->flushed_ms = now_ms();
	return replace(progress, progress->durable, true);
}
