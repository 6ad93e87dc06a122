// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-hide - remove the devices of snapshots; the snapshots stay.
 *
 *     dm-hide VOLUME STORE ID…
 *
 * Exit 3: one is open, and those behind it are as they were; 1, 2.  One that is not shown is a success.
 */
#include <err.h>

#include "exits.h"
#include "settle.h"
#include "tool.h"
#include "view.h"

int main(int argc, char **argv)
{
	struct stack *stack;
	int i, r = 0;

	if (argc < 4)
		errx(EXIT_USAGE, "usage: dm-hide VOLUME STORE ID...");
	stack = tool_open(argv[1], argv[2]);
	tool_need_up(stack);
	for (i = 3; i < argc && r == 0; i++)
		r = view_hide(stack, tool_snapshot(stack, argv[i])->id);
	if (r == 0)
		r = stack_settle(stack);
	return tool_end(stack, "hide a snapshot of", r);
}
