// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-show - make read-only devices of snapshots.
 *
 *     dm-show VOLUME STORE ID…
 *
 * Prints /dev/zumastor/VOLUME/ID, one a line.  Exit 4: no such snapshot, 6: it is lost, 7: an exception table
 * is damaged; 1, 2.  Those before the one that failed are there.
 */
#include <err.h>
#include <inttypes.h>

#include "exits.h"
#include "tool.h"
#include "view.h"

int main(int argc, char **argv)
{
	struct stack *stack;
	int i, r = 0;

	if (argc < 4)
		errx(EXIT_USAGE, "usage: dm-show VOLUME STORE ID...");
	stack = tool_open(argv[1], argv[2]);
	tool_need_up(stack);
	for (i = 3; i < argc && r == 0; i++) {
		const struct snapshot *snap = tool_snapshot(stack, argv[i]);

		r = view_show(stack, snap);
		if (r == 0)
			printf("/dev/zumastor/%s/%" PRIu32 "\n", stack->volume, snap->id);
	}
	return tool_end(stack, "show a snapshot of", r);
}
