// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-check - do the record, the pool, the exception tables and the devices of a volume agree?
 *
 *     dm-check [--repair] VOLUME ORIGIN STORE [META]
 *
 * Prints a line "KIND<TAB>ID<TAB>TEXT" for everything that does not (csrc/lib/check.h has the kinds), then
 * state=running, or state=stopped.  Nothing is changed; with --repair, what needs no more than writing the record
 * again, settling or removing left-over devices is repaired first.
 * Exit 0: it could be told; 3: left-over devices are open; 4: no record; 7: the record is damaged; 1, 2.
 */
#include <err.h>
#include <string.h>

#include "check.h"
#include "exits.h"
#include "life.h"
#include "settle.h"
#include "tool.h"

/* Links are not settled: users may have changed them. */
static int link_all(struct stack *stack)
{
	struct dev_state state;
	unsigned int i;
	int r = stack_link(stack, "origin", NO_ID);

	for (i = 0; i < stack->rec.count && r == 0; i++) {
		r = stack_state(stack, "shown", stack->rec.snapshot[i].id, &state);
		if (r == 0 && state.live)
			r = stack_link(stack, "shown", stack->rec.snapshot[i].id);
	}
	return r;
}

static int repair(struct stack *stack, bool up)
{
	int r = stack_commit(stack);

	if (r == 0 && !up)
		return life_stop(stack);
	if (r == 0)
		r = stack_settle(stack);
	return r < 0 ? r : link_all(stack);
}

static int look(const struct check *check, bool up)
{
	int r = check_record(check);

	if (r == 0)
		r = up ? check_running(check) : check_stopped(check);
	fprintf(check->out, "state=%s\n", up ? "running" : "stopped");
	return r;
}

int main(int argc, char **argv)
{
	bool up, repairing = argc > 1 && strcmp(argv[1], "--repair") == 0;
	struct check check = { .out = stdout };
	int r;

	argc -= repairing;
	argv += repairing;
	if (argc != 4 && argc != 5)
		errx(EXIT_USAGE, "usage: dm-check [--repair] VOLUME ORIGIN STORE [META]");
	check.origin = tool_block_device(argv[2]);
	check.store = tool_block_device(argv[3]);
	check.meta = argc == 5 ? tool_block_device(argv[4]) : 0;
	check.stack = tool_open(argv[1], argv[3]);
	tool_match_meta(check.stack, argc == 5);
	r = stack_is_up(check.stack, &up);
	if (r == 0 && repairing)
		r = repair(check.stack, up);
	if (r == 0)
		r = look(&check, up);
	return tool_end(check.stack, "check", r);
}
