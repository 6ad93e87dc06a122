// SPDX-License-Identifier: GPL-2.0-or-later
/* resize.c - see resize.h. */
#include <errno.h>
#include <sys/sysmacros.h>

#include "io.h"
#include "layout.h"
#include "pool.h"
#include "resize.h"
#include "step.h"
#include "switchover.h"

/* The pool's table; where its metadata alone grows, with the data it has. */
static int load_pool(struct stack *stack, const struct dev *dev, bool meta)
{
	struct table table = { 0 };
	struct dev_line line;
	int r = dev_table(dev->uuid, &line);

	if (r == 0)
		r = pool_table(stack, "store", 0, 0, &table);
	if (r == 0 && meta && table.error == 0)
		table.line[0].sectors = line.sectors;
	if (r == 0)
		r = dev_load(dev->uuid, &table);
	table_free(&table);
	return r;
}

/*
 * The pool is suspended, the device under it swapped for a longer one, and the pool resumed: then the kernel
 * looks at their sizes.  The longer one does no harm under the old table, so it is its own undo.
 */
static int grow_slice(struct stack *stack, bool meta)
{
	const char *role = meta ? "store-meta" : "store-data";
	struct switchover sw = { .has_base = true };
	struct dev_line line;
	uint64_t pause_us;
	dev_t under;
	int r = stack_under(stack, role, NO_ID, &line, &under);

	stack_dev(stack, "store", NO_ID, &sw.origin);
	stack_dev(stack, role, NO_ID, &sw.base);
	if (r == 0)
		r = pool_table(stack, role, under, under, &sw.undo);
	if (r == 0)
		r = dev_load(sw.base.uuid, &sw.undo);
	if (r == 0)
		r = load_pool(stack, &sw.origin, meta);
	if (r == 0)
		r = switchover_run(&sw, 1, &pause_us);
	table_free(&sw.undo);
	return r;
}

static bool has_meta(const struct stack *stack, const struct pool_status *status)
{
	uint64_t bytes = stack->rec.meta_sectors * SECTOR_SIZE;

	return status->meta_total_bytes >= (bytes < META_MAX ? bytes : META_MAX) / IO_ALIGN * IO_ALIGN;
}

static bool has_data(const struct stack *stack, const struct pool_status *status)
{
	return status->total_bytes >= stack->rec.data_sectors * SECTOR_SIZE;
}

/* The metadata first: more data is of no use without. */
static int fit_pool(struct stack *stack)
{
	struct pool_status status;
	int r = pool_status(stack, &status);

	if (r < 0 || status.failed || status.needs_check)
		return r;
	if (!has_meta(stack, &status))
		r = grow_slice(stack, true);
	if (r == 0 && !has_data(stack, &status))
		r = grow_slice(stack, false);
	if (r == 0)
		r = pool_status(stack, &status);
	return r == 0 && !(has_meta(stack, &status) && has_data(stack, &status)) ? -EIO : r;
}

/* The base of the head, while the volume is suspended; turning back, it has to have what the volume has. */
static int load_base(struct stack *stack, uint64_t volume_sectors, struct switchover *sw)
{
	struct table table = { 0 };
	int r;

	sw->has_base = true;
	stack_dev(stack, "base", stack->attached, &sw->base);
	stack_base_table(stack, &table);
	stack_base_table(stack, &sw->undo);
	if (sw->undo.error == 0 && sw->undo.line[0].sectors < volume_sectors)
		sw->undo.line[0].sectors = volume_sectors;
	r = dev_load(sw->base.uuid, &table);
	table_free(&table);
	return r;
}

/* Suspended, a volume whose writers wait for room would wait with them. */
static int check_not_full(const struct stack *stack)
{
	struct pool_status status;
	int r = stack->attached == NO_ID ? 0 : pool_status(stack, &status);

	return r == 0 && stack->attached != NO_ID && status.full ? -ENOSPC : r;
}

static int fit_origin(struct stack *stack)
{
	struct switchover sw;
	struct table table = { 0 };
	struct dev_line line;
	uint64_t pause_us;
	int r;

	switchover_of(&sw, stack);
	r = dev_table(sw.origin.uuid, &line);
	if (r < 0 || line.sectors == stack->rec.origin_sectors)
		return r;
	r = check_not_full(stack);
	if (r == 0)
		r = stack_origin_table(stack, record_find(&stack->rec, stack->attached), &table);
	if (r == 0 && stack->attached != NO_ID)
		r = load_base(stack, line.sectors, &sw);
	if (r == 0)
		r = dev_load(sw.origin.uuid, &table);
	if (r == 0)
		r = switchover_run(&sw, 1, &pause_us);
	table_free(&table);
	table_free(&sw.undo);
	return r;
}

int resize_fit(struct stack *stack)
{
	int r = stack->rec.pool_volume[0] ? 0 : fit_pool(stack);	/* another's is its business */

	/* Until a revert has ended the volume is not on its origin alone. */
	return r < 0 || is_reverting(&stack->rec) ? r : fit_origin(stack);
}

/* What is under the pool first; its new table would want that to have its new size, and is loaded again. */
int resize_recover(struct stack *stack)
{
	static const char *const roles[] = { "store-meta", "store-data", "store" };
	struct dev_state state;
	struct dev dev;
	unsigned int i;
	int r = 0;

	if (stack->rec.pool_volume[0])
		return 0;
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]) && r == 0; i++) {
		stack_dev(stack, roles[i], NO_ID, &dev);
		r = dev_state(dev.uuid, &state);
		if (r < 0 || !state.suspended)
			continue;
		if (i == 2 && state.loaded)
			r = dev_unload(dev.uuid);
		if (r == 0)
			r = dev_resume(&dev);
	}
	return r;
}
