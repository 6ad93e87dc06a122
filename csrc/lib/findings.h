/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings.h - what a comparison of a whole device found, and how far it has come, on stdout:
 *
 *     differs OFFSET LENGTH	and what follows it may go on there
 *     at OFFSET		every two seconds: all before it was compared, and what was found is on disk
 *     end
 *
 * so that one that was cut can go on from the last "at".  0 or -errno.
 */
#ifndef ZUMASTOR_FINDINGS_H
#define ZUMASTOR_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "delta.h"

struct findings {
	struct delta_extent run;		/* that differs, not yet told */
	int64_t noted_ms;
};

void findings_begin(struct findings *findings);
void findings_differ(struct findings *findings, uint64_t offset, uint64_t length);

/* findings_due - is it time for a note?   findings_note - all before @offset was compared. */
bool findings_due(const struct findings *findings);
int findings_note(struct findings *findings, uint64_t offset);
int findings_end(struct findings *findings);

#endif
