// SPDX-License-Identifier: GPL-2.0-or-later
/* view.c - see view.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <zlib.h>

#include "chunkset.h"
#include "cow.h"
#include "io.h"
#include "view.h"

/* The frozen COWs below the head that a view reads, oldest first, and where each is in the map. */
struct part {
	dev_t device;
	uint64_t used_chunks;
};

struct merge {
	struct exceptions all;		/* new_chunk counts from where the COWs begin in the map */
	struct chunkset seen;
	struct part part[SNAPSHOTS_MAX];
	unsigned int parts;
	uint64_t map_chunks;
};

/* A device over memory. */
struct loop {
	int fd;
	dev_t device;
};

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

/* Merging. */

static int merge_add(struct merge *merge, const struct exceptions *from)
{
	uint64_t i;
	int r = 0;

	merge->all.list = reallocarray(merge->all.list, merge->all.count + from->count + 1,
				       sizeof(*merge->all.list));
	if (!merge->all.list)
		return -ENOMEM;
	for (i = 0; i < from->count; i++) {
		struct exception e = from->list[i];

		if (e.old_chunk >= merge->seen.chunks)
			continue;	/* the volume has grown since */
		r = chunkset_add(&merge->seen, e.old_chunk);
		if (r < 0)
			return r;
		e.new_chunk += merge->map_chunks;
		if (r == 1)
			merge->all.list[merge->all.count++] = e;
	}
	return 0;
}

static int merge_cow(struct stack *stack, const struct snapshot *snap, struct merge *merge)
{
	struct part *part = &merge->part[merge->parts++];
	struct exceptions table = { 0 };
	struct dev_state state = { 0 };
	int r = stack_load_table(stack, snap, &table);

	if (r == 0)
		r = stack_state(stack, "cow", snap->thin, &state);
	if (r == 0)
		r = merge_add(merge, &table);
	*part = (struct part){ makedev(state.major, state.minor), cow_used_chunks(&table) };
	merge->map_chunks += part->used_chunks;
	exceptions_free(&table);
	return r;
}

static int merge_all(struct stack *stack, const struct snapshot *snap, struct merge *merge)
{
	const struct snapshot *head = record_head(&stack->rec);
	unsigned int i;
	int r = chunkset_init(&merge->seen, stack_chunks(stack, snap));

	for (i = 0; i < stack->rec.count && r == 0; i++)
		if (is_below_head(&stack->rec.snapshot[i], snap, head))
			r = merge_cow(stack, &stack->rec.snapshot[i], merge);
	chunkset_free(&merge->seen);
	if (r == 0)	/* sorted, runs of chunks share one kernel entry */
		exceptions_sort(&merge->all);
	return r;
}

/* The merged table, as the kernel wants to read it. */

static uint64_t area_count(const struct merge *merge, uint64_t entries)
{
	return merge->all.count / entries + 1;	/* the last one has room for the end */
}

/* Where the COWs begin in the map: behind the last area, which the format puts at 1 + i*(E+1). */
static uint64_t metadata_chunks(const struct merge *merge, uint64_t entries)
{
	return 2 + (area_count(merge, entries) - 1) * (entries + 1);
}

/* Header and areas one behind the other; the map spreads them out. */
static void image_fill(const struct merge *merge, char *image, uint64_t chunk_bytes)
{
	uint64_t entries = cow_entries(chunk_bytes), i;
	uint64_t *entry = (uint64_t *)(image + chunk_bytes);

	cow_header(image, chunk_bytes);
	for (i = 0; i < merge->all.count; i++) {
		*entry++ = htole64(merge->all.list[i].old_chunk);
		*entry++ = htole64(merge->all.list[i].new_chunk + metadata_chunks(merge, entries));
	}
}

static int image_create(const struct merge *merge, uint64_t chunk_bytes)
{
	uint64_t bytes = (1 + area_count(merge, cow_entries(chunk_bytes))) * chunk_bytes;
	int fd = memfd_create("zumastor-map", MFD_CLOEXEC);
	char *image;

	if (fd < 0)
		return -errno;
	image = ftruncate(fd, (off_t)bytes) < 0 ? MAP_FAILED :
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	image_fill(merge, image, chunk_bytes);
	munmap(image, bytes);
	return fd;
}

static int loop_try(int control, int image, struct loop *loop)
{
	struct loop_config config = { .fd = (uint32_t)image, .block_size = SECTOR_SIZE,
				      .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int number = ioctl(control, LOOP_CTL_GET_FREE);
	char path[DEV_PATH_TEXT];
	struct stat st;
	int r = 0;

	if (number < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	loop->fd = open(path, O_RDWR | O_CLOEXEC);
	if (loop->fd < 0)
		return -errno;
	if (ioctl(loop->fd, LOOP_CONFIGURE, &config) < 0 || fstat(loop->fd, &st) < 0)
		r = -errno;
	if (r < 0)
		close(loop->fd);
	else
		loop->device = st.st_rdev;
	return r;
}

/* Somebody else may take the free device first: then the next one. */
static int loop_attach(int image, struct loop *loop)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int tries, r;

	if (control < 0)
		return errno == ENOENT || errno == ENODEV ? -EOPNOTSUPP : -errno;
	for (tries = 0; tries < 64; tries++) {
		r = loop_try(control, image, loop);
		if (r != -EBUSY)
			break;
	}
	close(control);
	return r;
}

/* Devices. */

static void add_cows(const struct merge *merge, uint64_t chunk_sectors, struct table *table)
{
	unsigned int i;

	for (i = 0; i < merge->parts; i++)
		table_add(table, merge->part[i].used_chunks * chunk_sectors, "linear", "%u:%u 0",
			  major(merge->part[i].device), minor(merge->part[i].device));
}

static void map_for_loading(const struct merge *merge, const struct loop *loop,
			    uint64_t chunk_sectors, struct table *table)
{
	uint64_t entries = cow_entries(chunk_sectors * SECTOR_SIZE), i;
	unsigned int maj = major(loop->device), min = minor(loop->device);

	table_add(table, 2 * chunk_sectors, "linear", "%u:%u 0", maj, min);
	for (i = 1; i < area_count(merge, entries); i++) {
		table_add(table, entries * chunk_sectors, "error", "%s", "");
		table_add(table, chunk_sectors, "linear", "%u:%u %" PRIu64, maj, min,
			  (1 + i) * chunk_sectors);
	}
	add_cows(merge, chunk_sectors, table);
}

static void map_when_loaded(const struct merge *merge, uint64_t chunk_sectors, struct table *table)
{
	uint64_t entries = cow_entries(chunk_sectors * SECTOR_SIZE);

	table_add(table, metadata_chunks(merge, entries) * chunk_sectors, "error", "%s", "");
	add_cows(merge, chunk_sectors, table);
}

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
	map_when_loaded(merge, stack->rec.chunk_sectors, &loaded);
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
	int r;

	view_dev(stack, "map", snap, &map);
	view_dev(stack, "view", snap, &view);
	map_for_loading(merge, loop, stack->rec.chunk_sectors, &table);
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

static int build_view(struct stack *stack, const struct snapshot *snap)
{
	struct merge *merge = calloc(1, sizeof(*merge));
	struct loop loop = { .fd = -1 };
	int image = -1, r = merge ? merge_all(stack, snap, merge) : -ENOMEM;

	if (r == 0)
		r = image = image_create(merge, stack_chunk_bytes(stack));
	if (r >= 0)
		r = loop_attach(image, &loop);
	if (r == 0) {
		r = create_devices(stack, merge, &loop, snap);
		close(loop.fd);
	}
	if (image >= 0)
		close(image);
	if (merge)
		exceptions_free(&merge->all);
	free(merge);
	return r;
}

/* The device VOL(K) must sit on: the head itself, or a view, which is built if it is not there. */
static int find_under(struct stack *stack, const struct snapshot *snap, struct dev *under)
{
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
	return build_view(stack, snap);
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

static bool sits_on(const struct dev *dev, const struct table *table)
{
	struct dev_line line;

	return dev_table(dev->uuid, &line) == 0 &&
	       strcmp(line.params, table->line[0].arguments) == 0;
}

/* A volume that has grown since, and goes back: behind the snapshot's end it stays what it is. */
static int add_rest(struct stack *stack, const struct snapshot *snap, struct table *table)
{
	const struct snapshot *head = record_head(&stack->rec);
	struct dev_state state;
	int r;

	if (head->sectors <= snap->sectors)
		return 0;
	r = stack_state(stack, "snap", head->id, &state);
	if (r == 0)
		table_add(table, head->sectors - snap->sectors, "linear", "%u:%u %" PRIu64,
			  state.major, state.minor, snap->sectors);
	return r;
}

/* Put the linear of that role on the snapshot, as it is to be read now. */
static int place(struct stack *stack, const struct snapshot *snap, const char *role)
{
	struct table table = { 0 };
	struct dev under, dev;
	struct dev_state state;
	int r = snap->state == LIVE ? find_under(stack, snap, &under) : -ESTALE;

	if (r == 0)
		r = linear_table(&under, snap, &table);
	if (r == 0 && strcmp(role, "under") == 0)
		r = add_rest(stack, snap, &table);
	stack_dev(stack, role, snap->id, &dev);
	if (r == 0)
		r = dev_state(dev.uuid, &state);
	if (r == 0 && state.exists && !state.live)
		r = dev_remove(dev.uuid);
	if (r == 0 && !state.live)
		r = dev_create(&dev, &table);
	else if (r == 0 && !sits_on(&dev, &table))
		r = dev_swap(&dev, &table);
	table_free(&table);
	return r;
}

static int map_wanted(struct stack *stack, const struct snapshot *snap, struct table *table)
{
	struct merge *merge = calloc(1, sizeof(*merge));
	int r = merge ? merge_all(stack, snap, merge) : -ENOMEM;

	if (r == 0)
		map_when_loaded(merge, stack->rec.chunk_sectors, table);
	if (merge)
		exceptions_free(&merge->all);
	free(merge);
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
	if (r == 0 && strcmp(role, "under") == 0)
		r = add_rest(stack, snap, &top->table);
	return r;
}

int view_show(struct stack *stack, const struct snapshot *snap)
{
	int r = place(stack, snap, "shown");

	return r < 0 ? r : stack_link(stack, "shown", snap->id);
}

int view_under(struct stack *stack, const struct snapshot *snap)
{
	return place(stack, snap, "under");
}

int view_hide(struct stack *stack, uint32_t id)
{
	struct dev shown;
	int r;

	stack_dev(stack, "shown", id, &shown);
	r = dev_remove(shown.uuid);
	if (r == 0)
		stack_unlink(stack, id);
	return r;
}

/* Which of the devices that read the snapshot are there? */
static int is_read(struct stack *stack, const struct snapshot *snap, bool *shown, bool *under)
{
	struct dev_state state;
	int r = stack_state(stack, "shown", snap->id, &state);

	*shown = r == 0 && state.exists;
	if (r == 0)
		r = stack_state(stack, "under", snap->id, &state);
	*under = r == 0 && state.exists;
	return r;
}

int view_refresh(struct stack *stack)
{
	bool shown, under;
	unsigned int i;
	int r = 0;

	for (i = 0; i < stack->rec.count && r == 0; i++) {
		const struct snapshot *snap = &stack->rec.snapshot[i];

		if (snap->state != LIVE)
			continue;
		r = is_read(stack, snap, &shown, &under);
		if (r == 0 && shown)
			r = view_show(stack, snap);
		if (r == 0 && under)
			r = view_under(stack, snap);
	}
	return r;
}

int view_is_current(struct stack *stack, const char *uuid, bool *current)
{
	const struct snapshot *head = record_head(&stack->rec);
	bool shown, under;
	struct dev view, map;
	unsigned int i;
	int r;

	*current = false;
	for (i = 0; head && i < stack->rec.count && !*current; i++) {
		const struct snapshot *snap = &stack->rec.snapshot[i];

		if (snap->state != LIVE || snap->id >= head->id)
			continue;
		view_dev(stack, "view", snap, &view);
		view_dev(stack, "map", snap, &map);
		if (strcmp(uuid, view.uuid) != 0 && strcmp(uuid, map.uuid) != 0)
			continue;
		r = is_read(stack, snap, &shown, &under);
		if (r < 0)
			return r;
		*current = shown || under;
	}
	return 0;
}
