// SPDX-License-Identifier: GPL-2.0-or-later
/* digest.c - see digest.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "io.h"

uint64_t digest(const void *bytes, size_t count)
{
	const uint64_t *word = bytes;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < count / sizeof(*word); i++) {
		sum = (sum ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	return sum;
}

int digest_device(const char *path, uint64_t *sum)
{
	int fd = io_open(path, O_RDONLY), r = fd;
	uint64_t bytes;
	void *all;

	if (fd < 0)
		return fd;
	r = io_size(fd, &bytes);
	all = r == 0 ? io_alloc(bytes) : NULL;
	if (all)
		r = io_pread(fd, all, bytes, 0);
	else if (r == 0)
		r = -ENOMEM;
	if (r == 0)
		*sum = digest(all, bytes);
	free(all);
	close(fd);
	return r;
}

uint64_t rnd(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
