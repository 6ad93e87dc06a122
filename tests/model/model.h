/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - a volume, and what is known of it without asking it.
 */
#ifndef ZUMASTOR_MODEL_H
#define ZUMASTOR_MODEL_H

#include "shadow.h"
#include "stack.h"

enum { SNAPSHOTS = 60 };

struct known {
	uint32_t id;
	unsigned int slot;	/* of the shadow */
	int held;		/* a descriptor that keeps VOL(id) open, or -1 */
};

struct model {
	const char *volume, *origin, *store;
	uint64_t seed, operation, others, faults, reverts;	/* others: that do not write */
	unsigned int writes;	/* how much more often those come */
	struct noise noise;
	struct shadow shadow;
	struct known snap[SNAPSHOTS];
	unsigned int count;
	enum revert_phase phase;	/* NONE, OPEN or MERGING */
	uint32_t back_to;
	bool slot_used[SNAPSHOTS + 1];
	struct slice slice;	/* where absorbing is to go on */
};

/*
 * What a change of the volume does to the set of snapshots.  @want is its result; one that wants 0 may be
 * made in a process that dies half-way.
 */
struct change {
	int (*act)(struct model *model, struct stack *stack, uint32_t id);
	uint32_t id;		/* of the snapshot it is about */
	bool appears, vanishes;	/* a new one; that one */
	bool reverts;		/* the volume comes to that phase of a revert; OPEN: to that one */
	enum revert_phase to;
	int want;
};

/*
 * operation_run - one random operation; 0, or a negative number when something is not as it should be,
 * which has been said.  *@name is which.
 */
int operation_run(struct model *model, const char **name);

/*
 * change_run - make a change and compare the set of snapshots with what it must be.
 */
int change_run(struct model *model, const struct change *change);

/*
 * model_start - put the volume up, whatever it is now.
 */
int model_start(struct model *model);

/*
 * model_check - nothing is suspended, and the volume and all snapshots are right in every byte.
 */
int model_check(struct model *model);

/*
 * model_wrong - say so, with the seed and the number of the operation; returns -EILSEQ.
 */
int model_wrong(const struct model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * model_path - of the volume (NO_ID) or of a snapshot that is shown.
 */
int model_path(struct model *model, uint32_t id, char path[DEV_PATH_TEXT]);

#endif
