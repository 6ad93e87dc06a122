/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_relay.h - two segments between two threads: one is filled while the other is used.
 *
 * Packing reads, looks for zeros and hashes in one thread and compresses in the other; applying
 * decompresses and verifies in one and writes in the other.  Neither can run more than one segment
 * ahead, so memory is two segments.
 */
#ifndef ZUMASTOR_DELTA_RELAY_H
#define ZUMASTOR_DELTA_RELAY_H

#include <pthread.h>
#include <stdbool.h>

#include "delta.h"

/* Fills a segment: 1; 0 when there is none any more; -errno.  Only called again after 1. */
typedef int delta_fill(void *source, struct delta_segment *seg);

struct delta_relay {
	delta_fill *fill;
	void *source;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct delta_segment *segment[2];
	unsigned int filled;		/* segments given, ever */
	unsigned int used;		/* segments given back, ever */
	bool held;			/* one is with the user */
	bool ended;
	int r;				/* of fill, once ended */
};

/*
 * delta_relay_start - call @fill in a thread of its own from now on; 0 or -errno.
 */
int delta_relay_start(struct delta_relay *relay, delta_fill *fill, void *source);

/*
 * delta_relay_next - the next segment, which is the caller's until the next call.
 *
 * Returns what @fill returned for it: after 0 or -errno the thread is gone and @source the
 * caller's.
 */
int delta_relay_next(struct delta_relay *relay, struct delta_segment **seg);

/*
 * delta_relay_free - once the relay has ended.  A caller that fails earlier must end the process:
 * the thread may be waiting for input that never comes.
 */
void delta_relay_free(struct delta_relay *relay);

#endif
