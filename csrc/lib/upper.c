// SPDX-License-Identifier: GPL-2.0-or-later
/* upper.c - see upper.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "upper.h"

enum { PATH_TEXT = 320, NUMBER_TEXT = 32 };

/* The dm device that sysfs calls @name, unless it is one of ours. */
static int identify(const char *name, struct dev *dev, bool *there)
{
	char path[PATH_TEXT], number[NUMBER_TEXT] = "";
	FILE *file;
	int r;

	snprintf(path, sizeof(path), "/sys/class/block/%s/dev", name);
	file = fopen(path, "re");
	if (!file)
		return 0;	/* it went away */
	if (!fgets(number, sizeof(number), file))
		number[0] = '\0';
	fclose(file);
	*dev = (struct dev){ .audience = FOR_USERS };
	r = dev_find_uuid(number, dev->uuid);
	if (r == 0 && dev->uuid[0] && strncmp(dev->uuid, "ZUMASTOR-", strlen("ZUMASTOR-")) != 0) {
		*there = true;
		r = dev_find_name(dev->uuid, dev->name);
	}
	return r == -ENXIO ? 0 : r;
}

int upper_holder(const struct stack *stack, struct dev *upper, bool *there)
{
	struct dev_state volume = { 0 };
	const struct dirent *entry;
	char path[PATH_TEXT];
	DIR *holders;
	int r = stack->lower ? stack_state(stack, "origin", NO_ID, &volume) : 0;

	*there = false;
	if (r < 0 || !volume.exists)
		return r;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", volume.major, volume.minor);
	holders = opendir(path);
	if (!holders)
		return -errno;
	while (r == 0 && !*there && (entry = readdir(holders)))
		if (entry->d_name[0] != '.')
			r = identify(entry->d_name, upper, there);
	closedir(holders);
	return r;
}

int upper_find(const struct stack *stack, struct dev *upper, bool *there)
{
	struct table table = { 0 };
	int r = upper_holder(stack, upper, there);

	if (r < 0 || !*there)
		return r;
	r = stack_linear(stack, "origin", NO_ID, &table);
	if (r == 0)
		r = dev_table_is(upper->uuid, &table, there);
	table_free(&table);
	return r;
}
