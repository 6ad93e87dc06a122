// SPDX-License-Identifier: GPL-2.0-or-later
/* settle.c - see settle.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "absorb.h"
#include "clone.h"
#include "cow.h"
#include "live.h"
#include "pool.h"
#include "resize.h"
#include "revert.h"
#include "settle.h"
#include "step.h"
#include "switchover.h"
#include "view.h"

enum { PREFIX_TEXT = 64 };

static struct snapshot *pending(struct stack *stack)
{
	struct record *rec = &stack->rec;

	if (rec->count == 0 || rec->snapshot[rec->count - 1].state != PENDING)
		return NULL;
	return &rec->snapshot[rec->count - 1];
}

/* Every device of the volume. */

struct walk {
	struct stack *stack;
	char prefix[PREFIX_TEXT];	/* of the UUIDs */
	unsigned int removed;
};

static int walk_devices(struct walk *walk, int (*each)(void *, const char *))
{
	snprintf(walk->prefix, sizeof(walk->prefix), "ZUMASTOR-%s-", walk->stack->rec.volume);
	return dev_each(walk->prefix, each, walk);
}

/* Recovering. */

static int resume_if_suspended(void *context, const char *uuid)
{
	struct dev dev = { .audience = FOR_READERS };	/* the volume itself runs by now */
	struct dev_state state;
	int r = dev_state(uuid, &state);

	(void)context;
	if (r < 0 || !state.live || !state.suspended)
		return r;
	snprintf(dev.uuid, sizeof(dev.uuid), "%s", uuid);
	snprintf(dev.name, sizeof(dev.name), "%s", uuid);
	return dev_resume(&dev);
}

/* A switch that was cut off while the volume was suspended goes through to its end. */
static int finish_switch(struct stack *stack)
{
	struct switchover sw = { 0 };
	struct snapshot *fresh = pending(stack);
	const struct snapshot *head = record_head(&stack->rec);
	int r;

	switchover_of(&sw, stack);
	if (fresh) {
		sw.has_snap = true;
		stack_dev(stack, "snap", fresh->id, &sw.snap);
	}
	sw.has_base = head != NULL;	/* onto the new snapshot, or resized */
	if (sw.has_base) {
		stack_dev(stack, "base", head->id, &sw.base);
		stack_base_table(stack, &sw.undo);
	}
	r = switchover_finish(&sw, 1);
	table_free(&sw.undo);
	return r;
}

int stack_drop_pending(struct stack *stack, struct snapshot *snap)
{
	const struct { const char *role; uint32_t id; } devices[] = {
		{ "snap", snap->id }, { "base", snap->id }, { "cow", snap->thin },
	};
	const struct snapshot *head = record_head(&stack->rec);
	struct dev_state origin;
	struct dev dev;
	unsigned int i;
	int r = stack_state(stack, "origin", NO_ID, &origin);

	/* Inactive tables still hold the new devices. */
	stack_dev(stack, "origin", NO_ID, &dev);
	if (r == 0 && origin.loaded)
		r = dev_unload(dev.uuid);
	if (r == 0 && head && origin.live) {
		stack_dev(stack, "base", head->id, &dev);
		r = dev_unload(dev.uuid);
	}
	for (i = 0; i < sizeof(devices) / sizeof(devices[0]) && r == 0; i++) {
		stack_dev(stack, devices[i].role, devices[i].id, &dev);
		r = dev_remove(dev.uuid);
	}
	if (r == 0)
		r = pool_delete_thin(stack, snap->thin);
	if (r < 0)
		return r;
	record_drop(&stack->rec, snap);
	return stack_commit(stack);
}

/* The volume's own table says whether the switch took place. */
static int decide_pending(struct stack *stack)
{
	struct snapshot *snap = pending(stack);

	if (!snap)
		return 0;
	if (stack->attached != snap->id)
		return stack_drop_pending(stack, snap);
	return stack_commit_live(stack, snap);
}

static void describe(const struct dm_status_snapshot *status, const struct record *rec, char *text,
		     size_t size, uint64_t *chunks)
{
	const char *word = status->invalid ? "Invalid" : status->overflow ? "Overflow" :
			   status->merge_failed ? "Merge failed" : "ok";

	snprintf(text, size, "%s", word);
	if (status->has_metadata_sectors)
		*chunks = (status->used_sectors - status->metadata_sectors) / rec->chunk_sectors;
}

int stack_snapshot_status(struct stack *stack, const struct dev *dev, char *text, size_t size,
			  uint64_t *chunks)
{
	struct dm_status_snapshot *status;
	struct dm_pool *memory;
	struct dev_line line;
	int r = dev_status(dev->uuid, &line);

	if (r < 0)
		return r;
	memory = dm_pool_create("snapshot status", sizeof(line));
	if (!memory)
		return -ENOMEM;
	if (dm_get_status_snapshot(memory, line.params, &status))
		describe(status, &stack->rec, text, size, chunks);
	else
		r = -EBADMSG;
	dm_pool_destroy(memory);
	return r;
}

int stack_head_status(struct stack *stack, char *text, size_t size, uint64_t *chunks)
{
	struct dev dev;

	*chunks = 0;
	snprintf(text, size, "none");
	if (stack->attached == NO_ID)
		return 0;
	stack_dev(stack, "snap", stack->attached, &dev);
	return stack_snapshot_status(stack, &dev, text, size, chunks);
}

int stack_mark_lost(struct stack *stack, struct snapshot *snap)
{
	struct record *rec = &stack->rec;
	unsigned int i;

	for (i = 0; i < rec->count; i++)
		if (rec->snapshot[i].id <= snap->id && rec->snapshot[i].state == LIVE)
			rec->snapshot[i].state = LOST;
		else if (rec->snapshot[i].id <= snap->id && in_chain(&rec->snapshot[i]))
			rec->snapshot[i].state = DELETING;
	return stack_commit(stack);
}

/* All older snapshots read through the head: when the kernel gives it up, they are gone with it. */
static int check_head(struct stack *stack)
{
	struct snapshot *head = record_head(&stack->rec);
	char text[32];
	uint64_t chunks;
	int r = stack_head_status(stack, text, sizeof(text), &chunks);

	if (r < 0 || !head || strcmp(text, "ok") == 0)
		return r;
	return stack_mark_lost(stack, head);
}

int stack_recover(struct stack *stack)
{
	struct walk walk = { .stack = stack };
	bool up;
	int r = resize_recover(stack);

	if (r == 0)
		r = live_recover(stack);
	if (r == 0)
		r = finish_switch(stack);
	if (r == 0)
		r = walk_devices(&walk, resume_if_suspended);
	if (r == 0)
		r = stack_is_up(stack, &up);
	if (r == 0)
		r = decide_pending(stack);
	if (r == 0)
		r = revert_recover(stack);
	if (r == 0)
		r = check_head(stack);
	if (r < 0)
		return r;
	r = resize_fit(stack);
	return r == -ENOSPC ? 0 : r;	/* it may be this command that makes room */
}

/* Sealing: the format of an exception table has no check sum, so the record keeps one. */

int stack_seal(struct stack *stack, struct snapshot *snap)
{
	struct exceptions all;
	int r = stack_load_table(stack, snap, &all);

	if (r == 0)
		snap->seal = exceptions_seal(&all);
	exceptions_free(&all);
	return r;
}

static int seal_frozen(struct stack *stack)
{
	const struct snapshot *head = record_head(&stack->rec);
	bool sealed = false;
	unsigned int i;
	int r = 0;

	for (i = 0; i < stack->rec.count && r == 0; i++) {
		struct snapshot *snap = &stack->rec.snapshot[i];

		if (!in_chain(snap) || snap == head || snap->seal.set)
			continue;
		r = stack_seal(stack, snap);
		if (is_damage(r))	/* it cannot be trusted: what reads through it is lost, and is said to be */
			r = stack_mark_lost(stack, snap);
		sealed = true;
	}
	return r < 0 || !sealed ? r : stack_commit(stack);
}

/*
 * Writers may wait for room in the exception store of a head that goes, and to suspend the volume would be to wait for
 * them: let the kernel give that head up.
 */
static int let_writers_go(struct stack *stack)
{
	const struct snapshot *head = record_find(&stack->rec, stack->attached);
	struct dev_state state;
	struct dev dev;
	int r;

	if (!head)
		return 0;
	stack_dev(stack, "cow", head->thin, &dev);
	r = dev_state(dev.uuid, &state);
	return r < 0 || !state.live ? r : dev_fail(&dev);
}

/* A head that nobody needs any more, not even an older snapshot: the volume becomes linear. */
static int release_head(struct stack *stack)
{
	struct snapshot *head = record_head(&stack->rec);
	struct switchover sw;
	struct table table = { 0 };
	uint64_t pause_us;
	int r;

	if (is_reverting(&stack->rec))
		return 0;
	if (stack->attached == NO_ID || (head && (head->state == LIVE || absorb_older(stack, head))))
		return 0;
	r = let_writers_go(stack);
	if (r == 0)
		r = step();
	if (r < 0)
		return r;
	switchover_of(&sw, stack);
	stack_base_table(stack, &table);
	r = dev_load(sw.origin.uuid, &table);
	table_free(&table);
	if (r == 0)
		r = switchover_run(&sw, 1, &pause_us);
	if (r < 0)
		return r;
	stack->attached = NO_ID;
	if (!head)
		return 0;
	head->state = DELETING;
	return stack_commit(stack);
}

/* Garbage: devices that neither the head nor a shown snapshot needs. */

static bool is_of_head(struct stack *stack, const char *uuid)
{
	const struct snapshot *head = record_find(&stack->rec, stack->attached);
	struct dev base, snap, cow;

	if (!head)
		return false;
	stack_dev(stack, "base", head->id, &base);
	stack_dev(stack, "snap", head->id, &snap);
	stack_dev(stack, "cow", head->thin, &cow);
	return strcmp(uuid, base.uuid) == 0 || strcmp(uuid, snap.uuid) == 0 ||
	       strcmp(uuid, cow.uuid) == 0;
}

int stack_needs(struct stack *stack, const char *uuid, const char *role)
{
	bool current = false;
	uint64_t id;
	int r;

	if (strcmp(role, "origin") == 0 || strncmp(role, "store", 5) == 0)
		return 1;
	if (strncmp(role, "shown-", 6) == 0) {
		const struct snapshot *snap;

		if (num_u64(role + 6, UINT32_MAX, &id) < 0)
			return 0;
		snap = record_find(&stack->rec, id);
		return snap && snap->state == LIVE;
	}
	if (strncmp(role, "under-", 6) == 0)
		return num_u64(role + 6, UINT32_MAX, &id) == 0 &&
		       is_layered(&stack->rec, (uint32_t)id);
	if (is_of_head(stack, uuid) || revert_needs(stack, uuid) || clones_need(stack, uuid))
		return 1;
	r = view_is_current(stack, uuid, &current);
	return r < 0 ? r : current;
}

static int remove_unneeded(void *context, const char *uuid)
{
	struct walk *walk = context;
	const char *role = uuid + strlen(walk->prefix);
	struct dev_state state;
	int r = stack_needs(walk->stack, uuid, role);

	if (r != 0)
		return r < 0 ? r : 0;
	r = dev_state(uuid, &state);
	if (r < 0 || !state.exists || state.open_count > 0)
		return r;	/* under something that goes first, or in use: the next time */
	r = dev_remove(uuid);
	if (r == -EBUSY)
		return 0;
	if (r == 0)
		walk->removed++;
	return r;
}

/* What lies on top must go before what is under it, so go round until nothing goes any more. */
static int collect_garbage(struct stack *stack)
{
	struct walk walk = { .stack = stack };
	int r;

	do {
		walk.removed = 0;
		r = walk_devices(&walk, remove_unneeded);
		dev_settle();
	} while (r == 0 && walk.removed > 0);
	return r;
}

/* A thin volume whose device somebody still has open stays on the list. */
static int delete_thins(struct stack *stack, bool *deleted)
{
	struct record *rec = &stack->rec;
	bool any = false;
	unsigned int i = 0;
	int r = 0;

	while (i < rec->count && r == 0) {
		struct snapshot *snap = &rec->snapshot[i];

		if (snap->state != DELETING) {
			i++;
			continue;
		}
		r = pool_delete_thin(stack, snap->thin);
		if (r == -EBUSY) {
			r = 0;
			i++;
		} else if (r == 0) {
			record_drop(rec, snap);
			any = true;
		}
	}
	*deleted |= any;
	return r < 0 || !any ? r : stack_commit(stack);
}

static int delete_layer(struct stack *stack)
{
	struct revert *revert = &stack->rec.revert;
	int r;

	if (revert->phase != REVERT_DONE)
		return 0;
	r = pool_delete_thin(stack, revert->thin);
	if (r < 0)
		return r == -EBUSY ? 0 : r;
	*revert = (struct revert){ 0 };
	return stack_commit(stack);
}

static int settle_once(struct stack *stack, bool *deleted)
{
	int r = seal_frozen(stack);

	if (r == 0)
		r = absorb_removed(stack);
	if (r == 0)
		r = release_head(stack);
	if (r == 0)
		r = step();
	if (r == 0)
		r = view_refresh(stack);
	if (r == 0)
		r = clones_up(stack);
	if (r == 0)
		r = collect_garbage(stack);
	if (r == 0)
		r = step();
	if (r == 0)
		r = delete_layer(stack);
	if (r == 0)
		r = clones_delete(stack, deleted);
	return r < 0 ? r : delete_thins(stack, deleted);
}

/* Again as long as deleting makes room that something may have waited for. */
int stack_settle(struct stack *stack)
{
	bool deleted;
	int r = stack_recover(stack);

	do {
		deleted = false;
		if (r == 0)
			r = settle_once(stack, &deleted);
	} while (r == 0 && deleted);
	return r;
}
