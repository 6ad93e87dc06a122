// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-clone - make a writable copy of a snapshot, remove it, or prepare it for a volume of its own.
 *
 *     dm-clone create VOLUME STORE ID NAME      prints /dev/zumastor/VOLUME/NAME
 *     dm-clone remove VOLUME STORE NAME
 *     dm-clone store VOLUME STORE NAME VOLUME2  prints /dev/zumastor/VOLUME/NAME.store, the store for VOLUME2
 *
 * Exit 1: there is a clone of that name, the store is VOLUME2's no more, the store is full; 3: the clone is in use;
 * 4: no such snapshot or clone; 5: VOLUME is on a clone itself; 6: the snapshot is lost; 2, 7.  Killed at any
 * point, the next command does the rest or drops it.
 */
#include <err.h>
#include <errno.h>
#include <string.h>

#include "clone.h"
#include "exits.h"
#include "settle.h"
#include "tool.h"

static int say_path(struct stack *stack, const char *name, const char *suffix)
{
	printf("/dev/zumastor/%s/%s%s\n", stack->volume, name, suffix);
	return 0;
}

static int create(struct stack *stack, char **argv)
{
	const char *name = argv[5];
	int r;

	if (!is_clone_name(name))
		errx(EXIT_USAGE, "not a name for a clone: '%s'", name);
	r = clone_create(stack, tool_snapshot(stack, argv[4]), name);
	return r < 0 ? r : say_path(stack, name, "");
}

static struct clone *find(struct stack *stack, const char *name)
{
	struct clone *clone = record_clone(&stack->rec, name);

	if (!clone)
		errx(EXIT_ABSENT, "volume '%s' has no clone '%s'", stack->volume, name);
	return clone;
}

static int remove_clone(struct stack *stack, char **argv)
{
	int r = clone_remove(stack, find(stack, argv[4]));

	return r < 0 ? r : stack_settle(stack);
}

static int store(struct stack *stack, char **argv)
{
	int r;

	if (!is_name(argv[5]))
		errx(EXIT_USAGE, "not a volume name: '%s'", argv[5]);
	r = clone_store(stack, find(stack, argv[4]), argv[5]);
	return r < 0 ? r : say_path(stack, argv[4], ".store");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int argc;
		int (*run)(struct stack *stack, char **argv);
	} actions[] = { { "create", 6, create }, { "remove", 5, remove_clone }, { "store", 6, store } };
	struct stack *stack;
	unsigned int i;
	int r;

	for (i = 0; i < 3; i++)
		if (argc == actions[i].argc && strcmp(argv[1], actions[i].name) == 0)
			break;
	if (i == 3)
		errx(EXIT_USAGE, "usage: dm-clone create VOLUME STORE ID NAME | remove VOLUME STORE NAME "
		     "| store VOLUME STORE NAME VOLUME2");
	stack = tool_open(argv[2], argv[3]);
	tool_need_up(stack);
	r = actions[i].run(stack, argv);
	return tool_end(stack, "clone", r);
}
