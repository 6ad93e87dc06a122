// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * state-set - write facts of the volume database, each atomic and durable before the next is touched.
 *
 *     state-set FILE VALUE [FILE VALUE]…
 *
 * An empty VALUE is no file.  Nobody else may write them meanwhile: FILE.new is taken, whatever a crash has left there.
 *
 * Exit 0: all is on disk.  1: one could not be written, and it and those behind it are as they were; 2: usage.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exits.h"
#include "io.h"

static int write_line(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	return io_close_synced(fd, dprintf(fd, "%s\n", value) < 0 ? -errno : 0);
}

static int set(const char *path, const char *value)
{
	char new[PATH_MAX];
	int r;

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new))
		return -ENAMETOOLONG;
	r = write_line(new, value);
	if (r < 0)
		return r;
	return rename(new, path) < 0 ? -errno : io_sync_directory(path);
}

static int drop(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return io_sync_directory(path);
}

int main(int argc, char **argv)
{
	int i, r;

	if (argc < 3 || argc % 2 == 0)
		errx(EXIT_USAGE, "usage: state-set FILE VALUE [FILE VALUE]...");
	for (i = 1; i < argc; i += 2) {
		r = *argv[i + 1] != '\0' ? set(argv[i], argv[i + 1]) : drop(argv[i]);
		if (r < 0)
			errx(EXIT_FAILED, "cannot write '%s': %s", argv[i], reason(r));
	}
	return EXIT_DONE;
}
