// SPDX-License-Identifier: GPL-2.0-or-later
/* cowdev.c - see cowdev.h. */
#include <errno.h>
#include <fcntl.h>

#include "cow.h"
#include "cowdev.h"
#include "io.h"
#include "lookout.h"
#include "pool.h"
#include "step.h"

int cowdev_inspect(const struct stack *stack, const struct snapshot *snap, bool mend, bool *used)
{
	struct exceptions all = { 0 };
	struct cow cow;
	int r = stack_open_cow(stack, "cow", snap, O_RDWR, &cow);

	if (r < 0)
		return r;
	r = cow.valid ? cow_load(&cow, &all) : -ESTALE;
	*used = all.count > 0;
	exceptions_free(&all);
	if (r == 0 && mend)
		r = cow_mend_tail(&cow);
	cow_close(&cow);
	return r;
}

/* A thin volume without block zeroing shows what was there before: stale exceptions, at worst. */
static int blank(const struct stack *stack, const char *path)
{
	int fd = io_open(path, O_RDWR);

	return fd < 0 ? fd : io_close_synced(fd, cow_blank(fd, stack_chunk_bytes(stack)));
}

int cowdev_create(const struct stack *stack, const struct snapshot *snap)
{
	char path[DEV_PATH_TEXT];
	struct lookout lookout;
	struct dev_state state;
	struct dev cow;
	int r = pool_create_thin(stack, snap->thin);

	if (r == 0)
		r = step();
	if (r == 0)
		r = stack_cow(stack, snap, &state);
	stack_dev(stack, "cow", snap->thin, &cow);
	if (r == 0)
		r = lookout_begin(&lookout, stack, &cow, 1);
	if (r < 0)
		return r;
	dev_path(state.minor, path);
	return lookout_end(&lookout, blank(stack, path));
}
