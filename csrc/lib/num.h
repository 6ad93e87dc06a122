/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * num.h - numbers, uuids and names that came from outside, checked once.
 */
#ifndef ZUMASTOR_NUM_H
#define ZUMASTOR_NUM_H

#include <stdbool.h>
#include <stdint.h>

enum {
	UUID_TEXT = 37,		/* 8-4-4-4-12 lower-case hex digits, and the end of the string */
	NAME_TEXT = 64,		/* the longest volume or kind name, and the end of the string */
};

/*
 * num_u64 - an exact unsigned decimal: no sign, no blank, no leading zero, nothing behind it.
 *
 * Returns 0; -EINVAL for anything else, -ERANGE above @max.
 */
int num_u64(const char *text, uint64_t max, uint64_t *value);

/*
 * is_power_of_two - false for 0.
 */
bool is_power_of_two(uint64_t value);

/*
 * is_uuid - lower-case hex and dashes in the canonical places, nothing else.
 */
bool is_uuid(const char *text);

/*
 * uuid_random - a fresh version-4 uuid; 0 or -errno of getrandom().
 */
int uuid_random(char uuid[UUID_TEXT]);

/*
 * is_name - [A-Za-z0-9][A-Za-z0-9_.-]{0,62}: what may name a volume, a kind or a label.
 */
bool is_name(const char *text);

#endif
