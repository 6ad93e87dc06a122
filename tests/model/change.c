// SPDX-License-Identifier: GPL-2.0-or-later
/* change.c - changes of the volume, whole or cut off by a fault; see model.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exits.h"
#include "life.h"
#include "model.h"
#include "settle.h"
#include "step.h"

enum {
	FAULT_ONE_IN = 12,
	FAULT_STEPS = 14,
};

int model_wrong(const struct model *model, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "seed %" PRIu64 " operation %" PRIu64 ": ", model->seed, model->operation);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -EILSEQ;
}

/* As a dm-* program does it: from the disk each time.  Every second one absorbs one chunk at most. */
static int with_stack(struct model *model, const struct change *change)
{
	struct stack *stack;
	bool up;
	int r;

	stack = stack_open(model->volume, model->store, &r);
	if (!stack)
		return r;
	stack->slice = model->slice;
	stack->slice.limited = noise_below(&model->noise, 2);
	r = stack_is_up(stack, &up);
	if (r == 0)
		r = up ? stack_recover(stack) : -ENXIO;
	if (r == 0)
		r = change->act(model, stack, change->id);
	model->slice = stack->slice;
	dev_settle();
	stack_close(stack);
	return r;
}

static int device_of(const char *path, dev_t *device)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	*device = st.st_rdev;
	return 0;
}

int model_start(struct model *model)
{
	struct stack *stack;
	dev_t origin, store;
	int r = device_of(model->origin, &origin);

	if (r == 0)
		r = device_of(model->store, &store);
	if (r < 0)
		return r;
	stack = stack_open(model->volume, model->store, &r);
	if (!stack)
		return r;
	r = life_start(stack, origin, store, 0);
	dev_settle();
	stack_close(stack);
	return r;
}

/* The set of snapshots. */

static struct known *find(struct model *model, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < model->count; i++)
		if (model->snap[i].id == id)
			return &model->snap[i];
	return NULL;
}

static int learn(struct model *model, uint32_t id)
{
	unsigned int slot = VOLUME_SLOT + 1;

	if (model->count == SNAPSHOTS)
		return model_wrong(model, "more snapshots than were taken");
	while (model->slot_used[slot])
		slot++;
	model->slot_used[slot] = true;
	model->snap[model->count++] = (struct known){ .id = id, .slot = slot, .held = -1 };
	return shadow_copy(&model->shadow, VOLUME_SLOT, slot);
}

static void forget(struct model *model, struct known *known)
{
	model->slot_used[known->slot] = false;
	model->count--;
	memmove(known, known + 1, (size_t)(&model->snap[model->count] - known) * sizeof(*known));
}

static bool is_live(struct record *rec, uint32_t id)
{
	const struct snapshot *snap = record_find(rec, id);

	return snap && snap->state == LIVE;
}

/* @partly: the change was cut off, so it may have taken place or not. */
static int compare_sets(struct model *model, struct record *rec, const struct change *change, bool partly)
{
	bool appeared = false, vanished = false;
	unsigned int i;
	int r = 0;

	for (i = 0; i < rec->count && r == 0; i++) {
		const struct snapshot *snap = &rec->snapshot[i];

		if (snap->state == LIVE && !find(model, snap->id)) {
			if (appeared || !change->appears)
				return model_wrong(model, "snapshot %" PRIu32 " appeared", snap->id);
			appeared = true;
			r = learn(model, snap->id);
		} else if (snap->state == LOST || snap->state == PENDING) {
			return model_wrong(model, "snapshot %" PRIu32 " is in state %d", snap->id,
					   snap->state);
		}
	}
	for (i = model->count; i-- > 0;) {
		struct known *known = &model->snap[i];

		if (is_live(rec, known->id))
			continue;
		if (!change->vanishes || known->id != change->id)
			return model_wrong(model, "snapshot %" PRIu32 " vanished", known->id);
		vanished = true;
		forget(model, known);
	}
	if (!partly && (appeared != change->appears || vanished != change->vanishes))
		return model_wrong(model, "the change did not take place");
	return r;
}

/* The phase of the revert, and with the first what the volume shows. */
static int compare_phases(struct model *model, const struct record *rec, const struct change *change,
			  bool partly)
{
	enum revert_phase now = rec->revert.phase, before = model->phase;
	const struct known *known = find(model, change->id);

	if (!is_reverting(rec))
		now = REVERT_NONE;
	if (now == before && (partly || !change->reverts || change->to == before))
		return 0;
	if (!change->reverts || now != change->to)
		return model_wrong(model, "the revert went from phase %d to %d", before, now);
	model->phase = now;
	if (now != REVERT_OPEN)
		return 0;
	model->back_to = change->id;
	model->reverts++;
	return known ? shadow_copy(&model->shadow, known->slot, VOLUME_SLOT) : -ENOENT;
}

static int reconcile(struct model *model, const struct change *change, bool partly)
{
	struct stack *stack;
	int r;

	stack = stack_open(model->volume, model->store, &r);
	if (!stack)
		return model_wrong(model, "cannot read the record: %s", reason(r));
	r = compare_sets(model, &stack->rec, change, partly);
	if (r == 0)
		r = compare_phases(model, &stack->rec, change, partly);
	stack_close(stack);
	return r;
}

/* Faults. */

static void child_main(struct model *model, const struct change *change)
{
	static const char *const words[] = { "kill", "killboth", "fail" };
	char fault[32];

	snprintf(fault, sizeof(fault), "%s:%" PRIu64, words[noise_below(&model->noise, 3)],
		 1 + noise_below(&model->noise, FAULT_STEPS));
	setenv("ZUMASTOR_FAULT", fault, 1);
	step_arm();
	_exit(with_stack(model, change) < 0);
}

/* The end of the pipe is there when the child and its watchdog are gone. */
static int in_child(struct model *model, const struct change *change)
{
	char nothing;
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		child_main(model, change);
	close(ends[1]);
	if (pid > 0) {
		while (read(ends[0], &nothing, 1) > 0)
			;
		waitpid(pid, NULL, 0);
	}
	close(ends[0]);
	noise_next(&model->noise);	/* what the child drew is not to be drawn again */
	model->faults++;
	return pid < 0 ? -EAGAIN : 0;
}

static int cut_off(struct model *model, const struct change *change)
{
	int r = in_child(model, change);

	if (r == 0)
		r = model_start(model);
	if (r < 0)
		return model_wrong(model, "cannot start after a fault: %s", reason(r));
	return reconcile(model, change, true);
}

int change_run(struct model *model, const struct change *change)
{
	static const struct change none;
	int r;

	if (change->want == 0 && noise_below(&model->noise, FAULT_ONE_IN) == 0)
		return cut_off(model, change);
	r = with_stack(model, change);
	if (r != change->want)
		return model_wrong(model, "%s, not %s (%s)", reason(r), reason(change->want),
				   dev_failure() ? dev_failure() : "no device failed");
	return reconcile(model, r == 0 ? change : &none, false);
}
