// SPDX-License-Identifier: GPL-2.0-or-later
/* reverting.c - the steps of a revert, with other operations in between; see model.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "model.h"
#include "operations.h"
#include "revert.h"
#include "settle.h"

enum {
	PIECE_BYTES = 64 << 10,
	MERGE_TRIES = 3000,
	TRY_US = 10000,
};

static int act_begin(struct model *model, struct stack *stack, uint32_t id)
{
	uint64_t pause_us;
	int r = stack_settle(stack);

	(void)model;
	return r < 0 ? r : revert_begin(stack, record_find(&stack->rec, id), &pause_us);
}

/* What cow-rewind does by the list of changed chunks. */
static int copy_differing(int from, int to, uint64_t bytes)
{
	char *want = io_alloc(PIECE_BYTES), *is = io_alloc(PIECE_BYTES);
	uint64_t at;
	int r = want && is ? 0 : -ENOMEM;

	for (at = 0; at < bytes && r == 0; at += PIECE_BYTES) {
		r = io_pread(from, want, PIECE_BYTES, at);
		if (r == 0)
			r = io_pread(to, is, PIECE_BYTES, at);
		if (r == 0 && memcmp(want, is, PIECE_BYTES) != 0)
			r = io_pwrite(to, want, PIECE_BYTES, at);
	}
	free(want);
	free(is);
	return r;
}

static int open_role(struct stack *stack, const char *role, uint32_t id, int flags)
{
	char path[DEV_PATH_TEXT];
	struct dev_state state;
	int r = stack_state(stack, role, id, &state);

	dev_path(state.minor, path);
	return r < 0 ? r : io_open(path, flags);
}

static int rewind_bytes(struct stack *stack, uint64_t bytes)
{
	int from, to, r = revert_prepare(stack);

	if (r < 0)
		return r;
	from = open_role(stack, "under", stack->rec.revert.snapshot, O_RDONLY);
	to = open_role(stack, "rewind", NO_ID, O_RDWR);
	r = from < 0 ? from : to < 0 ? to : copy_differing(from, to, bytes);
	if (from >= 0)
		close(from);
	return to < 0 ? r : io_close_synced(to, r);
}

static int act_rewind_partly(struct model *model, struct stack *stack, uint32_t id)
{
	uint64_t pieces = model->shadow.bytes / PIECE_BYTES;

	(void)id;
	return rewind_bytes(stack, noise_below(&model->noise, pieces) * PIECE_BYTES);
}

static int act_merge(struct model *model, struct stack *stack, uint32_t id)
{
	int r = rewind_bytes(stack, model->shadow.bytes);

	(void)id;
	return r < 0 ? r : revert_merge(stack);
}

/* A start in between has put the layer up without merging it. */
static int act_finish(struct model *model, struct stack *stack, uint32_t id)
{
	int tries, r = revert_merge(stack);

	(void)model;
	(void)id;
	if (r < 0)
		return r;
	r = revert_finish(stack);
	for (tries = 0; tries < MERGE_TRIES && r == -EAGAIN; tries++) {
		usleep(TRY_US);
		r = revert_finish(stack);
	}
	return r < 0 ? r : stack_settle(stack);
}

/* The snapshot taken first keeps what is reverted from, and makes sure that the one reverted to is not the head. */
static int begin(struct model *model)
{
	unsigned int before = model->count;
	uint32_t id;
	int r;

	if (before == 0 || before == SNAPSHOTS)
		return 0;
	id = model->snap[noise_below(&model->noise, before)].id;
	r = op_snapshot(model);
	if (r < 0 || model->count == before)
		return r;
	return change_run(model, &(struct change){ .act = act_begin, .id = id, .reverts = true,
						   .to = REVERT_OPEN });
}

int op_revert(struct model *model)
{
	if (model->phase == REVERT_NONE)
		return begin(model);
	if (model->phase == REVERT_MERGING)
		return change_run(model, &(struct change){ .act = act_finish, .reverts = true,
							   .to = REVERT_NONE });
	if (noise_below(&model->noise, 2))
		return change_run(model, &(struct change){ .act = act_rewind_partly });
	return change_run(model, &(struct change){ .act = act_merge, .reverts = true,
						   .to = REVERT_MERGING });
}
