/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progress.h - how far the applying of a delta has come, so that one that was cut can go on from there.
 *
 * Two files tell it, each of one sector that is written in place, as who writes it may open nothing any more (confine.h):
 *
 *     base=UUID|none
 *     snapshot=UUID
 *     offset=BYTES       what the delta says of the volume before this address is on the device
 *     again=BYTES        the same: where a crash tore the sector the two differ, and it tells nothing
 *
 * and empty lines.  One is in memory (/run): it is written behind every segment, costs nothing, and is true for whoever
 * comes after a cut or a kill; a crash takes it along.  The other is on a disk, behind what it tells: it is true after a crash,
 * too, and is written only so often, as the device must flush before.
 */
#ifndef ZUMASTOR_PROGRESS_H
#define ZUMASTOR_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "delta.h"

struct progress {
	const struct delta_facts *facts;
	int quick;			/* the one in memory, or -1 for neither */
	int durable;			/* and the one on a disk */
	int device;			/* flushed first */
	int sums;			/* and this, unless it is -1 */
	int64_t flushed_ms;		/* when that was, by clock_ms() */
	uint64_t offset;		/* as last noted */
};

/*
 * progress_open - open both files, or none for NULL; @fresh: what they tell is over, the delta begins at its beginning.
 */
int progress_open(struct progress *progress, const char *quick, const char *durable, bool fresh);

/*
 * progress_begin - nothing is noted yet; the facts and the device must stay.
 */
void progress_begin(struct progress *progress, const struct delta_facts *facts, int device, int sums);

/*
 * progress_note - all before @offset was written.  0 or -errno.
 */
int progress_note(struct progress *progress, uint64_t offset);

/*
 * progress_keep - the durable file tells what was noted last; the same.
 */
int progress_keep(struct progress *progress);

#endif
