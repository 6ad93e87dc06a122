// SPDX-License-Identifier: GPL-2.0-or-later
/* delta_queue.c - see delta_queue.h. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "delta_queue.h"
#include "io.h"

void delta_queue_open(struct delta_queue *queue, int fd)
{
	unsigned int i;

	memset(queue, 0, sizeof(*queue));
	queue->fd = fd;
	for (i = 0; i < DELTA_DEPTH; i++)
		queue->idle[queue->idle_count++] = i;
	if (syscall(SYS_io_setup, DELTA_DEPTH, &queue->context) < 0)
		queue->context = 0;
}

/* What is left of a request behind its first @done bytes, at once. */
static void finish(struct delta_queue *queue, const struct delta_request *request, size_t done)
{
	char *buffer = (char *)request->buffer + done;
	size_t length = request->length - done;
	uint64_t offset = request->offset + done;
	int r;

	r = request->write ? io_pwrite(queue->fd, buffer, length, offset) :
			     io_pread(queue->fd, buffer, length, offset);
	if (queue->r == 0)
		queue->r = r;
}

/* A request that was not done whole, or not aligned as this disk wants, is for io.c to settle. */
static void complete(struct delta_queue *queue, const struct io_event *event)
{
	const struct delta_request *request = &queue->request[event->data];

	if (event->res >= 0)
		finish(queue, request, (size_t)event->res);
	else if (event->res == -EINVAL || event->res == -EAGAIN)
		finish(queue, request, 0);
	else if (queue->r == 0)
		queue->r = (int)event->res;
	queue->idle[queue->idle_count++] = (unsigned int)event->data;
}

/* At least @least requests have come back. */
static void reap(struct delta_queue *queue, unsigned int least)
{
	struct io_event event[DELTA_DEPTH];
	long i, n;

	do
		n = syscall(SYS_io_getevents, queue->context, least, DELTA_DEPTH, event, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		/* Nothing is known of what is in flight: its buffers must not be touched again. */
		queue->r = -errno;
		queue->context = 0;
		queue->idle_count = DELTA_DEPTH;
		return;
	}
	for (i = 0; i < n; i++)
		complete(queue, &event[i]);
}

static bool submit(struct delta_queue *queue, unsigned int slot)
{
	const struct delta_request *request = &queue->request[slot];
	struct iocb command = {
		.aio_data = slot,
		.aio_lio_opcode = request->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)queue->fd,
		.aio_buf = (uint64_t)(uintptr_t)request->buffer,
		.aio_nbytes = request->length,
		.aio_offset = (int64_t)request->offset,
	}, *list = &command;

	return queue->context != 0 && syscall(SYS_io_submit, queue->context, 1, &list) == 1;
}

void delta_queue_add(struct delta_queue *queue, bool write, void *buffer, size_t length,
		     uint64_t offset)
{
	unsigned int slot;

	if (queue->idle_count == 0)
		reap(queue, 1);
	if (queue->r < 0)
		return;
	slot = queue->idle[--queue->idle_count];
	queue->request[slot] = (struct delta_request){ write, buffer, length, offset };
	if (!submit(queue, slot)) {
		finish(queue, &queue->request[slot], 0);
		queue->idle[queue->idle_count++] = slot;
	}
}

int delta_queue_wait(struct delta_queue *queue)
{
	int r;

	while (queue->idle_count < DELTA_DEPTH)
		reap(queue, 1);
	r = queue->r;
	queue->r = 0;
	return r;
}

void delta_queue_close(struct delta_queue *queue)
{
	if (queue->context != 0)
		syscall(SYS_io_destroy, queue->context);
}
