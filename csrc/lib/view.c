// SPDX-License-Identifier: GPL-2.0-or-later
/* view.c - see view.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <zlib.h>

#include "io.h"
#include "loop.h"
#include "merge.h"
#include "view.h"

static bool is_below_head(const struct snapshot *snap, const struct snapshot *from,
			  const struct snapshot *head)
{
	return in_chain(snap) && snap->id >= from->id && snap->id < head->id;
}

/*
 * What a view depends on: its head and the COWs it reads, by thin ids, which are never used twice.  It is part of
 * the UUID, so whether a view is current can be told without reading a table.
 */
static uint32_t identity(struct stack *stack, const struct snapshot *snap)
{
	const struct snapshot *head = record_head(&stack->rec);
	uLong crc = crc32_z(0, (const Bytef *)&head->thin, sizeof(head->thin));
	unsigned int i;

	for (i = 0; i < stack->rec.count; i++) {
		const struct snapshot *s = &stack->rec.snapshot[i];

		if (is_below_head(s, snap, head))
			crc = crc32_z(crc, (const Bytef *)&s->thin, sizeof(s->thin));
	}
	return (uint32_t)crc;
}

static void view_dev(struct stack *stack, const char *role, const struct snapshot *snap,
		     struct dev *dev)
{
	char suffix[16];

	stack_dev(stack, role, snap->id, dev);
	snprintf(suffix, sizeof(suffix), ".%08" PRIx32, identity(stack, snap));
	strcat(dev->name, suffix);
	strcat(dev->uuid, suffix);
}

/* Memory: what a view was built with is kept in the name of its device, as KiB. */

enum {
	DEVICE_BYTES = 64 << 10,	/* what the kernel takes for a device */
};

struct memory {
	struct stack *stack;
	uint64_t bytes;
};

static int add_view(void *context, const char *uuid)
{
	struct memory *memory = context;
	char name[DEV_NAME_TEXT];
	const char *text;
	uint64_t kib;
	int r = dev_find_name(uuid, name);

	text = r == 0 ? strrchr(name, '.') : NULL;
	if (text && num_u64(text + 1, UINT32_MAX, &kib) == 0)
		memory->bytes += kib << 10;
	return r == -ENXIO ? 0 : r;
}

static int add_device(void *context, const char *uuid)
{
	const struct snapshot *head;
	struct memory *memory = context;
	struct dev cow;

	head = record_head(&memory->stack->rec);
	if (head)
		stack_dev(memory->stack, "cow", head->thin, &cow);
	if (!head || strcmp(uuid, cow.uuid) != 0)
		memory->bytes += DEVICE_BYTES;
	return 0;
}

int view_memory(struct stack *stack, uint64_t *bytes)
{
	struct memory memory = { .stack = stack };
	int r = stack_each(stack, "view-", add_view, &memory);

	if (r == 0)
		r = stack_each(stack, "shown-", add_device, &memory);
	if (r == 0)
		r = stack_each(stack, "cow-", add_device, &memory);
	*bytes = memory.bytes;
	return r;
}

/* @needs: with this view; refused where that is more than @limit, 0 for none. */
static int check_memory(struct stack *stack, const struct merge *merge, uint64_t limit,
			uint64_t *needs)
{
	int r = limit ? view_memory(stack, needs) : 0;

	if (limit)
		*needs += merge_bytes(merge) + DEVICE_BYTES;
	return r < 0 ? r : limit && *needs > limit ? -ENOBUFS : 0;
}

/* Devices. */

static int view_table(struct stack *stack, const struct dev *map, const struct snapshot *snap,
		      struct table *table)
{
	const struct snapshot *head = record_head(&stack->rec);
	struct dev_state under, store;
	int r = stack_state(stack, "snap", head->id, &under);

	if (r == 0)
		r = dev_state(map->uuid, &store);
	if (r == 0)
		table_add(table, snap->sectors, "snapshot", "%u:%u %u:%u P %" PRIu64,
			  under.major, under.minor, store.major, store.minor,
			  stack->rec.chunk_sectors);
	return r;
}

/* Load the view while the map still leads to the merged table, then let go of that. */
static int load_view(struct stack *stack, const struct merge *merge, const struct dev *map,
		     const struct dev *view, const struct snapshot *snap)
{
	struct table table = { 0 }, loaded = { 0 };
	int r = dev_add(view);

	if (r == 0)
		r = view_table(stack, map, snap, &table);
	if (r == 0)
		r = dev_load(view->uuid, &table);
	merge_map_table(merge, 0, &loaded);
	if (r == 0)
		r = dev_swap(map, &loaded);
	if (r == 0)
		r = dev_resume(view);
	table_free(&table);
	table_free(&loaded);
	return r;
}

static int create_devices(struct stack *stack, const struct merge *merge, const struct loop *loop,
			  const struct snapshot *snap)
{
	struct table table = { 0 };
	struct dev map, view;
	size_t length;
	int r;

	view_dev(stack, "map", snap, &map);
	view_dev(stack, "view", snap, &view);
	length = strlen(view.name);
	snprintf(view.name + length, sizeof(view.name) - length, ".%" PRIu64, merge_bytes(merge) >> 10);
	merge_map_table(merge, loop->device, &table);
	dev_remove(view.uuid);	/* what a killed attempt may have left */
	dev_remove(map.uuid);
	r = dev_create(&map, &table);
	table_free(&table);
	if (r < 0)
		return r;
	r = load_view(stack, merge, &map, &view, snap);
	if (r < 0) {
		dev_remove(view.uuid);
		dev_remove(map.uuid);
	}
	return r;
}

static int build_merged(struct stack *stack, const struct merge *merge, const struct snapshot *snap)
{
	struct loop loop;
	int image = merge_image(merge), r;

	if (image < 0)
		return image;
	r = loop_attach(image, &loop);
	if (r == 0) {
		r = create_devices(stack, merge, &loop, snap);
		close(loop.fd);
	}
	close(image);
	return r;
}

static int build_view(struct merger *merger, const struct snapshot *snap, struct bound *bound)
{
	struct merge *merge;
	int r;

	merge = merge_snapshot(merger, snap, &r);
	if (merge)
		r = check_memory(merger->stack, merge, bound->most, &bound->needs);
	if (r == 0)
		r = build_merged(merger->stack, merge, snap);
	merge_free(merge);
	return r;
}

/* The device VOL(K) must sit on: the head itself, or a view, which is built if it is not there. */
static int find_under(struct merger *merger, const struct snapshot *snap, struct bound *bound,
		      struct dev *under)
{
	struct stack *stack = merger->stack;
	struct dev_state state;
	int r;

	if (snap == record_head(&stack->rec)) {
		stack_dev(stack, "snap", snap->id, under);
		return 0;
	}
	view_dev(stack, "view", snap, under);
	r = dev_state(under->uuid, &state);
	if (r < 0 || state.live)
		return r;
	return build_view(merger, snap, bound);
}

static int linear_table(const struct dev *under, const struct snapshot *snap, struct table *table)
{
	struct dev_state state;
	int r = dev_state(under->uuid, &state);

	table->readonly = true;
	if (r == 0)
		table_add(table, snap->sectors, "linear", "%u:%u 0", state.major, state.minor);
	return r;
}

static bool sits_on(const struct dev *dev, const struct table *table, struct dev_line *line)
{
	return dev_table(dev->uuid, line) == 0 &&
	       strcmp(line->params, table->line[0].arguments) == 0;
}

/* A view that nothing sits on any more need not wait, with all its memory, for the others to be built. */
static int drop_view(struct stack *stack, const char *table)
{
	char uuid[DEV_UUID_TEXT], *role;
	struct dev_state state;
	int r = dev_find_uuid(table, uuid);

	role = r == 0 ? strstr(uuid, "-view-") : NULL;
	if (!role || strncmp(uuid + strlen("ZUMASTOR-"), stack->rec.volume, UUID_TEXT - 1) != 0)
		return r == -ENXIO ? 0 : r;	/* not on one of ours: somebody else put it there */
	r = dev_state(uuid, &state);
	if (r < 0 || state.open_count > 0)
		return r;
	r = dev_remove(uuid);
	memcpy(role, "-map-", 5);
	memmove(role + 5, role + 6, strlen(role + 6) + 1);
	return r < 0 ? r : dev_remove(uuid);
}

/* Put the linear of that role on the snapshot, as it is to be read now. */
static int place(struct merger *merger, const struct snapshot *snap, const char *role,
		 struct bound *bound)
{
	struct stack *stack = merger->stack;
	struct table table = { 0 };
	struct bound none = { 0 };
	struct dev_state state;
	struct dev under, dev;
	struct dev_line line;
	int r;

	stack_dev(stack, role, snap->id, &dev);
	r = dev_state(dev.uuid, &state);
	if (r == 0 && state.live)
		bound = &none;	/* it is counted already */
	if (r == 0)
		r = snap->state == LIVE ? find_under(merger, snap, bound, &under) : -ESTALE;
	if (r == 0)
		r = linear_table(&under, snap, &table);
	if (r == 0 && state.exists && !state.live)
		r = dev_remove(dev.uuid);
	if (r == 0 && !state.live)
		r = dev_create(&dev, &table);
	else if (r == 0 && !sits_on(&dev, &table, &line)) {
		r = dev_swap(&dev, &table);
		if (r == 0)
			r = drop_view(stack, line.params);
	}
	table_free(&table);
	return r;
}

static int map_wanted(struct stack *stack, const struct snapshot *snap, struct table *table)
{
	struct merger *merger = merger_new(stack);
	struct merge *merge = NULL;
	int r = -ENOMEM;

	if (merger)
		merge = merge_snapshot(merger, snap, &r);
	if (merge)
		merge_map_table(merge, 0, table);
	merge_free(merge);
	merger_free(merger);
	return r;
}

int view_wanted(struct stack *stack, const struct snapshot *snap, const char *role,
		struct wanted wanted[VIEW_DEVICES])
{
	struct wanted *top = &wanted[0], *view = &wanted[1], *map = &wanted[2];
	int r = 0;

	memset(wanted, 0, VIEW_DEVICES * sizeof(*wanted));
	if (snap == record_head(&stack->rec)) {
		stack_dev(stack, "snap", snap->id, &view->dev);
	} else {
		view_dev(stack, "view", snap, &view->dev);
		view_dev(stack, "map", snap, &map->dev);
		r = map_wanted(stack, snap, &map->table);
		if (r == 0)
			r = view_table(stack, &map->dev, snap, &view->table);
	}
	stack_dev(stack, role, snap->id, &top->dev);
	if (r == 0)
		r = linear_table(&view->dev, snap, &top->table);
	return r;
}

static int show(struct merger *merger, const struct snapshot *snap, struct bound *bound)
{
	int r = place(merger, snap, "shown", bound);

	return r < 0 ? r : stack_link(merger->stack, "shown", snap->id);
}

int view_show(struct stack *stack, const struct snapshot *const *snaps, unsigned int count,
	      struct bound *bound, unsigned int *shown)
{
	struct merger *merger = merger_new(stack);
	int r = merger ? 0 : -ENOMEM;

	for (*shown = 0; *shown < count && r == 0; *shown += r == 0)
		r = show(merger, snaps[*shown], bound);
	merger_free(merger);
	return r;
}

int view_under(struct stack *stack, const struct snapshot *snap)
{
	struct merger *merger = merger_new(stack);
	struct bound bound = { 0 };
	int r = merger ? place(merger, snap, "under", &bound) : -ENOMEM;

	merger_free(merger);
	return r;
}

int view_hide(struct stack *stack, uint32_t id)
{
	struct dev shown;
	int r;

	stack_dev(stack, "shown", id, &shown);
	r = dev_remove(shown.uuid);
	if (r == 0)
		stack_unlink(stack, "shown", id);
	return r;
}

static int refresh_role(struct merger *merger, const char *role)
{
	struct stack *stack = merger->stack;
	struct bound bound = { 0 };
	bool there[SNAPSHOTS_MAX];
	unsigned int i;
	int r = stack_present(stack, role, there);

	for (i = 0; i < stack->rec.count && r == 0; i++)
		if (there[i] && stack->rec.snapshot[i].state == LIVE)
			r = place(merger, &stack->rec.snapshot[i], role, &bound);
	return r;
}

int view_refresh(struct stack *stack)
{
	struct merger *merger = merger_new(stack);
	int r = merger ? refresh_role(merger, "shown") : -ENOMEM;

	if (r == 0)
		r = refresh_role(merger, "under");
	merger_free(merger);
	return r;
}

/* Is VOL(K) or VOL-under-K there? */
static int is_read(struct stack *stack, const struct snapshot *snap, bool *read)
{
	struct dev_state state;
	int r = stack_state(stack, "shown", snap->id, &state);

	*read = state.exists;
	if (r == 0 && !*read) {
		r = stack_state(stack, "under", snap->id, &state);
		*read = state.exists;
	}
	return r;
}

int view_is_current(struct stack *stack, const char *uuid, bool *current)
{
	const struct snapshot *head = record_head(&stack->rec), *snap = stack_snapshot_of(stack, uuid);
	struct dev view, map;

	*current = false;	/* a COW's number is not a snapshot's: it has neither UUID */
	if (!head || !snap || snap->state != LIVE || snap->id >= head->id)
		return 0;
	view_dev(stack, "view", snap, &view);
	view_dev(stack, "map", snap, &map);
	if (strcmp(uuid, view.uuid) != 0 && strcmp(uuid, map.uuid) != 0)
		return 0;
	return is_read(stack, snap, current);
}
