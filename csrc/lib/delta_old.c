// SPDX-License-Identifier: GPL-2.0-or-later
/* delta_old.c - see delta_old.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delta_old.h"
#include "io.h"

int delta_old_open(struct delta_old *old, const char *path, size_t buffer)
{
	int r;

	old->fd = io_open(path, O_RDONLY);
	if (old->fd < 0)
		return old->fd;
	r = io_size(old->fd, &old->bytes);
	if (r < 0)
		return r;
	old->buffer = io_alloc(buffer);
	if (!old->buffer)
		return -ENOMEM;
	delta_queue_open(&old->queue, old->fd);
	return 0;
}

void delta_old_read(struct delta_old *old, size_t at, size_t length, uint64_t offset)
{
	if (offset >= old->bytes)
		return;
	if (length > old->bytes - offset)
		length = (size_t)(old->bytes - offset);
	delta_queue_add(&old->queue, false, old->buffer + at, length, offset);
}

int delta_old_wait(struct delta_old *old)
{
	return delta_queue_wait(&old->queue);
}

void delta_old_xor(const struct delta_old *old, uint8_t *buffer, size_t at, size_t length)
{
	size_t end = at + length;
	uint64_t a, b;

	/* Extents are made of sectors. */
	for (; at < end; at += sizeof(a)) {
		memcpy(&a, buffer + at, sizeof(a));
		memcpy(&b, old->buffer + at, sizeof(b));
		a ^= b;
		memcpy(buffer + at, &a, sizeof(a));
	}
}

int delta_old_restore(struct delta_old *old, struct delta_segment *seg)
{
	unsigned int i;
	int r = 0, waited;

	for (i = 0; i < seg->xor_count && r == 0; i++) {
		const struct delta_extent *xor = &seg->xor[i];

		if (xor->offset + xor->length > old->bytes)
			r = -ENODATA;
		else
			delta_old_read(old, delta_segment_at(seg, xor->offset), xor->length, xor->offset);
	}
	waited = delta_old_wait(old);	/* whatever failed: nothing may be in flight */
	if (r == 0)
		r = waited;
	for (i = 0; i < seg->xor_count && r == 0; i++)
		delta_old_xor(old, seg->buffer, delta_segment_at(seg, seg->xor[i].offset), seg->xor[i].length);
	return r;
}

void delta_old_close(struct delta_old *old)
{
	delta_queue_close(&old->queue);
	free(old->buffer);
	close(old->fd);
}
