// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-snapshot - take a snapshot of a running volume, or of several at one instant.
 *
 *     dm-snapshot [--uuid UUID]... [--kinds KIND[,KIND…]] [--time SECONDS] VOLUME STORE [VOLUME STORE]...
 *
 * A uuid is for each volume in turn, or for none.  Prints for each volume=, id=, uuid=, time= and pause_us=, how long
 * they were suspended.  After any failure all volumes run, and none has a new snapshot.  Killed at any point, its
 * watchdog or the next command on each volume does the rest.
 * Exit 1: failed, a store is full or read-only; 2; 4: no record; 7: it is damaged.
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exits.h"
#include "life.h"
#include "settle.h"
#include "tool.h"

enum { MEMBERS_MAX = 64 };

/* Returns how many uuids there were. */
static unsigned int parse_options(int argc, char **argv, struct new_snapshot *wanted,
				  struct member *member)
{
	static const struct option options[] = {
		{ "uuid", required_argument, NULL, 'u' }, { "kinds", required_argument, NULL, 'k' },
		{ "time", required_argument, NULL, 't' }, { 0 },
	};
	unsigned int uuids = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'u' && uuids < MEMBERS_MAX && is_uuid(optarg))
			member[uuids++].uuid = optarg;
		else if (option == 'k' && is_kinds(optarg))
			wanted->kinds = optarg;
		else if (option != 't' || num_u64(optarg, UINT32_MAX, &wanted->time) < 0)
			errx(EXIT_USAGE, "not a uuid, kinds or a time: '%s'", optarg ? optarg : "");
	}
	return uuids;
}

static unsigned int count_members(int words, unsigned int uuids)
{
	unsigned int count = (unsigned int)words / 2;

	if (count < 1 || words % 2 != 0 || count > MEMBERS_MAX || (uuids > 0 && uuids != count))
		errx(EXIT_USAGE, "usage: dm-snapshot [--uuid UUID]... [--kinds KIND,...] "
		     "[--time SECONDS] VOLUME STORE [VOLUME STORE]...");
	return count;
}

static void open_members(char **words, struct member *member, unsigned int count)
{
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < i; j++)
			if (strcmp(words[2 * i], words[2 * j]) == 0)
				errx(EXIT_USAGE, "volume '%s' is there twice", words[2 * i]);
		member[i].stack = tool_open(words[2 * i], words[2 * i + 1]);
		tool_need_up(member[i].stack);
	}
}

static void report(const struct member *member, uint64_t pause_us)
{
	const struct snapshot *snap = member->snap;

	printf("volume=%s\nid=%" PRIu32 "\nuuid=%s\ntime=%" PRIu64 "\npause_us=%" PRIu64 "\n",
	       member->stack->volume, snap->id, snap->uuid, snap->time, pause_us);
}

int main(int argc, char **argv)
{
	struct new_snapshot wanted = { .kinds = "manual", .time = (uint64_t)time(NULL) };
	struct member member[MEMBERS_MAX] = { 0 };
	unsigned int i, count, failed = 0;
	uint64_t pause_us = 0;
	int r = 0;

	count = parse_options(argc, argv, &wanted, member);
	count = count_members(argc - optind, count);
	open_members(argv + optind, member, count);
	for (i = 0; i < count && r == 0; i++) {
		failed = i;
		r = stack_settle(member[i].stack);	/* so that views never get more than one head deep */
	}
	if (r == 0)
		r = life_snapshot(member, count, &wanted, &failed, &pause_us);
	for (i = 0; i < count && r == 0; i++)
		report(&member[i], pause_us);
	for (i = 0; i < count; i++)
		if (i != failed)
			stack_close(member[i].stack);
	return tool_end(member[failed].stack, "take a snapshot of", r);
}
