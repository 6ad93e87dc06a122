/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - the store record: the truth about a volume and its snapshots, kept in the header of the
 * snapshot store.
 *
 * The header is the first MiB of the store: a page of text for whoever looks with dd, then two slots.
 * A slot is one fixed line
 *
 *     zumastor-record 1 generation=<16 hex> bytes=<8 hex> crc=<8 hex>\n
 *
 * and behind it that many bytes of text, one fact a line, key=value; the crc (zlib's) is taken over line and
 * text with the crc itself as eight zeros.  record_commit() writes slot 0, flushes, writes slot 1,
 * flushes: so at rest both hold the same generation, a rotten one is replaced by its twin, and a commit
 * cut by a crash leaves either the old record or the new one.  The newest valid slot wins.
 *
 * It is written with O_DIRECT, past every filesystem, so it can be committed whatever is suspended.
 */
#ifndef ZUMASTOR_RECORD_H
#define ZUMASTOR_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cow.h"
#include "num.h"

enum {
	HEADER_SECTORS = 2048,	/* of the store, and of a separate metadata device */
	SNAPSHOTS_MAX = 1024,
	CLONES_MAX = 64,
	THINS_MAX = 1 << 24,	/* ids of dm-thin have 24 bits */
	EXTENTS_MAX = 64,
	KINDS_TEXT = 256,	/* the kinds of one snapshot, with commas; its holds likewise */
};

enum snapshot_state {
	PENDING,	/* its switch may or may not have happened: decided by its COW after a crash */
	LIVE,
	REMOVED,	/* removed as the newest: its COW still takes copy-outs, until it is absorbed */
	LOST,		/* its content can no longer be trusted */
	DELETING,	/* out of the chain; its thin volume is still to be deleted */
};

struct snapshot {
	uint32_t id;
	uint32_t thin;			/* id of its COW in the pool; never used twice */
	enum snapshot_state state;
	uint64_t time;			/* seconds since 1970, UTC */
	uint64_t sectors;		/* size of the volume when it was taken */
	char uuid[UUID_TEXT];
	char kinds[KINDS_TEXT];		/* comma-separated */
	char holds[KINDS_TEXT];		/* tags of who wants it kept, likewise; empty for nobody */
	struct seal seal;		/* of its exception table, once nobody writes to it any more */
};

/*
 * How far a revert has come: what the volume shows is …  In each phase it can go on after a crash.
 */
enum revert_phase {
	REVERT_NONE,
	REVERT_PENDING,	/* what it was, or REVERT_OPEN: decided by the exceptions of the layer after a crash */
	REVERT_OPEN,	/* the snapshot with the layer of new writes on it; the origin is being brought there */
	REVERT_MERGING,	/* the origin, which holds the snapshot, with what is left of the layer on it */
	REVERT_DONE,	/* the origin; only the layer's thin volume is still to be deleted */
};

struct revert {
	enum revert_phase phase;
	uint32_t snapshot;	/* back to that one */
	uint32_t thin;		/* the layer: the COW that takes what is written meanwhile */
};

/* How the origin was when we looked last, so that a write past the volume can be told: fingerprint.h. */
enum seen { SEEN_NEVER, SEEN_RUNNING, SEEN_STOPPED };

enum { DIGEST_TEXT = 65 };	/* SHA-256 in hex digits, and the end of the string */

struct origin_seen {
	enum seen when;			/* at start, or at a clean stop */
	char boot[UUID_TEXT];		/* of the kernel; may be empty */
	uint64_t disk;			/* the kernel's number of the disk, new each time that it appears, or 0 */
	uint64_t written;		/* sectors written to it by then */
	uint32_t samples;		/* how many places the digest is of */
	char digest[DIGEST_TEXT];	/* may be empty */
};

/* A writable copy of a snapshot. */
struct clone {
	char name[NAME_TEXT];
	uint32_t snapshot;
	uint32_t thin;		/* the COW that takes what is written to it */
	bool deleting;		/* only its thin volumes are still to be deleted */
	uint32_t store;		/* for a volume defined on it: the thin volume with that one's record, or 0 … */
	uint32_t first, end;	/* … and the thin ids that are its own, from first up to but not end */
};

/* What the store has grown by since it was made, in the order in which it lies there: see layout.h. */
struct extent {
	bool meta;		/* of the pool's metadata, or of its data */
	uint64_t sectors;
};

struct record {
	uint64_t generation;
	char volume[UUID_TEXT];
	char name[NAME_TEXT];
	uint64_t origin_sectors;
	uint64_t chunk_sectors;
	uint64_t block_sectors;		/* allocation unit of the pool */
	bool separate;			/* the pool's metadata is on a device of its own */
	uint64_t meta_sectors;
	uint64_t data_sectors;		/* both with the extents */
	unsigned int extents;
	struct extent extent[EXTENTS_MAX];
	struct origin_seen origin_seen;
	uint64_t pool;			/* the pool's transaction id: ties a metadata device to its store */
	uint32_t next_snapshot;
	uint32_t next_thin;
	uint32_t thin_end;		/* ids from here on are not ours */
	char pool_volume[UUID_TEXT];	/* the volume whose pool we share; empty for a pool of our own */
	unsigned int count;
	struct snapshot snapshot[SNAPSHOTS_MAX];	/* oldest first */
	struct revert revert;
	unsigned int clones;
	struct clone clone[CLONES_MAX];
};

/*
 * record_load - read the newest valid slot of the store open as @fd, and check every fact in it.
 *
 * -ENOENT: there is no record at all.  -EBADMSG: there was one, and neither slot is whole.
 */
int record_load(int fd, struct record *rec);

/*
 * record_slots - what each of the two slots holds: a generation, or 0 where there is no valid record.
 */
int record_slots(int fd, uint64_t generation[2]);

/*
 * record_commit - make @rec, one generation on, the truth; durable when it returns 0.
 *
 * After an error either the old record or @rec is what record_load() will find.
 */
int record_commit(int fd, struct record *rec);

/*
 * record_erase - a header without a record; the first record_commit() makes it a store.
 */
int record_erase(int fd);

/*
 * record_print - the text of the record, as the slots have it.
 */
int record_print(const struct record *rec, FILE *out);

/*
 * record_find - the snapshot with that id, or NULL.
 */
struct snapshot *record_find(struct record *rec, uint64_t id);

/*
 * record_drop - forget @snap; pointers to later snapshots move.
 */
void record_drop(struct record *rec, struct snapshot *snap);

/*
 * in_chain - does @snap's COW hold before-images that older snapshots read through?
 */
bool in_chain(const struct snapshot *snap);

/*
 * record_head - the newest snapshot of the chain, the one the kernel copies out to; or NULL.
 */
struct snapshot *record_head(struct record *rec);

/*
 * record_new_thin - an id for a thin volume, never to be used again; -ENOSPC when all are used up.
 */
int record_new_thin(struct record *rec, uint32_t *thin);

/*
 * record_thin - the thin volumes of the record one after the other: that number @i; false past the last.
 */
bool record_thin(const struct record *rec, unsigned int i, uint32_t *thin);

/*
 * record_clone - the clone of that name, or NULL; one that is being deleted has none any more.
 */
struct clone *record_clone(struct record *rec, const char *name);

/*
 * is_reverting - does the volume show anything but its origin, or may it?
 *
 * is_layered - does a writable layer, of the revert or of a clone, lie on snapshot @id?
 */
bool is_reverting(const struct record *rec);
bool is_layered(const struct record *rec, uint32_t id);

/*
 * revert_layer - the layer as cowdev.h wants it.
 */
struct snapshot revert_layer(const struct record *rec);

/*
 * is_kinds - one or more names with single commas between them, short enough to keep.
 */
bool is_kinds(const char *text);

#endif
