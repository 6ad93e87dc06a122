// SPDX-License-Identifier: GPL-2.0-or-later
/* delta_meter.c - see delta_meter.h. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "delta_meter.h"

enum { TELL_US = 1000000 };

void delta_meter_start(struct delta_meter *meter, const char *path)
{
	memset(meter, 0, sizeof(*meter));
	meter->path = path;
	meter->begun_us = clock_us();
	meter->told_us = meter->begun_us;
}

/* By a rename: nobody reads half of it. */
static void tell(const struct delta_meter *meter)
{
	char new[PATH_MAX];
	FILE *file;

	if (snprintf(new, sizeof(new), "%s.new", meter->path) >= (int)sizeof(new))
		return;
	file = fopen(new, "we");
	if (!file)
		return;
	fprintf(file, "done_bytes=%" PRIu64 "\nskipped_bytes=%" PRIu64 "\nsent_bytes=%" PRIu64 "\n",
		meter->done_bytes, meter->skipped_bytes, meter->sent_bytes);
	if (fclose(file) == 0)
		rename(new, meter->path);
}

void delta_meter_sent(struct delta_meter *meter, size_t bytes, int64_t begun_us)
{
	int64_t now = clock_us();

	meter->write_us += now - begun_us;
	meter->sent_bytes += bytes;
	if (meter->path && now - meter->told_us >= TELL_US) {
		meter->told_us = now;
		tell(meter);
	}
}
