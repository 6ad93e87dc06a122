// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-snapshot - take a snapshot of a running volume.
 *
 *     dm-snapshot [--uuid UUID] [--kinds KIND[,KIND…]] [--time SECONDS] VOLUME STORE
 *
 * Prints id=, uuid=, time= and pause_us=, how long the volume was suspended.  After any failure the volume runs, and
 * there is no new snapshot.  Killed at any point, its watchdog or the next command does the rest.
 * Exit 1: failed, the store is full or read-only; 2; 4: no record; 7: it is damaged.
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "exits.h"
#include "life.h"
#include "settle.h"
#include "tool.h"

static void parse_options(int argc, char **argv, struct new_snapshot *wanted)
{
	static const struct option options[] = {
		{ "uuid", required_argument, NULL, 'u' }, { "kinds", required_argument, NULL, 'k' },
		{ "time", required_argument, NULL, 't' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'u' && is_uuid(optarg))
			wanted->uuid = optarg;
		else if (option == 'k' && is_kinds(optarg))
			wanted->kinds = optarg;
		else if (option != 't' || num_u64(optarg, UINT32_MAX, &wanted->time) < 0)
			errx(EXIT_USAGE, "not a uuid, kinds or a time: '%s'", optarg ? optarg : "");
	}
	if (argc - optind != 2)
		errx(EXIT_USAGE, "usage: dm-snapshot [--uuid UUID] [--kinds KIND,...] "
		     "[--time SECONDS] VOLUME STORE");
}

static void report(const struct snapshot *snap, uint64_t pause_us)
{
	printf("id=%" PRIu32 "\nuuid=%s\ntime=%" PRIu64 "\npause_us=%" PRIu64 "\n", snap->id,
	       snap->uuid, snap->time, pause_us);
}

int main(int argc, char **argv)
{
	struct new_snapshot wanted = { .kinds = "manual", .time = (uint64_t)time(NULL) };
	struct snapshot *snap;
	struct stack *stack;
	uint64_t pause_us = 0;
	int r;

	parse_options(argc, argv, &wanted);
	stack = tool_open(argv[optind], argv[optind + 1]);
	tool_need_up(stack);
	r = stack_settle(stack);	/* so that views never get more than one head deep */
	if (r == 0)
		r = life_snapshot(stack, &wanted, &snap, &pause_us);
	if (r == 0)
		report(snap, pause_us);
	return tool_end(stack, "take a snapshot of", r);
}
