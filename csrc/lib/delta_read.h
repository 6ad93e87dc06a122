/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_read.h - take a delta apart, believing nothing.
 *
 * libarchive checks neither the map of a sparse entry, nor the sums of gzip, lz4 and zstd, nor
 * that a stream cut between two entries is not whole: so everything is checked here.  There are
 * two of its readers: one undoes the compression, the other takes the tar apart, and between them
 * stands delta_read.c, which knows how much each entry and all of them may take (a stream that unpacks into
 * endless text fills no memory, and ends) and that behind the end there is nothing but zeros.
 *
 * Where a delta holds differences (delta.h), what is old is read from in->old.  That must be what nobody writes to, a
 * snapshot, and not the device that the delta is applied to: a segment of which a part was written before a kill, or a
 * crash, comes again, and its difference from what is new already is nothing that was ever there.  The digest would tell,
 * and the delta never get further.
 */
#ifndef ZUMASTOR_DELTA_READ_H
#define ZUMASTOR_DELTA_READ_H

#include <stdint.h>

#include "delta.h"
#include "delta_old.h"
#include "frame.h"
#include "patience.h"

enum {
	DELTA_INPUT = 64 << 10,		/* read from the stream at once */
	DELTA_FAULT = 160,
	/*
	 * Memory of a reading process, in MiB: enough for the widest windows that delta-pack's
	 * levels make (8 MiB: zstd:19, xz:6), not for the 128 MiB that a zstd stream may ask for
	 * or the GiB of an xz one.  Neither libarchive nor its filters can be told otherwise.
	 */
	DELTA_READ_MEMORY = 48,
};

struct delta_reader {
	int fd;
	struct patience patience;	/* with who sends it; the limit may be changed */
	struct frame_reader *frame;	/* where the stream is framed */
	struct archive *filter;		/* compressed bytes to tar */
	struct archive *tar;		/* tar to entries */
	int input_error;		/* -errno of reading the stream */
	uint64_t given;			/* compressed bytes handed to filter */
	const uint8_t *slice;		/* tar bytes not yet handed on */
	size_t slice_left;
	uint64_t allowance;		/* tar bytes that the current entry may still take */
	uint64_t tar_bytes;		/* handed on */
	uint64_t tar_zeros;		/* how many of them, at the end, are zero */
	struct delta_old *old;		/* the caller's, where in->facts.xor: what the delta was made on */
	uint64_t floor;			/* end of the segments so far */
	struct delta_facts facts;
	struct delta_totals totals;
	uint8_t chain[DELTA_DIGEST];
	char fault[DELTA_FAULT];	/* what is wrong, behind -EBADMSG and -ENODATA */
	uint8_t input[DELTA_INPUT];
	char text[DELTA_SUM_TEXT + 1];
};

/*
 * delta_read_limit - hold this process to so many MiB, so that no stream makes it take more.
 */
int delta_read_limit(unsigned int mib);

/*
 * delta_read_open - read the header of the stream on @fd: in->facts.  With patience_ms it does not wait for ever (patience.h);
 * with a frame, zeroed, nothing behind the end of the stream is read (frame.h).
 *
 * Returns 0; -EBADMSG or -ENODATA: see in->fault; any other -errno of reading @fd.
 */
int delta_read_open(struct delta_reader *in, int fd);
int delta_read_open_peer(struct delta_reader *in, int fd, int64_t patience_ms, struct frame_reader *frame);

/*
 * delta_read_segment - the next segment, of new content alone, verified whole.
 *
 * Returns 1; 0 behind the last one, when the trailer agrees and @fd is at its end; else as above.
 */
int delta_read_segment(struct delta_reader *in, struct delta_segment *seg);

/*
 * delta_read_close - free what @in holds.
 */
void delta_read_close(struct delta_reader *in);

#endif
