// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-stop - remove every device of a volume.
 *
 *     dm-stop [--mounted] VOLUME STORE
 *
 * With --mounted it also goes from under a device that is mounted and stays so, as dm-start --adopt came.
 * Exit 3: the volume or a snapshot is open, or what lies on it, and all is as it was.  A volume that does not run is a
 * success.
 */
#include <err.h>
#include <string.h>

#include "exits.h"
#include "life.h"
#include "tool.h"

int main(int argc, char **argv)
{
	bool mounted = argc > 1 && strcmp(argv[1], "--mounted") == 0;
	struct stack *stack;

	argc -= mounted;
	argv += mounted;
	if (argc != 3)
		errx(EXIT_USAGE, "usage: dm-stop [--mounted] VOLUME STORE");
	stack = tool_open(argv[1], argv[2]);
	return tool_end(stack, "stop", mounted ? life_leave(stack) : life_stop(stack));
}
