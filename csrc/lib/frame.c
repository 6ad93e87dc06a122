// SPDX-License-Identifier: GPL-2.0-or-later
/* frame.c - see frame.h. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

static int write_all(int fd, const uint8_t *bytes, size_t length)
{
	ssize_t n;

	while (length > 0) {
		n = write(fd, bytes, length);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

static int write_head(int fd, size_t length)
{
	uint32_t head = htobe32((uint32_t)length);

	return write_all(fd, (const uint8_t *)&head, sizeof(head));
}

int frame_write(int fd, const void *bytes, size_t length)
{
	int r;

	if (length == 0 || length > FRAME_MAX)
		return length == 0 ? 0 : -EINVAL;
	r = write_head(fd, length);
	return r < 0 ? r : write_all(fd, bytes, length);
}

int frame_end(int fd)
{
	return write_head(fd, 0);
}

/* 1 when in->left is known, 0 when @fd ended first, or -errno. */
static int read_head(struct frame_reader *in, struct patience *patience, int fd)
{
	uint32_t head;
	ssize_t n;

	while (in->head_bytes < FRAME_HEAD) {
		n = patience_read(patience, fd, in->head + in->head_bytes, FRAME_HEAD - in->head_bytes);
		if (n <= 0)
			return (int)n;
		in->head_bytes += (unsigned int)n;
	}
	in->head_bytes = 0;
	memcpy(&head, in->head, FRAME_HEAD);
	in->left = be32toh(head);
	in->ended = in->left == 0;
	return in->left <= FRAME_MAX ? 1 : -EBADMSG;
}

ssize_t frame_read(struct frame_reader *in, struct patience *patience, int fd, void *buffer, size_t size)
{
	ssize_t n;
	int r = 1;

	if (in->left == 0 && !in->ended)
		r = read_head(in, patience, fd);
	if (r <= 0 || in->ended)
		return r < 0 ? r : 0;
	n = patience_read(patience, fd, buffer, size < in->left ? size : in->left);
	if (n > 0)
		in->left -= (uint32_t)n;
	return n;
}
