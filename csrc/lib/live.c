// SPDX-License-Identifier: GPL-2.0-or-later
/* live.c - see live.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io.h"
#include "live.h"
#include "switchover.h"
#include "upper.h"

enum { PATH_TEXT = 64 };

/* Putting it up. */

static bool has_holders(dev_t device)
{
	char path[PATH_TEXT];
	const struct dirent *entry;
	bool found = false;
	DIR *holders;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", major(device), minor(device));
	holders = opendir(path);
	while (holders && !found && (entry = readdir(holders)))
		found = entry->d_name[0] != '.';
	if (holders)
		closedir(holders);
	return found;
}

static bool has_size(const struct table *table, uint64_t sectors)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < table->count; i++)
		sum += table->line[i].sectors;
	return sum == sectors;
}

/* Devices are found by UUID, and dmsetup gives none. */
static int identify(dev_t device, struct dev *dev)
{
	struct dev_state state;
	char uuid[UUID_TEXT];
	int r = dev_identify(device, dev);

	if (r < 0)
		return r;
	if (!dev->uuid[0]) {
		r = uuid_random(uuid);
		snprintf(dev->uuid, sizeof(dev->uuid), "ZUMALIVE-%s", uuid);
		if (r == 0)
			r = dev_set_uuid(dev);
	}
	if (r == 0)
		r = dev_state(dev->uuid, &state);
	return r < 0 ? r : state.suspended || state.loaded || !state.live ? -EBUSY : 0;
}

int live_lower_up(struct stack *stack, dev_t device, struct dev *upper)
{
	struct table table = { 0 };
	struct dev lower;
	int r = dm_is_dm_major(major(device)) ? dev_linear_table(device, &table) : -EBUSY;

	if (r == 0 && (has_holders(device) || table.readonly || !has_size(&table, stack->rec.origin_sectors)))
		r = -EBUSY;
	if (r == 0)
		r = identify(device, upper);
	stack_dev(stack, "lower", NO_ID, &lower);
	if (r == 0)
		r = dev_create(&lower, &table);
	stack->lower = r == 0;
	table_free(&table);
	return r;
}

int live_lower_down(struct stack *stack)
{
	struct dev lower;
	int r;

	stack_dev(stack, "lower", NO_ID, &lower);
	r = dev_remove(lower.uuid);
	if (r == 0)
		r = dev_node(&lower);
	if (r == 0)
		stack->lower = false;
	return r;
}

/* Swapping. */

static int swap(const struct stack *stack, const struct dev *upper, struct table *table)
{
	struct switchover sw = { .origin = *upper };
	uint64_t pause_us;
	int r;

	stack_dev(stack, "store", NO_ID, &sw.store);
	r = dev_load(upper->uuid, table);
	return r < 0 ? r : switchover_run(&sw, 1, &pause_us);
}

int live_put(struct stack *stack, const struct dev *upper)
{
	struct table table = { 0 };
	int r = stack_linear(stack, "origin", NO_ID, &table);

	dev_settle();
	if (r == 0)
		r = swap(stack, upper, &table);
	table_free(&table);
	return r;
}

int live_take_off(struct stack *stack, const struct dev *upper)
{
	struct table table = { 0 };
	struct dev_state lower;
	int r = stack_state(stack, "lower", NO_ID, &lower);

	dev_settle();
	if (r == 0)
		r = dev_linear_table(makedev(lower.major, lower.minor), &table);
	if (r == 0)
		r = swap(stack, upper, &table);
	table_free(&table);
	return r;
}

/* After a kill. */

/* Suspended it was on its way to the new table, and either is right; running it had not yet begun. */
static int finish_swap(const struct dev *upper)
{
	struct dev_state state;
	int r = dev_state(upper->uuid, &state);

	if (r < 0 || !state.loaded)
		return r;
	return state.suspended ? dev_resume(upper) : dev_unload(upper->uuid);
}

int live_mend(struct stack *stack, bool *detached)
{
	struct dev upper;
	bool there;
	int r;

	*detached = false;
	if (!stack->lower)
		return 0;
	r = upper_holder(stack, &upper, &there);
	if (r == 0 && there)
		r = finish_swap(&upper);
	if (r == 0)
		r = upper_find(stack, &upper, &there);
	*detached = !there;
	return r;
}

int live_recover(struct stack *stack)
{
	struct origin_seen *seen = &stack->rec.origin_seen;
	bool detached;
	int r = stack->adopting ? 0 : live_mend(stack, &detached);

	if (r < 0 || stack->adopting)
		return r;
	if (detached)
		return -ENOLINK;
	if (seen->when != SEEN_STOPPED)
		return 0;
	*seen = (struct origin_seen){ .when = SEEN_RUNNING };	/* a stop that was cut off left its word */
	return stack_commit(stack);
}

/* Claiming. */

int live_claim(struct stack *stack, bool mounted, struct claim *claim)
{
	char path[DEV_PATH_TEXT];
	struct dev_state state;
	bool detached;
	int r = live_mend(stack, &detached);

	*claim = (struct claim){ .fd = -1 };
	if (r == 0)
		r = upper_find(stack, &claim->upper, &claim->there);
	if (r < 0 || !claim->there)
		return r;
	r = dev_state(claim->upper.uuid, &state);
	if (r < 0)
		return r;
	claim->device = makedev(state.major, state.minor);
	if (mounted)
		return 0;
	dev_path(state.minor, path);
	claim->fd = io_open(path, O_RDONLY | O_EXCL);
	return claim->fd < 0 ? claim->fd : 0;
}

void live_release(struct claim *claim)
{
	if (claim->fd >= 0)
		close(claim->fd);
	claim->fd = -1;
}
