// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-resize - give a running volume, its store or the metadata of the store another size.
 *
 *     dm-resize [--plan] [--shrink] [--origin BYTES] [--store BYTES] [--meta BYTES] VOLUME ORIGIN STORE [META]
 *
 * BYTES are what ORIGIN, STORE and META are to be used of; without META those of the metadata inside the store.
 * Prints origin_bytes=, store_bytes= and meta_bytes=: what each device must have.  With --plan nothing is changed,
 * and the devices need not be as large yet.  The origin gets smaller only with --shrink, while nobody has it open and
 * no snapshot is larger; store and metadata never.
 *
 * Exit 0: it has the new sizes.  1: refused, nothing has changed, or failed: then what is on record is completed by the
 * next command or start.  3: the volume is open, or is being reverted; 2, 4, 7.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "exits.h"
#include "io.h"
#include "layout.h"
#include "pool.h"
#include "resize.h"
#include "settle.h"
#include "step.h"
#include "tool.h"

/* In sectors; 0: as it is. */
struct wanted {
	uint64_t origin, store, meta;
	bool plan, shrink;
};

static void option_size(const char *text, uint64_t *sectors)
{
	uint64_t bytes;

	if (num_u64(text, INT64_MAX, &bytes) < 0 || bytes == 0 || bytes % SECTOR_SIZE != 0)
		errx(EXIT_USAGE, "not a size: '%s'; a multiple of %d bytes", text, SECTOR_SIZE);
	*sectors = bytes / SECTOR_SIZE;
}

static void parse_options(int argc, char **argv, struct wanted *wanted)
{
	static const struct option options[] = {
		{ "origin", required_argument, NULL, 'o' }, { "store", required_argument, NULL, 's' },
		{ "meta", required_argument, NULL, 'm' }, { "plan", no_argument, NULL, 'p' },
		{ "shrink", no_argument, NULL, 'k' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			option_size(optarg, &wanted->origin);
			break;
		case 's':
			option_size(optarg, &wanted->store);
			break;
		case 'm':
			option_size(optarg, &wanted->meta);
			break;
		case 'p':
			wanted->plan = true;
			break;
		case 'k':
			wanted->shrink = true;
			break;
		default:
			exit(EXIT_USAGE);
		}
	}
	if (argc - optind != 3 && argc - optind != 4)
		errx(EXIT_USAGE, "usage: dm-resize [--plan] [--shrink] [--origin BYTES] "
		     "[--store BYTES] [--meta BYTES] VOLUME ORIGIN STORE [META]");
}

static uint64_t in_bytes(uint64_t sectors)
{
	return sectors * SECTOR_SIZE;
}

/* What snapshots show is not there any more when the origin is shorter. */
static void check_shrink(struct stack *stack, const struct wanted *wanted)
{
	struct dev_state state;
	unsigned int i;
	int r = stack_state(stack, "origin", NO_ID, &state);

	if (r < 0)
		exit(tool_end(stack, "resize", r));
	for (i = 0; i < stack->rec.count; i++) {
		const struct snapshot *snap = &stack->rec.snapshot[i];

		if (in_chain(snap) && snap->sectors > wanted->origin)
			errx(EXIT_FAILED, "cannot make '%s' smaller: snapshot %" PRIu32 " needs %"
			     PRIu64 " bytes", stack->volume, snap->id, in_bytes(snap->sectors));
	}
	if (!wanted->shrink)
		errx(EXIT_FAILED, "cannot make '%s' smaller: %" PRIu64 " bytes at its end would be "
		     "cut off; --yes allows it", stack->volume,
		     in_bytes(stack->rec.origin_sectors - wanted->origin));
	if (state.open_count > 0)
		errx(EXIT_BUSY, "cannot make '%s' smaller: it is in use", stack->volume);
}

static void plan_origin(struct stack *stack, const struct wanted *wanted)
{
	if (wanted->origin == 0 || wanted->origin == stack->rec.origin_sectors)
		return;
	if (is_reverting(&stack->rec))
		errx(EXIT_BUSY, "cannot resize '%s': it is being reverted", stack->volume);
	if (wanted->origin < stack->rec.origin_sectors)
		check_shrink(stack, wanted);
	stack->rec.origin_sectors = wanted->origin;
}

/* By how much the metadata is to grow; as far as nobody said, so that it does for a store of that size. */
static uint64_t meta_growth(const struct stack *stack, const struct wanted *wanted)
{
	const struct record *rec = &stack->rec;
	uint64_t header = rec->separate ? HEADER_SECTORS : 0, sectors = wanted->meta;
	uint64_t needed = layout_meta(in_bytes(wanted->store), in_bytes(rec->block_sectors)) / SECTOR_SIZE;

	if (sectors == 0 && !rec->separate && rec->meta_sectors < needed / 2)
		sectors = needed;
	if (sectors == 0)
		return 0;
	if (sectors > META_MAX / SECTOR_SIZE + header)
		sectors = META_MAX / SECTOR_SIZE + header;
	if (sectors < rec->meta_sectors + header)
		errx(EXIT_FAILED, "cannot make the metadata of '%s' smaller than %" PRIu64 " bytes",
		     stack->volume, in_bytes(rec->meta_sectors + header));
	sectors -= rec->meta_sectors + header;
	return sectors - sectors % (IO_ALIGN / SECTOR_SIZE);
}

/* Metadata that is full costs the snapshots, so more data may have to wait for more of it. */
static void check_meta(const struct stack *stack, uint64_t meta_sectors)
{
	const struct record *rec = &stack->rec;
	uint64_t store = in_bytes(layout_end(rec));

	if (meta_sectors < layout_meta(store, in_bytes(rec->block_sectors)) / SECTOR_SIZE / 2)
		errx(EXIT_FAILED, "cannot grow the store of '%s': its metadata device is too small for "
		     "%" PRIu64 " bytes", stack->volume, store);
}

static void plan_store(struct stack *stack, struct wanted *wanted)
{
	struct record *rec = &stack->rec;
	uint64_t end = layout_end(rec), meta = meta_growth(stack, wanted), data = 0;
	uint64_t needed = end + (rec->separate ? 0 : meta);

	if (wanted->store > 0 && wanted->store < end)
		errx(EXIT_FAILED, "cannot make the store of '%s' smaller than %" PRIu64 " bytes",
		     stack->volume, in_bytes(end));
	if (wanted->store > 0 && wanted->store < needed)
		errx(EXIT_FAILED, "cannot grow the metadata of '%s': the store needs %" PRIu64
		     " bytes for that", stack->volume, in_bytes(needed));
	if (wanted->store > needed)
		data = (wanted->store - needed) / rec->block_sectors * rec->block_sectors;
	if (wanted->store < needed)
		wanted->store = needed;
	if (layout_grow(rec, true, meta) < 0 || layout_grow(rec, false, data) < 0)
		errx(EXIT_FAILED, "cannot grow the store of '%s': it has grown too often",
		     stack->volume);
	if (data > 0)
		check_meta(stack, rec->meta_sectors);
}

/* A pool that wants thin_check does not grow; a volume has to wait for a full one. */
static int check_pool(struct stack *stack, const struct wanted *wanted)
{
	struct pool_status status;
	int r = pool_status(stack, &status);

	if (r < 0)
		return r;
	if ((wanted->store > 0 || wanted->meta > 0) && (status.failed || status.needs_check))
		return -EROFS;
	return status.full && wanted->store == 0 && stack->attached != NO_ID ? -ENOSPC : 0;
}

static void check_devices(struct stack *stack, const struct wanted *wanted, char **path)
{
	if (tool_block_device(path[0]) != stack->origin)
		errx(EXIT_USAGE, "'%s' is not what volume '%s' is on", path[0], stack->volume);
	tool_match_meta(stack, path[2] != NULL);
	if (wanted->plan)
		return;
	tool_need_sectors(path[0], stack->rec.origin_sectors);
	if (!stack->rec.pool_volume[0])
		tool_need_sectors(path[1], layout_end(&stack->rec));
	if (stack->rec.separate)
		tool_need_sectors(path[2], HEADER_SECTORS + stack->rec.meta_sectors);
}

static void print_needs(const struct stack *stack, const struct wanted *wanted)
{
	const struct record *rec = &stack->rec;

	printf("origin_bytes=%" PRIu64 "\nstore_bytes=%" PRIu64 "\nmeta_bytes=%" PRIu64 "\n",
	       in_bytes(rec->origin_sectors), in_bytes(wanted->store),
	       in_bytes(rec->meta_sectors + (rec->separate ? HEADER_SECTORS : 0)));
}

static int resize(struct stack *stack)
{
	int r = step();

	if (r == 0)
		r = stack_commit(stack);
	if (r == 0)
		r = step();
	return r < 0 ? r : resize_fit(stack);
}

int main(int argc, char **argv)
{
	struct wanted wanted = { 0 };
	struct stack *stack;
	int r;

	parse_options(argc, argv, &wanted);
	argv += optind;
	stack = tool_open(argv[0], argv[2]);
	tool_need_up(stack);
	if (stack->rec.pool_volume[0] && (wanted.store > 0 || wanted.meta > 0))
		errx(EXIT_FAILED, "cannot resize the store of '%s': it is another volume's", stack->volume);
	r = check_pool(stack, &wanted);
	if (r == 0 && wanted.shrink) {
		stack->slice.limited = false;	/* what was removed may be in the way */
		r = stack_settle(stack);
	}
	if (r < 0)
		return tool_end(stack, "resize", r);
	plan_origin(stack, &wanted);
	if (!stack->rec.pool_volume[0])
		plan_store(stack, &wanted);
	check_devices(stack, &wanted, argv + 1);
	if (!wanted.plan)
		r = resize(stack);
	if (r == 0)
		print_needs(stack, &wanted);
	return tool_end(stack, "resize", r);
}
