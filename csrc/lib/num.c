// SPDX-License-Identifier: GPL-2.0-or-later
/* num.c - see num.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "num.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

int num_u64(const char *text, uint64_t max, uint64_t *value)
{
	const char *at;
	uint64_t sum = 0;

	if (!is_digit(text[0]) || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (at = text; *at != '\0'; at++) {
		if (!is_digit(*at))
			return -EINVAL;
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
			return -ERANGE;
	}
	if (sum > max)
		return -ERANGE;
	*value = sum;
	return 0;
}

bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

bool is_uuid(const char *text)
{
	int i;

	for (i = 0; i < UUID_TEXT - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !is_lower_hex(text[i]))
			return false;
	}
	return text[UUID_TEXT - 1] == '\0';
}

int uuid_random(char uuid[UUID_TEXT])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return -errno;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);	/* RFC 4122: version 4, variant 1 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(uuid, UUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
		 b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return 0;
}

static bool is_name_char(char c, bool first)
{
	if (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return !first && (c == '_' || c == '.' || c == '-');
}

bool is_name(const char *text)
{
	int i;

	for (i = 0; text[i] != '\0'; i++)
		if (i == NAME_TEXT - 1 || !is_name_char(text[i], i == 0))
			return false;
	return i > 0;
}
