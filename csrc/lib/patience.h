/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience.h - read what another host sends, but do not wait for ever.
 *
 * Only the time spent waiting counts, not that in which we were busy: within the limit some KiB must come, or the other side is
 * taken for one that does not mean to end.  So a byte now and then does not help it.
 */
#ifndef ZUMASTOR_PATIENCE_H
#define ZUMASTOR_PATIENCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct patience {
	int64_t limit_ms;	/* 0: for ever */
	int64_t waited_ms;	/* since enough had come */
	size_t got;		/* in that time */
};

/*
 * patience_read - as read(2), interrupted by nothing; the count or -errno, -ETIMEDOUT when the limit is over.
 */
ssize_t patience_read(struct patience *patience, int fd, void *buffer, size_t size);

#endif
