/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_queue.h - reads and writes of one device, many at once.
 *
 * Changes are small and scattered, and one after the other they take the time of the device, not
 * its rate: behind a snapshot each first write of a chunk waits for a copy and for a flush of the
 * exception store, which the kernel does once for all that wait together.  Past the page cache, so
 * that a large delta neither fills it nor leaves its errors behind; by Linux AIO, and one after the
 * other where the kernel has none.
 */
#ifndef ZUMASTOR_DELTA_QUEUE_H
#define ZUMASTOR_DELTA_QUEUE_H

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DELTA_DEPTH = 64 };

struct delta_request {
	bool write;
	void *buffer;
	size_t length;
	uint64_t offset;
};

struct delta_queue {
	int fd;
	aio_context_t context;			/* 0: one after the other */
	struct delta_request request[DELTA_DEPTH];
	unsigned int idle[DELTA_DEPTH];		/* requests that are not in flight: a stack */
	unsigned int idle_count;
	int r;					/* the first failure since the last wait */
};

/*
 * delta_queue_open - for @fd, which stays the caller's.
 */
void delta_queue_open(struct delta_queue *queue, int fd);

/*
 * delta_queue_add - read or write the whole of @buffer at @offset, some time before the next wait.
 *
 * The buffer must stay as it is until then, and be aligned as io_alloc() does.  Ranges in flight
 * must not overlap.  Failures are told by delta_queue_wait().
 */
void delta_queue_add(struct delta_queue *queue, bool write, void *buffer, size_t length,
		     uint64_t offset);

/*
 * delta_queue_wait - until all is done: 0, or the first -errno.
 */
int delta_queue_wait(struct delta_queue *queue);

void delta_queue_close(struct delta_queue *queue);

#endif
