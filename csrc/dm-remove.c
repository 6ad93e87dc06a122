// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-remove - remove snapshots, wherever in the chain they stand.
 *
 *     dm-remove [--mark] VOLUME STORE ID…
 *
 * What one kept for older snapshots is absorbed by the next older one; that of the newest, once there is a
 * newer one.  With --mark that, and the freeing of their space, is left to dm-settle.  Exit 0: the record says that
 * they are gone, and their space is free or will be.  3: one is open, held, or under a clone or a revert, and none
 * is removed; 4: no such snapshot; 1, 2.  Killed at any point, dm-settle goes on.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>

#include "exits.h"
#include "settle.h"
#include "tool.h"
#include "view.h"

/* The commands know more reasons, and tell them; these no caller may forget. */
static bool is_kept(const struct record *rec, const struct snapshot *snap)
{
	return is_layered(rec, snap->id) || (snap->state == LIVE && *snap->holds);
}

static int hide_all(struct stack *stack, char **ids)
{
	const struct snapshot *snap;
	char **id;
	int r = 0;

	for (id = ids; *id; id++)
		if (is_kept(&stack->rec, tool_snapshot(stack, *id)))
			return -EBUSY;
	for (id = ids; *id && r == 0; id++) {
		snap = tool_snapshot(stack, *id);
		r = view_hide(stack, snap->id);
	}
	return r;
}

static int mark_all(struct stack *stack, char **ids)
{
	struct snapshot *snap;
	int r = hide_all(stack, ids);

	if (r < 0)
		return r;
	for (; *ids; ids++) {
		snap = tool_snapshot(stack, *ids);
		snap->state = snap->state == LOST ? DELETING : REMOVED;
	}
	return stack_commit(stack);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "mark", no_argument, NULL, 'm' }, { 0 } };
	bool settle = true;
	struct stack *stack;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) == 'm')
		settle = false;
	if (option != -1 || argc - optind < 3)
		errx(EXIT_USAGE, "usage: dm-remove [--mark] VOLUME STORE ID...");
	stack = tool_open(argv[optind], argv[optind + 1]);
	stack->slice.limited = false;
	tool_need_up(stack);
	r = mark_all(stack, argv + optind + 2);
	if (r == 0 && settle)
		r = stack_settle(stack);
	return tool_end(stack, "remove a snapshot of", r);
}
