/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * digest.h - a quick sum over a device, to tell contents apart, and cheap random numbers.
 */
#ifndef POWERCUT_DIGEST_H
#define POWERCUT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/*
 * digest - of @bytes, a multiple of 8.
 */
uint64_t digest(const void *bytes, size_t count);

/*
 * digest_device - of the whole device, past the page cache; 0 or -errno.
 */
int digest_device(const char *path, uint64_t *sum);

/*
 * rnd - the next of a series of random numbers; *@state is not 0.
 */
uint64_t rnd(uint64_t *state);

#endif
