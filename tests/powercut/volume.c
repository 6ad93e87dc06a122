// SPDX-License-Identifier: GPL-2.0-or-later
/* volume.c - see volume.h. */
#include <errno.h>
#include <libdevmapper.h>
#include <sys/stat.h>

#include "life.h"
#include "view.h"
#include "volume.h"

struct stack *volume_start(const char *origin, const char *store, int *error)
{
	struct stat origin_stat, store_stat;
	struct stack *stack;

	dev_init();
	if (stat(origin, &origin_stat) < 0 || stat(store, &store_stat) < 0) {
		*error = -errno;
		return NULL;
	}
	stack = stack_open(VOLUME, store, error);
	if (!stack)
		return NULL;
	*error = life_start(stack, origin_stat.st_rdev, store_stat.st_rdev, 0);
	if (*error == 0)
		return stack;
	stack_close(stack);
	return NULL;
}

int volume_show(struct stack *stack)
{
	const struct snapshot *snaps[SNAPSHOTS_MAX];
	struct bound bound = { 0 };
	unsigned int i, count = 0, shown;

	for (i = 0; i < stack->rec.count; i++)
		if (stack->rec.snapshot[i].state == LIVE)
			snaps[count++] = &stack->rec.snapshot[i];
	return view_show(stack, snaps, count, &bound, &shown);
}

int volume_fall(struct stack *stack)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_REMOVE_ALL);
	int r = task && dm_task_run(task) ? 0 : -EIO;

	stack_close(stack);
	if (task)
		dm_task_destroy(task);
	dm_lib_release();
	return r;
}
