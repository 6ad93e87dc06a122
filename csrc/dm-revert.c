// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-revert - the steps of bringing a volume back to a snapshot; csrc/lib/revert.h tells what they do.
 *
 *     dm-revert begin VOLUME STORE ID     the volume shows snapshot ID and can be written
 *     dm-revert prepare VOLUME STORE      prints from= and to=, the devices for cow-rewind
 *     dm-revert merge VOLUME STORE        only after a cow-rewind that ended with 0
 *     dm-revert finish VOLUME STORE       exit 3 while the kernel is still merging
 *     dm-revert give-up VOLUME STORE      of a volume that is stopped: it is to show its origin, as it is
 *
 * Each can be killed and made again.  Exit 3: the volume is open, was written since its newest
 * snapshot was taken, or is being reverted already; 6: the snapshot or the layer with the new writes
 * is lost; 1, 2, 4, 7.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "exits.h"
#include "revert.h"
#include "settle.h"
#include "tool.h"

static int begin(struct stack *stack, const char *id)
{
	const struct snapshot *snap;
	uint64_t pause_us;
	int r = stack_settle(stack);

	if (r < 0)
		return r;
	snap = tool_snapshot(stack, id);
	if (snap->sectors != stack->rec.origin_sectors)
		errx(EXIT_FAILED, "cannot revert '%s': it was resized since snapshot %" PRIu32,
		     stack->volume, snap->id);
	r = revert_begin(stack, snap, &pause_us);
	if (r == 0)
		printf("pause_us=%" PRIu64 "\n", pause_us);
	return r;
}

static int prepare(struct stack *stack)
{
	char from[DEV_PATH_TEXT], to[DEV_PATH_TEXT];
	struct dev_state under, rewind;
	int r = revert_prepare(stack);

	if (r == 0)
		r = stack_state(stack, "under", stack->rec.revert.snapshot, &under);
	if (r == 0)
		r = stack_state(stack, "rewind", NO_ID, &rewind);
	if (r < 0)
		return r;
	dev_path(under.minor, from);
	dev_path(rewind.minor, to);
	printf("from=%s\nto=%s\n", from, to);
	return 0;
}

static int finish(struct stack *stack)
{
	int r = revert_finish(stack);

	return r < 0 ? r : stack_settle(stack);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct stack *stack;
	int r = -EINVAL;

	if (argc != (strcmp(what, "begin") == 0 ? 5 : 4))
		errx(EXIT_USAGE, "usage: dm-revert begin|prepare|merge|finish|give-up VOLUME STORE [ID]");
	stack = tool_open(argv[2], argv[3]);
	if (strcmp(what, "give-up") == 0)
		return tool_end(stack, "give up the revert of", revert_give_up(stack));
	tool_need_up(stack);
	if (strcmp(what, "begin") == 0)
		r = begin(stack, argv[4]);
	else if (strcmp(what, "prepare") == 0)
		r = prepare(stack);
	else if (strcmp(what, "merge") == 0)
		r = revert_merge(stack);
	else if (strcmp(what, "finish") == 0)
		r = finish(stack);
	return tool_end(stack, "revert", r);
}
