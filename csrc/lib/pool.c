// SPDX-License-Identifier: GPL-2.0-or-later
/* pool.c - see pool.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io.h"
#include "layout.h"
#include "pool.h"

enum {
	META_BLOCK_BYTES = 4096,	/* dm-thin's metadata block */
	MESSAGE_TEXT = 96,
	SPARE_BLOCKS = 2,
	LOW_PART = 20,		/* 5 % */
	LOW_BLOCKS = 8,
	META_LOW_BLOCKS = 1024,	/* 4 MiB: when the kernel sends its event */
};

#define NO_SPACE_TIMEOUT "/sys/module/dm_thin_pool/parameters/no_space_timeout"

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/*
 * With so few blocks left the store is short.  Of a small one a few blocks, since one write takes a block from more than
 * one exception store; never more than a quarter.
 */
static uint64_t low_blocks(uint64_t total)
{
	uint64_t low = total / LOW_PART;

	return at_most(low > LOW_BLOCKS ? low : LOW_BLOCKS, total / 4);
}

/*
 * skip_block_zeroing: every chunk that is ever read was written whole.  Without error_if_no_space, a full
 * pool makes writers wait; it does not cost a snapshot.  The kernel tells once when the store gets short, and again
 * when it is full.
 */
static int store_table(const struct stack *stack, const char *features, struct table *table)
{
	uint64_t low = low_blocks(stack->rec.data_sectors / stack->rec.block_sectors);
	struct dev_state meta, data;
	int r = stack_state(stack, "store-meta", NO_ID, &meta);

	if (r == 0)
		r = stack_state(stack, "store-data", NO_ID, &data);
	if (r == 0)
		table_add(table, stack->rec.data_sectors, "thin-pool", "%u:%u %u:%u %" PRIu64 " %" PRIu64 " %s",
			  meta.major, meta.minor, data.major, data.minor, stack->rec.block_sectors,
			  low, features);
	return r;
}

int pool_table(const struct stack *stack, const char *role, dev_t store, dev_t meta,
	       struct table *table)
{
	bool is_meta = strcmp(role, "store-meta") == 0;

	if (strcmp(role, "store") == 0)
		return store_table(stack, "2 skip_block_zeroing no_discard_passdown", table);
	layout_table(&stack->rec, is_meta, is_meta && stack->rec.separate ? meta : store, table);
	return 0;
}

static int create(const struct stack *stack, const char *role, struct table *table, int r)
{
	struct dev dev;

	stack_dev(stack, role, NO_ID, &dev);
	if (r == 0)
		r = dev_create(&dev, table);
	table_free(table);
	return r;
}

static int create_slices(const struct stack *stack, dev_t store, dev_t meta)
{
	struct table table = { 0 };
	int r = pool_meta_up(stack, store, meta);

	if (r < 0)
		return r;
	r = pool_table(stack, "store-data", store, meta, &table);
	return create(stack, "store-data", &table, r);
}

int pool_meta_up(const struct stack *stack, dev_t store, dev_t meta)
{
	struct table table = { 0 };
	int r = pool_table(stack, "store-meta", store, meta, &table);

	return create(stack, "store-meta", &table, r);
}

/* A pool that has gone read-only says that messages are not supported. */
static int message(const struct stack *stack, const char *text)
{
	struct pool_status status;
	struct dev dev;
	int r, looked;

	stack_dev(stack, "store", NO_ID, &dev);
	r = dev_message(dev.uuid, text);
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	looked = pool_status(stack, &status);
	if (looked == 0 && (status.failed || status.read_only || status.needs_check))
		return -EROFS;
	return r < 0 ? r : looked;
}

/* The pool's transaction id is ours to choose: a random one, also in the record, tells pools apart. */
static int check_identity(const struct stack *stack, const struct pool_status *status)
{
	char text[MESSAGE_TEXT];

	if (status->transaction == stack->rec.pool)
		return 0;
	if (status->transaction != 0 || stack->rec.next_thin != 1 || stack->rec.pool_volume[0])
		return -EBADMSG;
	snprintf(text, sizeof(text), "set_transaction_id 0 %" PRIu64, stack->rec.pool);
	return message(stack, text);
}

/*
 * By default a full pool fails its writers after a minute, and then the head is lost.  Waiting for ever costs
 * nothing but time.  The setting is one for all pools of the host; where it cannot be made, the pool works
 * all the same.
 */
static void wait_for_space(void)
{
	int fd = open(NO_SPACE_TIMEOUT, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "0", 1) < 0)
		errno = 0;
	close(fd);
}

bool pool_writers_wait(void)
{
	char text[] = "?";
	int fd = open(NO_SPACE_TIMEOUT, O_RDONLY | O_CLOEXEC);
	bool known = fd >= 0 && read(fd, text, 1) == 1;

	if (fd >= 0)
		close(fd);
	return known && text[0] == '0';
}

static int own_pool_up(struct stack *stack, dev_t store, dev_t meta)
{
	struct table table = { 0 };
	int r = create_slices(stack, store, meta);

	if (r < 0)
		return r;
	wait_for_space();
	r = pool_table(stack, "store", store, meta, &table);
	return create(stack, "store", &table, r);
}

/* The pool of another volume is there while that one runs, as our origin is, which is one of its clones. */
int pool_up(struct stack *stack, dev_t store, dev_t meta)
{
	struct pool_status status;
	int r = stack->rec.pool_volume[0] ? 0 : own_pool_up(stack, store, meta);

	if (r == 0)
		r = pool_status(stack, &status);
	if (r == 0 && (status.failed || status.read_only || status.needs_check))
		r = -EROFS;
	if (r == 0)
		r = check_identity(stack, &status);
	if (r == 0 && status.held)	/* by a check that was killed: it would grow for ever */
		r = message(stack, "release_metadata_snap");
	return r;
}

static int own_pool_up_read_only(const struct stack *stack, dev_t store, dev_t meta)
{
	struct table table = { 0 };
	int r = create_slices(stack, store, meta);

	if (r < 0)
		return r;
	r = store_table(stack, "3 skip_block_zeroing no_discard_passdown read_only", &table);
	return create(stack, "store", &table, r);
}

int pool_up_read_only(const struct stack *stack, dev_t store, dev_t meta)
{
	struct pool_status status;
	int r = stack->rec.pool_volume[0] ? 0 : own_pool_up_read_only(stack, store, meta);

	if (r == 0)
		r = pool_status(stack, &status);
	if (r == 0 && status.failed)
		r = -EIO;
	return r == 0 && status.transaction != stack->rec.pool ? -EBADMSG : r;
}

static void fill_status(const struct stack *stack, const struct dm_status_thin_pool *from,
			struct pool_status *status)
{
	uint64_t block = stack->rec.block_sectors * SECTOR_SIZE;
	uint64_t data_left = from->total_data_blocks - from->used_data_blocks;
	uint64_t meta_left = from->total_metadata_blocks - from->used_metadata_blocks;

	*status = (struct pool_status){
		.failed = from->fail || from->error, .read_only = from->read_only,
		.waiting = from->out_of_data_space, .needs_check = from->needs_check,
		.full = from->out_of_data_space || data_left <= SPARE_BLOCKS,
		.data_short = data_left <= low_blocks(from->total_data_blocks),
		.meta_short = meta_left <= at_most(META_LOW_BLOCKS, from->total_metadata_blocks / 4),
		.transaction = from->transaction_id,
		.used_bytes = from->used_data_blocks * block,
		.total_bytes = from->total_data_blocks * block,
		.meta_used_bytes = from->used_metadata_blocks * META_BLOCK_BYTES,
		.meta_total_bytes = from->total_metadata_blocks * META_BLOCK_BYTES,
	};
}

/* libdevmapper does not read that word: transaction, metadata and data come before it. */
static bool is_held(const char *params)
{
	char word[32];

	return sscanf(params, "%*s %*s %*s %31s", word) == 1 && strcmp(word, "-") != 0;
}

int pool_status(const struct stack *stack, struct pool_status *status)
{
	struct dm_status_thin_pool *parsed;
	struct dm_pool *memory;
	struct dev_line line;
	struct dev dev;
	int r;

	stack_dev(stack, "store", NO_ID, &dev);
	r = dev_status(dev.uuid, &line);
	if (r < 0)
		return r;
	memory = dm_pool_create("pool status", sizeof(line));
	if (!memory)
		return -ENOMEM;
	if (dm_get_status_thin_pool(memory, line.params, &parsed)) {
		fill_status(stack, parsed, status);
		status->held = is_held(line.params);
	} else {
		r = -EBADMSG;
	}
	dm_pool_destroy(memory);
	return r;
}

int pool_room(const struct stack *stack, uint64_t *bytes)
{
	uint64_t spare = SPARE_BLOCKS * stack->rec.block_sectors * SECTOR_SIZE;
	struct pool_status status;
	int r = pool_status(stack, &status);

	*bytes = 0;
	if (r < 0)
		return r;
	if (status.failed || status.read_only || status.needs_check)
		return -EROFS;
	if (!status.full)
		*bytes = status.total_bytes - status.used_bytes - spare;
	return 0;
}

int pool_create_thin(const struct stack *stack, uint32_t thin)
{
	char text[MESSAGE_TEXT];
	int r;

	snprintf(text, sizeof(text), "create_thin %" PRIu32, thin);
	r = message(stack, text);
	return r == -EEXIST ? 0 : r;
}

int pool_delete_thin(const struct stack *stack, uint32_t thin)
{
	char text[MESSAGE_TEXT];
	int r;

	snprintf(text, sizeof(text), "delete %" PRIu32, thin);
	r = message(stack, text);
	return r == -ENODATA ? 0 : r;
}
