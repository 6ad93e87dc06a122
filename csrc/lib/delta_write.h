/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_write.h - make a delta: a pax tar through libarchive, compressed.
 *
 * Functions return 0 or -errno.  After a failure the stream must stay unfinished, so that no reader
 * takes it for whole: there is nothing to call then, and delta_write_finish() least of all.
 */
#ifndef ZUMASTOR_DELTA_WRITE_H
#define ZUMASTOR_DELTA_WRITE_H

#include <stdint.h>

#include "delta.h"
#include "delta_meter.h"

/*
 * How to compress.  The levels stop where the reader's bound on memory does (delta_read.h).
 * Threads are those of xz and zstd, and cost memory: the default is two for xz, which is slow,
 * and one for zstd, which the reading of the device keeps pace with anyway.
 */
struct delta_filter {
	const char *method;		/* none, gzip, lz4, zstd or xz */
	unsigned int level;
	unsigned int threads;
};

struct delta_writer {
	int fd;
	bool framed;
	struct delta_meter *meter;	/* set by the caller behind delta_write_open(), or NULL */
	unsigned int patience;		/* so, too: SIGALRM comes after that many seconds in one write, or never */
	struct archive *tar;
	struct archive_entry *entry;
	uint64_t time;
	const uint8_t *hole;		/* bytes that libarchive counts and never reads */
	uint8_t chain[DELTA_DIGEST];	/* of what was written so far */
	struct delta_totals totals;
	uint64_t stream_bytes;		/* once finished */
	char text[DELTA_SUM_TEXT];
};

/*
 * delta_filter_parse - "METHOD" or "METHOD:LEVEL"; -EINVAL for what does not exist.
 */
int delta_filter_parse(const char *text, struct delta_filter *filter);

/*
 * delta_filter_check - 0; -EOPNOTSUPP where libarchive lacks the method.
 */
int delta_filter_check(const struct delta_filter *filter);

/*
 * delta_write_open - begin a stream on @fd with the header, and the chain in out->chain; in pieces where it is framed (frame.h).
 *
 * -EOPNOTSUPP where libarchive lacks the method.
 */
int delta_write_open(struct delta_writer *out, int fd, bool framed, const struct delta_filter *filter,
		     const struct delta_facts *facts);

/*
 * delta_write_segment - one segment, whose chain must be that of delta_chain_add().
 */
int delta_write_segment(struct delta_writer *out, const struct delta_segment *seg);

/*
 * delta_write_finish - the trailer and the end of the tar; frees what @out holds.
 */
int delta_write_finish(struct delta_writer *out);

#endif
