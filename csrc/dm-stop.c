// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-stop - remove every device of a volume.
 *
 *     dm-stop VOLUME STORE
 *
 * Exit 3: the volume or a snapshot is open, and all is as it was.  A volume that does not run is a success.
 */
#include <err.h>

#include "exits.h"
#include "life.h"
#include "tool.h"

int main(int argc, char **argv)
{
	struct stack *stack;

	if (argc != 3)
		errx(EXIT_USAGE, "usage: dm-stop VOLUME STORE");
	stack = tool_open(argv[1], argv[2]);
	return tool_end(stack, "stop", life_stop(stack));
}
