// SPDX-License-Identifier: GPL-2.0-or-later
/* cowdev.c - see cowdev.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cow.h"
#include "cowdev.h"
#include "io.h"
#include "pool.h"
#include "step.h"

int cowdev_inspect(const struct stack *stack, const struct snapshot *snap, bool mend, bool *used)
{
	struct exceptions all = { 0 };
	struct cow cow;
	int r = stack_open_cow(stack, snap, O_RDWR, &cow);

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

static bool writers_wait(const struct stack *stack)
{
	struct pool_status pool;

	return pool_status(stack, &pool) == 0 && pool.waiting;
}

enum { POLL_US = 1000, LOOK_EVERY = 500 };	/* look at the pool twice a second */

/* How the child ended: 0 or -errno; -ENOSPC when it waited for room, and its device was made to fail for that. */
static int await(const struct stack *stack, const struct dev *cow, pid_t child)
{
	const struct timespec pause = { .tv_nsec = POLL_US * 1000 };
	unsigned int polls = 0;
	bool failed = false;
	int status;
	pid_t ended;

	while ((ended = waitpid(child, &status, WNOHANG)) == 0) {
		nanosleep(&pause, NULL);
		if (++polls % LOOK_EVERY == 0 && !failed && writers_wait(stack))
			failed = dev_fail(cow) == 0;
	}
	if (failed)
		return -ENOSPC;
	if (ended < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/*
 * In a process of its own: others may take the room that there was a moment ago, and then the write waits for more and
 * cannot be interrupted, while whoever could make room waits for us.
 */
static int blank(const struct stack *stack, const struct dev *cow, const char *path)
{
	pid_t child;
	int fd;

	signal(SIGCHLD, SIG_DFL);	/* ignored, as we may have inherited it, nobody could tell how it ended */
	child = fork();
	if (child < 0)
		return -errno;
	if (child > 0)
		return await(stack, cow, child);
	fd = io_open(path, O_RDWR);
	_exit(fd < 0 ? -fd : -io_close_synced(fd, cow_blank(fd, stack_chunk_bytes(stack))));
}

/* A thin volume without block zeroing shows what was there before: stale exceptions, at worst. */
int cowdev_create(const struct stack *stack, const struct snapshot *snap)
{
	char path[DEV_PATH_TEXT];
	struct dev_state state;
	struct dev cow;
	int r = pool_create_thin(stack, snap->thin);

	if (r == 0)
		r = step();
	if (r == 0)
		r = stack_cow(stack, snap, &state);
	if (r < 0)
		return r;
	dev_path(state.minor, path);
	stack_dev(stack, "cow", snap->thin, &cow);
	return blank(stack, &cow, path);
}
