/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta.h - what a delta is made of: facts, segments, and the chain of digests over both.
 *
 * A delta is a pax tar (zumastor-delta(5)): zumastor/header, then for each segment data/<offset>
 * and sum/<offset>, then zumastor/trailer.  delta_write.h makes one, delta_read.h checks and takes
 * one apart; here is what both agree on.
 *
 * A segment is a stretch of the volume that is held in memory whole: it is verified before any of
 * it is written.  It is bounded by the data and the extents in it, not by the addresses it spans,
 * so memory is small and what a segment costs is paid once per MiB, however sparse the changes
 * are.
 */
#ifndef ZUMASTOR_DELTA_H
#define ZUMASTOR_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "num.h"
#include "record.h"

#define DELTA_HEADER "zumastor/header"
#define DELTA_TRAILER "zumastor/trailer"
#define DELTA_DATA "data/"
#define DELTA_SUM "sum/"

enum {
	DELTA_BLOCK = 4096,			/* zeros are found, and extents aligned, by this */
	DELTA_SEGMENT_BYTES = 4 << 20,		/* most data that a reader takes in one segment … */
	DELTA_WRITTEN_BYTES = 1 << 20,		/* … and a writer puts there: what a cut costs at most */
	DELTA_EXTENTS = 1024,			/* most data, and most zero, extents in one */
	DELTA_HEADER_TEXT = 4096,		/* most text in header and trailer */
	DELTA_SUM_TEXT = 64 << 10,		/* most text in sum/: 1280 lines and a digest */
	DELTA_DIGEST = 32,			/* SHA-256 */
	DELTA_HEX = 2 * DELTA_DIGEST + 1,
};

/* What the header says, and the description on delta-pack's stdin. */
struct delta_facts {
	char volume[UUID_TEXT];
	char name[NAME_TEXT];
	char base[UUID_TEXT];		/* "none": a full delta */
	char snapshot[UUID_TEXT];
	uint64_t time;			/* seconds since 1970, UTC */
	char kinds[KINDS_TEXT];		/* comma-separated */
	uint64_t volume_bytes;
	uint64_t chunk_bytes;
	uint64_t resume;		/* what is before this address is not in it: the reader has it */
	bool xor;			/* it may hold differences: struct delta_segment */
};

/* Addresses are of the volume, in bytes. */
struct delta_extent {
	uint64_t offset;
	uint64_t length;
};

/*
 * The lists ascend; extents of one list never touch, those of data and zero never overlap.
 *
 * What little was changed in is sent as its difference: new XOR old, which is zeros where nothing changed and which the
 * compression likes.  It is told by a third list, of parts of the data.  This is how a segment looks in the stream only:
 * the chain is over the new content, and the reader verifies that, made with what is old over there, before it writes any
 * of the segment.  So what is not the base cannot pass.
 */
struct delta_segment {
	uint64_t offset;				/* of its first extent */
	unsigned int data_count;
	unsigned int zero_count;
	struct delta_extent data[DELTA_EXTENTS];	/* changed */
	unsigned int xor_count;
	struct delta_extent zero[DELTA_EXTENTS];	/* changed, and all zeros now */
	struct delta_extent xor[DELTA_EXTENTS];		/* in the stream, of data: new XOR old */
	size_t bytes;					/* in buffer: the data extents, packed */
	uint64_t passed;				/* to whom packs: of what changed, up to its end */
	uint8_t *buffer;
	uint8_t chain[DELTA_DIGEST];			/* the chain up to and with this segment */
};

struct delta_totals {
	uint64_t segments;
	uint64_t extents;		/* of both kinds */
	uint64_t data_bytes;
	uint64_t zero_bytes;
};

/*
 * delta_is_full - the delta says what every byte of the volume is.
 */
bool delta_is_full(const struct delta_facts *facts);

/*
 * delta_next_line - cut the next "key=value" line off @text.
 *
 * Returns 1; 0 at the end; -EBADMSG for a line that is not one, that holds anything but printable
 * ASCII, or that is not ended.
 */
int delta_next_line(char **text, char **key, char **value);

/*
 * delta_ignored - 0 for a key of a later format that may be passed over, -EBADMSG for one that
 * says of itself, by its name, that it must not.
 */
int delta_ignored(const char *key);

/*
 * delta_facts_parse - the facts of a header, or (@described) of a description, which lacks the
 * constants of the format and may hold nothing unknown.
 *
 * @text is cut up.  Returns 0, or -EBADMSG with *@wrong saying what is wrong (it may be in @text).
 */
int delta_facts_parse(struct delta_facts *facts, char *text, bool described, const char **wrong);

/*
 * delta_facts_text - the facts as lines, as a description has them; delta_header_text - with the
 * constants, as a header has them.  Returns the length.
 */
size_t delta_facts_text(const struct delta_facts *facts, char text[DELTA_HEADER_TEXT]);
size_t delta_header_text(const struct delta_facts *facts, char text[DELTA_HEADER_TEXT]);

/*
 * delta_extent_add - at the end of a list; what touches the last one makes that longer.
 */
void delta_extent_add(struct delta_extent *list, unsigned int *count, uint64_t offset,
		      uint64_t length);

/*
 * delta_segment_new - a segment with an aligned buffer, or NULL; delta_segment_free takes NULL too.
 */
struct delta_segment *delta_segment_new(void);
void delta_segment_free(struct delta_segment *seg);
void delta_segment_clear(struct delta_segment *seg);

/*
 * delta_segment_check - everything a segment promises, and that it lies in the volume at or behind
 * @floor; returns 0 or -EBADMSG.
 */
int delta_segment_check(const struct delta_segment *seg, const struct delta_facts *facts,
			uint64_t floor);

/*
 * delta_segment_first, delta_segment_end - the first address in, and the first behind, a segment
 * that is not empty.
 */
uint64_t delta_segment_first(const struct delta_segment *seg);
uint64_t delta_segment_end(const struct delta_segment *seg);

/*
 * delta_segment_at - where in the buffer is what belongs to @offset, which is in one of the data extents?
 */
size_t delta_segment_at(const struct delta_segment *seg, uint64_t offset);

void delta_totals_add(struct delta_totals *totals, const struct delta_segment *seg);

/*
 * The chain of digests.  It starts with the digest of the header's text; each segment replaces it
 * by the digest of (the chain so far, the segment): so no segment can be altered, dropped,
 * repeated or moved, nor the header changed, without every digest behind it being wrong.
 */
void delta_chain_start(uint8_t chain[DELTA_DIGEST], const char *text, size_t length);
void delta_chain_add(uint8_t chain[DELTA_DIGEST], struct delta_segment *seg);
void delta_chain_hex(const uint8_t chain[DELTA_DIGEST], char hex[DELTA_HEX]);

#endif
