/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.h - a stream with an end of its own, in a connection that goes on behind it.
 *
 * Who was connected to by ssh cannot end what it sends and still say something, or hear of it: sshd gives it one socket for both
 * directions, and passes the end on only when stderr has ended, too.  So the stream goes in pieces, each behind its length, four
 * bytes with the most significant first; a length of 0 is the end.
 */
#ifndef ZUMASTOR_FRAME_H
#define ZUMASTOR_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "patience.h"

enum {
	FRAME_HEAD = 4,
	FRAME_MAX = 1 << 20,
};

struct frame_reader {
	uint32_t left;		/* of the piece */
	uint8_t head[FRAME_HEAD];
	unsigned int head_bytes;
	bool ended;
};

/*
 * frame_write - a piece of at most FRAME_MAX bytes; frame_end - no more come.   0 or -errno.
 */
int frame_write(int fd, const void *bytes, size_t length);
int frame_end(int fd);

/*
 * frame_read - as patience_read(); 0 at the end, also when @fd ends before, and -EBADMSG for a length that is none.  Nothing
 * that follows the end is read.
 */
ssize_t frame_read(struct frame_reader *in, struct patience *patience, int fd, void *buffer, size_t size);

#endif
