/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan.h - read a whole device from its disk, piece after piece, no faster than asked.
 *
 * Past the page cache: what memory holds of a block says nothing about the disk, and that is what whoever compares or scrubs
 * wants to know.  While a piece is looked at, the next one is read.
 */
#ifndef ZUMASTOR_SCAN_H
#define ZUMASTOR_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delta_queue.h"

enum {
	SCAN_RANGE = 64 << 10,			/* what can be read or not is told by this */
	SCAN_PIECE = 64 * SCAN_RANGE,		/* at most */
};

struct scan {
	int fd;
	uint64_t bytes;				/* of the device */
	uint64_t rate;				/* bytes a second, 0: as fast as can be */
	size_t piece;				/* bytes read at once */
	uint64_t from;
	uint64_t asked;				/* what is before this address was asked for … */
	uint64_t at;				/* … and before this one handed out */
	int64_t start_ms;
	unsigned int turn;
	struct delta_queue queue[2];
	uint8_t *buffer[2];
};

struct scan_piece {
	const uint8_t *bytes;
	size_t length;
	uint64_t offset;
	uint64_t unread;			/* a bit for each range of it that could not be read */
};

/*
 * scan_open - of the device at @path what lies at or behind @from, a multiple of SCAN_RANGE.
 */
int scan_open(struct scan *scan, const char *path, uint64_t from, uint64_t rate);

/*
 * scan_next - the next piece, which lasts until the call after: 1, 0 at the end, -errno.
 */
int scan_next(struct scan *scan, struct scan_piece *piece);

void scan_close(struct scan *scan);

#endif
