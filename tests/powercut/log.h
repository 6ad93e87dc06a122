/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - what dm-log-writes has logged.
 *
 * One sector for the whole log, then for each entry one sector and its data.  A plain write is logged when the next
 * flush ends, right before that flush; one with FUA, and a mark, when it ends.  So the plain writes between two
 * flagged entries are those that a power cut before the second may leave out, in part or all of them.
 */
#ifndef POWERCUT_LOG_H
#define POWERCUT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOG_FLUSH = 1,
	LOG_FUA = 2,
	LOG_DISCARD = 4,
	LOG_MARK = 8,
};

struct log_entry {
	uint64_t sector, sectors;
	uint64_t flags;
	uint64_t data;		/* where in the log what was written begins, in bytes */
	char *mark;		/* text of a mark, else NULL */
};

struct log {
	int fd;
	struct log_entry *entry;
	size_t count;
};

/*
 * log_read - read all but the data; -EBADMSG for what is no log.
 */
int log_read(struct log *log, const char *path);

static inline bool log_is_flagged(const struct log_entry *e)
{
	return e->flags & (LOG_FLUSH | LOG_FUA);
}

#endif
