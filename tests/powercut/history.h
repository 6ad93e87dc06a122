/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h - what the marks in the log promise at one moment.
 *
 *     op:NAME              what is being done from here on
 *     ready                the volume runs
 *     taken:UUID:SUM       that is what the snapshot shows, if it comes to be
 *     returned:UUID        … and the command has said so
 *     removing:UUID        from here on it may be gone
 *     synced:SEED:N        write N of that series (stamp.h), and all before it, are durable
 *     synced:-             somebody else writes to the volume
 *     shows:[SUM[,SUM]]    the volume shows one of these; with none, what the origin holds
 *     shows:-              a layer on it, while it is being written
 *     clone:NAME:SUM       that clone exists and shows this
 *     clone:NAME:-         it is being written
 *     unclone:NAME         from here on it may be gone
 */
#ifndef POWERCUT_HISTORY_H
#define POWERCUT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "num.h"

enum {
	PROMISES_MAX = 4096,
	CLONES_PROMISED_MAX = 256,
	OP_TEXT = 32,
};

struct promise {
	char uuid[UUID_TEXT];
	uint64_t sum;
	bool returned, removing;
};

struct clone_promise {
	char name[NAME_TEXT];
	uint64_t sum;
	bool known, removing;	/* known: sum counts */
};

struct history {
	bool ready;
	char op[OP_TEXT];
	struct promise promise[PROMISES_MAX];
	unsigned int promises;
	struct clone_promise clone[CLONES_PROMISED_MAX];
	unsigned int clones;
	uint64_t seed, synced;	/* UINT64_MAX: nothing is known of the volume's sectors */
	uint64_t shows[2];
	unsigned int shown;	/* how many of those count */
	bool layered;		/* and the origin does not count either */
};

/*
 * history_add - the next mark; -EBADMSG for one that is not understood.
 */
int history_add(struct history *history, const char *mark);

/*
 * history_find - what was promised of that snapshot, or NULL.
 */
const struct promise *history_find(const struct history *history, const char *uuid);

#endif
