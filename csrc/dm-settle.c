// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-settle - bring the devices of a running volume to what its record says.
 *
 *     dm-settle [--slice MS [--from PLACE]] VOLUME STORE
 *
 * After a snapshot, views move to the new head; removed snapshots are absorbed; what nobody needs is removed.
 * May be run at any time, any number of times.
 *
 * --slice: absorb no longer than MS milliseconds, and a chunk in any case.  If that was not enough `more=PLACE` is printed;
 * the next run given that PLACE does not begin to overwrite anew.
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "exits.h"
#include "settle.h"
#include "tool.h"

static void usage(void)
{
	errx(EXIT_USAGE, "usage: dm-settle [--slice MS [--from PLACE]] VOLUME STORE");
}

/* OLDER:NEWER:ENTRIES, see slice.h. */
static void place_read(char *text, struct slice *slice)
{
	const char *older = strsep(&text, ":"), *newer = strsep(&text, ":");
	uint64_t ids[2];

	if (!newer || !text || num_u64(older, UINT32_MAX, &ids[0]) < 0 ||
	    num_u64(newer, UINT32_MAX, &ids[1]) < 0 || num_u64(text, UINT64_MAX, &slice->place) < 0)
		usage();
	slice->older = (uint32_t)ids[0];
	slice->newer = (uint32_t)ids[1];
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "slice", required_argument, NULL, 's' }, { "from", required_argument, NULL, 'f' }, { 0 },
	};
	struct slice slice = { 0 };
	struct stack *stack;
	uint64_t ms;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's' && num_u64(optarg, UINT32_MAX, &ms) == 0)
			slice_begin(&slice, ms);
		else if (option == 'f')
			place_read(optarg, &slice);
		else
			usage();
	}
	if (argc - optind != 2)
		usage();
	stack = tool_open(argv[optind], argv[optind + 1]);
	stack->slice = slice;
	tool_need_up(stack);
	r = stack_settle(stack);
	if (r == 0 && stack->slice.more)
		printf("more=%" PRIu32 ":%" PRIu32 ":%" PRIu64 "\n", stack->slice.older, stack->slice.newer,
		       stack->slice.place);
	return tool_end(stack, "settle", r);
}
