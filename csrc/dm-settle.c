// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-settle - bring the devices of a running volume to what its record says.
 *
 *     dm-settle VOLUME STORE
 *
 * After a snapshot, views move to the new head; removed snapshots are absorbed; what nobody needs is removed.
 * May be run at any time, any number of times.
 */
#include <err.h>

#include "exits.h"
#include "settle.h"
#include "tool.h"

int main(int argc, char **argv)
{
	struct stack *stack;

	if (argc != 3)
		errx(EXIT_USAGE, "usage: dm-settle VOLUME STORE");
	stack = tool_open(argv[1], argv[2]);
	tool_need_up(stack);
	return tool_end(stack, "settle", stack_settle(stack));
}
