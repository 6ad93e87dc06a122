// SPDX-License-Identifier: GPL-2.0-or-later
/* life.c - see life.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "clone.h"
#include "cowdev.h"
#include "fingerprint.h"
#include "life.h"
#include "live.h"
#include "pool.h"
#include "resize.h"
#include "revert.h"
#include "settle.h"
#include "step.h"
#include "switchover.h"
#include "view.h"

enum { PREFIX_TEXT = 64 };

/* Stopping. */

struct teardown {
	char prefix[PREFIX_TEXT];
	unsigned int left, removed;
	int lying;		/* devices that lie on the volume and may: they have it open */
	bool busy;
};

/* Only these can be opened by users; all else is under them. */
static int look_if_busy(void *context, const char *uuid)
{
	struct teardown *down = context;
	const char *role = uuid + strlen(down->prefix);
	struct dev_state state;
	int r = dev_state(uuid, &state);

	if (r == 0 && state.open_count > (strcmp(role, "origin") == 0 ? down->lying : 0) &&
	    (strcmp(role, "origin") == 0 || strncmp(role, "shown-", 6) == 0 ||
	     strncmp(role, "clone-", 6) == 0 || strncmp(role, "substore-", 9) == 0))
		down->busy = true;
	return r;
}

static int remove_if_free(void *context, const char *uuid)
{
	struct teardown *down = context;
	struct dev_state state;
	int r = dev_state(uuid, &state);

	if (r < 0 || !state.exists)
		return r;
	down->left++;
	if (state.open_count > 0)
		return 0;
	r = dev_remove(uuid);
	if (r == 0)
		down->removed++;
	return r;
}

static int check_busy(struct stack *stack, int lying)
{
	struct teardown down = { .lying = lying };
	int r;

	snprintf(down.prefix, sizeof(down.prefix), "ZUMASTOR-%s-", stack->rec.volume);
	r = dev_each(down.prefix, look_if_busy, &down);
	return r < 0 ? r : down.busy ? -EBUSY : 0;
}

static int tear_down(struct stack *stack)
{
	struct teardown down = { 0 };
	int r = check_busy(stack, 0);

	if (r < 0)
		return r;
	snprintf(down.prefix, sizeof(down.prefix), "ZUMASTOR-%s-", stack->rec.volume);
	do {
		down.left = down.removed = 0;
		r = dev_each(down.prefix, remove_if_free, &down);
		dev_settle();
		if (r == 0)
			r = step();
	} while (r == 0 && down.removed > 0);
	return r < 0 ? r : down.left > 0 ? -EBUSY : 0;
}

static int origin_node(const struct stack *stack)
{
	struct dev dev;

	stack_dev(stack, "origin", NO_ID, &dev);
	return dev_node(&dev);
}

/*
 * What the kernel knows of a head that it gave up goes with its devices: where the exception store could not be
 * written, nothing in it tells.
 */
static int keep_verdict(struct stack *stack)
{
	uint64_t chunks;
	char text[32];
	int r = stack_head_status(stack, text, sizeof(text), &chunks);

	if (r < 0 || strcmp(text, "ok") == 0 || strcmp(text, "none") == 0)
		return r;
	return stack_recover(stack);
}

static void seal_head(struct stack *stack)
{
	struct snapshot *head = record_head(&stack->rec);

	if (head)
		stack_seal(stack, head);
}

/* A courtesy to the next start.  What is wrong with the store must not keep anybody from stopping. */
static void leave_word(struct stack *stack)
{
	fingerprint_take(stack, SEEN_STOPPED);
	stack_commit(stack);
}

/*
 * A volume without the device that lay on it was passed by, unless it is a stop that was cut off, whose word is on
 * record.  Nothing tells what was written.
 */
static int distrust(struct stack *stack)
{
	struct snapshot *head = record_head(&stack->rec);

	if (!head || stack->rec.origin_seen.when == SEEN_STOPPED)
		return 0;
	stack->origin_changed = true;
	return stack_mark_lost(stack, head);
}

/* The word first: should we be killed, the next start knows at least a digest of the origin. */
static int take_off(struct stack *stack, const struct claim *claim)
{
	int r;

	if (!claim->there)
		return 0;
	leave_word(stack);
	r = step();
	if (r == 0)
		r = live_take_off(stack, &claim->upper);
	if (r == 0)
		r = step();
	stack->origin = claim->device;
	return r;
}

static int take_down(struct stack *stack, const struct claim *claim, bool *up)
{
	bool detached = stack->lower && !claim->there;
	int r = check_busy(stack, claim->there);

	if (r == 0)
		r = resize_recover(stack);	/* a pool that is suspended does not answer */
	if (r == 0)
		r = stack_is_up(stack, up);
	if (r == 0 && *up)
		r = detached ? distrust(stack) : keep_verdict(stack);
	if (r == 0 && *up)
		seal_head(stack);
	if (r == 0)
		r = take_off(stack, claim);
	if (r == 0)
		r = tear_down(stack);
	if (r == 0)
		r = origin_node(stack);
	if (r == 0 && stack->lower)
		r = live_lower_down(stack);
	*up &= !detached;
	return r;
}

static int stop(struct stack *stack, bool mounted)
{
	struct claim claim;
	unsigned int i;
	bool up = false;
	int r = live_claim(stack, mounted, &claim);

	if (r == 0)
		r = take_down(stack, &claim, &up);
	live_release(&claim);
	if (r < 0)
		return r;
	for (i = 0; i < stack->rec.count; i++)
		stack_unlink(stack, "shown", stack->rec.snapshot[i].id);
	for (i = 0; i < stack->rec.clones; i++)
		clone_unlink(stack, &stack->rec.clone[i]);
	stack_unlink(stack, "origin", NO_ID);
	if (up)
		leave_word(stack);
	return 0;
}

int life_stop(struct stack *stack)
{
	return stop(stack, false);
}

int life_leave(struct stack *stack)
{
	return stop(stack, true);
}

/* Starting. */

static int check_targets(void)
{
	static const char *const targets[] = { "snapshot", "snapshot-origin", "thin-pool", "thin" };
	unsigned int i;

	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (!dev_has_target(targets[i]))
			return -EOPNOTSUPP;
	return 0;
}

/*
 * A pending snapshot nothing was copied out to reads as the origin, whether its switch took place or not, and
 * its command never said it was taken: dropped.  With exceptions the switch took place.
 */
static int decide_by_cow(struct stack *stack)
{
	struct record *rec = &stack->rec;
	struct snapshot *snap = rec->count ? &rec->snapshot[rec->count - 1] : NULL;
	bool used = false;
	int r;

	if (!snap || snap->state != PENDING)
		return 0;
	r = cowdev_inspect(stack, snap, false, &used);
	if (r == -ENODATA || (r == 0 && !used))
		return stack_drop_pending(stack, snap);
	return r < 0 ? r : stack_commit_live(stack, snap);
}

/* A head whose exceptions cannot be read back takes everything older with it, and is said to. */
static int head_up(struct stack *stack)
{
	struct snapshot *head = record_head(&stack->rec);
	bool used;
	int r;

	if (!head)
		return 0;
	r = cowdev_inspect(stack, head, true, &used);
	if (is_damage(r))
		return stack_mark_lost(stack, head);
	return r < 0 ? r : stack_head_up(stack, head);
}

/*
 * All snapshots read from the origin what has not changed, so they go with it.  The volume itself runs: what
 * was written is the user's.
 */
static int check_origin(struct stack *stack)
{
	struct snapshot *head = record_head(&stack->rec);
	int r = 0;

	stack->origin_changed = fingerprint_changed(stack);
	if (stack->origin_changed && head)
		r = stack_mark_lost(stack, head);
	return r;
}

/* From here on the origin changes, and what was seen of it before means nothing. */
static int note_running(struct stack *stack)
{
	fingerprint_take(stack, SEEN_RUNNING);
	return stack_commit(stack);
}

static int origin_up(struct stack *stack)
{
	struct table table = { 0 };
	struct dev dev;
	int r = revert_origin_table(stack, &table);

	stack_dev(stack, "origin", NO_ID, &dev);
	if (r == 0)
		r = dev_create(&dev, &table);
	table_free(&table);
	return r;
}

static int put_up(struct stack *stack, dev_t store, dev_t meta)
{
	bool up;
	int r = pool_up(stack, store, meta);

	if (r == 0)
		r = step();
	if (r == 0)
		r = decide_by_cow(stack);
	if (r == 0)
		r = check_origin(stack);
	if (r == 0)
		r = head_up(stack);
	if (r == 0)
		r = step();
	if (r == 0)
		r = revert_start(stack);
	if (r == 0)
		r = note_running(stack);
	if (r == 0)
		r = step();
	if (r == 0)
		r = origin_up(stack);
	return r < 0 ? r : stack_is_up(stack, &up);
}

/* A volume that the user's device was taken off, or not yet put on, begins anew, on that device itself. */
static int drop_detached(struct stack *stack, bool *up)
{
	bool detached;
	int r = stack->adopting ? 0 : live_mend(stack, &detached);

	if (r < 0 || stack->adopting || !detached)
		return r;
	if (*up)
		r = distrust(stack);
	if (r == 0)
		r = tear_down(stack);
	if (r == 0)
		r = live_lower_down(stack);
	*up &= r < 0;
	return r;
}

int life_start(struct stack *stack, dev_t origin, dev_t store, dev_t meta)
{
	bool up;
	int r = check_targets();

	if (r == 0)
		r = stack_is_up(stack, &up);
	if (r == 0)
		r = drop_detached(stack, &up);
	if (r == 0 && !up) {
		stack->origin = origin;
		r = tear_down(stack);	/* what a start or stop that died left */
		if (r == 0)
			r = put_up(stack, store, meta);
		if (r < 0) {
			tear_down(stack);
			return r;
		}
	}
	if (r == 0)
		r = stack_settle(stack);
	if (r == 0)
		r = origin_node(stack);
	return r < 0 ? r : stack_link(stack, "origin", NO_ID);
}

/* Starting under a device that is in use. */

static int put_under(struct stack *stack, const struct dev *upper, dev_t store, dev_t meta)
{
	struct dev_state lower;
	int r = stack_state(stack, "lower", NO_ID, &lower);

	if (r == 0)
		r = step();
	if (r == 0)
		r = life_start(stack, makedev(lower.major, lower.minor), store, meta);
	if (r == 0)
		r = step();
	if (r == 0)
		r = live_put(stack, upper);
	return r < 0 ? r : step();
}

/* The user's device cannot have come onto the volume when putting it there failed, but who knows. */
static void undo_adoption(struct stack *stack, const struct dev *upper)
{
	bool detached = true;

	if (live_mend(stack, &detached) == 0 && !detached && live_take_off(stack, upper) < 0)
		return;
	if (tear_down(stack) == 0) {
		origin_node(stack);
		stack_unlink(stack, "origin", NO_ID);
		live_lower_down(stack);
	}
}

int life_adopt(struct stack *stack, dev_t upper, dev_t store, dev_t meta)
{
	struct dev dev;
	bool up;
	int r = stack_is_up(stack, &up);

	if (r == 0 && (up || stack->lower || record_head(&stack->rec) || is_reverting(&stack->rec)))
		r = -EBUSY;
	if (r == 0)
		r = live_lower_up(stack, upper, &dev);
	if (r < 0)
		return r;
	stack->adopting = true;
	r = put_under(stack, &dev, store, meta);
	if (r < 0)
		undo_adoption(stack, &dev);
	stack->adopting = false;
	return r;
}

/* Taking snapshots. */

static bool time_is_taken(const struct member *member, unsigned int count, uint64_t time)
{
	const struct record *rec;
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		rec = &member[i].stack->rec;
		for (j = 0; j < rec->count; j++)
			if (rec->snapshot[j].time == time)
				return true;
	}
	return false;
}

/*
 * Ids are used up even by a snapshot that fails: after a crash an old one could still be in the pool.  The head is
 * about to be frozen: its seal is of an earlier moment.
 */
static int record_pending(struct member *member, const struct new_snapshot *wanted, uint64_t time)
{
	struct record *rec = &member->stack->rec;
	struct snapshot *snap = &rec->snapshot[rec->count], *head = record_head(rec);
	int r = 0;

	if (rec->count == SNAPSHOTS_MAX)
		return -EMLINK;
	*snap = (struct snapshot){ .id = rec->next_snapshot, .state = PENDING, .time = time,
				   .sectors = rec->origin_sectors };
	snprintf(snap->kinds, sizeof(snap->kinds), "%s", wanted->kinds);
	if (member->uuid)
		snprintf(snap->uuid, sizeof(snap->uuid), "%s", member->uuid);
	else
		r = uuid_random(snap->uuid);
	if (r == 0)
		r = record_new_thin(rec, &snap->thin);
	if (r < 0)
		return r;
	if (head)
		head->seal.set = false;
	rec->next_snapshot++;
	rec->count++;
	member->snap = snap;
	return stack_commit(member->stack);
}

/* base-N live and snap-N loaded but not resumed: it must not come alive before the volume is suspended. */
static int load_snapshot(struct stack *stack, const struct snapshot *snap)
{
	struct table base = { 0 }, table = { 0 };
	struct dev dev;
	int r;

	stack_dev(stack, "base", snap->id, &dev);
	stack_base_table(stack, &base);
	r = dev_create(&dev, &base);
	stack_dev(stack, "snap", snap->id, &dev);
	if (r == 0)
		r = dev_add(&dev);
	if (r == 0)
		r = stack_snap_table(stack, snap, &table);
	if (r == 0)
		r = dev_load(dev.uuid, &table);
	table_free(&base);
	table_free(&table);
	return r;
}

/* The inactive tables of the volume and of the former head's base. */
static int load_switch(struct stack *stack, const struct snapshot *snap, const struct snapshot *head,
		       struct switchover *sw)
{
	struct table table = { 0 }, base = { 0 };
	int r;

	switchover_of(sw, stack);
	stack_dev(stack, "snap", snap->id, &sw->snap);
	sw->has_snap = true;
	r = stack_origin_table(stack, snap, &table);
	if (r == 0)
		r = dev_load(sw->origin.uuid, &table);
	if (r == 0 && head) {
		sw->has_base = true;
		stack_dev(stack, "base", head->id, &sw->base);
		stack_base_table(stack, &sw->undo);
		r = stack_linear(stack, "snap", snap->id, &base);
		if (r == 0)
			r = dev_load(sw->base.uuid, &base);
	}
	table_free(&table);
	table_free(&base);
	return r;
}

static int prepare(struct member *member, struct switchover *sw)
{
	struct stack *stack = member->stack;
	int r = step();

	if (r == 0)
		r = cowdev_create(stack, member->snap);
	if (r == 0)
		r = step();
	if (r == 0)
		r = load_snapshot(stack, member->snap);
	if (r == 0)
		r = step();
	return r < 0 ? r : load_switch(stack, member->snap, record_head(&stack->rec), sw);
}

/* A record with the same uuid twice could not be read back.  Removed ones are in it for a while. */
static int check_uuid(const struct member *member)
{
	const struct record *rec = &member->stack->rec;
	unsigned int i;

	for (i = 0; i < rec->count && member->uuid; i++)
		if (strcmp(rec->snapshot[i].uuid, member->uuid) == 0)
			return -EEXIST;
	return 0;
}

static int check_room(const struct stack *stack)
{
	uint64_t room;
	int r = is_reverting(&stack->rec) ? -EBUSY : pool_room(stack, &room);

	return r == 0 && room < 2 * stack_chunk_bytes(stack) ? -ENOSPC : r;
}

static int record_and_prepare(struct member *member, unsigned int count, struct switchover *sw,
			      const struct new_snapshot *wanted, unsigned int *failed)
{
	uint64_t time = wanted->time;
	unsigned int i;
	int r = 0;

	while (time_is_taken(member, count, time))
		time++;
	for (i = 0; i < count && r == 0; i++) {
		*failed = i;
		r = record_pending(&member[i], wanted, time);
	}
	for (i = 0; i < count && r == 0; i++) {
		*failed = i;
		r = prepare(&member[i], &sw[i]);
	}
	return r;
}

/* A snapshot that was switched in although another failed goes like any that is removed while it is the newest. */
static int take_back(struct member *member)
{
	struct stack *stack = member->stack;
	bool up;
	int r = stack_is_up(stack, &up);

	if (r < 0 || !member->snap)
		return r;
	if (stack->attached != member->snap->id)
		return stack_drop_pending(stack, member->snap);
	member->snap->state = REMOVED;
	return stack_commit(stack);
}

static int declare_live(struct member *member)
{
	int r = step();

	if (r < 0)
		return r;	/* as after a crash: it was taken, and recovery will find so */
	member->stack->attached = member->snap->id;
	return stack_commit_live(member->stack, member->snap);
}

static int take(struct member *member, unsigned int count, struct switchover *sw,
		const struct new_snapshot *wanted, unsigned int *failed, uint64_t *pause_us)
{
	unsigned int i;
	int r = record_and_prepare(member, count, sw, wanted, failed);

	if (r == 0) {
		*failed = 0;
		dev_settle();
		r = switchover_run(sw, count, pause_us);
	}
	for (i = 0; i < count && r < 0; i++)
		take_back(&member[i]);
	for (i = 0; i < count && r == 0; i++) {
		*failed = i;
		r = declare_live(&member[i]);
	}
	return r;
}

int life_snapshot(struct member *member, unsigned int count, const struct new_snapshot *wanted,
		  unsigned int *failed, uint64_t *pause_us)
{
	struct switchover *sw = calloc(count, sizeof(*sw));
	unsigned int i;
	int r = sw ? 0 : -ENOMEM;

	for (i = 0; i < count && r == 0; i++) {
		*failed = i;
		r = check_room(member[i].stack);
		if (r == 0)
			r = check_uuid(&member[i]);
	}
	if (r == 0)
		r = take(member, count, sw, wanted, failed, pause_us);
	for (i = 0; i < count && sw; i++)
		table_free(&sw[i].undo);
	free(sw);
	return r;
}
