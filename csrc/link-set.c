// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * link-set - the links to snapshots by kind, hourly.0 and so on: a directory has these, and no others.
 *
 *     link-set DIR [NAME TARGET]…
 *
 * With each new snapshot all links of its kind lead elsewhere.  Every one is replaced by a rename, so that nobody finds it
 * missing.  What is no link, or is not named KIND.INDEX, stays.  Nobody else may do the same meanwhile.
 *
 * Exit 0: they are as told.  1: some may not be; 2: usage.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exits.h"
#include "num.h"

#define NEW ".link.new"

static bool is_kind_link(int dir, const char *name)
{
	const char *dot = strchr(name, '.');
	struct stat st;

	return is_name(name) && (name[0] < '0' || name[0] > '9') && dot && dot[1] != '\0' &&
	       dot[1 + strspn(dot + 1, "0123456789")] == '\0' &&
	       fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

static bool is_wanted(const char *name, char **wanted)
{
	for (; wanted[0]; wanted += 2)
		if (strcmp(name, wanted[0]) == 0)
			return true;
	return false;
}

static int drop_others(int dir, char **wanted)
{
	DIR *list = fdopendir(dup(dir));
	struct dirent *entry;
	int r = list ? 0 : -errno;

	while (r == 0 && (errno = 0, entry = readdir(list)))
		if (is_kind_link(dir, entry->d_name) && !is_wanted(entry->d_name, wanted) &&
		    unlinkat(dir, entry->d_name, 0) < 0 && errno != ENOENT)
			r = -errno;
	if (list)
		closedir(list);
	return r;
}

static int set(int dir, const char *name, const char *target)
{
	char old[PATH_MAX];
	ssize_t length = readlinkat(dir, name, old, sizeof(old));

	if (length == (ssize_t)strlen(target) && memcmp(old, target, (size_t)length) == 0)
		return 0;
	if (unlinkat(dir, NEW, 0) < 0 && errno != ENOENT)
		return -errno;
	if (symlinkat(target, dir, NEW) < 0 || renameat(dir, NEW, dir, name) < 0)
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	int dir, i, r;

	if (argc < 2 || argc % 2 != 0)
		errx(EXIT_USAGE, "usage: link-set DIR [NAME TARGET]...");
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? -errno : drop_others(dir, argv + 2);
	for (i = 2; i < argc && r == 0; i += 2)
		r = set(dir, argv[i], argv[i + 1]);
	if (r < 0)
		errx(EXIT_FAILED, "cannot make the links in '%s': %s", argv[1], reason(r));
	return EXIT_DONE;
}
