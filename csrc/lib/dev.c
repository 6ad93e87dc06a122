// SPDX-License-Identifier: GPL-2.0-or-later
/* dev.c - see dev.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/sysmacros.h>

#include "dev.h"
#include "io.h"

enum { UEVENT_TEXT = 96 };

static char failure[512];
static char library_said[256];
static uint32_t cookie;

const char *dev_failure(void)
{
	return failure[0] ? failure : NULL;
}

/* The first message of an ioctl is the one that says why. */
static void heard(int level, const char *file, int line, int error, const char *format, ...)
{
	va_list args;

	(void)file;
	(void)line;
	(void)error;
	if ((level & 7) > 3 || library_said[0])
		return;
	va_start(args, format);
	vsnprintf(library_said, sizeof(library_said), format, args);
	va_end(args);
}

void dev_init(void)
{
	dm_log_with_errno_init(heard);
	dm_hold_control_dev(1);
}

static int failed(const char *action, const char *object, int r)
{
	if (!failure[0])
		snprintf(failure, sizeof(failure), "%s '%s'%s%s%s", action, object,
			 library_said[0] ? " (" : "", library_said, library_said[0] ? ")" : "");
	return r;
}

/* Tables. */

void table_add(struct table *table, uint64_t sectors, const char *target, const char *format, ...)
{
	struct table_line *line;
	va_list args;
	char *arguments;

	if (sectors == 0 || table->error)
		return;
	if (table->count == table->room) {
		table->room = table->room ? table->room * 2 : 8;
		line = reallocarray(table->line, table->room, sizeof(*line));
		if (!line)
			goto no_memory;
		table->line = line;
	}
	va_start(args, format);
	if (vasprintf(&arguments, format, args) < 0)
		arguments = NULL;
	va_end(args);
	if (!arguments)
		goto no_memory;
	table->line[table->count++] = (struct table_line){ sectors, target, arguments };
	return;
no_memory:
	table->error = -ENOMEM;
}

void table_free(struct table *table)
{
	size_t i;

	for (i = 0; i < table->count; i++)
		free(table->line[i].arguments);
	free(table->line);
	memset(table, 0, sizeof(*table));
}

/* Tasks: one ioctl each. */

static struct dm_task *task_new(int type, const char *uuid)
{
	struct dm_task *task;

	library_said[0] = '\0';
	task = dm_task_create(type);
	if (task && !dm_task_set_uuid(task, uuid)) {
		dm_task_destroy(task);
		return NULL;
	}
	return task;
}

static struct dm_task *task_by_number(int type, dev_t device)
{
	struct dm_task *task;

	library_said[0] = '\0';
	task = dm_task_create(type);
	if (task && !dm_task_set_major_minor(task, (int)major(device), (int)minor(device), 0)) {
		dm_task_destroy(task);
		return NULL;
	}
	return task;
}

/*
 * A task by name, which the kernel is asked for: libdevmapper looks after the nodes in /dev/mapper, where there is
 * no udev to do it, only for devices it knows the name of.
 */
static struct dm_task *task_by_name(int type, const char *uuid)
{
	struct dm_task *info = task_new(DM_DEVICE_INFO, uuid), *task = NULL;
	const char *name = NULL;

	if (info && dm_task_run(info))
		name = dm_task_get_name(info);
	if (name)
		task = dm_task_create(type);
	if (task && !dm_task_set_name(task, name)) {
		dm_task_destroy(task);
		task = NULL;
	}
	if (info)
		dm_task_destroy(info);
	return task;
}

/* Run and destroy @task; the errno of the ioctl is the answer. */
static int task_end(struct dm_task *task, bool ready)
{
	int r;

	if (!task)
		return -ENOMEM;
	if (!ready)
		r = -ENOMEM;
	else if (dm_task_run(task))
		r = 0;
	else
		r = dm_task_get_errno(task) ? -dm_task_get_errno(task) : -EIO;
	dm_task_destroy(task);
	return r;
}

int dev_state(const char *uuid, struct dev_state *state)
{
	struct dm_task *task = task_new(DM_DEVICE_INFO, uuid);
	struct dm_info info;
	int r = 0;

	memset(state, 0, sizeof(*state));
	if (!task || !dm_task_run(task) || !dm_task_get_info(task, &info))
		r = failed("query device", uuid, -EIO);
	else if (info.exists)
		*state = (struct dev_state){
			.exists = true, .live = info.live_table, .loaded = info.inactive_table,
			.suspended = info.suspended, .open_count = info.open_count,
			.major = info.major, .minor = info.minor,
		};
	if (task)
		dm_task_destroy(task);
	return r;
}

int dev_add(const struct dev *dev)
{
	struct dm_task *task = task_new(DM_DEVICE_CREATE, dev->uuid);
	bool ready = task && dm_task_set_name(task, dev->name) && dm_task_set_mode(task, 0600);
	int r = task_end(task, ready);

	return r < 0 ? failed("create device", dev->name, r) : 0;
}

static bool fill(struct dm_task *task, const struct table *table)
{
	uint64_t start = 0;
	size_t i;

	for (i = 0; i < table->count; i++) {
		const struct table_line *line = &table->line[i];

		if (!dm_task_add_target(task, start, line->sectors, line->target, line->arguments))
			return false;
		start += line->sectors;
	}
	return !table->readonly || dm_task_set_ro(task);
}

int dev_load(const char *uuid, struct table *table)
{
	struct dm_task *task = task_new(DM_DEVICE_RELOAD, uuid);
	int r = task_end(task, task && !table->error && fill(task, table));

	return r < 0 ? failed("load a table into", uuid, r) : 0;
}

int dev_unload(const char *uuid)
{
	struct dm_task *task = task_new(DM_DEVICE_CLEAR, uuid);
	int r = task_end(task, task != NULL);

	return r < 0 ? failed("clear the inactive table of", uuid, r) : 0;
}

enum flush { FREEZE, FLUSH, REQUEUE };

static int suspend(const char *uuid, enum flush flush)
{
	struct dm_task *task = task_new(DM_DEVICE_SUSPEND, uuid);
	bool ready = task && (flush == FREEZE || dm_task_skip_lockfs(task)) &&
		     (flush != REQUEUE || dm_task_no_flush(task));
	int r = task_end(task, ready);

	return r < 0 ? failed("suspend", uuid, r) : 0;
}

int dev_suspend(const char *uuid, bool freeze)
{
	return suspend(uuid, freeze ? FREEZE : FLUSH);
}

static uint16_t udev_flags(enum dev_audience audience)
{
	const uint16_t unseen = DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |
		DM_UDEV_DISABLE_DISK_RULES_FLAG | DM_UDEV_DISABLE_OTHER_RULES_FLAG;

	switch (audience) {
	case FOR_NOBODY:
		return unseen;
	case FOR_READERS:
		return unseen | DM_UDEV_LOW_PRIORITY_FLAG;
	default:
		return 0;
	}
}

int dev_resume(const struct dev *dev)
{
	struct dm_task *task = task_by_name(DM_DEVICE_RESUME, dev->uuid);
	bool ready = task && dm_task_set_cookie(task, &cookie, udev_flags(dev->audience));
	int r = task_end(task, ready);

	return r < 0 ? failed("resume", dev->name, r) : 0;
}

int dev_create(const struct dev *dev, struct table *table)
{
	int r = dev_add(dev);

	if (r < 0)
		return r;
	r = dev_load(dev->uuid, table);
	if (r == 0)
		r = dev_resume(dev);
	if (r < 0)
		dev_remove(dev->uuid);
	return r;
}

static int swap(const struct dev *dev, struct table *table, enum flush flush)
{
	int r = dev_load(dev->uuid, table), resumed;

	if (r < 0)
		return r;
	r = suspend(dev->uuid, flush);
	if (r < 0)
		dev_unload(dev->uuid);
	resumed = dev_resume(dev);
	return r < 0 ? r : resumed;
}

int dev_swap(const struct dev *dev, struct table *table)
{
	return swap(dev, table, FLUSH);
}

int dev_remove(const char *uuid)
{
	struct dev_state state;
	struct dm_task *task;
	bool ready;
	int r = dev_state(uuid, &state);

	if (r < 0 || !state.exists)
		return r;
	task = task_by_name(DM_DEVICE_REMOVE, uuid);
	ready = task && dm_task_retry_remove(task) && dm_task_set_cookie(task, &cookie, 0);
	r = task_end(task, ready);
	return r < 0 && r != -ENXIO ? failed("remove", uuid, r) : 0;
}

static int first_line(int type, const char *uuid, struct dev_line *line)
{
	struct dm_task *task = task_new(type, uuid);
	char *target = NULL, *params = NULL;
	struct dm_info info;
	uint64_t start;
	int r = -EIO;

	if (!task || !dm_task_no_flush(task) || !dm_task_run(task) ||
	    !dm_task_get_info(task, &info))
		goto out;
	r = -ENXIO;
	if (!info.exists || !info.live_table)
		goto out;
	dm_get_next_target(task, NULL, &start, &line->sectors, &target, &params);
	if (!target)
		goto out;
	snprintf(line->target, sizeof(line->target), "%s", target);
	snprintf(line->params, sizeof(line->params), "%s", params ? params : "");
	r = 0;
out:
	if (task)
		dm_task_destroy(task);
	return r < 0 && r != -ENXIO ? failed("read the table of", uuid, r) : r;
}

int dev_table(const char *uuid, struct dev_line *line)
{
	return first_line(DM_DEVICE_TABLE, uuid, line);
}

int dev_status(const char *uuid, struct dev_line *line)
{
	return first_line(DM_DEVICE_STATUS, uuid, line);
}

/* The kernel puts a blank behind the last feature of a thin-pool. */
static bool same_arguments(const char *printed, const char *wanted)
{
	size_t length = strlen(wanted);

	return strncmp(printed, wanted, length) == 0 && printed[length + strspn(printed + length, " ")] == '\0';
}

static bool is_table(struct dm_task *task, const struct table *table)
{
	char *target = NULL, *params = NULL;
	uint64_t start, length;
	void *next = NULL;
	size_t i;

	for (i = 0; i < table->count; i++) {
		const struct table_line *line = &table->line[i];

		next = dm_get_next_target(task, next, &start, &length, &target, &params);
		if (!target || length != line->sectors || strcmp(target, line->target) != 0 ||
		    !same_arguments(params, line->arguments) || !next != (i + 1 == table->count))
			return false;
	}
	return true;
}

int dev_table_is(const char *uuid, const struct table *table, bool *same)
{
	struct dm_task *task = task_new(DM_DEVICE_TABLE, uuid);
	struct dm_info info;
	int r = 0;

	*same = false;
	if (!task || !dm_task_no_flush(task) || !dm_task_run(task) || !dm_task_get_info(task, &info))
		r = failed("read the table of", uuid, -EIO);
	else if (info.exists && info.live_table && !table->error)
		*same = is_table(task, table);
	if (task)
		dm_task_destroy(task);
	return r;
}

static int add_linear(struct dm_task *task, struct table *table)
{
	char *target = NULL, *params = NULL;
	uint64_t start, length;
	void *next = NULL;

	do {
		next = dm_get_next_target(task, next, &start, &length, &target, &params);
		if (!target || strcmp(target, "linear") != 0)
			return -EBUSY;
		table_add(table, length, "linear", "%s", params);
	} while (next);
	return table->error;
}

int dev_linear_table(dev_t device, struct table *table)
{
	struct dm_task *task = task_by_number(DM_DEVICE_TABLE, device);
	struct dm_info info;
	int r = -EIO;

	if (task && dm_task_no_flush(task) && dm_task_run(task) && dm_task_get_info(task, &info))
		r = info.exists && info.live_table ? add_linear(task, table) : -ENXIO;
	if (r == 0)
		table->readonly = info.read_only;
	if (task)
		dm_task_destroy(task);
	return r;
}

int dev_depth(dev_t device, unsigned int *depth)
{
	struct dm_task *task = task_by_number(DM_DEVICE_DEPS, device);
	const struct dm_deps *deps = NULL;
	unsigned int under, deepest = 0;
	uint32_t i;
	int r = 0;

	*depth = 0;
	if (task && dm_is_dm_major(major(device)) && dm_task_run(task))
		deps = dm_task_get_deps(task);
	for (i = 0; deps && i < deps->count && r == 0; i++) {
		r = dev_depth((dev_t)deps->device[i], &under);
		if (under > deepest)
			deepest = under;
	}
	if (deps)
		*depth = deepest + 1;
	if (task)
		dm_task_destroy(task);
	return task ? r : -ENOMEM;
}

int dev_fail(const struct dev *dev)
{
	struct table table = { 0 };
	struct dev_line line;
	int r = dev_table(dev->uuid, &line);

	if (r < 0)
		return r;
	table_add(&table, line.sectors, "error", "%s", "");
	r = swap(dev, &table, REQUEUE);
	table_free(&table);
	return r;
}

int dev_message(const char *uuid, const char *message)
{
	struct dm_task *task = task_new(DM_DEVICE_TARGET_MSG, uuid);
	bool ready = task && dm_task_set_sector(task, 0) && dm_task_set_message(task, message);
	int r = task_end(task, ready);

	return r < 0 ? failed("send a message to", uuid, r) : 0;
}

int dev_node(const struct dev *dev)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_MKNODES);
	int r = task_end(task, task && dm_task_set_name(task, dev->name));

	return r < 0 && r != -ENXIO ? failed("make the node of", dev->name, r) : 0;
}

/* One text of what the kernel tells of a device. */
static int info_of(struct dm_task *task, const char *(*get)(const struct dm_task *), char *text, size_t size)
{
	const char *found = NULL;
	struct dm_info info;
	int r = -EIO;

	if (task && dm_task_run(task) && dm_task_get_info(task, &info)) {
		found = info.exists ? get(task) : NULL;
		r = info.exists ? 0 : -ENXIO;
	}
	snprintf(text, size, "%s", found ? found : "");
	if (task)
		dm_task_destroy(task);
	return r;
}

int dev_find_name(const char *uuid, char name[DEV_NAME_TEXT])
{
	struct dm_task *task = task_new(DM_DEVICE_INFO, uuid);

	return info_of(task, dm_task_get_name, name, DEV_NAME_TEXT);
}

static int uuid_of(dev_t device, char uuid[DEV_UUID_TEXT])
{
	struct dm_task *task = task_by_number(DM_DEVICE_INFO, device);

	return info_of(task, dm_task_get_uuid, uuid, DEV_UUID_TEXT);
}

int dev_find_uuid(const char *number, char uuid[DEV_UUID_TEXT])
{
	unsigned int major, minor;

	if (sscanf(number, "%u:%u", &major, &minor) != 2)
		return -EBADMSG;
	return uuid_of(makedev(major, minor), uuid);
}

int dev_identify(dev_t device, struct dev *dev)
{
	struct dm_task *task = task_by_number(DM_DEVICE_INFO, device);
	int r = info_of(task, dm_task_get_name, dev->name, sizeof(dev->name));

	dev->audience = FOR_USERS;
	return r < 0 ? r : uuid_of(device, dev->uuid);
}

int dev_set_uuid(const struct dev *dev)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_RENAME);
	bool ready = task && dm_task_set_name(task, dev->name) && dm_task_set_newuuid(task, dev->uuid) &&
		     dm_task_set_cookie(task, &cookie, 0);
	int r = task_end(task, ready);

	return r < 0 ? failed("give a UUID to", dev->name, r) : 0;
}

/* Since 5.13 the kernel lists, behind the name, the number of events, flags, and the UUID; see linux/dm-ioctl.h. */
static int listed_uuid(const struct dm_names *names, char uuid[DEV_UUID_TEXT])
{
	uintptr_t behind = (uintptr_t)names->name + strlen(names->name) + 1;
	const uint32_t *events = (const void *)((behind + 7) & ~(uintptr_t)7);
	uint64_t device = names->dev;

	uuid[0] = '\0';
	if (events[1] & DM_NAME_LIST_FLAG_HAS_UUID)
		snprintf(uuid, DEV_UUID_TEXT, "%s", (const char *)&events[2]);
	else if (!(events[1] & DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID) &&
		 uuid_of(makedev((unsigned int)(device >> 8 & 0xfff),
				 (unsigned int)((device & 0xff) | (device >> 12 & 0xfff00))), uuid) == -EIO)
		return -EIO;
	return 0;
}

static int each_of(const struct dm_names *names, const char *prefix,
		   int (*each)(void *, const char *), void *context)
{
	char uuid[DEV_UUID_TEXT];
	int r;

	while (names->dev) {
		r = listed_uuid(names, uuid);
		if (r == 0 && strncmp(uuid, prefix, strlen(prefix)) == 0)
			r = each(context, uuid);
		if (r < 0)
			return r;
		if (!names->next)
			break;
		names = (const void *)((const char *)names + names->next);
	}
	return 0;
}

int dev_each(const char *prefix, int (*each)(void *context, const char *uuid), void *context)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_LIST);
	const struct dm_names *names = NULL;
	int r;

	library_said[0] = '\0';
	if (task && dm_task_run(task))
		names = dm_task_get_names(task);
	r = names ? each_of(names, prefix, each, context) : failed("list", "devices", -EIO);
	if (task)
		dm_task_destroy(task);
	return r;
}

bool dev_has_target(const char *target)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_LIST_VERSIONS);
	const struct dm_versions *version = NULL, *last = NULL;
	bool found = false;

	if (task && dm_task_run(task))
		version = dm_task_get_versions(task);
	while (version && version != last && !found) {
		found = strcmp(version->name, target) == 0;
		last = version;
		version = (const void *)((const char *)version + version->next);
	}
	if (task)
		dm_task_destroy(task);
	return found;
}

void dev_path(unsigned int minor, char path[DEV_PATH_TEXT])
{
	snprintf(path, DEV_PATH_TEXT, "/dev/dm-%u", minor);
}

int dev_open(dev_t device)
{
	char path[UEVENT_TEXT], line[UEVENT_TEXT], name[UEVENT_TEXT] = "/dev/";
	FILE *file;
	bool found = false;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(device), minor(device));
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "DEVNAME=%80s", name + strlen("/dev/")) == 1;
	if (file)
		fclose(file);
	return found ? io_open(name, O_RDONLY) : -ENXIO;
}

int dev_cookie_prepare(void)
{
	if (!dm_udev_get_sync_support() || cookie != 0)
		return 0;
	return dm_udev_create_cookie(&cookie) ? 0 : -ENOMEM;
}

/*
 * The process that died may have counted an event that never came, so waiting could last for ever; a
 * cookie is the key of a SysV semaphore, and late events on a removed one are ignored by udev.
 */
void dev_cookie_abandon(void)
{
	int semaphore = cookie != 0 ? semget((key_t)cookie, 1, 0) : -1;

	if (semaphore >= 0)
		semctl(semaphore, 0, IPC_RMID);
	cookie = 0;
}

void dev_settle(void)
{
	dm_udev_wait(cookie);	/* without udev this is when libdevmapper makes its nodes */
	cookie = 0;
}
