// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-show - make read-only devices of snapshots.
 *
 *     dm-show [--memory BYTES] [--fit] VOLUME STORE ID…
 *
 * Prints /dev/zumastor/VOLUME/ID, one a line.  With --memory the views of the volume may take no more kernel memory than
 * that: the first for which it is not enough, and those behind it, are not made, and it fails unless --fit was given.
 * Exit 4: no such snapshot, 6: it is lost, 7: an exception table is damaged; 1, 2.  Those before the one that failed
 * are there.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "exits.h"
#include "settle.h"
#include "tool.h"
#include "view.h"

struct request {
	struct bound bound;
	bool fit;
	unsigned int count;
	const struct snapshot *snaps[SNAPSHOTS_MAX];
};

static void parse_options(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
		{ "memory", required_argument, NULL, 'm' }, { "fit", no_argument, NULL, 'f' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			request->fit = true;
		else if (option != 'm' || num_u64(optarg, INT64_MAX, &request->bound.most) < 0)
			errx(EXIT_USAGE, "not a number of bytes: '%s'", optarg ? optarg : "");
	}
	if (argc - optind < 3 || argc - optind - 2 > SNAPSHOTS_MAX)
		errx(EXIT_USAGE, "usage: dm-show [--memory BYTES] [--fit] VOLUME STORE ID...");
}

/* What was put up to find out that it is too much goes again. */
static int refuse(struct stack *stack, const struct request *request, const struct snapshot *snap)
{
	uint32_t id = snap->id;
	int r = stack_settle(stack);

	if (r < 0 || request->fit)
		return tool_end(stack, "show a snapshot of", r);
	warnx("cannot show snapshot %" PRIu32 " of '%s': views would take %" PRIu64 "K of kernel memory; "
	      "--cachesize allows %" PRIu64 "K", id, stack->volume,
	      (request->bound.needs + 1023) >> 10, request->bound.most >> 10);
	stack_close(stack);
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct request *request = calloc(1, sizeof(*request));
	unsigned int i, shown;
	struct stack *stack;
	int r;

	if (!request)
		errx(EXIT_FAILED, "cannot begin: %s", reason(-ENOMEM));
	parse_options(argc, argv, request);
	stack = tool_open(argv[optind], argv[optind + 1]);
	tool_need_up(stack);
	for (argv += optind + 2; *argv; argv++)
		request->snaps[request->count++] = tool_snapshot(stack, *argv);
	r = view_show(stack, request->snaps, request->count, &request->bound, &shown);
	for (i = 0; i < shown; i++)
		printf("/dev/zumastor/%s/%" PRIu32 "\n", stack->volume, request->snaps[i]->id);
	if (r == -ENOBUFS)
		r = refuse(stack, request, request->snaps[shown]);
	else
		r = tool_end(stack, "show a snapshot of", r);
	free(request);
	return r;
}
