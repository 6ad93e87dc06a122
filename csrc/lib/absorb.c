// SPDX-License-Identifier: GPL-2.0-or-later
/* absorb.c - see absorb.h. */
#include <errno.h>
#include <fcntl.h>

#include "absorb.h"
#include "cow.h"
#include "lookout.h"
#include "pool.h"
#include "settle.h"
#include "step.h"

enum { OLDER, REMOVED_ONE, SIDES };

struct side {
	struct snapshot *snap;
	struct cow cow;
};

struct snapshot *absorb_older(struct stack *stack, const struct snapshot *snap)
{
	struct snapshot *older = NULL;
	unsigned int i;

	for (i = 0; i < stack->rec.count && stack->rec.snapshot[i].id < snap->id; i++)
		if (in_chain(&stack->rec.snapshot[i]))
			older = &stack->rec.snapshot[i];
	return older;
}

/* @seal: may be NULL. */
static int read_table(const struct cow *cow, struct seal *seal)
{
	struct exceptions all = { 0 };
	int r = cow->valid ? cow_load(cow, &all) : -ESTALE;

	if (r == 0 && seal)
		*seal = exceptions_seal(&all);
	exceptions_free(&all);
	return r;
}

/* A device of that name is left from one who was killed, and may fail. */
static int side_open(const struct stack *stack, struct side *side, struct dev *dev)
{
	int r;

	stack_dev(stack, "absorb", side->snap->thin, dev);
	r = dev_remove(dev->uuid);
	if (r == 0)
		r = stack_open_cow(stack, "absorb", side->snap, O_RDWR, &side->cow);
	return r < 0 ? r : read_table(&side->cow, NULL);
}

/*
 * What the removed snapshot kept and the older one lacks goes into the older one's COW; or, where that is less
 * work, what the older one kept goes over what the removed one has, and the two change COWs.
 */
static int unite(struct stack *stack, struct side side[SIDES], bool *swap, struct seal *seal)
{
	uint64_t room;
	int r = pool_room(stack, &room);

	*swap = false;
	if (r == 0)
		r = cow_absorb(&side[OLDER].cow, &side[REMOVED_ONE].cow, room, swap, &stack->slice);
	return r < 0 ? r : read_table(&side[*swap ? REMOVED_ONE : OLDER].cow, seal);
}

static int absorb(struct stack *stack, struct side side[SIDES], const struct dev devices[SIDES])
{
	struct snapshot *older = side[OLDER].snap, *removed = side[REMOVED_ONE].snap;
	struct lookout lookout;
	uint32_t thin = older->thin;
	struct seal seal;
	bool swap;
	int r;

	slice_of(&stack->slice, older->id, removed->id);
	r = lookout_begin(&lookout, stack, devices, SIDES);
	if (r == 0)
		r = lookout_end(&lookout, unite(stack, side, &swap, &seal));
	if (r < 0)
		return r;
	older->seal = seal;
	if (swap) {
		older->thin = removed->thin;	/* both at once, in the commit that lets the removed one go */
		removed->thin = thin;
	}
	return 0;
}

/* Damage loses everything that reads through the table, so that nothing is left to absorb for. */
static int absorb_unless_lost(struct stack *stack, struct side side[SIDES])
{
	struct dev devices[SIDES];
	int i, r = 0;

	for (i = SIDES; i-- > 0 && r == 0;) {
		r = side_open(stack, &side[i], &devices[i]);
		if (is_damage(r))
			return stack_mark_lost(stack, side[i].snap);
	}
	if (r == 0)
		r = step();
	return r < 0 ? r : absorb(stack, side, devices);
}

static int take_out(struct stack *stack, struct snapshot *snap, struct snapshot *older)
{
	struct side side[SIDES] = {
		[OLDER] = { older, { .fd = -1 } },
		[REMOVED_ONE] = { snap, { .fd = -1 } },
	};
	int i, r = older ? absorb_unless_lost(stack, side) : step();

	for (i = 0; i < SIDES; i++)
		cow_close(&side[i].cow);
	if (r == 0)
		r = step();
	if (r < 0)
		return r;
	snap->state = DELETING;
	return stack_commit(stack);
}

/*
 * The head cannot be absorbed: the kernel is still copying out to it.  One for which there is no room stays: what is
 * deleted after this may make some, and until then nothing is wrong.  So does one for which there is no time, and one whose
 * older one stays although it was removed: the place in a slice is worth something as long as only the two write.
 */
int absorb_removed(struct stack *stack)
{
	const struct snapshot *head = record_head(&stack->rec);
	struct snapshot *older;
	unsigned int i;
	int r = 0;

	stack->slice.more = false;
	for (i = 0; i < stack->rec.count && r == 0; i++) {
		struct snapshot *snap = &stack->rec.snapshot[i];

		if (snap->state != REMOVED || snap == head)
			continue;
		older = absorb_older(stack, snap);
		if (!older || older->state != REMOVED)
			r = take_out(stack, snap, older);
		if (r == -ENOSPC)
			r = 0;
	}
	if (r != -EAGAIN)
		return r;
	stack->slice.more = true;
	return 0;
}
