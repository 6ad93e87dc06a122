/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - start the volume on disks as a power cut has left them, and look whether all promises are kept.
 */
#ifndef POWERCUT_CHECK_H
#define POWERCUT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "history.h"
#include "stack.h"

struct check {
	const char *origin, *store;	/* devices */
	uint64_t origin_sectors;
	struct history history;
	uint64_t random;
	uint64_t *last;			/* by sector: number of the last write that is durable */
	uint64_t last_seed, last_synced;
	struct stack *stack;
	uint8_t *volume;		/* what it shows */
	char what[256];			/* is wrong */
};

int check_init(struct check *check, const char *origin, uint64_t origin_sectors, const char *store);

/*
 * check_cut - @origin_sum is what the origin's disk holds.
 *
 * 0; -EUCLEAN with check->what; another error when the test itself failed.  No dm device is left.
 */
int check_cut(struct check *check, uint64_t origin_sum);

#endif
