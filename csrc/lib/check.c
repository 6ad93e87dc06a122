// SPDX-License-Identifier: GPL-2.0-or-later
/* check.c - see check.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "check.h"
#include "exits.h"
#include "fingerprint.h"
#include "life.h"
#include "pool.h"
#include "revert.h"
#include "settle.h"
#include "upper.h"
#include "view.h"

enum {
	DEPTH_MAX = 12,		/* the kernel's stack allows for more, but not for many more */
	PREFIX_TEXT = 64,
};

static void found(const struct check *check, const char *kind, uint32_t id, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void found(const struct check *check, const char *kind, uint32_t id, const char *format, ...)
{
	va_list args;

	fprintf(check->out, "%s\t%" PRIu32 "\t", kind, id);
	va_start(args, format);
	vfprintf(check->out, format, args);
	va_end(args);
	fputc('\n', check->out);
}

/* The record. */

static void check_snapshot(const struct check *check, const struct snapshot *snap)
{
	if (snap->state == LOST)
		found(check, "lost", snap->id, "snapshot %" PRIu32 " is lost", snap->id);
	else if (snap->state == PENDING)
		found(check, "devices", snap->id, "snapshot %" PRIu32 " was never completed", snap->id);
	else if (snap->state == DELETING)
		found(check, "devices", snap->id, "the space of removed snapshot %" PRIu32
		      " is not free yet", snap->id);
}

int check_record(const struct check *check)
{
	const struct record *rec = &check->stack->rec;
	uint64_t generation[2];
	unsigned int i;
	int r = record_slots(check->stack->store, generation);

	for (i = 0; i < 2 && r == 0; i++)
		if (generation[i] != rec->generation)
			found(check, "record", 0, "copy %u of the record is %s", i + 1,
			      generation[i] ? "an older one" : "damaged");
	for (i = 0; i < rec->count && r == 0; i++)
		check_snapshot(check, &rec->snapshot[i]);
	if (revert_is_stuck(&check->stack->rec))
		found(check, "revert", rec->revert.snapshot, "the revert to snapshot %" PRIu32
		      " cannot go on, as that is lost", rec->revert.snapshot);
	return r;
}

/* Exception tables. */

static int try_table(const struct check *check, const struct snapshot *snap)
{
	struct exceptions all;
	int r = stack_peek_table(check->stack, snap, &all);

	exceptions_free(&all);
	return r;
}

static void check_tables(const struct check *check)
{
	const struct record *rec = &check->stack->rec;
	unsigned int i;

	for (i = 0; i < rec->count; i++) {
		const struct snapshot *snap = &rec->snapshot[i];
		int r = in_chain(snap) ? try_table(check, snap) : 0;

		if (r == -ENODATA)
			found(check, "table", snap->id, "the pool has no exception store of snapshot %"
			      PRIu32, snap->id);
		else if (r < 0)
			found(check, is_damage(r) ? "table" : "unread", snap->id,
			      "cannot read the exception table of snapshot %" PRIu32 ": %s", snap->id,
			      reason(r));
	}
}

/* What was written since a revert began: until that is over there is nothing else that has it. */
static void check_layer(const struct check *check, bool up)
{
	const struct record *rec = &check->stack->rec;
	struct snapshot layer = revert_layer(rec);
	uint64_t left;
	int r;

	if (!is_reverting(rec) || rec->revert.phase == REVERT_PENDING)
		return;
	r = up ? revert_left(check->stack, &left) : try_table(check, &layer);
	if (r < 0)
		found(check, is_damage(r) ? "revert" : "unread", rec->revert.snapshot,
		      "the revert to snapshot %" PRIu32 " cannot go on: what was written since is lost",
		      rec->revert.snapshot);
}

/* The pool. */

/* @opened_read_only: by us, so that this is no fault of its. */
static int check_pool(const struct check *check, bool opened_read_only)
{
	struct pool_status pool;
	int r = pool_status(check->stack, &pool);

	if (r == -ENXIO)
		return 0;	/* the devices say so */
	if (r < 0)
		return r;
	if (pool.failed)
		found(check, "pool", 0, "the pool has failed");
	else if (pool.needs_check)
		found(check, "pool", 0, "the pool could not write its metadata, and wants thin_check");
	else if (pool.read_only && !opened_read_only)
		found(check, "pool", 0, "the pool is read-only");
	if (!pool.failed && pool.transaction != check->stack->rec.pool)
		found(check, "database", 0, "the metadata is another store's");
	return 0;
}

/* Devices. */

static void check_table(const struct check *check, const char *kind, const struct dev *dev,
			struct table *table, int r)
{
	bool same = false;

	if (r == 0)
		r = dev_table_is(dev->uuid, table, &same);
	if (r < 0 || !same)
		found(check, kind, 0, "device '%s' is not what it should be", dev->name);
	table_free(table);
}

static void check_role(const struct check *check, const char *role, uint32_t id, struct table *table, int r)
{
	struct dev dev;

	stack_dev(check->stack, role, id, &dev);
	check_table(check, "restart", &dev, table, r);
}

static void check_head(const struct check *check, const struct snapshot *head)
{
	struct table table = { 0 };
	uint64_t chunks;
	char text[32];
	int r;

	stack_base_table(check->stack, &table);
	check_role(check, "base", head->id, &table, 0);
	r = stack_snap_table(check->stack, head, &table);
	check_role(check, "snap", head->id, &table, r);
	r = stack_cow_table(check->stack, head, &table);
	check_role(check, "cow", head->thin, &table, r);
	r = stack_head_status(check->stack, text, sizeof(text), &chunks);
	if (r < 0 || (strcmp(text, "ok") != 0 && strcmp(text, "none") != 0))
		found(check, "devices", head->id, "the kernel says that snapshot %" PRIu32 " is %s",
		      head->id, r < 0 ? "not there" : text);
}

/* What every running volume has. */
static void check_trunk(const struct check *check)
{
	static const char *const pool[] = { "store-meta", "store-data", "store" };
	const struct snapshot *head = record_head(&check->stack->rec);
	struct table table = { 0 };
	unsigned int i;
	int r;

	for (i = 0; !check->stack->rec.pool_volume[0] && i < sizeof(pool) / sizeof(pool[0]); i++) {
		r = pool_table(check->stack, pool[i], check->store, check->meta, &table);
		check_role(check, pool[i], NO_ID, &table, r);
	}
	if (head)
		check_head(check, head);
	r = stack_origin_table(check->stack, head, &table);
	check_role(check, "origin", NO_ID, &table, r);
	if (!stack_is_linked(check->stack, "origin", NO_ID))
		found(check, "devices", 0, "the links to the volume are not right");
}

static int check_view(const struct check *check, const struct snapshot *snap, const char *role)
{
	struct wanted wanted[VIEW_DEVICES];
	struct dev_state state;
	unsigned int i;
	int r = stack_state(check->stack, role, snap->id, &state);

	if (r < 0 || !state.exists)
		return r;
	r = view_wanted(check->stack, snap, role, wanted);
	if (r < 0 && !is_damage(r))
		found(check, "devices", snap->id, "what shows snapshot %" PRIu32 " is not complete",
		      snap->id);
	for (i = 0; i < VIEW_DEVICES; i++)
		if (r == 0 && wanted[i].table.count > 0)
			check_table(check, i == 0 ? "devices" : "restart", &wanted[i].dev,
				    &wanted[i].table, 0);
		else
			table_free(&wanted[i].table);
	if (strcmp(role, "shown") == 0 && !stack_is_linked(check->stack, role, snap->id))
		found(check, "devices", snap->id, "the links to snapshot %" PRIu32 " are not right",
		      snap->id);
	return 0;
}

static int check_views(const struct check *check)
{
	const struct record *rec = &check->stack->rec;
	unsigned int i;
	int r = 0;

	for (i = 0; i < rec->count && r == 0; i++) {
		if (rec->snapshot[i].state != LIVE)
			continue;
		r = check_view(check, &rec->snapshot[i], "shown");
		if (r == 0)
			r = check_view(check, &rec->snapshot[i], "under");
	}
	return r;
}

static void check_clones(const struct check *check)
{
	struct record *rec = &check->stack->rec;
	struct table table = { 0 };
	struct dev_state state;
	unsigned int i;
	int r;

	for (i = 0; i < rec->clones; i++) {
		const struct clone *clone = &rec->clone[i];
		const struct snapshot *snap = record_find(rec, clone->snapshot);

		if (clone->deleting)
			continue;
		r = stack_state(check->stack, "clone", clone->thin, &state);
		if (r < 0 || !state.live || !snap) {
			found(check, "clone", 0, "clone '%s' is not there: its exception store is damaged",
			      clone->name);
			continue;
		}
		r = stack_layer_table(check->stack, snap->id, clone->thin, snap->sectors, &table);
		check_role(check, "clone", clone->thin, &table, r);
	}
}

/* A frozen COW stays as long as a view reads it. */
static bool is_read_by_view(const struct check *check, const char *role, const struct dev_state *state)
{
	const struct record *rec = &check->stack->rec;
	uint64_t thin;
	unsigned int i;

	if (state->open_count == 0 || strncmp(role, "cow-", 4) != 0 ||
	    num_u64(role + 4, UINT32_MAX, &thin) < 0)
		return false;
	for (i = 0; i < rec->count; i++)
		if (rec->snapshot[i].thin == thin && in_chain(&rec->snapshot[i]))
			return true;
	return false;
}

struct walk {
	const struct check *check;
	unsigned int count;
};

static int check_device(void *context, const char *uuid)
{
	const struct check *check = ((struct walk *)context)->check;
	const char *role = uuid + strlen("ZUMASTOR-") + UUID_TEXT;
	struct dev_state state;
	unsigned int depth;
	int needed = stack_needs(check->stack, uuid, role);
	int r = needed < 0 ? needed : dev_state(uuid, &state);

	if (r < 0 || !state.exists)
		return r;
	if (!needed && !is_read_by_view(check, role, &state))
		found(check, "devices", 0, "device '%s' is left over%s", role,
		      state.open_count > 0 ? " and in use" : "");
	if (state.suspended)
		found(check, "devices", 0, "device '%s' is suspended", role);
	if (state.loaded)
		found(check, "restart", 0, "device '%s' holds a table that was never put to use", role);
	r = dev_depth(makedev(state.major, state.minor), &depth);
	if (r == 0 && depth > DEPTH_MAX)
		found(check, "restart", 0, "device '%s' lies on %u others", role, depth - 1);
	return r;
}

static int each_device(const struct check *check, int (*each)(void *, const char *),
		       unsigned int *count)
{
	struct walk walk = { .check = check };
	char prefix[PREFIX_TEXT];
	int r;

	snprintf(prefix, sizeof(prefix), "ZUMASTOR-%s-", check->stack->rec.volume);
	r = dev_each(prefix, each, &walk);
	*count = walk.count;
	return r;
}

/* The origin in the database; it may lie on the volume, for upper.h to find. */
static int check_origin(const struct check *check)
{
	dev_t origin = check->stack->origin;
	struct dev_state state;
	struct dev upper;
	bool there;
	int r = upper_find(check->stack, &upper, &there);

	if (r == 0 && check->stack->lower && !there)
		found(check, "origin", 0, "the origin does not lie on the volume any more");
	if (r == 0 && there)
		r = dev_state(upper.uuid, &state);
	if (r == 0 && there)
		origin = makedev(state.major, state.minor);
	if (r == 0 && origin != check->origin)
		found(check, "database", 0, "the volume runs on another origin, %u:%u", major(origin),
		      minor(origin));
	return r;
}

/* The whole. */

int check_running(const struct check *check)
{
	uint64_t past = fingerprint_past(check->stack);
	unsigned int count;
	int r;

	if (past > 0)
		found(check, "origin", 0, "%" PRIu64 " sectors of the origin were written past the volume",
		      past);
	r = check_origin(check);
	if (r == 0)
		r = check_pool(check, false);
	if (r < 0)
		return r;
	check_tables(check);
	check_layer(check, true);
	check_trunk(check);
	check_clones(check);
	r = check_views(check);
	return r < 0 ? r : each_device(check, check_device, &count);
}

static int left_over(void *context, const char *uuid)
{
	struct walk *walk = context;

	walk->count++;
	found(walk->check, "devices", 0, "device '%s' is left over",
	      uuid + strlen("ZUMASTOR-") + UUID_TEXT);
	return 0;
}

/* Not where something is left over: that may be the pool itself, half put up. */
int check_stopped(const struct check *check)
{
	unsigned int count;
	int r = each_device(check, left_over, &count);

	if (r < 0 || count > 0)
		return r;
	check->stack->origin = check->origin;
	if (fingerprint_changed(check->stack))
		found(check, "origin", 0, "the origin was written while the volume was stopped");
	r = pool_up_read_only(check->stack, check->store, check->meta);
	if (r == -EBADMSG) {
		found(check, "database", 0, "the metadata is another store's");
	} else if (r < 0) {
		found(check, "pool", 0, "cannot use the pool: %s", reason(r));
	} else {
		check_pool(check, true);
		check_tables(check);
		check_layer(check, false);
	}
	return life_stop(check->stack);
}
