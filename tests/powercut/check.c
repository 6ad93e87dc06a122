// SPDX-License-Identifier: GPL-2.0-or-later
/* check.c - see check.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "digest.h"
#include "io.h"
#include "life.h"
#include "stamp.h"
#include "volume.h"

enum { WRITES_AFTER = 8 };

int check_init(struct check *check, const char *origin, uint64_t origin_sectors, const char *store)
{
	check->origin = origin;
	check->store = store;
	check->origin_sectors = origin_sectors;
	check->history.synced = UINT64_MAX;
	check->last_synced = UINT64_MAX;
	check->last = calloc(check->origin_sectors, sizeof(*check->last));
	check->volume = io_alloc(origin_sectors * SECTOR_SIZE);
	return check->last && check->volume ? 0 : -ENOMEM;
}

__attribute__((format(printf, 2, 3)))
static int wrong(struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->what, sizeof(check->what), format, args);
	va_end(args);
	return -EUCLEAN;
}

/* dm-check finds nothing: all it says is that the volume runs. */
static int doctor(struct check *check)
{
	char command[256], line[256] = "";
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command), HELPERS "dm-check %s %s %s", VOLUME, check->origin, check->store);
	pipe = popen(command, "r");
	if (!pipe || !fgets(line, sizeof(line), pipe))
		line[0] = '\0';
	status = pipe ? pclose(pipe) : -1;
	line[strcspn(line, "\n")] = '\0';
	return status == 0 && strcmp(line, "state=running") == 0 ? 0 : wrong(check, "dm-check: %.200s", line);
}

static const struct snapshot *find_uuid(const struct record *rec, const char *uuid)
{
	unsigned int i;

	for (i = 0; i < rec->count; i++)
		if (strcmp(rec->snapshot[i].uuid, uuid) == 0)
			return &rec->snapshot[i];
	return NULL;
}

/* Nobody is lost or left undecided, and nobody is missing. */
static int check_record(struct check *check)
{
	const struct history *history = &check->history;
	const struct snapshot *snap;
	unsigned int i;

	for (i = 0; i < check->stack->rec.count; i++) {
		snap = &check->stack->rec.snapshot[i];
		if (snap->state == LOST || snap->state == PENDING)
			return wrong(check, "snapshot %" PRIu32 " is %s", snap->id,
				     snap->state == LOST ? "lost" : "pending");
	}
	for (i = 0; i < history->promises; i++) {
		const struct promise *promise = &history->promise[i];

		snap = find_uuid(&check->stack->rec, promise->uuid);
		if (promise->returned && !promise->removing && (!snap || snap->state != LIVE))
			return wrong(check, "snapshot %s is missing", promise->uuid);
	}
	return 0;
}

static int check_snapshot(struct check *check, const struct snapshot *snap)
{
	const struct promise *promise = history_find(&check->history, snap->uuid);
	char path[64];
	uint64_t sum;
	int r;

	if (!promise)
		return wrong(check, "snapshot %" PRIu32 " was never taken", snap->id);
	snprintf(path, sizeof(path), "/dev/zumastor/" VOLUME "/%" PRIu32, snap->id);
	r = digest_device(path, &sum);
	if (r < 0)
		return wrong(check, "snapshot %" PRIu32 " cannot be read: %s", snap->id, strerror(-r));
	return sum == promise->sum ? 0 : wrong(check, "snapshot %" PRIu32 " is not what it was", snap->id);
}

static int check_clone(struct check *check, const struct clone_promise *clone)
{
	char path[128];
	uint64_t sum;
	int r;

	snprintf(path, sizeof(path), "/dev/zumastor/" VOLUME "/%s", clone->name);
	r = digest_device(path, &sum);
	if (r < 0)
		return wrong(check, "clone %s cannot be read: %s", clone->name, strerror(-r));
	return !clone->known || sum == clone->sum ? 0 : wrong(check, "clone %s is not what it was", clone->name);
}

static int check_copies(struct check *check)
{
	const struct history *history = &check->history;
	unsigned int i;
	int r = 0;

	for (i = 0; i < check->stack->rec.count && r == 0; i++)
		if (check->stack->rec.snapshot[i].state == LIVE)
			r = check_snapshot(check, &check->stack->rec.snapshot[i]);
	for (i = 0; i < history->clones && r == 0; i++)
		if (!history->clone[i].removing)
			r = check_clone(check, &history->clone[i]);
	return r;
}

/* What the volume shows, sector by sector: the last durable write to it or a later one. */

static void bring_up_to_date(struct check *check)
{
	const struct history *history = &check->history;
	uint64_t n, i;

	n = check->last_seed == history->seed && check->last_synced != UINT64_MAX ? check->last_synced + 1 : 0;
	for (; n <= history->synced; n++) {
		struct stamp stamp = stamp_make(history->seed, n, check->origin_sectors);

		for (i = 0; i < stamp.sectors; i++)
			check->last[stamp.sector + i] = n;
	}
	check->last_seed = history->seed;
	check->last_synced = history->synced;
}

static int check_sector(struct check *check, uint64_t sector)
{
	const struct history *history = &check->history;
	const uint8_t *have = check->volume + sector * SECTOR_SIZE;
	uint64_t n = stamp_number(have);
	struct stamp stamp = stamp_make(history->seed, n, check->origin_sectors);
	uint8_t want[SECTOR_SIZE];

	stamp_fill(history->seed, &stamp, sector, want);
	if (sector < stamp.sector || sector >= stamp.sector + stamp.sectors ||
	    memcmp(have, want, sizeof(want)) != 0)
		return wrong(check, "sector %" PRIu64 " of the volume is nobody's", sector);
	if (n != check->last[sector] && n <= history->synced)
		return wrong(check, "sector %" PRIu64 " of the volume lost a write", sector);
	return 0;
}

static int read_volume(struct check *check)
{
	int fd = io_open("/dev/mapper/" VOLUME, O_RDONLY), r = fd;

	if (fd < 0)
		return r;
	r = io_pread(fd, check->volume, check->origin_sectors * SECTOR_SIZE, 0);
	close(fd);
	return r;
}

static int check_volume(struct check *check, uint64_t origin_sum)
{
	const struct history *history = &check->history;
	uint64_t sum, i;
	int r = read_volume(check);

	if (r < 0)
		return wrong(check, "the volume cannot be read: %s", strerror(-r));
	sum = digest(check->volume, check->origin_sectors * SECTOR_SIZE);
	if (history->shown == 0 && !history->layered && sum != origin_sum)
		return wrong(check, "the volume is not what the origin holds");
	if (history->shown > 0 && sum != history->shows[0] &&
	    (history->shown == 1 || sum != history->shows[1]))
		return wrong(check, "the volume is not what it should show");
	if (history->synced == UINT64_MAX || history->shown > 0)
		return 0;
	bring_up_to_date(check);
	for (i = 0; i < check->origin_sectors && r == 0; i++)
		r = check_sector(check, i);
	return r;
}

/* Life goes on: what a crash left in an exception table must do no harm later either. */
static int write_more(struct check *check)
{
	int fd = io_open("/dev/mapper/" VOLUME, O_RDWR), r = fd, i;
	void *data = io_alloc(IO_ALIGN);

	if (fd < 0)
		return r;
	r = data ? 0 : -ENOMEM;
	for (i = 0; i < WRITES_AFTER && r == 0; i++)
		r = io_pwrite(fd, data, IO_ALIGN, rnd(&check->random) % (check->origin_sectors / 8) * IO_ALIGN);
	free(data);
	r = io_close_synced(fd, r);
	return r < 0 ? wrong(check, "the volume cannot be written: %s", strerror(-r)) : 0;
}

static int check_running(struct check *check, uint64_t origin_sum)
{
	int r = check_record(check);

	if (r == 0)
		r = check_volume(check, origin_sum);
	if (r == 0 && volume_show(check->stack) < 0)
		r = wrong(check, "the snapshots cannot be shown");
	if (r == 0)
		r = check_copies(check);
	if (r == 0 && rnd(&check->random) % 3 == 0) {
		r = write_more(check);
		if (r == 0)
			r = check_copies(check);
	}
	if (r == 0 && rnd(&check->random) % 8 == 0)
		r = doctor(check);
	if (r == 0 && rnd(&check->random) % 16 == 0)
		r = life_stop(check->stack) < 0 ? wrong(check, "it does not stop") : 0;
	return r;
}

int check_cut(struct check *check, uint64_t origin_sum)
{
	int r, fallen;

	check->stack = volume_start(check->origin, check->store, &r);
	if (check->stack)
		r = check_running(check, origin_sum);
	else
		r = wrong(check, "it does not start: %s", strerror(-r));
	fallen = volume_fall(check->stack);
	return fallen < 0 ? fallen : r;
}
