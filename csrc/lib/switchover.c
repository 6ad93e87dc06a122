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
#include "upper.h"

enum {
	FLUSH_MS = 1000,		/* until it is asked why a suspension takes so long */
	PATIENCE_MS = 10000,		/* from the first volume suspended to the last resumed */
	GRACE_MS = 1000,		/* for a killed process to die, unless an ioctl holds it */
	RESERVE_BYTES = 1 << 20,	/* heap for libdevmapper, touched before it is needed */
};

enum word { READY = 'r', SUSPENDED = 's', DONE = 'd' };

void switchover_of(struct switchover *sw, const struct stack *stack)
{
	*sw = (struct switchover){ 0 };
	stack_dev(stack, "origin", NO_ID, &sw->origin);
	stack_dev(stack, "store", NO_ID, &sw->store);
	sw->error = upper_find(stack, &sw->upper, &sw->has_upper);
}

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

static int load_late(struct switchover *sw)
{
	struct dev_state state;
	int r;

	if (!sw->late)
		return 0;
	r = dev_state(sw->origin.uuid, &state);
	return r < 0 || state.loaded ? r : dev_load(sw->origin.uuid, sw->late);
}

static int switch_tables(struct switchover *sw)
{
	int r = step();

	if (r == 0)
		r = load_late(sw);
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
 *
 * All are unloaded before anything else happens, so that whoever comes after us sees which way it goes.
 */
static void undo(struct switchover *sw, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		dev_unload(sw[i].origin.uuid);
	for (i = 0; i < count; i++)
		if (sw[i].has_base)
			dev_swap(&sw[i].base, &sw[i].undo);
}

static int resume_if_suspended(struct switchover *sw)
{
	struct dev_state state;
	int r = dev_state(sw->origin.uuid, &state), resumed;

	if (r < 0 || !state.suspended)
		return r;
	r = dev_resume(&sw->origin);
	if (r == 0)
		return 0;
	undo(sw, 1);	/* the kernel dropped the new table and kept the old one */
	resumed = dev_resume(&sw->origin);
	return resumed < 0 ? resumed : r;
}

/* Whatever became of the volume: without it, writers would just wait there. */
static int resume_upper(const struct switchover *sw)
{
	struct dev_state state;
	int r = dev_state(sw->upper.uuid, &state);

	return r < 0 || !state.suspended ? r : dev_resume(&sw->upper);
}

static int resume_with_upper(struct switchover *sw)
{
	int r = resume_if_suspended(sw), resumed = 0;

	if (sw->has_upper) {
		if (r == 0)
			r = step();
		resumed = resume_upper(sw);
	}
	return r < 0 ? r : resumed;
}

static int resume_all(struct switchover *sw, unsigned int count)
{
	unsigned int i;
	int r = 0, resumed;

	for (i = 0; i < count; i++) {
		resumed = resume_with_upper(&sw[i]);
		if (r == 0)
			r = resumed;
		if (r == 0 && i + 1 < count)
			r = step();	/* some run, others wait */
	}
	return r;
}

static void go_back(struct switchover *sw, unsigned int count)
{
	undo(sw, count);
	resume_all(sw, count);
}

static int switch_and_resume(struct switchover *sw, unsigned int count)
{
	unsigned int i;
	int r = 0, resumed;

	for (i = 0; i < count && r == 0; i++)
		r = switch_tables(&sw[i]);
	if (r < 0)
		undo(sw, count);
	resumed = resume_all(sw, count);
	return r < 0 ? r : resumed;
}

/*
 * What the tables say of a switch that was cut off.  A volume that is suspended without a new table was being
 * undone; one that has its new table and is not suspended has yet to be: no volume was resumed on its new table
 * in either case.  Otherwise all were suspended at once, and some may run on their new tables already.
 * Where none is suspended, but what lies on one is, and none has a new table, all is done but to let that go.
 */
enum direction { NOWHERE, LET_GO, FORWARD, BACK };

static int upper_is_suspended(const struct switchover *sw, bool *suspended)
{
	struct dev_state state = { 0 };
	int r = sw->has_upper ? dev_state(sw->upper.uuid, &state) : 0;

	*suspended |= state.suspended;
	return r;
}

static int which_way(const struct switchover *sw, unsigned int count, enum direction *way)
{
	bool suspended = false, waiting = false, back = false;
	struct dev_state state;
	unsigned int i;
	int r;

	for (i = 0; i < count; i++) {
		r = dev_state(sw[i].origin.uuid, &state);
		if (r == 0)
			r = upper_is_suspended(&sw[i], &waiting);
		if (r < 0)
			return r;
		suspended |= state.suspended;
		back |= state.suspended ? !state.loaded && !sw[i].late : state.loaded;
	}
	*way = !suspended && !waiting ? NOWHERE : back ? BACK : suspended ? FORWARD : LET_GO;
	return 0;
}

int switchover_finish(struct switchover *sw, unsigned int count)
{
	enum direction way;
	int r = sw->error ? sw->error : which_way(sw, count, &way);

	if (r < 0 || way == NOWHERE)
		return r;
	if (way == LET_GO)
		return resume_all(sw, count);
	if (way == FORWARD)
		return switch_and_resume(sw, count);
	go_back(sw, count);
	return 0;
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

/*
 * The process that was killed is held by an ioctl, as long as a disk needs to flush.  It will do nothing when
 * that returns: let the volumes that wait for it go, if that is still the way.
 */
static void relieve(struct switchover *sw, unsigned int count)
{
	enum direction way;

	if (which_way(sw, count, &way) == 0 && way == BACK)
		go_back(sw, count);
}

static bool store_is_full(const struct switchover *sw, unsigned int count)
{
	struct dev_line line;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (dev_status(sw[i].store.uuid, &line) == 0 && strstr(line.params, "out_of_data_space"))
			return true;
	return false;
}

/*
 * Suspending the first may take as long as its disks need to flush.  But writers that wait for room in the store may wait
 * for ever, and whoever could make room waits for us.
 */
static int hear_suspended(const struct switchover *sw, unsigned int count, int fd, pid_t watched)
{
	int word = hear(fd, FLUSH_MS);

	while (word == -ETIMEDOUT) {
		if (store_is_full(sw, count))
			kill(watched, SIGUSR1);
		word = hear(fd, FLUSH_MS);
	}
	return word;
}

/* What comes after the first is suspended may not take long. */
static void watch(struct switchover *sw, unsigned int count, int fd, pid_t watched)
{
	int word = hear_suspended(sw, count, fd, watched);

	if (word == SUSPENDED)
		word = hear(fd, PATIENCE_MS);
	if (word == -ETIMEDOUT && store_is_full(sw, count)) {
		kill(watched, SIGUSR1);
		word = hear(fd, GRACE_MS);
	}
	if (word == -ETIMEDOUT) {
		kill(watched, SIGKILL);
		word = hear(fd, GRACE_MS);
	}
	if (word == -ETIMEDOUT) {
		relieve(sw, count);
		word = hear(fd, -1);
	}
	if (word == DONE)
		return;
	dev_cookie_abandon();
	switchover_finish(sw, count);
	dev_settle();
}

static void watchdog_main(struct switchover *sw, unsigned int count, int hear_fd, int tell_fd,
			  pid_t watched)
{
	step_watchdog();
	setsid();	/* a signal to the command's process group is not for us */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (lock_memory() == 0 && say(tell_fd, READY) == 0) {
		close(tell_fd);
		watch(sw, count, hear_fd, watched);
	}
	_exit(0);
}

static int watchdog_start(struct switchover *sw, unsigned int count, struct watchdog *dog)
{
	int to_dog[2], from_dog[2], r;
	pid_t self = getpid();

	if (pipe(to_dog) < 0 || pipe(from_dog) < 0)
		return -errno;
	dog->pid = fork();
	if (dog->pid == 0) {
		close(to_dog[1]);
		close(from_dog[0]);
		watchdog_main(sw, count, to_dog[0], from_dog[1], self);
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

/* What lies on the volume first: that freezes the filesystem, which may have to write, and waits for all of it. */
static int suspend_one(const struct switchover *sw)
{
	int r = sw->has_upper ? dev_suspend(sw->upper.uuid, true) : 0;

	if (r == 0 && sw->has_upper)
		r = step();
	return r < 0 ? r : dev_suspend(sw->origin.uuid, true);
}

/* All suspended, then all switched, then all resumed: at one instant none of them was being written. */
static int suspend_and_switch(struct switchover *sw, unsigned int count, struct watchdog *dog,
			      uint64_t *pause_us)
{
	uint64_t start = now_us();
	unsigned int i;
	int r = 0;

	for (i = 0; i < count && r == 0; i++) {
		r = step();
		if (r == 0)
			r = suspend_one(&sw[i]);
		if (i == 0 && r == 0)
			say(dog->tell, SUSPENDED);
	}
	if (r == 0)
		r = switch_and_resume(sw, count);
	else
		go_back(sw, count);
	*pause_us = now_us() - start;
	return r == -EINTR ? -ENOSPC : r;
}

static void give_up(int signal_number)
{
	(void)signal_number;	/* it has interrupted the ioctl that suspends */
}

/* All but the watchdog's. */
static void block_signals(sigset_t *old)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGUSR1);
	sigprocmask(SIG_BLOCK, &all, old);
}

static int any_error(const struct switchover *sw, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (sw[i].error)
			return sw[i].error;
	return 0;
}

int switchover_run(struct switchover *sw, unsigned int count, uint64_t *pause_us)
{
	struct sigaction action = { .sa_handler = give_up };
	struct watchdog dog = { .pid = -1, .tell = -1 };
	sigset_t old;
	int r = dev_cookie_prepare();

	sigaction(SIGUSR1, &action, NULL);
	if (r == 0)
		r = any_error(sw, count);
	if (r == 0)
		r = lock_memory();
	if (r == 0)
		r = watchdog_start(sw, count, &dog);
	if (r < 0) {
		undo(sw, count);
		munlockall();
		return r;
	}
	block_signals(&old);
	r = suspend_and_switch(sw, count, &dog, pause_us);
	watchdog_stop(&dog);
	sigprocmask(SIG_SETMASK, &old, NULL);
	munlockall();
	dev_settle();
	return r;
}
