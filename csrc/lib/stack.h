/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stack.h - the device-mapper devices of one volume, and the record that says what they should be.
 *
 *     VOL            snapshot-origin over base-N, what users mount; linear while there is no snapshot
 *     VOL-base-N     linear: onto the user's device while N is the head, onto snap-(N+1) afterwards
 *     VOL-snap-N     snapshot of base-N into cow-N; N is the head, the only one the kernel copies out to
 *     VOL-cow-T      thin volume T of the pool: the exception store of a snapshot
 *     VOL-absorb-T   the same, to be written by us
 *     VOL-store      thin-pool over VOL-store-meta and VOL-store-data, slices of the store
 *     VOL(K)         linear, read-only: what users see of snapshot K, over snap-N or view-K
 *     VOL-view-K.X   snapshot of snap-N with the merged exception table of K (view.c)
 *     VOL-map-K.X    that table and the frozen COWs it points into
 *     VOL-under-K    linear, read-only: snapshot K for the writable layer of a revert or a clone
 *     VOL+NAME       clone NAME of snapshot K: snapshot of under-K into a COW of its own
 *     VOL+NAME.store thin volume with the record of a volume defined on that clone, which shares our pool
 *     VOL-lower      linear: what the user's device was, which lies on VOL: see upper.h
 *     VOL-rewind     snapshot-origin over base-N: what a revert writes to the origin goes through it
 *
 * Every function returns 0 or -errno and prints nothing.  The caller holds the volume's lock.
 *
 * What a crash or a kill leaves is put right by stack_recover(), which every command but a question runs
 * first: the record says what was meant, the kernel's tables say how far it came.
 */
#ifndef ZUMASTOR_STACK_H
#define ZUMASTOR_STACK_H

#include "cow.h"
#include "dev.h"
#include "record.h"
#include "slice.h"

enum { NO_ID = 0 };	/* snapshot ids begin at 1 */

struct stack {
	const char *volume;	/* name */
	int store;		/* descriptor of the snapshot store */
	struct record rec;
	dev_t origin;		/* the user's device, and … */
	uint32_t attached;	/* … the snapshot it copies out to, or NO_ID: see stack_is_up() */
	bool lower;		/* there is a VOL-lower: what users mount lies on the volume */
	bool adopting;		/* the user's device is about to be put on the volume */
	bool origin_changed;	/* found by life_start(): written while the volume was stopped */
	bool revert_stuck;	/* found by life_start(): the layer or the snapshot under it is lost */
	struct slice slice;	/* for how long removed snapshots may be absorbed */
};

/*
 * stack_open - read the record of the store and check that it is @volume's.
 *
 * Returns a stack to be given to stack_close(), or NULL with *@error set: -ENOENT no record,
 * -EBADMSG a damaged one, -EPERM another volume's.
 */
struct stack *stack_open(const char *volume, const char *store, int *error);
void stack_close(struct stack *stack);

/*
 * stack_commit - make the record in memory the durable truth.
 */
int stack_commit(struct stack *stack);

/*
 * stack_commit_live - say that the pending @snap was taken.
 *
 * First the user's device writes out its cache, past the volume: what @snap shows may be there and nowhere else.
 */
int stack_commit_live(struct stack *stack, struct snapshot *snap);

/*
 * stack_dev - fill in name, UUID and audience of the device with that role.
 *
 * @role: "origin" for the volume itself, "shown" for VOL(@id), "store", "store-meta", "store-data", "rewind",
 * "lower"; with a snapshot's id "base", "snap" and "under", with the id of their thin volume "cow",
 * "absorb", "clone" and "substore".
 */
void stack_dev(const struct stack *stack, const char *role, uint32_t id, struct dev *dev);

/*
 * stack_state - the state of the device with that role.
 */
int stack_state(const struct stack *stack, const char *role, uint32_t id, struct dev_state *state);

/*
 * stack_each - call @each with the UUID of every device of the volume whose role begins with @role, "" for all.
 */
int stack_each(const struct stack *stack, const char *role, int (*each)(void *context, const char *uuid),
	       void *context);

/*
 * stack_snapshot_of - the snapshot in whose role, such as "base" or "view" but not "cow", is the device with that
 * UUID; or NULL.
 *
 * stack_present - for which snapshots, by index in the record, is there a device with that role?
 */
struct snapshot *stack_snapshot_of(struct stack *stack, const char *uuid);
int stack_present(struct stack *stack, const char *role, bool there[SNAPSHOTS_MAX]);

/*
 * stack_is_up - does the volume's own device exist with a table?  Then stack->origin
 * and stack->attached are filled in.
 */
int stack_is_up(struct stack *stack, bool *up);

/*
 * stack_under - what the device with that role is on, by the first line of its table, which is left in @line.
 */
int stack_under(const struct stack *stack, const char *role, uint32_t id, struct dev_line *line,
		dev_t *under);

/*
 * stack_chunk_bytes - the volume's chunk size.  stack_chunks - chunks of the volume as @snap shows it, rounded up: it
 * may have been resized since.
 */
uint64_t stack_chunk_bytes(const struct stack *stack);
uint64_t stack_chunks(const struct stack *stack, const struct snapshot *snap);

/*
 * stack_cow - make sure that the exception store of @snap is there, and where: its minor number.
 *
 * -ENODATA: the pool does not know it.
 */
int stack_cow(const struct stack *stack, const struct snapshot *snap, struct dev_state *state);

/*
 * stack_thin - the same for any thin volume, as the device of that role.
 */
int stack_thin(const struct stack *stack, const char *role, uint32_t thin, uint64_t sectors,
	       struct dev_state *state);

/*
 * stack_clone - put up the device of @clone, of that size; its COW and what it reads are there.
 */
int stack_clone(const struct stack *stack, const struct clone *clone, uint64_t sectors);

/*
 * stack_open_cow - put up the exception store of @snap, and open it as cow_open() does.
 *
 * @role: "cow", or "absorb" for a device of one's own, which can fail while others go on with "cow".
 */
int stack_open_cow(const struct stack *stack, const char *role, const struct snapshot *snap, int flags,
		   struct cow *cow);

/*
 * stack_load_table - the exception table of @snap, read and checked; for exceptions_free().
 *
 * -ESTALE, -EBADMSG or -ENODATA: it is not to be trusted, and then neither @snap nor any older one: see is_damage().
 */
int stack_load_table(const struct stack *stack, const struct snapshot *snap, struct exceptions *all);

/*
 * stack_peek_table - the same, and a device that was put up for it does not stay.
 */
int stack_peek_table(const struct stack *stack, const struct snapshot *snap, struct exceptions *all);

/*
 * stack_release_cow - take down the device of an exception store that was put up to be read, unless somebody has it open by now.
 *
 * What cannot be taken down is left to stack_settle().
 */
void stack_release_cow(const struct stack *stack, uint32_t thin);
bool is_damage(int r);

/*
 * stack_head_up - put up base-N and snap-N for @snap; its COW has been checked.
 */
int stack_head_up(const struct stack *stack, const struct snapshot *snap);

/*
 * stack_origin_table, stack_base_table, stack_snap_table, stack_rewind_table - the tables of those devices;
 * stack_layer_table - a writable layer of @sectors with COW @thin over
 * snapshot @id; stack_unmerged_table - the layer of a revert that is not being merged although it could be.
 *
 * The volume's own depends on the phase of a revert; -ESTALE when that needs a head and there is none.
 */
int stack_origin_table(const struct stack *stack, const struct snapshot *head, struct table *table);
int stack_rewind_table(const struct stack *stack, const struct snapshot *head, struct table *table);
int stack_unmerged_table(const struct stack *stack, const struct snapshot *head, struct table *table);
int stack_layer_table(const struct stack *stack, uint32_t id, uint32_t thin, uint64_t sectors,
		      struct table *table);
void stack_base_table(const struct stack *stack, struct table *table);
int stack_snap_table(const struct stack *stack, const struct snapshot *snap, struct table *table);
int stack_cow_table(const struct stack *stack, const struct snapshot *snap, struct table *table);

/*
 * stack_linear - a linear table of the volume's size over another device of the stack.
 */
int stack_linear(const struct stack *stack, const char *role, uint32_t id, struct table *table);

/*
 * stack_link, stack_unlink - /dev/zumastor/VOL/NAME to a device; NAME is "origin", an id, a
 * clone's name, or that and ".store".
 */
int stack_link(const struct stack *stack, const char *role, uint32_t id);
void stack_unlink(const struct stack *stack, const char *role, uint32_t id);

/*
 * stack_is_linked - do the links lead to that device, and the node in /dev/mapper?
 */
bool stack_is_linked(const struct stack *stack, const char *role, uint32_t id);

#endif
