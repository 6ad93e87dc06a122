// SPDX-License-Identifier: GPL-2.0-or-later
/* loop.c - see loop.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev.h"
#include "io.h"
#include "loop.h"

static int loop_try(int control, int image, struct loop *loop)
{
	struct loop_config config = { .fd = (uint32_t)image, .block_size = SECTOR_SIZE,
				      .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int number = ioctl(control, LOOP_CTL_GET_FREE);
	char path[DEV_PATH_TEXT];
	struct stat st;
	int r = 0;

	if (number < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	loop->fd = open(path, O_RDWR | O_CLOEXEC);
	if (loop->fd < 0)
		return -errno;
	if (ioctl(loop->fd, LOOP_CONFIGURE, &config) < 0 || fstat(loop->fd, &st) < 0)
		r = -errno;
	if (r < 0)
		close(loop->fd);
	else
		loop->device = st.st_rdev;
	return r;
}

/* Somebody else may take the free device first: then the next one. */
int loop_attach(int image, struct loop *loop)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int tries, r;

	if (control < 0)
		return errno == ENOENT || errno == ENODEV ? -EOPNOTSUPP : -errno;
	for (tries = 0; tries < 64; tries++) {
		r = loop_try(control, image, loop);
		if (r != -EBUSY)
			break;
	}
	close(control);
	return r;
}
