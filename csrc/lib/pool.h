/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.h - the thin pool in which the exception stores of a volume live.
 *
 * dm-thin answers a message with success even when it could not commit it, so each is followed by a look at
 * the pool's mode.
 */
#ifndef ZUMASTOR_POOL_H
#define ZUMASTOR_POOL_H

#include "stack.h"

struct pool_status {
	bool failed, read_only, needs_check;
	bool full, waiting;		/* nothing must be written; writers wait already */
	bool data_short, meta_short;	/* so little is left that something should go */
	bool held;		/* a snapshot of its metadata is kept */
	uint64_t transaction;
	uint64_t used_bytes, total_bytes;
	uint64_t meta_used_bytes, meta_total_bytes;
};

/*
 * pool_up - put up VOL-store on the store (and @meta, or 0) and check that the two belong together; for a volume
 * on a clone, check that the pool it shares is there: -ENXIO.
 *
 * -EROFS: the pool cannot be written or wants thin_check; -EBADMSG: another store's metadata.
 */
int pool_up(struct stack *stack, dev_t store, dev_t meta);

/*
 * pool_up_read_only - the same for who only wants to look: nothing in the pool can change, whatever its state.
 */
int pool_up_read_only(const struct stack *stack, dev_t store, dev_t meta);

/*
 * pool_meta_up - put up VOL-store-meta alone, for thin_check and its like.
 */
int pool_meta_up(const struct stack *stack, dev_t store, dev_t meta);

/*
 * pool_table - the table of "store-meta", "store-data" or "store".
 */
int pool_table(const struct stack *stack, const char *role, dev_t store, dev_t meta,
	       struct table *table);

int pool_status(const struct stack *stack, struct pool_status *status);

/*
 * pool_writers_wait - does a full pool make its writers wait for as long as it takes?  If not, it fails them after
 * some time, and with them the head.  pool_up() sees to it, as far as it can.
 */
bool pool_writers_wait(void);

/*
 * pool_room - how many bytes can be written for sure, some being kept back; -EROFS for a pool that takes no
 * writes at all.
 *
 * A write into a full pool waits for room, so whoever would have to make that room must ask first.
 */
int pool_room(const struct stack *stack, uint64_t *bytes);

/*
 * pool_create_thin, pool_delete_thin - the thin volume with that id; both may be repeated.
 */
int pool_create_thin(const struct stack *stack, uint32_t thin);
int pool_delete_thin(const struct stack *stack, uint32_t thin);

#endif
