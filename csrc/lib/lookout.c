// SPDX-License-Identifier: GPL-2.0-or-later
/* lookout.c - see lookout.h. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lookout.h"
#include "pool.h"

enum { LOOK_MS = 500, FAILED = 'f' };

static bool writers_wait(const struct stack *stack)
{
	struct pool_status pool;

	return pool_status(stack, &pool) == 0 && pool.waiting;
}

/* Until the other end is closed, by whom we look out for or by its death. */
static void look_out(int fd, const struct stack *stack, const struct dev *devices, unsigned int count)
{
	const char word = FAILED;
	struct pollfd ended = { .fd = fd, .events = POLLIN };
	unsigned int i;

	while (poll(&ended, 1, LOOK_MS) == 0) {
		if (!writers_wait(stack))
			continue;
		send(fd, &word, 1, MSG_NOSIGNAL);
		for (i = 0; i < count; i++)
			dev_fail(&devices[i]);
		return;
	}
}

int lookout_begin(struct lookout *lookout, const struct stack *stack, const struct dev *devices,
		  unsigned int count)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	lookout->fd = ends[0];
	lookout->pid = fork();
	if (lookout->pid == 0) {
		close(ends[0]);
		look_out(ends[1], stack, devices, count);
		_exit(0);
	}
	close(ends[1]);
	if (lookout->pid > 0)
		return 0;
	close(ends[0]);
	return -ENOMEM;
}

int lookout_end(struct lookout *lookout, int r)
{
	char word;

	shutdown(lookout->fd, SHUT_WR);
	if (read(lookout->fd, &word, 1) == 1)
		r = -ENOSPC;
	close(lookout->fd);
	waitpid(lookout->pid, NULL, 0);	/* where the end of children is ignored it is gone by now, and that is as good */
	return r;
}
