// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-status - what the kernel says of a volume.
 *
 *     dm-status VOLUME STORE
 *
 * Facts, key=value, one a line; sizes in bytes.  Nothing is changed or waited for, so it answers for a volume
 * that is suspended or whose writers wait for space.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "exits.h"
#include "pool.h"
#include "revert.h"
#include "settle.h"
#include "tool.h"
#include "upper.h"
#include "view.h"

static const char *mode(const struct pool_status *pool)
{
	if (pool->failed)
		return "Fail";
	if (pool->read_only)
		return "ro";
	return pool->waiting ? "out_of_data_space" : "rw";
}

static const char *shortage(const struct pool_status *pool)
{
	if (pool->full)
		return "full";
	if (pool->meta_short)
		return "metadata";
	return pool->data_short ? "data" : "no";
}

static int print_pool(struct stack *stack)
{
	struct pool_status pool;
	int r = pool_status(stack, &pool);

	if (r < 0)
		return r == -ENXIO ? 0 : r;
	printf("store_mode=%s\nneeds_check=%s\n", mode(&pool), pool.needs_check ? "yes" : "no");
	printf("store_short=%s\nwriters_wait=%s\n", shortage(&pool),
	       pool_writers_wait() ? "yes" : "no");
	printf("store_used_bytes=%" PRIu64 "\nstore_total_bytes=%" PRIu64 "\n", pool.used_bytes,
	       pool.total_bytes);
	printf("meta_used_bytes=%" PRIu64 "\nmeta_total_bytes=%" PRIu64 "\n", pool.meta_used_bytes,
	       pool.meta_total_bytes);
	return 0;
}

static int print_head(struct stack *stack)
{
	char text[32];
	uint64_t chunks;
	int r = stack_head_status(stack, text, sizeof(text), &chunks);

	if (r < 0)
		return r;
	if (stack->attached == NO_ID)
		printf("head=none\n");
	else
		printf("head=%" PRIu32 "\n", stack->attached);
	printf("head_state=%s\nhead_chunks=%" PRIu64 "\n", text, chunks);
	return 0;
}

static int print_shown(struct stack *stack)
{
	const char *separator = "";
	bool there[SNAPSHOTS_MAX];
	uint64_t bytes;
	unsigned int i;
	int r = stack_present(stack, "shown", there);

	printf("shown=");
	for (i = 0; i < stack->rec.count && r == 0; i++)
		if (there[i]) {
			printf("%s%" PRIu32, separator, stack->rec.snapshot[i].id);
			separator = ",";
		}
	if (r == 0)
		r = view_memory(stack, &bytes);
	if (r == 0)
		printf("\nview_bytes=%" PRIu64 "\n", bytes);
	return r;
}

static int print_revert(struct stack *stack)
{
	static const char *const names[] = {
		[REVERT_PENDING] = "pending", [REVERT_OPEN] = "open", [REVERT_MERGING] = "merging",
	};
	const struct revert *revert = &stack->rec.revert;
	uint64_t left = 0;
	int r;

	if (!is_reverting(&stack->rec))
		return 0;
	r = revert_left(stack, &left);
	printf("revert=%s\nrevert_snapshot=%" PRIu32 "\n", names[revert->phase], revert->snapshot);
	printf("revert_state=%s\nrevert_layer_bytes=%" PRIu64 "\n", r == 0 ? "ok" :
	       r == -ESTALE ? "Invalid" : "Merge failed", left);
	return 0;
}

/* NAME:SNAPSHOT:STATE, and a comma between two. */
static int print_clones(struct stack *stack)
{
	const char *separator = "";
	struct dev_state state;
	unsigned int i;
	int r = 0;

	printf("clones=");
	for (i = 0; i < stack->rec.clones && r == 0; i++) {
		const struct clone *clone = &stack->rec.clone[i];

		if (clone->deleting)
			continue;
		r = stack_state(stack, "clone", clone->thin, &state);
		printf("%s%s:%" PRIu32 ":%s", separator, clone->name, clone->snapshot,
		       !state.live ? "down" : state.open_count ? "open" : "up");
		separator = ",";
	}
	printf("\n");
	return r;
}

/* What lies on the volume counts, too: is it suspended, or under way to another table, or not there any more? */
static int word(struct stack *stack, bool suspended, const char **text)
{
	struct dev_state state = { 0 };
	struct dev upper;
	bool there;
	int r = upper_find(stack, &upper, &there);

	if (r == 0 && there)
		r = dev_state(upper.uuid, &state);
	*text = suspended || state.suspended || state.loaded ? "suspended" :
		stack->lower && !there ? "detached" : "running";
	return r;
}

static int print_all(struct stack *stack)
{
	struct dev_state origin, pool;
	const char *state = stack->lower ? "detached" : "stopped";
	bool up;
	int r = stack_state(stack, "origin", NO_ID, &origin);

	if (r == 0)
		r = stack_state(stack, "store", NO_ID, &pool);
	if (r == 0)
		r = stack_is_up(stack, &up);
	if (r == 0 && up)
		r = word(stack, origin.suspended || pool.suspended, &state);
	if (r < 0)
		return r;
	printf("state=%s\n", state);
	if (!up)
		return 0;
	r = print_head(stack);
	if (r == 0)
		r = print_revert(stack);
	if (r == 0)
		r = print_pool(stack);
	if (r == 0)
		r = print_clones(stack);
	return r < 0 ? r : print_shown(stack);
}

int main(int argc, char **argv)
{
	struct stack *stack;

	if (argc != 3)
		errx(EXIT_USAGE, "usage: dm-status VOLUME STORE");
	stack = tool_open(argv[1], argv[2]);
	return tool_end(stack, "query", print_all(stack));
}
