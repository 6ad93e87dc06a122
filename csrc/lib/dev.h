/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dev.h - device-mapper devices, found by their dm UUID and never by name.
 *
 * One call is one ioctl through libdevmapper.  A UUID is unique in the kernel, whatever the names are, and
 * creating a second device with one fails: that is our guard against a stack put up twice.
 *
 * Every function returns 0 or -errno and prints nothing; dev_failure() tells which call failed first.
 *
 * udev: devices are created, resumed and removed under one udev cookie, which dev_settle() waits for.
 * Never call it while anything is suspended.  Without a udev daemon libdevmapper makes the nodes itself.
 */
#ifndef ZUMASTOR_DEV_H
#define ZUMASTOR_DEV_H

#include <libdevmapper.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	DEV_UUID_TEXT = 129,	/* DM_UUID_LEN of the kernel */
	DEV_NAME_TEXT = 128,
	DEV_PATH_TEXT = 32,
};

/* Who may look at a device: see dev_create(). */
enum dev_audience {
	FOR_NOBODY,	/* a layer: no scanner of any kind opens it */
	FOR_READERS,	/* a snapshot: links by uuid and label stay with the volume */
	FOR_USERS,	/* the volume */
};

struct table_line {
	uint64_t sectors;
	const char *target;
	char *arguments;
};

/* A table under construction; zero it first, give it back with table_free(). */
struct table {
	struct table_line *line;
	size_t count, room;
	bool readonly;
	int error;		/* the first failure of table_add(), reported by whoever loads it */
};

/*
 * table_add - append a segment of @sectors; nothing is appended for 0 sectors.
 */
void table_add(struct table *table, uint64_t sectors, const char *target, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void table_free(struct table *table);

struct dev {
	char uuid[DEV_UUID_TEXT];
	char name[DEV_NAME_TEXT];
	enum dev_audience audience;
};

struct dev_state {
	bool exists, live, loaded, suspended;	/* live and loaded: has an active, an inactive table */
	int open_count;
	unsigned int major, minor;
};

struct dev_line {
	uint64_t sectors;
	char target[32];
	char params[512];
};

/*
 * dev_init - route libdevmapper's messages to dev_failure(); call it first.
 */
void dev_init(void);

/*
 * dev_failure - "do what to which device" of the first call that failed, and what libdevmapper said;
 * NULL when none has.
 */
const char *dev_failure(void);

int dev_state(const char *uuid, struct dev_state *state);

/*
 * dev_add - a device without a table; dev_load() and dev_resume() bring it to life.
 */
int dev_add(const struct dev *dev);

/*
 * dev_create - add, load, resume; nothing is left behind after a failure.
 */
int dev_create(const struct dev *dev, struct table *table);

/*
 * dev_load - put @table into the inactive slot of a device; dev_unload() empties it again.
 */
int dev_load(const char *uuid, struct table *table);
int dev_unload(const char *uuid);

/*
 * dev_suspend - hold new I/O and wait for what is under way; @freeze also brings a mounted
 * filesystem to rest first.
 */
int dev_suspend(const char *uuid, bool freeze);
int dev_resume(const struct dev *dev);

/*
 * dev_swap - replace the live table at once: load, suspend without freezing, resume.
 */
int dev_swap(const struct dev *dev, struct table *table);

/*
 * dev_fail - answer all I/O with an error from now on, also what waits in the target, which a swap would wait for.
 */
int dev_fail(const struct dev *dev);

/*
 * dev_remove - patient with scanners that hold the device for a moment; -EBUSY when it stays open.
 * A device that does not exist is a success.
 */
int dev_remove(const char *uuid);

/*
 * dev_table, dev_status - first line of the live table, or of the status.
 *
 * -ENXIO where the device or its table does not exist.  No flush: a thin-pool would commit.
 */
int dev_table(const char *uuid, struct dev_line *line);
int dev_status(const char *uuid, struct dev_line *line);

/*
 * dev_table_is - is the live table of the device @table, line by line?
 */
int dev_table_is(const char *uuid, const struct table *table, bool *same);

/*
 * dev_linear_table - the live table of @device, to be given to table_free(); -EBUSY unless all of it is linear.
 */
int dev_linear_table(dev_t device, struct table *table);

/*
 * dev_depth - how many device-mapper devices lie one on the other from @device down; 0 for a disk.
 */
int dev_depth(dev_t device, unsigned int *depth);

/*
 * dev_message - a message to the target at sector 0.
 */
int dev_message(const char *uuid, const char *message);

/*
 * dev_node - make /dev/mapper/NAME agree with the kernel: a program killed before it came to that leaves a
 * device without a node, or a node without its device.
 */
int dev_node(const struct dev *dev);

/*
 * dev_find_name, dev_find_uuid - the name of the device with that UUID, the UUID of the one that "MAJOR:MINOR…" means.
 *
 * -ENXIO where there is none; a device may be without a UUID, which then is "".
 */
int dev_find_name(const char *uuid, char name[DEV_NAME_TEXT]);
int dev_find_uuid(const char *number, char uuid[DEV_UUID_TEXT]);

/*
 * dev_identify - name and UUID of a dm device, FOR_USERS.   dev_set_uuid - give one that has none the UUID in @dev.
 */
int dev_identify(dev_t device, struct dev *dev);
int dev_set_uuid(const struct dev *dev);

/*
 * dev_each - call @each with the UUID of every device whose UUID begins with @prefix.
 *
 * Stops at the first negative return and passes it on.
 */
int dev_each(const char *prefix, int (*each)(void *context, const char *uuid), void *context);

/*
 * dev_has_target - does the kernel know the target?
 */
bool dev_has_target(const char *target);

/*
 * dev_path - /dev/dm-MINOR, which devtmpfs makes at once, with or without udev.
 */
void dev_path(unsigned int minor, char path[DEV_PATH_TEXT]);

/*
 * dev_open - any block device, to be read past the page cache; by the name that devtmpfs gave it.
 */
int dev_open(dev_t device);

/*
 * dev_cookie_prepare - make the udev cookie now, so that nothing has to be allocated while suspended.
 * dev_cookie_abandon - free the cookie of a process that died between the two.
 */
int dev_cookie_prepare(void);
void dev_cookie_abandon(void);

/*
 * dev_settle - wait until udev has dealt with all that was done since the last call.
 */
void dev_settle(void);

#endif
