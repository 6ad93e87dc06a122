// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-meta - the pool's metadata of a stopped volume as a device, for thin_check and its like.
 *
 *     dm-meta VOLUME STORE [META]
 *
 * Prints its path.  dm-stop takes it away again.  Exit 3: the volume runs, or something of it is left over.
 */
#include <err.h>
#include <errno.h>

#include "exits.h"
#include "pool.h"
#include "tool.h"

static int exists(void *context, const char *uuid)
{
	(void)context;
	(void)uuid;
	return -EBUSY;
}

static int put_up(struct stack *stack, dev_t store, dev_t meta)
{
	char prefix[UUID_TEXT + sizeof("ZUMASTOR--")], path[DEV_PATH_TEXT];
	struct dev_state state;
	int r;

	snprintf(prefix, sizeof(prefix), "ZUMASTOR-%s-", stack->rec.volume);
	r = dev_each(prefix, exists, NULL);
	if (r == 0)
		r = pool_meta_up(stack, store, meta);
	if (r == 0)
		r = stack_state(stack, "store-meta", NO_ID, &state);
	if (r < 0)
		return r;
	dev_path(state.minor, path);
	printf("%s\n", path);
	return 0;
}

int main(int argc, char **argv)
{
	struct stack *stack;
	dev_t store, meta;

	if (argc != 3 && argc != 4)
		errx(EXIT_USAGE, "usage: dm-meta VOLUME STORE [META]");
	store = tool_block_device(argv[2]);
	meta = argc == 4 ? tool_block_device(argv[3]) : 0;
	stack = tool_open(argv[1], argv[2]);
	tool_match_meta(stack, argc == 4);
	return tool_end(stack, "put up the metadata of", put_up(stack, store, meta));
}
