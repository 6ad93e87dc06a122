// SPDX-License-Identifier: GPL-2.0-or-later
/* io.c - see io.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

int io_open(const char *path, int flags)
{
	struct stat st;
	int fd, r;

	fd = open(path, flags | O_CLOEXEC | O_DIRECT);
	if (fd < 0 && errno == EINVAL)
		fd = open(path, flags | O_CLOEXEC);	/* tmpfs before 6.6 has no O_DIRECT */
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else
		r = S_ISBLK(st.st_mode) || S_ISREG(st.st_mode) ? 0 : -ENOTBLK;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int io_size(int fd, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode)) {
		*bytes = (uint64_t)st.st_size;
		return 0;
	}
	if (ioctl(fd, BLKGETSIZE64, bytes) < 0)
		return -errno;
	return 0;
}

void *io_alloc(size_t bytes)
{
	size_t rounded = (bytes + IO_ALIGN - 1) / IO_ALIGN * IO_ALIGN;
	void *buffer = aligned_alloc(IO_ALIGN, rounded);

	if (buffer)
		memset(buffer, 0, rounded);
	return buffer;
}

/* The end of an image of odd size may be too short for O_DIRECT on its disk: then go on without. */
static bool drop_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_DIRECT) && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

int io_pread(int fd, void *buffer, size_t bytes, uint64_t offset)
{
	char *at = buffer;

	while (bytes > 0) {
		ssize_t n = pread(fd, at, bytes, (off_t)offset);

		if (n < 0 && (errno == EINTR || (errno == EINVAL && drop_direct(fd))))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		at += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int io_pwrite(int fd, const void *buffer, size_t bytes, uint64_t offset)
{
	const char *at = buffer;

	while (bytes > 0) {
		ssize_t n = pwrite(fd, at, bytes, (off_t)offset);

		if (n < 0 && (errno == EINTR || (errno == EINVAL && drop_direct(fd))))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		at += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int io_close_synced(int fd, int r)
{
	if (fsync(fd) < 0 && r == 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int io_sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : io_close_synced(fd, 0);
}

/* A pipe cannot be flushed to disk, and says so. */
int io_close_stream(int fd)
{
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return -errno;
	return close(fd) < 0 ? -errno : 0;
}

int io_flush_stdout(void)
{
	if (fflush(stdout) == EOF)
		return -errno;
	return ferror(stdout) ? -EIO : 0;
}
