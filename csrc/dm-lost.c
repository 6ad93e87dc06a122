// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-lost - record a snapshot, and every older one, which reads through it, as lost.
 *
 *     dm-lost VOLUME STORE [ID]
 *
 * Without ID it is the newest.  For a volume that runs or not; it can be neither shown nor built on afterwards, and
 * this cannot be undone.  Exit 0: it is on disk, or there is none.  4: no record or no such snapshot; 7: the record
 * is damaged; 1, 2.
 */
#include <err.h>

#include "exits.h"
#include "settle.h"
#include "tool.h"

int main(int argc, char **argv)
{
	struct snapshot *snap;
	struct stack *stack;
	bool up;
	int r;

	if (argc != 3 && argc != 4)
		errx(EXIT_USAGE, "usage: dm-lost VOLUME STORE [ID]");
	stack = tool_open(argv[1], argv[2]);
	snap = argc == 4 ? tool_snapshot(stack, argv[3]) : record_head(&stack->rec);
	r = snap ? stack_mark_lost(stack, snap) : 0;
	if (r == 0)
		r = stack_is_up(stack, &up);
	if (r == 0 && up)
		r = stack_settle(stack);	/* the volume lets go of a head that is lost */
	return tool_end(stack, "record lost snapshots of", r);
}
