// SPDX-License-Identifier: GPL-2.0-or-later
/* tool.c - see tool.h. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exits.h"
#include "io.h"
#include "settle.h"
#include "step.h"
#include "tool.h"

enum { SLICE_MS = 1000 };	/* of absorbing on the way to something else */

static const char *open_reason(int error)
{
	switch (-error) {
	case ENOENT:
		return "there is none";
	case EPERM:
		return "it belongs to another volume";
	default:
		return reason(error);
	}
}

struct stack *tool_open(const char *volume, const char *store)
{
	struct stack *stack;
	int error;

	dev_init();
	step_arm();
	if (!is_name(volume))
		errx(EXIT_USAGE, "not a volume name: '%s'", volume);
	stack = stack_open(volume, store, &error);
	if (!stack)
		errx(exit_code(error), "cannot use the record of '%s' on '%s': %s", volume, store,
		     open_reason(error));
	slice_begin(&stack->slice, SLICE_MS);
	return stack;
}

dev_t tool_block_device(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		err(EXIT_ABSENT, "cannot find '%s'", path);
	if (!S_ISBLK(st.st_mode))
		errx(EXIT_USAGE, "not a block device: '%s'", path);
	return st.st_rdev;
}

void tool_match_meta(const struct stack *stack, bool given)
{
	if (stack->rec.separate != given)
		errx(EXIT_USAGE, "volume '%s' %s a separate metadata device", stack->volume,
		     stack->rec.separate ? "needs" : "has not");
}

void tool_need_sectors(const char *path, uint64_t sectors)
{
	uint64_t bytes = 0;
	int fd = io_open(path, O_RDONLY), r = fd;

	if (fd >= 0)
		r = io_size(fd, &bytes);
	if (r < 0)
		errx(EXIT_FAILED, "cannot measure '%s': %s", path, reason(r));
	close(fd);
	if (bytes / SECTOR_SIZE < sectors)
		errx(EXIT_FAILED, "'%s' has %" PRIu64 " bytes, %" PRIu64 " are needed", path, bytes,
		     sectors * SECTOR_SIZE);
}

void tool_need_up(struct stack *stack)
{
	const char *volume = stack->volume;
	bool up;
	int r = stack_is_up(stack, &up);

	if (r == 0 && !up)
		errx(EXIT_FAILED, "volume '%s' is not running", volume);
	if (r == 0)
		r = stack_recover(stack);
	if (r < 0)
		exit(tool_end(stack, "recover", r));
}

struct snapshot *tool_snapshot(struct stack *stack, const char *text)
{
	struct snapshot *snap;
	uint64_t id;

	if (num_u64(text, UINT32_MAX, &id) < 0)
		errx(EXIT_USAGE, "not a snapshot id: '%s'", text);
	snap = record_find(&stack->rec, id);
	if (!snap || snap->state == REMOVED || snap->state == DELETING)
		errx(EXIT_ABSENT, "volume '%s' has no snapshot '%s'", stack->volume, text);
	return snap;
}

int tool_end(struct stack *stack, const char *action, int r)
{
	const char *volume = stack->volume, *failure = dev_failure();

	dev_settle();
	stack_close(stack);
	if (r == 0)
		r = io_flush_stdout();
	if (r == 0)
		return EXIT_DONE;
	if (r == -EROFS)
		warnx("cannot %s '%s': its store is read-only or needs thin_check", action, volume);
	else if (r == -ENOSPC)
		warnx("cannot %s '%s': its store is full", action, volume);
	else if (failure)
		warnx("cannot %s '%s': cannot %s: %s", action, volume, failure, reason(r));
	else
		warnx("cannot %s '%s': %s", action, volume, reason(r));
	return exit_code(r);
}
