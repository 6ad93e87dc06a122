// SPDX-License-Identifier: GPL-2.0-or-later
/* delta_relay.c - see delta_relay.h. */
#include <errno.h>
#include <string.h>

#include "delta_relay.h"

enum { STACK_BYTES = 1 << 20 };	/* the default is the caller's limit, which may be anything */

/* Wait for a segment that is not in use, and give it to fill. */
static struct delta_segment *wait_free(struct delta_relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	while (relay->filled - relay->used == 2)
		pthread_cond_wait(&relay->changed, &relay->lock);
	pthread_mutex_unlock(&relay->lock);
	return relay->segment[relay->filled % 2];
}

static void give(struct delta_relay *relay, int r)
{
	pthread_mutex_lock(&relay->lock);
	if (r > 0) {
		relay->filled++;
	} else {
		relay->ended = true;
		relay->r = r;
	}
	pthread_cond_signal(&relay->changed);
	pthread_mutex_unlock(&relay->lock);
}

static void *fill_all(void *arg)
{
	struct delta_relay *relay = arg;
	int r;

	do {
		r = relay->fill(relay->source, wait_free(relay));
		give(relay, r);
	} while (r > 0);
	return NULL;
}

static int start_thread(struct delta_relay *relay)
{
	pthread_attr_t attributes;
	int r;

	r = pthread_attr_init(&attributes);
	if (r != 0)
		return -r;
	r = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (r == 0)
		r = pthread_create(&relay->thread, &attributes, fill_all, relay);
	pthread_attr_destroy(&attributes);
	return -r;
}

int delta_relay_start(struct delta_relay *relay, delta_fill *fill, void *source)
{
	int i;

	memset(relay, 0, sizeof(*relay));
	relay->fill = fill;
	relay->source = source;
	pthread_mutex_init(&relay->lock, NULL);
	pthread_cond_init(&relay->changed, NULL);
	for (i = 0; i < 2; i++) {
		relay->segment[i] = delta_segment_new();
		if (!relay->segment[i])
			return -ENOMEM;
	}
	return start_thread(relay);
}

int delta_relay_next(struct delta_relay *relay, struct delta_segment **seg)
{
	bool more;

	pthread_mutex_lock(&relay->lock);
	if (relay->held) {
		relay->used++;
		relay->held = false;
		pthread_cond_signal(&relay->changed);
	}
	while (relay->filled == relay->used && !relay->ended)
		pthread_cond_wait(&relay->changed, &relay->lock);
	more = relay->filled != relay->used;
	relay->held = more;
	pthread_mutex_unlock(&relay->lock);

	if (more) {
		*seg = relay->segment[relay->used % 2];
		return 1;
	}
	pthread_join(relay->thread, NULL);
	return relay->r;
}

void delta_relay_free(struct delta_relay *relay)
{
	delta_segment_free(relay->segment[0]);
	delta_segment_free(relay->segment[1]);
	pthread_cond_destroy(&relay->changed);
	pthread_mutex_destroy(&relay->lock);
}
