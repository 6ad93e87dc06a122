/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bookmark.h - what changed since a snapshot that is gone: a list of chunks, without their data.
 *
 * A bookmark claims that snapshot @uuid and snapshot @next, which is still there, differ in no chunk but those of the
 * list.  Neither can change, so what was true when it was written stays true, whatever happens to the volume: a bookmark
 * can become useless, by @next going before it was moved on, but never wrong.  And as it is of no account which of two
 * snapshots is the older one when it is asked where they differ,
 *
 *     differ(uuid, X) is within  list + exceptions of the COWs between next and X
 *
 * holds for every snapshot X.  That is how it is moved to another @next, and how it is used.  A list may hold more than it has
 * to; it must not lack anything.
 *
 * As a file: lines "key value" and an empty one, "FIRST COUNT" a run of chunks, ascending, and "sha256 HEX" of all that.
 */
#ifndef ZUMASTOR_BOOKMARK_H
#define ZUMASTOR_BOOKMARK_H

#include "chunkset.h"
#include "stack.h"

struct bookmark {
	char volume[UUID_TEXT];
	char uuid[UUID_TEXT];
	uint64_t id;		/* what it had; ids are never used twice, and ascend with time */
	uint64_t time;
	uint64_t sectors;	/* what is behind its end counts as changed, and is not in the list */
	uint64_t chunk_sectors;
	char next[UUID_TEXT];
	struct chunkset list;
};

/*
 * bookmark_make - of @snap, with @next; give it back with bookmark_free(), also after an error.
 *
 * bookmark_move - from its @next, which must be there still, to that one.
 *
 * -ENXIO: there is no such @next any more; -ERANGE: the volume was smaller once than @uuid is, and nobody has watched what
 * lies behind that; -EBADMSG, -ESTALE, -ENODATA: an exception table is damaged.  The tables' devices stay for stack_settle().
 */
int bookmark_make(struct bookmark *mark, struct stack *stack, const struct snapshot *snap, const struct snapshot *next);
int bookmark_move(struct bookmark *mark, struct stack *stack, const struct snapshot *next);
void bookmark_free(struct bookmark *mark);

/*
 * bookmark_next - the snapshot, if it is there still, or NULL.
 */
struct snapshot *bookmark_next(const struct bookmark *mark, struct stack *stack);

/*
 * bookmark_load - from a file; -EBADMSG: it is damaged in any way.  bookmark_store - into the directory, as a file that has
 * its uuid for a name, durably, and all of it or nothing; where the list is long, holes in it are filled to make it shorter.
 */
int bookmark_load(struct bookmark *mark, const char *path);
int bookmark_store(const struct bookmark *mark, const char *directory);

#endif
