// SPDX-License-Identifier: GPL-2.0-or-later
/* findings.c - see findings.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "findings.h"
#include "io.h"

enum { NOTE_MS = 2000 };

void findings_begin(struct findings *findings)
{
	*findings = (struct findings){ .noted_ms = clock_ms() };
}

static void tell_run(struct findings *findings)
{
	if (findings->run.length > 0)
		printf("differs %" PRIu64 " %" PRIu64 "\n", findings->run.offset, findings->run.length);
	findings->run.length = 0;
}

void findings_differ(struct findings *findings, uint64_t offset, uint64_t length)
{
	struct delta_extent *run = &findings->run;

	if (run->length > 0 && run->offset + run->length != offset)
		tell_run(findings);
	if (run->length == 0)
		run->offset = offset;
	run->length += length;
}

/* A pipe cannot be flushed to disk, and says so. */
static int keep(void)
{
	int r = io_flush_stdout();

	return r == 0 && fdatasync(STDOUT_FILENO) < 0 && errno != EINVAL ? -errno : r;
}

bool findings_due(const struct findings *findings)
{
	return clock_ms() - findings->noted_ms >= NOTE_MS;
}

int findings_note(struct findings *findings, uint64_t offset)
{
	findings->noted_ms = clock_ms();
	tell_run(findings);
	printf("at %" PRIu64 "\n", offset);
	return keep();
}

int findings_end(struct findings *findings)
{
	tell_run(findings);
	puts("end");
	return keep();
}
