// SPDX-License-Identifier: GPL-2.0-or-later
/* switchover.c - see switchover.h. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "step.h"
#include "switchover.h"

enum {
	PATIENCE_MS = 10000,		/* for the few ioctls between suspend and resume */
	RESERVE_BYTES = 1 << 20,	/* heap for libdevmapper, touched before it is needed */
};

enum word { READY = 'r', SUSPENDED = 's', DONE = 'd' };

/* Swap the base of the former head onto the new snapshot, if that has not happened yet. */
static int swap_base(const struct switchover *sw)
{
	struct dev_state state;
	int r = dev_state(sw->base.uuid, &state);

	if (r < 0 || (!state.loaded && !state.suspended))
		return r;
	if (!state.suspended)
		r = dev_suspend(sw->base.uuid, false);
	if (r == 0)
		r = step();
	return r < 0 ? r : dev_resume(&sw->base);
}

static int switch_tables(const struct switchover *sw)
{
	struct dev_state state;
	int r = step();

	if (r == 0 && sw->late)
		r = dev_state(sw->origin.uuid, &state);
	if (r == 0 && sw->late && !state.loaded)
		r = dev_load(sw->origin.uuid, sw->late);
	if (r == 0 && sw->has_snap)
		r = dev_resume(&sw->snap);
	if (r == 0)
		r = step();
	if (r == 0 && sw->has_base)
		r = swap_base(sw);
	return r < 0 ? r : step();
}

/*
 * Back to the old tables.  A base that already leads to the new snapshot must be turned back first: writes
 * of the old volume table would otherwise end in the snapshot.
 */
static void undo(struct switchover *sw)
{
	dev_unload(sw->origin.uuid);
	if (sw->has_base)
		dev_swap(&sw->base, &sw->undo);
}

static int switch_and_resume(struct switchover *sw)
{
	int r = switch_tables(sw), resumed;

	if (r < 0)
		undo(sw);
	resumed = dev_resume(&sw->origin);
	if (resumed < 0 && r == 0) {
		undo(sw);	/* the kernel dropped the new table and kept the old one */
		dev_resume(&sw->origin);
	}
	return r < 0 ? r : resumed;
}

int switchover_finish(struct switchover *sw)
{
	struct dev_state state;
	int r = dev_state(sw->origin.uuid, &state);

	if (r < 0 || !state.suspended)
		return r;
	return state.loaded || sw->late ? switch_and_resume(sw) : dev_resume(&sw->origin);
}

/* Nothing that is needed while the volume is suspended may have to come from a disk. */
static int lock_memory(void)
{
	void *reserve;

	mallopt(M_TRIM_THRESHOLD, 4 * RESERVE_BYTES);
	mallopt(M_MMAP_THRESHOLD, 4 * RESERVE_BYTES);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return -errno;
	reserve = malloc(RESERVE_BYTES);
	if (!reserve)
		return -ENOMEM;
	memset(reserve, 1, RESERVE_BYTES);
	free(reserve);
	return 0;
}

/* The watchdog. */

struct watchdog {
	pid_t pid;
	int tell;	/* write end: what the switching process has come to */
};

static int say(int fd, enum word word)
{
	char byte = (char)word;

	return write(fd, &byte, 1) == 1 ? 0 : -EIO;
}

/* The next word, or 0 when the other side is gone, or -ETIMEDOUT. */
static int hear(int fd, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte;
	int r;

	do
		r = poll(&wait, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return -ETIMEDOUT;
	return read(fd, &byte, 1) == 1 ? byte : 0;
}

/* Suspending may take as long as the disks need to flush; what comes after may not. */
static void watch(struct switchover *sw, int fd, pid_t watched)
{
	int word = hear(fd, -1);

	if (word == SUSPENDED)
		word = hear(fd, PATIENCE_MS);
	if (word == -ETIMEDOUT) {
		kill(watched, SIGKILL);
		word = hear(fd, -1);
	}
	if (word == DONE)
		return;
	dev_cookie_abandon();
	switchover_finish(sw);
	dev_settle();
}

static void watchdog_main(struct switchover *sw, int hear_fd, int tell_fd, pid_t watched)
{
	step_watchdog();
	setsid();	/* a signal to the command's process group is not for us */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (lock_memory() == 0 && say(tell_fd, READY) == 0) {
		close(tell_fd);
		watch(sw, hear_fd, watched);
	}
	_exit(0);
}

static int watchdog_start(struct switchover *sw, struct watchdog *dog)
{
	int to_dog[2], from_dog[2], r;
	pid_t self = getpid();

	if (pipe(to_dog) < 0 || pipe(from_dog) < 0)
		return -errno;
	dog->pid = fork();
	if (dog->pid == 0) {
		close(to_dog[1]);
		close(from_dog[0]);
		watchdog_main(sw, to_dog[0], from_dog[1], self);
	}
	r = dog->pid < 0 ? -errno : 0;
	close(to_dog[0]);
	close(from_dog[1]);
	dog->tell = to_dog[1];
	if (r == 0 && hear(from_dog[0], -1) != READY)
		r = -ECHILD;
	close(from_dog[0]);
	return r;
}

static void watchdog_stop(struct watchdog *dog)
{
	say(dog->tell, DONE);
	close(dog->tell);
	waitpid(dog->pid, NULL, 0);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int suspend_and_switch(struct switchover *sw, struct watchdog *dog, uint64_t *pause_us)
{
	uint64_t start = now_us();
	int r = dev_suspend(sw->origin.uuid, true);

	if (r < 0) {
		undo(sw);
		return r;
	}
	say(dog->tell, SUSPENDED);
	r = switch_and_resume(sw);
	*pause_us = now_us() - start;
	return r;
}

int switchover_run(struct switchover *sw, uint64_t *pause_us)
{
	struct watchdog dog = { .pid = -1, .tell = -1 };
	sigset_t all, old;
	int r = dev_cookie_prepare();

	if (r == 0)
		r = lock_memory();
	if (r == 0)
		r = watchdog_start(sw, &dog);
	if (r < 0) {
		undo(sw);
		munlockall();
		return r;
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	r = step();
	if (r == 0)
		r = suspend_and_switch(sw, &dog, pause_us);
	else
		undo(sw);
	watchdog_stop(&dog);
	sigprocmask(SIG_SETMASK, &old, NULL);
	munlockall();
	dev_settle();
	return r;
}
