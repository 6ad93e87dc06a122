/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_meter.h - how far the packing of a delta has come, and what it waited for.
 *
 * Whoever wants to know while it goes on gives a file: it is replaced about once a second, whenever something was written.
 *
 *     done_bytes=N       of what the description names, these have been sent, or left out as equal
 *     skipped_bytes=N    of them, what the reader had before
 *     sent_bytes=N       of the stream
 *
 * Nothing fails because that file cannot be written.
 */
#ifndef ZUMASTOR_DELTA_METER_H
#define ZUMASTOR_DELTA_METER_H

#include <stddef.h>
#include <stdint.h>

struct delta_meter {
	const char *path;		/* of the file, or NULL */
	uint64_t done_bytes;
	uint64_t skipped_bytes;
	uint64_t sent_bytes;
	int64_t begun_us;
	int64_t told_us;
	int64_t read_us;		/* waited for something to send */
	int64_t write_us;		/* waited for whom it is sent to */
};

/*
 * delta_meter_start - now; @path must stay.
 */
void delta_meter_start(struct delta_meter *meter, const char *path);

/*
 * delta_meter_sent - @bytes of the stream were written, which began at @begun_us.
 */
void delta_meter_sent(struct delta_meter *meter, size_t bytes, int64_t begun_us);

#endif
