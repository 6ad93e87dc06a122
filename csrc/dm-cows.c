// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-cows - put up the exception stores that a delta between two snapshots needs.
 *
 *     dm-cows VOLUME STORE A B
 *     dm-cows VOLUME STORE A head
 *
 * Prints the devices of the COWs of snapshot A and of every later one below B, oldest first; with the word
 * head up to the head's own, which is only fit to read while nobody writes to the volume.
 * Exit 4: no such snapshot; 6: one of them is lost; 7: a table is damaged; 1, 2.  dm-settle removes the devices again.
 */
#include <err.h>
#include <errno.h>
#include <string.h>

#include "exits.h"
#include "tool.h"

/* Whoever reads the device has no record, and so no seal, to check the table by. */
static int check_table(const struct stack *stack, const struct snapshot *snap)
{
	struct exceptions all = { 0 };
	int r = snap->seal.set ? stack_load_table(stack, snap, &all) : 0;

	exceptions_free(&all);
	return r;
}

static int put_up(struct stack *stack, uint32_t first, uint32_t below)
{
	char path[DEV_PATH_TEXT];
	struct dev_state state;
	unsigned int i;
	int r = 0;

	for (i = 0; i < stack->rec.count && r == 0; i++) {
		const struct snapshot *snap = &stack->rec.snapshot[i];

		if (!in_chain(snap) || snap->id < first || snap->id >= below)
			continue;
		r = stack_cow(stack, snap, &state);
		if (r == 0)
			r = check_table(stack, snap);
		dev_path(state.minor, path);
		if (r == 0)
			printf("%s\n", path);
	}
	return r;
}

int main(int argc, char **argv)
{
	const struct snapshot *first, *last = NULL;
	struct stack *stack;
	uint32_t below = UINT32_MAX;
	int r;

	if (argc != 5)
		errx(EXIT_USAGE, "usage: dm-cows VOLUME STORE A B|head");
	stack = tool_open(argv[1], argv[2]);
	tool_need_up(stack);
	first = tool_snapshot(stack, argv[3]);
	if (strcmp(argv[4], "head") != 0) {
		last = tool_snapshot(stack, argv[4]);
		below = last->id;
	}
	r = first->state == LOST || (last && last->state == LOST) ? -ESTALE : 0;
	if (r == 0)
		r = put_up(stack, first->id, below);
	return tool_end(stack, "put up exception stores of", r);
}
