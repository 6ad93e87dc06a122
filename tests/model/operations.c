// SPDX-License-Identifier: GPL-2.0-or-later
/* operations.c - what a model can do to its volume; see model.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exits.h"
#include "io.h"
#include "life.h"
#include "model.h"
#include "operations.h"
#include "settle.h"
#include "view.h"

enum {
	WRITE_BYTES = 64 << 10,
	BURST = 8,
	HOT_ONE_IN = 2,		/* that many writes go to … */
	HOT_PART = 8,		/* … that part of the volume */
	EPOCH = 1700000000,
	BUSY_ONE_IN = 200,	/* libdevmapper takes 5 s to give up a device that is open */
};

static struct known *any(struct model *model)
{
	return &model->snap[noise_below(&model->noise, model->count)];
}

/* One that is not held open. */
static struct known *any_free(struct model *model)
{
	struct known *known = any(model);

	return known->held < 0 || noise_below(&model->noise, BUSY_ONE_IN) == 0 ? known : NULL;
}

int model_path(struct model *model, uint32_t id, char path[DEV_PATH_TEXT])
{
	struct dev_state state;
	struct stack *stack;
	int r;

	stack = stack_open(model->volume, model->store, &r);
	if (!stack)
		return r;
	r = stack_state(stack, id == NO_ID ? "origin" : "shown", id, &state);
	stack_close(stack);
	dev_path(state.minor, path);
	return r < 0 ? r : state.live ? 0 : -ENXIO;
}

/* Writing. */

static uint64_t random_place(struct model *model, uint64_t bytes)
{
	uint64_t room = model->shadow.bytes - bytes;

	if (noise_below(&model->noise, HOT_ONE_IN) == 0)
		room /= HOT_PART;
	return noise_below(&model->noise, room / SECTOR_SIZE + 1) * SECTOR_SIZE;
}

static int write_at(struct model *model, int fd, void *buffer, uint64_t bytes, uint64_t offset)
{
	int r;

	noise_fill(&model->noise, buffer, bytes);
	r = io_pwrite(fd, buffer, bytes, offset);
	return r < 0 ? r : shadow_write(&model->shadow, buffer, bytes, offset);
}

static int write_some(struct model *model, unsigned int times, uint64_t bytes)
{
	char path[DEV_PATH_TEXT];
	void *buffer = io_alloc(bytes);
	int fd, r = buffer ? model_path(model, NO_ID, path) : -ENOMEM;

	r = fd = r < 0 ? r : io_open(path, O_RDWR);
	while (r >= 0 && times-- > 0)
		r = write_at(model, fd, buffer, bytes, random_place(model, bytes));
	if (fd >= 0)
		close(fd);
	free(buffer);
	return r < 0 ? model_wrong(model, "write: %s", reason(r)) : 0;
}

static int op_write(struct model *model)
{
	return write_some(model, 1, (1 + noise_below(&model->noise, WRITE_BYTES / SECTOR_SIZE)) * SECTOR_SIZE);
}

static int op_burst(struct model *model)
{
	return write_some(model, BURST, 4096);
}

/* Changes. */

static int act_snapshot(struct model *model, struct stack *stack, uint32_t id)
{
	struct new_snapshot wanted = { .kinds = "manual", .time = EPOCH + model->operation };
	struct member member = { .stack = stack };
	unsigned int failed;
	uint64_t pause_us;
	int r = stack_settle(stack);

	(void)id;
	return r < 0 ? r : life_snapshot(&member, 1, &wanted, &failed, &pause_us);
}

static int act_remove(struct model *model, struct stack *stack, uint32_t id)
{
	int r = is_layered(&stack->rec, id) ? -EBUSY : view_hide(stack, id);

	(void)model;
	if (r < 0)
		return r;
	record_find(&stack->rec, id)->state = REMOVED;
	r = stack_commit(stack);
	return r < 0 ? r : stack_settle(stack);
}

static int act_show(struct model *model, struct stack *stack, uint32_t id)
{
	const struct snapshot *snap = record_find(&stack->rec, id);
	struct bound bound = { 0 };
	unsigned int shown;

	(void)model;
	return view_show(stack, &snap, 1, &bound, &shown);
}

static int act_hide(struct model *model, struct stack *stack, uint32_t id)
{
	int r = view_hide(stack, id);

	(void)model;
	return r < 0 ? r : stack_settle(stack);
}

static int act_settle(struct model *model, struct stack *stack, uint32_t id)
{
	(void)model;
	(void)id;
	return stack_settle(stack);
}

static int act_stop(struct model *model, struct stack *stack, uint32_t id)
{
	(void)model;
	(void)id;
	return life_stop(stack);
}

static int show(struct model *model, const struct known *known)
{
	return change_run(model, &(struct change){ .act = act_show, .id = known->id });
}

static int hide(struct model *model, const struct known *known)
{
	return change_run(model, &(struct change){ .act = act_hide, .id = known->id,
						   .want = known->held < 0 ? 0 : -EBUSY });
}

static int op_remove(struct model *model)
{
	struct known *known = model->count ? any_free(model) : NULL;

	struct change change = { .act = act_remove, .vanishes = true };

	if (!known)
		return 0;
	change.id = known->id;
	if (known->held >= 0 || (model->phase == REVERT_OPEN && known->id == model->back_to))
		change.want = -EBUSY;
	return change_run(model, &change);
}

static int op_hide(struct model *model)
{
	struct known *known = model->count ? any_free(model) : NULL;

	return known ? hide(model, known) : 0;
}

static int op_show(struct model *model)
{
	return model->count ? show(model, any(model)) : 0;
}

int op_snapshot(struct model *model)
{
	struct change change = { .act = act_snapshot, .appears = true };

	if (model->count == SNAPSHOTS)
		return op_remove(model);
	if (model->phase != REVERT_NONE)
		change.want = -EBUSY;
	return change_run(model, &change);
}

static int op_settle(struct model *model)
{
	return change_run(model, &(struct change){ .act = act_settle });
}

/* Opened and kept so for a while; or closed. */
static int op_hold(struct model *model)
{
	char path[DEV_PATH_TEXT];
	struct known *known = model->count ? any(model) : NULL;
	uint32_t id;
	int r;

	if (!known)
		return 0;
	if (known->held >= 0) {
		close(known->held);
		known->held = -1;
		return 0;
	}
	id = known->id;
	r = show(model, known);
	if (r < 0)
		return r;
	r = model_path(model, id, path);
	if (r == -ENXIO)	/* that was cut off */
		return 0;
	known->held = r < 0 ? r : open(path, O_RDONLY | O_CLOEXEC);
	return known->held < 0 ? model_wrong(model, "cannot hold %" PRIu32, id) : 0;
}

static int op_restart(struct model *model)
{
	struct change stop = { .act = act_stop };
	unsigned int i;
	int r;

	for (i = 0; i < model->count; i++)
		if (model->snap[i].held >= 0)
			stop.want = -EBUSY;
	r = change_run(model, &stop);
	if (r == 0)
		r = model_start(model);
	return r == 0 || r == -EILSEQ ? r : model_wrong(model, "start: %s", reason(r));
}

/* Comparing. */

static int compare(struct model *model, uint32_t id, unsigned int slot, uint64_t bytes)
{
	uint64_t offset = noise_below(&model->noise, (model->shadow.bytes - bytes) / SECTOR_SIZE + 1);
	char path[DEV_PATH_TEXT];
	uint64_t differs;
	int r = model_path(model, id, path);

	if (r == 0)
		r = shadow_compare(&model->shadow, slot, path, offset * SECTOR_SIZE, bytes, &differs);
	if (r < 0)
		return model_wrong(model, "cannot read %" PRIu32 ": %s", id, reason(r));
	if (differs == UINT64_MAX)
		return 0;
	return model_wrong(model, "%s %" PRIu32 " differs at byte %" PRIu64,
			   id == NO_ID ? "volume" : "snapshot", id, differs);
}

static int show_and_compare(struct model *model, const struct known *known, uint64_t bytes)
{
	char path[DEV_PATH_TEXT];
	uint32_t id = known->id;
	int r = show(model, known);

	/* After one that was cut off it may be there or not. */
	while (r == 0 && model_path(model, id, path) == -ENXIO)
		r = show(model, known);
	return r < 0 ? r : compare(model, id, known->slot, bytes);
}

static int op_compare(struct model *model)
{
	uint64_t bytes = (1 + noise_below(&model->noise, WRITE_BYTES / SECTOR_SIZE)) * SECTOR_SIZE;

	if (model->count == 0 || noise_below(&model->noise, 4) == 0)
		return compare(model, NO_ID, VOLUME_SLOT, bytes);
	return show_and_compare(model, any(model), bytes);
}

static int op_compare_whole(struct model *model)
{
	return model->count ? show_and_compare(model, any(model), model->shadow.bytes) : 0;
}

static int is_running(void *context, const char *uuid)
{
	struct dev_state state;
	int r = dev_state(uuid, &state);

	if (r == 0 && state.suspended)
		return model_wrong(context, "'%s' is suspended", uuid);
	return r;
}

int model_check(struct model *model)
{
	unsigned int i;
	int r = dev_each("ZUMASTOR-", is_running, model);

	if (r == 0)
		r = compare(model, NO_ID, VOLUME_SLOT, model->shadow.bytes);
	for (i = 0; i < model->count && r == 0; i++) {
		r = show_and_compare(model, &model->snap[i], model->shadow.bytes);
		if (r == 0 && model->snap[i].held < 0 && noise_below(&model->noise, 2))
			r = hide(model, &model->snap[i]);
	}
	return r;
}

/* The weights keep about thirty snapshots alive, a few of them shown. */
static const struct {
	const char *name;
	bool writes;
	unsigned int weight;
	int (*run)(struct model *);
} operations[] = {
	{ "write", true, 30, op_write },	{ "burst", true, 10, op_burst },
	{ "snapshot", false, 10, op_snapshot },	{ "remove", false, 7, op_remove },
	{ "show", false, 5, op_show },		{ "hide", false, 8, op_hide },
	{ "hold", false, 3, op_hold },		{ "settle", false, 3, op_settle },
	{ "restart", false, 2, op_restart },	{ "compare", false, 13, op_compare },
	{ "revert", false, 5, op_revert },	{ "compare-whole", false, 4, op_compare_whole },
};

static unsigned int weight(const struct model *model, unsigned int i)
{
	return operations[i].weight * (operations[i].writes ? model->writes : 1);
}

int operation_run(struct model *model, const char **name)
{
	unsigned int i, total = 0;
	uint64_t draw;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		total += weight(model, i);
	draw = noise_below(&model->noise, total);
	for (i = 0; draw >= weight(model, i); i++)
		draw -= weight(model, i);
	*name = operations[i].name;
	model->others += !operations[i].writes;
	return operations[i].run(model);
}
