/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.h - a loop device over a file in memory.
 */
#ifndef ZUMASTOR_LOOP_H
#define ZUMASTOR_LOOP_H

#include <sys/types.h>

struct loop {
	int fd;		/* the device goes when this is closed and nothing else holds it */
	dev_t device;
};

/*
 * loop_attach - a free loop device for the file open as @image; -EOPNOTSUPP for a kernel without.
 */
int loop_attach(int image, struct loop *loop);

#endif
