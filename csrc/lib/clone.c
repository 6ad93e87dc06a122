// SPDX-License-Identifier: GPL-2.0-or-later
/* clone.c - see clone.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clone.h"
#include "cowdev.h"
#include "io.h"
#include "lookout.h"
#include "pool.h"
#include "step.h"
#include "view.h"

enum {
	SHARE = 8,		/* of the thin ids that are left a volume on a clone gets one in so many */
	NAME_MAX_BYTES = 32,	/* the device's name has the volume's in front and is 127 at most */
};

bool is_clone_name(const char *text)
{
	size_t length = strlen(text), tail = strlen(".store");
	uint64_t number;

	return is_name(text) && length <= NAME_MAX_BYTES && num_u64(text, UINT64_MAX, &number) == -EINVAL &&
	       strcmp(text, "origin") != 0 &&
	       (length < tail || strcmp(text + length - tail, ".store") != 0);
}

/* The clone's COW as cowdev.h wants it; a clone has the size of its snapshot. */
static int layer(struct stack *stack, const struct clone *clone, struct snapshot *cow)
{
	const struct snapshot *snap = record_find(&stack->rec, clone->snapshot);

	if (!snap)
		return -ESTALE;
	*cow = (struct snapshot){ .thin = clone->thin, .sectors = snap->sectors };
	return 0;
}

static int up(struct stack *stack, const struct clone *clone)
{
	const struct snapshot *snap = record_find(&stack->rec, clone->snapshot);
	struct dev_state state;
	struct snapshot cow;
	bool used;
	int r = stack_state(stack, "clone", clone->thin, &state);

	if (r < 0 || state.live)
		return r;
	r = layer(stack, clone, &cow);
	if (r == 0)
		r = cowdev_inspect(stack, &cow, true, &used);
	if (r == 0)
		r = view_under(stack, snap);
	if (r == 0)
		r = stack_clone(stack, clone, cow.sectors);
	return r < 0 ? r : stack_link(stack, "clone", clone->thin);
}

static int store_up(struct stack *stack, const struct clone *clone, struct dev_state *state)
{
	int r = stack_thin(stack, "substore", clone->store, HEADER_SECTORS, state);

	return r < 0 ? r : stack_link(stack, "substore", clone->store);
}

int clones_up(struct stack *stack)
{
	struct dev_state state;
	unsigned int i;
	int r = 0;

	for (i = 0; i < stack->rec.clones && r == 0; i++) {
		const struct clone *clone = &stack->rec.clone[i];

		if (clone->deleting)
			continue;
		r = up(stack, clone);
		if (r == 0 && clone->store)
			r = store_up(stack, clone, &state);
		if (is_damage(r))
			r = 0;
	}
	return r;
}

/* Until the exception store is made the clone is on record as one to be deleted. */
int clone_create(struct stack *stack, const struct snapshot *snap, const char *name)
{
	struct record *rec = &stack->rec;
	struct clone *clone = &rec->clone[rec->clones];
	struct snapshot cow;
	uint64_t room;
	int r = pool_room(stack, &room);

	if (r == 0 && (room < 2 * stack_chunk_bytes(stack) || rec->clones == CLONES_MAX))
		r = -ENOSPC;
	if (r == 0 && record_clone(rec, name))
		r = -EEXIST;
	if (r == 0 && snap->state != LIVE)
		r = -ESTALE;
	*clone = (struct clone){ .snapshot = snap->id, .deleting = true };
	strcpy(clone->name, name);
	if (r == 0)
		r = record_new_thin(rec, &clone->thin);
	if (r < 0)
		return r;
	rec->clones++;
	r = stack_commit(stack);
	if (r == 0)
		r = layer(stack, clone, &cow);
	if (r == 0)
		r = step();
	if (r == 0)
		r = cowdev_create(stack, &cow);
	if (r == 0)
		r = step();
	if (r < 0)
		return r;
	clone->deleting = false;
	r = stack_commit(stack);
	if (r == 0)
		r = step();
	return r < 0 ? r : up(stack, clone);
}

/* The volume on a clone. */

static int store_open(struct stack *stack, const struct clone *clone)
{
	char path[DEV_PATH_TEXT];
	struct dev_state state;
	int r = store_up(stack, clone, &state);

	if (r < 0)
		return r;
	dev_path(state.minor, path);
	return io_open(path, O_RDWR);
}

static int format(struct stack *stack, const struct clone *clone, const char *name, int fd)
{
	struct record *rec = calloc(1, sizeof(*rec));
	const struct snapshot *snap = record_find(&stack->rec, clone->snapshot);
	int r = rec ? record_erase(fd) : -ENOMEM;

	if (r == 0)
		r = uuid_random(rec->volume);
	if (r == 0) {
		strcpy(rec->name, name);
		strcpy(rec->pool_volume, stack->rec.volume);
		rec->origin_sectors = snap->sectors;
		rec->chunk_sectors = stack->rec.chunk_sectors;
		rec->block_sectors = stack->rec.block_sectors;
		rec->meta_sectors = stack->rec.meta_sectors;
		rec->data_sectors = stack->rec.data_sectors;
		rec->pool = stack->rec.pool;
		rec->next_snapshot = 1;
		rec->next_thin = clone->first;
		rec->thin_end = clone->end;
		r = record_commit(fd, rec);
	}
	free(rec);
	return r;
}

static int format_once(struct stack *stack, const struct clone *clone, const char *name)
{
	struct record *rec = calloc(1, sizeof(*rec));
	int fd = rec ? store_open(stack, clone) : -ENOMEM, r = fd;

	if (fd >= 0) {
		r = record_load(fd, rec);
		if (r == -ENOENT)
			r = format(stack, clone, name, fd);
		else if (r == 0 && strcmp(rec->name, name) != 0)
			r = -EEXIST;
		r = io_close_synced(fd, r);
	}
	free(rec);
	return r;
}

/* A new thin volume shows what was there before: an old record, at worst. */
static int blank_store(struct stack *stack, const struct clone *clone)
{
	struct lookout lookout;
	struct dev store;
	int fd, r = pool_create_thin(stack, clone->store);

	fd = r < 0 ? r : store_open(stack, clone);
	if (fd < 0)
		return fd;
	stack_dev(stack, "substore", clone->store, &store);
	r = lookout_begin(&lookout, stack, &store, 1);
	if (r == 0)
		r = lookout_end(&lookout, record_erase(fd));
	r = io_close_synced(fd, r);
	if (r < 0)
		dev_remove(store.uuid);	/* it may fail for good */
	return r;
}

static int reserve(struct stack *stack, struct clone *clone)
{
	struct record *rec = &stack->rec;
	uint32_t thin, ids;
	int r = record_new_thin(rec, &thin);

	if (r < 0)
		return r;
	clone->store = thin;
	ids = (rec->thin_end - rec->next_thin) / SHARE;
	if (ids == 0)
		r = -ENOSPC;
	if (r == 0)
		r = blank_store(stack, clone);
	if (r == 0)
		r = step();
	if (r < 0) {
		clone->store = 0;
		return r;
	}
	clone->end = rec->thin_end;
	rec->thin_end -= ids;
	clone->first = rec->thin_end;
	return stack_commit(stack);
}

int clone_store(struct stack *stack, struct clone *clone, const char *name)
{
	int r = stack->rec.pool_volume[0] ? -EOPNOTSUPP : 0;

	if (r == 0 && clone->store == 0)
		r = reserve(stack, clone);
	if (r == 0)
		r = step();
	return r < 0 ? r : format_once(stack, clone, name);
}

/* Removing. */

static int has_clones(struct stack *stack, const struct clone *clone)
{
	struct record *rec = calloc(1, sizeof(*rec));
	int fd = rec ? store_open(stack, clone) : -ENOMEM, r = fd;

	if (fd >= 0) {
		r = record_load(fd, rec);
		close(fd);
		r = r == 0 && rec->clones > 0;
	}
	free(rec);
	return r;
}

static int remove_device(struct stack *stack, const char *role, uint32_t thin)
{
	struct dev dev;
	int r;

	stack_dev(stack, role, thin, &dev);
	r = dev_remove(dev.uuid);
	if (r == 0)
		stack_unlink(stack, role, thin);
	return r;
}

int clone_remove(struct stack *stack, struct clone *clone)
{
	int r = clone->store ? has_clones(stack, clone) : 0;

	if (r > 0)
		r = -EBUSY;
	if (r == 0)
		r = remove_device(stack, "clone", clone->thin);
	if (r == 0 && clone->store)
		r = remove_device(stack, "substore", clone->store);
	if (r == 0)
		r = step();
	if (r < 0)
		return r;
	clone->deleting = true;
	return stack_commit(stack);
}

/* What belongs to the volume on the clone goes first: its record is all that tells of it. */
static int delete_volume(struct stack *stack, const struct clone *clone)
{
	struct record *rec = calloc(1, sizeof(*rec));
	int fd = rec ? store_open(stack, clone) : -ENOMEM, r = fd;
	uint32_t thin;
	unsigned int i;

	if (fd >= 0) {
		r = record_load(fd, rec);
		for (i = 0; r == 0 && record_thin(rec, i, &thin); i++)
			r = thin ? pool_delete_thin(stack, thin) : 0;
		close(fd);
		if (r == 0 || r == -ENOENT || r == -EBADMSG)
			r = remove_device(stack, "substore", clone->store);
	} else if (r == -ENODATA) {
		r = 0;	/* it has gone already */
	}
	free(rec);
	return r < 0 ? r : pool_delete_thin(stack, clone->store);
}

static int delete_one(struct stack *stack, const struct clone *clone)
{
	int r = clone->store ? delete_volume(stack, clone) : 0;

	if (r == 0)
		r = step();
	return r < 0 ? r : pool_delete_thin(stack, clone->thin);
}

int clones_delete(struct stack *stack, bool *deleted)
{
	struct record *rec = &stack->rec;
	bool any = false;
	unsigned int i = 0;
	int r = 0;

	while (i < rec->clones && r == 0) {
		struct clone *clone = &rec->clone[i];

		if (clone->deleting)
			r = delete_one(stack, clone);
		if (r == -EBUSY || !clone->deleting) {
			r = 0;
			i++;
		} else if (r == 0) {
			memmove(clone, clone + 1, (rec->clones - i - 1) * sizeof(*clone));
			rec->clones--;
			any = true;
		}
	}
	*deleted |= any;
	return r < 0 || !any ? r : stack_commit(stack);
}

bool clones_need(const struct stack *stack, const char *uuid)
{
	struct dev clone, cow, store;
	unsigned int i;

	for (i = 0; i < stack->rec.clones; i++) {
		if (stack->rec.clone[i].deleting)
			continue;
		stack_dev(stack, "clone", stack->rec.clone[i].thin, &clone);
		stack_dev(stack, "cow", stack->rec.clone[i].thin, &cow);
		stack_dev(stack, "substore", stack->rec.clone[i].store, &store);
		if (strcmp(uuid, clone.uuid) == 0 || strcmp(uuid, cow.uuid) == 0 ||
		    strcmp(uuid, store.uuid) == 0)
			return true;
	}
	return false;
}

void clone_unlink(const struct stack *stack, const struct clone *clone)
{
	stack_unlink(stack, "clone", clone->thin);
	if (clone->store)
		stack_unlink(stack, "substore", clone->store);
}
