// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-start - put up the devices of a volume, or repair those of a running one.
 *
 *     dm-start [--check|--adopt] VOLUME ORIGIN STORE [META]
 *
 * With --adopt the volume, which has no snapshots yet, comes under ORIGIN, a dm device that stays mounted.  Killed at
 * any point, it is there or dm-stop does away with it.
 *
 * With --check nothing is put up or changed: 6 when the origin is not as the volume was left, so that its snapshots
 * would be lost.
 *
 * What a crash left undecided is decided by the exception stores.  Where the origin was written while the volume
 * was stopped, its snapshots are recorded as lost, and a warning says why.  Exit 0: /dev/mapper/VOLUME is there.  3: a
 * device is in use, 4: no record on STORE, 5: the kernel lacks a target, 6: the volume was being reverted to a snapshot
 * that is lost, or its merge cannot go on, 7: record or metadata damaged, or META is another store's; 1, 2.  After a
 * failure nothing is up that was not before.
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>

#include "exits.h"
#include "fingerprint.h"
#include "layout.h"
#include "life.h"
#include "revert.h"
#include "tool.h"

static int check_origin(struct stack *stack, const char *path, dev_t origin)
{
	stack->origin = origin;
	if (!fingerprint_changed(stack))
		return tool_end(stack, "check", 0);
	warnx("the origin '%s' is not as volume '%s' was left", path, stack->volume);
	return EXIT_LOST;
}

static int start(struct stack *stack, const char *path, bool adopt, dev_t origin, dev_t store, dev_t meta)
{
	int r = adopt ? life_adopt(stack, origin, store, meta) : life_start(stack, origin, store, meta);

	if (stack->origin_changed)
		warnx("warning: the origin '%s' was written while volume '%s' was stopped", path,
		      stack->volume);
	if (r == 0 || !stack->revert_stuck)
		return tool_end(stack, "start", r);
	dev_settle();
	warnx("cannot start '%s': the revert to snapshot %" PRIu32 " cannot go on; 'zumastor check %s' says why",
	      stack->volume, stack->rec.revert.snapshot, stack->volume);
	stack_close(stack);
	return EXIT_LOST;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' }, { "adopt", no_argument, NULL, 'a' }, { 0 },
	};
	dev_t origin, store, meta = 0;
	bool check = false, adopt = false;
	struct stack *stack;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) == 'c' || option == 'a') {
		check |= option == 'c';
		adopt |= option == 'a';
	}
	argc -= optind;
	argv += optind;
	if (option != -1 || (check && adopt) || (argc != 3 && argc != 4))
		errx(EXIT_USAGE, "usage: dm-start [--check|--adopt] VOLUME ORIGIN STORE [META]");
	origin = tool_block_device(argv[1]);
	store = tool_block_device(argv[2]);
	stack = tool_open(argv[0], argv[2]);
	tool_match_meta(stack, argc == 4);
	if (argc == 4)
		meta = tool_block_device(argv[3]);
	tool_need_sectors(argv[1], stack->rec.origin_sectors);
	if (!stack->rec.pool_volume[0])
		tool_need_sectors(argv[2], layout_end(&stack->rec));
	if (meta)
		tool_need_sectors(argv[3], HEADER_SECTORS + stack->rec.meta_sectors);
	return check ? check_origin(stack, argv[1], origin) :
		       start(stack, argv[1], adopt, origin, store, meta);
}
