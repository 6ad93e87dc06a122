// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-wait - tell when something has happened to a device-mapper device, whichever.
 *
 *     dm-wait
 *
 * For each line on stdin, a number of seconds, it waits for an event, or for so long, and answers with the
 * line `event` or `time`.  What happened since the answer before counts, so nothing is missed while the asker is at
 * work; what happens within a tenth of a second is one event.
 * Exit 0 when stdin ends, or its other side goes while we wait; 5: the kernel cannot tell of events (before 4.14);
 * 1, 2.  Nothing is changed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exits.h"
#include "num.h"

enum {
	SECONDS_MAX = 86400,
	GATHER_US = 100000,	/* one command of ours makes a dozen events */
	LINE_TEXT = 32,
};

/* From now on, events make @control readable. */
static int arm(int control)
{
	struct dm_ioctl arguments = {
		.version = { 4, 37, 0 }, .data_size = sizeof(arguments),
	};

	if (ioctl(control, DM_DEV_ARM_POLL, &arguments) == 0)
		return 0;
	return errno == ENOTTY || errno == EINVAL ? -EOPNOTSUPP : -errno;
}

/* 1: an event, 0: none in time, -EPIPE: nobody wants to know any more. */
static int wait_for_event(int control, uint64_t seconds)
{
	struct pollfd wait[] = {
		{ .fd = control, .events = POLLIN }, { .fd = STDIN_FILENO },
	};
	int r;

	do
		r = poll(wait, 2, (int)seconds * 1000);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : 0;
	return wait[0].revents ? 1 : -EPIPE;
}

static int answer(int control, const char *line)
{
	uint64_t seconds;
	int r, armed;

	if (num_u64(line, SECONDS_MAX, &seconds) < 0)
		errx(EXIT_USAGE, "not a number of seconds: '%s'", line);
	r = wait_for_event(control, seconds);
	if (r < 0)
		return r;
	if (r > 0)
		usleep(GATHER_US);
	armed = arm(control);	/* before the answer: what is asked about next began then */
	if (armed < 0)
		return armed;
	puts(r > 0 ? "event" : "time");
	return fflush(stdout) == 0 ? 0 : -errno;
}

int main(int argc, char **argv)
{
	char line[LINE_TEXT];
	int control, r;

	(void)argv;
	if (argc != 1)
		errx(EXIT_USAGE, "usage: dm-wait");
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	r = control >= 0 ? arm(control) : errno == ENODEV || errno == ENOENT ? -EOPNOTSUPP : -errno;
	while (r == 0 && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		r = answer(control, line);
	}
	if (r < 0 && r != -EPIPE)
		errx(exit_code(r), "cannot wait for events: %s", reason(r));
	return EXIT_DONE;
}
