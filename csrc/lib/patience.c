// SPDX-License-Identifier: GPL-2.0-or-later
/* patience.c - see patience.h. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"
#include "patience.h"

enum { ENOUGH = 4096 };

static int wait_for(struct patience *patience, int fd)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	int64_t start = clock_ms(), left;
	int r;

	do {
		left = patience->limit_ms - patience->waited_ms - (clock_ms() - start);
		if (left <= 0)
			return -ETIMEDOUT;
		r = poll(&in, 1, left < INT_MAX ? (int)left : INT_MAX);
	} while (r == 0 || (r < 0 && errno == EINTR));
	patience->waited_ms += clock_ms() - start;
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
