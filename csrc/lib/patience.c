// SPDX-License-Identifier: GPL-2.0-or-later
/* patience.c - see patience.h. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "patience.h"

enum { ENOUGH = 4096 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for(struct patience *patience, int fd)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	int64_t start = now_ms(), left;
	int r;

	do {
		left = patience->limit_ms - patience->waited_ms - (now_ms() - start);
		if (left <= 0)
			return -ETIMEDOUT;
		r = poll(&in, 1, left < INT_MAX ? (int)left : INT_MAX);
	} while (r == 0 || (r < 0 && errno == EINTR));
	patience->waited_ms += now_ms() - start;
	return r < 0 ? -errno : 0;
}

ssize_t patience_read(struct patience *patience, int fd, void *buffer, size_t size)
{
	ssize_t n;
	int r = patience->limit_ms > 0 ? wait_for(patience, fd) : 0;

	if (r < 0)
		return r;
	do
		n = read(fd, buffer, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	patience->got += (size_t)n;
	if (patience->got >= ENOUGH) {
		patience->got = 0;
		patience->waited_ms = 0;
	}
	return n;
}
