// SPDX-License-Identifier: GPL-2.0-or-later
/* revert.c - see revert.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "chunkset.h"
#include "cow.h"
#include "cowdev.h"
#include "io.h"
#include "pool.h"
#include "revert.h"
#include "settle.h"
#include "step.h"
#include "switchover.h"
#include "view.h"

static int set_phase(struct stack *stack, enum revert_phase phase)
{
	stack->rec.revert.phase = phase;
	return stack_commit(stack);
}

/*
 * Whoever had the volume open across the switch, if only to look for a filesystem, keeps pages of the old content in
 * memory, and a mount would find those.
 */
static int forget_pages(struct stack *stack)
{
	char path[DEV_PATH_TEXT];
	struct dev_state state;
	int fd, r = stack_state(stack, "origin", NO_ID, &state);

	if (r < 0)
		return r;
	dev_path(state.minor, path);
	fd = io_open(path, O_RDONLY);
	if (fd < 0)
		return fd;
	r = ioctl(fd, BLKFLSBUF, 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int now_open(struct stack *stack)
{
	int r = forget_pages(stack);

	return r < 0 ? r : set_phase(stack, REVERT_OPEN);
}

static int origin_line(struct stack *stack, struct dev_line *line)
{
	struct dev dev;

	stack_dev(stack, "origin", NO_ID, &dev);
	return dev_table(dev.uuid, line);
}

/* What changed since the snapshot, and with it everything that has to be copied. */

static int add_changes(struct stack *stack, const struct snapshot *snap, struct chunkset *changed)
{
	struct exceptions all;
	uint64_t i;
	int r = stack_load_table(stack, snap, &all);

	for (i = 0; r >= 0 && i < all.count; i++)
		r = chunkset_add(changed, all.list[i].old_chunk);
	exceptions_free(&all);
	return r < 0 ? r : 0;
}

static int changed_since(struct stack *stack, uint32_t id, struct chunkset *changed)
{
	unsigned int i;
	int r = chunkset_init(changed, stack_chunks(stack, record_head(&stack->rec)));

	for (i = 0; i < stack->rec.count && r == 0; i++) {
		const struct snapshot *snap = &stack->rec.snapshot[i];

		if (in_chain(snap) && snap->id >= id)
			r = add_changes(stack, snap, changed);
	}
	return r;
}

static uint64_t bytes_in(const struct stack *stack, const struct chunkset *set)
{
	uint64_t at = 0, first, count, chunks = 0;

	while (chunkset_next(set, at, &first, &count)) {
		chunks += count;
		at = first + count;
	}
	return chunks * stack_chunk_bytes(stack);
}

/* All that is copied back is copied out first, unless the head has it already. */
static int check_room(struct stack *stack, const struct snapshot *snap)
{
	struct chunkset changed = { 0 };
	uint64_t room;
	int r = pool_room(stack, &room);

	if (r == 0)
		r = changed_since(stack, snap->id, &changed);
	if (r == 0 && bytes_in(stack, &changed) > room)
		r = -ENOSPC;
	chunkset_free(&changed);
	return r;
}

/* Beginning. */

/* Between the snapshot that keeps what is reverted from and the switch nobody may have written. */
static int check_quiet(struct stack *stack)
{
	struct dev_state state;
	char text[32];
	uint64_t chunks;
	int r = stack_state(stack, "origin", NO_ID, &state);

	if (r == 0 && state.open_count > 0)
		r = -EBUSY;
	if (r == 0)
		r = stack_head_status(stack, text, sizeof(text), &chunks);
	return r < 0 ? r : chunks > 0 ? -EAGAIN : 0;
}

static int record_revert(struct stack *stack, const struct snapshot *snap)
{
	uint32_t thin;
	int r = record_new_thin(&stack->rec, &thin);

	if (r < 0)
		return r;
	stack->rec.revert = (struct revert){ .snapshot = snap->id, .thin = thin };
	stack->rec.origin_seen.disk = 0;	/* we write to it, too: fingerprint_past() would take that amiss */
	return set_phase(stack, REVERT_PENDING);
}

static int switch_onto_layer(struct stack *stack, uint64_t *pause_us)
{
	const struct revert *revert = &stack->rec.revert;
	struct switchover sw;
	struct table table = { 0 };
	int r = stack_layer_table(stack, revert->snapshot, revert->thin,
				  stack->rec.origin_sectors, &table);

	switchover_of(&sw, stack);
	if (r == 0)
		r = dev_load(sw.origin.uuid, &table);
	table_free(&table);
	if (r < 0)
		return r;
	dev_settle();
	r = check_quiet(stack);
	if (r < 0)
		dev_unload(sw.origin.uuid);
	return r < 0 ? r : switchover_run(&sw, 1, pause_us);
}

int revert_begin(struct stack *stack, const struct snapshot *snap, uint64_t *pause_us)
{
	struct snapshot layer;
	int r = is_reverting(&stack->rec) ? -EBUSY : check_quiet(stack);

	if (r == 0)
		r = snap->state == LIVE ? check_room(stack, snap) : -ESTALE;
	if (r == 0)
		r = record_revert(stack, snap);
	if (r < 0)
		return r;
	layer = revert_layer(&stack->rec);
	r = step();
	if (r == 0)
		r = cowdev_create(stack, &layer);
	if (r == 0)
		r = view_under(stack, snap);
	if (r == 0)
		r = step();
	if (r == 0)
		r = switch_onto_layer(stack, pause_us);
	if (r < 0) {
		set_phase(stack, REVERT_DONE);
		return r;
	}
	r = step();
	return r < 0 ? r : now_open(stack);
}

/* Rewinding. */

int revert_prepare(struct stack *stack)
{
	struct table table = { 0 };
	struct dev_state state;
	struct dev dev;
	int r = stack->rec.revert.phase == REVERT_OPEN ? 0 : -EINVAL;

	stack_dev(stack, "rewind", NO_ID, &dev);
	if (r == 0)
		r = dev_state(dev.uuid, &state);
	if (r == 0 && state.exists && !state.live)
		r = dev_remove(dev.uuid);
	if (r < 0 || state.live)
		return r;
	r = stack_rewind_table(stack, record_head(&stack->rec), &table);
	if (r == 0)
		r = dev_create(&dev, &table);
	table_free(&table);
	return r;
}

/* Merging. */

/* Each chunk of the layer may have to be copied out first. */
static int check_merge(const struct stack *stack, uint64_t bytes)
{
	uint64_t room;
	int r = pool_room(stack, &room);

	return r == 0 && bytes > room ? -ENOSPC : r;
}

/*
 * Exceptions are added to the layer until the volume is suspended, and the kernel reads them when the table is
 * loaded: so that happens inside the pause.
 */
static int switch_to_merge(struct stack *stack)
{
	struct switchover sw;
	struct table table = { 0 };
	uint64_t pause_us;
	int r = stack_origin_table(stack, record_head(&stack->rec), &table);

	switchover_of(&sw, stack);
	sw.late = &table;
	if (r == 0)
		r = switchover_run(&sw, 1, &pause_us);
	table_free(&table);
	return r;
}

int revert_merge(struct stack *stack)
{
	struct dev_line line;
	uint64_t left;
	int r = origin_line(stack, &line);

	if (r < 0 || strcmp(line.target, "snapshot") != 0)
		return r;
	r = revert_left(stack, &left);	/* a layer the kernel gave up would be merged without a word */
	if (r == 0)
		r = check_merge(stack, left);
	if (r == 0 && stack->rec.revert.phase == REVERT_OPEN)
		r = set_phase(stack, REVERT_MERGING);
	if (r == 0)
		r = step();
	return r < 0 ? r : switch_to_merge(stack);
}

int revert_left(struct stack *stack, uint64_t *bytes)
{
	struct dev dev;
	char text[32];
	uint64_t chunks = 0;
	int r;

	stack_dev(stack, "origin", NO_ID, &dev);
	r = stack_snapshot_status(stack, &dev, text, sizeof(text), &chunks);
	*bytes = chunks * stack_chunk_bytes(stack);
	if (r < 0 || strcmp(text, "ok") == 0)
		return r;
	return strcmp(text, "Merge failed") == 0 ? -EIO : -ESTALE;
}

int revert_finish(struct stack *stack)
{
	struct switchover sw;
	struct table table = { 0 };
	uint64_t left, pause_us;
	int r = stack->rec.revert.phase == REVERT_MERGING ? revert_left(stack, &left) : -EINVAL;

	if (r == 0 && left > 0)
		r = -EAGAIN;
	if (r == 0)
		r = stack_rewind_table(stack, record_head(&stack->rec), &table);
	switchover_of(&sw, stack);
	if (r == 0)
		r = dev_load(sw.origin.uuid, &table);
	table_free(&table);
	if (r == 0)
		r = switchover_run(&sw, 1, &pause_us);
	if (r == 0)
		r = step();
	return r < 0 ? r : set_phase(stack, REVERT_DONE);
}

/* After a kill or a crash. */

int revert_recover(struct stack *stack)
{
	enum revert_phase phase = stack->rec.revert.phase;
	struct dev_line line;
	struct dev dev;
	int r;

	if (phase != REVERT_PENDING && phase != REVERT_MERGING)
		return 0;
	r = origin_line(stack, &line);
	if (r < 0)
		return r;
	if (phase == REVERT_PENDING && strcmp(line.target, "snapshot") == 0)
		return now_open(stack);
	if (strcmp(line.target, "snapshot-origin") != 0)
		return 0;
	stack_dev(stack, "origin", NO_ID, &dev);
	r = dev_unload(dev.uuid);
	return r < 0 ? r : set_phase(stack, REVERT_DONE);
}

/* As with a pending snapshot: one nothing was written to reads as the volume did before, or as it does after. */
static int decide(struct stack *stack)
{
	struct snapshot layer = revert_layer(&stack->rec);
	bool used = false;
	int r = cowdev_inspect(stack, &layer, false, &used);

	if (r == -ENODATA || (r == 0 && !used))
		return set_phase(stack, REVERT_DONE);
	return r < 0 ? r : set_phase(stack, REVERT_OPEN);
}

static int put_up(struct stack *stack)
{
	struct snapshot layer = revert_layer(&stack->rec);
	const struct snapshot *snap = record_find(&stack->rec, stack->rec.revert.snapshot);
	bool used;
	int r = stack->rec.revert.phase == REVERT_PENDING ? decide(stack) : 0;

	if (r < 0 || !is_reverting(&stack->rec))
		return r;
	r = cowdev_inspect(stack, &layer, true, &used);
	if (r == -ENODATA)
		r = -ESTALE;
	if (r < 0 || stack->rec.revert.phase != REVERT_OPEN)
		return r;
	return snap ? view_under(stack, snap) : -ESTALE;
}

int revert_start(struct stack *stack)
{
	int r = put_up(stack);

	stack->revert_stuck = is_damage(r);
	return r;
}

bool revert_is_stuck(struct record *rec)
{
	const struct snapshot *snap = record_find(rec, rec->revert.snapshot);

	return rec->revert.phase == REVERT_OPEN && !(snap && snap->state == LIVE);
}

int revert_give_up(struct stack *stack)
{
	bool up;
	int r = stack_is_up(stack, &up);

	if (r == 0 && up)
		r = -EBUSY;
	return r < 0 || !is_reverting(&stack->rec) ? r : set_phase(stack, REVERT_DONE);
}

int revert_origin_table(struct stack *stack, struct table *table)
{
	const struct snapshot *head = record_head(&stack->rec);
	struct snapshot layer = revert_layer(&stack->rec);
	struct chunkset chunks = { 0 };
	int r = 0;

	if (stack->rec.revert.phase != REVERT_MERGING || !head)
		return stack_origin_table(stack, head, table);
	r = chunkset_init(&chunks, stack_chunks(stack, head));
	if (r == 0)
		r = add_changes(stack, &layer, &chunks);
	if (r == 0)
		r = check_merge(stack, bytes_in(stack, &chunks));
	chunkset_free(&chunks);
	if (r == -ENOSPC)
		return stack_unmerged_table(stack, head, table);
	return r < 0 ? r : stack_origin_table(stack, head, table);
}

bool revert_needs(const struct stack *stack, const char *uuid)
{
	struct dev rewind, cow;

	if (!is_reverting(&stack->rec))
		return false;
	stack_dev(stack, "rewind", NO_ID, &rewind);
	stack_dev(stack, "cow", stack->rec.revert.thin, &cow);
	return strcmp(uuid, cow.uuid) == 0 ||
	       (stack->rec.revert.phase == REVERT_OPEN && strcmp(uuid, rewind.uuid) == 0);
}
