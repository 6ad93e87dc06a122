// SPDX-License-Identifier: GPL-2.0-or-later
/* delta_old.c - see delta_old.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

void delta_old_close(struct delta_old *old)
{
	delta_queue_close(&old->queue);
	free(old->buffer);
	close(old->fd);
}
