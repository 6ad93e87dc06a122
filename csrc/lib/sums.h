/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sums.h - a check sum of every 4 KiB of a volume, as it was received.
 *
 * They are made of what arrives, which the digests of the delta have proved, and not of what a disk gives back; so they are
 * of the blocks that a delta is made of, and nothing has to be read for them.  The sum is the CRC-32, XORed with that of
 * zeros: where the volume is zero, so is the sum, and the file has holes.
 *
 * The table has four bytes for each block, little-endian, and nothing else.  While a delta arrives it stays as it is: what
 * is new goes into a file of its own, eight bytes for each block, the sum and SUMS_NEW, or zeros.  That one is laid over the
 * table when all has arrived, which can be done again after a crash, or is forgotten with the delta.
 *
 * Whose sums they are, the files do not tell: share/lib/sums.sh.
 */
#ifndef ZUMASTOR_SUMS_H
#define ZUMASTOR_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "delta.h"

#define SUMS_NEW (UINT64_C(1) << 32)

enum { SUMS_PIECE = 1024 };		/* blocks at once */

struct sums {
	int fd;				/* -1: nothing is recorded, and recording it succeeds */
	uint64_t blocks;		/* of the volume */
};

/*
 * sums_open - the table of a volume of @bytes; @fresh: all zeros, whatever there was.  -EBADMSG for one of another size.
 * sums_open_new - the same of what is new.
 */
int sums_open(struct sums *sums, const char *path, int flags, uint64_t bytes, bool fresh);
int sums_open_new(struct sums *sums, const char *path, int flags, uint64_t bytes, bool fresh);

/*
 * sums_of - the sums of whole blocks, the last of which the volume's end may cut; the count.
 */
unsigned int sums_of(const uint8_t *bytes, size_t length, uint32_t sum[SUMS_PIECE]);

/*
 * sums_put, sums_get - what the table has from the block at @offset on.
 */
int sums_put(struct sums *sums, uint64_t offset, const uint32_t *sum, unsigned int count);
int sums_get(struct sums *sums, uint64_t offset, uint32_t *sum, unsigned int count);

/*
 * sums_record - a segment that was verified is new.   sums_lay - what is new, over the table.
 */
int sums_record(struct sums *news, const struct delta_segment *seg);
int sums_lay(struct sums *sums, struct sums *news);

/* sums_flush - it is on disk. */
int sums_flush(struct sums *sums);

#endif
