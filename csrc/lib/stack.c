// SPDX-License-Identifier: GPL-2.0-or-later
/* stack.c - see stack.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io.h"
#include "stack.h"

#define LINKS "/dev/zumastor"

enum {
	LINK_TEXT = 160,
	CLONE_TEXT = NAME_TEXT + 8,
};

static int check_owner(const struct stack *stack)
{
	return strcmp(stack->rec.name, stack->volume) == 0 ? 0 : -EPERM;
}

static int find_lower(struct stack *stack)
{
	struct dev_state state;
	int r = stack_state(stack, "lower", NO_ID, &state);

	stack->lower = state.exists;
	return r;
}

struct stack *stack_open(const char *volume, const char *store, int *error)
{
	struct stack *stack = calloc(1, sizeof(*stack));

	if (!stack) {
		*error = -ENOMEM;
		return NULL;
	}
	stack->volume = volume;
	stack->store = io_open(store, O_RDWR);
	*error = stack->store;
	if (stack->store >= 0)
		*error = record_load(stack->store, &stack->rec);
	if (*error >= 0)
		*error = check_owner(stack);
	if (*error >= 0)
		*error = find_lower(stack);
	if (*error >= 0)
		return stack;
	stack_close(stack);
	return NULL;
}

void stack_close(struct stack *stack)
{
	if (stack && stack->store >= 0)
		close(stack->store);
	free(stack);
}

int stack_commit(struct stack *stack)
{
	return record_commit(stack->store, &stack->rec);
}

int stack_commit_live(struct stack *stack, struct snapshot *snap)
{
	int fd = dev_open(stack->origin), r = fd < 0 ? fd : io_close_synced(fd, 0);

	if (r < 0)
		return r;
	snap->state = LIVE;
	return stack_commit(stack);
}

static enum dev_audience audience(const struct stack *stack, const char *role)
{
	if (strcmp(role, "origin") == 0)
		return stack->lower ? FOR_READERS : FOR_USERS;
	return strcmp(role, "shown") == 0 || strcmp(role, "clone") == 0 ? FOR_READERS : FOR_NOBODY;
}

/* What is behind the volume's name in a clone's device, or in that of the store of a volume on it. */
static void clone_name(const struct stack *stack, const char *role, uint32_t thin, char name[CLONE_TEXT])
{
	bool store = strcmp(role, "substore") == 0;
	unsigned int i;

	snprintf(name, CLONE_TEXT, "%" PRIu32, thin);
	for (i = 0; i < stack->rec.clones; i++)
		if ((store ? stack->rec.clone[i].store : stack->rec.clone[i].thin) == thin)
			snprintf(name, CLONE_TEXT, "%s%s", stack->rec.clone[i].name,
				 store ? ".store" : "");
}

static bool is_of_clone(const char *role)
{
	return strcmp(role, "clone") == 0 || strcmp(role, "substore") == 0;
}

static void dev_name(const struct stack *stack, const char *role, uint32_t id, char *name)
{
	char clone[CLONE_TEXT];

	if (is_of_clone(role)) {
		clone_name(stack, role, id, clone);
		snprintf(name, DEV_NAME_TEXT, "%.63s+%.62s", stack->volume, clone);
	} else if (strcmp(role, "origin") == 0) {
		snprintf(name, DEV_NAME_TEXT, "%s", stack->volume);
	} else if (strcmp(role, "shown") == 0) {
		snprintf(name, DEV_NAME_TEXT, "%s(%" PRIu32 ")", stack->volume, id);
	} else if (id == NO_ID) {
		snprintf(name, DEV_NAME_TEXT, "%s-%s", stack->volume, role);
	} else {
		snprintf(name, DEV_NAME_TEXT, "%s-%s-%" PRIu32, stack->volume, role, id);
	}
}

/* The pool may be another volume's. */
static const char *owner(const struct stack *stack, const char *role)
{
	bool shared = stack->rec.pool_volume[0] && strcmp(role, "store") == 0;

	return shared ? stack->rec.pool_volume : stack->rec.volume;
}

void stack_dev(const struct stack *stack, const char *role, uint32_t id, struct dev *dev)
{
	dev_name(stack, role, id, dev->name);
	dev->audience = audience(stack, role);
	/* It stays when the stack goes, and has another prefix for that. */
	if (strcmp(role, "lower") == 0)
		snprintf(dev->uuid, sizeof(dev->uuid), "ZUMALIVE-%s-lower", stack->rec.volume);
	else if (id == NO_ID)
		snprintf(dev->uuid, sizeof(dev->uuid), "ZUMASTOR-%s-%s", owner(stack, role),
			 role);
	else
		snprintf(dev->uuid, sizeof(dev->uuid), "ZUMASTOR-%s-%s-%" PRIu32,
			 stack->rec.volume, role, id);
}

int stack_state(const struct stack *stack, const char *role, uint32_t id, struct dev_state *state)
{
	struct dev dev;

	stack_dev(stack, role, id, &dev);
	return dev_state(dev.uuid, state);
}

int stack_each(const struct stack *stack, const char *role, int (*each)(void *context, const char *uuid),
	       void *context)
{
	char prefix[DEV_UUID_TEXT];

	snprintf(prefix, sizeof(prefix), "ZUMASTOR-%s-%s", stack->rec.volume, role);
	return dev_each(prefix, each, context);
}

/* "ZUMASTOR-VOLUME-ROLE-ID" or "…-ROLE-ID.SUFFIX". */
struct snapshot *stack_snapshot_of(struct stack *stack, const char *uuid)
{
	const char *digits = strchr(uuid + strlen("ZUMASTOR-") + UUID_TEXT, '-');

	return digits ? record_find(&stack->rec, strtoull(digits + 1, NULL, 10)) : NULL;
}

struct presence {
	struct stack *stack;
	bool *there;
};

static int note_presence(void *context, const char *uuid)
{
	const struct presence *presence = context;
	const struct snapshot *snap = stack_snapshot_of(presence->stack, uuid);

	if (snap)
		presence->there[snap - presence->stack->rec.snapshot] = true;
	return 0;
}

int stack_present(struct stack *stack, const char *role, bool there[SNAPSHOTS_MAX])
{
	struct presence presence = { stack, there };
	char prefix[32];

	memset(there, 0, SNAPSHOTS_MAX * sizeof(*there));
	snprintf(prefix, sizeof(prefix), "%s-", role);
	return stack_each(stack, prefix, note_presence, &presence);
}

uint64_t stack_chunk_bytes(const struct stack *stack)
{
	return stack->rec.chunk_sectors * SECTOR_SIZE;
}

uint64_t stack_chunks(const struct stack *stack, const struct snapshot *snap)
{
	return (snap->sectors + stack->rec.chunk_sectors - 1) / stack->rec.chunk_sectors;
}

/* Tables. */

/* "MAJOR:MINOR…" at the start of a table's parameters. */
static int parse_device(const char *params, dev_t *device)
{
	unsigned int maj, min;

	if (sscanf(params, "%u:%u", &maj, &min) != 2)
		return -EBADMSG;
	*device = makedev(maj, min);
	return 0;
}

static int exists_or_enxio(const struct stack *stack, const char *role, uint32_t id,
			   struct dev_state *state)
{
	int r = stack_state(stack, role, id, state);

	return r < 0 ? r : state->exists ? 0 : -ENXIO;
}

int stack_linear(const struct stack *stack, const char *role, uint32_t id, struct table *table)
{
	struct dev_state under;
	int r = exists_or_enxio(stack, role, id, &under);

	if (r == 0)
		table_add(table, stack->rec.origin_sectors, "linear", "%u:%u 0", under.major,
			  under.minor);
	return r;
}

void stack_base_table(const struct stack *stack, struct table *table)
{
	table_add(table, stack->rec.origin_sectors, "linear", "%u:%u 0", major(stack->origin),
		  minor(stack->origin));
}

/* @target of what is on the device of @role into a COW. */
static int exception_table(const struct stack *stack, const char *target, const char *role, uint32_t id,
			   uint32_t thin, uint64_t sectors, struct table *table)
{
	struct dev_state under, cow;
	int r = exists_or_enxio(stack, role, id, &under);

	if (r == 0)
		r = exists_or_enxio(stack, "cow", thin, &cow);
	if (r == 0)
		table_add(table, sectors, target, "%u:%u %u:%u P %" PRIu64,
			  under.major, under.minor, cow.major, cow.minor, stack->rec.chunk_sectors);
	return r;
}

int stack_snap_table(const struct stack *stack, const struct snapshot *snap, struct table *table)
{
	return exception_table(stack, "snapshot", "base", snap->id, snap->thin, snap->sectors, table);
}

int stack_layer_table(const struct stack *stack, uint32_t id, uint32_t thin, uint64_t sectors,
		      struct table *table)
{
	return exception_table(stack, "snapshot", "under", id, thin, sectors, table);
}

int stack_rewind_table(const struct stack *stack, const struct snapshot *head, struct table *table)
{
	struct dev_state base;
	int r = exists_or_enxio(stack, "base", head->id, &base);

	if (r == 0)
		table_add(table, stack->rec.origin_sectors, "snapshot-origin", "%u:%u", base.major,
			  base.minor);
	return r;
}

int stack_unmerged_table(const struct stack *stack, const struct snapshot *head, struct table *table)
{
	return exception_table(stack, "snapshot", "base", head->id, stack->rec.revert.thin,
			       stack->rec.origin_sectors, table);
}

int stack_origin_table(const struct stack *stack, const struct snapshot *head, struct table *table)
{
	const struct revert *revert = &stack->rec.revert;

	if (is_reverting(&stack->rec) && !head)
		return -ESTALE;
	if (revert->phase == REVERT_OPEN)
		return stack_layer_table(stack, revert->snapshot, revert->thin,
					 stack->rec.origin_sectors, table);
	if (revert->phase == REVERT_MERGING)
		return exception_table(stack, "snapshot-merge", "base", head->id, revert->thin,
				       stack->rec.origin_sectors, table);
	if (head)
		return stack_rewind_table(stack, head, table);
	stack_base_table(stack, table);
	return 0;
}

int stack_under(const struct stack *stack, const char *role, uint32_t id, struct dev_line *line,
		dev_t *under)
{
	struct dev dev;
	int r;

	stack_dev(stack, role, id, &dev);
	r = dev_table(dev.uuid, line);
	return r < 0 ? r : parse_device(line->params, under);
}

/*
 * What the volume leads to: the user's device while it is linear, else the base of one snapshot; while a revert
 * has the volume on a layer, the newest base all the same.  That one has always the user's device under it,
 * whatever an older one was switched to.
 */
static int find_origin(struct stack *stack)
{
	struct dev_line line, base;
	bool there[SNAPSHOTS_MAX];
	dev_t under = 0;
	unsigned int i;
	int r = stack_under(stack, "origin", NO_ID, &line, &under);

	if (r == 0)
		r = stack_present(stack, "base", there);
	stack->attached = NO_ID;
	stack->origin = under;
	for (i = 0; r == 0 && i < stack->rec.count && strcmp(line.target, "linear") != 0; i++) {
		const struct snapshot *snap = &stack->rec.snapshot[i];
		struct dev_state state;

		if (!there[i])
			continue;
		r = stack_state(stack, "base", snap->id, &state);
		if (r < 0 || !state.live)
			continue;
		if (makedev(state.major, state.minor) == under ||
		    strcmp(line.target, "snapshot") == 0)
			stack->attached = snap->id;
		r = stack_under(stack, "base", snap->id, &base, &stack->origin);
	}
	return r;
}

int stack_is_up(struct stack *stack, bool *up)
{
	struct dev_state state;
	int r = stack_state(stack, "origin", NO_ID, &state);

	*up = r == 0 && state.live;
	return *up ? find_origin(stack) : r;
}

/* The linear, the snapshot and their COW. */

static int thin_table(const struct stack *stack, uint32_t thin, uint64_t sectors, struct table *table)
{
	struct dev_state pool;
	int r = exists_or_enxio(stack, "store", NO_ID, &pool);

	if (r == 0)
		table_add(table, sectors, "thin", "%u:%u %" PRIu32, pool.major, pool.minor, thin);
	return r;
}

static uint64_t cow_sectors(const struct stack *stack, const struct snapshot *snap)
{
	return cow_full_chunks(stack_chunk_bytes(stack), stack_chunks(stack, snap)) *
	       stack->rec.chunk_sectors;
}

int stack_cow_table(const struct stack *stack, const struct snapshot *snap, struct table *table)
{
	return thin_table(stack, snap->thin, cow_sectors(stack, snap), table);
}

/* Put up the device of that role unless it is there already. */
static int ensure(const struct stack *stack, const char *role, uint32_t id, struct table *table)
{
	struct dev_state state;
	struct dev dev;
	int r;

	stack_dev(stack, role, id, &dev);
	r = dev_state(dev.uuid, &state);
	if (r == 0 && state.exists && !state.live)
		r = dev_remove(dev.uuid);	/* someone died between making and filling it */
	if (r == 0 && !state.live)
		r = dev_create(&dev, table);
	return r;
}

int stack_cow(const struct stack *stack, const struct snapshot *snap, struct dev_state *state)
{
	return stack_thin(stack, "cow", snap->thin, cow_sectors(stack, snap), state);
}

int stack_thin(const struct stack *stack, const char *role, uint32_t thin, uint64_t sectors,
	       struct dev_state *state)
{
	struct table table = { 0 };
	int r = thin_table(stack, thin, sectors, &table);

	if (r == 0)
		r = ensure(stack, role, thin, &table);
	table_free(&table);
	return r < 0 ? r : stack_state(stack, role, thin, state);
}

int stack_clone(const struct stack *stack, const struct clone *clone, uint64_t sectors)
{
	struct table table = { 0 };
	int r = stack_layer_table(stack, clone->snapshot, clone->thin, sectors, &table);

	if (r == 0)
		r = ensure(stack, "clone", clone->thin, &table);
	table_free(&table);
	return r;
}

int stack_open_cow(const struct stack *stack, const char *role, const struct snapshot *snap, int flags,
		   struct cow *cow)
{
	char path[DEV_PATH_TEXT];
	struct dev_state state;
	int r = stack_thin(stack, role, snap->thin, cow_sectors(stack, snap), &state);

	if (r < 0)
		return r;
	dev_path(state.minor, path);
	r = cow_open(cow, path, flags, stack_chunk_bytes(stack), stack_chunks(stack, snap));
	cow->seal = snap->seal;
	return r;
}

int stack_load_table(const struct stack *stack, const struct snapshot *snap, struct exceptions *all)
{
	struct cow cow;
	int r = stack_open_cow(stack, "cow", snap, O_RDONLY, &cow);

	*all = (struct exceptions){ 0 };
	if (r < 0)
		return r;
	r = cow.valid ? cow_load(&cow, all) : -ESTALE;
	cow_close(&cow);
	return r;
}

int stack_peek_table(const struct stack *stack, const struct snapshot *snap, struct exceptions *all)
{
	struct dev_state before;
	int r = stack_state(stack, "cow", snap->thin, &before);

	*all = (struct exceptions){ 0 };
	if (r < 0)
		return r;
	r = stack_load_table(stack, snap, all);
	if (!before.exists)
		stack_release_cow(stack, snap->thin);
	return r;
}

void stack_release_cow(const struct stack *stack, uint32_t thin)
{
	struct dev_state state;
	struct dev dev;

	stack_dev(stack, "cow", thin, &dev);
	if (dev_state(dev.uuid, &state) == 0 && state.open_count == 0)
		dev_remove(dev.uuid);
}

bool is_damage(int r)
{
	return r == -ESTALE || r == -EBADMSG || r == -ENODATA;
}

int stack_head_up(const struct stack *stack, const struct snapshot *snap)
{
	struct table base = { 0 }, table = { 0 };
	int r;

	stack_base_table(stack, &base);
	r = ensure(stack, "base", snap->id, &base);
	if (r == 0)
		r = stack_snap_table(stack, snap, &table);
	if (r == 0)
		r = ensure(stack, "snap", snap->id, &table);
	table_free(&base);
	table_free(&table);
	return r;
}

/* Links. */

static void link_name(const struct stack *stack, const char *role, uint32_t id, char link[LINK_TEXT])
{
	char name[CLONE_TEXT];

	if (is_of_clone(role))
		clone_name(stack, role, id, name);
	else if (id == NO_ID)
		snprintf(name, sizeof(name), "origin");
	else
		snprintf(name, sizeof(name), "%" PRIu32, id);
	snprintf(link, LINK_TEXT, LINKS "/%s/%s", stack->volume, name);
}

static void link_mapper(const struct stack *stack, uint32_t id, char link[LINK_TEXT])
{
	snprintf(link, LINK_TEXT, "/dev/mapper/%s(%" PRIu32 ")", stack->volume, id);
}

static int link_to(const char *target, const char *link)
{
	char fresh[LINK_TEXT + 8];

	snprintf(fresh, sizeof(fresh), "%s.new", link);
	unlink(fresh);
	if (symlink(target, fresh) < 0 || rename(fresh, link) < 0)
		return -errno;
	return 0;
}

int stack_link(const struct stack *stack, const char *role, uint32_t id)
{
	char link[LINK_TEXT], path[DEV_PATH_TEXT];
	struct dev_state state;
	int r = exists_or_enxio(stack, role, id, &state);

	if (r < 0)
		return r;
	snprintf(link, sizeof(link), LINKS "/%s", stack->volume);
	if ((mkdir(LINKS, 0755) < 0 || mkdir(link, 0755) < 0) && errno != EEXIST)
		return -errno;
	mkdir(link, 0755);
	dev_path(state.minor, path);
	link_name(stack, role, id, link);
	r = link_to(path, link);
	if (r == 0 && strcmp(role, "shown") == 0) {
		/* libdevmapper writes the parentheses as \x28 and \x29; the manual does not. */
		link_mapper(stack, id, link);
		r = link_to(path, link);
	}
	return r;
}

static bool leads_to(const char *path, dev_t device)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == device;
}

bool stack_is_linked(const struct stack *stack, const char *role, uint32_t id)
{
	char link[LINK_TEXT];
	struct dev_state state;
	dev_t device;

	if (exists_or_enxio(stack, role, id, &state) < 0)
		return false;
	device = makedev(state.major, state.minor);
	link_name(stack, role, id, link);
	if (!leads_to(link, device))
		return false;
	if (id == NO_ID)
		snprintf(link, sizeof(link), "/dev/mapper/%s", stack->volume);
	else if (strcmp(role, "shown") == 0)
		link_mapper(stack, id, link);
	return leads_to(link, device);
}

void stack_unlink(const struct stack *stack, const char *role, uint32_t id)
{
	char link[LINK_TEXT];

	link_name(stack, role, id, link);
	unlink(link);
	if (strcmp(role, "shown") == 0) {
		link_mapper(stack, id, link);
		unlink(link);
	}
	if (id != NO_ID)
		return;
	snprintf(link, sizeof(link), LINKS "/%s", stack->volume);
	if (rmdir(link) == 0)
		rmdir(LINKS);
}
