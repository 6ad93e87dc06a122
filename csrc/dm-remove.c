// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-remove - remove a snapshot, wherever in the chain it stands.
 *
 *     dm-remove VOLUME STORE ID
 *
 * What it kept for older snapshots is absorbed by the next older one; that of the newest, once there is a
 * newer one.  Exit 0: the record says that it is gone, and its space is free or will be.  3: it is open, held, or
 * under a clone or a revert, and nothing has changed; 4: no such snapshot; 1, 2.  Killed at any point, dm-settle
 * goes on.
 */
#include <err.h>
#include <errno.h>

#include "exits.h"
#include "settle.h"
#include "tool.h"
#include "view.h"

/* The commands know more reasons, and tell them; these no caller may forget. */
static bool is_kept(const struct record *rec, const struct snapshot *snap)
{
	return is_layered(rec, snap->id) || (snap->state == LIVE && *snap->holds);
}

static int remove_snapshot(struct stack *stack, struct snapshot *snap)
{
	int r = is_kept(&stack->rec, snap) ? -EBUSY : view_hide(stack, snap->id);

	if (r < 0)
		return r;
	snap->state = snap->state == LOST ? DELETING : REMOVED;
	r = stack_commit(stack);
	return r < 0 ? r : stack_settle(stack);
}

int main(int argc, char **argv)
{
	struct stack *stack;

	if (argc != 4)
		errx(EXIT_USAGE, "usage: dm-remove VOLUME STORE ID");
	stack = tool_open(argv[1], argv[2]);
	tool_need_up(stack);
	return tool_end(stack, "remove a snapshot of",
			remove_snapshot(stack, tool_snapshot(stack, argv[3])));
}
